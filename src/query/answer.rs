//! Answers and errors of the query protocol in their wire form. The one place where they are rendered.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use jiff::Timestamp;

use crate::error::ApiError;
use crate::xml::Xml;

/// 200 with what an operation answers. An empty result is sent too, for some clients look for it.
#[must_use]
pub fn document(namespace: &str, action: &str, result: Xml, request_id: &str) -> Response<Body> {
    let result = result.into_string();
    let mut xml = Xml::default();
    xml.root(&format!("{action}Response"), namespace, |xml| {
        xml.element(&format!("{action}Result"), |xml| xml.fragment_in(&result));
        xml.element("ResponseMetadata", |xml| {
            xml.text("RequestId", request_id);
        });
    });
    with_body(StatusCode::OK, xml)
}

/// An error. What the verifier says in the words of S3 is said in those of this protocol.
#[must_use]
pub fn error(error: &ApiError, request_id: &str) -> Response<Body> {
    let (status, code, message) = match &*error.code {
        "InvalidAccessKeyId" | "InvalidToken" => (
            StatusCode::FORBIDDEN,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        "ExpiredToken" => {
            (StatusCode::FORBIDDEN, "ExpiredToken", "The security token included in the request is expired")
        }
        "AuthorizationHeaderMalformed" | "AuthorizationQueryParametersError" => {
            (StatusCode::BAD_REQUEST, "IncompleteSignature", &*error.message)
        }
        code => (error.status, code, &*error.message),
    };
    let side = if status.is_server_error() { "Receiver" } else { "Sender" };
    let mut xml = Xml::default();
    xml.element("ErrorResponse", |xml| {
        xml.element("Error", |xml| {
            xml.text("Type", side).text("Code", code).text("Message", message);
        });
        xml.text("RequestId", request_id);
    });
    with_body(status, xml)
}

/// A time as the protocol writes it.
#[must_use]
pub fn date(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn with_body(status: StatusCode, xml: Xml) -> Response<Body> {
    let mut answer = Response::new(Body::from(xml.into_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    answer
}
