//! Temporary credentials. A session is not stored: its token is the session itself, sealed under the master key for
//! its access key id. What the role or user may do is read when the session is used.

use std::fmt;
use std::sync::Arc;

use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD};
use jiff::Timestamp;
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::auth::{KeyRecord, Principal, PrincipalKind, SigningKeys};
use crate::error::ApiError;
use crate::policy::{Attached, Identity, Issuer, Policy, PolicyKind};
use crate::secret::Secret;

use super::identities::{Role, User, assemble};
use super::seal::MasterKey;
use super::{Tags, View};

/// How the ids of temporary keys begin.
pub const PREFIX: &str = "ASIA";
/// Sessions whose tokens stay opened.
const OPENED: u64 = 10_000;
/// What a federated user may do where no policy came with the session.
const NOTHING: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:GetCallerIdentity","Resource":"*"}}"#;

/// For whom a session stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "lowercase")]
pub enum Of {
    /// The root of the account.
    Root,
    /// A user, by name and unique id.
    User {
        /// Name.
        name: String,
        /// `AIDA…`.
        id: String,
    },
    /// A role, by name and unique id.
    Role {
        /// Name.
        name: String,
        /// `AROA…`.
        id: String,
    },
}

/// What a session is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Account, 12 digits.
    pub account_id: String,
    /// For whom it stands.
    pub of: Of,
    /// RoleSessionName, or the name of a federated user; `None` for GetSessionToken.
    pub name: Option<String>,
    /// When it was made.
    pub issued: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// The inline session policy.
    #[serde(default)]
    pub policy: Option<String>,
    /// ARNs of managed session policies.
    #[serde(default)]
    pub policy_arns: Vec<String>,
    /// Tags of the session.
    #[serde(default)]
    pub tags: Tags,
    /// Keys of those tags that pass on to sessions that are made with this one.
    #[serde(default)]
    pub transitive: Vec<String>,
    /// Condition keys that the session brings.
    #[serde(default)]
    pub keys: Vec<(String, Vec<String>)>,
}

/// What is sealed in a token.
#[derive(Serialize, Deserialize)]
struct Sealed {
    secret: String,
    session: Session,
}

/// Credentials as they are handed out once.
#[derive(Debug, Clone)]
pub struct Temporary {
    /// `ASIA…`.
    pub access_key_id: String,
    /// Secret access key.
    pub secret: Secret,
    /// Session token.
    pub token: Secret,
    /// When they end.
    pub expires: Timestamp,
}

/// An opened token.
struct Opened {
    secret: Secret,
    signing: Arc<SigningKeys>,
    session: Session,
    /// The inline session policy, compiled.
    policy: Option<Arc<Policy>>,
}

/// Makes and opens tokens.
pub struct Sessions {
    master: Arc<MasterKey>,
    opened: Cache<[u8; 32], Arc<Opened>>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

impl Sessions {
    /// Under a master key.
    #[must_use]
    pub fn new(master: Arc<MasterKey>) -> Self {
        Self { master, opened: Cache::new(OPENED) }
    }

    /// Makes credentials for a session.
    ///
    /// # Errors
    /// No random bytes.
    pub fn issue(&self, session: Session) -> Result<Temporary, ApiError> {
        let internal = |error: String| ApiError::internal(format!("a session: {error}"));
        let mut bytes = [0_u8; 40];
        getrandom::fill(&mut bytes).map_err(|error| internal(error.to_string()))?;
        let (id, secret) = bytes.split_at(10);
        let access_key_id = format!("{PREFIX}{}", BASE32_NOPAD.encode(id));
        let secret = BASE64.encode(secret);
        let expires = session.expires;
        let sealed = Sealed { secret: secret.clone(), session };
        let text = serde_json::to_string(&sealed).map_err(|error| internal(error.to_string()))?;
        let sealed = self.master.seal(&label(&access_key_id), &Secret::new(text));
        let sealed = sealed.map_err(|error| internal(error.to_string()))?;
        Ok(Temporary {
            access_key_id,
            secret: Secret::new(secret),
            token: Secret::new(BASE64URL_NOPAD.encode(&sealed)),
            expires,
        })
    }

    /// The key of a token, with what the view says of whom it stands for. `None` where the token is not ours or not
    /// this key's, and where the account, user or role is gone. The root account is in no view.
    pub(super) fn lookup(
        &self,
        view: &View,
        root_account: &str,
        access_key_id: &str,
        token: &str,
    ) -> Option<KeyRecord> {
        let opened = self.open(access_key_id, token)?;
        let Session { account_id, issued, .. } = &opened.session;
        // Another account may have the id of one that is gone.
        let lives = account_id == root_account
            || view.accounts.get(account_id).is_some_and(|account| account.created <= *issued);
        if !lives {
            return None;
        }
        let principal = match principal(view, &opened, access_key_id) {
            Ok(found) => found?,
            Err(error) => {
                tracing::error!(access_key_id, %error, "a session cannot be used");
                return None;
            }
        };
        Some(KeyRecord {
            secret: opened.secret.clone(),
            principal: Arc::new(principal),
            active: true,
            session_token: Some(Secret::new(token)),
            expires: Some(opened.session.expires),
            signing: Some(Arc::clone(&opened.signing)),
        })
    }

