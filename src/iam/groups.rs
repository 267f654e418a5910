//! Groups and who is in them.

use crate::catalog::identities::{Group, User, errors, key, limits};

use super::call::{Answer, Call};
use super::show;
use super::users::prefix;

pub(super) async fn create(call: &Call<'_>) -> Answer {
    let name = call.form.required("GroupName")?;
    let path = call.form.get("Path").unwrap_or("/");
    call.allow(&call.arn("group", path, name), call.context())?;
    let group = call.plane.directory.new_group(call.account, name, path)?;
    call.plane.directory.create(group.clone(), |_| Ok(())).await?;
    Ok(show::part(|xml| {
        xml.element("Group", |xml| show::group(xml, &group));
    }))
}

pub(super) fn get(call: &Call<'_>) -> Answer {
    let group = call.holder::<Group>()?;
    let lower = group.name.to_ascii_lowercase();
    let users = call.view.identities.list::<User>(call.account).filter(|user| user.groups.contains(&lower));
    let members = show::page(
        call,
        "Users",
        users,
        |user| key("", &user.name),
        |xml, user| show::user(xml, user, false),
    )?;
    Ok(show::part(|xml| {
        xml.element("Group", |xml| show::group(xml, &group));
        xml.fragment_in(&members.into_string());
    }))
}

pub(super) async fn update(call: &Call<'_>) -> Answer {
    let group = call.holder::<Group>()?;
    let (name, path) = (call.form.get("NewGroupName"), call.form.get("NewPath"));
    let target = call.arn("group", path.unwrap_or(&group.path), name.unwrap_or(&group.name));
    call.allow(&target, call.context())?;
    call.plane.directory.update_group(call.account, &group.name, name, path).await?;
    Ok(show::nothing())
}

pub(super) async fn delete(call: &Call<'_>) -> Answer {
    let group = call.holder::<Group>()?;
    call.plane.directory.delete::<Group>(call.account, &group.name).await?;
    Ok(show::nothing())
}

pub(super) fn list(call: &Call<'_>) -> Answer {
    let prefix = prefix(call)?;
    call.allow(&call.arn("group", prefix, "*"), call.context())?;
    let groups = call.view.identities.list::<Group>(call.account);
    let groups = groups.filter(|group| group.path.starts_with(prefix));
    show::page(call, "Groups", groups, |group| key("", &group.name), |xml, group| show::group(xml, group))
}

pub(super) async fn add_user(call: &Call<'_>) -> Answer {
    let group = call.holder::<Group>()?;
    let user = call.form.required("UserName")?;
    let lower = group.name.to_ascii_lowercase();
    let change = move |view: &crate::catalog::View, user: &mut User| {
        if view.identities.get::<Group>(&user.account_id, &lower).is_none() {
            return Err(errors::absent("group", &lower));
        }
        user.groups.insert(lower);
        if user.groups.len() > limits::GROUPS_PER_USER {
            return Err(errors::limit("GroupsPerUser", limits::GROUPS_PER_USER));
        }
        Ok(())
    };
    call.plane.directory.edit(call.account, user, change).await?;
    Ok(show::nothing())
}

pub(super) async fn remove_user(call: &Call<'_>) -> Answer {
    let group = call.holder::<Group>()?;
    let user = call.form.required("UserName")?;
    let lower = group.name.to_ascii_lowercase();
    let change = move |_: &_, user: &mut User| {
        if !user.groups.remove(&lower) {
            return Err(errors::no_such_entity(format!("User {} not in Group {lower}", user.name)));
        }
        Ok(())
    };
    call.plane.directory.edit(call.account, user, change).await?;
    Ok(show::nothing())
}

pub(super) fn list_for_user(call: &Call<'_>) -> Answer {
    let user = call.holder::<User>()?;
    let groups = user.groups.iter().filter_map(|name| call.view.identities.get::<Group>(call.account, name));
    show::page(call, "Groups", groups, |group| key("", &group.name), |xml, group| show::group(xml, group))
}
