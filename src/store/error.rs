//! What a store can fail with, divided by what the caller can do about it.

/// An error of a [`Store`](super::Store).
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such bucket.
    #[error("no such bucket")]
    NoSuchBucket,
    /// The bucket name is taken.
    #[error("the bucket exists")]
    BucketExists,
    /// The bucket still holds objects.
    #[error("the bucket is not empty")]
    BucketNotEmpty,
    /// There is no such object.
    #[error("no such key")]
    NoSuchKey,
    /// There is no such version of the object.
    #[error("no such version")]
    NoSuchVersion,
    /// What is there is a delete marker. The flag says whether it was named by its id; else it is the current version.
    #[error("a delete marker")]
    DeleteMarker(super::DeleteMarker, bool),
    /// A retention or a legal hold forbids it.
    #[error("the version is locked")]
    Locked,
    /// The decision of a [`BucketChange`](super::BucketChange).
    #[error("{0}")]
    Refused(Box<crate::error::ApiError>),
    /// There is no such multipart upload.
    #[error("no such upload")]
    NoSuchUpload,
    /// A part that was named to complete an upload is not there, or has another ETag.
    #[error("part {0} is not there or has another ETag")]
    InvalidPart(u16),
    /// The condition of a write or delete does not hold.
    #[error("precondition failed")]
    PreconditionFailed,
    /// The write would lead above the bucket's quota.
    #[error("the bucket's quota does not allow it")]
    QuotaExceeded,
    /// The body's stream failed: the client went away, or a check of its bytes did not pass. The cause is a
    /// [`BodyError`](super::BodyError).
    #[error("body: {0}")]
    Body(#[from] super::BodyError),
    /// The disk is full; nothing was changed.
    #[error("no space left on the device")]
    Full,
    /// Stored bytes do not match their checksum.
    #[error("corrupt: {0}")]
    Corrupt(String),
    /// The store stopped taking writes after a failed flush, until the next start.
    #[error("the store is stopped after a failed flush: {0}")]
    Poisoned(String),
    /// Any other failure of the machine.
    #[error("input/output: {0}")]
    Io(#[from] std::io::Error),
    /// The engine's own failure.
    #[error("engine: {0}")]
    Engine(String),
}
