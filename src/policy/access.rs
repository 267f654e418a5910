//! Whether a caller may do something to a bucket or an object.
//!
//! An explicit denial of the bucket policy counts first. Then the bucket's account may do all, but for objects that
//! another account owns; anybody else needs the bucket policy's permission or an ACL's.

use std::net::IpAddr;

use http::{HeaderMap, StatusCode};

use crate::auth::Principal;
use crate::bucket::{Acl, Ownership, Permission};
use crate::catalog::{Accounts, PublicAccessBlock, canonical_id};
use crate::error::ApiError;
use crate::store::{Bucket, ObjectInfo};

/// What is known of a request when it is decided: what the conditions of policies speak of.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its query, as it came.
    pub query: &'a str,
    /// The other end of the connection.
    pub peer: Option<IpAddr>,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

impl<'a> Asked<'a> {
    /// What a request says.
    #[must_use]
    pub fn of(headers: &'a HeaderMap, uri: &'a http::Uri, extensions: &http::Extensions) -> Self {
        let connection = extensions.get::<crate::server::Connection>();
        Self {
            headers,
            query: uri.query().unwrap_or_default(),
            peer: connection.map(|connection| connection.peer.ip()),
            tls: connection.is_some_and(|connection| connection.tls),
        }
    }
}

/// One caller and one bucket.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// Who asks; `None` for an anonymous caller.
    pub principal: Option<&'a Principal>,
    /// Whether the bucket was reached through an access point, which shares nothing with other accounts.
    pub through_point: bool,
    /// The bucket.
    pub bucket: &'a Bucket,
    /// The key, where there is one.
    pub key: Option<&'a str>,
    /// What is known of the request.
    pub asked: Asked<'a>,
    /// All accounts.
    pub accounts: &'a Accounts,
}

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

/// The action of an operation that names a version.
#[must_use]
pub fn of_version(action: &'static str) -> &'static str {
    match action {
        "s3:GetObject" => "s3:GetObjectVersion",
        "s3:GetObjectAcl" => "s3:GetObjectVersionAcl",
        "s3:GetObjectAttributes" => "s3:GetObjectVersionAttributes",
        "s3:GetObjectTagging" => "s3:GetObjectVersionTagging",
        "s3:GetObjectTorrent" => "s3:GetObjectVersionTorrent",
        "s3:PutObjectAcl" => "s3:PutObjectVersionAcl",
        "s3:PutObjectTagging" => "s3:PutObjectVersionTagging",
        "s3:DeleteObjectTagging" => "s3:DeleteObjectVersionTagging",
        "s3:DeleteObject" => "s3:DeleteObjectVersion",
        other => other,
    }
}

impl Access<'_> {
    /// Whether the bucket's owner is the one that the caller expects, by its 12 digits or its canonical id.
    ///
    /// # Errors
    /// 403 AccessDenied.
    pub fn check_expected_owner(&self) -> Result<(), ApiError> {
        let Some(expected) = self.asked.headers.get("x-amz-expected-bucket-owner") else { return Ok(()) };
        let owner = &self.bucket.owner;
        if expected.as_bytes() == owner.as_bytes() || expected.as_bytes() == canonical_id(owner).as_bytes() {
            return Ok(());
        }
        Err(self.denied("a request", "x-amz-expected-bucket-owner names another account"))
    }

    /// Whether an action is allowed. `object` is the object that is there, where the action is about one.
    ///
    /// # Errors
    /// 403 AccessDenied.
    pub fn allow(&self, action: &str, object: Option<&ObjectInfo>) -> Result<(), ApiError> {
        let bucket_owner = self.bucket.owner.as_str();
        let object_owner = object.and_then(|object| object.owner.as_deref()).unwrap_or(bucket_owner);
        let account = self.principal.map(|principal| principal.account_id.as_str());
        let is_own = account == Some(bucket_owner);
        if is_own && object_owner == bucket_owner {
            return Ok(());
        }
        if self.through_point {
            return Err(self.denied(action, "access points share nothing with other accounts"));
        }
        if self.acl_allows(action, object, account, object_owner) {
            return Ok(());
        }
        Err(self.denied(action, "neither the bucket policy nor an ACL allows it"))
    }

    /// What is to be answered where an object is not there: only who may list the bucket may know that.
    ///
    /// # Errors
    /// 403 AccessDenied.
    pub fn allow_missing(&self, action: &str) -> Result<(), ApiError> {
        match self.principal {
            Some(principal) if principal.account_id == self.bucket.owner => self.allow(action, None),
            _ => self.allow("s3:ListBucket", None),
        }
    }

    fn acl_allows(
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
            // What no ACL speaks of is the object's owner's.
            (None, Some(_)) => account == Some(object_owner),
            (Some(Governed::Object(_)) | None, None) => false,
        }
    }

    /// Who owns what is written.
    #[must_use]
    pub fn ownership(&self) -> Ownership {
        self.bucket.config.ownership.unwrap_or_default()
    }

    /// What the public is kept from: by the bucket's own block or by its account's.
    #[must_use]
    pub fn public_access_block(&self) -> PublicAccessBlock {
        let own = self.bucket.config.public_access_block;
        let blocks = own.into_iter().chain(self.accounts.public_access_block(&self.bucket.owner));
        blocks.fold(PublicAccessBlock::NONE, PublicAccessBlock::and)
    }

    /// The owner of an object that is about to be written: `None` for the bucket's owner.
    #[must_use]
    pub fn owner_of_new(&self, canned_acl: Option<&str>) -> Option<String> {
        let writer = self.principal.map(|principal| &principal.account_id);
        let writer = writer.filter(|writer| **writer != self.bucket.owner)?;
        match self.ownership() {
            Ownership::BucketOwnerEnforced => None,
            Ownership::BucketOwnerPreferred if canned_acl == Some("bucket-owner-full-control") => None,
            Ownership::BucketOwnerPreferred | Ownership::ObjectWriter => Some(writer.clone()),
        }
    }

    /// Whether an ACL may be put on the bucket or on an object in it.
    ///
    /// # Errors
    /// 400 AccessControlListNotSupported where ACLs are off; 403 for a public one where those are blocked.
    pub fn check_acl(&self, acl: &Acl, owner: &str) -> Result<(), ApiError> {
        let harmless = *acl == Acl::private(owner);
        if self.ownership() == Ownership::BucketOwnerEnforced && !harmless {
            return Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "AccessControlListNotSupported",
                "The bucket does not allow ACLs",
            ));
        }
        if acl.is_public() && self.public_access_block().block_public_acls {
            return Err(self.denied("a public ACL", "BlockPublicAcls is on"));
        }
        Ok(())
    }

    fn denied(&self, what: &str, why: &str) -> ApiError {
        let who = self.principal.map_or("an anonymous caller", |principal| principal.arn.as_str());
        ApiError::access_denied(format!("{what} by {who} in bucket {}: {why}", self.bucket.name))
    }
}
