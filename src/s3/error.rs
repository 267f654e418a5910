//! Errors of the S3 plane in their wire form: a bare `<Error>` document. The one place where they are rendered.

use axum::body::Body;
use http::{HeaderValue, Method, Response, StatusCode, header};

use crate::error::ApiError;
use crate::store::{BodyError, StoreError};
use crate::xml::Xml;

use super::preconditions::precondition_failed;

/// Renders an error; a HEAD gets the status and headers alone.
#[must_use]
pub fn response(error: &ApiError, method: &Method, resource: &str, request_id: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = error.status;
    response.headers_mut().extend((*error.headers).clone());
    let bodiless = *method == Method::HEAD || error.status == StatusCode::NOT_MODIFIED;
    if !bodiless {
        let mut xml = Xml::default();
        xml.element("Error", |xml| {
            xml.text("Code", &error.code).text("Message", &error.message);
            for (name, value) in &error.details {
                xml.text(name, value);
            }
            xml.text("Resource", resource).text("RequestId", request_id);
        });
        *response.body_mut() = Body::from(xml.into_string());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    }
    response
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let not_found = |code, message| Self::new(StatusCode::NOT_FOUND, code, message);
        match error {
            StoreError::NoSuchBucket => not_found("NoSuchBucket", "The specified bucket does not exist"),
            StoreError::NoSuchKey => not_found("NoSuchKey", "The specified key does not exist."),
            StoreError::NoSuchVersion => {
                not_found("NoSuchVersion", "The specified version does not exist.")
            }
            StoreError::DeleteMarker(marker, named) => super::version::is_marker(&marker, named),
            StoreError::Locked => Self::new(
                StatusCode::FORBIDDEN,
                "AccessDenied",
                "Access Denied because object protected by object lock.",
            ),
            StoreError::Refused(error) => *error,
            StoreError::NoSuchUpload => not_found(
                "NoSuchUpload",
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been \
                 aborted or completed.",
            ),
            StoreError::BucketExists => Self::new(
                StatusCode::CONFLICT,
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
            ),
            StoreError::BucketNotEmpty => {
                Self::new(StatusCode::CONFLICT, "BucketNotEmpty", "The bucket you tried to delete is not empty")
            }
            StoreError::InvalidPart(number) => Self::new(
                StatusCode::BAD_REQUEST,
                "InvalidPart",
                "One or more of the specified parts could not be found. The part may not have been uploaded, or the \
                 specified entity tag may not match the part's entity tag.",
            )
            .with_detail("PartNumber", number.to_string()),
            StoreError::QuotaExceeded => Self::new(
                StatusCode::FORBIDDEN,
                "QuotaExceeded",
                "The write would exceed the bucket's quota; nothing was changed",
            ),
            StoreError::PreconditionFailed => precondition_failed(),
            StoreError::Body(BodyError::Rejected(error)) => *error,
            StoreError::Body(BodyError::Disconnected(why)) => Self::new(
                StatusCode::BAD_REQUEST,
                "IncompleteBody",
                "You did not provide the number of bytes specified by the Content-Length HTTP header",
            )
            .with_internal(why),
            StoreError::Full => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "InsufficientStorage",
                "The server has no space left for this write; nothing was changed",
            ),
            StoreError::Poisoned(why) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "ServiceUnavailable",
                "The store stopped taking writes after a failed flush; the operator has to look at the disk",
            )
            .with_internal(why),
            StoreError::Body(BodyError::Read(why)) | StoreError::Corrupt(why) | StoreError::Engine(why) => {
                Self::internal(why)
            }
            StoreError::Io(error) => Self::internal(error.to_string()),
        }
    }
}

impl From<ApiError> for s3s::S3Error {
    fn from(error: ApiError) -> Self {
        let code = s3s::S3ErrorCode::from_bytes(error.code.as_bytes())
            .unwrap_or_else(|| s3s::S3ErrorCode::Custom(error.code.to_string().into()));
        let mut answer = Self::with_message(code, error.message.to_string());
        answer.set_status_code(error.status);
        answer.set_headers((*error.headers).clone());
        // The whole of it travels along, so that the plane renders it in one place.
        answer.set_source(Box::new(error));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_error_is_a_bare_document_and_a_head_has_none() {
        let error = ApiError::from(StoreError::NoSuchKey).with_detail("Key", "a<b\u{1}");
        let answer = response(&error, &Method::GET, "/b/a<b", "R1");
        assert_eq!(answer.status(), 404);
        let body = axum::body::to_bytes(answer.into_body(), 4096).await.unwrap();
        assert_eq!(
            String::from_utf8_lossy(&body),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does \
             not exist.</Message><Key>a&lt;b\u{FFFD}</Key><Resource>/b/a&lt;b</Resource><RequestId>R1</RequestId></Error>"
        );
        let answer = response(&error, &Method::HEAD, "/b/a", "R1");
        assert!(axum::body::to_bytes(answer.into_body(), 4096).await.unwrap().is_empty());
    }
}
