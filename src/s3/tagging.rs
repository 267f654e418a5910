//! GetObjectTagging, PutObjectTagging, DeleteObjectTagging.

use http::StatusCode;
use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput, Tag,
};
use s3s::{S3Request, S3Response, S3Result};

use crate::error::ApiError;
use crate::store::Tags;

use super::delete::refuse_version;
use super::{Api, headers};

pub(super) async fn get(
    api: &Api,
    req: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    refuse_version(req.input.version_id.as_deref())?;
    let info = api.store.head(&req.input.bucket, &req.input.key).await.map_err(ApiError::from)?;
    let tag_set =
        info.tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect();
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id: None }))
}

pub(super) async fn put(
    api: &Api,
    req: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let input = req.input;
    refuse_version(input.version_id.as_deref())?;
    let pairs = input
        .tagging
        .tag_set
        .into_iter()
        .map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()))
        .collect();
    let tags = headers::check_tags(pairs)?;
    api.store.set_tags(&input.bucket, &input.key, tags).await.map_err(ApiError::from)?;
    Ok(S3Response::new(PutObjectTaggingOutput::default()))
}

pub(super) async fn delete(
    api: &Api,
    req: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    refuse_version(req.input.version_id.as_deref())?;
    api.store.set_tags(&req.input.bucket, &req.input.key, Tags::new()).await.map_err(ApiError::from)?;
    Ok(S3Response::with_status(DeleteObjectTaggingOutput::default(), StatusCode::NO_CONTENT))
}
