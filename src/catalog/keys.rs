//! Who may sign: the root key pair, and the access keys of the catalog.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::{BASE32_NOPAD, BASE64};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};

use crate::auth::{KeyRecord, KeyStore, Principal, PrincipalKind, SigningKeys};
use crate::clock::Clock;
use crate::error::ApiError;
use crate::secret::Secret;

use super::identities::{User, assemble, directory, errors, limits};
use super::seal::{MasterKey, SealError};
use super::secret_file;
use super::sessions::{self, Sessions};
use super::{AccessKey, Catalog, Change, View};

/// Access keys of an account, the root pair not counted.
const MAX_KEYS: usize = 1_000;
/// Keys whose secrets are kept open.
const MAX_OPENED: u64 = 10_000;
/// For how long after the last request.
const OPENED: Duration = Duration::from_secs(10 * 60);

/// An access key id with its secret.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret: Secret,
}

impl KeyPair {
    /// A random pair in AWS's form: `AKIA` and 16 letters or digits, and 40 characters of base64.
    ///
    /// # Errors
    /// No random bytes.
    pub fn random() -> Result<Self, SealError> {
        let mut bytes = [0_u8; 40];
        getrandom::fill(&mut bytes).map_err(|error| SealError::Random(error.to_string()))?;
        let (id, secret) = bytes.split_at(10);
        Ok(Self {
            access_key_id: format!("AKIA{}", BASE32_NOPAD.encode(id)),
            secret: Secret::new(BASE64.encode(secret)),
        })
    }

    /// Reads the pair that an earlier start kept in `path`, or makes one and keeps it there with mode 0600. The flag
    /// says whether it is new.
    ///
    /// # Errors
    /// [`SealError`]: the file cannot be read or made, others may read it, or it is malformed.
    pub fn load_or_create(path: &Path) -> Result<(Self, bool), SealError> {
        let shown = || path.display().to_string();
        let io = |error| SealError::Io(shown(), error);
        if !path.exists() {
            let pair = Self::random()?;
            let kept = KeptPair {
                access_key_id: pair.access_key_id.clone(),
                secret_access_key: pair.secret.expose().to_owned(),
            };
            let text =
                zeroize::Zeroizing::new(toml::to_string(&kept).map_err(|_| SealError::Malformed(shown()))?);
            if secret_file::create(path, text.as_bytes()).map_err(io)? {
                return Ok((pair, true));
            }
        }
        let file = File::open(path).map_err(io)?;
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(SealError::Permissions(shown(), mode));
        }
        let mut text = zeroize::Zeroizing::new(String::new());
        file.take(4096).read_to_string(&mut text).map_err(io)?;
        let kept: KeptPair = toml::from_str(&text).map_err(|_| SealError::Malformed(shown()))?;
        let secret = Secret::new(kept.secret_access_key);
        Ok((Self { access_key_id: kept.access_key_id, secret }, false))
    }
}

#[derive(Serialize, Deserialize)]
struct KeptPair {
    access_key_id: String,
    secret_access_key: String,
}

/// The keys of all accounts.
#[derive(Debug)]
pub struct Keys {
    root: KeyPair,
    account_id: String,
    catalog: Arc<dyn Catalog>,
    master: Arc<MasterKey>,
    clock: Arc<dyn Clock>,
    root_principal: Arc<Principal>,
    root_signing: Arc<SigningKeys>,
    /// Secrets of the catalog that were opened, by access key id.
    opened: Cache<String, Arc<Opened>>,
    /// Temporary credentials.
    pub sessions: Sessions,
}

/// The secret of an access key.
struct Opened {
    /// As the catalog had it.
    sealed: Vec<u8>,
    secret: Secret,
    signing: Arc<SigningKeys>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").finish_non_exhaustive()
    }
}

