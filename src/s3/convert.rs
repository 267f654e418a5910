//! Between the store's types and s3s's.

use jiff::Timestamp;
use s3s::dto;

use crate::store::{Checksum, ChecksumAlgorithm, ChecksumType, WriteCondition};

use super::{checksum, headers, preconditions};

/// A time; s3s keeps nanoseconds and writes milliseconds.
pub(super) fn timestamp(time: Timestamp) -> dto::Timestamp {
    dto::Timestamp::from(crate::clock::system_time(time))
}

/// The moment that a document names.
pub(super) fn moment(time: &dto::Timestamp) -> Option<Timestamp> {
    let mut text = Vec::new();
    time.format(dto::TimestampFormat::DateTime, &mut text).ok()?;
    std::str::from_utf8(&text).ok()?.parse().ok()
}

/// A strong entity tag.
pub(super) fn etag(etag: &str) -> dto::ETag {
    dto::ETag::Strong(etag.to_owned())
}

/// The name of a checksum kind.
pub(super) fn algorithm(algorithm: ChecksumAlgorithm) -> dto::ChecksumAlgorithm {
    dto::ChecksumAlgorithm::from_static(checksum::name_of(algorithm))
}

/// The name of a checksum type.
pub(super) fn checksum_type(kind: ChecksumType) -> dto::ChecksumType {
    dto::ChecksumType::from_static(headers::type_name(kind))
}

/// A size, which never passes 5 TiB.
pub(super) fn size(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// The five fields that a checksum may fill: CRC32, CRC32C, CRC64NVME, SHA1, SHA256.
pub(super) fn five(algorithm: ChecksumAlgorithm, value: &str) -> [Option<String>; 5] {
    checksum::KINDS.map(|kind| (kind.0 == algorithm).then(|| value.to_owned()))
}

/// As [`five`], for a checksum that may be absent.
pub(super) fn five_of(sum: Option<&Checksum>) -> [Option<String>; 5] {
    sum.map_or_else(Default::default, |sum| five(sum.algorithm, &sum.value))
}

/// The condition of a write from If-Match and If-None-Match.
///
/// # Errors
/// 501 for both at once, as AWS answers. If-None-Match with an ETag, which AWS does not take, means what it says.
pub(super) fn write_condition(headers: &http::HeaderMap) -> Result<WriteCondition, crate::error::ApiError> {
    let text = |name| headers.get(name).and_then(|v: &http::HeaderValue| v.to_str().ok());
    match (text(http::header::IF_MATCH), text(http::header::IF_NONE_MATCH)) {
        (None, None) => Ok(WriteCondition::Always),
        (None, Some("*")) => Ok(WriteCondition::IfAbsent),
        (None, Some(tag)) => Ok(WriteCondition::IfNotMatch(preconditions::bare_etag(tag).to_owned())),
        (Some(tag), None) => Ok(WriteCondition::IfMatch(preconditions::bare_etag(tag).to_owned())),
        (Some(_), Some(_)) => Err(crate::error::ApiError::not_implemented(
            "A header you provided implies functionality that is not implemented: a write takes If-None-Match or \
             If-Match, not both",
        )),
    }
}
