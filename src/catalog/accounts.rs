//! The accounts of a server: the root account, which its configuration names, and those that were made since.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::Clock;
use crate::error::ApiError;

use super::{Catalog, Change, KeyPair, Keys, PublicAccessBlock, View, point_key};

/// Accounts of one server, the root account not counted.
const MAX_ACCOUNTS: usize = 10_000;

/// An account: it owns buckets and keys, and nothing of another's is its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// 12 digits.
    pub account_id: String,
    /// Name: the DisplayName of an Owner, 1 to 64 characters.
    pub name: String,
    /// E-mail, by which a grant may name it; of one account only.
    pub email: String,
    /// When it was made.
    pub created: Timestamp,
}

impl Account {
    /// The id by which ACLs name the account.
    #[must_use]
    pub fn canonical_id(&self) -> String {
        canonical_id(&self.account_id)
    }
}

/// Characters of a canonical user id.
pub const CANONICAL_ID_LENGTH: usize = 64;

/// The canonical user id of an account: [`CANONICAL_ID_LENGTH`] hexadecimal digits, always the same.
#[must_use]
pub fn canonical_id(account_id: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(format!("refract-canonical-id:{account_id}")))
}

/// Knows the accounts.
#[derive(Debug, Clone)]
pub struct Accounts {
    root: Arc<Account>,
    catalog: Arc<dyn Catalog>,
    clock: Arc<dyn Clock>,
}

impl Accounts {
    /// The root account and those of a catalog.
    #[must_use]
    pub fn new(
        account_id: String,
        name: String,
        email: String,
        catalog: Arc<dyn Catalog>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let root = Arc::new(Account { account_id, name, email, created: Timestamp::UNIX_EPOCH });
        Self { root, catalog, clock }
    }

    /// The root account.
    #[must_use]
    pub fn root(&self) -> &Account {
        &self.root
    }

    /// An account by its id.
    #[must_use]
    pub fn get(&self, account_id: &str) -> Option<Arc<Account>> {
        if account_id == self.root.account_id {
            return Some(Arc::clone(&self.root));
        }
        self.catalog.snapshot().accounts.get(account_id).cloned()
    }

    /// The name of an account; of one that is gone, its id.
    #[must_use]
    pub fn name(&self, account_id: &str) -> String {
        self.get(account_id).map_or_else(|| account_id.to_owned(), |account| account.name.clone())
    }

    /// All accounts, the root account first.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<Account>> {
        let view = self.catalog.snapshot();
        std::iter::once(&self.root).chain(view.accounts.values()).cloned().collect()
    }

    /// The PublicAccessBlock of an account, where one was put.
    #[must_use]
    pub fn public_access_block(&self, account_id: &str) -> Option<PublicAccessBlock> {
        self.catalog.snapshot().account_blocks.get(account_id).copied()
    }

    /// The account that has a canonical id.
    #[must_use]
    pub fn by_canonical_id(&self, id: &str) -> Option<Arc<Account>> {
        self.list().into_iter().find(|account| account.canonical_id() == id)
    }

    /// The account that has an e-mail.
    #[must_use]
    pub fn by_email(&self, email: &str) -> Option<Arc<Account>> {
        self.list().into_iter().find(|account| account.email.eq_ignore_ascii_case(email))
    }

    /// Makes an account and its first key, or changes the name and e-mail of one that is there; then there is no new
    /// key.
    ///
    /// # Errors
    /// 400 InvalidRequest for a malformed id, name or e-mail; 409 for the root account and for a name or an e-mail that
    /// another account has; 400 LimitExceeded.
    pub async fn put(
        &self,
        keys: &Keys,
        account_id: &str,
        name: String,
        email: String,
    ) -> Result<(Account, Option<KeyPair>), ApiError> {
        check(account_id, &name, &email)?;
        if account_id == self.root.account_id {
            return Err(conflict(
                "The root account is the configuration's: its name and e-mail are the settings root_account_name and \
                 root_account_email",
            ));
        }
        if self.root.email.eq_ignore_ascii_case(&email) {
            return Err(conflict("Another account has this e-mail"));
        }
        if self.root.name == name {
            return Err(conflict(NAME_TAKEN));
        }
        let account = Account { account_id: account_id.to_owned(), name, email, created: self.clock.now() };
        let (pair, key) = keys.prepare(account_id, None, "the account's first key".into())?;
        let (written, made) = std::sync::mpsc::sync_channel(1);
        let decide = move |view: &View| {
            let mut account = account;
            let taken = view.accounts.values().any(|other| {
                other.account_id != account.account_id && other.email.eq_ignore_ascii_case(&account.email)
            });
            if taken {
                return Err(conflict("Another account has this e-mail"));
            }
            // Policies may name an account by its name: it must not be another's.
            let named = |other: &&Arc<Account>| other.name == account.name;
            if view.accounts.values().filter(named).any(|other| other.account_id != account.account_id) {
                return Err(conflict(NAME_TAKEN));
            }
            let old = view.accounts.get(&account.account_id);
            if old.is_none() && view.accounts.len() >= MAX_ACCOUNTS {
                return Err(ApiError::new(
                    http::StatusCode::BAD_REQUEST,
                    "LimitExceeded",
                    format!("A server may have {MAX_ACCOUNTS} accounts"),
                ));
            }
            let mut changes = Vec::new();
            match old {
                Some(old) => account.created = old.created,
                None => changes.push(Change::PutAccessKey(key)),
            }
            drop(written.send((account.clone(), old.is_none())));
            changes.push(Change::PutAccount(account));
            Ok(changes)
        };
        self.catalog.update(Box::new(decide)).await?;
        let (account, is_new) =
            made.recv().map_err(|_| ApiError::internal("the decision on an account was not made"))?;
        Ok((account, is_new.then_some(pair)))
    }

    /// Deletes an account, its keys and its identities. The caller has seen that it owns no bucket.
    ///
    /// # Errors
    /// 404 NoSuchAccount; 409 for the root account.
    pub async fn delete(&self, account_id: &str) -> Result<(), ApiError> {
        if account_id == self.root.account_id {
            return Err(conflict("The root account cannot be deleted"));
        }
        let id = account_id.to_owned();
        let decide = move |view: &View| {
            if !view.accounts.contains_key(&id) {
                return Err(absent(&id));
            }
            let keys = view.access_keys.values().filter(|key| key.account_id == id);
            let mut changes: Vec<Change> =
                keys.map(|key| Change::DeleteAccessKey(key.access_key_id.clone())).collect();
            let identities = view.identities.of_account(&id).into_iter();
            changes.extend(identities.map(|(kind, key)| Change::DeleteIdentity(kind, key)));
            let points = view.access_points_of(&id).map(|point| point_key(&id, &point.name));
            changes.extend(points.map(Change::DeleteAccessPoint));
            let lenses = view.object_lambdas_of(&id).map(|lens| point_key(&id, &lens.name));
            changes.extend(lenses.map(Change::DeleteObjectLambda));
            if view.account_blocks.contains_key(&id) {
                changes.push(Change::DeleteAccountBlock(id.clone()));
            }
            changes.push(Change::DeleteAccount(id));
            Ok(changes)
        };
        self.catalog.update(Box::new(decide)).await
    }
}

