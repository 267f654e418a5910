//! How long a policy document may be: AWS's quotas.

use super::document::PolicyKind;
use super::error::PolicyError;

/// Bucket policies and those of access points, in bytes.
pub const RESOURCE: usize = 20 * 1024;
/// All inline policies of a user together; white space does not count.
pub const INLINE_USER: usize = 2_048;
/// All inline policies of a group together; white space does not count.
pub const INLINE_GROUP: usize = 5_120;
/// All inline policies of a role together, and so the longest identity policy; white space does not count.
pub const INLINE_ROLE: usize = 10_240;
/// A managed policy, and so a boundary; white space does not count.
pub const MANAGED: usize = 6_144;
/// The trust policy of a role, at AWS's raised quota; white space does not count.
pub const TRUST: usize = 4_096;
/// The inline session policy of AssumeRole.
pub const SESSION: usize = 2_048;

/// Characters of a document as the quotas of IAM count them: without white space.
#[must_use]
pub fn counted(text: &str) -> usize {
    text.chars().filter(|character| !character.is_whitespace()).count()
}

/// Refuses a document that is longer than its kind may be.
pub(super) fn check(text: &str, kind: PolicyKind) -> Result<(), PolicyError> {
    let (size, limit) = match kind {
        PolicyKind::Resource => (text.len(), RESOURCE),
        PolicyKind::Identity => (counted(text), INLINE_ROLE),
        PolicyKind::Boundary => (counted(text), MANAGED),
        PolicyKind::Trust => (counted(text), TRUST),
        PolicyKind::Session => (counted(text), SESSION),
    };
    if size > limit { Err(PolicyError::TooLarge { size, limit }) } else { Ok(()) }
}
