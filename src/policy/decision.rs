//! What an evaluation comes to, and why, in words.

use std::fmt;

use super::statement::Statement;

/// What a request comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Allowed.
    Allow,
    /// Denied by a statement.
    ExplicitDeny,
    /// Denied because nothing allows it.
    ImplicitDeny,
}

/// An outcome with its reason.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision<'a> {
    /// What it comes to.
    pub effect: Outcome,
    /// Why.
    pub reason: Reason<'a>,
}

impl Decision<'_> {
    /// Whether the request is allowed.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.effect == Outcome::Allow
    }
}

impl<'a> Decision<'a> {
    /// The statement that decided, where one did.
    #[must_use]
    pub fn found(&self) -> Option<Found<'a>> {
        match self.reason {
            Reason::AllowedBy(found) | Reason::DeniedBy(found) => Some(found),
            _ => None,
        }
    }
}

impl fmt::Display for Decision<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.is_allowed() { "allowed" } else { "denied" };
        write!(formatter, "{verb}: {}", self.reason)
    }
}

/// A statement of a labelled policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found<'a> {
    /// What the policy is: `the bucket policy`.
    pub label: &'a str,
    /// The statement.
    pub statement: &'a Statement,
}

impl fmt::Display for Found<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {}", self.statement.title(), self.label)
    }
}

/// Why a request is allowed or denied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason<'a> {
    /// A statement allows it.
    AllowedBy(Found<'a>),
    /// The root of an account may do everything in it.
    Root,
    /// The root of an account can always see, replace and delete a bucket policy.
    RootKeepsPolicy,
    /// A statement denies it.
    DeniedBy(Found<'a>),
    /// No statement allows it.
    NothingAllows {
        /// Action.
        action: &'a str,
        /// ARN of the resource.
        resource: &'a str,
    },
    /// A statement allows it to the account only, and no identity policy of the account hands it on.
    OnlyTheAccount(Found<'a>),
    /// The permissions boundary does not allow it.
    OutsideBoundary {
        /// The boundary.
        label: &'a str,
        /// Action.
        action: &'a str,
    },
    /// The policies of the session do not allow it.
    OutsideSession {
        /// The session policy.
        label: &'a str,
        /// Action.
        action: &'a str,
    },
    /// The other account allows it, the caller's own does not.
    OwnAccountSilent(Found<'a>),
    /// The caller's own account allows it, the one of the resource does not.
    ResourceSilent {
        /// ARN of the resource.
        resource: &'a str,
    },
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllowedBy(found) => write!(formatter, "allowed by {found}"),
            Self::Root => formatter.write_str("the root of an account may do everything in it"),
            Self::RootKeepsPolicy => {
                formatter.write_str("the root of the account can never be locked out of a bucket policy")
            }
            Self::DeniedBy(found) => write!(formatter, "denied by {found}"),
            Self::NothingAllows { action, resource } => {
                write!(formatter, "no statement allows {action} on {resource}")
            }
            Self::OnlyTheAccount(found) => {
                write!(
                    formatter,
                    "{found} allows it to the account, and no identity policy there to the caller"
                )
            }
            Self::OutsideBoundary { label, action } => write!(formatter, "{label} does not allow {action}"),
            Self::OutsideSession { label, action } => write!(formatter, "{label} does not allow {action}"),
            Self::OwnAccountSilent(found) => {
                write!(
                    formatter,
                    "{found} allows it, but no identity policy in the caller's own account does"
                )
            }
            Self::ResourceSilent { resource } => {
                write!(formatter, "{resource} is of another account, and no policy there allows it")
            }
        }
    }
}
