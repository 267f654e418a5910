//! What bounds a caller: the policies of an identity and of its session, compiled when they were put.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::Policy;
use super::evaluate::Labelled;

/// A policy and what to call it in words: `the policy ReadReports of user ada`.
#[derive(Debug, Clone, PartialEq)]
pub struct Attached {
    /// What to call it.
    pub label: Arc<str>,
    /// The policy.
    pub policy: Arc<Policy>,
}

impl Attached {
    /// The policy as the evaluation takes it.
    #[must_use]
    pub fn labelled(&self) -> Labelled<'_> {
        Labelled { label: &self.label, policy: &self.policy }
    }
}

/// Whom a session stands for: the role, or the user of GetSessionToken and GetFederationToken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// `Role` or `User`.
    pub kind: &'static str,
    /// Its ARN, with its path.
    pub arn: String,
    /// Its unique id: `AROA…` or `AIDA…`.
    pub principal_id: String,
    /// Its name.
    pub name: String,
}

/// What is known of a caller besides who it is. The root of an account has nothing of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Identity {
    /// Policies of the user and the user's groups, or of the role.
    pub policies: Vec<Attached>,
    /// The permissions boundary. None: no limit.
    pub boundary: Option<Attached>,
    /// Policies of the session, each of which must allow. Empty: no limit.
    pub session: Vec<Attached>,
    /// Whom a session stands for.
    pub issuer: Option<Issuer>,
    /// Tags of the user, of the role and of the session: `aws:PrincipalTag/…`.
    pub tags: BTreeMap<String, String>,
    /// Condition keys that the session brings: `aws:TokenIssueTime`, `aws:SourceIdentity`, `aws:FederatedProvider` and
    /// their like.
    pub keys: Vec<(String, Vec<String>)>,
    /// Services that make the request for the caller, in order: `aws:CalledVia`.
    pub called_via: Vec<String>,
}
