//! The query parameters of authentication: finding them, and taking them out once they were checked.

use std::borrow::Cow;

use http::request::Parts;
use http::{Uri, header};

use super::canonical::{decode, query};
use crate::error::ApiError;
use crate::headers::{AMZ_CONTENT_SHA256, AMZ_DATE, AMZ_SECURITY_TOKEN};

/// The parameters of SigV4, which may be there in whatever case, each once.
const V4: [&str; 8] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-Date",
    "X-Amz-SignedHeaders",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Content-Sha256",
];
/// Those of SigV2.
const V2: [&str; 3] = ["AWSAccessKeyId", "Signature", "Expires"];

/// Whether the query holds authentication by SigV4 and by SigV2, in whatever case: a misspelt one must not pass as
/// anonymous.
pub(super) fn mechanisms(raw: &str) -> (bool, bool) {
    let (mut v4, mut v2) = (false, false);
    for (_, name, _) in query(raw) {
        let is = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
        v4 |= V4.iter().take(3).any(is);
        v2 |= V2.iter().take(2).any(is);
    }
    (v4, v2)
}

/// The decoded value of a parameter.
fn text<'r>(value: &'r str, of: &str) -> Result<Cow<'r, str>, ApiError> {
    let text = match decode(value) {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    };
    text.ok_or_else(|| ApiError::invalid_argument(format!("{of} is not UTF-8.")))
}

fn sent_twice(name: &str) -> ApiError {
    ApiError::invalid_argument(format!("{name} was sent more than once."))
}

/// The value of a parameter that may be there once, in whatever case its name is.
pub(super) fn parameter(raw: &str, wanted: &str) -> Result<Option<String>, ApiError> {
    let mut found = None;
    for (_, name, value) in query(raw) {
        if name.eq_ignore_ascii_case(wanted.as_bytes()) && found.replace(text(value, wanted)?).is_some() {
            return Err(sent_twice(wanted));
        }
    }
    Ok(found.map(Cow::into_owned))
}

/// The parameters of SigV4 in a query.
pub(super) struct Presigned<'r> {
    /// Algorithm, credential, signature, date, signed headers and seconds; `None` where one of them is missing.
    pub(super) required: Option<[Cow<'r, str>; 6]>,
    pub(super) token: Option<Cow<'r, str>>,
    /// What it says of the body.
    pub(super) payload: Option<Cow<'r, str>>,
}

impl<'r> Presigned<'r> {
    /// Reads them.
    ///
    /// # Errors
    /// 400 InvalidArgument for one that is there twice, or is no UTF-8.
    pub(super) fn read(raw: &'r str) -> Result<Self, ApiError> {
        let mut found = [const { None }; V4.len()];
        for (_, name, value) in query(raw) {
            let known =
                V4.iter().zip(&mut found).find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
            if let Some((known, slot)) = known
                && slot.replace(text(value, known)?).is_some()
            {
                return Err(sent_twice(known));
            }
        }
        let [algorithm, credential, signature, date, signed, expires, token, payload] = found;
        let required = || Some([algorithm?, credential?, signature?, date?, signed?, expires?]);
        Ok(Self { required: required(), token, payload })
    }
}

/// Takes the authentication out of a request that was checked, and leaves other query parameters as they were
/// encoded. Call it after [`body`](super::body()), which reads some of these headers.
pub fn strip(parts: &mut Parts) {
    for name in [header::AUTHORIZATION, AMZ_DATE, AMZ_SECURITY_TOKEN, AMZ_CONTENT_SHA256] {
        parts.headers.remove(name);
    }
    let Some(raw) = parts.uri.query() else { return };
    let (_, v2) = mechanisms(raw);
    let kept: Vec<&str> = query(raw)
        .filter(|(_, name, _)| {
            let is = |known: &&str| name.eq_ignore_ascii_case(known.as_bytes());
            !(V4.iter().any(is) || v2 && V2.iter().any(is))
        })
        .map(|(pair, _, _)| pair)
        .collect();
    let kept = kept.join("&");
    if kept.len() == raw.len() && !raw.is_empty() {
        return;
    }
    let path = parts.uri.path();
    let target = if kept.is_empty() { path.to_owned() } else { [path, "?", &kept].concat() };
    let mut uri = parts.uri.clone().into_parts();
    // What is left of a valid target is valid; were it not, the request stays as it was.
    if let Ok(target) = target.parse() {
        uri.path_and_query = Some(target);
        if let Ok(uri) = Uri::from_parts(uri) {
            parts.uri = uri;
        }
    }
}
