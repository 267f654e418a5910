//! WriteGetObjectResponse: what a function answers, from the headers of its request (API reference,
//! "WriteGetObjectResponse").

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::error::ApiError;

/// Statuses that a function may answer with.
const STATUSES: [u16; 14] = [200, 206, 304, 400, 401, 403, 404, 405, 409, 411, 412, 416, 500, 503];
/// How the names of headers begin that become those of the answer.
const FORWARDED: &str = "x-amz-fwd-header-";
/// Headers that may be forwarded.
const HEADERS: [&str; 38] = [
    "accept-ranges",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-range",
    "content-type",
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-checksum-sha512",
    "x-amz-checksum-md5",
    "x-amz-checksum-xxhash64",
    "x-amz-checksum-xxhash3",
    "x-amz-checksum-xxhash128",
    "x-amz-delete-marker",
    "etag",
    "expires",
    "x-amz-expiration",
    "last-modified",
    "x-amz-missing-meta",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-legal-hold",
    "x-amz-object-lock-retain-until-date",
    "x-amz-mp-parts-count",
    "x-amz-replication-status",
    "x-amz-request-charged",
    "x-amz-restore",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-key-md5",
    "x-amz-storage-class",
    "x-amz-tagging-count",
    "x-amz-version-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
];

/// The head of an answer.
#[derive(Debug)]
pub struct Head {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The error that is answered instead of a body.
    pub error: Option<ApiError>,
}

/// 400 ValidationError, which the function reads.
#[must_use]
pub fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "ValidationError", message.into())
}

/// The token of a request.
///
/// # Errors
/// 400 ValidationError.
pub fn token(headers: &HeaderMap) -> Result<&str, ApiError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let token = text("x-amz-request-token").filter(|token| !token.is_empty());
    match (text("x-amz-request-route"), token) {
        (Some(_), Some(token)) => Ok(token),
        (None, _) => Err(invalid("x-amz-request-route is missing")),
        (_, None) => Err(invalid("x-amz-request-token is missing")),
    }
}

/// What the function answers.
///
/// # Errors
/// 400 ValidationError that names the header.
pub fn head(sent: &HeaderMap) -> Result<Head, ApiError> {
    let text = |name: &str| sent.get(name).map(HeaderValue::to_str).transpose();
    let readable = |name: &str| text(name).map_err(|_| invalid(format!("{name} is not ASCII text")));
    let status = match readable("x-amz-fwd-status")? {
        None => StatusCode::OK,
        Some(text) => text
            .parse::<u16>()
            .ok()
            .filter(|status| STATUSES.contains(status))
            .and_then(|status| StatusCode::from_u16(status).ok())
            .ok_or_else(|| {
                let all: Vec<String> = STATUSES.iter().map(u16::to_string).collect();
                invalid(format!("StatusCode {text:?} must be one of {}", all.join(", ")))
            })?,
    };
    let mut headers = HeaderMap::new();
    let mut checksums = 0;
    for (name, value) in sent {
        let name = name.as_str();
        if name.starts_with("x-amz-meta-") {
            headers.append(header_name(name)?, value.clone());
        } else if let Some(inner) = name.strip_prefix(FORWARDED) {
            if !HEADERS.contains(&inner) {
                return Err(invalid(format!("{name} is not a header that can be forwarded")));
            }
            checksums += usize::from(inner.starts_with("x-amz-checksum-"));
            headers.insert(header_name(inner)?, value.clone());
        }
    }
    if checksums > 1 {
        return Err(invalid("Only one checksum can be specified at a time"));
    }
    let error = error(status, readable("x-amz-fwd-error-code")?, readable("x-amz-fwd-error-message")?, sent)?;
    if let Some(length) = sent.get(header::CONTENT_LENGTH)
        && error.is_none()
        && status != StatusCode::NOT_MODIFIED
    {
        headers.insert(header::CONTENT_LENGTH, length.clone());
    }
    Ok(Head { status, headers, error })
}

fn header_name(name: &str) -> Result<HeaderName, ApiError> {
    HeaderName::try_from(name).map_err(|_| invalid(format!("{name} is not the name of a header")))
}

