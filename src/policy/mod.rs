//! May this principal do this? The one question of every plane, and it fails closed.
//!
//! Until policies are evaluated there are two answers: a principal whose request was verified may do every known
//! operation; anybody else may do nothing.

use crate::auth::Principal;
use crate::error::ApiError;

pub mod operation;

/// Decides whether `principal` may do `operation`.
///
/// # Errors
/// 403 AccessDenied for an anonymous caller, and for everybody when the operation is unknown.
pub fn authorize(principal: Option<&Principal>, operation: &str) -> Result<(), ApiError> {
    if !operation::is_known(operation) {
        return Err(ApiError::access_denied(format!("{operation} is not a known operation")));
    }
    match principal {
        Some(_) => Ok(()),
        None => Err(ApiError::access_denied(format!("{operation} by an anonymous caller"))),
    }
}
