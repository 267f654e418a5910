//! GetBucketVersioning, PutBucketVersioning, ListObjectVersions.

use s3s::dto::{
    BucketVersioningStatus, CommonPrefix, DeleteMarkerEntry, GetBucketVersioningInput,
    GetBucketVersioningOutput, ListObjectVersionsInput, ListObjectVersionsOutput, ObjectVersion,
    ObjectVersionStorageClass, PutBucketVersioningInput, PutBucketVersioningOutput,
};
use s3s::{S3Request, S3Response, S3Result};

use crate::bucket::Versioning;
use crate::error::ApiError;
use crate::store::{ListVersionsQuery, Version, VersionEntry, VersionRef};

use super::list::{Encoding, page_size};
use super::{Api, convert, version};

pub(super) fn get(
    api: &Api,
    input: &GetBucketVersioningInput,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let status = match api.bucket(&input.bucket)?.config.versioning {
        Versioning::Off => None,
        Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
        Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
    };
    Ok(S3Response::new(GetBucketVersioningOutput {
        status: status.map(BucketVersioningStatus::from_static),
        ..GetBucketVersioningOutput::default()
    }))
}

pub(super) async fn put(
    api: &Api,
    req: S3Request<PutBucketVersioningInput>,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let input = req.input;
    let configuration = input.versioning_configuration;
    if input.mfa.is_some() || configuration.mfa_delete.is_some_and(|mfa| mfa.as_str() == "Enabled") {
        return Err(ApiError::not_implemented(
            "MFA delete is not implemented: object lock and policies protect versions",
        )
        .into());
    }
    let versioning = match configuration.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => {
            return Err(ApiError::new(
                http::StatusCode::BAD_REQUEST,
                "IllegalVersioningConfigurationException",
                "The Versioning element must be specified: its Status is Enabled or Suspended",
            )
            .into());
        }
    };
    api.configure(&input.bucket, move |bucket| {
        if versioning == Versioning::Suspended && bucket.config.object_lock.is_some() {
            return Err(ApiError::new(
                http::StatusCode::CONFLICT,
                "InvalidBucketState",
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
            ));
        }
        bucket.config.versioning = versioning;
        Ok(())
    })
    .await?;
    Ok(S3Response::new(PutBucketVersioningOutput {}))
}

pub(super) async fn list(
    api: &Api,
    req: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let input = req.input;
    let encoding = Encoding::read(input.encoding_type.as_ref())?;
    let limit = page_size(input.max_keys, "max-keys")?;
    let named = |marker: &Option<String>| marker.clone().filter(|marker| !marker.is_empty());
    let after_key = named(&input.key_marker);
    let after_version = named(&input.version_id_marker).map(|id| version::wanted(Some(&id))).transpose()?;
    if after_version.is_some() && after_key.is_none() {
        return Err(ApiError::invalid_argument(
            "A version-id marker cannot be specified without a key marker.",
        )
        .with_detail("ArgumentName", "version-id-marker")
        .into());
    }
    let bucket = api.bucket(&input.bucket)?;
    let query = ListVersionsQuery {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
        after_key,
        after_version,
        limit: usize::try_from(limit).unwrap_or_default(),
    };
    let page = api.store.list_versions(&bucket.name, query).await.map_err(ApiError::from)?;
    let (mut versions, mut markers) = (Vec::new(), Vec::new());
    for VersionEntry { key, version, is_latest } in page.versions {
        let key = Some(encoding.apply(&key));
        let version_id = Some(VersionRef::of(version.id()).to_string());
        match version {
            Version::Object(info) => versions.push(ObjectVersion {
                key,
                version_id,
                is_latest: Some(is_latest),
                last_modified: Some(convert::timestamp(info.last_modified)),
                e_tag: Some(convert::etag(&info.etag)),
                size: Some(convert::size(info.size)),
                owner: Some(api.owner(info.owner.as_deref().unwrap_or(&bucket.owner))),
                storage_class: Some(
                    info.headers
                        .storage_class
                        .clone()
                        .map_or_else(|| ObjectVersionStorageClass::from_static("STANDARD"), Into::into),
                ),
                checksum_algorithm: info.checksum.as_ref().map(|sum| vec![convert::algorithm(sum.algorithm)]),
                checksum_type: info.checksum.as_ref().map(|sum| convert::checksum_type(sum.kind)),
                restore_status: None,
            }),
            Version::Marker(marker) => markers.push(DeleteMarkerEntry {
                key,
                version_id,
                is_latest: Some(is_latest),
                last_modified: Some(convert::timestamp(marker.last_modified)),
                owner: Some(api.owner(&bucket.owner)),
            }),
        }
    }
    let (next_key, next_version) = page.next.clone().unzip();
    let prefixes = page.prefixes.iter();
    Ok(S3Response::new(ListObjectVersionsOutput {
        name: Some(api.listed_name(&input.bucket)),
        max_keys: Some(limit),
        is_truncated: Some(page.next.is_some()),
        versions: Some(versions),
        delete_markers: Some(markers),
        common_prefixes: Some(
            prefixes.map(|prefix| CommonPrefix { prefix: Some(encoding.apply(prefix)) }).collect(),
        ),
        next_key_marker: next_key.map(|key| encoding.apply(&key)),
        next_version_id_marker: next_version.flatten().map(|version| version.to_string()),
        prefix: Some(encoding.apply(input.prefix.as_deref().unwrap_or_default())),
        delimiter: input.delimiter.as_deref().map(|delimiter| encoding.apply(delimiter)),
        key_marker: Some(encoding.apply(input.key_marker.as_deref().unwrap_or_default())),
        version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}
