//! May this principal do this? The one question of every plane, and it fails closed.
//!
//! - [`operation`]: the closed table of operations; one that is not there is denied to everybody.
//! - [`access`]: buckets and objects: accounts, policies, ACLs, ownership, public access blocks.
//! - [`caller`]: what a caller may do by its own policies, on resources that have none.
//!
//! The language of policies is here, without I/O: a [`Policy`] is parsed and checked when it is put ([`document`],
//! [`statement`]), and [`evaluate()`] decides a [`Request`] against a [`PolicySet`]. The [`Decision`] says which
//! statement decided, in words; [`Policy::explain`] says it of every statement.

use crate::auth::Principal;
use crate::error::ApiError;

pub mod access;
mod action;
mod action_table;
mod arn;
pub mod asked;
pub mod caller;
mod condition;
pub mod context;
pub mod decision;
pub mod document;
pub mod error;
pub mod evaluate;
pub mod explain;
pub mod identity;
mod json;
pub mod limits;
mod operand;
pub mod operation;
mod operator;
mod pattern;
pub mod principal;
mod principals;
mod public;
mod resource;
pub mod statement;
mod variables;

pub use context::Context;
pub use decision::{Decision, Found, Outcome, Reason};
pub use document::{Policy, PolicyKind};
pub use error::PolicyError;
pub use evaluate::{Labelled, PolicySet, evaluate};
pub use explain::{ConditionReport, Explanation};
pub use identity::{Attached, Identity, Issuer};
pub use principal::{CallerKind, PrincipalView};
pub use statement::{Effect, Request, Statement};

pub use access::Access;
pub use asked::Asked;
pub use caller::authorize_action;

/// Whether a service that Refract answers for has an action of this name.
#[must_use]
pub fn is_action(service: &str, name: &str) -> bool {
    action_table::has(service, name)
}

/// Decides whether `principal` may do `operation` on what the account `owner` owns, for planes whose resources are
/// not shared with other accounts.
///
/// # Errors
/// 403 AccessDenied for an anonymous caller, for another account, and for everybody when the operation is unknown.
pub fn authorize(principal: Option<&Principal>, operation: &str, owner: &str) -> Result<(), ApiError> {
    if !operation::is_known(operation) {
        return Err(ApiError::access_denied(format!("{operation} is not a known operation")));
    }
    match principal {
        Some(principal) if principal.account_id == owner => Ok(()),
        Some(principal) => {
            let account = &principal.account_id;
            Err(ApiError::access_denied(format!("{operation} by account {account} on what {owner} owns")))
        }
        None => Err(ApiError::access_denied(format!("{operation} by an anonymous caller"))),
    }
}
