//! The STS plane: temporary credentials by AWS's query API, 2011-06-15.
//!
//! - [`assume`]: AssumeRole. [`web_identity`]: AssumeRoleWithWebIdentity, by [`oidc`]. [`session`]: GetSessionToken and
//!   GetFederationToken. [`identity`]: who is asking.
//! - [`trust`]: whether a role's trust policy lets somebody in. [`request`]: what the operations have in common.

use std::sync::Arc;

use axum::body::Body;
use http::{Response, StatusCode};

use crate::auth::Principal;
use crate::catalog::{Accounts, Directory, Keys};
use crate::error::ApiError;
use crate::policy::{self, Context};
use crate::query::{Form, answer};
use crate::xml::Xml;

mod assume;
mod identity;
pub mod oidc;
mod request;
mod session;
#[cfg(test)]
mod tests;
mod trust;
mod web_identity;

pub(crate) use trust::check_service;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The plane.
#[derive(Debug)]
pub struct StsPlane {
    /// Identities.
    pub directory: Directory,
    /// Makes sessions.
    pub keys: Arc<Keys>,
    /// Accounts.
    pub accounts: Accounts,
    /// Identity providers.
    pub oidc: oidc::Oidc,
}

/// One request.
struct Call<'a> {
    plane: &'a StsPlane,
    form: &'a Form,
    action: &'a str,
    context: Context,
}

/// What an operation answers: the inside of its result.
type Answer = Result<Xml, ApiError>;

impl StsPlane {
    /// Answers a request; one without a signature may only bring a token of an identity provider. `context` holds the
    /// condition keys of the request.
    ///
    /// # Errors
    /// What the operation says; the caller renders it by [`answer::error`].
    pub async fn call(
        &self,
        principal: Option<&Principal>,
        form: &Form,
        context: Context,
        request_id: &str,
    ) -> Result<Response<Body>, ApiError> {
        let action = form.get("Action").unwrap_or_default();
        let call = Call { plane: self, form, action, context };
        let result = match (action, principal) {
            ("AssumeRoleWithWebIdentity", _) => Box::pin(web_identity::assume(&call)).await?,
            (_, None) => {
                return Err(ApiError::new(
                    StatusCode::FORBIDDEN,
                    "MissingAuthenticationToken",
                    "Request is missing Authentication Token",
                ));
            }
            ("AssumeRole", Some(caller)) => assume::assume(&call, caller)?,
            ("GetCallerIdentity", Some(caller)) => identity::caller(caller),
            ("GetSessionToken", Some(caller)) => session::session_token(&call, caller)?,
            ("GetFederationToken", Some(caller)) => session::federation_token(&call, caller)?,
            ("GetAccessKeyInfo", Some(caller)) => identity::key_info(&call, caller)?,
            ("DecodeAuthorizationMessage", Some(caller)) => {
                policy::authorize_action(caller, "sts:DecodeAuthorizationMessage", "*", call.context)?;
                return Err(ApiError::new(
                    StatusCode::BAD_REQUEST,
                    "InvalidAuthorizationMessageException",
                    "The message is not one of this server's: it sends none that is encoded",
                ));
            }
            (action, Some(caller)) if policy::is_action("sts", action) => {
                policy::authorize_action(caller, &format!("sts:{action}"), "*", call.context)?;
                return Err(ApiError::not_implemented(format!("{action} is not implemented")));
            }
            (action, Some(_)) => {
                return Err(ApiError::new(
                    StatusCode::BAD_REQUEST,
                    "InvalidAction",
                    format!("Could not find operation {action} for version 2011-06-15"),
                ));
            }
        };
        Ok(answer::document(NAMESPACE, action, result, request_id))
    }
}
