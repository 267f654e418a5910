//! What all records of identities have in common.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::View;
use crate::error::ApiError;

use super::records::{Group, ManagedPolicy, OidcProvider, Role, User};
use super::{Entity, EntityKind, Identities, errors, limits};

/// A record that has a name in an account.
pub trait Record: Clone + Send + Sync + 'static {
    /// What it is.
    const KIND: EntityKind;
    /// What to call it: `user`.
    const WORD: &'static str;
    /// How many an account may have, and the name of that quota.
    const QUOTA: (&'static str, usize);

    /// Account.
    fn account(&self) -> &str;
    /// Name.
    fn name(&self) -> &str;
    /// Where all of them are.
    fn all(identities: &Identities) -> &BTreeMap<String, Arc<Self>>;
    /// As any record.
    fn entity(self) -> Entity;

    /// Whether nothing hangs on it.
    ///
    /// # Errors
    /// 409 DeleteConflict.
    fn may_delete(&self, view: &View) -> Result<(), ApiError>;
}

const POLICIES_FIRST: &str = "Cannot delete entity, must detach all policies first.";
const GROUP_FIRST: &str = "Cannot delete entity, must remove users from group first.";

/// The record of a type: its kind, word, quota, place, name, and whether it may be deleted.
macro_rules! record {
    ($type:ident, $kind:ident, $word:literal, $quota:expr, $field:ident, $name:expr, $may_delete:expr) => {
        impl Record for $type {
            const KIND: EntityKind = EntityKind::$kind;
            const WORD: &'static str = $word;
            const QUOTA: (&'static str, usize) = $quota;

            fn account(&self) -> &str {
                &self.account_id
            }

            fn name(&self) -> &str {
                let name: fn(&$type) -> &str = $name;
                name(self)
            }

            fn all(identities: &Identities) -> &BTreeMap<String, Arc<Self>> {
                &identities.$field
            }

            fn entity(self) -> Entity {
                Entity::$kind(self)
            }

            fn may_delete(&self, view: &View) -> Result<(), ApiError> {
                let check: fn(&$type, &View) -> Result<(), ApiError> = $may_delete;
                check(self, view)
            }
        }
    };
}

record!(User, User, "user", ("UsersPerAccount", limits::USERS), users, |user| &user.name, |user, view| {
    if !user.policies.is_empty() {
        return Err(errors::delete_conflict(POLICIES_FIRST));
    }
    if !user.groups.is_empty() {
        return Err(errors::delete_conflict(GROUP_FIRST));
    }
    if view.keys_of(&user.account_id, Some(&user.name)).next().is_some() {
        return Err(errors::delete_conflict("Cannot delete entity, must delete access keys first."));
    }
    Ok(())
});
record!(
    Group,
    Group,
    "group",
    ("GroupsPerAccount", limits::GROUPS),
    groups,
    |group| &group.name,
    |group, view| {
        let lower = group.name.to_ascii_lowercase();
        if view.identities.list::<User>(&group.account_id).any(|user| user.groups.contains(&lower)) {
            return Err(errors::delete_conflict(GROUP_FIRST));
        }
        if group.policies.is_empty() { Ok(()) } else { Err(errors::delete_conflict(POLICIES_FIRST)) }
    }
);
record!(Role, Role, "role", ("RolesPerAccount", limits::ROLES), roles, |role| &role.name, |role, _| {
    if role.policies.is_empty() { Ok(()) } else { Err(errors::delete_conflict(POLICIES_FIRST)) }
});
record!(
    ManagedPolicy,
    Policy,
    "policy",
    ("PoliciesPerAccount", limits::POLICIES),
    policies,
    |policy| &policy.name,
    |policy, view| {
        if view.identities.attachments(&policy.account_id, &policy.arn()) != (0, 0) {
            return Err(errors::delete_conflict("Cannot delete a policy attached to entities."));
        }
        if policy.versions.len() > 1 {
            return Err(errors::delete_conflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's \
                 versions.",
            ));
        }
        Ok(())
    }
);
record!(
    OidcProvider,
    Provider,
    "OpenIDConnect provider",
    ("OpenIDConnectProvidersPerAccount", limits::PROVIDERS),
    providers,
    |provider| provider.name(),
    |_, _| Ok(())
);
