//! Managed policies that are attached to users, groups and roles.

use crate::catalog::View;
use crate::catalog::identities::directory::find_policy;
use crate::catalog::identities::{Group, Role, User, errors};
use crate::xml::Xml;

use super::call::{Answer, Call};
use super::holder::HolderRecord;
use super::show;

pub(super) async fn attach<R: HolderRecord>(call: &Call<'_>) -> Answer {
    let arn = call.form.required("PolicyArn")?.to_owned();
    let holder = call.holder_with::<R>(|context| context.set("iam:PolicyARN", arn.as_str()))?;
    let change = move |view: &View, holder: &mut R| {
        find_policy(view, holder.account(), &arn)?;
        holder.policies_mut().attach(&arn)
    };
    call.plane.directory.edit(call.account, holder.name(), change).await?;
    Ok(show::nothing())
}

pub(super) async fn detach<R: HolderRecord>(call: &Call<'_>) -> Answer {
    let arn = call.form.required("PolicyArn")?.to_owned();
    let holder = call.holder_with::<R>(|context| context.set("iam:PolicyARN", arn.as_str()))?;
    let change = move |_: &_, holder: &mut R| {
        if holder.policies_mut().attached.remove(&arn) {
            return Ok(());
        }
        Err(errors::no_such_entity(format!("Policy {arn} was not found.")))
    };
    call.plane.directory.edit(call.account, holder.name(), change).await?;
    Ok(show::nothing())
}

pub(super) fn list<R: HolderRecord>(call: &Call<'_>) -> Answer {
    let holder = call.holder::<R>()?;
    let prefix = call.form.get("PathPrefix").unwrap_or("/");
    let under = |arn: &&String| arn.split_once(":policy").is_some_and(|(_, path)| path.starts_with(prefix));
    let arns = holder.policies().attached.iter().filter(under);
    show::page(call, "AttachedPolicies", arns, |arn| (*arn).clone(), |xml, arn| attached(xml, arn))
}

pub(super) fn attached(xml: &mut Xml, arn: &str) {
    let name = arn.rsplit('/').next().unwrap_or_default();
    xml.text("PolicyName", name).text("PolicyArn", arn);
}

/// ListEntitiesForPolicy: everybody who has a policy, on one page.
pub(super) fn entities(call: &Call<'_>) -> Answer {
    let arn = call.form.required("PolicyArn")?;
    call.allow(arn, call.context())?;
    find_policy(&call.view, call.account, arn)?;
    let filter = call.form.get("EntityFilter");
    let as_boundary = call.form.get("PolicyUsageFilter") == Some("PermissionsBoundary");
    let has = |record: &dyn Fn() -> (bool, bool)| {
        let (attached, bounded) = record();
        if as_boundary { bounded } else { attached }
    };
    let identities = &call.view.identities;
    let wanted = |kind: &str| filter.is_none_or(|filter| filter == kind);
    Ok(show::part(|xml| {
        xml.element("PolicyGroups", |xml| {
            for group in identities.list::<Group>(call.account).filter(|_| wanted("Group")) {
                if has(&|| (group.policies.attached.contains(arn), false)) {
                    xml.element("member", |xml| {
                        xml.text("GroupName", &group.name).text("GroupId", &group.id);
                    });
                }
            }
        });
        xml.element("PolicyUsers", |xml| {
            for user in identities.list::<User>(call.account).filter(|_| wanted("User")) {
                if has(&|| (user.policies.attached.contains(arn), user.boundary.as_deref() == Some(arn))) {
                    xml.element("member", |xml| {
                        xml.text("UserName", &user.name).text("UserId", &user.id);
                    });
                }
            }
        });
        xml.element("PolicyRoles", |xml| {
            for role in identities.list::<Role>(call.account).filter(|_| wanted("Role")) {
                if has(&|| (role.policies.attached.contains(arn), role.boundary.as_deref() == Some(arn))) {
                    xml.element("member", |xml| {
                        xml.text("RoleName", &role.name).text("RoleId", &role.id);
                    });
                }
            }
        });
        xml.text("IsTruncated", "false");
    }))
}
