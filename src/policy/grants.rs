//! What access control lists permit, action by action.

use crate::bucket::{Ownership, Permission};
use crate::store::ObjectInfo;

use super::access::Access;

/// Which ACL a permission is looked for in.
enum Governed {
    Bucket(Permission),
    Object(Permission),
}

/// The permission that grants an action (S3 user guide, "Mapping of ACL permissions and access policy permissions").
fn governed(action: &str) -> Option<Governed> {
    use Permission::{Read, ReadAcp, Write, WriteAcp};
    Some(match action {
        "s3:ListBucket" | "s3:ListBucketVersions" | "s3:ListBucketMultipartUploads" => Governed::Bucket(Read),
        "s3:PutObject" | "s3:DeleteObject" | "s3:ListMultipartUploadParts" | "s3:AbortMultipartUpload" => {
            Governed::Bucket(Write)
        }
        "s3:GetBucketAcl" => Governed::Bucket(ReadAcp),
        "s3:PutBucketAcl" => Governed::Bucket(WriteAcp),
        "s3:GetObject"
        | "s3:GetObjectVersion"
        | "s3:GetObjectAttributes"
        | "s3:GetObjectVersionAttributes"
        | "s3:GetObjectTorrent"
        | "s3:GetObjectVersionTorrent" => Governed::Object(Read),
        "s3:GetObjectAcl" | "s3:GetObjectVersionAcl" => Governed::Object(ReadAcp),
        "s3:PutObjectAcl" | "s3:PutObjectVersionAcl" => Governed::Object(WriteAcp),
        _ => return None,
    })
}

/// What comes with the write of an object.
const WITH_A_WRITE: [&str; 4] =
    ["s3:PutObjectAcl", "s3:PutObjectTagging", "s3:PutObjectRetention", "s3:PutObjectLegalHold"];

impl Access<'_> {
    /// Whether an ACL grants an action to an account, or to everybody.
    pub(super) fn acl_allows(
        &self,
        action: &str,
        object: Option<&ObjectInfo>,
        account: Option<&str>,
        object_owner: &str,
    ) -> bool {
        if self.ownership() == Ownership::BucketOwnerEnforced {
            return false;
        }
        let ignore_public = self.public_access_block().ignore_public_acls;
        match (governed(action), object) {
            (Some(Governed::Bucket(permission)), _) => self
                .bucket
                .config
                .acl
                .as_ref()
                .is_some_and(|acl| acl.allows(account, permission, ignore_public)),
            (Some(Governed::Object(permission)), Some(object)) => {
                // The owner can always see and change who else may.
                let is_owner = account == Some(object_owner);
                match (&object.acl, permission) {
                    (_, Permission::ReadAcp | Permission::WriteAcp) if is_owner => true,
                    (Some(acl), _) => acl.allows(account, permission, ignore_public),
                    (None, _) => is_owner,
                }
            }
            // Who may write may say how.
            (_, None) if WITH_A_WRITE.contains(&action) => {
                let acl = self.bucket.config.acl.as_ref();
                acl.is_some_and(|acl| acl.allows(account, Permission::Write, ignore_public))
            }
            // What no ACL speaks of is the object's owner's.
            (None, Some(_)) => account == Some(object_owner),
            (Some(Governed::Object(_)) | None, None) => false,
        }
    }
}
