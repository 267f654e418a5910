//! The policy of a bucket or a point, compiled when it is put and kept as it was sent.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::document::{Policy, PolicyKind};
use super::error::PolicyError;

/// The policy of a bucket, an access point or an Object Lambda access point: at most 20 KB of JSON.
#[derive(Debug, Clone)]
pub struct ResourcePolicy {
    text: Arc<str>,
    /// `None` for one that an earlier version took and this one cannot read: it denies everything.
    policy: Option<Arc<Policy>>,
}

impl ResourcePolicy {
    /// Reads and checks a policy.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let policy = Policy::parse(text, PolicyKind::Resource)?;
        Ok(Self { text: text.into(), policy: Some(Arc::new(policy)) })
    }

    /// The document as it was put.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The policy; `None` where it cannot be read, and everything is to be denied.
    #[must_use]
    pub fn policy(&self) -> Option<&Policy> {
        self.policy.as_deref()
    }

    /// Whether it lets everybody do something (S3 user guide, "The meaning of public").
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.policy().is_some_and(Policy::is_public)
    }
}

impl PartialEq for ResourcePolicy {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ResourcePolicy {}

impl Serialize for ResourcePolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for ResourcePolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self::parse(&text).unwrap_or_else(|error| {
            tracing::error!(%error, "a policy cannot be read: what it is of is closed until it is put again");
            Self { text: text.into(), policy: None }
        }))
    }
}
