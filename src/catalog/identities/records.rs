//! What is kept of identities. Stored as JSON, so fields may be added with a default.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::catalog::Tags;
use crate::error::ApiError;
use crate::policy::limits as sizes;

use super::document::{Document, DocumentKind};
use super::{errors, limits, names};

/// The policies of a user, group or role.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Policies {
    /// Its own, by name.
    #[serde(default)]
    pub inline: BTreeMap<String, Document>,
    /// ARNs of managed policies.
    #[serde(default)]
    pub attached: BTreeSet<String>,
}

/// Who has policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A user.
    User,
    /// A group.
    Group,
    /// A role.
    Role,
}

impl Policies {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inline.is_empty() && self.attached.is_empty()
    }

    /// Writes an inline policy.
    ///
    /// # Errors
    /// 400 MalformedPolicyDocument, ValidationError; 409 LimitExceeded.
    pub fn put_inline(&mut self, holder: Holder, name: &str, text: &str) -> Result<(), ApiError> {
        names::check_name("policyName", name, limits::POLICY_NAME)?;
        let document = Document::parse(text, DocumentKind::Inline)?;
        self.inline.insert(name.to_owned(), document);
        let limit = match holder {
            Holder::User => sizes::INLINE_USER,
            Holder::Group => sizes::INLINE_GROUP,
            Holder::Role => sizes::INLINE_ROLE,
        };
        let size: usize = self.inline.values().map(|document| sizes::counted(document.text())).sum();
        if size > limit {
            let message =
                format!("Maximum policy size of {limit} bytes exceeded: the inline policies have {size}");
            return Err(ApiError::new(http::StatusCode::CONFLICT, "LimitExceeded", message));
        }
        Ok(())
    }

    /// Attaches a managed policy that is there.
    ///
    /// # Errors
    /// 409 LimitExceeded.
    pub fn attach(&mut self, arn: &str) -> Result<(), ApiError> {
        self.attached.insert(arn.to_owned());
        if self.attached.len() > limits::ATTACHED {
            return Err(errors::limit("attached policies", limits::ATTACHED));
        }
        Ok(())
    }
}

/// A user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Account, 12 digits.
    pub account_id: String,
    /// Name; of one user of the account only, whatever its case.
    pub name: String,
    /// Path: `/` or `/team/`.
    pub path: String,
    /// Unique id: `AIDA…`.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// Tags.
    #[serde(default)]
    pub tags: Tags,
    /// ARN of the permissions boundary.
    #[serde(default)]
    pub boundary: Option<String>,
    /// Policies.
    #[serde(default)]
    pub policies: Policies,
    /// Names of its groups, in lower case.
    #[serde(default)]
    pub groups: BTreeSet<String>,
}

/// A group of users.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Account, 12 digits.
    pub account_id: String,
    /// Name.
    pub name: String,
    /// Path.
    pub path: String,
    /// Unique id: `AGPA…`.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// Policies.
    #[serde(default)]
    pub policies: Policies,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Role {
    /// Account, 12 digits.
    pub account_id: String,
    /// Name.
    pub name: String,
    /// Path.
    pub path: String,
    /// Unique id: `AROA…`.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Who may assume it.
    pub trust: Document,
    /// Seconds of its sessions at most.
    pub max_session: u32,
    /// Tags.
    #[serde(default)]
    pub tags: Tags,
    /// ARN of the permissions boundary.
    #[serde(default)]
    pub boundary: Option<String>,
    /// Policies.
    #[serde(default)]
    pub policies: Policies,
}

/// A version of a managed policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// 1 for `v1`.
    pub number: u32,
    /// When it was made.
    pub created: Timestamp,
    /// What it says.
    pub document: Document,
}

/// A managed policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManagedPolicy {
    /// Account, 12 digits.
    pub account_id: String,
    /// Name.
    pub name: String,
    /// Path.
    pub path: String,
    /// Unique id: `ANPA…`.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// When it was made.
    pub created: Timestamp,
    /// When its versions last changed.
    pub updated: Timestamp,
    /// Versions, the oldest first.
    pub versions: Vec<PolicyVersion>,
    /// The number of the version that counts.
    pub default_version: u32,
    /// The number of the next version.
    pub next_version: u32,
    /// Tags.
    #[serde(default)]
    pub tags: Tags,
}

/// An OpenID Connect identity provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OidcProvider {
    /// Account, 12 digits.
    pub account_id: String,
    /// Its issuer: `https://idp.example.com/realm`.
    pub url: String,
    /// When it was made.
    pub created: Timestamp,
    /// Audiences.
    #[serde(default)]
    pub client_ids: Vec<String>,
    /// Thumbprints of certificates; kept for clients, for the certificate is verified by its chain.
    #[serde(default)]
    pub thumbprints: Vec<String>,
    /// Tags.
    #[serde(default)]
    pub tags: Tags,
}

impl User {
    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:user{}{}", self.account_id, self.path, self.name)
    }
}

impl Group {
    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:group{}{}", self.account_id, self.path, self.name)
    }
}

impl Role {
    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:role{}{}", self.account_id, self.path, self.name)
    }
}

impl ManagedPolicy {
    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:policy{}{}", self.account_id, self.path, self.name)
    }

    /// A version, by its number.
    #[must_use]
    pub fn version(&self, number: u32) -> Option<&PolicyVersion> {
        self.versions.iter().find(|version| version.number == number)
    }

    /// The version that counts.
    #[must_use]
    pub fn default(&self) -> Option<&PolicyVersion> {
        self.version(self.default_version)
    }
}

impl OidcProvider {
    /// Its issuer without the scheme, as ARNs and condition keys have it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest)
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:oidc-provider/{}", self.account_id, self.name())
    }
}
