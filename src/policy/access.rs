//! Whether a caller may do something to a bucket or an object.
//!
//! An explicit denial of the bucket policy counts first. Then the bucket's account may do all, but for objects that
//! another account owns; anybody else needs the bucket policy's permission or an ACL's.

use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::auth::{Principal, PrincipalKind};
use crate::bucket::{Acl, Ownership, Permission};
use crate::catalog::{Accounts, PublicAccessBlock, canonical_id};
use crate::error::ApiError;
use crate::store::{Bucket, ObjectInfo};

use super::asked::Asked;
use super::decision::Outcome;
use super::evaluate::{Labelled, PolicySet, evaluate};
use super::operation;
use super::principal::{CallerKind, PrincipalView};
use super::statement::Request;

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

/// What comes with the write of an object.
const WITH_A_WRITE: [&str; 3] = ["s3:PutObjectTagging", "s3:PutObjectRetention", "s3:PutObjectLegalHold"];

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
        let by_policy = self.policy_says(action, object)?;
        if is_own && object_owner == bucket_owner {
            return Ok(());
        }
        if self.through_point {
            return Err(self.denied(action, "access points share nothing with other accounts"));
        }
        // The bucket's owner cannot give away what another account owns.
        if by_policy && object_owner == bucket_owner {
            return Ok(());
        }
        if self.acl_allows(action, object, account, object_owner) {
            if let Some(notes) = self.asked.notes {
                notes.acl_was_required();
            }
            return Ok(());
        }
        Err(self.denied(action, "neither the bucket policy nor an ACL allows it"))
    }

    /// Whether an object may be written with what its headers ask for.
    ///
    /// # Errors
    /// 403 AccessDenied.
    pub fn allow_write(&self) -> Result<(), ApiError> {
        self.allow("s3:PutObject", None)?;
        let headers = self.asked.headers;
        let asks = |prefix: &str| headers.keys().any(|name| name.as_str().starts_with(prefix));
        if asks("x-amz-acl") || asks("x-amz-grant-") {
            // Whoever may write an object may say who else may see it, where no policy forbids that.
            self.policy_says("s3:PutObjectAcl", None)?;
        }
        for (header, action) in [
            ("x-amz-tagging", "s3:PutObjectTagging"),
            ("x-amz-object-lock-mode", "s3:PutObjectRetention"),
            ("x-amz-object-lock-legal-hold", "s3:PutObjectLegalHold"),
        ] {
            if headers.contains_key(header) {
                self.allow(action, None)?;
            }
        }
        Ok(())
    }

    /// What is to be answered where an object is not there: only who may list the bucket may know that.
    ///
    /// # Errors
    /// 403 AccessDenied.
    pub fn allow_missing(&self, action: &str) -> Result<(), ApiError> {
        match self.principal {
            Some(principal) if principal.account_id == self.bucket.owner => self.allow(action, None),
            _ => {
                self.policy_says(action, None)?;
                // It is as a listing that would show the key: a policy may allow one prefix only.
                let key = self.key.unwrap_or_default();
                let query = format!("prefix={}", utf8_percent_encode(key, NON_ALPHANUMERIC));
                let asked = Asked { query: &query, ..self.asked };
                Access { asked, ..*self }.allow("s3:ListBucket", None)
            }
        }
    }

    /// Whether the bucket policy allows an action.
    ///
    /// # Errors
    /// 403 AccessDenied where it denies it; what it says is for the log.
    fn policy_says(&self, action: &str, object: Option<&ObjectInfo>) -> Result<bool, ApiError> {
        let Some(bucket_policy) = &self.bucket.config.policy else { return Ok(false) };
        let same_account = self.principal.is_some_and(|caller| caller.account_id == self.bucket.owner);
        let Some(policy) = bucket_policy.policy() else {
            let kept = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];
            if same_account && kept.contains(&action) {
                return Ok(true);
            }
            return Err(self.denied(action, "the bucket policy cannot be read"));
        };
        let about_bucket = self.key.is_none() || operation::is_of_bucket(action);
        let resource = match self.key.filter(|_| !about_bucket) {
            Some(key) => format!("arn:aws:s3:::{}/{key}", self.bucket.name),
            None => format!("arn:aws:s3:::{}", self.bucket.name),
        };
        let account = self.principal.and_then(|caller| self.accounts.get(&caller.account_id));
        let canonical = self.principal.map(|caller| canonical_id(&caller.account_id)).unwrap_or_default();
        let principal = match self.principal {
            None => PrincipalView::anonymous(),
            Some(caller) => PrincipalView {
                kind: match caller.kind {
                    PrincipalKind::Root => CallerKind::Root,
                    PrincipalKind::User => CallerKind::User,
                    PrincipalKind::AssumedRole => CallerKind::AssumedRole,
                    PrincipalKind::FederatedUser => CallerKind::FederatedUser,
                },
                account_id: &caller.account_id,
                account_name: account.as_ref().map(|account| account.name.as_str()),
                canonical_id: &canonical,
                arn: &caller.arn,
                principal_id: &caller.principal_id,
                issuer_arn: caller.identity.issuer.as_ref().map(|issuer| issuer.arn.as_str()),
            },
        };
        let context = self.asked.context(self.principal, self.bucket, object);
        let request = Request { principal: &principal, action, resource: &resource, context: &context };
        let labelled = [Labelled { label: "the bucket policy", policy }];
        let set = PolicySet { resource: &labelled, same_account, ..PolicySet::default() };
        let decision = evaluate(&set, &request);
        match decision.effect {
            Outcome::ExplicitDeny => Err(self.denied(action, &decision.to_string())),
            Outcome::ImplicitDeny => Ok(false),
            Outcome::Allow if same_account => Ok(true),
            Outcome::Allow => {
                Ok(!(self.public_access_block().restrict_public_buckets && bucket_policy.is_public()))
            }
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
    pub fn check_acl(&self, acl: &Acl) -> Result<(), ApiError> {
        if self.ownership() == Ownership::BucketOwnerEnforced {
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
