//! The execution role of a function: whether Lambda may assume it, and who its sessions are.

use std::sync::Arc;

use jiff::Timestamp;

use crate::auth::{Principal, PrincipalKind};
use crate::catalog::View;
use crate::catalog::identities::Role;
use crate::catalog::identities::assemble::{self, Unreadable};
use crate::policy::Context;
use crate::policy::caller::add_time_keys;
use crate::sts;

/// The service that runs functions, as policies name it.
pub const SERVICE: &str = "lambda.amazonaws.com";

/// Why Lambda does not assume a role, for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAssumed(String);

/// What a client reads where a role is not there, or does not let Lambda in.
pub const NOT_ASSUMED: &str = "The role defined for the function cannot be assumed by Lambda.";

/// The role of an ARN, where its trust policy lets Lambda assume it for a function.
///
/// # Errors
/// [`NotAssumed`].
pub fn assumable<'v>(
    view: &'v View,
    role: &str,
    function_arn: &str,
    now: Timestamp,
) -> Result<&'v Arc<Role>, NotAssumed> {
    let found = view.identities.role(role).ok_or_else(|| NotAssumed(format!("there is no role {role}")))?;
    let mut context = Context::new()
        .with("aws:SourceArn", function_arn)
        .with_some("aws:SourceAccount", function_arn.split(':').nth(4).map(str::to_owned));
    add_time_keys(&mut context, now);
    sts::check_service(SERVICE, found, context).map_err(|why| NotAssumed(format!("{role}: {why}")))?;
    Ok(found)
}

/// A role as a running function has it: another role of its name is another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumed {
    account_id: String,
    name: String,
    id: String,
    session: String,
    function_arn: String,
    issued: Timestamp,
}

impl Assumed {
    /// Of a role, by a function.
    #[must_use]
    pub fn new(role: &Role, function: &str, function_arn: &str, now: Timestamp) -> Self {
        Self {
            account_id: role.account_id.clone(),
            name: role.name.clone(),
            id: role.id.clone(),
            session: function.to_owned(),
            function_arn: function_arn.to_owned(),
            issued: now,
        }
    }

    /// Who the function is now, bound by what the role's policies say now; `None` once the role is gone.
    ///
    /// # Errors
    /// A policy of the role's is gone or cannot be read: then the function may do nothing.
    pub fn principal(&self, view: &View, access_key_id: &str) -> Result<Option<Principal>, Unreadable> {
        let Self { account_id, name, id, session, .. } = self;
        let role = view.identities.get::<Role>(account_id, name).filter(|role| role.id == *id);
        let Some(role) = role else { return Ok(None) };
        let mut identity = assemble::role(view, role)?;
        let issued = self.issued.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        identity.keys.push(("aws:TokenIssueTime".to_owned(), vec![issued]));
        identity.keys.push(("lambda:SourceFunctionArn".to_owned(), vec![self.function_arn.clone()]));
        Ok(Some(Principal {
            kind: PrincipalKind::AssumedRole,
            account_id: account_id.clone(),
            principal_id: format!("{id}:{session}"),
            arn: format!("arn:aws:sts::{account_id}:assumed-role/{}/{session}", role.name),
            user_name: None,
            access_key_id: access_key_id.to_owned(),
            identity: Arc::new(identity),
        }))
    }
}
