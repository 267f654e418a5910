//! Access points, Object Lambda access points, functions, identities and keys: typed records, snapshots for readers.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::error::ApiError;

pub mod accounts;
pub mod durable;
pub mod identities;
pub mod keys;
pub mod lambda;
pub mod memory;
pub mod network;
pub mod records;
pub mod seal;
pub(crate) mod secret_file;
pub mod sessions;

pub use accounts::{Account, Accounts, CANONICAL_ID_LENGTH, canonical_id};
pub use durable::RecordsCatalog;
pub use identities::{Directory, Identities};
pub use keys::{KeyPair, Keys};
pub use lambda::LambdaFunction;
pub use memory::MemoryCatalog;
pub use network::NetworkGrant;
pub use records::*;

/// All records as of one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct View {
    /// Access points by [`point_key`].
    pub access_points: BTreeMap<String, Arc<AccessPoint>>,
    /// Access points by alias.
    pub access_point_aliases: BTreeMap<String, Arc<AccessPoint>>,
    /// OLAPs by [`point_key`].
    pub object_lambdas: BTreeMap<String, Arc<ObjectLambda>>,
    /// OLAPs by alias.
    pub object_lambda_aliases: BTreeMap<String, Arc<ObjectLambda>>,
    /// Functions by name.
    pub functions: BTreeMap<String, Arc<Function>>,
    /// Access keys by id.
    pub access_keys: BTreeMap<String, Arc<AccessKey>>,
    /// Accounts by id, but for the root account.
    pub accounts: BTreeMap<String, Arc<Account>>,
    /// Named keys for SSE-KMS.
    pub kms_keys: BTreeMap<String, Arc<KmsKey>>,
    /// The account's PublicAccessBlock by account id.
    pub account_blocks: BTreeMap<String, PublicAccessBlock>,
    /// Users, groups, roles, managed policies and identity providers.
    pub identities: Identities,
}

/// One change of the catalog.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Writes an access point.
    PutAccessPoint(AccessPoint),
    /// Removes the access point of this [`point_key`].
    DeleteAccessPoint(String),
    /// Writes an OLAP.
    PutObjectLambda(ObjectLambda),
    /// Removes the OLAP of this [`point_key`].
    DeleteObjectLambda(String),
    /// Writes a function.
    PutFunction(Function),
    /// Removes the function of this name.
    DeleteFunction(String),
    /// Writes an access key.
    PutAccessKey(AccessKey),
    /// Removes the access key of this id.
    DeleteAccessKey(String),
    /// Writes an account.
    PutAccount(Account),
    /// Removes the account of this id.
    DeleteAccount(String),
    /// Writes a named key. It is never removed: what it sealed would be lost.
    PutKmsKey(KmsKey),
    /// Writes an account's PublicAccessBlock.
    PutAccountBlock(String, PublicAccessBlock),
    /// Removes an account's PublicAccessBlock.
    DeleteAccountBlock(String),
    /// Writes a user, group, role, managed policy or identity provider.
    PutIdentity(Box<identities::Entity>),
    /// Removes the one of this kind and key.
    DeleteIdentity(identities::EntityKind, String),
}

/// The key of a point: its account and its name, which is of one point of the account only.
#[must_use]
pub fn point_key(account: &str, name: &str) -> String {
    [account, "/", name].concat()
}

/// Those of an account, by name.
fn of_account<'v, T>(
    all: &'v BTreeMap<String, Arc<T>>,
    account: &str,
) -> impl Iterator<Item = &'v Arc<T>> + use<'v, T> {
    // The character after the slash ends the account's keys.
    all.range(point_key(account, "")..format!("{account}0")).map(|(_, point)| point)
}

impl View {
    /// The access point of an account by its name.
    #[must_use]
    pub fn access_point(&self, account: &str, name: &str) -> Option<&Arc<AccessPoint>> {
        self.access_points.get(&point_key(account, name))
    }

    /// The OLAP of an account by its name.
    #[must_use]
    pub fn object_lambda(&self, account: &str, name: &str) -> Option<&Arc<ObjectLambda>> {
        self.object_lambdas.get(&point_key(account, name))
    }

    /// The access points of an account, by name.
    pub fn access_points_of(&self, account: &str) -> impl Iterator<Item = &Arc<AccessPoint>> {
        of_account(&self.access_points, account)
    }

    /// The OLAPs of an account, by name.
    pub fn object_lambdas_of(&self, account: &str) -> impl Iterator<Item = &Arc<ObjectLambda>> {
        of_account(&self.object_lambdas, account)
    }

    /// The access keys of a user, or of an account's root.
    pub fn keys_of(&self, account: &str, user: Option<&str>) -> impl Iterator<Item = &Arc<AccessKey>> {
        let (account, user) = (account.to_owned(), user.map(str::to_ascii_lowercase));
        self.access_keys.values().filter(move |key| key.account_id == account && key.user == user)
    }

    /// Applies one change.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::PutAccessPoint(point) => {
                let key = point_key(&point.account_id, &point.name);
                self.apply(Change::DeleteAccessPoint(key.clone()));
                let point = Arc::new(point);
                self.access_point_aliases.insert(point.alias.clone(), Arc::clone(&point));
                self.access_points.insert(key, point);
            }
            Change::DeleteAccessPoint(key) => {
                if let Some(old) = self.access_points.remove(&key) {
                    self.access_point_aliases.remove(&old.alias);
                }
            }
            Change::PutObjectLambda(point) => {
                let key = point_key(&point.account_id, &point.name);
                self.apply(Change::DeleteObjectLambda(key.clone()));
                let point = Arc::new(point);
                self.object_lambda_aliases.insert(point.alias.clone(), Arc::clone(&point));
                self.object_lambdas.insert(key, point);
            }
            Change::DeleteObjectLambda(key) => {
                if let Some(old) = self.object_lambdas.remove(&key) {
                    self.object_lambda_aliases.remove(&old.alias);
                }
            }
            Change::PutFunction(function) => {
                self.functions.insert(function.name.clone(), Arc::new(function));
            }
            Change::DeleteFunction(name) => {
                self.functions.remove(&name);
            }
            Change::PutAccessKey(key) => {
                self.access_keys.insert(key.access_key_id.clone(), Arc::new(key));
            }
            Change::DeleteAccessKey(id) => {
                self.access_keys.remove(&id);
            }
            Change::PutAccount(account) => {
                self.accounts.insert(account.account_id.clone(), Arc::new(account));
            }
            Change::DeleteAccount(id) => {
                self.accounts.remove(&id);
            }
            Change::PutKmsKey(key) => {
                self.kms_keys.insert(key.name.clone(), Arc::new(key));
            }
            Change::PutAccountBlock(account, block) => {
                self.account_blocks.insert(account, block);
            }
            Change::DeleteAccountBlock(account) => {
                self.account_blocks.remove(&account);
            }
            Change::PutIdentity(entity) => self.identities.put(*entity),
            Change::DeleteIdentity(kind, key) => self.identities.remove(kind, &key),
        }
    }
}

/// Decides, on the current view, what to change or why not.
pub type Decide = Box<dyn FnOnce(&View) -> Result<Vec<Change>, ApiError> + Send>;

/// Keeps the records. Readers take a snapshot and never wait.
#[async_trait]
pub trait Catalog: Send + Sync + std::fmt::Debug + 'static {
    /// All records as of now.
    fn snapshot(&self) -> Arc<View>;

    /// Runs `change` on the current view and applies what it answers, all or nothing. Updates are serialised, so
    /// a check made inside `change` holds when its changes are applied.
    async fn update(&self, change: Decide) -> Result<(), ApiError>;
}
