//! Access keys and who holds them.

use std::sync::Arc;

use jiff::Timestamp;

use crate::error::ApiError;
use crate::policy::Identity;
use crate::secret::Secret;

use super::signing_key::SigningKeys;

/// Finds access keys.
pub trait KeyStore: Send + Sync {
    /// The key of this id, where there is one. A temporary key is found by the token that comes with it.
    ///
    /// # Errors
    /// 400 InvalidToken for a token that is not this key's.
    fn lookup(&self, access_key_id: &str, token: Option<&str>) -> Result<Option<KeyRecord>, ApiError>;
}

/// An access key.
#[derive(Debug, Clone)]
pub struct KeyRecord {
    /// Secret access key.
    pub secret: Secret,
    /// Who holds it.
    pub principal: Arc<Principal>,
    /// An inactive key is refused like an unknown one.
    pub active: bool,
    /// The token that must come with a temporary key.
    pub session_token: Option<Secret>,
    /// When a temporary key ends.
    pub expires: Option<Timestamp>,
    /// What was derived from the secret lately, where that is remembered.
    pub signing: Option<Arc<SigningKeys>>,
}

/// What kind of caller a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    /// The account itself.
    Root,
    /// An IAM user.
    User,
    /// A session of a role.
    AssumedRole,
    /// A session of GetFederationToken.
    FederatedUser,
}

/// A caller.
#[derive(Debug, Clone, PartialEq)]
pub struct Principal {
    /// Kind.
    pub kind: PrincipalKind,
    /// Account, 12 digits.
    pub account_id: String,
    /// Unique id: the account's for root, `AIDA…` for a user, `AROA…:session` for a role.
    pub principal_id: String,
    /// ARN: `arn:aws:iam::ACCOUNT:root` for root.
    pub arn: String,
    /// User name; none for root.
    pub user_name: Option<String>,
    /// Key the request was made with.
    pub access_key_id: String,
    /// What bounds it; nothing for root.
    pub identity: Arc<Identity>,
}

impl Principal {
    /// The root of an account.
    #[must_use]
    pub fn root(account_id: &str, access_key_id: &str) -> Self {
        Self {
            kind: PrincipalKind::Root,
            account_id: account_id.to_owned(),
            principal_id: account_id.to_owned(),
            arn: format!("arn:aws:iam::{account_id}:root"),
            user_name: None,
            access_key_id: access_key_id.to_owned(),
            identity: Arc::default(),
        }
    }
}