/// The error document to answer, where there is one.
fn error(
    status: StatusCode,
    code: Option<&str>,
    message: Option<&str>,
    sent: &HeaderMap,
) -> Result<Option<ApiError>, ApiError> {
    if let Some(code) = code {
        let mut letters = code.bytes();
        let named = letters.next().is_some_and(|b| b.is_ascii_uppercase())
            && code.len() > 1
            && letters.all(|b| b.is_ascii_alphabetic());
        if !named {
            return Err(invalid(format!("ErrorCode {code:?} must match ^[A-Z][a-zA-Z]+$")));
        }
        if !status.is_client_error() && !status.is_server_error() {
            return Err(invalid("ErrorCode cannot be used with a successful StatusCode"));
        }
    }
    if !status.is_client_error() && !status.is_server_error() {
        return Ok(None);
    }
    let has_body = sent.contains_key(header::TRANSFER_ENCODING)
        || sent.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
    if code.is_none() && message.is_none() && has_body {
        return Ok(None);
    }
    // Functions in the wild send a message and no code.
    let code = code.unwrap_or(match status.as_u16() {
        401 | 403 => "AccessDenied",
        404 => "NoSuchKey",
        405 => "MethodNotAllowed",
        409 => "OperationAborted",
        411 => "MissingContentLength",
        412 => "PreconditionFailed",
        416 => "InvalidRange",
        500 => "InternalError",
        503 => "SlowDown",
        _ => "InvalidRequest",
    });
    let message = message.unwrap_or_else(|| status.canonical_reason().unwrap_or_default());
    Ok(Some(ApiError::new(status, code.to_owned(), message.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(fields: &[(&str, &str)]) -> HeaderMap {
        let pairs = fields.iter().map(|(name, value)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap())
        });
        pairs.collect()
    }

    #[test]
    fn headers_are_forwarded() {
        let head = head(&map(&[
            ("x-amz-fwd-status", "206"),
            ("x-amz-fwd-header-Content-Type", "text/plain"),
            ("x-amz-fwd-header-ETag", "\"e\""),
            ("x-amz-meta-a", "b"),
            ("content-length", "3"),
            ("user-agent", "x"),
        ]))
        .unwrap();
        assert_eq!(head.status, 206);
        let shown: Vec<String> =
            head.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        let mut shown = shown;
        shown.sort();
        assert_eq!(
            shown,
            ["content-length: 3", "content-type: text/plain", "etag: \"e\"", "x-amz-meta-a: b"]
        );
    }

    #[test]
    fn errors_have_a_code_even_where_the_function_gave_none() {
        let code = |fields: &[(&str, &str)]| {
            head(&map(fields)).map(|head| head.error.map(|error| error.code.into_owned()))
        };
        assert_eq!(
            code(&[("x-amz-fwd-status", "404"), ("x-amz-fwd-error-message", "gone")]).unwrap().as_deref(),
            Some("NoSuchKey")
        );
        assert_eq!(
            code(&[("x-amz-fwd-status", "403"), ("x-amz-fwd-error-code", "NotToday")]).unwrap().as_deref(),
            Some("NotToday")
        );
        assert_eq!(code(&[("x-amz-fwd-status", "500"), ("content-length", "9")]).unwrap(), None);
        assert_eq!(code(&[("x-amz-fwd-error-message", "ignored")]).unwrap(), None);
    }

    #[test]
    fn what_is_not_valid_is_refused() {
        for fields in [
            vec![("x-amz-fwd-status", "418")],
            vec![("x-amz-fwd-status", "x")],
            vec![("x-amz-fwd-error-code", "Fine")],
            vec![("x-amz-fwd-status", "400"), ("x-amz-fwd-error-code", "not good")],
            vec![("x-amz-fwd-header-set-cookie", "x")],
            vec![
                ("x-amz-fwd-header-x-amz-checksum-sha1", "x"),
                ("x-amz-fwd-header-x-amz-checksum-crc32", "x"),
            ],
        ] {
            assert_eq!(head(&map(&fields)).unwrap_err().code, "ValidationError", "{fields:?}");
        }
        assert_eq!(token(&map(&[("x-amz-request-route", "olap")])).unwrap_err().code, "ValidationError");
    }
}
