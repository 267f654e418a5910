//! System headers, user metadata and tags: from a request into the store, and back into a response.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use crate::error::ApiError;
use crate::headers::{AMZ_STORAGE_CLASS, AMZ_WEBSITE_REDIRECT_LOCATION};
use crate::store::{ObjectHeaders, ObjectInfo, Tags};

use super::checksum;

/// Bytes of all user metadata names and values together (S3 user guide, "Working with object metadata").
const MAX_METADATA: usize = 2048;
const META_PREFIX: &str = "x-amz-meta-";

/// The system headers of an upload.
pub(crate) fn system(headers: &HeaderMap) -> ObjectHeaders {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    ObjectHeaders {
        content_type: text("content-type"),
        content_encoding: text("content-encoding").and_then(|value| without_aws_chunked(&value)),
        content_disposition: text("content-disposition"),
        content_language: text("content-language"),
        cache_control: text("cache-control"),
        expires: text("expires"),
        website_redirect: text("x-amz-website-redirect-location"),
        storage_class: text("x-amz-storage-class").filter(|class| class != "STANDARD"),
    }
}

/// `aws-chunked` is the transfer's own coding, not the object's.
fn without_aws_chunked(value: &str) -> Option<String> {
    let kept: Vec<&str> = value
        .split(',')
        .map(str::trim)
        .filter(|c| !c.is_empty() && !c.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    (!kept.is_empty()).then(|| kept.join(", "))
}

/// The user metadata of an upload.
///
/// # Errors
/// 400 MetadataTooLarge above 2 KB; 400 InvalidArgument for a value that is not text.
pub(crate) fn metadata(headers: &HeaderMap) -> Result<BTreeMap<String, String>, ApiError> {
    let mut metadata = BTreeMap::<String, String>::new();
    for (name, value) in headers {
        let Some(name) = name.as_str().strip_prefix(META_PREFIX) else { continue };
        let value = std::str::from_utf8(value.as_bytes()).map_err(|_| {
            ApiError::invalid_argument(format!("The value of {META_PREFIX}{name} is not valid UTF-8"))
        })?;
        metadata
            .entry(name.to_owned())
            .and_modify(|old| {
                old.push(',');
                old.push_str(value);
            })
            .or_insert_with(|| value.to_owned());
    }
    let size: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > MAX_METADATA {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
        )
        .with_detail("Size", size.to_string())
        .with_detail("MaxSizeAllowed", MAX_METADATA.to_string()));
    }
    Ok(metadata)
}

/// Tags from the `x-amz-tagging` header: `k1=v1&k2=v2`, percent-encoded.
pub(crate) fn tagging(headers: &HeaderMap) -> Result<Tags, ApiError> {
    let Some(value) = headers.get("x-amz-tagging") else { return Ok(Tags::new()) };
    let malformed = || {
        ApiError::invalid_argument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
        )
    };
    let text = value.to_str().map_err(|_| malformed())?;
    let decode = |part: &str| {
        percent_decode_str(&part.replace('+', " "))
            .decode_utf8()
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| malformed())
    };
    let mut pairs = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        pairs.push((decode(key)?, decode(value)?));
    }
    check_tags(pairs)
}

/// Checks a set of object tags: at most 10, keys of 1 to 128 and values of up to 256 characters, no key twice.
pub(crate) fn check_tags(pairs: Vec<(String, String)>) -> Result<Tags, ApiError> {
    check_tag_set(pairs, 10, "Object tags cannot be greater than 10")
}

/// As [`check_tags`], for at most so many tags.
pub(super) fn check_tag_set(
    pairs: Vec<(String, String)>,
    most: usize,
    too_many: &'static str,
) -> Result<Tags, ApiError> {
    let invalid = |message: &'static str| ApiError::new(StatusCode::BAD_REQUEST, "InvalidTag", message);
    if pairs.len() > most {
        return Err(invalid(too_many));
    }
    let mut tags = Tags::new();
    for (key, value) in pairs {
        if key.is_empty() || key.chars().count() > 128 {
            return Err(invalid("The TagKey you have provided is invalid: it must have 1 to 128 characters"));
        }
        if value.chars().count() > 256 {
            return Err(invalid(
                "The TagValue you have provided is invalid: it must have at most 256 characters",
            ));
        }
        if tags.insert(key, value).is_some() {
            return Err(invalid("Cannot provide multiple Tags with the same key"));
        }
    }
    Ok(tags)
}