impl Keys {
    /// Over a catalog, whose secrets `master` opens.
    #[must_use]
    pub fn new(
        root: KeyPair,
        account_id: String,
        catalog: Arc<dyn Catalog>,
        master: Arc<MasterKey>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            sessions: Sessions::new(Arc::clone(&master)),
            root_principal: Arc::new(Principal::root(&account_id, &root.access_key_id)),
            root_signing: Arc::default(),
            opened: Cache::builder().max_capacity(MAX_OPENED).time_to_idle(OPENED).build(),
            root,
            account_id,
            catalog,
            master,
            clock,
        }
    }

    /// The secret of a key, opened once for all requests that it signs.
    fn open(&self, key: &AccessKey) -> Result<Arc<Opened>, SealError> {
        let id = &key.access_key_id;
        if let Some(opened) = self.opened.get(id).filter(|opened| opened.sealed == key.sealed_secret) {
            return Ok(opened);
        }
        let secret = self.master.open(id, &key.sealed_secret)?;
        let opened = Opened { sealed: key.sealed_secret.clone(), secret, signing: Arc::default() };
        let opened = Arc::new(opened);
        self.opened.insert(id.clone(), Arc::clone(&opened));
        Ok(opened)
    }

    /// The root pair.
    #[must_use]
    pub fn root(&self) -> &KeyPair {
        &self.root
    }

    /// Makes an access key of an account. Its secret is answered here and never again.
    ///
    /// # Errors
    /// 404 NoSuchAccount; 400 LimitExceeded; what the catalog answers.
    pub async fn create(&self, account_id: Option<String>, description: String) -> Result<KeyPair, ApiError> {
        let account_id = account_id.unwrap_or_else(|| self.account_id.clone());
        let is_root = account_id == self.account_id;
        let (pair, record) = self.prepare(&account_id, None, description)?;
        let decide = move |view: &View| {
            if !is_root && !view.accounts.contains_key(&account_id) {
                return Err(super::accounts::absent(&account_id));
            }
            if view.keys_of(&account_id, None).count() >= MAX_KEYS {
                return Err(ApiError::new(
                    http::StatusCode::BAD_REQUEST,
                    "LimitExceeded",
                    format!("An account may have {MAX_KEYS} access keys"),
                ));
            }
            Ok(vec![Change::PutAccessKey(record)])
        };
        self.catalog.update(Box::new(decide)).await?;
        Ok(pair)
    }

    /// Makes an access key of a user. Its secret is answered here and never again.
    ///
    /// # Errors
    /// 404 NoSuchEntity; 409 LimitExceeded.
    pub async fn create_for_user(
        &self,
        account_id: &str,
        user: &str,
        description: String,
    ) -> Result<KeyPair, ApiError> {
        let (pair, record) = self.prepare(account_id, Some(user.to_ascii_lowercase()), description)?;
        let (account_id, user) = (account_id.to_owned(), user.to_owned());
        let decide = move |view: &View| {
            directory::find::<User>(view, &account_id, &user)?;
            if view.keys_of(&account_id, Some(&user)).count() >= limits::ACCESS_KEYS {
                return Err(errors::limit("AccessKeysPerUser", limits::ACCESS_KEYS));
            }
            Ok(vec![Change::PutAccessKey(record)])
        };
        self.catalog.update(Box::new(decide)).await?;
        Ok(pair)
    }

    /// The root key pair, where it is of an account.
    #[must_use]
    pub fn root_of(&self, account_id: &str) -> Option<&str> {
        (account_id == self.account_id).then_some(self.root.access_key_id.as_str())
    }

    /// A new key and its record, which is not written yet.
    pub(super) fn prepare(
        &self,
        account_id: &str,
        user: Option<String>,
        description: String,
    ) -> Result<(KeyPair, AccessKey), ApiError> {
        if description.chars().count() > 256 {
            return Err(ApiError::invalid_request("description may have at most 256 characters"));
        }
        let internal = |error: SealError| ApiError::internal(error.to_string());
        let pair = KeyPair::random().map_err(internal)?;
        let record = AccessKey {
            access_key_id: pair.access_key_id.clone(),
            sealed_secret: self.master.seal(&pair.access_key_id, &pair.secret).map_err(internal)?,
            created: self.clock.now(),
            active: true,
            description,
            account_id: account_id.to_owned(),
            user,
        };
        Ok((pair, record))
    }

    /// Switches a key on or off.
    ///
    /// # Errors
    /// 404 NoSuchAccessKey.
    pub async fn set_active(&self, access_key_id: &str, active: bool) -> Result<(), ApiError> {
        let id = access_key_id.to_owned();
        let decide = move |view: &View| {
            let mut key = AccessKey::clone(find(view, &id)?);
            key.active = active;
            Ok(vec![Change::PutAccessKey(key)])
        };
        self.catalog.update(Box::new(decide)).await
    }

    /// Deletes a key.
    ///
    /// # Errors
    /// 404 NoSuchAccessKey.
    pub async fn delete(&self, access_key_id: &str) -> Result<(), ApiError> {
        let id = access_key_id.to_owned();
        let decide = move |view: &View| {
            find(view, &id)?;
            Ok(vec![Change::DeleteAccessKey(id)])
        };
        self.catalog.update(Box::new(decide)).await?;
        self.opened.invalidate(access_key_id);
        Ok(())
    }
}

