//! What IAM answers where something is wrong: AWS's codes, statuses and texts.

use http::StatusCode;

use crate::error::ApiError;
use crate::policy::PolicyError;

/// 404 NoSuchEntity: `errors::absent("user", "ada")`.
#[must_use]
pub fn absent(what: &str, name: &str) -> ApiError {
    no_such_entity(format!("The {what} with name {name} cannot be found."))
}

/// 404 NoSuchEntity.
#[must_use]
pub fn no_such_entity(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "NoSuchEntity", message.into())
}

/// 409 EntityAlreadyExists.
#[must_use]
pub fn exists(what: &str, name: &str) -> ApiError {
    let message = format!("{what} with name {name} already exists.");
    ApiError::new(StatusCode::CONFLICT, "EntityAlreadyExists", message)
}

/// 409 DeleteConflict.
#[must_use]
pub fn delete_conflict(message: &'static str) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "DeleteConflict", message)
}

/// 409 LimitExceeded: `errors::limit("UsersPerAccount", 5000)`.
#[must_use]
pub fn limit(quota: &str, limit: usize) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "LimitExceeded", format!("Cannot exceed quota for {quota}: {limit}"))
}

/// 400 ValidationError.
#[must_use]
pub fn validation(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "ValidationError", message.into())
}

/// 400 InvalidInput.
#[must_use]
pub fn invalid_input(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "InvalidInput", message.into())
}

/// 400 MalformedPolicyDocument; 409 LimitExceeded for one that is too long.
#[must_use]
pub fn policy(error: &PolicyError) -> ApiError {
    match error {
        PolicyError::Malformed(_) => {
            ApiError::new(StatusCode::BAD_REQUEST, "MalformedPolicyDocument", error.to_string())
        }
        PolicyError::TooLarge { .. } => {
            ApiError::new(StatusCode::CONFLICT, "LimitExceeded", error.to_string())
        }
    }
}
