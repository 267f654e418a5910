//! Roles.

use crate::catalog::identities::{Document, DocumentKind, Role, errors, key, limits, names};
use crate::catalog::{Tags, View};
use crate::error::ApiError;
use crate::policy::Context;

use super::call::{Answer, Call};
use super::show;
use super::users::prefix;

pub(super) async fn create(call: &Call<'_>) -> Answer {
    let name = call.form.required("RoleName")?;
    let path = call.form.get("Path").unwrap_or("/");
    let mut context = call.context();
    let tags = call.tags(&mut context)?;
    let boundary = call.boundary(&mut context)?;
    call.allow(&call.arn("role", path, name), context)?;
    let trust = call.form.required("AssumeRolePolicyDocument")?;
    let mut role = call.plane.directory.new_role(call.account, name, path, trust)?;
    names::check_tags(&tags)?;
    role.tags = tags;
    role.boundary.clone_from(&boundary);
    describe(call, &mut role)?;
    let account = call.account.to_owned();
    call.plane
        .directory
        .create(role.clone(), move |view| super::policies::exists(view, &account, boundary.as_deref()))
        .await?;
    Ok(show::part(|xml| {
        xml.element("Role", |xml| show::role(xml, &role, true));
    }))
}

/// What the request says of a role's description and sessions.
fn describe(call: &Call<'_>, role: &mut Role) -> Result<(), ApiError> {
    if let Some(text) = call.form.get("Description") {
        if text.chars().count() > limits::DESCRIPTION {
            return Err(errors::validation(format!(
                "description may have at most {} characters",
                limits::DESCRIPTION
            )));
        }
        role.description = text.to_owned();
    }
    if let Some(seconds) = call.form.number("MaxSessionDuration", &limits::SESSION)? {
        role.max_session = seconds;
    }
    Ok(())
}

pub(super) fn get(call: &Call<'_>) -> Answer {
    let role = call.role()?;
    Ok(show::part(|xml| {
        xml.element("Role", |xml| show::role(xml, &role, true));
    }))
}

pub(super) async fn update(call: &Call<'_>) -> Answer {
    let role = call.role()?;
    let mut described = Role::clone(&role);
    describe(call, &mut described)?;
    let (description, seconds) = (described.description, described.max_session);
    let change = move |_: &_, role: &mut Role| {
        role.description = description;
        role.max_session = seconds;
        Ok(())
    };
    call.plane.directory.edit(call.account, &role.name, change).await?;
    if call.action == "UpdateRoleDescription" {
        return get(call);
    }
    Ok(show::nothing())
}

pub(super) async fn update_trust(call: &Call<'_>) -> Answer {
    let role = call.role()?;
    let trust = Document::parse(call.form.required("PolicyDocument")?, DocumentKind::Trust)?;
    let change = move |_: &_, role: &mut Role| {
        role.trust = trust;
        Ok(())
    };
    call.plane.directory.edit(call.account, &role.name, change).await?;
    Ok(show::nothing())
}

pub(super) async fn delete(call: &Call<'_>) -> Answer {
    let role = call.role()?;
    call.plane.directory.delete::<Role>(call.account, &role.name).await?;
    Ok(show::nothing())
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let prefix = prefix(call)?;
    call.allow(&call.arn("role", prefix, "*"), call.context())?;
    let roles = call.view.identities.list::<Role>(call.account).filter(|role| role.path.starts_with(prefix));
    show::page(call, "Roles", roles, |role| key("", &role.name), |xml, role| show::role(xml, role, false))
}

pub(super) async fn tag(call: &Call<'_>) -> Answer {
    let mut keys = Context::new();
    let tags = call.tags(&mut keys)?;
    let role = call.holder_with::<Role>(|context| merge(context, &keys))?;
    let change = move |_: &_, role: &mut Role| {
        role.tags.extend(tags);
        names::check_tags(&role.tags)
    };
    call.plane.directory.edit(call.account, &role.name, change).await?;
    Ok(show::nothing())
}

pub(super) async fn untag(call: &Call<'_>) -> Answer {
    let keys: Vec<String> = call.form.list("TagKeys").into_iter().map(str::to_owned).collect();
    let role = call.holder_with::<Role>(|context| context.set_all("aws:TagKeys", keys.clone()))?;
    let change = move |_: &_, role: &mut Role| {
        role.tags.retain(|key, _| !keys.contains(key));
        Ok(())
    };
    call.plane.directory.edit(call.account, &role.name, change).await?;
    Ok(show::nothing())
}

pub(super) fn list_tags(call: &Call<'_>) -> Answer {
    let role = call.role()?;
    tag_list(call, &role.tags)
}

/// A page of tags.
pub(super) fn tag_list(call: &Call<'_>, tags: &Tags) -> Answer {
    show::page(
        call,
        "Tags",
        tags.iter(),
        |(key, _)| (*key).clone(),
        |xml, (key, value)| {
            xml.text("Key", key).text("Value", value);
        },
    )
}

/// Adds the keys of one context to another.
pub(super) fn merge(context: &mut Context, keys: &Context) {
    for (key, values) in keys.iter() {
        context.set_all(key, values.iter().map(String::as_str));
    }
}

pub(super) async fn set_boundary(call: &Call<'_>, boundary: Option<&str>) -> Answer {
    let boundary = boundary.map(str::to_owned);
    let role = call.holder_with::<Role>(|context| {
        if let Some(arn) = &boundary {
            context.set("iam:PermissionsBoundary", arn.as_str());
        }
    })?;
    let change = move |view: &View, role: &mut Role| {
        super::policies::exists(view, &role.account_id, boundary.as_deref())?;
        role.boundary = boundary;
        Ok(())
    };
    call.plane.directory.edit(call.account, &role.name, change).await?;
    Ok(show::nothing())
}
