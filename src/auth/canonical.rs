//! The canonical request of SigV4 ("Create a signed AWS API request", AWS General Reference).

use std::borrow::Cow;

use http::request::Parts;
use http::{HeaderMap, HeaderName};
use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, percent_encode, utf8_percent_encode,
};

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
    let mut decoded = Vec::with_capacity(text.len());
    match text.contains('+') {
        true => decoded.extend(percent_decode_str(&text.replace('+', " "))),
        false => decoded.extend(percent_decode_str(text)),
    }
    decoded.into()
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

/// A text strictly encoded, as in a canonical query.
pub(super) fn strict(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, STRICT)
}

/// A name or a value of the query, strictly encoded, however it was encoded before.
fn strictly(text: &str) -> Cow<'_, str> {
    if is_strict(text.as_bytes()) {
        return text.into();
    }
    match decode(text) {
        Cow::Borrowed(bytes) => percent_encode(bytes, STRICT).into(),
        Cow::Owned(bytes) => percent_encode(&bytes, STRICT).to_string().into(),
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Whether a text is strictly encoded already, as most clients send it.
fn is_strict(text: &[u8]) -> bool {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return true,
            [b'%', high, low, after @ ..] => match digit(*high).zip(digit(*low)) {
                Some((high, low)) if !is_unreserved(high << 4 | low) => after,
                _ => return false,
            },
            [byte, after @ ..] if is_unreserved(*byte) => after,
            _ => return false,
        };
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

/// Writes a header's values, trimmed, runs of spaces made one, joined by commas. The host of HTTP/2 is its authority.
/// `None` where there is no such header.
pub(super) fn header(parts: &Parts, name: &str, out: &mut Vec<u8>) -> Option<()> {
    let mut any = false;
    for value in parts.headers.get_all(name) {
        if any {
            out.push(b',');
        }
        any = true;
        let mut rest = value.as_bytes().trim_ascii();
        while let Some((word, after)) =
            memchr::memchr(b' ', rest).and_then(|at| rest.split_at_checked(at + 1))
        {
            out.extend_from_slice(word);
            let spaces = after.iter().take_while(|byte| **byte == b' ').count();
            rest = after.get(spaces..).unwrap_or_default();
        }
        out.extend_from_slice(rest);
    }
    if !any && name == "host" {
        out.extend_from_slice(parts.uri.authority()?.as_str().as_bytes());
        return Some(());
    }
    any.then_some(())
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
        header(parts, name, &mut out)?;
        out.push(b'\n');
    }
    out.push(b'\n');
    out.extend_from_slice(signed.join(";").as_bytes());
    out.push(b'\n');
    out.extend_from_slice(payload.as_bytes());
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_strictly_encoded_stays_and_any_other_becomes_so() {
        for text in ["", "a-Z_0.~", "%2F%20%2B%C3%A9", "a%2Fb", "%00", "%7F"] {
            assert!(is_strict(text.as_bytes()), "{text}");
            assert_eq!(percent_encode(&decode(text), STRICT).to_string(), text);
        }
        for (text, strict) in [
            ("a/b", "a%2Fb"),
            ("a+b", "a%20b"),
            ("%2f", "%2F"),
            ("%41", "A"),
            ("%", "%25"),
            ("%2", "%252"),
            ("%GG", "%25GG"),
            ("é", "%C3%A9"),
        ] {
            assert!(!is_strict(text.as_bytes()), "{text}");
            assert_eq!(strictly(text), strict);
        }
    }
}
