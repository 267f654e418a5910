//! Another key for an object: what is asked for, and the trace that it leaves.

use serde::{Deserialize, Serialize};

use super::ObjectInfo;
use crate::encryption::Encryption;

/// A rename that was done with a token of the client's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renamed {
    /// The key that the object had.
    pub from: String,
    /// The token.
    pub token: String,
}

/// Another key for an object.
#[derive(Debug, Clone)]
pub struct Rename {
    /// The key that it has.
    pub from: String,
    /// The key that it is to have.
    pub to: String,
    /// The object as the caller decided on it.
    pub seen: ObjectInfo,
    /// What has the other key, as the caller decided on it. It is replaced.
    pub replaced: Option<ObjectInfo>,
    /// How the object is encrypted under its new key: its data key, sealed for that.
    pub encryption: Option<Encryption>,
    /// A token of the client's.
    pub token: Option<String>,
}

impl Rename {
    /// Whether what is there is what the caller decided on.
    pub(in crate::store) fn is_as_seen(&self, from: Option<&ObjectInfo>, to: Option<&ObjectInfo>) -> bool {
        // Of one key the object would be replaced by itself, which is no more.
        self.from != self.to && from == Some(&self.seen) && to == self.replaced.as_ref()
    }

    /// The head of the object under its new key: its Last-Modified stays as it is.
    pub(in crate::store) fn apply(self, info: &mut ObjectInfo) {
        let from = self.from;
        info.encryption = self.encryption;
        info.renamed = self.token.map(|token| Renamed { from, token });
    }
}
