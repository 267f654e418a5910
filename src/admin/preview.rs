//! Preview: an object before and after a function, without an access point.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::auth::Principal;
use crate::door::admin::RequestId;
use crate::object_lambda::preview::Side;

use super::AppState;
use super::error::{OrProblem, Problem};
use super::extract::JsonBody;

/// What to preview.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewSpec {
    /// Bucket of the object.
    #[schema(example = "demo")]
    pub bucket: String,
    /// Its key. It may have 8 MiB, and so may the result.
    #[schema(example = "photo.jpg")]
    pub key: String,
    /// As the payload of an Object Lambda access point.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub payload: Option<Value>,
}

/// An object before and after.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewDocument {
    /// As it is stored.
    pub before: PreviewSide,
    /// As the function answers it.
    pub after: PreviewSide,
}

/// One of the two.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewSide {
    /// Content-Type.
    pub content_type: String,
    /// Content-Encoding, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// The bytes.
    pub base64: String,
}

impl From<Side> for PreviewSide {
    fn from(side: Side) -> Self {
        Self {
            content_type: side.content_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
            content_encoding: side.content_encoding,
            base64: BASE64.encode(&side.bytes),
        }
    }
}

/// Shows an object before and after a function.
#[utoipa::path(post, path = "/_refract/v1/functions/{name}/preview", tag = "functions",
    request_body = PreviewSpec,
    params(("name" = String, Path, description = "Name of the function")),
    responses((status = 200, body = PreviewDocument), (status = 400, body = super::error::ErrorDocument),
        (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn preview(
    State(app): AppState,
    id: Extension<RequestId>,
    principal: Extension<Principal>,
    Path(name): Path<String>,
    JsonBody(spec): JsonBody<PreviewSpec>,
) -> Result<Json<PreviewDocument>, Problem> {
    let payload = spec.payload.filter(|payload| !payload.is_null()).map(|payload| payload.to_string());
    let (before, after) = app
        .object_lambda
        .preview(&principal, &spec.bucket, &spec.key, &name, payload.as_deref())
        .await
        .or_problem(&id)?;
    Ok(Json(PreviewDocument { before: before.into(), after: after.into() }))
}
