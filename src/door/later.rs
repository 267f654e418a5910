//! The plane that is known and not there yet: a verified caller reads 501 in the plane's own wire form.

use axum::body::Body;
use http::{HeaderName, HeaderValue, Response, header};
use serde_json::json;

use crate::error::ApiError;

/// 501.
pub(super) fn not_yet() -> ApiError {
    ApiError::not_implemented(
        "The AWS Lambda API is not implemented yet. Register built-in functions with `refract function`.",
    )
}

/// An error as a client of AWS Lambda reads it, JSON.
pub(super) fn error(error: &ApiError) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = error.status;
    let kind = if error.status.is_server_error() { "Service" } else { "User" };
    let body = json!({ "Type": kind, "Message": error.message, "Code": error.code });
    *answer.body_mut() = Body::from(body.to_string());
    if let Ok(code) = HeaderValue::from_str(&error.code) {
        answer.headers_mut().insert(HeaderName::from_static("x-amzn-errortype"), code);
    }
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
