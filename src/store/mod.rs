//! Objects and buckets: the [`Store`] trait, its types, and one file or folder for each implementation.
//!
//! - [`types`]: what a store holds and answers.
//! - [`uploads`]: the same of multipart uploads; [`rename`]: of another key for an object.
//! - [`error`]: what can go wrong, by what the caller can do.
//! - [`fs`]: the durable engine: redb for heads and small bodies, one file for each larger body.
//! - [`memory`]: the reference model, for tests and comparison.
//! - [`version`]: how versions are named, and what forbids to delete one.
//! - [`usage`]: what a bucket holds, and what it may hold at most.
//! - [`record`]: the small named records that the catalog keeps beside the objects.
//! - `contract`: what every implementation is held to.
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;

mod condition;
#[cfg(test)]
mod contract;
pub mod error;
pub mod fs;
mod hash;
mod listing;
mod md5;
pub mod memory;
pub mod record;
pub mod rename;
pub mod types;
pub mod uploads;
pub mod usage;
pub mod version;

pub use error::StoreError;
pub use hash::Digests;
pub use record::{Record, RecordChange, RecordTable};
pub use rename::{Rename, Renamed};
pub use types::*;
pub use uploads::*;
pub use usage::{Quota, Usage};
pub use version::{DeleteMarker, Lock, Retention, RetentionMode, VersionId, VersionRef};

