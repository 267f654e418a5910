//! The page that stands for an error where a website has none of its own.

use axum::body::Body;
use http::{HeaderName, HeaderValue, Response, header};

use crate::error::ApiError;

/// Renders an error as AWS's website endpoints do. All that comes from the request is escaped.
pub(super) fn of(error: &ApiError, key: &str, request_id: &str) -> Response<Body> {
    let status = error.status;
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let mut items = vec![("Code", error.code.as_ref()), ("Message", error.message.as_ref())];
    if error.code == "NoSuchKey" {
        items.push(("Key", key));
    }
    items.extend(error.details.iter().map(|(name, value)| (*name, value.as_str())));
    items.extend([("RequestId", request_id), ("HostId", request_id)]);
    let items: String = items
        .into_iter()
        .map(|(name, value)| format!("<li>{name}: {}</li>\n", quick_xml::escape::escape(value)))
        .collect();
    let page = format!(
        "<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<ul>\n{items}</ul>\n<hr/>\n</body>\n</html>\n"
    );
    let mut answer = Response::new(Body::from(page));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.extend((*error.headers).clone());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    for (name, value) in [("x-amz-error-code", &error.code), ("x-amz-error-message", &error.message)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    answer
}