fn find<'a>(view: &'a View, id: &str) -> Result<&'a AccessKey, ApiError> {
    view.access_keys.get(id).map(|key| &**key).ok_or_else(|| {
        ApiError::new(
            http::StatusCode::NOT_FOUND,
            "NoSuchAccessKey",
            format!("There is no access key {id:?}"),
        )
    })
}

impl KeyStore for Keys {
    fn lookup(&self, access_key_id: &str, token: Option<&str>) -> Result<Option<KeyRecord>, ApiError> {
        let record = |secret: &Secret, principal, active, signing| KeyRecord {
            secret: secret.clone(),
            principal,
            active,
            session_token: None,
            expires: None,
            signing: Some(Arc::clone(signing)),
        };
        if access_key_id == self.root.access_key_id {
            let principal = Arc::clone(&self.root_principal);
            return Ok(Some(record(&self.root.secret, principal, true, &self.root_signing)));
        }
        let view = self.catalog.snapshot();
        if let Some(token) = token.filter(|_| access_key_id.starts_with(sessions::PREFIX)) {
            let found = self.sessions.lookup(&view, &self.account_id, access_key_id, token);
            return found.map(Some).ok_or_else(crate::auth::invalid_token);
        }
        let Some(key) = view.access_keys.get(access_key_id) else { return Ok(None) };
        let Some(principal) = holder(&view, key) else { return Ok(None) };
        match self.open(key) {
            Ok(opened) => Ok(Some(record(&opened.secret, Arc::new(principal), key.active, &opened.signing))),
            Err(error) => {
                tracing::error!(access_key_id, %error, "an access key cannot be used");
                Ok(None)
            }
        }
    }
}

/// Who holds a key, with what bounds them; `None` where that cannot be known.
fn holder(view: &View, key: &AccessKey) -> Option<Principal> {
    let root = Principal::root(&key.account_id, &key.access_key_id);
    let Some(name) = &key.user else { return Some(root) };
    let user = view.identities.get::<User>(&key.account_id, name)?;
    match assemble::user(view, user) {
        Ok(identity) => Some(Principal {
            kind: PrincipalKind::User,
            principal_id: user.id.clone(),
            arn: user.arn(),
            user_name: Some(user.name.clone()),
            identity: Arc::new(identity),
            ..root
        }),
        Err(error) => {
            tracing::error!(access_key_id = key.access_key_id, %error, "a user's key cannot be used");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::MemoryCatalog;
    use crate::clock::SystemClock;

    fn lookup(keys: &Keys, id: &str) -> Option<KeyRecord> {
        keys.lookup(id, None).unwrap()
    }

    #[tokio::test]
    async fn keys_are_made_switched_and_deleted() {
        let root = KeyPair::random().unwrap();
        assert_eq!((root.access_key_id.len(), root.secret.expose().len()), (20, 40));
        let keys = Keys::new(
            root.clone(),
            "000000000000".into(),
            Arc::new(MemoryCatalog::default()),
            Arc::new(MasterKey::from_bytes(&[7; 32])),
            Arc::new(SystemClock),
        );
        assert!(lookup(&keys, &root.access_key_id).is_some() && lookup(&keys, "AKIAX").is_none());
        let pair = keys.create(None, "for the app".into()).await.unwrap();
        let found = lookup(&keys, &pair.access_key_id).unwrap();
        assert_eq!((found.secret.expose(), found.active), (pair.secret.expose(), true));
        keys.set_active(&pair.access_key_id, false).await.unwrap();
        assert!(!lookup(&keys, &pair.access_key_id).unwrap().active);
        keys.delete(&pair.access_key_id).await.unwrap();
        assert!(lookup(&keys, &pair.access_key_id).is_none());
        assert_eq!(keys.delete(&pair.access_key_id).await.unwrap_err().code, "NoSuchAccessKey");
    }

    #[test]
    fn the_root_pair_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root-credentials.toml");
        let (made, new) = KeyPair::load_or_create(&path).unwrap();
        let (again, old) = KeyPair::load_or_create(&path).unwrap();
        assert!(new && !old);
        assert_eq!(made.secret.expose(), again.secret.expose());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
