//! Whether a caller may do something to a bucket or an object.
//!
//! A request passes one gate after the other, each with the identity's policies and the policy of its own resource:
//! the OLAP, the access point, the bucket. All of them must allow, and a denial anywhere wins. At the bucket an ACL
//! counts like a policy of the resource, and what another account owns is that account's to give.

use std::cell::LazyCell;

use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::auth::Principal;
use crate::bucket::{Acl, Ownership};
use crate::catalog::{Accounts, PublicAccessBlock, canonical_id};
use crate::error::ApiError;
use crate::headers::AMZ_EXPECTED_BUCKET_OWNER;
use crate::store::{Bucket, ObjectInfo};

use super::asked::Asked;
use super::context::{Keys, LazyContext};
use super::decision::{Decision, Reason};
use super::document::Policy;
use super::evaluate::{Labelled, PolicySet};
use super::gates::{ACL, Gate, KEPT, Ruling, Seen};
use super::keys;
use super::operation;
use super::statement::Request;
use super::via::Via;

/// A function as a policy may name it.
#[derive(Debug, Clone)]
pub struct FunctionForm<'a> {
    /// Its ARN, with a version or alias or without.
    pub arn: String,
    /// The policy of its own that counts for that: `Some(None)` for one that cannot be read.
    pub policy: Option<Option<&'a Policy>>,
}

/// One caller and one bucket.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// Who asks; `None` for an anonymous caller.
    pub principal: Option<&'a Principal>,
    /// The points that the bucket was reached through.
    pub via: Option<&'a Via>,
    /// The bucket.
    pub bucket: &'a Bucket,
    /// The key, where there is one.
    pub key: Option<&'a str>,
    /// What is known of the request.
    pub asked: Asked<'a>,
    /// All accounts.
    pub accounts: &'a Accounts,
}

