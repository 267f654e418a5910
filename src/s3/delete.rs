//! DeleteObject and DeleteObjects.

use http::StatusCode;
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, Error,
};
use s3s::{S3Request, S3Response, S3Result};

use crate::error::ApiError;
use crate::store::{DeleteKey, StoreError};

use super::preconditions::{bare_etag, parse_date};
use super::{Api, keys};

/// Keys of one DeleteObjects.
const MAX_KEYS: usize = 1000;

pub(super) async fn one(
    api: &Api,
    req: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let input = req.input;
    refuse_version(input.version_id.as_deref())?;
    let text = |name: &str| req.headers.get(name).and_then(|v| v.to_str().ok());
    let key = DeleteKey {
        key: input.key,
        if_match: text("if-match").map(|tag| bare_etag(tag).to_owned()),
        if_last_modified: text("x-amz-if-match-last-modified-time")
            .map(|date| parse_date(date).ok_or_else(|| bad_argument("x-amz-if-match-last-modified-time")))
            .transpose()?,
        if_size: text("x-amz-if-match-size")
            .map(|size| size.parse().map_err(|_| bad_argument("x-amz-if-match-size")))
            .transpose()?,
    };
    let results = api.store.delete(&input.bucket, vec![key]).await.map_err(ApiError::from)?;
    for result in results {
        result.map_err(ApiError::from)?;
    }
    Ok(S3Response::with_status(DeleteObjectOutput::default(), StatusCode::NO_CONTENT))
}

pub(super) async fn many(
    api: &Api,
    req: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let input = req.input;
    let named = input.delete.objects;
    if named.is_empty() || named.len() > MAX_KEYS {
        return Err(malformed(format!("Delete takes 1 to {MAX_KEYS} objects, not {}", named.len())).into());
    }
    let mut errors = Vec::new();
    let mut wanted = Vec::new();
    for object in named {
        match keys::check(&object.key).and_then(|()| refuse_version(object.version_id.as_deref())) {
            Ok(()) => wanted.push(DeleteKey {
                key: object.key,
                if_match: object.e_tag.map(|tag| tag.value().to_owned()),
                if_last_modified: None,
                if_size: object.size.and_then(|size| u64::try_from(size).ok()),
            }),
            Err(error) => errors.push(entry(&object.key, &error)),
        }
    }
    let names: Vec<String> = wanted.iter().map(|key| key.key.clone()).collect();
    let results = api.store.delete(&input.bucket, wanted).await.map_err(ApiError::from)?;
    let mut deleted = Vec::new();
    for (key, result) in names.into_iter().zip(results) {
        match result {
            // To S3, deleting what is not there is a success.
            Ok(_) | Err(StoreError::NoSuchKey) => {
                deleted.push(DeletedObject { key: Some(key), ..DeletedObject::default() });
            }
            Err(error) => errors.push(entry(&key, &ApiError::from(error))),
        }
    }
    let quiet = input.delete.quiet.unwrap_or(false);
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: (!quiet).then_some(deleted),
        errors: Some(errors),
        request_charged: None,
    }))
}

fn entry(key: &str, error: &ApiError) -> Error {
    Error {
        key: Some(key.to_owned()),
        code: Some(error.code.to_string()),
        message: Some(error.message.to_string()),
        version_id: None,
    }
}

/// Buckets have no versions yet: only the null version can be named.
pub(super) fn refuse_version(version: Option<&str>) -> Result<(), ApiError> {
    match version {
        None | Some("" | "null") => Ok(()),
        Some(version) => Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "NoSuchVersion",
            "The specified version does not exist.",
        )
        .with_detail("VersionId", version)),
    }
}

fn bad_argument(name: &'static str) -> ApiError {
    ApiError::invalid_argument(format!("The value of {name} is not valid"))
}

fn malformed(message: String) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
    .with_internal(message)
}
