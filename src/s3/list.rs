//! ListObjects and ListObjectsV2.

use data_encoding::BASE64URL_NOPAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output,
    Object, ObjectStorageClass,
};
use s3s::{S3Request, S3Response, S3Result};

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::error::ApiError;
use crate::store::{ListPage, ListQuery};

use super::{Api, convert};

/// How objects are shown in a listing, where that is not as they are stored. It comes as an extension of the request.
#[async_trait]
pub trait Shown: Debug + Send + Sync {
    /// Changes the heads of a page of a bucket. An empty ETag is not shown.
    async fn apply(&self, bucket: &str, page: &mut ListPage);
}

/// The extension.
#[derive(Debug, Clone)]
pub struct ShownBy(pub Arc<dyn Shown>);

/// Keys and prefixes of one page (ListObjectsV2, MaxKeys).
pub(super) const MAX_PAGE: i32 = 1000;

/// What stays as it is under `encoding-type=url`.
const KEY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b'*');

pub(super) async fn v2(
    api: &Api,
    req: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let (input, shown) = (req.input, req.extensions.get::<ShownBy>().cloned());
    let encoding = Encoding::read(input.encoding_type.as_ref())?;
    let limit = page_size(input.max_keys, "max-keys")?;
    let after = match &input.continuation_token {
        Some(token) => Some(decode_token(token)?),
        None => input.start_after.clone().filter(|key| !key.is_empty()),
    };
    let mut page =
        fetch(api, &input.bucket, input.prefix.as_deref(), input.delimiter.as_deref(), after, limit).await?;
    if let Some(ShownBy(shown)) = shown {
        shown.apply(&input.bucket, &mut page).await;
    }
    let owner = api.bucket(&input.bucket)?.owner.clone();
    let with_owner = input.fetch_owner.unwrap_or(false);
    let count = page.objects.len() + page.prefixes.len();
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(api.listed_name(&input.bucket)),
        key_count: Some(i32::try_from(count).unwrap_or(i32::MAX)),
        max_keys: Some(limit),
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.as_ref().map(|key| BASE64URL_NOPAD.encode(key.as_bytes())),
        contents: Some(contents(api, &owner, &page, encoding, with_owner)),
        common_prefixes: Some(prefixes(&page.prefixes, encoding)),
        continuation_token: input.continuation_token,
        prefix: Some(encoding.apply(input.prefix.as_deref().unwrap_or_default())),
        delimiter: input.delimiter.as_deref().filter(|d| !d.is_empty()).map(|d| encoding.apply(d)),
        start_after: input.start_after.as_deref().map(|key| encoding.apply(key)),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}

pub(super) async fn v1(
    api: &Api,
    req: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let (input, shown) = (req.input, req.extensions.get::<ShownBy>().cloned());
    let encoding = Encoding::read(input.encoding_type.as_ref())?;
    let limit = page_size(input.max_keys, "max-keys")?;
    let after = input.marker.clone().filter(|key| !key.is_empty());
    let mut page =
        fetch(api, &input.bucket, input.prefix.as_deref(), input.delimiter.as_deref(), after, limit).await?;
    if let Some(ShownBy(shown)) = shown {
        shown.apply(&input.bucket, &mut page).await;
    }
    let owner = api.bucket(&input.bucket)?.owner.clone();
    let has_delimiter = input.delimiter.as_deref().is_some_and(|d| !d.is_empty());
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(api.listed_name(&input.bucket)),
        max_keys: Some(limit),
        is_truncated: Some(page.next.is_some()),
        contents: Some(contents(api, &owner, &page, encoding, true)),
        common_prefixes: Some(prefixes(&page.prefixes, encoding)),
        // Without a delimiter the last key serves as the marker, and AWS sends no NextMarker.
        next_marker: page.next.as_deref().filter(|_| has_delimiter).map(|key| encoding.apply(key)),
        prefix: Some(encoding.apply(input.prefix.as_deref().unwrap_or_default())),
        marker: Some(encoding.apply(input.marker.as_deref().unwrap_or_default())),
        delimiter: input.delimiter.as_deref().filter(|d| !d.is_empty()).map(|d| encoding.apply(d)),
        encoding_type: input.encoding_type,
        request_charged: None,
    }))
}

