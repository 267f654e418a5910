//! GetObjectTagging, PutObjectTagging, DeleteObjectTagging.

use http::StatusCode;
use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput, Tag,
};
use s3s::{S3Request, S3Response, S3Result};

use crate::error::ApiError;
use crate::notification::{Event, Happened};
use crate::store::{ObjectChange, ObjectInfo, Tags};

use super::{Api, headers, version};

pub(super) async fn get(
    api: &Api,
    req: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let wanted = version::wanted(req.input.version_id.as_deref())?;
    let bucket = api.bucket(&req.input.bucket)?;
    let info = api.store.head(&req.input.bucket, &req.input.key, wanted).await.map_err(ApiError::from)?;
    let version_id = version::shown(&bucket, info.version);
    let tag_set =
        info.tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect();
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id }))
}

pub(super) async fn put(
    api: &Api,
    req: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let input = req.input;
    let pairs = input
        .tagging
        .tag_set
        .into_iter()
        .map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()))
        .collect();
    let tags = headers::check_tags(pairs)?;
    let named = set(api, &input.bucket, &input.key, input.version_id.as_deref(), tags).await?;
    let (version_id, info) = named;
    let happened = || vec![Happened::to_object(Event::TaggingPut, &input.key, api.clock.now(), &info)];
    api.tell(&input.bucket, &req.extensions, None, happened).await?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id }))
}

pub(super) async fn delete(
    api: &Api,
    req: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let input = req.input;
    let named = set(api, &input.bucket, &input.key, input.version_id.as_deref(), Tags::new()).await?;
    let (version_id, info) = named;
    let happened = || vec![Happened::to_object(Event::TaggingDelete, &input.key, api.clock.now(), &info)];
    api.tell(&input.bucket, &req.extensions, None, happened).await?;
    Ok(S3Response::with_status(DeleteObjectTaggingOutput { version_id }, StatusCode::NO_CONTENT))
}

/// Replaces the tags of a version; answers how it is named, and its head.
async fn set(
    api: &Api,
    bucket: &str,
    key: &str,
    version: Option<&str>,
    tags: Tags,
) -> Result<(Option<String>, ObjectInfo), ApiError> {
    let config = api.bucket(bucket)?;
    let change = ObjectChange::Tags(tags);
    let info = api.store.update_object(&config, key, version::wanted(version)?, change).await?;
    Ok((version::shown(&config, info.version), info))
}
