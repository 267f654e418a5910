//! Who may be let in: users, groups, roles, managed policies and identity providers of all accounts.
//!
//! - [`records`]: what is kept of each; [`document`]: their policies, compiled once.
//! - [`managed`]: the policies that every account has.
//! - [`directory`], [`whole`]: reads and changes; [`errors`]: what it answers.
//! - [`assemble`]: the policies that bound a caller.

use std::collections::BTreeMap;
use std::sync::Arc;

pub mod assemble;
pub mod directory;
pub mod document;
pub mod errors;
pub mod limits;
pub mod managed;
pub mod names;
mod record;
pub mod records;
mod rename;
#[cfg(test)]
mod tests;
pub mod whole;

pub use directory::Directory;
pub use document::{Document, DocumentKind};
pub use record::Record;
pub use records::{Group, Holder, ManagedPolicy, OidcProvider, Policies, PolicyVersion, Role, User};

/// All identities as of one moment. Keys are [`key`]s.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Identities {
    pub(super) users: BTreeMap<String, Arc<User>>,
    pub(super) groups: BTreeMap<String, Arc<Group>>,
    pub(super) roles: BTreeMap<String, Arc<Role>>,
    pub(super) policies: BTreeMap<String, Arc<ManagedPolicy>>,
    pub(super) providers: BTreeMap<String, Arc<OidcProvider>>,
}

/// Any record.
#[derive(Debug, Clone, PartialEq)]
pub enum Entity {
    /// A user.
    User(User),
    /// A group.
    Group(Group),
    /// A role.
    Role(Role),
    /// A managed policy.
    Policy(ManagedPolicy),
    /// An identity provider.
    Provider(OidcProvider),
}

/// What a record is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntityKind {
    /// A user.
    User,
    /// A group.
    Group,
    /// A role.
    Role,
    /// A managed policy.
    Policy,
    /// An identity provider.
    Provider,
}

impl EntityKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::User, Self::Group, Self::Role, Self::Policy, Self::Provider];

    /// The kind of its stored records.
    #[must_use]
    pub const fn record(self) -> &'static str {
        match self {
            Self::User => "iam-user",
            Self::Group => "iam-group",
            Self::Role => "iam-role",
            Self::Policy => "iam-policy",
            Self::Provider => "iam-oidc-provider",
        }
    }
}

/// The key of a record: account and name, the case of which does not count.
#[must_use]
pub fn key(account: &str, name: &str) -> String {
    format!("{account}/{}", name.to_ascii_lowercase())
}

impl Entity {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> EntityKind {
        match self {
            Self::User(_) => EntityKind::User,
            Self::Group(_) => EntityKind::Group,
            Self::Role(_) => EntityKind::Role,
            Self::Policy(_) => EntityKind::Policy,
            Self::Provider(_) => EntityKind::Provider,
        }
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::User(one) => key(&one.account_id, &one.name),
            Self::Group(one) => key(&one.account_id, &one.name),
            Self::Role(one) => key(&one.account_id, &one.name),
            Self::Policy(one) => key(&one.account_id, &one.name),
            Self::Provider(one) => key(&one.account_id, one.name()),
        }
    }

    /// As it is stored.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        match self {
            Self::User(one) => serde_json::to_vec(one),
            Self::Group(one) => serde_json::to_vec(one),
            Self::Role(one) => serde_json::to_vec(one),
            Self::Policy(one) => serde_json::to_vec(one),
            Self::Provider(one) => serde_json::to_vec(one),
        }
    }

    /// As it was stored; `None` for a kind that is none of these.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn from_json(kind: &str, bytes: &[u8]) -> Option<serde_json::Result<Self>> {
        let kind = EntityKind::ALL.into_iter().find(|known| known.record() == kind)?;
        Some(match kind {
            EntityKind::User => serde_json::from_slice(bytes).map(Self::User),
            EntityKind::Group => serde_json::from_slice(bytes).map(Self::Group),
            EntityKind::Role => serde_json::from_slice(bytes).map(Self::Role),
            EntityKind::Policy => serde_json::from_slice(bytes).map(Self::Policy),
            EntityKind::Provider => serde_json::from_slice(bytes).map(Self::Provider),
        })
    }
}

