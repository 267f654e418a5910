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
pub mod records;
pub mod seal;
mod secret_file;
pub mod sessions;

pub use accounts::{Account, Accounts, canonical_id};
pub use durable::RecordsCatalog;
pub use identities::{Directory, Identities};
pub use keys::{KeyPair, Keys};
pub use lambda::LambdaFunction;
pub use memory::MemoryCatalog;
pub use records::*;

/// All records as of one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct View {
    /// Access points by name.
    pub access_points: BTreeMap<String, Arc<AccessPoint>>,
    /// Access points by alias.
    pub access_point_aliases: BTreeMap<String, Arc<AccessPoint>>,
    /// OLAPs by name.
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
    /// Removes the access point of this name.
    DeleteAccessPoint(String),
    /// Writes an OLAP.
    PutObjectLambda(ObjectLambda),
    /// Removes the OLAP of this name.
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

impl View {
    /// The access keys of a user, or of an account's root.
    pub fn keys_of(&self, account: &str, user: Option<&str>) -> impl Iterator<Item = &Arc<AccessKey>> {
        let (account, user) = (account.to_owned(), user.map(str::to_ascii_lowercase));
        self.access_keys.values().filter(move |key| key.account_id == account && key.user == user)
    }

    /// Applies one change.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::PutAccessPoint(point) => {
                self.apply(Change::DeleteAccessPoint(point.name.clone()));
                let point = Arc::new(point);
                self.access_point_aliases.insert(point.alias.clone(), Arc::clone(&point));
                self.access_points.insert(point.name.clone(), point);
            }
            Change::DeleteAccessPoint(name) => {
                if let Some(old) = self.access_points.remove(&name) {
                    self.access_point_aliases.remove(&old.alias);
                }
            }
            Change::PutObjectLambda(point) => {
                self.apply(Change::DeleteObjectLambda(point.name.clone()));
                let point = Arc::new(point);
                self.object_lambda_aliases.insert(point.alias.clone(), Arc::clone(&point));
                self.object_lambdas.insert(point.name.clone(), point);
            }
            Change::DeleteObjectLambda(name) => {
                if let Some(old) = self.object_lambdas.remove(&name) {
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
