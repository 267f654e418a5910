//! The IAM plane: users, groups, roles, policies, keys and identity providers by AWS's query API, 2010-05-08.
//!
//! - [`operations`]: the table of operations. One file an operation family.
//! - [`call`]: one request: its fields, its caller, whether that may. [`show`]: what answers are made of.

use std::sync::Arc;

use axum::body::Body;
use http::Response;

use crate::auth::Principal;
use crate::catalog::{Accounts, Directory, Keys};
use crate::error::ApiError;
use crate::policy::Context;
use crate::query::{Form, answer};

mod account;
mod attached;
mod call;
mod groups;
mod holder;
mod inline;
mod keys;
mod operations;
mod policies;
mod providers;
mod roles;
mod show;
mod simulate;
#[cfg(test)]
mod tests;
mod users;

use call::Call;
pub(crate) use providers::is_listed;

const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// The plane.
#[derive(Debug, Clone)]
pub struct IamPlane {
    /// Identities.
    pub directory: Directory,
    /// Access keys.
    pub keys: Arc<Keys>,
    /// Accounts.
    pub accounts: Accounts,
    /// Hosts whose identity providers may be without TLS.
    pub http_hosts: Arc<[String]>,
}

impl IamPlane {
    /// Answers a request. `context` holds the condition keys of the request.
    ///
    /// # Errors
    /// What the operation says; the caller renders it by [`answer::error`].
    pub async fn call(
        &self,
        principal: &Principal,
        form: &Form,
        context: Context,
        request_id: &str,
    ) -> Result<Response<Body>, ApiError> {
        let action = form.get("Action").unwrap_or_default();
        let call = Call::new(self, principal, form, action, context);
        call.check_session()?;
        let result = operations::run(&call).await?;
        Ok(answer::document(NAMESPACE, action, result, request_id))
    }
}
