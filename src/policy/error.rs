//! Why a policy is refused when it is put.

/// What is wrong with a policy document, in words that name the statement and the field. Rendered as
/// `MalformedPolicy` by S3 and as `MalformedPolicyDocument` by IAM and STS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The document breaks the grammar of policies.
    #[error("{0}")]
    Malformed(String),
    /// The document is longer than its kind may be.
    #[error("the policy has {size} characters, and at most {limit} are allowed")]
    TooLarge {
        /// Characters that count.
        size: usize,
        /// How many may be.
        limit: usize,
    },
}

impl PolicyError {
    /// A malformed document.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::Malformed(message.into())
    }

    /// The same error, with the place where it was found in front.
    pub(super) fn within(self, place: &str) -> Self {
        match self {
            Self::Malformed(message) => Self::Malformed(format!("{place}: {message}")),
            Self::TooLarge { .. } => self,
        }
    }
}
