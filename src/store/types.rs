//! What a store holds and answers: buckets, objects, uploads, bodies.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_core::Stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::uploads::PartInfo;
use super::version::{DeleteMarker, Lock, Retention, VersionId, VersionRef};
use crate::bucket::{Acl, BucketConfig};
use crate::encryption::{DataKey, Encryption};

/// Buckets by name.
pub type Buckets = BTreeMap<String, Arc<Bucket>>;
/// Object tags by key: at most 10, keys to 128 and values to 256 characters (checked by the S3 plane).
pub type Tags = BTreeMap<String, String>;
/// A body as it streams. An `Err` item is its last.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send>>;

/// Why a body's stream ended early.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BodyError {
    /// A check of the bytes did not pass, or the client broke the protocol: answer this error, store nothing.
    #[error("{0}")]
    Rejected(Box<crate::error::ApiError>),
    /// The connection ended before the body did.
    #[error("the connection ended before the body: {0}")]
    Disconnected(String),
    /// Stored bytes could not be read, or do not match their checksum.
    #[error("read: {0}")]
    Read(String),
}

impl BodyError {
    /// What is known of a body that failed, however far down in an error it stands.
    #[must_use]
    pub fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(known) = error.downcast_ref::<Self>() {
                return known.clone();
            }
            cause = error.source();
        }
        Self::Disconnected(error.to_string())
    }
}

/// A body: in memory, or a stream.
pub enum Payload {
    /// All of it.
    Bytes(Bytes),
    /// A stream, with its length where known.
    Stream(ByteStream, Option<u64>),
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => f.debug_tuple("Bytes").field(&bytes.len()).finish(),
            Self::Stream(_, length) => f.debug_tuple("Stream").field(length).finish(),
        }
    }
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Name, by S3's rules (checked by the S3 plane).
    pub name: String,
    /// Never used twice, so that a bucket made again under the same name holds nothing of the old one.
    pub id: u64,
    /// When it was created.
    pub created: Timestamp,
    /// LocationConstraint; `us-east-1` when none was given.
    pub region: String,
    /// Account that owns it, 12 digits.
    pub owner: String,
    /// How it is configured.
    #[serde(default)]
    pub config: BucketConfig,
}

/// What [`Store::create_bucket`](super::Store::create_bucket) takes.
#[derive(Debug, Clone, Default)]
pub struct NewBucket {
    /// Name.
    pub name: String,
    /// Region.
    pub region: String,
    /// Owning account.
    pub owner: String,
    /// How it is configured from the start.
    pub config: BucketConfig,
}

/// Decides on a bucket's configuration as it is, in the transaction of the change, what it is to be. The bucket that
/// it is given is whole; only its configuration may be changed.
pub type BucketChange = Box<dyn FnOnce(&mut Bucket) -> Result<(), crate::error::ApiError> + Send>;

/// The five checksum kinds of S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChecksumAlgorithm {
    /// CRC-32 (ISO-HDLC).
    Crc32,
    /// CRC-32C (Castagnoli, iSCSI).
    Crc32c,
    /// CRC-64/NVME.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

/// What a checksum covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChecksumType {
    /// All the bytes.
    FullObject,
    /// The parts' checksums, one after the other.
    Composite,
}

/// A checksum of an object or part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// Which kind.
    pub algorithm: ChecksumAlgorithm,
    /// What it covers.
    pub kind: ChecksumType,
    /// Base64 of the big-endian digest; for a composite one followed by `-` and the number of parts.
    pub value: String,
}

/// System headers that are stored and returned with an object. As with all of an object's head, what is not there is not
/// written: a row is read at each GET, and most of it would be names of nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectHeaders {
    /// Content-Type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Content-Encoding, without `aws-chunked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// Content-Disposition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    /// Content-Language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    /// Cache-Control.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// Expires, as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// x-amz-website-redirect-location.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website_redirect: Option<String>,
    /// x-amz-storage-class, when it is not STANDARD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The head of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectInfo {
    /// Size in bytes.
    pub size: u64,
    /// ETag without quotes: the MD5 in hex, or for a multipart object the MD5 of the parts' MD5s, `-`, and their
    /// number.
    pub etag: String,
    /// When the write was acknowledged, to the second in headers and to the millisecond in listings.
    pub last_modified: Timestamp,
    /// System headers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub headers: ObjectHeaders,
    /// User metadata; names in lower case, without `x-amz-meta-`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Tags,
    /// Checksum, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// Number of parts, for an object made by a multipart upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<u16>,
    /// Id of this version; `None` for the null version, which is the only one in a bucket without versioning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionId>,
    /// What forbids to delete this version.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lock: Lock,
    /// Account that owns it, 12 digits; `None` for the bucket's owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Who else may use it; `None` for its owner alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acl: Option<Acl>,
    /// How it is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// The rename that brought it here, for a client that asks again because it missed the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed: Option<super::Renamed>,
}

