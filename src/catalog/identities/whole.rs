//! Users and roles written and deleted as a whole, as the admin API does it.

use std::collections::BTreeMap;

use crate::catalog::{Change, Tags, View};
use crate::error::ApiError;

use super::directory::{find, find_policy};
use super::records::{Holder, Policies, Role, User};
use super::{Directory, Record, errors, key, limits, names};

/// What a user or role has, whatever it had.
#[derive(Debug, Clone, Default)]
pub struct Whole {
    /// Path.
    pub path: String,
    /// ARNs of managed policies.
    pub attached: Vec<String>,
    /// Inline policies by name.
    pub inline: BTreeMap<String, String>,
    /// ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: Tags,
}

impl Whole {
    fn policies(&self, view: &View, account: &str, holder: Holder) -> Result<Policies, ApiError> {
        names::check_path(&self.path)?;
        names::check_tags(&self.tags)?;
        let mut policies = Policies::default();
        for (name, text) in &self.inline {
            policies.put_inline(holder, name, text)?;
        }
        for arn in &self.attached {
            find_policy(view, account, arn)?;
            policies.attach(arn)?;
        }
        if let Some(arn) = &self.boundary {
            find_policy(view, account, arn)?;
        }
        Ok(policies)
    }
}

/// What a role has beside that.
#[derive(Debug, Clone)]
pub struct RoleTerms {
    /// Who may assume it.
    pub trust: String,
    /// For people.
    pub description: String,
    /// Seconds of its sessions at most.
    pub max_session: u32,
}

/// Refuses a record more than an account may have.
fn check_quota<R: Record>(view: &View, account: &str) -> Result<(), ApiError> {
    let (quota, most) = R::QUOTA;
    if view.identities.list::<R>(account).count() >= most { Err(errors::limit(quota, most)) } else { Ok(()) }
}

impl Directory {
    /// Makes a user, or writes anew all of one that is there but for its name, id, groups and keys.
    ///
    /// # Errors
    /// 400 ValidationError, MalformedPolicyDocument; 404 NoSuchEntity; 409 LimitExceeded.
    pub async fn put_user(&self, account: &str, name: &str, whole: Whole) -> Result<(), ApiError> {
        let new = self.new_user(account, name, &whole.path, whole.tags.clone())?;
        let decide = move |view: &View| {
            let (account, name) = (new.account_id.clone(), new.name.clone());
            let mut user = match view.identities.get::<User>(&account, &name) {
                Some(old) => User { path: new.path, tags: new.tags, ..User::clone(old) },
                None => check_quota::<User>(view, &account).map(|()| new)?,
            };
            user.policies = whole.policies(view, &account, Holder::User)?;
            user.boundary = whole.boundary;
            Ok(vec![Change::PutIdentity(Box::new(user.entity()))])
        };
        self.catalog.update(Box::new(decide)).await
    }

    /// Makes a role, or writes anew all of one that is there but for its name and id.
    ///
    /// # Errors
    /// 400 ValidationError, MalformedPolicyDocument; 404 NoSuchEntity; 409 LimitExceeded.
    pub async fn put_role(
        &self,
        account: &str,
        name: &str,
        terms: RoleTerms,
        whole: Whole,
    ) -> Result<(), ApiError> {
        if !limits::SESSION.contains(&terms.max_session) {
            let (least, most) = (limits::SESSION.start(), limits::SESSION.end());
            return Err(errors::validation(format!("max_session must be {least} to {most} seconds")));
        }
        if terms.description.chars().count() > limits::DESCRIPTION {
            let most = limits::DESCRIPTION;
            return Err(errors::validation(format!("description may have at most {most} characters")));
        }
        let new = self.new_role(account, name, &whole.path, &terms.trust)?;
        let decide = move |view: &View| {
            let (account, name) = (new.account_id.clone(), new.name.clone());
            let mut role = match view.identities.get::<Role>(&account, &name) {
                Some(old) => Role { path: new.path, trust: new.trust, ..Role::clone(old) },
                None => check_quota::<Role>(view, &account).map(|()| new)?,
            };
            role.policies = whole.policies(view, &account, Holder::Role)?;
            role.tags = whole.tags;
            role.boundary = whole.boundary;
            role.description = terms.description;
            role.max_session = terms.max_session;
            Ok(vec![Change::PutIdentity(Box::new(role.entity()))])
        };
        self.catalog.update(Box::new(decide)).await
    }

    /// Deletes a user with its keys and policies.
    ///
    /// # Errors
    /// 404 NoSuchEntity.
    pub async fn delete_user_with_keys(&self, account: &str, name: &str) -> Result<(), ApiError> {
        let (account, name) = (account.to_owned(), name.to_owned());
        let decide = move |view: &View| {
            find::<User>(view, &account, &name)?;
            let keys = view.keys_of(&account, Some(&name));
            let mut changes: Vec<Change> =
                keys.map(|held| Change::DeleteAccessKey(held.access_key_id.clone())).collect();
            changes.push(Change::DeleteIdentity(User::KIND, key(&account, &name)));
            Ok(changes)
        };
        self.catalog.update(Box::new(decide)).await
    }

    /// Deletes a role with its policies.
    ///
    /// # Errors
    /// 404 NoSuchEntity.
    pub async fn delete_role_with_policies(&self, account: &str, name: &str) -> Result<(), ApiError> {
        let (account, name) = (account.to_owned(), name.to_owned());
        let decide = move |view: &View| {
            find::<Role>(view, &account, &name)?;
            Ok(vec![Change::DeleteIdentity(Role::KIND, key(&account, &name))])
        };
        self.catalog.update(Box::new(decide)).await
    }
}
