//! What is known of a whole account: its summary, its aliases, and all its identities at once.

use crate::catalog::identities::{Group, ManagedPolicy, OidcProvider, Policies, Role, User, limits, managed};
use crate::policy::limits as sizes;
use crate::xml::Xml;

use super::attached::attached;
use super::call::{Answer, Call};
use super::show;

pub(super) fn summary(call: &Call<'_>) -> Answer {
    call.allow_any()?;
    let (account, all) = (call.account, &call.view.identities);
    let versions: usize = all.list::<ManagedPolicy>(account).map(|policy| policy.versions.len()).sum();
    let root_keys =
        call.view.keys_of(account, None).next().is_some() || call.plane.keys.root_of(account).is_some();
    let entries = [
        ("Users", all.list::<User>(account).count()),
        ("UsersQuota", limits::USERS),
        ("Groups", all.list::<Group>(account).count()),
        ("GroupsQuota", limits::GROUPS),
        ("Roles", all.list::<Role>(account).count()),
        ("RolesQuota", limits::ROLES),
        ("Policies", all.list::<ManagedPolicy>(account).count()),
        ("PoliciesQuota", limits::POLICIES),
        ("PolicyVersionsInUse", versions),
        ("VersionsPerPolicyQuota", limits::VERSIONS),
        ("Providers", all.list::<OidcProvider>(account).count()),
        ("AccessKeysPerUserQuota", limits::ACCESS_KEYS),
        ("AccountAccessKeysPresent", usize::from(root_keys)),
        ("AttachedPoliciesPerUserQuota", limits::ATTACHED),
        ("AttachedPoliciesPerGroupQuota", limits::ATTACHED),
        ("AttachedPoliciesPerRoleQuota", limits::ATTACHED),
        ("GroupsPerUserQuota", limits::GROUPS_PER_USER),
        ("PolicySizeQuota", sizes::MANAGED),
        ("UserPolicySizeQuota", sizes::INLINE_USER),
        ("GroupPolicySizeQuota", sizes::INLINE_GROUP),
        ("RolePolicySizeQuota", sizes::INLINE_ROLE),
        ("AssumeRolePolicySizeQuota", sizes::TRUST),
        ("AccountMFAEnabled", 0),
        ("MFADevices", 0),
        ("MFADevicesInUse", 0),
        ("ServerCertificates", 0),
        ("InstanceProfiles", 0),
    ];
    Ok(show::part(|xml| {
        xml.element("SummaryMap", |xml| {
            for (key, value) in entries {
                xml.element("entry", |xml| {
                    xml.text("key", key).text("value", &value.to_string());
                });
            }
        });
    }))
}

pub(super) fn aliases(call: &Call<'_>) -> Answer {
    call.allow_any()?;
    Ok(show::part(|xml| {
        xml.element("AccountAliases", |_| {});
        xml.text("IsTruncated", "false");
    }))
}

/// GetAccountAuthorizationDetails, on one page.
pub(super) fn details(call: &Call<'_>) -> Answer {
    call.allow_any()?;
    let (account, all) = (call.account, &call.view.identities);
    let filter = call.form.list("Filter");
    let wanted = |kind: &str| filter.is_empty() || filter.contains(&kind);
    Ok(show::part(|xml| {
        xml.element("UserDetailList", |xml| {
            for user in all.list::<User>(account).filter(|_| wanted("User")) {
                xml.element("member", |xml| {
                    show::user(xml, user, true);
                    policies(xml, "UserPolicyList", &user.policies);
                    xml.element("GroupList", |xml| {
                        for name in &user.groups {
                            let group = all.get::<Group>(account, name);
                            xml.text("member", group.map_or(name, |group| &group.name));
                        }
                    });
                });
            }
        });
        xml.element("GroupDetailList", |xml| {
            for group in all.list::<Group>(account).filter(|_| wanted("Group")) {
                xml.element("member", |xml| {
                    show::group(xml, group);
                    policies(xml, "GroupPolicyList", &group.policies);
                });
            }
        });
        xml.element("RoleDetailList", |xml| {
            for role in all.list::<Role>(account).filter(|_| wanted("Role")) {
                xml.element("member", |xml| {
                    show::role(xml, role, true);
                    policies(xml, "RolePolicyList", &role.policies);
                    xml.element("InstanceProfileList", |_| {});
                });
            }
        });
        xml.element("Policies", |xml| {
            let own = all.list::<ManagedPolicy>(account).filter(|_| wanted("LocalManagedPolicy"));
            for policy in managed::all().filter(|_| wanted("AWSManagedPolicy")).chain(own) {
                xml.element("member", |xml| {
                    show::policy(xml, &call.view, account, policy, true);
                    xml.element("PolicyVersionList", |xml| {
                        for version in &policy.versions {
                            xml.element("member", |xml| show::version(xml, policy, version, true));
                        }
                    });
                });
            }
        });
        xml.text("IsTruncated", "false");
    }))
}

fn policies(xml: &mut Xml, inline: &str, policies: &Policies) {
    xml.element(inline, |xml| {
        for (name, document) in &policies.inline {
            xml.element("member", |xml| {
                xml.text("PolicyName", name).text("PolicyDocument", &show::encoded(document.text()));
            });
        }
    });
    xml.element("AttachedManagedPolicies", |xml| {
        for arn in &policies.attached {
            xml.element("member", |xml| attached(xml, arn));
        }
    });
}
