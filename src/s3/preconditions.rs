//! If-Match and its relatives (RFC 9110 section 13), in the order that S3 documents for GetObject.

use http::{HeaderMap, HeaderName, StatusCode, header};
use jiff::Timestamp;

use crate::error::ApiError;
use crate::store::ObjectInfo;

/// The four conditions of a read, as the request states them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ReadConditions {
    if_match: Option<String>,
    if_none_match: Option<String>,
    if_modified_since: Option<Timestamp>,
    if_unmodified_since: Option<Timestamp>,
}

/// What the conditions of a read decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Answer the object.
    Proceed,
    /// 304 Not Modified, with the object's validators and no body.
    NotModified,
    /// 412 Precondition Failed.
    Failed,
}

impl ReadConditions {
    /// Reads the conditions of a GET or HEAD.
    pub(crate) fn of_read(headers: &HeaderMap) -> Self {
        Self::from_names(
            headers,
            [
                &header::IF_MATCH,
                &header::IF_NONE_MATCH,
                &header::IF_MODIFIED_SINCE,
                &header::IF_UNMODIFIED_SINCE,
            ],
        )
    }

    /// Reads the `x-amz-copy-source-if-…` conditions of a copy.
    pub(crate) fn of_copy_source(headers: &HeaderMap) -> Self {
        Self::from_names(
            headers,
            [
                &HeaderName::from_static("x-amz-copy-source-if-match"),
                &HeaderName::from_static("x-amz-copy-source-if-none-match"),
                &HeaderName::from_static("x-amz-copy-source-if-modified-since"),
                &HeaderName::from_static("x-amz-copy-source-if-unmodified-since"),
            ],
        )
    }

    fn from_names(headers: &HeaderMap, names: [&HeaderName; 4]) -> Self {
        let [matches, none, since, unmodified] = names;
        let text = |name: &HeaderName| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        // An unreadable date is ignored, as RFC 9110 section 13.1.3 says.
        let date = |name: &HeaderName| text(name).and_then(|t| parse_date(&t));
        Self {
            if_match: text(matches),
            if_none_match: text(none),
            if_modified_since: date(since),
            if_unmodified_since: date(unmodified),
        }
    }

    /// Decides for an object: If-Match outweighs If-Unmodified-Since, If-None-Match outweighs If-Modified-Since.
    pub(crate) fn decide(&self, info: &ObjectInfo) -> Verdict {
        let modified = info.last_modified.as_second();
        match (&self.if_match, self.if_unmodified_since) {
            (Some(tags), _) if !etag_listed(tags, &info.etag) => return Verdict::Failed,
            (None, Some(since)) if modified > since.as_second() => return Verdict::Failed,
            _ => {}
        }
        match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) if etag_listed(tags, &info.etag) => Verdict::NotModified,
            (None, Some(since)) if modified <= since.as_second() => Verdict::NotModified,
            _ => Verdict::Proceed,
        }
    }

    /// As [`decide`](Self::decide), for a copy's source: what is not modified is a failure there.
    pub(crate) fn require(&self, info: &ObjectInfo) -> Result<(), ApiError> {
        match self.decide(info) {
            Verdict::Proceed => Ok(()),
            Verdict::NotModified | Verdict::Failed => Err(precondition_failed()),
        }
    }
}

/// Holds the conditions of a rename, on what it replaces or on what it renames, against what is there. A date that
/// nothing has is one that it was not changed since.
///
/// # Errors
/// 412 PreconditionFailed, which names the condition.
pub(crate) fn require_of_rename(
    headers: &HeaderMap,
    source: bool,
    present: Option<&ObjectInfo>,
) -> Result<(), ApiError> {
    const NAMES: [&str; 4] = ["If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"];
    let prefix = if source { "x-amz-rename-source-" } else { "" };
    let texts = NAMES.map(|name| {
        let name = format!("{prefix}{}", name.to_ascii_lowercase());
        headers.get(name).and_then(|value| value.to_str().ok())
    });
    let [matches, none, modified, unmodified] = texts;
    let listed = |tags: &str| present.is_some_and(|info| etag_listed(tags, &info.etag));
    let later =
        |time: Timestamp| present.is_some_and(|info| info.last_modified.as_second() > time.as_second());
    let failed = [
        matches.is_some_and(|tags| !listed(tags)),
        none.is_some_and(listed),
        none.is_none() && modified.and_then(parse_date).is_some_and(|time| !later(time)),
        matches.is_none() && unmodified.and_then(parse_date).is_some_and(later),
    ];
    match NAMES.into_iter().zip(failed).find(|(_, failed)| *failed) {
        None => Ok(()),
        Some((name, _)) => Err(precondition_failed().with_detail("Condition", name)),
    }
}

