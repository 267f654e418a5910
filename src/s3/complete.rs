//! CompleteMultipartUpload: the parts become one object.

use data_encoding::{BASE64, HEXLOWER};
use http::{Extensions, StatusCode};
use md5::{Digest, Md5};
use s3s::dto::{CompleteMultipartUploadInput, CompleteMultipartUploadOutput};
use s3s::{S3Request, S3Response, S3Result, dto};

use crate::error::ApiError;
use crate::notification::{Event, Happened};
use crate::store::{
    Checksum, ChecksumAlgorithm, ChecksumType, CompletedObject, ObjectInfo, PartInfo, PartRef, UploadInfo,
};

use super::multipart::{MAX_PARTS, MIN_PART, part_five};
use super::{Api, convert, encryption, lifecycle, multipart_sum};

pub(super) async fn complete(
    api: &Api,
    req: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let input = req.input;
    let condition = convert::write_condition(&req.headers)?;
    let named = input.multipart_upload.and_then(|list| list.parts).unwrap_or_default();
    let upload = match api.store.upload(&input.bucket, &input.key, &input.upload_id).await {
        Ok(upload) => upload,
        Err(error) => {
            let became = api.store.completed_upload(&input.bucket, &input.key, &input.upload_id).await;
            let etags = named.iter().filter_map(|part| part.e_tag.as_ref().map(dto::ETag::value));
            let again = became.ok().filter(|info| {
                named.len() == etags.clone().count() && etag_of(etags).is_ok_and(|etag| etag == info.etag)
            });
            let Some(info) = again else { return Err(ApiError::from(error).into()) };
            // Whether the first time came so far as to tell of it is not known; twice is better than never.
            tell(api, &req.extensions, &input.bucket, &input.key, &info).await?;
            return Ok(completed(api, &input.bucket, input.key, &info));
        }
    };
    let bucket = api.bucket(&input.bucket)?;
    encryption::check_customer(&api.keyring, &bucket, &input.key, &upload, &req.headers)?;
    if named.is_empty() || named.len() > MAX_PARTS {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
        .with_internal(format!("{} parts named; 1 to {MAX_PARTS} are allowed", named.len()))
        .into());
    }
    let (present, _) = api
        .store
        .list_parts(&input.bucket, &input.key, &input.upload_id, 0, MAX_PARTS)
        .await
        .map_err(ApiError::from)?;
    let mut parts: Vec<&PartInfo> = Vec::with_capacity(named.len());
    for part in &named {
        let number = part.part_number.and_then(|n| u16::try_from(n).ok()).unwrap_or(0);
        let wrong = || ApiError::from(crate::store::StoreError::InvalidPart(number));
        let found = present.binary_search_by_key(&number, |p| p.number).ok().and_then(|i| present.get(i));
        let found = found.ok_or_else(wrong)?;
        if part.e_tag.as_ref().is_none_or(|tag| tag.value() != found.etag) {
            return Err(wrong().into());
        }
        let claimed = [
            &part.checksum_crc32,
            &part.checksum_crc32c,
            &part.checksum_crc64nvme,
            &part.checksum_sha1,
            &part.checksum_sha256,
        ];
        for (claimed, known) in claimed.into_iter().zip(part_five(found)) {
            if claimed.is_some() && known.is_some() && *claimed != known {
                return Err(wrong().into());
            }
        }
        if parts.last().is_some_and(|last| last.number >= number) {
            return Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "InvalidPartOrder",
                "The list of parts was not in ascending order. The parts list must be specified in order by part \
                 number.",
            )
            .into());
        }
        parts.push(found);
    }
    if let Some((_, all_but_last)) = parts.split_last()
        && let Some(small) = all_but_last.iter().find(|part| part.size < MIN_PART)
    {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size",
        )
        .with_detail("PartNumber", small.number.to_string())
        .with_detail("ProposedSize", small.size.to_string())
        .with_detail("MinSizeAllowed", MIN_PART.to_string())
        .into());
    }
    let total: u64 = parts.iter().map(|part| part.size).sum();
    if let Some(claimed) = input.mpu_object_size
        && u64::try_from(claimed).ok() != Some(total)
    {
        return Err(ApiError::invalid_request(format!(
            "The provided 'x-amz-mp-object-size' header value {claimed} does not match what was computed: {total}"
        ))
        .into());
    }
    let checksum = whole_checksum(&upload, &parts)?;
    let claimed = [
        &input.checksum_crc32,
        &input.checksum_crc32c,
        &input.checksum_crc64nvme,
        &input.checksum_sha1,
        &input.checksum_sha256,
    ];
    for (claimed, known) in claimed.into_iter().zip(convert::five_of(Some(&checksum))) {
        if claimed.is_some() && *claimed != known {
            return Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "BadDigest",
                "The checksum of the whole object that you specified did not match what we computed",
            )
            .into());
        }
    }
    let etag = whole_etag(&parts)?;
    let refs = parts.iter().map(|part| PartRef { number: part.number, etag: part.etag.clone() }).collect();
    let object = CompletedObject { etag, checksum: Some(checksum) };
    let info = api
        .store
        .complete_upload(&bucket, &input.key, &input.upload_id, refs, object, condition)
        .await
        .map_err(ApiError::from)?;
    tell(api, &req.extensions, &input.bucket, &input.key, &info).await?;
    Ok(completed(api, &input.bucket, input.key, &info))
}

