//! Errors of the Lambda plane in their wire form: JSON and `x-amzn-ErrorType`. The one place where they are rendered.

use axum::body::Body;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value};

use crate::error::ApiError;

/// Renders an error.
#[must_use]
pub fn response(error: &ApiError) -> Response<Body> {
    let code = match &*error.code {
        "AccessDenied" => "AccessDeniedException",
        "SignatureDoesNotMatch" => "InvalidSignatureException",
        "InvalidAccessKeyId" | "InvalidToken" => "UnrecognizedClientException",
        "NotImplemented" => "NotImplementedException",
        "MaxMessageLengthExceeded" => "RequestTooLargeException",
        "InternalError" => "ServiceException",
        other => other,
    };
    let kind = if error.status.is_server_error() { "Service" } else { "User" };
    let mut body = Map::new();
    for (name, value) in
        [("Type", kind), ("Message", &*error.message), ("message", &*error.message), ("Code", code)]
    {
        body.insert(name.to_owned(), Value::from(value));
    }
    for (name, value) in &error.details {
        body.insert((*name).to_owned(), Value::from(value.as_str()));
    }
    let mut answer = Response::new(Body::from(Value::Object(body).to_string()));
    *answer.status_mut() = error.status;
    let headers = answer.headers_mut();
    headers.extend((*error.headers).clone());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(code) = HeaderValue::from_str(code) {
        headers.insert(HeaderName::from_static("x-amzn-errortype"), code);
    }
    answer
}

/// 400 InvalidParameterValueException.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "InvalidParameterValueException", message.into())
}

/// 400 ValidationException, in AWS's words.
pub(super) fn constraint(field: &str, value: &str, rule: &str) -> ApiError {
    let shown: String = value.chars().take(200).collect();
    let message = format!(
        "1 validation error detected: Value '{shown}' at '{field}' failed to satisfy constraint: Member must {rule}"
    );
    ApiError::new(StatusCode::BAD_REQUEST, "ValidationException", message)
}

/// 404 ResourceNotFoundException.
pub(super) fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", message.into())
}

/// 409 ResourceConflictException.
pub(super) fn conflict(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "ResourceConflictException", message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_error_is_what_clients_of_lambda_read() {
        let answer = response(&not_found("Function not found: f").with_detail("Reason", "R"));
        assert_eq!(answer.status(), 404);
        assert_eq!(answer.headers()["x-amzn-errortype"], "ResourceNotFoundException");
        let body = axum::body::to_bytes(answer.into_body(), 4096).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((body["Type"].as_str(), body["Reason"].as_str()), (Some("User"), Some("R")));
        let denied = response(&ApiError::access_denied("x"));
        assert_eq!(denied.headers()["x-amzn-errortype"], "AccessDeniedException");
    }
}
