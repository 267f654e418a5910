//! How objects are encrypted that do not say so themselves.

use serde::{Deserialize, Serialize};

/// The default encryption of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DefaultEncryption {
    /// SSE-S3.
    S3,
    /// SSE-KMS.
    Kms {
        /// The named key; the server's own where none is given.
        key_id: Option<String>,
        /// Whether clients are told of a bucket key, which saves calls to AWS's service and nothing here.
        #[serde(default)]
        bucket_key: bool,
    },
}
