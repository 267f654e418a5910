//! The query parameters of authentication: finding them, and taking them out once they were checked.

use http::request::Parts;
use http::{Uri, header};

use super::canonical::{decode, query};
use crate::error::ApiError;
use crate::headers::{AMZ_CONTENT_SHA256, AMZ_DATE, AMZ_SECURITY_TOKEN};

const V4: [&str; 8] = [
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signedheaders",
    "x-amz-signature",
    "x-amz-security-token",
    "x-amz-content-sha256",
];

/// Whether the query holds SigV4 authentication, in whatever case: a misspelt one must not pass as anonymous.
pub(super) fn has_v4(raw: &str) -> bool {
    has(raw, &["x-amz-algorithm", "x-amz-credential", "x-amz-signature"])
}

/// Whether the query holds SigV2 authentication.
pub(super) fn has_v2(raw: &str) -> bool {
    has(raw, &["awsaccesskeyid", "signature"])
}

fn has(raw: &str, names: &[&str]) -> bool {
    query(raw).any(|(_, name, _)| names.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())))
}

/// The value of a parameter that may be there once, in whatever case its name is.
pub(super) fn parameter(raw: &str, wanted: &str) -> Result<Option<String>, ApiError> {
    let mut found = None;
    for (_, name, value) in query(raw) {
        if !name.eq_ignore_ascii_case(wanted.as_bytes()) {
            continue;
        }
        if found.is_some() {
            return Err(ApiError::invalid_argument(format!("{wanted} was sent more than once.")));
        }
        let text = String::from_utf8(decode(value).into_owned())
            .map_err(|_| ApiError::invalid_argument(format!("{wanted} is not UTF-8.")))?;
        found = Some(text);
    }
    Ok(found)
}

/// Takes the authentication out of a request that was checked, and leaves other query parameters as they were
/// encoded. Call it after [`body`](super::body()), which reads some of these headers.
pub fn strip(parts: &mut Parts) {
    for name in [header::AUTHORIZATION, AMZ_DATE, AMZ_SECURITY_TOKEN, AMZ_CONTENT_SHA256] {
        parts.headers.remove(name);
    }
    let Some(raw) = parts.uri.query() else { return };
    let v2 = has_v2(raw);
    let kept: Vec<&str> = query(raw)
        .filter(|(_, name, _)| {
            let is = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
            !(V4.iter().any(is) || v2 && ["awsaccesskeyid", "signature", "expires"].iter().any(is))
        })
        .map(|(pair, _, _)| pair)
        .collect();
    let path = parts.uri.path();
    let target = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    let mut uri = parts.uri.clone().into_parts();
    // What is left of a valid target is valid; were it not, the request stays as it was.
    if let Ok(target) = target.parse() {
        uri.path_and_query = Some(target);
        if let Ok(uri) = Uri::from_parts(uri) {
            parts.uri = uri;
        }
    }
}
