//! Small documents of a bucket: tags, ownership controls, public access block, request payment, acceleration.

use http::StatusCode;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use crate::bucket::{Acl, Ownership};
use crate::catalog;
use crate::error::ApiError;

use super::{Api, headers};

/// Tags of a bucket (S3 user guide, "Using cost allocation S3 bucket tags").
const MAX_TAGS: usize = 50;

fn absent(code: &'static str, message: &'static str, bucket: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, code, message).with_detail("BucketName", bucket)
}

pub(super) fn get_tagging(
    api: &Api,
    input: &GetBucketTaggingInput,
) -> S3Result<S3Response<GetBucketTaggingOutput>> {
    let bucket = api.bucket(&input.bucket)?;
    let tags = bucket
        .config
        .tags
        .as_ref()
        .ok_or_else(|| absent("NoSuchTagSet", "The TagSet does not exist", &bucket.name))?;
    let shown = |(key, value): (&String, &String)| Tag { key: Some(key.clone()), value: Some(value.clone()) };
    Ok(S3Response::new(GetBucketTaggingOutput { tag_set: tags.iter().map(shown).collect() }))
}

pub(super) async fn put_tagging(
    api: &Api,
    req: S3Request<PutBucketTaggingInput>,
) -> S3Result<S3Response<PutBucketTaggingOutput>> {
    let pairs = req.input.tagging.tag_set.into_iter();
    let pairs = pairs.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect();
    let tags = headers::check_tag_set(pairs, MAX_TAGS, "Bucket tag count cannot be greater than 50")?;
    api.configure(&req.input.bucket, move |bucket| {
        bucket.config.tags = Some(tags);
        Ok(())
    })
    .await?;
    Ok(S3Response::with_status(PutBucketTaggingOutput::default(), StatusCode::NO_CONTENT))
}

pub(super) async fn delete_tagging(
    api: &Api,
    input: DeleteBucketTaggingInput,
) -> S3Result<S3Response<DeleteBucketTaggingOutput>> {
    api.configure(&input.bucket, |bucket| {
        bucket.config.tags = None;
        Ok(())
    })
    .await?;
    Ok(S3Response::with_status(DeleteBucketTaggingOutput::default(), StatusCode::NO_CONTENT))
}

pub(super) fn get_ownership(
    api: &Api,
    input: &GetBucketOwnershipControlsInput,
) -> S3Result<S3Response<GetBucketOwnershipControlsOutput>> {
    let bucket = api.bucket(&input.bucket)?;
    let ownership = bucket.config.ownership.ok_or_else(|| {
        absent("OwnershipControlsNotFoundError", "The bucket ownership controls were not found", &bucket.name)
    })?;
    let object_ownership = ObjectOwnership::from_static(ownership.name());
    let rules = vec![OwnershipControlsRule { object_ownership }];
    Ok(S3Response::new(GetBucketOwnershipControlsOutput {
        ownership_controls: Some(OwnershipControls { rules }),
    }))
}

/// An ownership by its name.
pub(super) fn ownership_of(name: &str) -> Result<Ownership, ApiError> {
    Ownership::of(name).ok_or_else(|| {
        ApiError::invalid_argument(
            "Invalid x-amz-object-ownership header: it is BucketOwnerEnforced, BucketOwnerPreferred or ObjectWriter",
        )
        .with_detail("ArgumentName", "x-amz-object-ownership")
        .with_detail("ArgumentValue", name)
    })
}

pub(super) async fn put_ownership(
    api: &Api,
    req: S3Request<PutBucketOwnershipControlsInput>,
) -> S3Result<S3Response<PutBucketOwnershipControlsOutput>> {
    let rules = req.input.ownership_controls.rules;
    let [rule] = rules.as_slice() else {
        return Err(super::malformed_xml("OwnershipControls has one Rule").into());
    };
    let ownership = ownership_of(rule.object_ownership.as_str())?;
    api.configure(&req.input.bucket, move |bucket| {
        let others = bucket.config.acl.as_ref().is_some_and(|acl| *acl != Acl::private(&bucket.owner));
        if ownership == Ownership::BucketOwnerEnforced && others {
            return Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "InvalidBucketAclWithObjectOwnership",
                "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
            ));
        }
        bucket.config.ownership = Some(ownership);
        Ok(())
    })
    .await?;
    Ok(S3Response::new(PutBucketOwnershipControlsOutput::default()))
}

