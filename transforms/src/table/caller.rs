//! Names for what a rule may ask of the caller: `user_name`, `tag:team`, ….

use serde::{Deserialize, Deserializer, de};

use crate::{Identity, payload};

/// An attribute of the caller's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attribute {
    Kind,
    PrincipalId,
    Arn,
    AccountId,
    UserName,
    AccessKeyId,
    /// A tag of the principal, by its key.
    Tag(String),
}

impl Attribute {
    /// The value for this caller. What is empty counts as absent.
    pub(crate) fn of<'a>(&self, identity: &'a Identity) -> Option<&'a str> {
        let value = match self {
            Self::Kind => &identity.kind,
            Self::PrincipalId => &identity.principal_id,
            Self::Arn => &identity.arn,
            Self::AccountId => &identity.account_id,
            Self::UserName => identity.user_name.as_ref()?,
            Self::AccessKeyId => &identity.access_key_id,
            Self::Tag(key) => identity.tags.get(key)?,
        };
        Some(value.as_str()).filter(|v| !v.is_empty())
    }
}

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(match name.as_str() {
            "kind" => Self::Kind,
            "principal_id" => Self::PrincipalId,
            "arn" => Self::Arn,
            "account_id" => Self::AccountId,
            "user_name" => Self::UserName,
            "access_key_id" => Self::AccessKeyId,
            _ => match name.strip_prefix("tag:") {
                Some(key) if !key.is_empty() => Self::Tag(key.to_owned()),
                _ => {
                    let known = [
                        "kind",
                        "principal_id",
                        "arn",
                        "account_id",
                        "user_name",
                        "access_key_id",
                        "tag:<key>",
                    ];
                    return Err(de::Error::custom(payload::unknown("identity attribute", &name, known)));
                }
            },
        })
    }
}
