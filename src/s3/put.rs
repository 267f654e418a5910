//! PutObject: a body in, checked while it streams; nothing is stored when a check fails.

use std::sync::Arc;

use axum::body::Body;
use data_encoding::HEXLOWER;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header, request};

use crate::auth::Trailers;
use crate::error::ApiError;
use crate::policy::Access;
use crate::store::{
    BodyError, Bucket, ByteStream, NewObject, Payload, StageOptions, Staged, Store, StoreError,
};

use super::checksum::Claim;
use super::{Api, acl, checksum, convert, headers, lifecycle, version};

/// Bytes of one PUT: 5 GiB (S3 user guide, "Amazon S3 multipart upload limits").
const MAX_PUT: u64 = 5 << 30;

/// Answers PutObject.
///
/// # Errors
/// As PutObject: NoSuchBucket, BadDigest, IncompleteBody, EntityTooLarge, MetadataTooLarge, PreconditionFailed,
/// and what the body's own checks say.
pub(super) async fn put_object(
    api: &Api,
    access: &Access<'_>,
    key: &str,
    request: &request::Parts,
    body: Body,
    trailers: &Trailers,
) -> Result<Response<Body>, ApiError> {
    access.allow("s3:PutObject", None)?;
    let (store, bucket) = (api.store.as_ref(), access.bucket);
    let (owner, acl) = acl::of_new_object(api, access, &request.headers)?;
    refuse_later_features(&request.headers)?;
    let condition = convert::write_condition(&request.headers)?;
    let mut object = NewObject {
        headers: headers::system(&request.headers),
        metadata: headers::metadata(&request.headers)?,
        tags: headers::tagging(&request.headers)?,
        owner,
        acl,
        ..NewObject::default()
    };
    let claim = Claim::read(&request.headers)?;
    let staged = stage_body(store, request, body, &claim).await?;
    let sum = claim.verify(&staged, trailers.get())?;
    object.checksum = Some(sum.clone());
    let info = store.put(&bucket.name, key, staged, object, condition).await?;
    let mut response = Response::new(Body::empty());
    let out = response.headers_mut();
    insert(out, header::ETAG, &format!("\"{}\"", info.etag));
    insert(out, HeaderName::from_static(checksum::header_of(sum.algorithm)), &sum.value);
    insert(out, HeaderName::from_static("x-amz-checksum-type"), headers::type_name(sum.kind));
    lifecycle::say_expiration(bucket, key, &info, out);
    // Of a null version, which replaced the one before, nothing is said.
    if info.version.is_some() {
        version::name(bucket, info.version, out);
    }
    Ok(response)
}

/// Streams a request's body into the store's waiting room, out of sight.
///
/// # Errors
/// 411 without a length, 413 above 5 GiB, and what the body's checks say.
pub(super) async fn stage_body(
    store: &dyn Store,
    request: &request::Parts,
    body: Body,
    claim: &Claim,
) -> Result<Staged, ApiError> {
    let length = declared_length(&request.headers)?;
    let options = StageOptions { checksum: claim.algorithm };
    let stream = if length.is_some() { body_stream(body) } else { capped(body_stream(body)) };
    let staged = store.stage(Payload::Stream(stream, length), options).await?;
    if length.is_some_and(|length| staged.size != length) {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header",
        ));
    }
    Ok(staged)
}

/// The length of a body; `None` for one that comes in HTTP's own chunks, which AWS refuses and other stores take.
fn declared_length(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let value = match headers.get(header::CONTENT_LENGTH) {
        Some(value) => value,
        None if headers.contains_key(header::TRANSFER_ENCODING) => return Ok(None),
        None => {
            return Err(ApiError::new(
                StatusCode::LENGTH_REQUIRED,
                "MissingContentLength",
                "You must provide the Content-Length HTTP header.",
            ));
        }
    };
    let length = value.to_str().ok().and_then(|text| text.parse::<u64>().ok());
    let length =
        length.ok_or_else(|| ApiError::invalid_argument("Content-Length must be a number of bytes"))?;
    if length > MAX_PUT {
        return Err(too_large(length));
    }
    Ok(Some(length))
}

fn too_large(length: u64) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "EntityTooLarge",
        "Your proposed upload exceeds the maximum allowed size",
    )
    .with_detail("ProposedSize", length.to_string())
    .with_detail("MaxSizeAllowed", MAX_PUT.to_string())
}

/// A body whose length was not said, refused once it is too long.
fn capped(stream: ByteStream) -> ByteStream {
    let mut taken = 0;
    Box::pin(stream.map(move |chunk| {
        let chunk = chunk?;
        taken += chunk.len() as u64;
        if taken > MAX_PUT { Err(BodyError::Rejected(Box::new(too_large(taken)))) } else { Ok(chunk) }
    }))
}

/// A request's body as the store takes it: an error that one of our own checks raised stays what it is.
pub(crate) fn body_stream(body: Body) -> ByteStream {
    Box::pin(body.into_data_stream().map(|item| item.map_err(|error| body_error(&error))))
}

fn body_error(error: &axum::Error) -> BodyError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(known) = error.downcast_ref::<BodyError>() {
            return known.clone();
        }
        cause = error.source();
    }
    BodyError::Disconnected(error.to_string())
}

/// What comes in later issues is refused, not ignored: a client that asks for a lock must not believe it has one.
fn refuse_later_features(headers: &HeaderMap) -> Result<(), ApiError> {
    const LATER: [(&str, &str); 4] = [
        ("x-amz-object-lock-mode", "Object Lock"),
        ("x-amz-object-lock-legal-hold", "Object Lock"),
        ("x-amz-server-side-encryption-customer-algorithm", "encryption with customer keys (SSE-C)"),
        ("x-amz-server-side-encryption", "server-side encryption"),
    ];
    match LATER.iter().find(|(name, _)| headers.contains_key(*name)) {
        None => Ok(()),
        Some((name, feature)) => {
            Err(ApiError::not_implemented(format!("{name}: {feature} is not implemented yet")))
        }
    }
}

/// 404 before the body is read, rather than after.
pub(super) fn require_bucket(store: &dyn Store, bucket: &str) -> Result<Arc<Bucket>, ApiError> {
    store.buckets().get(bucket).cloned().ok_or_else(|| StoreError::NoSuchBucket.into())
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The MD5 of staged bytes in hex: the ETag of what was put whole.
pub(super) fn md5_hex(staged: &Staged) -> String {
    HEXLOWER.encode(&staged.md5)
}