pub(super) async fn delete_ownership(
    api: &Api,
    input: DeleteBucketOwnershipControlsInput,
) -> S3Result<S3Response<DeleteBucketOwnershipControlsOutput>> {
    api.configure(&input.bucket, |bucket| {
        bucket.config.ownership = None;
        Ok(())
    })
    .await?;
    Ok(S3Response::with_status(DeleteBucketOwnershipControlsOutput::default(), StatusCode::NO_CONTENT))
}

pub(super) fn get_access_block(
    api: &Api,
    input: &GetPublicAccessBlockInput,
) -> S3Result<S3Response<GetPublicAccessBlockOutput>> {
    let bucket = api.bucket(&input.bucket)?;
    let block = bucket.config.public_access_block.ok_or_else(|| {
        absent(
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
            &bucket.name,
        )
    })?;
    Ok(S3Response::new(GetPublicAccessBlockOutput {
        public_access_block_configuration: Some(PublicAccessBlockConfiguration {
            block_public_acls: Some(block.block_public_acls),
            block_public_policy: Some(block.block_public_policy),
            ignore_public_acls: Some(block.ignore_public_acls),
            restrict_public_buckets: Some(block.restrict_public_buckets),
        }),
    }))
}

pub(super) async fn put_access_block(
    api: &Api,
    req: S3Request<PutPublicAccessBlockInput>,
) -> S3Result<S3Response<PutPublicAccessBlockOutput>> {
    let asked = req.input.public_access_block_configuration;
    let block = catalog::PublicAccessBlock {
        block_public_acls: asked.block_public_acls.unwrap_or_default(),
        ignore_public_acls: asked.ignore_public_acls.unwrap_or_default(),
        block_public_policy: asked.block_public_policy.unwrap_or_default(),
        restrict_public_buckets: asked.restrict_public_buckets.unwrap_or_default(),
    };
    api.configure(&req.input.bucket, move |bucket| {
        bucket.config.public_access_block = Some(block);
        Ok(())
    })
    .await?;
    Ok(S3Response::new(PutPublicAccessBlockOutput::default()))
}

pub(super) async fn delete_access_block(
    api: &Api,
    input: DeletePublicAccessBlockInput,
) -> S3Result<S3Response<DeletePublicAccessBlockOutput>> {
    api.configure(&input.bucket, |bucket| {
        bucket.config.public_access_block = None;
        Ok(())
    })
    .await?;
    Ok(S3Response::with_status(DeletePublicAccessBlockOutput::default(), StatusCode::NO_CONTENT))
}

pub(super) fn get_request_payment(
    api: &Api,
    input: &GetBucketRequestPaymentInput,
) -> S3Result<S3Response<GetBucketRequestPaymentOutput>> {
    let pays = api.bucket(&input.bucket)?.config.requester_pays;
    let payer = Payer::from_static(if pays { Payer::REQUESTER } else { Payer::BUCKET_OWNER });
    Ok(S3Response::new(GetBucketRequestPaymentOutput { payer: Some(payer) }))
}

pub(super) async fn put_request_payment(
    api: &Api,
    req: S3Request<PutBucketRequestPaymentInput>,
) -> S3Result<S3Response<PutBucketRequestPaymentOutput>> {
    let pays = match req.input.request_payment_configuration.payer.as_str() {
        Payer::REQUESTER => true,
        Payer::BUCKET_OWNER => false,
        _ => return Err(super::malformed_xml("Payer is Requester or BucketOwner").into()),
    };
    api.configure(&req.input.bucket, move |bucket| {
        bucket.config.requester_pays = pays;
        Ok(())
    })
    .await?;
    Ok(S3Response::new(PutBucketRequestPaymentOutput::default()))
}

/// There is nothing to accelerate on one machine: no bucket has a status.
pub(super) fn get_accelerate(
    api: &Api,
    input: &GetBucketAccelerateConfigurationInput,
) -> S3Result<S3Response<GetBucketAccelerateConfigurationOutput>> {
    api.bucket(&input.bucket)?;
    Ok(S3Response::new(GetBucketAccelerateConfigurationOutput::default()))
}