/// 404 NoSuchAccount.
#[must_use]
pub fn absent(id: &str) -> ApiError {
    ApiError::new(http::StatusCode::NOT_FOUND, "NoSuchAccount", format!("There is no account {id:?}"))
}

/// What is told of a name that is taken.
const NAME_TAKEN: &str = "Another account has this name";

fn conflict(message: &'static str) -> ApiError {
    ApiError::new(http::StatusCode::CONFLICT, "AccountConflict", message)
}

fn check(account_id: &str, name: &str, email: &str) -> Result<(), ApiError> {
    if !crate::access_point::arn::is_account(account_id) {
        return Err(ApiError::invalid_request("The account's id must have 12 digits"));
    }
    let is_plain = |text: &str| !text.chars().any(char::is_control);
    if !(1..=64).contains(&name.chars().count()) || !is_plain(name) {
        return Err(ApiError::invalid_request(
            "name must have 1 to 64 characters, none of them a control character",
        ));
    }
    if crate::access_point::arn::is_account(name) {
        return Err(ApiError::invalid_request("name must not have the form of an account's id, 12 digits"));
    }
    if !(3..=254).contains(&email.len()) || !email.contains('@') || !is_plain(email) {
        return Err(ApiError::invalid_request("email must be an e-mail address of at most 254 bytes"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::KeyStore;
    use crate::catalog::MemoryCatalog;
    use crate::catalog::seal::MasterKey;
    use crate::clock::SystemClock;

    #[tokio::test]
    async fn accounts_are_made_found_and_deleted_with_their_keys() {
        let (catalog, clock) = (Arc::new(MemoryCatalog::default()), Arc::new(SystemClock));
        let root = KeyPair::random().unwrap();
        let keys = Keys::new(
            root,
            "000000000000".into(),
            catalog.clone(),
            Arc::new(MasterKey::from_bytes(&[7; 32])),
            clock.clone(),
        );
        let accounts =
            Accounts::new("000000000000".into(), "root".into(), "root@example.com".into(), catalog, clock);
        let put = |id: &'static str, name: &str, email: &str| {
            accounts.put(&keys, id, name.to_owned(), email.to_owned())
        };
        let (made, pair) = put("111111111111", "alt", "alt@example.com").await.unwrap();
        let pair = pair.unwrap();
        let principal = keys.lookup(&pair.access_key_id, None).unwrap().unwrap().principal;
        assert_eq!(principal.arn, "arn:aws:iam::111111111111:root");
        assert_eq!(accounts.by_canonical_id(&made.canonical_id()).unwrap().name, "alt");
        assert_eq!(accounts.by_email("ALT@example.com").unwrap().account_id, "111111111111");
        let (_, again) = put("111111111111", "other", "alt@example.com").await.unwrap();
        assert!(again.is_none() && accounts.name("111111111111") == "other");
        for (id, name, email, code) in [
            ("1", "x", "x@example.com", "InvalidRequest"),
            ("222222222222", "", "x@example.com", "InvalidRequest"),
            ("222222222222", "x", "none", "InvalidRequest"),
            ("222222222222", "x", "alt@example.com", "AccountConflict"),
            ("222222222222", "x", "root@example.com", "AccountConflict"),
            ("000000000000", "x", "x@example.com", "AccountConflict"),
        ] {
            assert_eq!(put(id, name, email).await.unwrap_err().code, code, "{id} {name} {email}");
        }
        accounts.delete("111111111111").await.unwrap();
        assert!(keys.lookup(&pair.access_key_id, None).unwrap().is_none());
        assert_eq!(accounts.delete("111111111111").await.unwrap_err().code, "NoSuchAccount");
        assert_eq!(accounts.list().len(), 1);
    }
}