    /// The session of a token.
    #[must_use]
    pub fn session(&self, access_key_id: &str, token: &str) -> Option<Session> {
        self.open(access_key_id, token).map(|opened| opened.session.clone())
    }

    fn open(&self, access_key_id: &str, token: &str) -> Option<Arc<Opened>> {
        let mut hash = Sha256::new();
        hash.update(access_key_id.as_bytes());
        hash.update([0]);
        hash.update(token.as_bytes());
        let place: [u8; 32] = hash.finalize().into();
        if let Some(opened) = self.opened.get(&place) {
            return Some(opened);
        }
        let sealed = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
        let text = self.master.open(&label(access_key_id), &sealed).ok()?;
        let Sealed { secret, session } = serde_json::from_str(text.expose()).ok()?;
        let federated = session.name.is_some() && !matches!(session.of, Of::Role { .. });
        let text =
            session.policy.as_deref().or((federated && session.policy_arns.is_empty()).then_some(NOTHING));
        let policy = match text.map(|text| Policy::parse(text, PolicyKind::Session)) {
            None => None,
            Some(Ok(policy)) => Some(Arc::new(policy)),
            Some(Err(error)) => {
                tracing::error!(access_key_id, %error, "the policy of a session cannot be read");
                return None;
            }
        };
        let secret = Secret::new(secret);
        let opened = Arc::new(Opened { secret, signing: Arc::default(), session, policy });
        self.opened.insert(place, Arc::clone(&opened));
        Some(opened)
    }
}

/// What a token is sealed for: no other record has such a name.
fn label(access_key_id: &str) -> String {
    format!("session/{access_key_id}")
}

/// Who a session is, now; `None` where whom it stands for is gone.
fn principal(
    view: &View,
    opened: &Opened,
    access_key_id: &str,
) -> Result<Option<Principal>, assemble::Unreadable> {
    let Session { account_id, of, name, issued, policy_arns, tags, keys, .. } = &opened.session;
    let mut identity;
    let mut principal = Principal::root(account_id, access_key_id);
    match of {
        Of::Root => identity = Identity::default(),
        Of::User { name, id } => {
            let user = view.identities.get::<User>(account_id, name).filter(|user| user.id == *id);
            let Some(user) = user else { return Ok(None) };
            identity = assemble::user(view, user)?;
            principal.kind = PrincipalKind::User;
            principal.arn = user.arn();
            principal.principal_id.clone_from(id);
            principal.user_name = Some(user.name.clone());
        }
        Of::Role { name: role, id } => {
            let role = view.identities.get::<Role>(account_id, role).filter(|role| role.id == *id);
            let Some(role) = role else { return Ok(None) };
            identity = assemble::role(view, role)?;
            let session = name.as_deref().unwrap_or_default();
            principal.kind = PrincipalKind::AssumedRole;
            principal.arn = format!("arn:aws:sts::{account_id}:assumed-role/{}/{session}", role.name);
            principal.principal_id = format!("{id}:{session}");
        }
    }
    if let (Some(name), Of::Root | Of::User { .. }) = (name, of) {
        identity.issuer = Some(Issuer {
            kind: if *of == Of::Root { "Root" } else { "User" },
            arn: principal.arn.clone(),
            principal_id: principal.principal_id.clone(),
            name: principal.user_name.clone().unwrap_or_default(),
        });
        if *of == Of::Root {
            // Who may everything passes on what the session's policy says.
            let all = "arn:aws:iam::aws:policy/AdministratorAccess";
            identity.policies.push(assemble::managed(view, account_id, all, "the account's root")?);
        }
        principal.kind = PrincipalKind::FederatedUser;
        principal.arn = format!("arn:aws:sts::{account_id}:federated-user/{name}");
        principal.principal_id = format!("{account_id}:{name}");
        principal.user_name = None;
    }
    if let Some(policy) = &opened.policy {
        identity.session.push(Attached { label: "the session policy".into(), policy: Arc::clone(policy) });
    }
    for arn in policy_arns {
        identity.session.push(assemble::managed(view, account_id, arn, "the session")?);
    }
    identity.tags.extend(tags.iter().map(|(key, value)| (key.clone(), value.clone())));
    let issued = issued.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    identity.keys.push(("aws:TokenIssueTime".to_owned(), vec![issued]));
    identity.keys.extend(keys.iter().cloned());
    principal.identity = Arc::new(identity);
    Ok(Some(principal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::identities::Entity;
    use crate::catalog::{Change, Directory, MemoryCatalog};
    use crate::clock::SystemClock;

    const ROOT: &str = "111111111111";

    fn session(of: Of, name: Option<&str>) -> Session {
        Session {
            account_id: "111111111111".into(),
            of,
            name: name.map(str::to_owned),
            issued: Timestamp::UNIX_EPOCH,
            expires: Timestamp::UNIX_EPOCH,
            policy: None,
            policy_arns: Vec::new(),
            tags: Tags::new(),
            transitive: Vec::new(),
            keys: vec![("aws:SourceIdentity".into(), vec!["ada".into()])],
        }
    }

    #[test]
    fn a_token_opens_for_its_own_key_only_and_says_nothing_in_debug() {
        let sessions = Sessions::new(Arc::new(MasterKey::from_bytes(&[7; 32])));
        let made = sessions.issue(session(Of::Root, None)).unwrap();
        let view = View::default();
        let found = sessions.lookup(&view, ROOT, &made.access_key_id, made.token.expose()).unwrap();
        assert_eq!(
            (found.principal.kind, found.secret.expose()),
            (PrincipalKind::Root, made.secret.expose())
        );
        assert!(sessions.lookup(&view, ROOT, "ASIAOTHER", made.token.expose()).is_none());
        let mut damaged = made.token.expose().to_owned().into_bytes();
        damaged[20] ^= 1;
        let damaged = String::from_utf8(damaged).unwrap();
        assert!(sessions.lookup(&view, ROOT, &made.access_key_id, &damaged).is_none());
        let other = Sessions::new(Arc::new(MasterKey::from_bytes(&[8; 32])));
        assert!(other.lookup(&view, ROOT, &made.access_key_id, made.token.expose()).is_none());
        let again = Sessions::new(Arc::new(MasterKey::from_bytes(&[7; 32])));
        assert!(again.lookup(&view, ROOT, &made.access_key_id, made.token.expose()).is_some());
        assert!(!format!("{made:?} {sessions:?}").contains(made.secret.expose()));
    }

    #[test]
    fn a_session_ends_with_its_role_and_follows_its_policies() {
        let sessions = Sessions::new(Arc::new(MasterKey::from_bytes(&[7; 32])));
        let directory = Directory::new(Arc::new(MemoryCatalog::default()), Arc::new(SystemClock));
        let trust = r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}}"#;
        let mut role = directory.new_role("111111111111", "Reader", "/team/", trust).unwrap();
        let of = Of::Role { name: "Reader".into(), id: role.id.clone() };
        let made = sessions.issue(session(of, Some("s1"))).unwrap();
        let mut view = View::default();
        let find = |view: &View| sessions.lookup(view, ROOT, &made.access_key_id, made.token.expose());
        assert!(find(&view).is_none());
        view.apply(Change::PutIdentity(Box::new(Entity::Role(role.clone()))));
        let principal = find(&view).unwrap().principal;
        assert_eq!(principal.arn, "arn:aws:sts::111111111111:assumed-role/Reader/s1");
        assert_eq!(principal.identity.issuer.as_ref().unwrap().arn, role.arn());
        assert!(principal.identity.policies.is_empty());
        role.policies.attach("arn:aws:iam::aws:policy/AmazonS3FullAccess").unwrap();
        view.apply(Change::PutIdentity(Box::new(Entity::Role(role.clone()))));
        assert_eq!(find(&view).unwrap().principal.identity.policies.len(), 1);
        // A role of the same name is another role.
        let other = directory.new_role("111111111111", "Reader", "/", trust).unwrap();
        view.apply(Change::PutIdentity(Box::new(Entity::Role(other))));
        assert!(find(&view).is_none());
    }

    #[test]
    fn a_federated_user_without_a_policy_may_nothing() {
        let sessions = Sessions::new(Arc::new(MasterKey::from_bytes(&[7; 32])));
        let made = sessions.issue(session(Of::Root, Some("guest"))).unwrap();
        let record =
            sessions.lookup(&View::default(), ROOT, &made.access_key_id, made.token.expose()).unwrap();
        let principal = record.principal;
        assert_eq!(principal.arn, "arn:aws:sts::111111111111:federated-user/guest");
        let may = |action| {
            crate::policy::authorize_action(&principal, action, "*", crate::policy::Context::new()).is_ok()
        };
        assert!(!may("s3:ListAllMyBuckets") && may("sts:GetCallerIdentity"));
    }
}
