//! May this principal do this? The one question of every plane, and it fails closed.
//!
//! - [`operation`]: the closed table of operations; one that is not there is denied to everybody.
//! - [`access`]: buckets and objects: accounts, policies, ACLs, ownership, public access blocks.

use crate::auth::Principal;
use crate::error::ApiError;

pub mod access;
pub mod operation;

pub use access::{Access, Asked};

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
