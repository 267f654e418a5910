//! Planes that are known and not there yet: a verified caller reads 501 in the plane's own wire form.

use axum::body::Body;
use http::{HeaderName, HeaderValue, Response, header};
use serde_json::json;

use crate::error::ApiError;
use crate::xml::Xml;

use super::classify::Plane;

/// 501.
pub(super) fn not_yet(plane: Plane) -> ApiError {
    let hint = match plane {
        Plane::Lambda => {
            "The AWS Lambda API is not implemented yet. Register built-in functions with `refract function`."
        }
        _ => "The IAM and STS APIs are not implemented yet. Make access keys with `refract key`.",
    };
    ApiError::not_implemented(hint)
}

/// An error as a client of the plane reads it: JSON for Lambda, wrapped XML for IAM and STS.
pub(super) fn error(plane: Plane, error: &ApiError, request_id: &str) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = error.status;
    let content_type = if plane == Plane::Lambda {
        let kind = if error.status.is_server_error() { "Service" } else { "User" };
        let body = json!({ "Type": kind, "Message": error.message, "Code": error.code });
        *answer.body_mut() = Body::from(body.to_string());
        if let Ok(code) = HeaderValue::from_str(&error.code) {
            answer.headers_mut().insert(HeaderName::from_static("x-amzn-errortype"), code);
        }
        "application/json"
    } else {
        let mut xml = Xml::default();
        xml.element("ErrorResponse", |xml| {
            xml.element("Error", |xml| {
                xml.text("Type", "Sender").text("Code", &error.code).text("Message", &error.message);
            });
            xml.text("RequestId", request_id);
        });
        *answer.body_mut() = Body::from(xml.into_string());
        "text/xml"
    };
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
