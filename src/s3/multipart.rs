//! Multipart uploads: create, upload a part, copy a part, list, abort.

use axum::body::Body;
use http::{HeaderName, HeaderValue, Response, StatusCode, header, request};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CopyPartResult, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput,
    ListPartsOutput, MultipartUpload, Part, StorageClass, UploadPartCopyInput, UploadPartCopyOutput,
};
use s3s::{S3Request, S3Response, S3Result, dto};

use crate::auth::{Principal, Trailers};
use crate::error::ApiError;
use crate::store::{
    Bucket, ChecksumAlgorithm, ChecksumType, ListUploadsQuery, NewObject, NewUpload, PartInfo, StageOptions,
    UploadInfo,
};

use super::checksum::{Claim, by_name, header_of, name_of};
use super::encryption::CustomerHeaders;
use super::list::{Encoding, page_size};
use super::put::{declared_length, md5_hex, require_bucket, stage_body};
use super::range::Wanted;
use super::{Api, acl, convert, copy, encryption, headers, lifecycle, lock, room, version};

/// Bytes that every part but the last must have: 5 MiB (S3 user guide, "Amazon S3 multipart upload limits").
pub(super) const MIN_PART: u64 = 5 << 20;
/// Parts of one upload.
pub(super) const MAX_PARTS: usize = 10_000;

pub(super) async fn create(
    api: &Api,
    req: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let text = |name: &str| req.headers.get(name).and_then(|v| v.to_str().ok());
    let bucket = require_bucket(api.store.as_ref(), &req.input.bucket)?;
    let (owner, acl) = acl::of_new_object(api, &acl::access(api, &req, &bucket), &req.headers)?;
    let sealed = encryption::of_new_object(&api.keyring, &bucket, &req.input.key, &req.headers)?;
    let encryption = sealed.map(|(_, encryption)| encryption);
    let initiator = req.extensions.get::<Principal>().map(|principal| principal.account_id.clone());
    let input = req.input;
    let checksum = match text("x-amz-checksum-algorithm") {
        None if text("x-amz-checksum-type").is_some() => {
            return Err(ApiError::invalid_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )
            .into());
        }
        None => None,
        Some(name) => {
            let algorithm = by_name(name)?;
            Some((algorithm, checksum_type(algorithm, text("x-amz-checksum-type"))?))
        }
    };
    let upload = NewUpload {
        object: NewObject {
            headers: headers::system(&req.headers),
            metadata: headers::metadata(&req.headers)?,
            tags: headers::tagging(&req.headers)?,
            owner,
            acl,
            lock: lock::of_new_object(api, &bucket, &req.headers)?,
            encryption,
            ..NewObject::default()
        },
        checksum,
        initiator: initiator.unwrap_or_else(|| bucket.owner.clone()),
    };
    let info = api.store.create_upload(&bucket, &input.key, upload).await.map_err(ApiError::from)?;
    let (abort_date, abort_rule_id) = lifecycle::abort_of(&bucket, &input.key, &info);
    let mut response = S3Response::new(CreateMultipartUploadOutput {
        abort_date,
        abort_rule_id,
        bucket: Some(api.listed_name(&input.bucket)),
        key: Some(input.key),
        upload_id: Some(info.upload_id),
        checksum_algorithm: info.checksum.map(|(algorithm, _)| convert::algorithm(algorithm)),
        checksum_type: info.checksum.map(|(_, kind)| convert::checksum_type(kind)),
        ..CreateMultipartUploadOutput::default()
    });
    encryption::describe(info.object.encryption.as_ref(), &mut response.headers);
    Ok(response)
}