/// 412 PreconditionFailed.
pub(crate) fn precondition_failed() -> ApiError {
    ApiError::new(
        StatusCode::PRECONDITION_FAILED,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
}

/// Whether `*` or the ETag stands in a list of entity tags; quotes and `W/` do not matter.
fn etag_listed(list: &str, etag: &str) -> bool {
    list.split(',').map(str::trim).any(|tag| tag == "*" || bare_etag(tag) == etag)
}

/// An entity tag without quotes and weakness mark.
pub(crate) fn bare_etag(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"')
}

/// An HTTP date.
pub(crate) fn parse_date(text: &str) -> Option<Timestamp> {
    let time = httpdate::parse_http_date(text).ok()?;
    Timestamp::try_from(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> ObjectInfo {
        ObjectInfo {
            size: 1,
            etag: "abc".into(),
            last_modified: "2026-01-02T03:04:05.678Z".parse().unwrap(),
            headers: Default::default(),
            metadata: Default::default(),
            tags: Default::default(),
            checksum: None,
            parts: None,
            version: None,
            lock: Default::default(),
            owner: None,
            acl: None,
            encryption: None,
            renamed: None,
        }
    }

    fn verdict(pairs: &[(HeaderName, &str)]) -> Verdict {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(name.clone(), value.parse().unwrap());
        }
        ReadConditions::of_read(&headers).decide(&info())
    }

    const SAME: &str = "Fri, 02 Jan 2026 03:04:05 GMT";
    const BEFORE: &str = "Fri, 02 Jan 2026 03:04:04 GMT";

    #[test]
    fn conditions_decide_as_documented() {
        use header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
        assert_eq!(verdict(&[]), Verdict::Proceed);
        assert_eq!(verdict(&[(IF_MATCH, "\"abc\"")]), Verdict::Proceed);
        assert_eq!(verdict(&[(IF_MATCH, "\"x\", \"abc\"")]), Verdict::Proceed);
        assert_eq!(verdict(&[(IF_MATCH, "\"x\"")]), Verdict::Failed);
        assert_eq!(verdict(&[(IF_MATCH, "*")]), Verdict::Proceed);
        assert_eq!(verdict(&[(IF_NONE_MATCH, "abc")]), Verdict::NotModified);
        assert_eq!(verdict(&[(IF_NONE_MATCH, "W/\"abc\"")]), Verdict::NotModified);
        assert_eq!(verdict(&[(IF_NONE_MATCH, "\"x\"")]), Verdict::Proceed);
        assert_eq!(verdict(&[(IF_MODIFIED_SINCE, SAME)]), Verdict::NotModified);
        assert_eq!(verdict(&[(IF_MODIFIED_SINCE, BEFORE)]), Verdict::Proceed);
        assert_eq!(verdict(&[(IF_UNMODIFIED_SINCE, SAME)]), Verdict::Proceed);
        assert_eq!(verdict(&[(IF_UNMODIFIED_SINCE, BEFORE)]), Verdict::Failed);
        assert_eq!(verdict(&[(IF_MATCH, "\"abc\""), (IF_UNMODIFIED_SINCE, BEFORE)]), Verdict::Proceed);
        assert_eq!(verdict(&[(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, SAME)]), Verdict::Proceed);
        assert_eq!(verdict(&[(IF_MODIFIED_SINCE, "no date")]), Verdict::Proceed);
    }
}
