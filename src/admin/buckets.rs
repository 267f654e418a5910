//! Buckets: what they hold, and what they may hold at most. Everything else about them is S3's.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::door::admin::RequestId;
use crate::error::ApiError;
use crate::store::{Bucket, Quota, Store, StoreError};

use super::AppState;
use super::error::{OrProblem, Problem};
use super::extract::JsonBody;

/// What a bucket may hold at most.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaDocument {
    /// Bytes of objects, every version counted, and of parts of uploads that are not completed; absent for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1_000_000_000)]
    pub max_bytes: Option<u64>,
    /// Objects, every version counted, delete markers not; absent for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1000)]
    pub max_objects: Option<u64>,
}

/// A bucket.
#[derive(Debug, Serialize, ToSchema)]
pub struct BucketDocument {
    /// Name.
    pub name: String,
    /// Account that owns it, 12 digits.
    pub owner: String,
    /// Region.
    pub region: String,
    /// When it was created (RFC 3339).
    pub created: String,
    /// Objects that it holds, every version counted, delete markers not.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of parts of uploads that are not completed.
    pub upload_bytes: u64,
    /// What it may hold at most, where that is limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaDocument>,
}

/// All buckets.
#[derive(Debug, Serialize, ToSchema)]
pub struct BucketList {
    /// By name.
    pub buckets: Vec<BucketDocument>,
}

fn shown(store: &dyn Store, bucket: &Bucket) -> Result<BucketDocument, ApiError> {
    let usage = store.usage(&bucket.name)?;
    let quota = bucket.config.quota;
    Ok(BucketDocument {
        name: bucket.name.clone(),
        owner: bucket.owner.clone(),
        region: bucket.region.clone(),
        created: bucket.created.to_string(),
        objects: usage.objects,
        bytes: usage.bytes,
        upload_bytes: usage.upload_bytes,
        quota: quota.map(|Quota { max_bytes, max_objects }| QuotaDocument { max_bytes, max_objects }),
    })
}

/// Lists buckets with what they hold.
#[utoipa::path(get, path = "/_refract/v1/buckets", tag = "buckets",
    responses((status = 200, body = BucketList)))]
pub(super) async fn list(
    State(app): AppState,
    id: Extension<RequestId>,
) -> Result<Json<BucketList>, Problem> {
    let store = app.store.as_ref();
    let all = app.store.buckets();
    let shown = all.values().map(|bucket| shown(store, bucket));
    // One that is deleted at this moment is not listed.
    let buckets = shown.filter(|bucket| !bucket.as_ref().is_err_and(|error| error.code == "NoSuchBucket"));
    Ok(Json(BucketList { buckets: buckets.collect::<Result<_, _>>().or_problem(&id)? }))
}

/// Shows a bucket with what it holds.
#[utoipa::path(get, path = "/_refract/v1/buckets/{name}", tag = "buckets",
    params(("name" = String, Path, description = "Name of the bucket")),
    responses((status = 200, body = BucketDocument), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn get(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(name): Path<String>,
) -> Result<Json<BucketDocument>, Problem> {
    let bucket = app.store.buckets().get(&name).cloned();
    let bucket = bucket.ok_or_else(|| ApiError::from(StoreError::NoSuchBucket)).or_problem(&id)?;
    Ok(Json(shown(app.store.as_ref(), &bucket).or_problem(&id)?))
}

/// Limits what a bucket may hold. What it holds already stays, also where it is more.
#[utoipa::path(put, path = "/_refract/v1/buckets/{name}/quota", tag = "buckets", request_body = QuotaDocument,
    params(("name" = String, Path, description = "Name of the bucket")),
    responses((status = 200, body = BucketDocument), (status = 400, body = super::error::ErrorDocument),
        (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn put_quota(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(name): Path<String>,
    JsonBody(quota): JsonBody<QuotaDocument>,
) -> Result<Json<BucketDocument>, Problem> {
    let QuotaDocument { max_bytes, max_objects } = quota;
    if max_bytes.is_none() && max_objects.is_none() {
        let message = "A quota has max_bytes, max_objects or both; DELETE takes it away";
        return Err(ApiError::invalid_request(message)).or_problem(&id);
    }
    let bucket =
        set(app.store.as_ref(), &name, Some(Quota { max_bytes, max_objects })).await.or_problem(&id)?;
    Ok(Json(bucket))
}

/// Takes the limits of a bucket away.
#[utoipa::path(delete, path = "/_refract/v1/buckets/{name}/quota", tag = "buckets",
    params(("name" = String, Path, description = "Name of the bucket")),
    responses((status = 204), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn delete_quota(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    set(app.store.as_ref(), &name, None).await.or_problem(&id)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set(store: &dyn Store, name: &str, quota: Option<Quota>) -> Result<BucketDocument, ApiError> {
    let change = move |bucket: &mut Bucket| {
        bucket.config.quota = quota;
        Ok(())
    };
    let bucket = store.update_bucket(&*store.bucket(name)?, Box::new(change)).await?;
    shown(store, &bucket)
}
