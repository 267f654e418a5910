//! Who asks: what a verified signature proves.

/// What a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    /// The account itself.
    Root,
    /// A user of the account.
    User,
    /// A session of a role.
    AssumedRole,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// What it is.
    pub kind: PrincipalKind,
    /// 12 digits.
    pub account_id: String,
    /// AWS's principal id: the account for root, `AIDA…` for a user.
    pub principal_id: String,
    /// ARN, as in `arn:aws:iam::000000000000:root`.
    pub arn: String,
    /// Name of the user.
    pub user_name: Option<String>,
    /// The key that signed the request.
    pub access_key_id: String,
}