impl<'a> Access<'a> {
    /// Whether the bucket's owner is the one that the caller expects, by its 12 digits or its canonical id.
    ///
    /// # Errors
    /// 403 AccessDenied.
    pub fn check_expected_owner(&self) -> Result<(), ApiError> {
        let Some(expected) = self.asked.headers.get(&AMZ_EXPECTED_BUCKET_OWNER) else { return Ok(()) };
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
        let trail = self.asked.trail.filter(|_| operation::is_change(action));
        let mut seen = |_: &PolicySet<'_>, _: &Request<'_>, decision: &Decision<'_>| {
            if let (Some(notes), Reason::AllowedBy(found)) = (self.asked.notes, decision.reason)
                && found.label == ACL
            {
                notes.acl_was_required();
            }
            if let Some(trail) = trail.filter(|_| decision.is_allowed()) {
                trail.allowed(|| decision.reason.to_string());
            }
        };
        self.pass(action, object, &mut seen)
    }

    /// Whether an action is allowed, and what was seen at each gate on the way.
    ///
    /// # Errors
    /// 403 AccessDenied.
    pub fn pass(&self, action: &str, object: Option<&ObjectInfo>, seen: Seen<'_>) -> Result<(), ApiError> {
        match self.walk(action, object, false, seen) {
            Ruling::Allow if self.is_for_owner_alone(action) => Err(match self.principal {
                None => {
                    self.denied(action, "denied: whose policy the bucket has is its owner's account's to say")
                }
                Some(_) => ApiError::new(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "MethodNotAllowed",
                    "The specified method is not allowed against this resource.",
                )
                .with_internal(format!("{action} by another account than the bucket's owner")),
            }),
            Ruling::Allow => Ok(()),
            Ruling::Silent(why) | Ruling::Deny(why) => Err(self.denied(action, &why)),
        }
    }

    /// Whether a caller who is not of the bucket owner's account asks for what no policy can give to one: to read or
    /// change the bucket's policy (S3 API reference, PutBucketPolicy).
    fn is_for_owner_alone(&self, action: &str) -> bool {
        let account = self.principal.map(|principal| principal.account_id.as_str());
        KEPT.contains(&action) && account != Some(self.bucket.owner.as_str())
    }

    /// Whether a statement denies an action that nothing need allow.
    fn not_denied(&self, action: &str, object: Option<&ObjectInfo>) -> Result<(), ApiError> {
        match self.walk(action, object, false, &mut |_, _, _| {}) {
            Ruling::Deny(why) => Err(self.denied(action, &why)),
            Ruling::Allow | Ruling::Silent(_) => Ok(()),
        }
    }

    /// Whether an object may be written with what its headers ask for.
    ///
    /// # Errors
    /// 403 AccessDenied.
    pub fn allow_write(&self) -> Result<(), ApiError> {
        self.allow("s3:PutObject", None)?;
        for action in operation::with_write(self.asked.headers) {
            self.allow_with_write(action)?;
        }
        Ok(())
    }

    /// Whether something that comes with a write is allowed.
    ///
    /// # Errors
    /// 403 AccessDenied.
    pub fn allow_with_write(&self, action: &str) -> Result<(), ApiError> {
        let own = self.principal.is_some_and(|caller| caller.account_id == self.bucket.owner);
        if action != "s3:PutObjectAcl" || own {
            return self.allow(action, None);
        }
        // Another account that may write an object may say who else may see it, where no policy forbids that and its
        // own policies let it.
        match self.walk(action, None, true, &mut |_, _, _| {}) {
            Ruling::Allow => Ok(()),
            Ruling::Silent(why) | Ruling::Deny(why) => Err(self.denied(action, &why)),
        }
    }

    /// What is to be answered where an object is not there: only who may list the bucket may know that.
    ///
    /// # Errors
    /// 403 AccessDenied.
    pub fn allow_missing(&self, action: &str) -> Result<(), ApiError> {
        if self.principal.is_some_and(|caller| caller.account_id == self.bucket.owner) {
            self.allow(action, None)?;
        } else {
            // To others an ACL of the object might have allowed it.
            self.not_denied(action, None)?;
        }
        // It is as a listing that would show the key: a policy may allow one prefix only.
        let query = format!("prefix={}", utf8_percent_encode(self.key.unwrap_or_default(), NON_ALPHANUMERIC));
        let asked = Asked { query: &query, ..self.asked };
        Access { asked, ..*self }.allow("s3:ListBucket", None)
    }

    /// Whether the OLAP itself lets the caller in.
    ///
    /// # Errors
    /// 403 AccessDenied.
    pub fn allow_lens(&self, action: &str) -> Result<(), ApiError> {
        let Some(lens) = self.via.and_then(|via| via.lens.as_ref()) else { return Ok(()) };
        let global = LazyCell::new(|| self.scene(None).global());
        match self.at_lens(&self.who(), lens, action, &global, &mut |_, _, _| {}) {
            Ruling::Allow => Ok(()),
            Ruling::Silent(why) | Ruling::Deny(why) => Err(self.denied(action, &why)),
        }
    }

    /// Whether the OLAP itself lets the caller in, and the caller may invoke its function. What the function reads is
    /// asked for by itself, with [`Via::of_transform`].
    ///
    /// # Errors
    /// 403 AccessDenied.
    pub fn allow_transform(&self, action: &str, functions: &[FunctionForm<'_>]) -> Result<(), ApiError> {
        self.pass_transform(action, functions, &mut |_, _, _| {})
    }

    /// The same, and what was seen at each gate on the way.
    ///
    /// # Errors
    /// 403 AccessDenied.
    pub fn pass_transform(
        &self,
        action: &str,
        functions: &[FunctionForm<'_>],
        seen: Seen<'_>,
    ) -> Result<(), ApiError> {
        let Some(lens) = self.via.and_then(|via| via.lens.as_ref()) else { return Ok(()) };
        let (who, global) = (self.who(), LazyCell::new(|| self.scene(None).global()));
        match self.at_lens(&who, lens, action, &global, seen) {
            Ruling::Allow => {}
            Ruling::Silent(why) | Ruling::Deny(why) => return Err(self.denied(action, &why)),
        }
        let owner = &lens.point.account_id;
        let context = LazyContext::new(|| keys::at_function(&global, owner));
        let action = "lambda:InvokeFunction";
        let mut invoke = |form: &FunctionForm<'_>| {
            let policy = match form.policy {
                Some(None) => {
                    return Ruling::Deny("denied: the policy of the function cannot be read".into());
                }
                Some(Some(policy)) => Some(Labelled { label: "the policy of the function", policy }),
                None => None,
            };
            let (policies, restrictions, context): (Vec<_>, &[_], &dyn Keys) =
                (policy.into_iter().collect(), &[], &context);
            let (resource, policies) = (form.arn.as_str(), policies.as_slice());
            let gate = Gate { action, resource, owner, policies, restrictions, context, delegated: false };
            who.decide(&gate, seen)
        };
        match functions.iter().map(&mut invoke).reduce(Ruling::or) {
            Some(Ruling::Allow) => Ok(()),
            Some(Ruling::Silent(why) | Ruling::Deny(why)) => Err(self.denied(action, &why)),
            None => Err(self.denied(action, "there is no function")),
        }
    }

    /// Who owns what is written.
    #[must_use]
    pub fn ownership(&self) -> Ownership {
        self.bucket.config.ownership.unwrap_or_default()
    }

    /// What the public is kept from: by the bucket's own block, its account's, or that of
    /// the access point on the way.
    #[must_use]
    pub fn public_access_block(&self) -> PublicAccessBlock {
        let blocks = self.bucket.config.public_access_block.into_iter();
        let blocks = blocks.chain(self.via.map(|via| via.point.public_access_block));
        blocks.fold(self.block_of(&self.bucket.owner), PublicAccessBlock::and)
    }

    /// What the public is kept from by an account.
    pub(super) fn block_of(&self, account: &str) -> PublicAccessBlock {
        self.accounts.public_access_block(account).unwrap_or(PublicAccessBlock::NONE)
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

    pub(super) fn denied(&self, what: &str, why: &str) -> ApiError {
        let who = self.principal.map_or("an anonymous caller", |principal| principal.arn.as_str());
        ApiError::access_denied(format!("{what} by {who} in bucket {}: {why}", self.bucket.name))
    }
}
