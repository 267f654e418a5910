//! Versions on the wire: the `versionId` of a request, and the headers that tell of one.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::error::ApiError;
use crate::store::{Bucket, DeleteMarker, VersionId, VersionRef};

const VERSION_ID: HeaderName = HeaderName::from_static("x-amz-version-id");
const DELETE_MARKER: HeaderName = HeaderName::from_static("x-amz-delete-marker");

/// The version that a request means.
///
/// # Errors
/// 400 InvalidArgument for what was never a version id.
pub(crate) fn wanted(id: Option<&str>) -> Result<VersionRef, ApiError> {
    let Some(id) = id else { return Ok(VersionRef::Current) };
    VersionRef::parse(id).ok_or_else(|| {
        ApiError::invalid_argument(if id.is_empty() {
            "Version id cannot be the empty string"
        } else {
            "Invalid version id specified"
        })
        .with_detail("ArgumentName", "versionId")
        .with_detail("ArgumentValue", id)
    })
}

/// How an answer names a version: `null` for the null version, nothing in a bucket that never had versioning.
pub(super) fn shown(bucket: &Bucket, id: Option<VersionId>) -> Option<String> {
    bucket.config.versioning.is_known().then(|| VersionRef::of(id).to_string())
}

/// Names a version in an answer's headers.
pub(super) fn name(bucket: &Bucket, id: Option<VersionId>, headers: &mut HeaderMap) {
    if let Some(id) = shown(bucket, id).and_then(|id| HeaderValue::try_from(id).ok()) {
        headers.insert(VERSION_ID, id);
    }
}

/// What a read of a delete marker is told: 404, or 405 where the marker was named.
pub(super) fn is_marker(marker: &DeleteMarker, named: bool) -> ApiError {
    let error = if named {
        ApiError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        )
        .with_detail("ResourceType", "DeleteMarker")
        .with_header(http::header::ALLOW, HeaderValue::from_static("DELETE"))
    } else {
        ApiError::new(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.")
    };
    let error = error.with_header(DELETE_MARKER, HeaderValue::from_static("true"));
    match HeaderValue::try_from(VersionRef::of(marker.version).to_string()) {
        Ok(id) => error.with_header(VERSION_ID, id),
        Err(_) => error,
    }
}
