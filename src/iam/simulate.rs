//! SimulatePrincipalPolicy and SimulateCustomPolicy: what the policies of somebody, or those that come with the
//! request, say of actions and resources.

use std::sync::Arc;

use crate::auth::{Principal, PrincipalKind};
use crate::catalog::identities::{Document, DocumentKind, Role, User, assemble, errors};
use crate::error::ApiError;
use crate::policy::Request;
use crate::policy::caller::{Bounds, Caller, add_caller_keys};
use crate::policy::{Attached, Context, Identity, Outcome, evaluate};
use crate::xml::Xml;

use super::call::{Answer, Call};
use super::show;

/// Pairs of action and resource of one request.
const PAIRS: usize = 1_000;

/// SimulateCustomPolicy.
pub(super) fn custom(call: &Call<'_>) -> Answer {
    call.allow_any()?;
    let mut identity = Identity { policies: inputs(call, "PolicyInputList")?, ..Identity::default() };
    let boundary = inputs(call, "PermissionsBoundaryPolicyInputList")?;
    identity.boundary = boundary.into_iter().next();
    let arn = call.form.get("CallerArn").unwrap_or(&call.caller.arn).to_owned();
    let caller =
        Principal { kind: PrincipalKind::User, arn, identity: Arc::new(identity), ..call.caller.clone() };
    results(call, &caller)
}

/// SimulatePrincipalPolicy.
pub(super) fn principal(call: &Call<'_>) -> Answer {
    let arn = call.form.required("PolicySourceArn")?;
    call.allow(arn, call.context())?;
    let unreadable = |error: assemble::Unreadable| ApiError::internal(error.to_string());
    let all = &call.view.identities;
    let user = all.list::<User>(call.account).find(|user| user.arn() == arn);
    let role = all.list::<Role>(call.account).find(|role| role.arn() == arn);
    let (mut identity, id, name) = match (user, role) {
        (Some(user), _) => {
            (assemble::user(&call.view, user).map_err(unreadable)?, user.id.clone(), Some(user.name.clone()))
        }
        (_, Some(role)) => (assemble::role(&call.view, role).map_err(unreadable)?, role.id.clone(), None),
        _ => {
            return Err(errors::no_such_entity(format!("There is no user or role with the ARN {arn}.")));
        }
    };
    identity.policies.extend(inputs(call, "PolicyInputList")?);
    if let Some(boundary) = inputs(call, "PermissionsBoundaryPolicyInputList")?.into_iter().next() {
        identity.boundary = Some(boundary);
    }
    let caller = Principal {
        kind: if user.is_some() { PrincipalKind::User } else { PrincipalKind::AssumedRole },
        arn: call.form.get("CallerArn").unwrap_or(arn).to_owned(),
        principal_id: id,
        user_name: name,
        identity: Arc::new(identity),
        ..call.caller.clone()
    };
    results(call, &caller)
}

fn inputs(call: &Call<'_>, list: &str) -> Result<Vec<Attached>, ApiError> {
    let texts = call.form.list(list);
    let policies = texts.into_iter().enumerate().map(|(index, text)| {
        let document = Document::parse(text, DocumentKind::Managed)?;
        let policy = document.policy().cloned();
        let policy = policy.ok_or_else(|| ApiError::internal("a parsed document has no policy"))?;
        Ok(Attached { label: format!("{list}.{}", index + 1).into(), policy })
    });
    policies.collect()
}

fn results(call: &Call<'_>, caller: &Principal) -> Answer {
    let actions = call.form.list("ActionNames");
    let mut resources = call.form.list("ResourceArns");
    if resources.is_empty() {
        resources.push("*");
    }
    if actions.is_empty() || actions.len().saturating_mul(resources.len()) > PAIRS {
        return Err(errors::invalid_input(format!(
            "ActionNames must not be empty, and a request may have {PAIRS} pairs of action and resource"
        )));
    }
    let mut context = Context::new();
    add_caller_keys(&mut context, Some(caller));
    for (_, entry) in call.form.members("ContextEntries") {
        let Some(key) = entry.get("ContextKeyName") else { continue };
        let values: Vec<&str> = entry
            .iter()
            .filter(|(field, _)| field.starts_with("ContextKeyValues.member."))
            .map(|(_, value)| *value)
            .collect();
        context.set_all(key, values);
    }
    let (known, bounds) = (Caller::new(caller, None), Bounds::of(&caller.identity));
    let (view, set) = (known.view(), bounds.with(&[], true));
    Ok(show::part(|xml| {
        xml.element("EvaluationResults", |xml| {
            for action in actions {
                for resource in &resources {
                    let request = Request { principal: &view, action, resource, context: &context };
                    let decision = evaluate(&set, &request);
                    xml.element("member", |xml| result(xml, action, resource, &decision));
                }
            }
        });
        xml.text("IsTruncated", "false");
    }))
}

fn result(xml: &mut Xml, action: &str, resource: &str, decision: &crate::policy::Decision<'_>) {
    let word = match decision.effect {
        Outcome::Allow => "allowed",
        Outcome::ExplicitDeny => "explicitDeny",
        Outcome::ImplicitDeny => "implicitDeny",
    };
    xml.text("EvalActionName", action)
        .text("EvalResourceName", resource)
        .text("EvalDecision", word)
        .element("MatchedStatements", |xml| {
            if let Some(found) = decision.found() {
                xml.element("member", |xml| {
                    xml.text("SourcePolicyId", found.label);
                });
            }
        })
        .element("MissingContextValues", |_| {});
}