/// An object opened for reading.
#[derive(Debug)]
pub struct Object {
    /// Its head.
    pub info: Arc<ObjectInfo>,
    /// Its parts, for an object made by a multipart upload: for partNumber reads and GetObjectAttributes.
    pub parts: Option<Arc<[PartInfo]>>,
    /// Its bytes.
    pub data: Box<dyn ObjectData>,
    /// The key that they are sealed with: whoever opens an object that is encrypted puts it here.
    pub key: Option<DataKey>,
}

impl Object {
    /// Reads a range, which must lie within the object.
    #[must_use]
    pub fn read(self, range: Range<u64>) -> Payload {
        self.data.read(range, self.key)
    }
}

/// Bytes of one version of an object. They stay readable while this is held, whatever happens to the key.
pub trait ObjectData: Send + Sync + fmt::Debug {
    /// Reads a range, which must lie within the object. Each segment is checked, and opened where it is sealed, before
    /// its bytes go out; sealed bytes without their key are an error.
    fn read(self: Box<Self>, range: Range<u64>, key: Option<DataKey>) -> Payload;
}

/// How to take a body.
#[derive(Debug, Clone, Default)]
pub struct StageOptions {
    /// The key that its bytes are sealed with. The digests are of the bytes as they came.
    pub key: Option<DataKey>,
    /// A checksum to compute beside MD5 and CRC-64/NVME, which always are.
    pub checksum: Option<ChecksumAlgorithm>,
}

/// Bytes that were taken and are not visible yet. Dropping it discards them.
#[derive(Debug)]
pub struct Staged {
    /// Number of bytes.
    pub size: u64,
    /// MD5 of the bytes.
    pub md5: [u8; 16],
    /// CRC-64/NVME of the bytes.
    pub crc64nvme: u64,
    /// The digest asked for in [`StageOptions::checksum`], big-endian.
    pub checksum: Option<(ChecksumAlgorithm, Vec<u8>)>,
    /// Where they are: only the store that staged them knows.
    pub(in crate::store) blob: Box<dyn std::any::Any + Send + Sync>,
}

/// The head of an object about to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewObject {
    /// System headers.
    pub headers: ObjectHeaders,
    /// User metadata.
    pub metadata: BTreeMap<String, String>,
    /// Tags.
    pub tags: Tags,
    /// Checksum to keep with the object.
    pub checksum: Option<Checksum>,
    /// What forbids to delete it.
    pub lock: Lock,
    /// Account that owns it, 12 digits; `None` for the bucket's owner.
    pub owner: Option<String>,
    /// Who else may use it; `None` for its owner alone.
    pub acl: Option<Acl>,
    /// How it is encrypted: its bytes were staged with the data key of this.
    pub encryption: Option<Encryption>,
}

impl NewObject {
    /// The head of the object, once its bytes are known. Where it says nothing of retention, the bucket's default counts
    /// from this moment: as it is now, and not as it was when a long upload began.
    pub(in crate::store) fn into_info(
        self,
        bucket: &Bucket,
        size: u64,
        etag: String,
        last_modified: Timestamp,
        parts: Option<u16>,
        version: Option<VersionId>,
    ) -> ObjectInfo {
        let Self { headers, metadata, tags, checksum, mut lock, owner, acl, encryption } = self;
        if lock.retention.is_none() {
            let default = bucket.config.object_lock.as_ref().and_then(|lock| lock.default.as_ref());
            lock.retention = default.map(|default| default.from(last_modified));
        }
        ObjectInfo {
            size,
            etag,
            last_modified,
            headers,
            metadata,
            tags,
            checksum,
            parts,
            version,
            lock,
            owner,
            acl,
            encryption,
            renamed: None,
        }
    }
}

/// A condition on what is there before a write, decided in the write's own transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WriteCondition {
    /// None.
    #[default]
    Always,
    /// `If-None-Match: *`: no object may be there.
    IfAbsent,
    /// `If-None-Match`: no object may be there with this ETag (without quotes).
    IfNotMatch(String),
    /// `If-Match`: the object must be there ([`StoreError::NoSuchKey`](super::StoreError::NoSuchKey) if not) with
    /// this ETag (without quotes; `*` for any).
    IfMatch(String),
}

