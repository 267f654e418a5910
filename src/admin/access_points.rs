//! Access points.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access_point::{NewAccessPoint, Registrar};
use crate::catalog::{AccessPoint, PublicAccessBlock, Tags};
use crate::door::admin::RequestId;

use super::AppState;
use super::error::{OrProblem, Problem};
use super::extract::JsonBody;

/// An access point to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessPointSpec {
    /// The bucket it shows.
    #[schema(example = "photos")]
    pub bucket: String,
    /// The account that owns the bucket, where it is another one than the server's own.
    #[serde(default)]
    pub bucket_account_id: Option<String>,
}

/// An access point.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccessPointDocument {
    /// Name.
    pub name: String,
    /// The bucket it shows.
    pub bucket: String,
    /// ARN.
    pub arn: String,
    /// The name that works wherever a bucket's does.
    pub alias: String,
    /// When it was created (RFC 3339).
    pub created: String,
}

/// All access points.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccessPointList {
    /// By name.
    pub access_points: Vec<AccessPointDocument>,
}

fn shown(registrar: &Registrar, point: &AccessPoint) -> AccessPointDocument {
    AccessPointDocument {
        name: point.name.clone(),
        bucket: point.bucket.clone(),
        arn: registrar.access_point_arn(&point.name),
        alias: point.alias.clone(),
        created: point.created.to_string(),
    }
}

/// Lists the access points of the server's own account.
#[utoipa::path(get, path = "/_refract/v1/access-points", tag = "access points",
    responses((status = 200, body = AccessPointList)))]
pub(super) async fn list(State(app): AppState) -> Json<AccessPointList> {
    let view = app.catalog.snapshot();
    let access_points = view.access_points_of(&app.registrar.account_id);
    let access_points = access_points.map(|point| shown(&app.registrar, point)).collect();
    Json(AccessPointList { access_points })
}

/// Shows an access point.
#[utoipa::path(get, path = "/_refract/v1/access-points/{name}", tag = "access points",
    params(("name" = String, Path, description = "Name of the access point")),
    responses((status = 200, body = AccessPointDocument), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn get(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(name): Path<String>,
) -> Result<Json<AccessPointDocument>, Problem> {
    let point = app.registrar.find_access_point(&app.catalog.snapshot(), &name).or_problem(&id)?;
    Ok(Json(shown(&app.registrar, &point)))
}

/// Creates an access point. One that is there already for the same bucket is answered as it is.
#[utoipa::path(put, path = "/_refract/v1/access-points/{name}", tag = "access points",
    request_body = AccessPointSpec,
    params(("name" = String, Path, description = "3 to 50 lower-case letters, digits and hyphens")),
    responses((status = 200, body = AccessPointDocument, description = "It is there"),
        (status = 201, body = AccessPointDocument, description = "Created"),
        (status = 400, body = super::error::ErrorDocument), (status = 404, body = super::error::ErrorDocument),
        (status = 409, body = super::error::ErrorDocument, description = "There for another bucket")))]
pub(super) async fn put(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(name): Path<String>,
    JsonBody(spec): JsonBody<AccessPointSpec>,
) -> Result<(StatusCode, Json<AccessPointDocument>), Problem> {
    let there = app.registrar.find_access_point(&app.catalog.snapshot(), &name).ok();
    if let Some(point) = there.filter(|point| point.bucket == spec.bucket) {
        return Ok((StatusCode::OK, Json(shown(&app.registrar, &point))));
    }
    let new = NewAccessPoint {
        name,
        bucket: spec.bucket,
        bucket_account_id: spec.bucket_account_id,
        public_access_block: PublicAccessBlock::default(),
        tags: Tags::new(),
    };
    let point = app.registrar.create_access_point(new).await.or_problem(&id)?;
    Ok((StatusCode::CREATED, Json(shown(&app.registrar, &point))))
}

/// Deletes an access point.
#[utoipa::path(delete, path = "/_refract/v1/access-points/{name}", tag = "access points",
    params(("name" = String, Path, description = "Name of the access point")),
    responses((status = 204), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn delete(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    app.registrar.delete_access_point(&name).await.or_problem(&id)?;
    Ok(StatusCode::NO_CONTENT)
}
