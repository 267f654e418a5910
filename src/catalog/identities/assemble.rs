//! The policies that bound a user or a role, from the records of a view. Nothing is parsed here.

use std::sync::Arc;

use crate::catalog::View;
use crate::policy::{Attached, Identity, Issuer};

use super::document::Document;
use super::records::{Group, Policies, Role, User};

/// A policy that bounds somebody and is gone or cannot be read: whoever has it is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is gone or cannot be read")]
pub struct Unreadable(String);

/// What bounds a user.
///
/// # Errors
/// [`Unreadable`].
pub fn user(view: &View, user: &User) -> Result<Identity, Unreadable> {
    let whose = format!("user {}", user.name);
    let mut policies = Vec::new();
    add(view, &user.account_id, &user.policies, &whose, &mut policies)?;
    for name in &user.groups {
        let group = view.identities.get::<Group>(&user.account_id, name);
        let group = group.ok_or_else(|| Unreadable(format!("group {name} of {whose}")))?;
        add(view, &user.account_id, &group.policies, &format!("group {}", group.name), &mut policies)?;
    }
    Ok(Identity {
        policies,
        boundary: boundary(view, &user.account_id, user.boundary.as_deref(), &whose)?,
        tags: user.tags.clone(),
        ..Identity::default()
    })
}

/// What bounds a role, and so its sessions.
///
/// # Errors
/// [`Unreadable`].
pub fn role(view: &View, role: &Role) -> Result<Identity, Unreadable> {
    let whose = format!("role {}", role.name);
    let mut policies = Vec::new();
    add(view, &role.account_id, &role.policies, &whose, &mut policies)?;
    Ok(Identity {
        policies,
        boundary: boundary(view, &role.account_id, role.boundary.as_deref(), &whose)?,
        tags: role.tags.clone(),
        issuer: Some(Issuer {
            kind: "Role",
            arn: role.arn(),
            principal_id: role.id.clone(),
            name: role.name.clone(),
        }),
        ..Identity::default()
    })
}

/// The version of a managed policy that counts.
///
/// # Errors
/// [`Unreadable`].
pub fn managed(view: &View, account: &str, arn: &str, whose: &str) -> Result<Attached, Unreadable> {
    let label = format!("the policy {} of {whose}", arn.rsplit('/').next().unwrap_or(arn));
    let policy = view.identities.policy(account, arn);
    let version = policy.as_deref().and_then(|policy| policy.default());
    attached(version.map(|version| &version.document), label)
}

fn add(
    view: &View,
    account: &str,
    policies: &Policies,
    whose: &str,
    into: &mut Vec<Attached>,
) -> Result<(), Unreadable> {
    for (name, document) in &policies.inline {
        into.push(attached(Some(document), format!("the inline policy {name} of {whose}"))?);
    }
    for arn in &policies.attached {
        into.push(managed(view, account, arn, whose)?);
    }
    Ok(())
}

fn boundary(
    view: &View,
    account: &str,
    arn: Option<&str>,
    whose: &str,
) -> Result<Option<Attached>, Unreadable> {
    arn.map(|arn| managed(view, account, arn, &format!("{whose}, its boundary"))).transpose()
}

fn attached(document: Option<&Document>, label: String) -> Result<Attached, Unreadable> {
    match document.and_then(Document::policy) {
        Some(policy) => Ok(Attached { label: label.into(), policy: Arc::clone(policy) }),
        None => Err(Unreadable(label)),
    }
}
