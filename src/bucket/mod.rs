//! How a bucket is configured: one file for each document, typed, checked when it is put, and without I/O.

use serde::{Deserialize, Serialize};

pub mod object_lock;
pub mod versioning;

pub use object_lock::ObjectLock;
pub use versioning::Versioning;

/// All that can be set for a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BucketConfig {
    /// Whether a write keeps what was there.
    pub versioning: Versioning,
    /// Object lock, once it is on; it stays on.
    pub object_lock: Option<ObjectLock>,
}
