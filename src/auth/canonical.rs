//! The canonical request of SigV4 ("Create a signed AWS API request", AWS General Reference).

use std::borrow::Cow;

use http::request::Parts;
use http::{HeaderMap, HeaderName};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode, utf8_percent_encode};

/// All but the unreserved characters of RFC 3986.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &STRICT.remove(b'/');

/// Whether a service's path is signed as it was sent, not encoded again and not normalised.
pub(super) fn is_s3(service: &str) -> bool {
    matches!(service, "s3" | "s3-object-lambda" | "s3express" | "s3-outposts")
}

/// Query parameters in the order they were sent: raw text, raw name and raw value.
fn pairs(raw: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (pair, name, value)
    })
}

/// Query parameters in the order they were sent: raw text, decoded name, and value to be [decoded](decode).
pub(super) fn query(raw: &str) -> impl Iterator<Item = (&str, Cow<'_, [u8]>, &str)> {
    pairs(raw).map(|(pair, name, value)| (pair, decode(name), value))
}

/// A name or a value of a query. `+` is a space, to the signature and to those who read the query later, so that a signed
/// `%2B` cannot be turned into one.
#[must_use]
pub fn decode(text: &str) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'%', b'+', text.as_bytes()).is_none() {
        return text.as_bytes().into();
    }
    if text.contains('+') {
        return percent_decode_str(&text.replace('+', " ")).collect::<Vec<u8>>().into();
    }
    percent_decode_str(text).into()
}

/// Paths the client may have signed: one for most services; for S3 the path as it was sent and, where that
/// differs, as AWS would spell it. Both decode to the same key.
pub(super) fn paths<'a>(raw: &'a str, service: &str) -> Vec<Cow<'a, str>> {
    let raw = if raw.is_empty() { "/" } else { raw };
    if is_s3(service) {
        let decoded: Cow<'_, [u8]> = percent_decode_str(raw).into();
        let spelled: Cow<'_, str> = percent_encode(&decoded, PATH).into();
        // An encoded slash is no separator: there, only what was sent counts.
        let same_slashes =
            raw.bytes().filter(|b| *b == b'/').count() == spelled.bytes().filter(|b| *b == b'/').count();
        if spelled == raw || !same_slashes {
            return vec![raw.into()];
        }
        return vec![raw.into(), spelled.into_owned().into()];
    }
    vec![utf8_percent_encode(&normalise(raw), PATH).to_string().into()]
}

/// Removes empty and dot segments.
fn normalise(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let directory = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    let tail = if directory && !kept.is_empty() { "/" } else { "" };
    format!("/{}{tail}", kept.join("/"))
}

/// A name or a value of the query, strictly encoded, however it was encoded before.
fn strictly(text: &str) -> Cow<'_, str> {
    match decode(text) {
        Cow::Borrowed(bytes) => percent_encode(bytes, STRICT).into(),
        Cow::Owned(bytes) => percent_encode(&bytes, STRICT).to_string().into(),
    }
}

/// Sorted, strictly encoded query without `X-Amz-Signature`.
pub(super) fn canonical_query(raw: &str) -> String {
    let spelled = pairs(raw).map(|(_, name, value)| (strictly(name), strictly(value)));
    let mut spelled: Vec<_> = spelled.filter(|(name, _)| name != "X-Amz-Signature").collect();
    spelled.sort();
    let mut text = String::with_capacity(raw.len());
    for (name, value) in &spelled {
        if !text.is_empty() {
            text.push('&');
        }
        text.extend([name, "=", value]);
    }
    text
}

/// A header's values, trimmed, runs of spaces made one, joined by commas. The host of HTTP/2 is its authority.
pub(super) fn header(parts: &Parts, name: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut any = false;
    for value in parts.headers.get_all(name) {
        if any {
            out.push(b',');
        }
        any = true;
        let mut space = false;
        for byte in value.as_bytes().trim_ascii() {
            if *byte != b' ' || !space {
                out.push(*byte);
            }
            space = *byte == b' ';
        }
    }
    if !any && name == "host" {
        return parts.uri.authority().map(|authority| authority.as_str().as_bytes().to_vec());
    }
    any.then_some(out)
}

/// The text of one header that may be there once.
pub(super) fn one<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a str>, crate::error::ApiError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(crate::error::ApiError::invalid_argument(format!("{name} was sent more than once.")));
    }
    value
        .to_str()
        .map(|text| Some(text.trim()))
        .map_err(|_| crate::error::ApiError::invalid_argument(format!("{name} is not ASCII text.")))
}

/// The canonical request; `None` when a signed header is not there.
pub(super) fn request(parts: &Parts, path: &str, signed: &[&str], payload: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(512);
    for line in [parts.method.as_str(), path, &canonical_query(parts.uri.query().unwrap_or(""))] {
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    for name in signed {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        out.extend_from_slice(&header(parts, name)?);
        out.push(b'\n');
    }
    out.push(b'\n');
    out.extend_from_slice(signed.join(";").as_bytes());
    out.push(b'\n');
    out.extend_from_slice(payload.as_bytes());
    Some(out)
}
