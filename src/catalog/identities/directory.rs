//! Changes of identities: every plane that makes, edits or deletes one does it here.

use std::sync::Arc;

use crate::catalog::{Catalog, Change, Tags, View};
use crate::clock::Clock;
use crate::error::ApiError;

use super::document::{Document, DocumentKind};
use super::records::{Group, ManagedPolicy, OidcProvider, Policies, PolicyVersion, Role, User};
use super::{Record, errors, limits, names};

/// Reads and changes identities.
#[derive(Debug, Clone)]
pub struct Directory {
    pub(super) catalog: Arc<dyn Catalog>,
    clock: Arc<dyn Clock>,
}

impl Directory {
    /// Over a catalog.
    #[must_use]
    pub fn new(catalog: Arc<dyn Catalog>, clock: Arc<dyn Clock>) -> Self {
        Self { catalog, clock }
    }

    /// All records as of now.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        self.catalog.snapshot()
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// A record.
    ///
    /// # Errors
    /// 404 NoSuchEntity.
    pub fn get<R: Record>(&self, account: &str, name: &str) -> Result<Arc<R>, ApiError> {
        find(&self.view(), account, name)
    }

    /// A user that is not written yet.
    ///
    /// # Errors
    /// 400 ValidationError, InvalidInput; 409 LimitExceeded.
    pub fn new_user(&self, account: &str, name: &str, path: &str, tags: Tags) -> Result<User, ApiError> {
        names::check_name("userName", name, limits::USER_NAME)?;
        names::check_path(path)?;
        names::check_tags(&tags)?;
        Ok(User {
            account_id: account.to_owned(),
            name: name.to_owned(),
            path: path.to_owned(),
            id: names::unique_id("AIDA")?,
            created: self.now(),
            tags,
            boundary: None,
            policies: Policies::default(),
            groups: Default::default(),
        })
    }

    /// A group that is not written yet.
    ///
    /// # Errors
    /// 400 ValidationError.
    pub fn new_group(&self, account: &str, name: &str, path: &str) -> Result<Group, ApiError> {
        names::check_name("groupName", name, limits::GROUP_NAME)?;
        names::check_path(path)?;
        Ok(Group {
            account_id: account.to_owned(),
            name: name.to_owned(),
            path: path.to_owned(),
            id: names::unique_id("AGPA")?,
            created: self.now(),
            policies: Policies::default(),
        })
    }

    /// A role that is not written yet.
    ///
    /// # Errors
    /// 400 ValidationError, InvalidInput, MalformedPolicyDocument; 409 LimitExceeded.
    pub fn new_role(&self, account: &str, name: &str, path: &str, trust: &str) -> Result<Role, ApiError> {
        names::check_name("roleName", name, limits::ROLE_NAME)?;
        names::check_path(path)?;
        Ok(Role {
            account_id: account.to_owned(),
            name: name.to_owned(),
            path: path.to_owned(),
            id: names::unique_id("AROA")?,
            created: self.now(),
            description: String::new(),
            trust: Document::parse(trust, DocumentKind::Trust)?,
            max_session: limits::DEFAULT_SESSION,
            tags: Tags::new(),
            boundary: None,
            policies: Policies::default(),
        })
    }

    /// A managed policy that is not written yet.
    ///
    /// # Errors
    /// 400 ValidationError, MalformedPolicyDocument; 409 LimitExceeded.
    pub fn new_policy(
        &self,
        account: &str,
        name: &str,
        path: &str,
        text: &str,
    ) -> Result<ManagedPolicy, ApiError> {
        names::check_name("policyName", name, limits::POLICY_NAME)?;
        names::check_path(path)?;
        let created = self.now();
        let document = Document::parse(text, DocumentKind::Managed)?;
        Ok(ManagedPolicy {
            account_id: account.to_owned(),
            name: name.to_owned(),
            path: path.to_owned(),
            id: names::unique_id("ANPA")?,
            description: String::new(),
            created,
            updated: created,
            versions: vec![PolicyVersion { number: 1, created, document }],
            default_version: 1,
            next_version: 2,
            tags: Tags::new(),
        })
    }

    /// An identity provider that is not written yet. The caller has checked the URL.
    #[must_use]
    pub fn new_provider(&self, account: &str, url: &str) -> OidcProvider {
        OidcProvider {
            account_id: account.to_owned(),
            url: url.to_owned(),
            created: self.now(),
            client_ids: Vec::new(),
            thumbprints: Vec::new(),
            tags: Tags::new(),
        }
    }

    /// Writes a new record. `check` sees the view that it goes into.
    ///
    /// # Errors
    /// 409 EntityAlreadyExists, LimitExceeded; what `check` says.
    pub async fn create<R: Record>(
        &self,
        record: R,
        check: impl FnOnce(&View) -> Result<(), ApiError> + Send + 'static,
    ) -> Result<(), ApiError> {
        let decide = move |view: &View| {
            let (account, name) = (record.account(), record.name());
            if view.identities.get::<R>(account, name).is_some() {
                return Err(errors::exists(R::WORD, name));
            }
            let (quota, most) = R::QUOTA;
            if view.identities.list::<R>(account).count() >= most {
                return Err(errors::limit(quota, most));
            }
            check(view)?;
            Ok(vec![Change::PutIdentity(Box::new(record.entity()))])
        };
        self.catalog.update(Box::new(decide)).await
    }

    /// Changes a record but for its name.
    ///
    /// # Errors
    /// 404 NoSuchEntity; what `change` says.
    pub async fn edit<R: Record>(
        &self,
        account: &str,
        name: &str,
        change: impl FnOnce(&View, &mut R) -> Result<(), ApiError> + Send + 'static,
    ) -> Result<(), ApiError> {
        let (account, name) = (account.to_owned(), name.to_owned());
        let decide = move |view: &View| {
            let mut record = R::clone(&*find(view, &account, &name)?);
            change(view, &mut record)?;
            Ok(vec![Change::PutIdentity(Box::new(record.entity()))])
        };
        self.catalog.update(Box::new(decide)).await
    }

    /// Deletes a record on which nothing hangs.
    ///
    /// # Errors
    /// 404 NoSuchEntity; 409 DeleteConflict.
    pub async fn delete<R: Record>(&self, account: &str, name: &str) -> Result<(), ApiError> {
        let (account, name) = (account.to_owned(), name.to_owned());
        let decide = move |view: &View| {
            find::<R>(view, &account, &name)?.may_delete(view)?;
            Ok(vec![Change::DeleteIdentity(R::KIND, super::key(&account, &name))])
        };
        self.catalog.update(Box::new(decide)).await
    }
}

/// A record of a view.
///
/// # Errors
/// 404 NoSuchEntity.
pub fn find<R: Record>(view: &View, account: &str, name: &str) -> Result<Arc<R>, ApiError> {
    view.identities.get::<R>(account, name).cloned().ok_or_else(|| errors::absent(R::WORD, name))
}

/// A managed policy of a view that an account may use.
///
/// # Errors
/// 404 NoSuchEntity.
pub fn find_policy(view: &View, account: &str, arn: &str) -> Result<Arc<ManagedPolicy>, ApiError> {
    view.identities
        .policy(account, arn)
        .ok_or_else(|| errors::no_such_entity(format!("Policy {arn} does not exist or is not attachable.")))
}
