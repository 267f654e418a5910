//! Lines of what lifecycle rules do: no request, caller or answer, but an operation, a key, a version and a size (S3
//! user guide, "Monitoring lifecycle rules", "Amazon S3 lifecycle and logging").

use std::sync::Arc;

use jiff::Timestamp;

use crate::store::Bucket;

use super::inbox::{Inbox, Line};
use super::record::Record;

/// Something that a rule did to a version or an upload.
#[derive(Debug, Clone)]
pub struct Acted {
    /// One of the names below, or [`transition`].
    pub operation: &'static str,
    /// Key.
    pub key: String,
    /// Version, where the bucket has versions.
    pub version_id: Option<String>,
    /// Size of the object in bytes.
    pub size: Option<u64>,
}

/// A version or marker is gone.
pub const EXPIRE: &str = "S3.EXPIRE.OBJECT";
/// A delete marker hides an object.
pub const MARK: &str = "S3.CREATE.DELETEMARKER";
/// An upload that was not completed is gone.
pub const ABORT: &str = "S3.DELETE.UPLOAD";

/// The operation that brings an object into a storage class.
#[must_use]
pub fn transition(class: &str) -> &'static str {
    match class {
        "STANDARD_IA" => "S3.TRANSITION_SIA.OBJECT",
        "ONEZONE_IA" => "S3.TRANSITION_ZIA.OBJECT",
        "INTELLIGENT_TIERING" => "S3.TRANSITION_INT.OBJECT",
        "GLACIER_IR" => "S3.TRANSITION_GIR.OBJECT",
        "DEEP_ARCHIVE" => "S3.TRANSITION_GDA.OBJECT",
        _ => "S3.TRANSITION.OBJECT",
    }
}

/// Adds a line for each, if the bucket is logged.
pub fn log(inbox: &Inbox, bucket: &Arc<Bucket>, time: Timestamp, acted: &[Acted]) {
    if bucket.config.logging.is_none() {
        return;
    }
    for Acted { operation, key, version_id, size } in acted {
        let record = Record {
            requester: Some("AmazonS3".to_owned()),
            request_id: getrandom::u64().map(|id| format!("{id:016X}")).unwrap_or_default(),
            operation: (*operation).to_owned(),
            key: Some(key.clone()),
            version_id: version_id.clone(),
            object_size: *size,
            ..Record::of(bucket, time)
        };
        inbox.add(Line { bucket: Arc::clone(bucket), time, text: record.line() });
    }
}
