//! Managed policies and their versions.

use std::sync::Arc;

use crate::catalog::View;
use crate::catalog::identities::directory::find_policy;
use crate::catalog::identities::{
    Document, DocumentKind, ManagedPolicy, PolicyVersion, errors, key, limits, managed, names,
};
use crate::error::ApiError;
use crate::policy::Context;

use super::call::{Answer, Call, add_tags};
use super::show;
use super::users::prefix;

/// Whether a policy that a record refers to is there.
pub(super) fn exists(view: &View, account: &str, arn: Option<&str>) -> Result<(), ApiError> {
    arn.map_or(Ok(()), |arn| find_policy(view, account, arn).map(drop))
}

/// The policy that the request names, where the caller may do the operation on it.
fn named(call: &Call<'_>) -> Result<Arc<ManagedPolicy>, ApiError> {
    named_with(call, call.context())
}

fn named_with(call: &Call<'_>, mut context: Context) -> Result<Arc<ManagedPolicy>, ApiError> {
    let arn = call.form.required("PolicyArn")?;
    let found = find_policy(&call.view, call.account, arn);
    if let Ok(policy) = &found {
        add_tags(&mut context, &["iam:ResourceTag", "aws:ResourceTag"], &policy.tags);
    }
    call.allow(arn, context)?;
    found
}

/// The same, for a change: those that every account has stay as they are.
fn own(call: &Call<'_>) -> Result<Arc<ManagedPolicy>, ApiError> {
    own_with(call, call.context())
}

fn own_with(call: &Call<'_>, context: Context) -> Result<Arc<ManagedPolicy>, ApiError> {
    let policy = named_with(call, context)?;
    if policy.account_id == managed::ACCOUNT {
        return Err(ApiError::access_denied(format!("{} of a policy of AWS's", call.action)));
    }
    Ok(policy)
}

pub(super) async fn create(call: &Call<'_>) -> Answer {
    let name = call.form.required("PolicyName")?;
    let path = call.form.get("Path").unwrap_or("/");
    let mut context = call.context();
    let tags = call.tags(&mut context)?;
    call.allow(&call.arn("policy", path, name), context)?;
    names::check_tags(&tags)?;
    let text = call.form.required("PolicyDocument")?;
    let mut policy = call.plane.directory.new_policy(call.account, name, path, text)?;
    policy.tags = tags;
    let description = call.form.get("Description").unwrap_or_default();
    if description.chars().count() > limits::DESCRIPTION {
        return Err(errors::validation(format!(
            "description may have at most {} characters",
            limits::DESCRIPTION
        )));
    }
    policy.description = description.to_owned();
    call.plane.directory.create(policy.clone(), |_| Ok(())).await?;
    Ok(show::part(|xml| {
        xml.element("Policy", |xml| show::policy(xml, &call.view, call.account, &policy, true));
    }))
}

pub(super) fn get(call: &Call<'_>) -> Answer {
    let policy = named(call)?;
    Ok(show::part(|xml| {
        xml.element("Policy", |xml| show::policy(xml, &call.view, call.account, &policy, true));
    }))
}

pub(super) async fn delete(call: &Call<'_>) -> Answer {
    let policy = own(call)?;
    call.plane.directory.delete::<ManagedPolicy>(call.account, &policy.name).await?;
    Ok(show::nothing())
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let prefix = prefix(call)?;
    call.allow_any()?;
    let scope = call.form.get("Scope").unwrap_or("All");
    let only_attached = call.form.get("OnlyAttached") == Some("true");
    let as_boundary = call.form.get("PolicyUsageFilter") == Some("PermissionsBoundary");
    let aws = managed::all().filter(|_| scope != "Local");
    let own = call.view.identities.list::<ManagedPolicy>(call.account).filter(|_| scope != "AWS");
    let mut policies: Vec<&Arc<ManagedPolicy>> = aws
        .chain(own)
        .filter(|policy| policy.path.starts_with(prefix))
        .filter(|policy| {
            let (attached, boundaries) = call.view.identities.attachments(call.account, &policy.arn());
            let used = if as_boundary { boundaries } else { attached };
            !(only_attached || as_boundary) || used > 0
        })
        .collect();
    policies.sort_by_key(|policy| sorted(policy));
    show::page(
        call,
        "Policies",
        policies.into_iter(),
        |policy| sorted(policy),
        |xml, policy| show::policy(xml, &call.view, call.account, policy, false),
    )
}

fn sorted(policy: &ManagedPolicy) -> String {
    format!("{} {}", key("", &policy.name), policy.account_id)
}

