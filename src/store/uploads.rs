//! What a store holds and answers of multipart uploads.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::types::{Checksum, ChecksumAlgorithm, ChecksumType, NewObject};

/// A multipart upload about to start.
#[derive(Debug, Clone, Default)]
pub struct NewUpload {
    /// Head of the object to be.
    pub object: NewObject,
    /// Checksum that its parts carry, and what the object's will cover.
    pub checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
    /// Who started it: access key id or ARN, for listings.
    pub initiator: String,
}

/// A multipart upload in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadInfo {
    /// Upload id.
    pub upload_id: String,
    /// When it was started.
    pub initiated: Timestamp,
    /// Head of the object to be.
    #[serde(flatten)]
    pub object: NewObject,
    /// Checksum of its parts and what the object's will cover.
    #[serde(default, rename = "sum")]
    pub checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
    /// Who started it.
    #[serde(default)]
    pub initiator: String,
}

/// A part of an upload, or of an object made by one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartInfo {
    /// Part number, 1 to 10,000.
    pub number: u16,
    /// Size in bytes.
    pub size: u64,
    /// MD5 in hex: the part's ETag without quotes.
    pub etag: String,
    /// CRC-64/NVME of the part's bytes.
    pub crc64nvme: u64,
    /// The part's checksum of the upload's kind, base64.
    #[serde(default)]
    pub checksum: Option<(ChecksumAlgorithm, String)>,
    /// When it was written.
    pub last_modified: Timestamp,
}

/// A part named to complete an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartRef {
    /// Part number.
    pub number: u16,
    /// ETag without quotes.
    pub etag: String,
}

/// What the caller computed of an object whose upload is being completed.
#[derive(Debug, Clone)]
pub struct CompletedObject {
    /// ETag of the whole, without quotes.
    pub etag: String,
    /// Checksum of the whole, where there is one.
    pub checksum: Option<Checksum>,
}

/// Which uploads to list.
#[derive(Debug, Clone, Default)]
pub struct ListUploadsQuery {
    /// Only keys that start with this.
    pub prefix: String,
    /// As for [`ListQuery::delimiter`](super::ListQuery::delimiter).
    pub delimiter: Option<String>,
    /// Only uploads after this key; with `after_id`, also those of the key itself with a greater id.
    pub after_key: Option<String>,
    /// See `after_key`.
    pub after_id: Option<String>,
    /// At most this many uploads and common prefixes together.
    pub limit: usize,
}

/// One page of uploads in progress.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListUploadsPage {
    /// Key and upload, by key and then by id.
    pub uploads: Vec<(String, UploadInfo)>,
    /// Common prefixes.
    pub prefixes: Vec<String>,
    /// `(key marker, upload id marker)` for the next page.
    pub next: Option<(String, String)>,
}
