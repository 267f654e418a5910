//! Who owns what others write into a bucket, and whether ACLs count.

use serde::{Deserialize, Serialize};

/// ObjectOwnership (S3 user guide, "Controlling ownership of objects and disabling ACLs for your bucket").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ownership {
    /// The bucket's owner owns everything, and ACLs neither count nor may be put.
    BucketOwnerEnforced,
    /// The bucket's owner owns what is written with the canned ACL bucket-owner-full-control.
    BucketOwnerPreferred,
    /// The writer owns what it writes.
    #[default]
    ObjectWriter,
}

impl Ownership {
    /// Each with its name in the API.
    pub const NAMES: [(Self, &'static str); 3] = [
        (Self::BucketOwnerEnforced, "BucketOwnerEnforced"),
        (Self::BucketOwnerPreferred, "BucketOwnerPreferred"),
        (Self::ObjectWriter, "ObjectWriter"),
    ];

    /// Its name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(ownership, _)| *ownership == self).map_or("", |(_, name)| name)
    }

    /// The ownership of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(ownership, _)| *ownership)
    }
}
