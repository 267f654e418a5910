//! Encryption at rest: a data key for each object, sealed by a key that the store never sees.
//!
//! - [`check`]: whether the root key is the one that a data directory was begun with.
//! - [`cipher`]: how a body is sealed, segment by segment, so that a range opens only what it touches.
//! - [`command`]: the root key from a key service's own client.
//! - [`keyring`]: the keys that seal data keys: the server's own, named ones, the customer's.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub mod check;
pub mod cipher;
pub mod command;
pub mod keyring;

pub use cipher::BodyCipher;
pub use keyring::{Keyring, KeyringError};

/// Bytes of a key: AES-256.
pub const KEY: usize = 32;

/// The key that an object's bytes are sealed with. All of its parts share it.
#[derive(Clone)]
pub struct DataKey(Zeroizing<[u8; KEY]>);

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

impl DataKey {
    /// A new one.
    ///
    /// # Errors
    /// No random bytes.
    pub fn random() -> Result<Self, KeyringError> {
        let mut key = Zeroizing::new([0; KEY]);
        getrandom::fill(&mut *key).map_err(|error| KeyringError::Random(error.to_string()))?;
        Ok(Self(key))
    }

    /// From its bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> &[u8; KEY] {
        &self.0
    }
}

/// How an object is encrypted, as its head tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// By whose key.
    pub kind: Kind,
    /// The data key, sealed by it.
    pub sealed_key: Vec<u8>,
}

/// By whose key an object is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// SSE-S3: the server's.
    S3,
    /// SSE-KMS: a named one.
    Kms {
        /// As the request named it.
        key_id: String,
        /// The encryption context that was given, in base64; the data key opens only with it.
        #[serde(default)]
        context: Option<String>,
    },
    /// SSE-C: the customer's, who sends it with each request.
    Customer {
        /// MD5 of the key in base64, as the customer sends it.
        key_md5: String,
    },
}