pub(super) async fn create_version(call: &Call<'_>) -> Answer {
    let policy = own(call)?;
    let document = Document::parse(call.form.required("PolicyDocument")?, DocumentKind::Managed)?;
    let as_default = call.form.get("SetAsDefault") == Some("true");
    let created = call.plane.directory.now();
    let change = move |_: &_, policy: &mut ManagedPolicy| {
        if policy.versions.len() >= limits::VERSIONS {
            return Err(errors::limit("PolicyVersionsPerPolicy", limits::VERSIONS));
        }
        let number = policy.next_version;
        policy.next_version += 1;
        policy.updated = created;
        policy.versions.push(PolicyVersion { number, created, document });
        if as_default {
            policy.default_version = number;
        }
        Ok(())
    };
    call.plane.directory.edit(call.account, &policy.name, change).await?;
    let policy = call.plane.directory.get::<ManagedPolicy>(call.account, &policy.name)?;
    Ok(show::part(|xml| {
        if let Some(version) = policy.versions.last() {
            xml.element("PolicyVersion", |xml| show::version(xml, &policy, version, false));
        }
    }))
}

/// The number of the version that the request names.
fn number(call: &Call<'_>) -> Result<u32, ApiError> {
    let text = call.form.required("VersionId")?;
    text.strip_prefix('v').and_then(|number| number.parse().ok()).ok_or_else(|| {
        errors::validation(format!("Value '{text}' at 'versionId' must be a version, such as v1"))
    })
}

fn no_version(arn: &str, number: u32) -> ApiError {
    errors::no_such_entity(format!("Policy {arn} version v{number} does not exist or is not attachable."))
}

pub(super) fn get_version(call: &Call<'_>) -> Answer {
    let (policy, number) = (named(call)?, number(call)?);
    let version = policy.version(number).ok_or_else(|| no_version(&policy.arn(), number))?;
    Ok(show::part(|xml| {
        xml.element("PolicyVersion", |xml| show::version(xml, &policy, version, true));
    }))
}

pub(super) fn list_versions(call: &Call<'_>) -> Answer {
    let policy = named(call)?;
    // The newest first; the marker is what sorts that way.
    let order = |version: &&PolicyVersion| format!("{:010}", u32::MAX - version.number);
    show::page(call, "Versions", policy.versions.iter().rev(), order, |xml, version| {
        show::version(xml, &policy, version, false);
    })
}

pub(super) async fn delete_version(call: &Call<'_>) -> Answer {
    let (policy, number) = (own(call)?, number(call)?);
    let updated = call.plane.directory.now();
    let change = move |_: &_, policy: &mut ManagedPolicy| {
        if policy.version(number).is_none() {
            return Err(no_version(&policy.arn(), number));
        }
        if policy.default_version == number {
            return Err(errors::delete_conflict("Cannot delete the default version of a policy."));
        }
        policy.versions.retain(|version| version.number != number);
        policy.updated = updated;
        Ok(())
    };
    call.plane.directory.edit(call.account, &policy.name, change).await?;
    Ok(show::nothing())
}

pub(super) async fn set_default(call: &Call<'_>) -> Answer {
    let (policy, number) = (own(call)?, number(call)?);
    let updated = call.plane.directory.now();
    let change = move |_: &_, policy: &mut ManagedPolicy| {
        if policy.version(number).is_none() {
            return Err(no_version(&policy.arn(), number));
        }
        policy.default_version = number;
        policy.updated = updated;
        Ok(())
    };
    call.plane.directory.edit(call.account, &policy.name, change).await?;
    Ok(show::nothing())
}

pub(super) async fn tag(call: &Call<'_>) -> Answer {
    let mut context = call.context();
    let tags = call.tags(&mut context)?;
    let policy = own_with(call, context)?;
    let change = move |_: &_, policy: &mut ManagedPolicy| {
        policy.tags.extend(tags);
        names::check_tags(&policy.tags)
    };
    call.plane.directory.edit(call.account, &policy.name, change).await?;
    Ok(show::nothing())
}

pub(super) async fn untag(call: &Call<'_>) -> Answer {
    let policy = own(call)?;
    let keys: Vec<String> = call.form.list("TagKeys").into_iter().map(str::to_owned).collect();
    let change = move |_: &_, policy: &mut ManagedPolicy| {
        policy.tags.retain(|key, _| !keys.contains(key));
        Ok(())
    };
    call.plane.directory.edit(call.account, &policy.name, change).await?;
    Ok(show::nothing())
}

pub(super) fn list_tags(call: &Call<'_>) -> Answer {
    let policy = named(call)?;
    super::roles::tag_list(call, &policy.tags)
}