async fn fetch(
    api: &Api,
    bucket: &str,
    prefix: Option<&str>,
    delimiter: Option<&str>,
    after: Option<String>,
    limit: i32,
) -> Result<ListPage, ApiError> {
    let query = ListQuery {
        prefix: prefix.unwrap_or_default().to_owned(),
        delimiter: delimiter.filter(|d| !d.is_empty()).map(str::to_owned),
        after,
        limit: usize::try_from(limit).unwrap_or_default(),
    };
    if query.limit == 0 {
        api.bucket(bucket)?;
        return Ok(ListPage::default());
    }
    Ok(api.store.list(bucket, query).await?)
}

fn contents(
    api: &Api,
    bucket_owner: &str,
    page: &ListPage,
    encoding: Encoding,
    with_owner: bool,
) -> Vec<Object> {
    page.objects
        .iter()
        .map(|(key, info)| Object {
            key: Some(encoding.apply(key)),
            size: Some(convert::size(info.size)),
            e_tag: (!info.etag.is_empty()).then(|| convert::etag(&info.etag)),
            last_modified: Some(convert::timestamp(info.last_modified)),
            owner: with_owner.then(|| api.owner(info.owner.as_deref().unwrap_or(bucket_owner))),
            checksum_algorithm: info.checksum.as_ref().map(|sum| vec![convert::algorithm(sum.algorithm)]),
            checksum_type: info.checksum.as_ref().map(|sum| convert::checksum_type(sum.kind)),
            storage_class: Some(
                info.headers
                    .storage_class
                    .clone()
                    .map_or_else(|| ObjectStorageClass::from_static("STANDARD"), ObjectStorageClass::from),
            ),
            restore_status: None,
        })
        .collect()
}

fn prefixes(prefixes: &[String], encoding: Encoding) -> Vec<CommonPrefix> {
    prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(encoding.apply(prefix)) }).collect()
}

/// Whether names are percent-encoded in the answer, for keys that XML 1.0 cannot carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Plain,
    Url,
}

impl Encoding {
    pub(super) fn read(value: Option<&EncodingType>) -> Result<Self, ApiError> {
        match value.map(EncodingType::as_str) {
            None | Some("") => Ok(Self::Plain),
            Some("url") => Ok(Self::Url),
            Some(other) => Err(ApiError::invalid_argument("Invalid Encoding Method specified in Request")
                .with_detail("ArgumentName", "encoding-type")
                .with_detail("ArgumentValue", other)),
        }
    }

    pub(super) fn apply(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Url => utf8_percent_encode(text, KEY).to_string(),
        }
    }
}

/// A page size: 1000 where none is given or more is asked for.
pub(super) fn page_size(value: Option<i32>, name: &'static str) -> Result<i32, ApiError> {
    match value.unwrap_or(MAX_PAGE) {
        n if n < 0 => Err(ApiError::invalid_argument(format!(
            "Argument {name} must be an integer between 0 and 2147483647"
        ))
        .with_detail("ArgumentName", name)
        .with_detail("ArgumentValue", n.to_string())),
        n => Ok(n.min(MAX_PAGE)),
    }
}

fn decode_token(token: &str) -> Result<String, ApiError> {
    BASE64URL_NOPAD.decode(token.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(
        || {
            ApiError::invalid_argument("The continuation token provided is incorrect")
                .with_detail("ArgumentName", "continuation-token")
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_encoding_keeps_what_paths_need() {
        assert_eq!(Encoding::Url.apply("a b/ü+%\u{1}"), "a%20b/%C3%BC%2B%25%01");
        assert_eq!(Encoding::Plain.apply("a b"), "a b");
    }
}
