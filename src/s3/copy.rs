//! CopyObject: the bytes of one object under another key, with its head or a new one.

use std::sync::Arc;

use s3s::dto::{CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource};
use s3s::{S3Request, S3Response, S3Result};

use crate::access_log::{Notes, Part};
use crate::error::ApiError;
use crate::notification::{Event, Happened};
use crate::policy::{Access, Asked, Said, Via, operation};
use crate::store::{Bucket, Checksum, ChecksumType, NewObject, Object, StageOptions, Staged, VersionRef};

use super::checksum::by_name;
use super::encryption::CustomerHeaders;
use super::preconditions::ReadConditions;
use super::put::require_bucket;
use super::{Api, Place, acl, convert, encryption, get, headers, keys, lifecycle, lock, version};

/// Bytes that one CopyObject may copy: 5 GiB; more goes by UploadPartCopy.
const MAX_COPY: u64 = 5 << 30;

/// The source of a copy as the request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceName<'a> {
    /// A bucket or an alias.
    Bucket(&'a str),
    /// An access point's ARN, in parts.
    AccessPoint {
        /// Region in the ARN.
        region: &'a str,
        /// Account in the ARN.
        account_id: &'a str,
        /// Name of the access point.
        name: &'a str,
    },
}

pub(super) async fn object(
    api: &Api,
    req: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let config = require_bucket(api.store.as_ref(), &req.input.bucket)?;
    let (owner, acl) = acl::of_new_object(api, &acl::access(api, &req, &config), &req.headers)?;
    let lock = lock::of_new_object(api, &config, &req.headers)?;
    let sealed = encryption::of_new_object(&api.keyring, &config, &req.input.key, &req.headers)?;
    let (data_key, encryption) = sealed.unzip();
    let request_headers = &req.headers;
    let source = source(api, &req.input.copy_source)?;
    let replace_tags = directive(request_headers, "x-amz-tagging-directive")?;
    let opened = open(api, &req, &source, request_headers, !replace_tags).await?;
    let condition = convert::write_condition(request_headers)?;
    let replace_head = directive(request_headers, "x-amz-metadata-directive")?;
    let Opened { object: opened, versions: source_versions } = opened;
    if !replace_tags && !opened.info.tags.is_empty() {
        let tags = opened.info.tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        let said = Said { tags, ..Said::default() };
        let access = acl::access(api, &req, &config);
        let asked = Asked { said: Some(&said), ..access.asked };
        Access { key: Some(&req.input.key), asked, ..access }.allow_with_write("s3:PutObjectTagging")?;
    }
    if opened.info.size > MAX_COPY {
        return Err(ApiError::invalid_request(format!(
            "The specified copy source is larger than the maximum allowable size for a copy source: {MAX_COPY}"
        ))
        .into());
    }
    let input = req.input;
    let same =
        source.bucket == input.bucket && source.key == input.key && source.version == VersionRef::Current;
    if same && !replace_head && !changes_something(request_headers) {
        return Err(ApiError::invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes.",
        )
        .into());
    }
    let info = opened.info.clone();
    let mut object = if replace_head {
        NewObject {
            headers: headers::system(request_headers),
            metadata: headers::metadata(request_headers)?,
            ..NewObject::default()
        }
    } else {
        NewObject { headers: info.headers.clone(), metadata: info.metadata.clone(), ..NewObject::default() }
    };
    (object.owner, object.acl, object.lock) = (owner, acl, lock);
    object.encryption = encryption;
    object.headers.storage_class = headers::system(request_headers).storage_class;
    object.tags = if replace_tags { headers::tagging(request_headers)? } else { info.tags.clone() };
    let asked = request_headers.get("x-amz-checksum-algorithm").and_then(|v| v.to_str().ok());
    let algorithm = match asked {
        Some(name) => Some(by_name(name)?),
        None => info.checksum.as_ref().map(|sum| sum.algorithm),
    };
    let size = info.size;
    let staged = api
        .store
        .stage(opened.read(0..size), StageOptions { checksum: algorithm, key: data_key })
        .await
        .map_err(ApiError::from)?;
    require_size(&staged, size)?;
    // The copy is one whole, whatever parts its source had.
    object.checksum = staged.checksum.as_ref().map(|(algorithm, digest)| Checksum {
        algorithm: *algorithm,
        kind: ChecksumType::FullObject,
        value: data_encoding::BASE64.encode(digest),
    });
    let copied =
        api.store.put(&config, &input.key, staged, object, condition).await.map_err(ApiError::from)?;
    let happened = || vec![Happened::to_object(Event::Copy, &input.key, copied.last_modified, &copied)];
    api.tell(&input.bucket, &req.extensions, None, happened).await?;
    let [crc32, crc32c, crc64nvme, sha1, sha256] = convert::five_of(copied.checksum.as_ref());
    let mut response = S3Response::new(CopyObjectOutput {
        copy_object_result: Some(CopyObjectResult {
            e_tag: Some(convert::etag(&copied.etag)),
            last_modified: Some(convert::timestamp(copied.last_modified)),
            checksum_crc32: crc32,
            checksum_crc32c: crc32c,
            checksum_crc64nvme: crc64nvme,
            checksum_sha1: sha1,
            checksum_sha256: sha256,
            checksum_type: copied.checksum.as_ref().map(|sum| convert::checksum_type(sum.kind)),
        }),
        version_id: version::shown(&config, copied.version),
        expiration: lifecycle::expiration(&config, &input.key, &copied),
        copy_source_version_id: version::shown(&source_versions, info.version),
        ..CopyObjectOutput::default()
    });
    encryption::describe(copied.encryption.as_ref(), &mut response.headers);
    Ok(response)
}