impl Identities {
    /// Writes a record.
    pub(super) fn put(&mut self, entity: Entity) {
        let key = entity.key();
        match entity {
            Entity::User(one) => drop(self.users.insert(key, Arc::new(one))),
            Entity::Group(one) => drop(self.groups.insert(key, Arc::new(one))),
            Entity::Role(one) => drop(self.roles.insert(key, Arc::new(one))),
            Entity::Policy(one) => drop(self.policies.insert(key, Arc::new(one))),
            Entity::Provider(one) => drop(self.providers.insert(key, Arc::new(one))),
        }
    }

    /// Removes a record.
    pub(super) fn remove(&mut self, kind: EntityKind, key: &str) {
        match kind {
            EntityKind::User => drop(self.users.remove(key)),
            EntityKind::Group => drop(self.groups.remove(key)),
            EntityKind::Role => drop(self.roles.remove(key)),
            EntityKind::Policy => drop(self.policies.remove(key)),
            EntityKind::Provider => drop(self.providers.remove(key)),
        }
    }

    /// A record of an account, by its name.
    #[must_use]
    pub fn get<R: Record>(&self, account: &str, name: &str) -> Option<&Arc<R>> {
        R::all(self).get(&key(account, name))
    }

    /// The records of an account, by name, whatever its case.
    pub fn list<R: Record>(&self, account: &str) -> impl Iterator<Item = &Arc<R>> {
        // The character after the slash ends the account's keys.
        R::all(self).range(format!("{account}/")..format!("{account}0")).map(|(_, record)| record)
    }

    /// A role, by its ARN.
    #[must_use]
    pub fn role(&self, arn: &str) -> Option<&Arc<Role>> {
        let (account, path) = arn.strip_prefix("arn:aws:iam::")?.split_once(":role/")?;
        let name = path.rsplit('/').next()?;
        self.get::<Role>(account, name).filter(|role| role.arn() == arn)
    }

    /// A managed policy that an account may use, by its ARN: one of its own or one that every account has.
    #[must_use]
    pub fn policy(&self, account: &str, arn: &str) -> Option<Arc<ManagedPolicy>> {
        if let Some(policy) = managed::get(arn) {
            return Some(policy);
        }
        let (_, name) = arn.rsplit_once('/')?;
        self.get::<ManagedPolicy>(account, name).filter(|policy| policy.arn() == arn).cloned()
    }

    /// How many users, groups and roles of an account have a policy attached, and how many as their boundary.
    #[must_use]
    pub fn attachments(&self, account: &str, arn: &str) -> (usize, usize) {
        let has = |policies: &Policies| policies.attached.contains(arn);
        let attached = self.list::<User>(account).filter(|one| has(&one.policies)).count()
            + self.list::<Group>(account).filter(|one| has(&one.policies)).count()
            + self.list::<Role>(account).filter(|one| has(&one.policies)).count();
        let bounds = |boundary: &Option<String>| boundary.as_deref() == Some(arn);
        let boundaries = self.list::<User>(account).filter(|one| bounds(&one.boundary)).count()
            + self.list::<Role>(account).filter(|one| bounds(&one.boundary)).count();
        (attached, boundaries)
    }

    /// Every record of an account, as what to remove.
    pub(super) fn of_account(&self, account: &str) -> Vec<(EntityKind, String)> {
        fn keys<R: Record>(all: &Identities, account: &str) -> Vec<(EntityKind, String)> {
            all.list::<R>(account).map(|one| (R::KIND, key(account, one.name()))).collect()
        }
        let mut found = keys::<User>(self, account);
        found.extend(keys::<Group>(self, account));
        found.extend(keys::<Role>(self, account));
        found.extend(keys::<ManagedPolicy>(self, account));
        found.extend(keys::<OidcProvider>(self, account));
        found
    }
}
