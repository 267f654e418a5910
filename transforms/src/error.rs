//! Errors of transforms, divided by what the caller can do about them.

/// A payload (a transform's configuration) that was refused before any byte was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("payload of {transform}: {path}: {message}")]
pub struct PayloadError {
    /// Name of the transform whose payload it is, as in `resize`.
    pub transform: String,
    /// The field, as a path: `steps[1].payload.width`; `.` for the payload as a whole.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// A transform that failed on an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransformError {
    /// The object is not what the transform takes (an image that is not one, CSV that cannot be read).
    #[error("{0}")]
    BadInput(String),
    /// A cap of [`Limits`](crate::Limits) was reached: `what` names it, `limit` is its value.
    #[error("{what} exceeds the limit of {limit}")]
    Limit {
        /// What was too much, with its unit: `decoded pixels`, `output bytes`.
        what: &'static str,
        /// The cap, in the unit that `what` names.
        limit: u64,
    },
    /// A resource that the transform named ([`Transform::resources`](crate::Transform::resources)) was missing
    /// or unreadable.
    #[error("resource {key}: {message}")]
    Resource {
        /// Key of the resource object.
        key: String,
        /// Why it cannot be used.
        message: String,
    },
    /// A fault of the transform itself.
    #[error("internal: {0}")]
    Internal(String),
}
