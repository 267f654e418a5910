//! Planes that are known and not there yet: a verified caller reads 501 in the plane's own wire form.

use axum::body::Body;
use http::{HeaderValue, Response, header};

use crate::error::ApiError;
use crate::xml::Xml;

/// 501.
pub(super) fn not_yet() -> ApiError {
    ApiError::not_implemented(
        "The IAM and STS APIs are not implemented yet. Make access keys with `refract key`.",
    )
}

/// An error as a client of IAM or STS reads it: wrapped XML.
pub(super) fn error(error: &ApiError, request_id: &str) -> Response<Body> {
    let mut xml = Xml::default();
    xml.element("ErrorResponse", |xml| {
        xml.element("Error", |xml| {
            xml.text("Type", "Sender").text("Code", &error.code).text("Message", &error.message);
        });
        xml.text("RequestId", request_id);
    });
    let mut answer = Response::new(Body::from(xml.into_string()));
    *answer.status_mut() = error.status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    answer
}
