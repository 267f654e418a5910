//! How a bucket is configured: one file for each document, typed, checked when it is put, and without I/O.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::PublicAccessBlock;

pub mod acl;
pub mod cors;
pub mod encryption;
pub mod object_lock;
pub mod ownership;
pub mod policy;
pub mod versioning;

pub use acl::{Acl, Grant, Grantee, Permission};
pub use cors::Cors;
pub use encryption::DefaultEncryption;
pub use object_lock::ObjectLock;
pub use ownership::Ownership;
pub use policy::BucketPolicy;
pub use versioning::Versioning;

/// All that can be set for a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BucketConfig {
    /// LocationConstraint as it was given.
    pub location: Option<String>,
    /// Whether a write keeps what was there.
    pub versioning: Versioning,
    /// Object lock, once it is on; it stays on.
    pub object_lock: Option<ObjectLock>,
    /// Who else may use the bucket; `None` for its owner alone.
    pub acl: Option<Acl>,
    /// Who owns what is written; `None` where it was never put, which counts as ObjectWriter.
    pub ownership: Option<Ownership>,
    /// What the public is kept from; `None` where it was never put.
    pub public_access_block: Option<PublicAccessBlock>,
    /// Which other origins may use the bucket.
    pub cors: Option<Cors>,
    /// How objects are encrypted that do not say so.
    pub encryption: Option<DefaultEncryption>,
    /// Tags; `None` where none were put.
    pub tags: Option<BTreeMap<String, String>>,
    /// Whether the requester pays. Nobody does here; clients read it back.
    pub requester_pays: bool,
    /// The bucket policy.
    pub policy: Option<BucketPolicy>,
}
