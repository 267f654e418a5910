//! Who makes a request, as policies see it.

use crate::access_point::arn::is_account;
use crate::catalog::{CANONICAL_ID_LENGTH, canonical_id};

/// What kind of caller this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// Nobody: the request is not signed.
    Anonymous,
    /// The root of an account.
    Root,
    /// An IAM user, by an access key or by GetSessionToken.
    User,
    /// A session of a role.
    AssumedRole,
    /// A session of GetFederationToken; the issuer is the user.
    FederatedUser,
    /// The bearer of a token of an identity provider, who asks for a role.
    WebIdentity,
    /// A service.
    Service,
}

/// A caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrincipalView<'a> {
    /// Kind.
    pub kind: CallerKind,
    /// Account, 12 digits; empty for whoever has none.
    pub account_id: &'a str,
    /// Name of the account, where it has one.
    pub account_name: Option<&'a str>,
    /// ARN of the user, root or session; of the provider for a web identity; the name of a service.
    pub arn: &'a str,
    /// Unique id: `AIDA…`, or `AROA…:session`.
    pub principal_id: &'a str,
    /// Of a session: the ARN of its role, with the role's path, or of its user.
    pub issuer_arn: Option<&'a str>,
}

impl<'a> PrincipalView<'a> {
    /// Nobody.
    #[must_use]
    pub const fn anonymous() -> Self {
        Self::without_account(CallerKind::Anonymous, "")
    }

    /// A service, by its name: `logging.s3.amazonaws.com`.
    #[must_use]
    pub const fn service(name: &'a str) -> Self {
        Self::without_account(CallerKind::Service, name)
    }

    /// The bearer of a token of this identity provider, by the provider's ARN or name.
    #[must_use]
    pub const fn web_identity(provider: &'a str) -> Self {
        Self::without_account(CallerKind::WebIdentity, provider)
    }

    const fn without_account(kind: CallerKind, arn: &'a str) -> Self {
        Self { kind, account_id: "", account_name: None, arn, principal_id: "", issuer_arn: None }
    }

    /// Whether the caller's account has this canonical id.
    #[must_use]
    pub fn has_canonical_id(&self, id: &str) -> bool {
        self.has_account() && id.len() == CANONICAL_ID_LENGTH && canonical_id(self.account_id) == id
    }

    /// Whether the caller belongs to an account, and so may have identity policies.
    #[must_use]
    pub fn has_account(&self) -> bool {
        matches!(
            self.kind,
            CallerKind::Root | CallerKind::User | CallerKind::AssumedRole | CallerKind::FederatedUser
        )
    }

    /// Whether a policy's word for an account means the account of this caller.
    pub(super) fn is_of_account(&self, account: &str) -> bool {
        self.has_account()
            && !account.is_empty()
            && (account == self.account_id || (!is_account(account) && self.account_name == Some(account)))
    }
}