/// One key to delete, with the conditions S3 offers.
#[derive(Debug, Clone, Default)]
pub struct DeleteKey {
    /// The key.
    pub key: String,
    /// A version to remove for good. For the current one, a bucket with versioning gets a delete marker instead.
    pub version: VersionRef,
    /// Whether a lock in governance mode may be passed over: the caller has the permission and says so.
    pub bypass_governance: bool,
    /// The ETag it must have, without quotes; `*` for any.
    pub if_match: Option<String>,
    /// The Last-Modified it must have, to the second.
    pub if_last_modified: Option<Timestamp>,
    /// The size it must have.
    pub if_size: Option<u64>,
    /// What must be there, down to its tags, and whether it must be the current version: for a caller that decided on
    /// what it read before ([`StoreError::PreconditionFailed`](super::StoreError::PreconditionFailed) if not).
    pub if_seen: Option<(Version, bool)>,
}

/// What a delete did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Whether there was something to delete.
    pub there: bool,
    /// Whether a delete marker was made, or removed.
    pub marker: bool,
    /// Id of the marker that was made or of the version that was removed; `Some(None)` for the null version, `None`
    /// in a bucket that never had versioning.
    pub version: Option<Option<VersionId>>,
}

/// A change to an object's head; its bytes never change.
#[derive(Debug, Clone)]
pub enum ObjectChange {
    /// Replaces the tags.
    Tags(Tags),
    /// Replaces the access control list.
    Acl(Acl),
    /// Replaces the retention. A shorter time, or another mode, needs `bypass_governance`, and is never allowed in
    /// compliance mode ([`StoreError::Locked`](super::StoreError::Locked)).
    Retention {
        /// The new one; `None` takes it away.
        retention: Option<Retention>,
        /// Whether governance mode may be passed over.
        bypass_governance: bool,
    },
    /// Sets or lifts the legal hold.
    LegalHold(bool),
    /// Changes the storage class that the object bears, if its head is still the one that was seen
    /// ([`StoreError::PreconditionFailed`](super::StoreError::PreconditionFailed) if not).
    StorageClass {
        /// The new one.
        class: String,
        /// The head that the decision was made on.
        seen: Arc<ObjectInfo>,
    },
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Only keys that start with this.
    pub prefix: String,
    /// Keys that share all up to this, after the prefix, are rolled into one common prefix. `None` or empty: none.
    pub delimiter: Option<String>,
    /// Only keys and common prefixes after this one, in byte order.
    pub after: Option<String>,
    /// At most this many keys and common prefixes together.
    pub limit: usize,
}

/// One page of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPage {
    /// Keys and heads, in byte order.
    pub objects: Vec<(String, Arc<ObjectInfo>)>,
    /// Common prefixes, in byte order.
    pub prefixes: Vec<String>,
    /// What to give as `after` for the next page; `None` on the last. It is the last key or common prefix of
    /// this page.
    pub next: Option<String>,
}

/// Which versions to list.
#[derive(Debug, Clone, Default)]
pub struct ListVersionsQuery {
    /// Only keys that start with this.
    pub prefix: String,
    /// As for [`ListQuery::delimiter`].
    pub delimiter: Option<String>,
    /// Only versions after this key; with `after_version`, also those of the key itself that are older.
    pub after_key: Option<String>,
    /// See `after_key`.
    pub after_version: Option<VersionRef>,
    /// At most this many versions, delete markers and common prefixes together.
    pub limit: usize,
}

/// A version in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionEntry {
    /// The key.
    pub key: String,
    /// What the version is.
    pub version: Version,
    /// Whether it is the key's current one.
    pub is_latest: bool,
}

/// What a version is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Version {
    /// An object.
    Object(Arc<ObjectInfo>),
    /// A delete marker.
    Marker(DeleteMarker),
}

impl Version {
    /// Its id; `None` for the null version.
    #[must_use]
    pub fn id(&self) -> Option<VersionId> {
        match self {
            Self::Object(info) => info.version,
            Self::Marker(marker) => marker.version,
        }
    }
}

/// One page of versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListVersionsPage {
    /// By key in byte order, the newest of each first.
    pub versions: Vec<VersionEntry>,
    /// Common prefixes, in byte order.
    pub prefixes: Vec<String>,
    /// What to give as `after_key` and `after_version` for the next page; `None` on the last.
    pub next: Option<(String, Option<VersionRef>)>,
}
