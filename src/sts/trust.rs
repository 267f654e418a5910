//! Whether somebody may assume a role: the trust policy must say so, whoever asks; others than it names directly need
//! a permission of their own beside it.

use crate::auth::Principal;
use crate::catalog::identities::{Role, managed};
use crate::error::ApiError;
use crate::policy::caller::{Bounds, Caller, add_caller_keys, allowed};
use crate::policy::{Context, Labelled, Outcome, Policy, PolicySet, PrincipalView, Request, evaluate};

fn trust(role: &Role) -> Result<&Policy, ApiError> {
    let policy = role.trust.policy().map(AsRef::as_ref);
    policy
        .ok_or_else(|| ApiError::access_denied(format!("the trust policy of {} cannot be read", role.arn())))
}

/// Whether a signed caller may do `action` on a role.
///
/// # Errors
/// 403 AccessDenied.
pub(super) fn check_caller(
    caller: &Principal,
    account_name: String,
    role: &Role,
    action: &str,
    context: &Context,
) -> Result<(), ApiError> {
    let mut context = context.clone();
    add_caller_keys(&mut context, Some(caller));
    add_role_keys(&mut context, role);
    let label = format!("the trust policy of role {}", role.name);
    let trust = [Labelled { label: &label, policy: trust(role)? }];
    let known = Caller::new(caller, Some(account_name));
    let (view, arn, bounds) = (known.view(), role.arn(), Bounds::of(&caller.identity));
    let request = Request { principal: &view, action, resource: &arn, context: &context };
    let set = bounds.with(&trust, caller.account_id == role.account_id);
    allowed(caller, action, &arn, &evaluate(&set, &request))?;
    // In one account the caller's own policies are enough for most resources; a role's trust policy must speak too.
    let all = managed::get("arn:aws:iam::aws:policy/AdministratorAccess");
    let all = all.as_deref().and_then(|policy| policy.default()?.document.policy());
    let all = all.ok_or_else(|| ApiError::internal("AdministratorAccess is not there"))?;
    let everything = [Labelled { label: "AdministratorAccess", policy: all }];
    let set = PolicySet { identity: &everything, resource: &trust, ..PolicySet::default() };
    allowed(caller, action, &arn, &evaluate(&set, &request))
}

/// Whether the bearer of a provider's token may do `action` on a role.
///
/// # Errors
/// 403 AccessDenied.
pub(super) fn check_bearer(
    provider: &str,
    role: &Role,
    action: &str,
    context: &Context,
) -> Result<(), ApiError> {
    let mut context = context.clone();
    add_role_keys(&mut context, role);
    let label = format!("the trust policy of role {}", role.name);
    let trust = [Labelled { label: &label, policy: trust(role)? }];
    let (view, arn) = (PrincipalView::web_identity(provider), role.arn());
    let request = Request { principal: &view, action, resource: &arn, context: &context };
    let decision = evaluate(&PolicySet { resource: &trust, ..PolicySet::default() }, &request);
    if decision.effect == Outcome::Allow {
        return Ok(());
    }
    Err(ApiError::access_denied(format!("{action} by a token of {provider} on {arn}: {decision}")))
}

/// Whether a service may assume a role, by the role's trust policy alone; says why not. `context` holds what the service
/// says of what it does it for.
pub(crate) fn check_service(service: &str, role: &Role, mut context: Context) -> Result<(), String> {
    let policy = role.trust.policy().ok_or_else(|| "its trust policy cannot be read".to_owned())?;
    context.set("aws:PrincipalIsAWSService", "true");
    context.set("aws:PrincipalServiceName", service);
    add_role_keys(&mut context, role);
    let label = format!("the trust policy of role {}", role.name);
    let trust = [Labelled { label: &label, policy }];
    let (view, arn) = (PrincipalView::service(service), role.arn());
    let request = Request { principal: &view, action: "sts:AssumeRole", resource: &arn, context: &context };
    let decision = evaluate(&PolicySet { resource: &trust, ..PolicySet::default() }, &request);
    if decision.effect == Outcome::Allow { Ok(()) } else { Err(decision.to_string()) }
}

fn add_role_keys(context: &mut Context, role: &Role) {
    for (key, value) in &role.tags {
        context.set(&format!("iam:ResourceTag/{key}"), value.as_str());
        context.set(&format!("aws:ResourceTag/{key}"), value.as_str());
    }
    context.set("aws:ResourceAccount", role.account_id.as_str());
}
