//! Users.

use crate::catalog::identities::{User, errors, key, names};
use crate::error::ApiError;
use crate::xml::Xml;

use super::call::{Answer, Call};
use super::show;

pub(super) async fn create(call: &Call<'_>) -> Answer {
    let name = call.form.required("UserName")?;
    let path = call.form.get("Path").unwrap_or("/");
    let mut context = call.context();
    let tags = call.tags(&mut context)?;
    let boundary = call.boundary(&mut context)?;
    call.allow(&call.arn("user", path, name), context)?;
    let mut user = call.plane.directory.new_user(call.account, name, path, tags)?;
    user.boundary.clone_from(&boundary);
    let account = call.account.to_owned();
    let written = user.clone();
    call.plane
        .directory
        .create(written, move |view| super::policies::exists(view, &account, boundary.as_deref()))
        .await?;
    Ok(show::part(|xml| {
        xml.element("User", |xml| show::user(xml, &user, true));
    }))
}

pub(super) fn get(call: &Call<'_>) -> Answer {
    let user = call.user_or_caller()?;
    Ok(show::part(|xml| {
        xml.element("User", |xml| match user {
            Some(user) => show::user(xml, &user, true),
            None => root(call, xml),
        });
    }))
}

/// The root of the account, as GetUser shows it.
fn root(call: &Call<'_>, xml: &mut Xml) {
    let account = call.plane.accounts.get(call.account);
    xml.text("Path", "/")
        .text("UserName", &call.plane.accounts.name(call.account))
        .text("UserId", call.account)
        .text("Arn", &call.caller.arn);
    if let Some(account) = account {
        xml.text("CreateDate", &crate::query::answer::date(account.created));
    }
}

pub(super) async fn update(call: &Call<'_>) -> Answer {
    let user = call.holder::<User>()?;
    let (name, path) = (call.form.get("NewUserName"), call.form.get("NewPath"));
    let target = call.arn("user", path.unwrap_or(&user.path), name.unwrap_or(&user.name));
    call.allow(&target, call.context())?;
    call.plane.directory.update_user(call.account, &user.name, name, path).await?;
    Ok(show::nothing())
}

pub(super) async fn delete(call: &Call<'_>) -> Answer {
    let user = call.holder::<User>()?;
    call.plane.directory.delete::<User>(call.account, &user.name).await?;
    Ok(show::nothing())
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let prefix = prefix(call)?;
    call.allow(&call.arn("user", prefix, "*"), call.context())?;
    let users = call.view.identities.list::<User>(call.account).filter(|user| user.path.starts_with(prefix));
    show::page(call, "Users", users, |user| key("", &user.name), |xml, user| show::user(xml, user, false))
}

/// The paths that a list is about.
pub(super) fn prefix<'a>(call: &Call<'a>) -> Result<&'a str, ApiError> {
    let prefix = call.form.get("PathPrefix").unwrap_or("/");
    if prefix.starts_with('/') { Ok(prefix) } else { Err(errors::validation("pathPrefix must begin with /")) }
}

pub(super) async fn tag(call: &Call<'_>) -> Answer {
    let mut keys = call.context();
    let tags = call.tags(&mut keys)?;
    let user = call.holder_with::<User>(|context| super::roles::merge(context, &keys))?;
    let change = move |_: &_, user: &mut User| {
        user.tags.extend(tags);
        names::check_tags(&user.tags)
    };
    call.plane.directory.edit(call.account, &user.name, change).await?;
    Ok(show::nothing())
}

pub(super) async fn untag(call: &Call<'_>) -> Answer {
    let keys: Vec<String> = call.form.list("TagKeys").into_iter().map(str::to_owned).collect();
    let user = call.holder_with::<User>(|context| context.set_all("aws:TagKeys", keys.clone()))?;
    let change = move |_: &_, user: &mut User| {
        user.tags.retain(|key, _| !keys.contains(key));
        Ok(())
    };
    call.plane.directory.edit(call.account, &user.name, change).await?;
    Ok(show::nothing())
}

pub(super) fn list_tags(call: &Call<'_>) -> Answer {
    let user = call.holder::<User>()?;
    super::roles::tag_list(call, &user.tags)
}

pub(super) async fn set_boundary(call: &Call<'_>, boundary: Option<&str>) -> Answer {
    let boundary = boundary.map(str::to_owned);
    let user = call.holder_with::<User>(|context| {
        if let Some(arn) = &boundary {
            context.set("iam:PermissionsBoundary", arn.as_str());
        }
    })?;
    let change = move |view: &crate::catalog::View, user: &mut User| {
        super::policies::exists(view, &user.account_id, boundary.as_deref())?;
        user.boundary = boundary;
        Ok(())
    };
    call.plane.directory.edit(call.account, &user.name, change).await?;
    Ok(show::nothing())
}
