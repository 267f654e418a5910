//! GetBucketPolicy, PutBucketPolicy, DeleteBucketPolicy, GetBucketPolicyStatus.

use http::StatusCode;
use s3s::dto::{
    DeleteBucketPolicyInput, DeleteBucketPolicyOutput, GetBucketPolicyInput, GetBucketPolicyOutput,
    GetBucketPolicyStatusInput, GetBucketPolicyStatusOutput, PolicyStatus, PutBucketPolicyInput,
    PutBucketPolicyOutput,
};
use s3s::{S3Request, S3Response, S3Result};

use crate::bucket::Acl;
use crate::error::ApiError;
use crate::policy::{Policy, PolicyError, ResourcePolicy};

use super::{Api, acl};

fn absent(bucket: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "NoSuchBucketPolicy", "The bucket policy does not exist")
        .with_detail("BucketName", bucket)
}

fn malformed(message: impl Into<std::borrow::Cow<'static, str>>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "MalformedPolicy", message)
}

pub(super) fn get(api: &Api, input: &GetBucketPolicyInput) -> S3Result<S3Response<GetBucketPolicyOutput>> {
    let bucket = api.bucket(&input.bucket)?;
    let policy = bucket.config.policy.as_ref().ok_or_else(|| absent(&bucket.name))?;
    Ok(S3Response::new(GetBucketPolicyOutput { policy: Some(policy.text().to_owned()) }))
}

pub(super) async fn put(
    api: &Api,
    req: S3Request<PutBucketPolicyInput>,
) -> S3Result<S3Response<PutBucketPolicyOutput>> {
    let bucket = api.bucket(&req.input.bucket)?;
    let policy = ResourcePolicy::parse(&req.input.policy).map_err(|error| match error {
        PolicyError::Malformed(message) => malformed(message),
        PolicyError::TooLarge { .. } => malformed(error.to_string()),
    })?;
    if let Some(policy) = policy.policy() {
        check_resources(policy, &bucket.name)?;
    }
    let blocked = acl::access(api, &req, &bucket).public_access_block().block_public_policy;
    if blocked && policy.is_public() {
        return Err(ApiError::access_denied("a public bucket policy: BlockPublicPolicy is on").into());
    }
    api.configure(&bucket.name, move |bucket| {
        bucket.config.policy = Some(policy);
        Ok(())
    })
    .await?;
    Ok(S3Response::with_status(PutBucketPolicyOutput::default(), StatusCode::NO_CONTENT))
}

/// A bucket policy speaks of its own bucket.
fn check_resources(policy: &Policy, bucket: &str) -> Result<(), ApiError> {
    for statement in policy.statements() {
        let (patterns, _) = statement.resources();
        for pattern in patterns {
            let rest = pattern.strip_prefix("arn:aws:s3:").and_then(|rest| rest.splitn(3, ':').nth(2));
            let name =
                rest.unwrap_or(if pattern == "*" { "*" } else { "" }).split('/').next().unwrap_or_default();
            let open = name.contains(['*', '?', '$']);
            if name != bucket && !open {
                return Err(malformed(format!(
                    "Policy has invalid resource: {pattern} is not of the bucket {bucket}"
                )));
            }
        }
    }
    Ok(())
}

pub(super) async fn delete(
    api: &Api,
    input: DeleteBucketPolicyInput,
) -> S3Result<S3Response<DeleteBucketPolicyOutput>> {
    api.configure(&input.bucket, |bucket| {
        bucket.config.policy = None;
        Ok(())
    })
    .await?;
    Ok(S3Response::with_status(DeleteBucketPolicyOutput::default(), StatusCode::NO_CONTENT))
}

pub(super) fn status(
    api: &Api,
    req: &S3Request<GetBucketPolicyStatusInput>,
) -> S3Result<S3Response<GetBucketPolicyStatusOutput>> {
    let bucket = api.bucket(&req.input.bucket)?;
    let block = acl::access(api, req, &bucket).public_access_block();
    let by_acl = bucket.config.acl.as_ref().is_some_and(Acl::is_public) && !block.ignore_public_acls;
    let by_policy = bucket.config.policy.as_ref().is_some_and(ResourcePolicy::is_public)
        && !block.restrict_public_buckets;
    Ok(S3Response::new(GetBucketPolicyStatusOutput {
        policy_status: Some(PolicyStatus { is_public: Some(by_acl || by_policy) }),
    }))
}