/// Refuses a copy that has not as many bytes as were asked for, whatever the reason.
pub(super) fn require_size(staged: &Staged, size: u64) -> Result<(), ApiError> {
    if staged.size == size {
        return Ok(());
    }
    Err(ApiError::internal(format!("{} of {size} bytes of the source of a copy came", staged.size)))
}

/// The source of a copy, opened.
pub(super) struct Opened {
    /// The object.
    pub(super) object: Object,
    /// Its bucket.
    pub(super) versions: Arc<Bucket>,
}

/// Opens the source of a copy, if the caller may read it, with its tags where they go along, and its conditions hold.
pub(super) async fn open<T>(
    api: &Api,
    req: &S3Request<T>,
    source: &Source,
    headers: &http::HeaderMap,
    with_tags: bool,
) -> Result<Opened, ApiError> {
    let bucket = api.bucket(&source.bucket)?;
    // The query of the request is about the target.
    let named = source.version != VersionRef::Current;
    let query = if named { format!("versionId={}", source.version) } else { String::new() };
    let access = acl::access(api, req, &bucket);
    let access = Access {
        via: source.via.as_ref(),
        key: Some(&source.key),
        asked: Asked { query: &query, ..access.asked },
        ..access
    };
    let opened = api.reader().open(&access, &source.key, source.version, CustomerHeaders::CopySource).await;
    if let Some(notes) = Notes::of(&req.extensions) {
        let part =
            get::query_pairs(req.uri.query().unwrap_or_default()).any(|(name, _)| name == "partNumber");
        notes.add(Part {
            bucket: Arc::clone(&bucket),
            operation: if part { "REST.COPY.PART_GET" } else { "REST.COPY.OBJECT_GET" },
            key: source.key.clone(),
            version_id: Some(source.version.to_string()),
            size: opened.as_ref().ok().map(|object| object.info.size),
            failed: opened.as_ref().err().map(Part::failure),
        });
    }
    let object = opened.map_err(|error| match error.code.as_ref() {
        // A copy of a marker that was named is refused in words of its own.
        "MethodNotAllowed" => ApiError::invalid_request(
            "The source of a copy request may not specifically refer to a delete marker by version id.",
        ),
        _ => error,
    })?;
    ReadConditions::of_copy_source(headers).require(&object.info)?;
    if with_tags && !object.info.tags.is_empty() {
        access.allow(operation::of_version_if(named, "s3:GetObjectTagging"), Some(&object.info))?;
    }
    Ok(Opened { object, versions: bucket })
}

/// The source of a copy, found.
pub(super) struct Source {
    bucket: String,
    key: String,
    version: VersionRef,
    /// The access point that named it.
    via: Option<Via>,
}

/// Bucket, key and version of a copy's source.
pub(super) fn source(api: &Api, source: &CopySource) -> Result<Source, ApiError> {
    let (name, key, version) = match source {
        CopySource::Bucket { bucket, key, version_id } => (SourceName::Bucket(bucket), key, version_id),
        CopySource::AccessPoint { region, account_id, access_point_name, key, version_id, .. } => {
            (SourceName::AccessPoint { region, account_id, name: access_point_name }, key, version_id)
        }
        CopySource::Outpost { .. } => {
            return Err(ApiError::invalid_request("S3 on Outposts cannot be the source of a copy"));
        }
    };
    keys::check(key)?;
    let Place { bucket, via } = api.names.source(&name)?;
    let version = version::wanted(version.as_deref())?;
    Ok(Source { bucket, key: key.to_string(), version, via })
}

/// Whether a directive says REPLACE.
fn directive(headers: &http::HeaderMap, name: &'static str) -> Result<bool, ApiError> {
    match headers.get(name).map(http::HeaderValue::as_bytes) {
        None | Some(b"COPY") => Ok(false),
        Some(b"REPLACE") => Ok(true),
        Some(_) => Err(ApiError::invalid_argument(format!("{name} must be COPY or REPLACE"))),
    }
}

/// Whether a copy onto itself changes anything but the metadata.
fn changes_something(headers: &http::HeaderMap) -> bool {
    [
        "x-amz-storage-class",
        "x-amz-website-redirect-location",
        "x-amz-server-side-encryption",
        "x-amz-server-side-encryption-customer-algorithm",
    ]
    .iter()
    .any(|name| headers.contains_key(*name))
}