async fn tell(
    api: &Api,
    extensions: &Extensions,
    bucket: &str,
    key: &str,
    info: &ObjectInfo,
) -> Result<(), ApiError> {
    let event = Event::CompleteMultipartUpload;
    let happened = || vec![Happened::to_object(event, key, info.last_modified, info)];
    api.tell(bucket, extensions, None, happened).await
}

/// What is answered of an upload that became an object.
fn completed(
    api: &Api,
    bucket: &str,
    key: String,
    info: &ObjectInfo,
) -> S3Response<CompleteMultipartUploadOutput> {
    let [crc32, crc32c, crc64nvme, sha1, sha256] = convert::five_of(info.checksum.as_ref());
    let config = api.bucket(bucket).ok();
    let mut response = S3Response::new(CompleteMultipartUploadOutput {
        expiration: config.and_then(|config| lifecycle::expiration(&config, &key, info)),
        bucket: Some(api.listed_name(bucket)),
        location: Some(format!("/{bucket}/{key}")),
        key: Some(key),
        e_tag: Some(convert::etag(&info.etag)),
        checksum_crc32: crc32,
        checksum_crc32c: crc32c,
        checksum_crc64nvme: crc64nvme,
        checksum_sha1: sha1,
        checksum_sha256: sha256,
        checksum_type: info.checksum.as_ref().map(|sum| convert::checksum_type(sum.kind)),
        version_id: info.version.map(|id| id.to_string()),
        ..CompleteMultipartUploadOutput::default()
    });
    encryption::describe(info.encryption.as_ref(), &mut response.headers);
    response
}

/// MD5 of the parts' MD5s, and their number.
fn whole_etag(parts: &[&PartInfo]) -> Result<String, ApiError> {
    etag_of(parts.iter().map(|part| part.etag.as_str()))
}

fn etag_of<'a>(etags: impl Iterator<Item = &'a str>) -> Result<String, ApiError> {
    let (mut md5, mut count) = (Md5::new(), 0);
    for etag in etags {
        let digest = HEXLOWER
            .decode(etag.as_bytes())
            .map_err(|error| ApiError::internal(format!("ETag {etag:?} of a part: {error}")))?;
        md5.update(digest);
        count += 1;
    }
    Ok(format!("{}-{count}", HEXLOWER.encode(&md5.finalize())))
}

/// The checksum of the whole: of the upload's kind, or CRC-64/NVME of all bytes.
fn whole_checksum(upload: &UploadInfo, parts: &[&PartInfo]) -> Result<Checksum, ApiError> {
    let (algorithm, kind) =
        upload.checksum.unwrap_or((ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject));
    let mut digests = Vec::with_capacity(parts.len());
    for part in parts {
        let digest = match (algorithm, &part.checksum) {
            (ChecksumAlgorithm::Crc64Nvme, _) => part.crc64nvme.to_be_bytes().to_vec(),
            (_, Some((_, value))) => BASE64
                .decode(value.as_bytes())
                .map_err(|error| ApiError::internal(format!("checksum of part {}: {error}", part.number)))?,
            (_, None) => return Err(ApiError::internal(format!("part {} has no checksum", part.number))),
        };
        digests.push((digest, part.size));
    }
    let value = match kind {
        ChecksumType::Composite => {
            format!("{}-{}", BASE64.encode(&multipart_sum::composite(algorithm, &digests)), parts.len())
        }
        ChecksumType::FullObject => BASE64.encode(&multipart_sum::combined(algorithm, &digests)?),
    };
    Ok(Checksum { algorithm, kind, value })
}
