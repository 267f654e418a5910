//! Errors of the S3 Control plane in their wire form: an `<Error>` wrapped in `<ErrorResponse>`. The one place where
//! they are rendered.

use axum::body::Body;
use http::{HeaderValue, Method, Response, header};

use crate::error::ApiError;
use crate::xml::Xml;

/// Renders an error.
#[must_use]
pub fn response(error: &ApiError, method: &Method, request_id: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = error.status;
    response.headers_mut().extend((*error.headers).clone());
    if *method != Method::HEAD {
        let mut xml = Xml::default();
        xml.element("ErrorResponse", |xml| {
            xml.element("Error", |xml| {
                xml.text("Code", &error.code).text("Message", &error.message);
                for (name, value) in &error.details {
                    xml.text(name, value);
                }
            });
            xml.text("RequestId", request_id).text("HostId", request_id);
        });
        *response.body_mut() = Body::from(xml.into_string());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    }
    response
}
