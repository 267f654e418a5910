//! DeleteObject and DeleteObjects.

use std::sync::Arc;

use http::StatusCode;
use jiff::Timestamp;
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, Error,
    ObjectIdentifier,
};
use s3s::{S3Request, S3Response, S3Result};

use crate::access_log::{Notes, Part};
use crate::error::ApiError;
use crate::notification::Happened;
use crate::policy::Access;
use crate::policy::operation::bypasses;
use crate::store::{DeleteKey, StoreError, VersionRef};

use super::preconditions::{bare_etag, parse_date};
use super::{Api, acl, convert, gate, keys, version};

/// Keys of one DeleteObjects.
const MAX_KEYS: usize = 1000;

pub(super) async fn one(
    api: &Api,
    req: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let input = req.input;
    let text = |name: &str| req.headers.get(name).and_then(|v| v.to_str().ok());
    let name = input.key;
    let key = DeleteKey {
        key: name.clone(),
        version: version::wanted(input.version_id.as_deref())?,
        bypass_governance: input.bypass_governance_retention == Some(true),
        if_match: text("if-match").map(|tag| bare_etag(tag).to_owned()),
        if_last_modified: text("x-amz-if-match-last-modified-time")
            .map(|date| parse_date(date).ok_or_else(|| bad_argument("x-amz-if-match-last-modified-time")))
            .transpose()?,
        if_size: text("x-amz-if-match-size")
            .map(|size| size.parse().map_err(|_| bad_argument("x-amz-if-match-size")))
            .transpose()?,
        if_seen: None,
    };
    let wanted = key.version;
    let bucket = api.bucket(&input.bucket)?;
    let results = api.store.delete(&bucket, vec![key]).await.map_err(ApiError::from)?;
    let mut output = DeleteObjectOutput::default();
    for result in results {
        let deleted = result.map_err(ApiError::from)?;
        let happened =
            || Happened::by_delete(&name, wanted, &deleted, api.clock.now(), false).into_iter().collect();
        api.tell(&input.bucket, &req.extensions, None, happened).await?;
        output.delete_marker = deleted.marker.then_some(true);
        output.version_id = deleted.version.map(|id| VersionRef::of(id).to_string());
    }
    Ok(S3Response::with_status(output, StatusCode::NO_CONTENT))
}

pub(super) async fn many(
    api: &Api,
    mut req: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let bucket = api.bucket(&req.input.bucket)?;
    let bypass = bypasses(&req.headers);
    let named = std::mem::take(&mut req.input.delete.objects);
    let access = acl::access(api, &req, &bucket);
    if named.is_empty() || named.len() > MAX_KEYS {
        return Err(super::malformed_xml(format!(
            "Delete takes 1 to {MAX_KEYS} objects, not {}",
            named.len()
        ))
        .into());
    }
    let mut errors = Vec::new();
    let mut wanted = Vec::new();
    for object in named {
        let access = Access { key: Some(&object.key), ..access };
        let version = keys::check(&object.key)
            .and_then(|()| gate::allow_delete(&access, object.version_id.as_deref()))
            .and_then(|()| version::wanted(object.version_id.as_deref()));
        match version.and_then(|version| Ok((version, conditions(&object)?))) {
            Ok((version, (if_last_modified, if_size))) => wanted.push(DeleteKey {
                key: object.key,
                version,
                bypass_governance: bypass,
                if_match: object.e_tag.map(|tag| tag.value().to_owned()),
                if_last_modified,
                if_size,
                if_seen: None,
            }),
            Err(error) => {
                if let (Some(trail), Some(why)) = (access.asked.trail, &error.internal) {
                    trail.denied(why);
                }
                errors.push(entry(&object.key, object.version_id, &error));
            }
        }
    }
    let input = req.input;
    let notes = Notes::of(&req.extensions);
    let names: Vec<_> = wanted.iter().map(|key| (key.key.clone(), key.version)).collect();
    let results = api.store.delete(&bucket, wanted).await.map_err(ApiError::from)?;
    let happened = || {
        let done = names.iter().zip(&results);
        let now = api.clock.now();
        done.filter_map(|((key, version), result)| {
            Happened::by_delete(key, *version, result.as_ref().ok()?, now, false)
        })
        .collect()
    };
    api.tell(&input.bucket, &req.extensions, None, happened).await?;
    let mut deleted = Vec::new();
    for ((key, version), result) in names.into_iter().zip(results) {
        let named = (version != VersionRef::Current).then(|| version.to_string());
        if let Some(notes) = notes {
            let failed = match &result {
                Ok(_) | Err(StoreError::NoSuchKey) => None,
                Err(StoreError::Locked) => Some((403, "AccessDenied".to_owned())),
                Err(StoreError::PreconditionFailed) => Some((412, "PreconditionFailed".to_owned())),
                Err(_) => Some((500, "InternalError".to_owned())),
            };
            let bucket = Arc::clone(&bucket);
            notes.add(Part {
                bucket,
                operation: "BATCH.DELETE.OBJECT",
                key: key.clone(),
                version_id: named.clone(),
                size: None,
                failed,
            });
        }
        match result {
            Ok(done) => {
                let marker = done.version.filter(|_| done.marker).map(|id| VersionRef::of(id).to_string());
                deleted.push(DeletedObject {
                    key: Some(key),
                    version_id: named,
                    delete_marker: done.marker.then_some(true),
                    delete_marker_version_id: marker,
                });
            }
            // To S3, deleting what is not there is a success.
            Err(StoreError::NoSuchKey) => {
                deleted.push(DeletedObject { key: Some(key), ..DeletedObject::default() });
            }
            Err(error) => errors.push(entry(&key, named, &ApiError::from(error))),
        }
    }
    let quiet = input.delete.quiet.unwrap_or(false);
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: (!quiet).then_some(deleted),
        errors: Some(errors),
        request_charged: None,
    }))
}

fn entry(key: &str, version_id: Option<String>, error: &ApiError) -> Error {
    Error {
        key: Some(key.to_owned()),
        code: Some(error.code.to_string()),
        message: Some(error.message.to_string()),
        version_id,
    }
}

fn bad_argument(name: &'static str) -> ApiError {
    ApiError::invalid_argument(format!("The value of {name} is not valid"))
}

/// When an object must have been written and how large it must be. What cannot be read must not become no condition.
///
/// # Errors
/// 400 InvalidArgument.
fn conditions(object: &ObjectIdentifier) -> Result<(Option<Timestamp>, Option<u64>), ApiError> {
    let unreadable = |field: &'static str, what: &'static str| {
        ApiError::invalid_argument(format!("{field} must be {what}")).with_detail("ArgumentName", field)
    };
    let written = object.last_modified_time.as_ref().map(|time| {
        convert::moment(time).ok_or_else(|| unreadable("LastModifiedTime", "a time before the year 10000"))
    });
    let size = object
        .size
        .map(|size| u64::try_from(size).map_err(|_| unreadable("Size", "a number of bytes, 0 or more")));
    Ok((written.transpose()?, size.transpose()?))
}