/// What a kind's checksum of the whole may cover: CRC-64 the object, SHA the parts, CRC-32 and CRC-32C either.
fn checksum_type(algorithm: ChecksumAlgorithm, asked: Option<&str>) -> Result<ChecksumType, ApiError> {
    use ChecksumAlgorithm::{Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
    match (algorithm, asked) {
        (Crc64Nvme, None | Some("FULL_OBJECT")) | (Crc32 | Crc32c, Some("FULL_OBJECT")) => {
            Ok(ChecksumType::FullObject)
        }
        (Crc32 | Crc32c | Sha1 | Sha256, None | Some("COMPOSITE")) => Ok(ChecksumType::Composite),
        (_, Some(asked)) => Err(ApiError::invalid_request(format!(
            "The {asked} checksum type cannot be used with the {} checksum algorithm.",
            name_of(algorithm)
        ))),
    }
}

/// Answers UploadPart.
///
/// # Errors
/// As UploadPart: NoSuchUpload, BadDigest, IncompleteBody, EntityTooLarge, InvalidArgument.
pub(super) async fn upload_part(
    api: &Api,
    bucket: &Bucket,
    key: &str,
    (upload_id, number): (&str, u16),
    request: &request::Parts,
    body: Body,
    trailers: &Trailers,
) -> Result<Response<Body>, ApiError> {
    let store = api.store.as_ref();
    let upload = store.upload(&bucket.name, key, upload_id).await?;
    let encryption = upload.object.encryption.as_ref();
    let customer = (&request.headers, CustomerHeaders::Own);
    let data_key = encryption::unseal(&api.keyring, bucket, key, encryption, customer)?;
    let mut claim = Claim::read(&request.headers)?;
    match (upload.checksum, claim.algorithm) {
        (Some((expected, _)), Some(given)) if expected != given => {
            return Err(ApiError::invalid_request(format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                name_of(expected).to_lowercase(),
                name_of(given).to_lowercase()
            )));
        }
        (Some((expected, _)), None) => claim.algorithm = Some(expected),
        _ => {}
    }
    let length = declared_length(&request.headers)?;
    room::for_part(store, bucket, key, (upload_id, number), length).await?;
    let staged = stage_body(store, request, body, &claim, data_key).await?;
    let sum = claim.verify(&staged, trailers.get())?;
    let etag = md5_hex(&staged);
    store.put_part(bucket, key, upload_id, number, staged).await?;
    let mut response = Response::new(Body::empty());
    for (name, value) in [
        (header::ETAG, format!("\"{etag}\"")),
        (HeaderName::from_static(header_of(sum.algorithm)), sum.value),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    encryption::describe(encryption, response.headers_mut());
    Ok(response)
}

pub(super) async fn copy_part(
    api: &Api,
    req: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let source = copy::source(api, &req.input.copy_source)?;
    let opened = copy::open(api, &req, &source, &req.headers, false).await?;
    let input = req.input;
    let number =
        u16::try_from(input.part_number).ok().filter(|n| (1..=10_000).contains(n)).ok_or_else(|| {
            ApiError::invalid_argument("Part number must be an integer between 1 and 10000, inclusive")
        })?;
    let upload =
        api.store.upload(&input.bucket, &input.key, &input.upload_id).await.map_err(ApiError::from)?;
    let copy::Opened { object, versions: source_versions } = opened;
    let copy_source_version_id = version::shown(&source_versions, object.info.version);
    let size = object.info.size;
    let range = match req.headers.get("x-amz-copy-source-range") {
        None => 0..size,
        Some(value) => match Wanted::parse(Some(value)) {
            Wanted::From(first, Some(last)) if last < size => first..last + 1,
            Wanted::From(_, Some(_)) => {
                return Err(ApiError::new(
                    StatusCode::BAD_REQUEST,
                    "InvalidRange",
                    format!("Range specified is not valid for source object of size: {size}"),
                )
                .into());
            }
            Wanted::All | Wanted::From(_, None) | Wanted::Last(_) => {
                return Err(ApiError::invalid_argument(
                    "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are \
                     the zero-based offsets of the first and last bytes to copy",
                )
                .into());
            }
        },
    };
    let encryption = upload.object.encryption.as_ref();
    let customer = (&req.headers, CustomerHeaders::Own);
    let bucket = api.bucket(&input.bucket)?;
    let data_key = encryption::unseal(&api.keyring, &bucket, &input.key, encryption, customer)?;
    let options = StageOptions { checksum: upload.checksum.map(|(algorithm, _)| algorithm), key: data_key };
    let size = range.end - range.start;
    let staged = api.store.stage(object.read(range), options).await.map_err(ApiError::from)?;
    copy::require_size(&staged, size)?;
    let part = api
        .store
        .put_part(&bucket, &input.key, &input.upload_id, number, staged)
        .await
        .map_err(ApiError::from)?;
    let [crc32, crc32c, crc64nvme, sha1, sha256] = part_five(&part);
    let mut response = S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(CopyPartResult {
            e_tag: Some(convert::etag(&part.etag)),
            last_modified: Some(convert::timestamp(part.last_modified)),
            checksum_crc32: crc32,
            checksum_crc32c: crc32c,
            checksum_crc64nvme: crc64nvme,
            checksum_sha1: sha1,
            checksum_sha256: sha256,
        }),
        copy_source_version_id,
        ..UploadPartCopyOutput::default()
    });
    encryption::describe(encryption, &mut response.headers);
    Ok(response)
}

pub(super) fn part_five(part: &PartInfo) -> [Option<String>; 5] {
    part.checksum
        .as_ref()
        .map_or_else(Default::default, |(algorithm, value)| convert::five(*algorithm, value))
}

fn storage_class(upload: &UploadInfo) -> StorageClass {
    upload
        .object
        .headers
        .storage_class
        .clone()
        .map_or_else(|| StorageClass::from_static("STANDARD"), StorageClass::from)
}

