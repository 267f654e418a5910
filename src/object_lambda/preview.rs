//! One object before and after a function, in memory: for whoever is trying out a payload.

use bytes::Bytes;
use http::{Request, request};

use crate::auth::Principal;
use crate::error::ApiError;
use crate::policy::{Access, Asked};
use crate::s3::encryption::CustomerHeaders;
use crate::store::{Bucket, ObjectInfo, Payload, StoreError, VersionRef};

use super::source::{Source, apply, collect};
use super::{LensCall, ObjectLambdaPlane, error};

/// Bytes that an object may have, and its result.
pub const MAX_PREVIEW: u64 = 8 << 20;

/// An object on one side of the function.
#[derive(Debug, Clone)]
pub struct Side {
    /// Content-Type.
    pub content_type: Option<String>,
    /// Content-Encoding.
    pub content_encoding: Option<String>,
    /// The bytes.
    pub bytes: Bytes,
}

impl ObjectLambdaPlane {
    /// An object of a bucket, in memory, with the caller's permission.
    ///
    /// # Errors
    /// As GetObject; 400 EntityTooLarge above `limit`.
    pub async fn original(
        &self,
        principal: &Principal,
        bucket: &str,
        key: &str,
        limit: u64,
    ) -> Result<(ObjectInfo, Bytes), ApiError> {
        crate::s3::keys::check(key)?;
        let bucket = self.store.buckets().get(bucket).cloned().ok_or(StoreError::NoSuchBucket)?;
        let (parts, ()) = Request::new(()).into_parts();
        let access = self.access(principal, &bucket, key, &parts);
        let object = self.reader().open(&access, key, VersionRef::Current, CustomerHeaders::Own).await?;
        let info = ObjectInfo::clone(&object.info);
        check_size("object", info.size, limit)?;
        let bytes = collect(object.read(0..info.size), limit).await?;
        Ok((info, bytes))
    }

    /// What the principal may do with an object by the bucket's own name.
    fn access<'a>(
        &'a self,
        principal: &'a Principal,
        bucket: &'a Bucket,
        key: &'a str,
        parts: &'a request::Parts,
    ) -> Access<'a> {
        let asked = Asked::of(&parts.headers, &parts.uri, &parts.extensions);
        let (principal, accounts) = (Some(principal), &self.accounts);
        Access { principal, via: None, bucket, key: Some(key), asked, accounts }
    }

    /// Runs a function over an object of a bucket.
    ///
    /// # Errors
    /// As a GET through an OLAP, and 400 EntityTooLarge above [`MAX_PREVIEW`].
    pub async fn preview(
        &self,
        principal: &Principal,
        bucket: &str,
        key: &str,
        function: &str,
        payload: Option<&str>,
    ) -> Result<(Side, Side), ApiError> {
        let (before, original) = self.original(principal, bucket, key, MAX_PREVIEW).await?;
        let prepared = self.functions.prepare(&self.catalog.snapshot(), function, payload)?;
        let bucket = self.store.buckets().get(bucket).cloned().ok_or(StoreError::NoSuchBucket)?;
        let (parts, ()) = Request::new(()).into_parts();
        let access = self.access(principal, &bucket, key, &parts);
        let call = LensCall { access, key, lens: None, request_id: "" };
        let limits = refract_transforms::Limits { output_bytes: MAX_PREVIEW, ..self.limits };
        let source = Source::open(self.reader(), &call, &prepared, &parts, limits).await?;
        let mut after = source.derived_info(&prepared);
        let (context, _) = source.into_run().await?;
        let input = Payload::Bytes(original.clone());
        let measure = self.measure(&prepared, None);
        let output = self.runner.run(&prepared, context, input, measure).await.map_err(error::run)?;
        apply(&output.head, &mut after);
        let result = collect(output.body, MAX_PREVIEW).await?;
        Ok((side(before, original), side(after, result)))
    }
}

fn side(info: ObjectInfo, bytes: Bytes) -> Side {
    Side { content_type: info.headers.content_type, content_encoding: info.headers.content_encoding, bytes }
}

fn check_size(what: &str, size: u64, limit: u64) -> Result<(), ApiError> {
    if size <= limit {
        return Ok(());
    }
    Err(ApiError::new(
        http::StatusCode::BAD_REQUEST,
        "EntityTooLarge",
        format!("The {what} has {size} bytes; it may have {limit}"),
    ))
}
