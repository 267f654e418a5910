//! PutObject: a body in, checked while it streams; nothing is stored when a check fails.

use std::sync::Arc;

use axum::body::Body;
use data_encoding::HEXLOWER;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header, request};

use crate::auth::Trailers;
use crate::encryption::DataKey;
use crate::error::ApiError;
use crate::notification::{Event, Happened};
use crate::policy::Access;
use crate::store::{
    BodyError, Bucket, ByteStream, Checksum, NewObject, ObjectInfo, Payload, StageOptions, Staged, Store,
    StoreError, Tags, WriteCondition,
};

use super::checksum::Claim;
use super::{Api, acl, checksum, convert, encryption, headers, lifecycle, lock, room, version};

/// Bytes of one PUT: 5 GiB (S3 user guide, "Amazon S3 multipart upload limits").
pub(super) const MAX_PUT: u64 = 5 << 30;

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
    let upload = Upload {
        headers: &request.headers,
        stream: body_stream(body),
        length: declared_length(&request.headers)?,
        tags: None,
        condition: convert::write_condition(&request.headers)?,
        least: 0,
    };
    let written = write(api, access, key, upload, Some(trailers)).await?;
    written.tell(api, access, key, request, Event::Put).await?;
    let mut response = Response::new(Body::empty());
    describe(&written, response.headers_mut());
    lifecycle::say_expiration(access.bucket, key, &written.info, response.headers_mut());
    // Of a null version, which replaced the one before, nothing is said.
    if written.info.version.is_some() {
        version::name(access.bucket, written.info.version, response.headers_mut());
    }
    Ok(response)
}

/// An object on its way in, by PUT or by a form.
pub(super) struct Upload<'a> {
    /// What it is to be.
    pub(super) headers: &'a HeaderMap,
    /// Its bytes.
    pub(super) stream: ByteStream,
    /// How many, where that was said.
    pub(super) length: Option<u64>,
    /// Its tags, where they are not in the headers.
    pub(super) tags: Option<Tags>,
    /// On what.
    pub(super) condition: WriteCondition,
    /// Bytes that it must have.
    pub(super) least: u64,
}

/// An object that was written, and the checksum that is told of it.
pub(super) struct Written {
    pub(super) info: ObjectInfo,
    sum: Checksum,
}

impl Written {
    /// Tells of the write.
    pub(super) async fn tell(
        &self,
        api: &Api,
        access: &Access<'_>,
        key: &str,
        request: &request::Parts,
        event: Event,
    ) -> Result<(), ApiError> {
        let info = &self.info;
        let happened = || vec![Happened::to_object(event, key, info.last_modified, info)];
        api.tell(&access.bucket.name, &request.extensions, access.principal, happened).await
    }
}

/// Writes an object, if the caller may.
pub(super) async fn write(
    api: &Api,
    access: &Access<'_>,
    key: &str,
    upload: Upload<'_>,
    trailers: Option<&Trailers>,
) -> Result<Written, ApiError> {
    access.allow_write()?;
    let Upload { headers, stream, length, tags, condition, least } = upload;
    let (store, bucket) = (api.store.as_ref(), access.bucket);
    let (owner, acl) = acl::of_new_object(api, access, headers)?;
    let sealed = encryption::of_new_object(&api.keyring, bucket, key, headers)?;
    let (data_key, encryption) = sealed.unzip();
    let mut object = NewObject {
        headers: headers::system(headers),
        metadata: headers::metadata(headers)?,
        tags: tags.map_or_else(|| headers::tagging(headers), Ok)?,
        owner,
        acl,
        lock: lock::of_new_object(api, bucket, headers)?,
        encryption,
        ..NewObject::default()
    };
    let claim = Claim::read(headers)?;
    room::for_object(store, bucket, key, length).await?;
    let staged = stage(store, stream, length, &claim, data_key).await?;
    if staged.size < least {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size",
        )
        .with_detail("ProposedSize", staged.size.to_string())
        .with_detail("MinSizeAllowed", least.to_string()));
    }
    let sum = claim.verify(&staged, trailers.and_then(Trailers::get))?;
    object.checksum = Some(sum.clone());
    let info = store.put(bucket, key, staged, object, condition).await?;
    Ok(Written { info, sum })
}

/// Tells of a write in the headers of its answer.
pub(super) fn describe(written: &Written, out: &mut HeaderMap) {
    let Written { info, sum } = written;
    insert(out, header::ETAG, &format!("\"{}\"", info.etag));
    insert(out, HeaderName::from_static(checksum::header_of(sum.algorithm)), &sum.value);
    insert(out, HeaderName::from_static("x-amz-checksum-type"), headers::type_name(sum.kind));
    encryption::describe(info.encryption.as_ref(), out);
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
    key: Option<DataKey>,
) -> Result<Staged, ApiError> {
    stage(store, body_stream(body), declared_length(&request.headers)?, claim, key).await
}

async fn stage(
    store: &dyn Store,
    stream: ByteStream,
    length: Option<u64>,
    claim: &Claim,
    key: Option<DataKey>,
) -> Result<Staged, ApiError> {
    let options = StageOptions { checksum: claim.algorithm, key };
    let stream = if length.is_some() { stream } else { capped(stream) };
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
pub(super) fn declared_length(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
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
        return Err(too_large(length, MAX_PUT));
    }
    Ok(Some(length))
}

pub(super) fn too_large(length: u64, most: u64) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "EntityTooLarge",
        "Your proposed upload exceeds the maximum allowed size",
    )
    .with_detail("ProposedSize", length.to_string())
    .with_detail("MaxSizeAllowed", most.to_string())
}

/// A body whose length was not said, refused once it is too long.
fn capped(stream: ByteStream) -> ByteStream {
    let mut taken = 0;
    Box::pin(stream.map(move |chunk| {
        let chunk = chunk?;
        taken += chunk.len() as u64;
        if taken > MAX_PUT {
            Err(BodyError::Rejected(Box::new(too_large(taken, MAX_PUT))))
        } else {
            Ok(chunk)
        }
    }))
}

/// A request's body as the store takes it: an error that one of our own checks raised stays what it is.
pub(crate) fn body_stream(body: Body) -> ByteStream {
    Box::pin(body.into_data_stream().map(|item| item.map_err(|error| BodyError::of(&error))))
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