/// Answers of a store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Keeps buckets, objects and multipart uploads.
///
/// # The promise
/// When a method that changes something answers `Ok`, the change is on stable storage (or, with relaxed
/// durability, will be shortly); when it answers `Err` or its future is dropped, the change is there whole or
/// not at all. A reader sees one version of an object from its first byte to its last, or an error. Bytes that
/// do not match their checksum are an error, never an answer.
///
/// A write is two steps: [`stage`](Store::stage) takes the bytes, and shows their digests while nothing is
/// visible yet; [`put`](Store::put) or [`put_part`](Store::put_part) then makes them an object or a part.
/// A [`Staged`] that is dropped leaves nothing behind.
///
/// What changes something takes the [`Bucket`] that the caller decided on. Where another has its name by the time of the
/// change, the answer is [`StoreError::NoSuchBucket`]: it may be somebody else's.
///
/// A write that would lead above the bucket's [`Quota`] is [`StoreError::QuotaExceeded`], decided in its transaction.
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug + 'static {
    /// All buckets as of now, for readers that must not wait.
    fn buckets(&self) -> Arc<Buckets>;

    /// A bucket as of now. [`StoreError::NoSuchBucket`] if it is not there.
    fn bucket(&self, name: &str) -> Result<Arc<Bucket>> {
        self.buckets().get(name).cloned().ok_or(StoreError::NoSuchBucket)
    }

    /// What a bucket holds as of now.
    fn usage(&self, bucket: &str) -> Result<Usage>;

    /// Creates a bucket. [`StoreError::BucketExists`] if the name is taken.
    async fn create_bucket(&self, new: NewBucket) -> Result<Arc<Bucket>>;

    /// Changes how a bucket is configured, if `change` agrees; its refusal is [`StoreError::Refused`].
    async fn update_bucket(&self, bucket: &Bucket, change: BucketChange) -> Result<Arc<Bucket>>;

    /// Deletes a bucket that holds no object, no version and no delete marker; its unfinished uploads are aborted with it.
    /// [`StoreError::BucketNotEmpty`] otherwise.
    async fn delete_bucket(&self, bucket: &Bucket) -> Result<()>;

    /// Takes a body: hashes it as it comes and keeps it out of sight. An error of the body's stream is passed on
    /// as [`StoreError::Body`].
    async fn stage(&self, body: Payload, options: StageOptions) -> Result<Staged>;

    /// Reads bytes that were staged and not yet put. The range must lie within `0..staged.size`.
    async fn read_staged(&self, staged: &Staged, range: Range<u64>) -> Result<Payload>;

    /// Makes staged bytes the object `key`, if `condition` holds on the current version. It replaces what was there,
    /// or becomes a version, as the bucket's [`Versioning`](crate::bucket::Versioning) says at that moment.
    async fn put(
        &self,
        bucket: &Bucket,
        key: &str,
        staged: Staged,
        object: NewObject,
        condition: WriteCondition,
    ) -> Result<ObjectInfo>;

    /// Opens an object for reading: its head now, its bytes through [`Object::data`], all of one version.
    /// [`StoreError::DeleteMarker`] where that version is one.
    async fn open(&self, bucket: &str, key: &str, version: VersionRef) -> Result<Object>;

    /// The head of an object, with the errors of [`open`](Self::open).
    async fn head(&self, bucket: &str, key: &str, version: VersionRef) -> Result<ObjectInfo>;

    /// Deletes objects in one transaction. For each key: what was done (to delete what is not there is a success to
    /// S3), or the condition or lock that forbids it.
    async fn delete(&self, bucket: &Bucket, keys: Vec<DeleteKey>) -> Result<Vec<Result<Deleted>>>;

    /// Changes the head of an object, and answers the new one.
    async fn update_object(
        &self,
        bucket: &Bucket,
        key: &str,
        version: VersionRef,
        change: ObjectChange,
    ) -> Result<ObjectInfo>;

    /// Gives an object another key, in one transaction, and answers its head there. What has that key is replaced.
    /// [`StoreError::PreconditionFailed`] where either is not what the caller decided on, or the bucket has versions:
    /// an object there is one of its key.
    async fn rename(&self, bucket: &Bucket, rename: Rename) -> Result<ObjectInfo>;

    /// Lists keys in byte order. A delimiter seeks past each common prefix; it does not scan it.
    async fn list(&self, bucket: &str, query: ListQuery) -> Result<ListPage>;

    /// Lists versions and delete markers, by key and then from the newest to the oldest.
    async fn list_versions(&self, bucket: &str, query: ListVersionsQuery) -> Result<ListVersionsPage>;

    /// Starts a multipart upload.
    async fn create_upload(&self, bucket: &Bucket, key: &str, upload: NewUpload) -> Result<UploadInfo>;

    /// The head of an upload in progress. [`StoreError::NoSuchUpload`] if it is not there.
    async fn upload(&self, bucket: &str, key: &str, upload_id: &str) -> Result<UploadInfo>;

    /// Makes staged bytes part `number` (1 to 10,000) of an upload, replacing what was there.
    async fn put_part(
        &self,
        bucket: &Bucket,
        key: &str,
        upload_id: &str,
        number: u16,
        staged: Staged,
    ) -> Result<PartInfo>;

    /// Lists the parts of an upload with a number above `after`, at most `limit`; the flag says whether more
    /// follow.
    async fn list_parts(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        after: u16,
        limit: usize,
    ) -> Result<(Vec<PartInfo>, bool)>;

    /// Makes the named parts, in this order, the object, if `condition` holds. The caller has checked the
    /// parts against [`list_parts`](Store::list_parts); the store checks again, in its transaction, that each is
    /// there with the ETag named ([`StoreError::InvalidPart`]).
    async fn complete_upload(
        &self,
        bucket: &Bucket,
        key: &str,
        upload_id: &str,
        parts: Vec<PartRef>,
        object: CompletedObject,
        condition: WriteCondition,
    ) -> Result<ObjectInfo>;

    /// The object that an upload became, while it is the current one: for a client that completes again because it
    /// missed the answer. [`StoreError::NoSuchUpload`] otherwise.
    async fn completed_upload(&self, bucket: &str, key: &str, upload_id: &str) -> Result<ObjectInfo>;

    /// Forgets an upload and its parts.
    async fn abort_upload(&self, bucket: &Bucket, key: &str, upload_id: &str) -> Result<()>;

    /// Lists uploads in progress by key, then by upload id.
    async fn list_uploads(&self, bucket: &str, query: ListUploadsQuery) -> Result<ListUploadsPage>;
}
