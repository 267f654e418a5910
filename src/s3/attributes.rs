//! GetObjectAttributes.

use s3s::dto::{
    Checksum, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts, ObjectPart,
    StorageClass,
};
use s3s::{S3Request, S3Response, S3Result};

use crate::error::ApiError;

use super::list::page_size;
use super::{Api, convert, version};

pub(super) async fn get(
    api: &Api,
    req: S3Request<GetObjectAttributesInput>,
) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    let input = req.input;
    let version = version::wanted(input.version_id.as_deref())?;
    // Clients send one header with commas, or one header for each: s3s splits only the latter.
    let asked: Vec<&str> = input
        .object_attributes
        .iter()
        .flat_map(|attribute| attribute.as_str().split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    let wants = |name: &str| asked.contains(&name);
    if asked.is_empty() {
        return Err(
            ApiError::invalid_argument("x-amz-object-attributes must name at least one attribute").into()
        );
    }
    const KNOWN: [&str; 5] = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];
    if let Some(unknown) = asked.iter().find(|name| !KNOWN.contains(name)) {
        return Err(ApiError::invalid_argument(format!(
            "Invalid attribute name specified: {unknown}; known are {}",
            KNOWN.join(", ")
        ))
        .into());
    }
    let object = api.store.open(&input.bucket, &input.key, version).await.map_err(ApiError::from)?;
    let info = &object.info;
    let checksum = info.checksum.as_ref().filter(|_| wants("Checksum")).map(|sum| {
        let [crc32, crc32c, crc64nvme, sha1, sha256] = convert::five(sum.algorithm, &sum.value);
        Checksum {
            checksum_crc32: crc32,
            checksum_crc32c: crc32c,
            checksum_crc64nvme: crc64nvme,
            checksum_sha1: sha1,
            checksum_sha256: sha256,
            checksum_type: Some(convert::checksum_type(sum.kind)),
        }
    });
    let object_parts = match (&object.parts, wants("ObjectParts")) {
        (Some(parts), true) => {
            let limit = page_size(input.max_parts, "max-parts")?;
            let after = input.part_number_marker.unwrap_or(0);
            let mut following = parts.iter().filter(|part| i32::from(part.number) > after);
            let page: Vec<ObjectPart> = following
                .by_ref()
                .take(usize::try_from(limit).unwrap_or_default())
                .map(|part| {
                    let [crc32, crc32c, crc64nvme, sha1, sha256] = part
                        .checksum
                        .as_ref()
                        .map_or_else(Default::default, |(algorithm, value)| convert::five(*algorithm, value));
                    ObjectPart {
                        part_number: Some(i32::from(part.number)),
                        size: Some(convert::size(part.size)),
                        checksum_crc32: crc32,
                        checksum_crc32c: crc32c,
                        checksum_crc64nvme: crc64nvme,
                        checksum_sha1: sha1,
                        checksum_sha256: sha256,
                    }
                })
                .collect();
            Some(GetObjectAttributesParts {
                total_parts_count: i32::try_from(parts.len()).ok(),
                part_number_marker: Some(after),
                next_part_number_marker: page.last().and_then(|part| part.part_number),
                max_parts: Some(limit),
                is_truncated: Some(following.next().is_some()),
                // AWS lists the parts only of an object that has a checksum for each of them.
                parts: parts.iter().all(|part| part.checksum.is_some()).then_some(page),
            })
        }
        _ => None,
    };
    Ok(S3Response::new(GetObjectAttributesOutput {
        checksum,
        object_parts,
        e_tag: wants("ETag").then(|| convert::etag(&info.etag)),
        object_size: wants("ObjectSize").then(|| convert::size(info.size)),
        storage_class: wants("StorageClass").then(|| {
            let class = info.headers.storage_class.clone();
            class.map_or_else(|| StorageClass::from_static("STANDARD"), StorageClass::from)
        }),
        last_modified: Some(convert::timestamp(info.last_modified)),
        version_id: version::shown(&*api.bucket(&input.bucket)?, info.version),
        ..GetObjectAttributesOutput::default()
    }))
}
