//! CreateBucket, HeadBucket, DeleteBucket, ListBuckets, GetBucketLocation.

use s3s::dto::{
    Bucket, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput, DeleteBucketInput,
    DeleteBucketOutput, GetBucketLocationInput, GetBucketLocationOutput, HeadBucketInput, HeadBucketOutput,
    ListBucketsInput, ListBucketsOutput,
};
use s3s::{S3Request, S3Response, S3Result};

use crate::auth::Principal;
use crate::bucket::{Acl, BucketConfig, ObjectLock, Ownership, Versioning};
use crate::error::ApiError;
use crate::store::{NewBucket, StoreError};

use super::documents::ownership_of;
use super::{Api, acl, convert};

/// What AWS calls the region without a constraint.
const DEFAULT_REGION: &str = "us-east-1";

pub(super) async fn create(
    api: &Api,
    req: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let owner = owner_of(&req)?;
    let acl = acl::of_headers(api, &req.headers, &owner, None)?;
    let input = req.input;
    let constraint = input
        .create_bucket_configuration
        .and_then(|configuration| configuration.location_constraint)
        .map(|constraint| constraint.as_str().to_owned());
    check_name(&input.bucket)?;
    api.names.may_create_bucket(&input.bucket)?;
    let acl = acl.filter(|acl| *acl != Acl::private(&owner));
    let locked = input.object_lock_enabled_for_bucket == Some(true);
    let ownership = input.object_ownership.as_ref().map(|name| ownership_of(name.as_str())).transpose()?;
    if ownership == Some(Ownership::BucketOwnerEnforced) && acl.is_some() {
        return Err(ApiError::new(
            http::StatusCode::BAD_REQUEST,
            "InvalidBucketAclWithObjectOwnership",
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        )
        .into());
    }
    let config = BucketConfig {
        acl: acl.clone(),
        location: constraint.clone(),
        ownership,
        versioning: if locked { Versioning::Enabled } else { Versioning::Off },
        object_lock: locked.then(ObjectLock::default),
        ..BucketConfig::default()
    };
    let new = NewBucket {
        name: input.bucket.clone(),
        region: constraint.unwrap_or_else(|| api.region.clone()),
        config,
        owner: owner.clone(),
    };
    match api.store.create_bucket(new).await {
        Ok(_) => {}
        Err(StoreError::BucketExists) => again(api, &input.bucket, &owner, acl.as_ref())?,
        Err(error) => return Err(ApiError::from(error).into()),
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{}", input.bucket)) }))
}

/// The account of the caller, whom the gate let in.
fn owner_of<T>(req: &S3Request<T>) -> Result<String, ApiError> {
    let principal = req.extensions.get::<Principal>();
    let nobody = || ApiError::access_denied("an anonymous caller has no buckets");
    principal.map(|principal| principal.account_id.clone()).ok_or_else(nobody)
}

/// What is answered for a name that is taken. In us-east-1, and as long as nothing would change, to create one's own
/// bucket again is a success (CreateBucket, "BucketAlreadyOwnedByYou").
fn again(api: &Api, name: &str, caller: &str, acl: Option<&Acl>) -> Result<(), ApiError> {
    match api.bucket(name) {
        Ok(bucket) if bucket.owner == caller && bucket.config.acl.as_ref() == acl => {
            if api.region == DEFAULT_REGION { Ok(()) } else { Err(StoreError::BucketExists.into()) }
        }
        _ => Err(ApiError::new(
            http::StatusCode::CONFLICT,
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. \
             Please select a different name and try again.",
        )),
    }
}

/// What s3s leaves unchecked of the rules for names (S3 user guide, "General purpose bucket naming rules").
fn check_name(name: &str) -> Result<(), ApiError> {
    if name.contains(".-") || name.contains("-.") {
        return Err(ApiError::new(
            http::StatusCode::BAD_REQUEST,
            "InvalidBucketName",
            "The specified bucket is not valid: a period may not stand beside a hyphen",
        )
        .with_detail("BucketName", name));
    }
    Ok(())
}

pub(super) fn head(api: &Api, input: &HeadBucketInput) -> S3Result<S3Response<HeadBucketOutput>> {
    let bucket = api.bucket(&input.bucket)?;
    Ok(S3Response::new(HeadBucketOutput {
        bucket_region: Some(bucket.region.clone()),
        ..HeadBucketOutput::default()
    }))
}

pub(super) async fn delete(
    api: &Api,
    req: S3Request<DeleteBucketInput>,
) -> S3Result<S3Response<DeleteBucketOutput>> {
    let bucket = api.bucket(&req.input.bucket)?;
    api.names.may_delete_bucket(&req.input.bucket)?;
    api.store.delete_bucket(&bucket).await.map_err(ApiError::from)?;
    Ok(S3Response::with_status(DeleteBucketOutput {}, http::StatusCode::NO_CONTENT))
}

pub(super) fn location(
    api: &Api,
    input: &GetBucketLocationInput,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    let bucket = api.bucket(&input.bucket)?;
    let region = bucket.config.location.clone().or_else(|| {
        // What AWS calls the region without a constraint.
        (bucket.region != DEFAULT_REGION).then(|| bucket.region.clone())
    });
    let constraint = region.map(BucketLocationConstraint::from);
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint: constraint }))
}

pub(super) fn list(api: &Api, req: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
    // Who has no key has no buckets.
    let owner = owner_of(&req).unwrap_or_default();
    let input = req.input;
    let limit = match input.max_buckets {
        None => usize::MAX,
        Some(n) => usize::try_from(n).ok().filter(|n| (1..=10_000).contains(n)).ok_or_else(|| {
            ApiError::invalid_argument("Argument max-buckets must be an integer between 1 and 10000")
        })?,
    };
    let all = api.store.buckets();
    let prefix = input.prefix.clone().unwrap_or_default();
    let after = input.continuation_token.unwrap_or_default();
    let mut matching = all
        .values()
        .filter(|bucket| {
            bucket.owner == owner
                && bucket.name.starts_with(&prefix)
                && (after.is_empty() || bucket.name > after)
        })
        .filter(|bucket| input.bucket_region.as_ref().is_none_or(|region| *region == bucket.region));
    let page: Vec<_> = matching.by_ref().take(limit).collect();
    let next = matching.next().and(page.last()).map(|bucket| bucket.name.clone());
    let buckets = page
        .iter()
        .map(|bucket| Bucket {
            name: Some(bucket.name.clone()),
            creation_date: Some(convert::timestamp(bucket.created)),
            bucket_region: Some(bucket.region.clone()),
        })
        .collect();
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(buckets),
        continuation_token: next,
        owner: Some(api.owner(&owner)),
        prefix: input.prefix,
    }))
}