/// Puts an object's head into a response: everything but its length and range.
pub(crate) fn describe(info: &ObjectInfo, checksum_mode: bool, out: &mut HeaderMap) {
    out.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let mut set = |name: HeaderName, value: &str| {
        // A value was a header value when it came in; a byte above 0x7F is kept as it is.
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            out.insert(name, value);
        }
    };
    set(header::ETAG, &["\"", &info.etag, "\""].concat());
    set(header::LAST_MODIFIED, &http_date(info.last_modified));
    let stored = &info.headers;
    set(header::CONTENT_TYPE, stored.content_type.as_deref().unwrap_or("binary/octet-stream"));
    for (name, value) in [
        (header::CONTENT_ENCODING, &stored.content_encoding),
        (header::CONTENT_DISPOSITION, &stored.content_disposition),
        (header::CONTENT_LANGUAGE, &stored.content_language),
        (header::CACHE_CONTROL, &stored.cache_control),
        (header::EXPIRES, &stored.expires),
        (AMZ_WEBSITE_REDIRECT_LOCATION, &stored.website_redirect),
        (AMZ_STORAGE_CLASS, &stored.storage_class),
    ] {
        if let Some(value) = value {
            set(name, value);
        }
    }
    for (name, value) in &info.metadata {
        if let Ok(name) = HeaderName::try_from(format!("{META_PREFIX}{name}")) {
            set(name, value);
        }
    }
    super::lock::describe(&info.lock, out);
    super::encryption::describe(info.encryption.as_ref(), out);
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            out.insert(name, value);
        }
    };
    if !info.tags.is_empty() {
        set(HeaderName::from_static("x-amz-tagging-count"), &info.tags.len().to_string());
    }
    if checksum_mode && let Some(sum) = &info.checksum {
        set(HeaderName::from_static(checksum::header_of(sum.algorithm)), &sum.value);
        set(HeaderName::from_static("x-amz-checksum-type"), type_name(sum.kind));
    }
}

/// The API's name of a checksum type.
pub(crate) fn type_name(kind: crate::store::ChecksumType) -> &'static str {
    match kind {
        crate::store::ChecksumType::FullObject => "FULL_OBJECT",
        crate::store::ChecksumType::Composite => "COMPOSITE",
    }
}

/// A time in HTTP's form.
pub(crate) fn http_date(time: Timestamp) -> String {
    httpdate::fmt_http_date(crate::clock::system_time(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_bytes(v.as_bytes()).unwrap()))
            .collect()
    }

    #[test]
    fn aws_chunked_is_not_the_objects_encoding() {
        let encoding = |v: &str| system(&headers(&[("content-encoding", v)])).content_encoding;
        assert_eq!(encoding("aws-chunked"), None);
        assert_eq!(encoding("gzip, aws-chunked"), Some("gzip".into()));
        assert_eq!(encoding("gzip"), Some("gzip".into()));
    }

    #[test]
    fn metadata_is_kept_and_capped() {
        let map = metadata(&headers(&[("x-amz-meta-a", "1"), ("x-amz-meta-b", "é"), ("content-type", "x")]))
            .unwrap();
        assert_eq!(map.into_iter().collect::<Vec<_>>(), [("a".into(), "1".into()), ("b".into(), "é".into())]);
        let long = "x".repeat(2048);
        assert_eq!(metadata(&headers(&[("x-amz-meta-a", &long)])).unwrap_err().code, "MetadataTooLarge");
    }

    #[test]
    fn tags_are_decoded_and_limited() {
        let tags = tagging(&headers(&[("x-amz-tagging", "a=1&b%20c=%C3%A9+x&d")])).unwrap();
        assert_eq!(
            tags.into_iter().collect::<Vec<_>>(),
            [("a".into(), "1".into()), ("b c".into(), "é x".into()), ("d".into(), String::new())]
        );
        assert!(tagging(&headers(&[("x-amz-tagging", "a=1&a=2")])).is_err());
        assert!(check_tags((0..11).map(|n| (n.to_string(), String::new())).collect()).is_err());
    }
}
