//! The Range header and partNumber: which bytes of an object a GET or HEAD means (RFC 9110 section 14).

use std::ops::Range;

use http::{HeaderValue, StatusCode, header};

use crate::error::ApiError;

/// What part of an object was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: no Range, or one that S3 ignores (another unit, several ranges, bad syntax).
    All,
    /// `bytes=first-last` or `bytes=first-`.
    From(u64, Option<u64>),
    /// `bytes=-count`.
    Last(u64),
}

impl Wanted {
    /// Reads a Range header.
    pub(crate) fn parse(value: Option<&HeaderValue>) -> Self {
        value.and_then(|v| v.to_str().ok()).and_then(Self::parse_text).unwrap_or(Self::All)
    }

    fn parse_text(text: &str) -> Option<Self> {
        let (unit, set) = text.split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (first, last) = set.trim().split_once('-')?;
        let number = |t: &str| -> Option<u64> {
            // `parse` alone would take a plus sign.
            t.bytes().all(|b| b.is_ascii_digit()).then(|| t.parse().ok())?
        };
        match (first, last) {
            ("", count) => Some(Self::Last(number(count)?)),
            (first, "") => Some(Self::From(number(first)?, None)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::From(first, Some(last)))
            }
        }
    }

    /// The bytes meant, for an object of `size` bytes; `None` for all of it.
    ///
    /// # Errors
    /// 416 InvalidRange, with `Content-Range: bytes */size`, when no byte is meant.
    pub(crate) fn resolve(self, size: u64) -> Result<Option<Range<u64>>, ApiError> {
        match self {
            Self::All => Ok(None),
            Self::From(first, last) if first < size => {
                let end = last.map_or(size, |last| last.saturating_add(1).min(size));
                Ok(Some(first..end))
            }
            Self::Last(count) if count > 0 && size > 0 => Ok(Some(size.saturating_sub(count)..size)),
            Self::From(..) | Self::Last(_) => Err(unsatisfiable(size)),
        }
    }
}

/// 416 InvalidRange.
pub(crate) fn unsatisfiable(size: u64) -> ApiError {
    let mut error = ApiError::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "InvalidRange",
        "The requested range is not satisfiable",
    )
    .with_detail("ActualObjectSize", size.to_string());
    if let Ok(value) = HeaderValue::try_from(format!("bytes */{size}")) {
        error.headers.insert(header::CONTENT_RANGE, value);
    }
    error
}

/// The Content-Range of a 206.
pub(crate) fn content_range(range: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str, size: u64) -> Result<Option<Range<u64>>, StatusCode> {
        let value = HeaderValue::from_str(text).unwrap();
        Wanted::parse(Some(&value)).resolve(size).map_err(|e| e.status)
    }

    #[test]
    fn ranges_mean_what_http_says() {
        assert_eq!(resolve("bytes=0-4", 10), Ok(Some(0..5)));
        assert_eq!(resolve("bytes=4-", 10), Ok(Some(4..10)));
        assert_eq!(resolve("bytes=-3", 10), Ok(Some(7..10)));
        assert_eq!(resolve("bytes=-30", 10), Ok(Some(0..10)));
        assert_eq!(resolve("bytes=0-99999999999999", 10), Ok(Some(0..10)));
        assert_eq!(resolve("bytes=0-18446744073709551615", 10), Ok(Some(0..10)));
        assert_eq!(resolve("bytes=10-", 10), Err(StatusCode::RANGE_NOT_SATISFIABLE));
        assert_eq!(resolve("bytes=-0", 10), Err(StatusCode::RANGE_NOT_SATISFIABLE));
        assert_eq!(resolve("bytes=0-0", 0), Err(StatusCode::RANGE_NOT_SATISFIABLE));
    }

    #[test]
    fn what_s3_ignores_means_all() {
        for text in ["bytes=5-4", "bytes=0-1,3-4", "items=0-1", "bytes=a-b", "bytes=+1-2", "bytes", "bytes=-"]
        {
            assert_eq!(resolve(text, 10), Ok(None), "{text}");
        }
    }
}
