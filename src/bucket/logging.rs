//! Where a bucket's server access logs go (S3 user guide, "Logging requests with server access logging").

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Grant, Permission, malformed};
use crate::error::ApiError;

/// Bytes of a prefix: a key has 1,024, and the rest of it must fit.
const MAX_PREFIX: usize = 800;
/// What a grant on delivered logs may permit.
const GRANTABLE: [Permission; 3] = [Permission::FullControl, Permission::Read, Permission::Write];

/// A logging configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logging {
    /// The bucket that takes the logs, of the same owner.
    pub target: String,
    /// Start of their keys.
    pub prefix: String,
    /// The rest of their keys; `None` where it was not said, which is [`KeyFormat::Simple`].
    #[serde(default)]
    pub key_format: Option<KeyFormat>,
    /// Who else may use them.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// When it was put as it is.
    pub changed: Timestamp,
}

/// How the key of a log goes on after its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyFormat {
    /// `2026-11-25-18-00-00-UNIQUE`.
    Simple,
    /// `ACCOUNT/REGION/BUCKET/2026/11/25/2026-11-25-18-00-00-UNIQUE`.
    Partitioned(DateSource),
}

/// Which date stands in a partitioned key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DateSource {
    /// The day of the requests, at midnight: a log is of one day.
    EventTime,
    /// When the log was delivered.
    DeliveryTime,
}

impl DateSource {
    /// Each with its name in the API.
    pub const NAMES: [(Self, &'static str); 2] =
        [(Self::EventTime, "EventTime"), (Self::DeliveryTime, "DeliveryTime")];
}

impl Logging {
    /// Checks what can be checked without other buckets.
    ///
    /// # Errors
    /// 400 MalformedXML, InvalidArgument.
    pub fn check(&self) -> Result<(), ApiError> {
        if self.target.is_empty() {
            return Err(malformed("TargetBucket is empty"));
        }
        if self.prefix.len() > MAX_PREFIX || self.prefix.contains('\0') {
            return Err(ApiError::invalid_argument(format!(
                "TargetPrefix may have {MAX_PREFIX} bytes, none of them NUL"
            )));
        }
        if self.grants.len() > super::acl::MAX_GRANTS {
            return Err(ApiError::invalid_argument(format!(
                "TargetGrants may have {} grants",
                super::acl::MAX_GRANTS
            )));
        }
        match self.grants.iter().find(|grant| !GRANTABLE.contains(&grant.permission)) {
            None => Ok(()),
            Some(grant) => Err(malformed(format!("{} cannot be granted on logs", grant.permission.name()))),
        }
    }

    /// Whether it is the same but for when it was put.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        Self { changed: other.changed, ..self.clone() } == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::Grantee;

    #[test]
    fn a_document_is_checked() {
        let fine = Logging {
            target: "logs".into(),
            prefix: "p/".into(),
            key_format: Some(KeyFormat::Partitioned(DateSource::EventTime)),
            grants: vec![Grant { grantee: Grantee::AllUsers, permission: Permission::Read }],
            changed: Timestamp::UNIX_EPOCH,
        };
        assert!(fine.check().is_ok());
        let code = |logging: Logging| logging.check().unwrap_err().code;
        assert_eq!(code(Logging { target: String::new(), ..fine.clone() }), "MalformedXML");
        assert_eq!(code(Logging { prefix: "x".repeat(801), ..fine.clone() }), "InvalidArgument");
        let acp = Grant { grantee: Grantee::AllUsers, permission: Permission::ReadAcp };
        assert_eq!(code(Logging { grants: vec![acp], ..fine.clone() }), "MalformedXML");
        let later = Logging { changed: Timestamp::MAX, ..fine.clone() };
        assert!(fine.says_the_same(&later) && !fine.says_the_same(&Logging { prefix: "q".into(), ..later }));
    }
}
