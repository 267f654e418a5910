//! How a bucket is configured: one file for each document, typed, checked when it is put, and without I/O.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::PublicAccessBlock;
use crate::error::ApiError;
use crate::policy::ResourcePolicy;
use crate::store::Quota;

pub mod acl;
pub mod cors;
pub mod encryption;
pub mod lifecycle;
pub mod logging;
pub mod notification;
pub mod object_lock;
pub mod ownership;
pub mod versioning;
pub mod website;

pub use acl::{Acl, Grant, Grantee, Permission};
pub use cors::Cors;
pub use encryption::DefaultEncryption;
pub use lifecycle::Lifecycle;
pub use logging::Logging;
pub use notification::Notification;
pub use object_lock::ObjectLock;
pub use ownership::Ownership;
pub use versioning::Versioning;
pub use website::Website;

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
    pub policy: Option<ResourcePolicy>,
    /// What becomes of objects with time.
    pub lifecycle: Option<Lifecycle>,
    /// What the bucket shows as a website.
    pub website: Option<Website>,
    /// Where its access logs go.
    pub logging: Option<Logging>,
    /// Who is told of what happens in it.
    pub notification: Option<Notification>,
    /// What it may hold at most; set by the server's administrator.
    pub quota: Option<Quota>,
}

/// 400 MalformedXML; what is wrong is told to the log.
pub(crate) fn malformed(why: impl Into<String>) -> ApiError {
    ApiError::new(
        http::StatusCode::BAD_REQUEST,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
    .with_internal(why)
}
