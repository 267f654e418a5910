//! Access control lists: who may do what with a bucket or an object, beside policies (S3 user guide, "Access control
//! list overview").

use serde::{Deserialize, Serialize};

/// Grants of one list (S3 user guide: 100).
pub const MAX_GRANTS: usize = 100;

/// What a grant permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Permission {
    /// All of the others.
    FullControl,
    /// To list the bucket, or to read the object.
    Read,
    /// To write and delete objects in the bucket; of no meaning for an object.
    Write,
    /// To read the list.
    ReadAcp,
    /// To write the list.
    WriteAcp,
}

impl Permission {
    /// Each with its name in the API.
    pub const NAMES: [(Self, &'static str); 5] = [
        (Self::FullControl, "FULL_CONTROL"),
        (Self::Read, "READ"),
        (Self::Write, "WRITE"),
        (Self::ReadAcp, "READ_ACP"),
        (Self::WriteAcp, "WRITE_ACP"),
    ];

    /// Its name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(permission, _)| *permission == self).map_or("", |(_, name)| name)
    }

    /// The permission of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(permission, _)| *permission)
    }
}

/// Whom a grant is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grantee {
    /// An account, by its 12 digits.
    Account(String),
    /// Everybody.
    AllUsers,
    /// Everybody with a key.
    AuthenticatedUsers,
    /// The delivery of server access logs.
    LogDelivery,
}

impl Grantee {
    /// The groups with their URIs.
    pub const GROUPS: [(Self, &'static str); 3] = [
        (Self::AllUsers, "http://acs.amazonaws.com/groups/global/AllUsers"),
        (Self::AuthenticatedUsers, "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"),
        (Self::LogDelivery, "http://acs.amazonaws.com/groups/s3/LogDelivery"),
    ];

    /// The URI of a group.
    #[must_use]
    pub fn uri(&self) -> Option<&'static str> {
        Self::GROUPS.iter().find(|(group, _)| group == self).map(|(_, uri)| *uri)
    }

    /// Whether it takes in callers that the owner does not know.
    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self, Self::AllUsers | Self::AuthenticatedUsers)
    }
}

/// One grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Whom it is for.
    pub grantee: Grantee,
    /// What it permits.
    pub permission: Permission,
}

/// An access control list. Its owner stands with the bucket or the object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acl {
    /// Its grants, at most [`MAX_GRANTS`].
    pub grants: Vec<Grant>,
}

/// The canned lists of S3, by name.
pub const CANNED: [&str; 8] = [
    "private",
    "public-read",
    "public-read-write",
    "aws-exec-read",
    "authenticated-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
    "log-delivery-write",
];

impl Acl {
    /// The list that there is where none was put: the owner may do all.
    #[must_use]
    pub fn private(owner: &str) -> Self {
        let grantee = Grantee::Account(owner.to_owned());
        Self { grants: vec![Grant { grantee, permission: Permission::FullControl }] }
    }

    /// A canned list; `None` for a name that is not one. `bucket_owner` is an object's bucket's owner.
    #[must_use]
    pub fn canned(name: &str, owner: &str, bucket_owner: Option<&str>) -> Option<Self> {
        use Permission::{FullControl, Read, ReadAcp, Write};
        let mut acl = Self::private(owner);
        let mut grant = |grantee: Grantee, permission| acl.grants.push(Grant { grantee, permission });
        match name {
            "private" | "aws-exec-read" => {}
            "public-read" => grant(Grantee::AllUsers, Read),
            "public-read-write" => {
                grant(Grantee::AllUsers, Read);
                grant(Grantee::AllUsers, Write);
            }
            "authenticated-read" => grant(Grantee::AuthenticatedUsers, Read),
            // For a bucket these two mean nothing.
            "bucket-owner-read" | "bucket-owner-full-control" => {
                if let Some(bucket_owner) = bucket_owner.filter(|bucket_owner| *bucket_owner != owner) {
                    let permission = if name == "bucket-owner-read" { Read } else { FullControl };
                    grant(Grantee::Account(bucket_owner.to_owned()), permission);
                }
            }
            "log-delivery-write" => {
                grant(Grantee::LogDelivery, Write);
                grant(Grantee::LogDelivery, ReadAcp);
            }
            _ => return None,
        }
        Some(acl)
    }

    /// Whether the list grants a permission to a caller: the account, or `None` for an anonymous one. Grants to the
    /// public can be passed over.
    #[must_use]
    pub fn allows(&self, account: Option<&str>, wanted: Permission, ignore_public: bool) -> bool {
        self.grants.iter().any(|grant| {
            let permits = grant.permission == wanted || grant.permission == Permission::FullControl;
            permits
                && match &grant.grantee {
                    Grantee::Account(granted) => account == Some(granted.as_str()),
                    Grantee::AllUsers => !ignore_public,
                    Grantee::AuthenticatedUsers => account.is_some() && !ignore_public,
                    Grantee::LogDelivery => false,
                }
        })
    }

    /// Whether it grants anything to the public.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.grants.iter().any(|grant| grant.grantee.is_public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canned_lists_grant_what_they_say() {
        use Permission::{FullControl, Read, ReadAcp, Write, WriteAcp};
        let all = [FullControl, Read, Write, ReadAcp, WriteAcp];
        let granted = |name: &str, who: Option<&str>| -> Vec<Permission> {
            let acl = Acl::canned(name, "owner", Some("bucket")).unwrap();
            all.into_iter().filter(|permission| acl.allows(who, *permission, false)).collect()
        };
        for name in CANNED {
            assert_eq!(granted(name, Some("owner")), all, "{name}");
        }
        assert_eq!(granted("private", None), []);
        assert_eq!(granted("public-read", None), [Read]);
        assert_eq!(granted("public-read-write", Some("x")), [Read, Write]);
        assert_eq!(
            (granted("authenticated-read", None), granted("authenticated-read", Some("x"))),
            (vec![], vec![Read])
        );
        assert_eq!(granted("bucket-owner-read", Some("bucket")), [Read]);
        assert_eq!(granted("bucket-owner-full-control", Some("bucket")), all);
        assert_eq!(Acl::canned("public", "owner", None), None);
        let public = Acl::canned("public-read", "owner", None).unwrap();
        assert!(
            public.is_public()
                && !public.allows(None, Read, true)
                && public.allows(Some("owner"), Read, true)
        );
    }
}