pub(super) async fn list_parts(
    api: &Api,
    req: S3Request<ListPartsInput>,
) -> S3Result<S3Response<ListPartsOutput>> {
    let input = req.input;
    let limit = page_size(input.max_parts, "max-parts")?;
    let after = input.part_number_marker.unwrap_or(0);
    let after_number = u16::try_from(after.clamp(0, 10_000)).unwrap_or(0);
    let upload =
        api.store.upload(&input.bucket, &input.key, &input.upload_id).await.map_err(ApiError::from)?;
    let bucket = api.bucket(&input.bucket)?;
    let (parts, more) = api
        .store
        .list_parts(
            &input.bucket,
            &input.key,
            &input.upload_id,
            after_number,
            usize::try_from(limit).unwrap_or(0),
        )
        .await
        .map_err(ApiError::from)?;
    let next = parts.last().map(|part| i32::from(part.number));
    let parts = parts
        .iter()
        .map(|part| {
            let [crc32, crc32c, crc64nvme, sha1, sha256] = part_five(part);
            Part {
                part_number: Some(i32::from(part.number)),
                size: Some(convert::size(part.size)),
                e_tag: Some(convert::etag(&part.etag)),
                last_modified: Some(convert::timestamp(part.last_modified)),
                checksum_crc32: crc32,
                checksum_crc32c: crc32c,
                checksum_crc64nvme: crc64nvme,
                checksum_sha1: sha1,
                checksum_sha256: sha256,
            }
        })
        .collect();
    let (abort_date, abort_rule_id) = lifecycle::abort_of(&bucket, &input.key, &upload);
    Ok(S3Response::new(ListPartsOutput {
        abort_date,
        abort_rule_id,
        bucket: Some(api.listed_name(&input.bucket)),
        key: Some(input.key),
        storage_class: Some(storage_class(&upload)),
        upload_id: Some(input.upload_id),
        parts: Some(parts),
        is_truncated: Some(more),
        max_parts: Some(limit),
        part_number_marker: Some(after),
        next_part_number_marker: next,
        owner: Some(api.owner(upload.object.owner.as_deref().unwrap_or(&bucket.owner))),
        initiator: Some(api.initiator(&upload.initiator)),
        checksum_algorithm: upload.checksum.map(|(algorithm, _)| convert::algorithm(algorithm)),
        checksum_type: upload.checksum.map(|(_, kind)| convert::checksum_type(kind)),
        ..ListPartsOutput::default()
    }))
}

pub(super) async fn list(
    api: &Api,
    req: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let input = req.input;
    let encoding = Encoding::read(input.encoding_type.as_ref())?;
    let limit = page_size(input.max_uploads, "max-uploads")?;
    let after_key = input.key_marker.clone().filter(|marker| !marker.is_empty());
    let query = ListUploadsQuery {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().filter(|d| !d.is_empty()),
        // An upload id marker without a key marker is ignored.
        after_id: input.upload_id_marker.clone().filter(|id| !id.is_empty() && after_key.is_some()),
        after_key,
        limit: usize::try_from(limit).unwrap_or_default(),
    };
    let bucket = api.bucket(&input.bucket)?;
    let page = api.store.list_uploads(&input.bucket, query).await.map_err(ApiError::from)?;
    let uploads = page
        .uploads
        .iter()
        .map(|(key, upload)| MultipartUpload {
            key: Some(encoding.apply(key)),
            upload_id: Some(upload.upload_id.clone()),
            initiated: Some(convert::timestamp(upload.initiated)),
            storage_class: Some(storage_class(upload)),
            owner: Some(api.owner(upload.object.owner.as_deref().unwrap_or(&bucket.owner))),
            initiator: Some(api.initiator(&upload.initiator)),
            checksum_algorithm: upload.checksum.map(|(algorithm, _)| convert::algorithm(algorithm)),
            checksum_type: upload.checksum.map(|(_, kind)| convert::checksum_type(kind)),
        })
        .collect();
    let prefixes = page
        .prefixes
        .iter()
        .map(|prefix| dto::CommonPrefix { prefix: Some(encoding.apply(prefix)) })
        .collect();
    let (next_key, next_id) = page.next.clone().unzip();
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(api.listed_name(&input.bucket)),
        uploads: Some(uploads),
        common_prefixes: Some(prefixes),
        is_truncated: Some(page.next.is_some()),
        max_uploads: Some(limit),
        next_key_marker: next_key.map(|key| encoding.apply(&key)),
        next_upload_id_marker: next_id,
        key_marker: Some(encoding.apply(input.key_marker.as_deref().unwrap_or_default())),
        upload_id_marker: input.upload_id_marker,
        prefix: Some(encoding.apply(input.prefix.as_deref().unwrap_or_default())),
        delimiter: input.delimiter.as_deref().map(|d| encoding.apply(d)),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}

pub(super) async fn abort(
    api: &Api,
    req: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let input = req.input;
    let bucket = api.bucket(&input.bucket)?;
    api.store.abort_upload(&bucket, &input.key, &input.upload_id).await.map_err(ApiError::from)?;
    Ok(S3Response::with_status(AbortMultipartUploadOutput::default(), StatusCode::NO_CONTENT))
}
