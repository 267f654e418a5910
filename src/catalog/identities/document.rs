//! A policy document of an identity, compiled when it is put or loaded.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::policy::{Policy, PolicyKind};

use super::errors;

/// What a document is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DocumentKind {
    /// Inline policy of a user, group or role.
    Inline,
    /// Managed policy, which may be a boundary too.
    Managed,
    /// Trust policy of a role.
    Trust,
}

impl DocumentKind {
    fn policy(self) -> PolicyKind {
        match self {
            Self::Inline => PolicyKind::Identity,
            Self::Managed => PolicyKind::Boundary,
            Self::Trust => PolicyKind::Trust,
        }
    }
}

/// A policy document.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Document {
    kind: DocumentKind,
    text: Arc<str>,
    /// `None` for one that an earlier version took and this one cannot read: whoever has it is refused.
    policy: Option<Arc<Policy>>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    kind: DocumentKind,
    text: Arc<str>,
}

impl From<Stored> for Document {
    fn from(Stored { kind, text }: Stored) -> Self {
        let policy = Policy::parse(&text, kind.policy()).ok().map(Arc::new);
        Self { kind, text, policy }
    }
}

impl From<Document> for Stored {
    fn from(document: Document) -> Self {
        Self { kind: document.kind, text: document.text }
    }
}

impl Document {
    /// Reads and checks a document.
    ///
    /// # Errors
    /// 400 MalformedPolicyDocument, which names the fault; 409 LimitExceeded.
    pub fn parse(text: &str, kind: DocumentKind) -> Result<Self, ApiError> {
        let policy = Policy::parse(text, kind.policy()).map_err(|error| errors::policy(&error))?;
        Ok(Self { kind, text: text.into(), policy: Some(Arc::new(policy)) })
    }

    /// As it was put.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The policy; `None` where it cannot be read, and everything is to be refused.
    #[must_use]
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        self.policy.as_ref()
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.text == other.text
    }
}
