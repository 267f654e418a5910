//! Named keys for SSE-KMS.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::door::admin::RequestId;
use crate::encryption::keyring::DEFAULT_KMS_KEY;

use super::AppState;
use super::error::{OrProblem, Problem};

/// A named key. Its bytes never leave the server.
#[derive(Debug, Serialize, ToSchema)]
pub struct KmsKeyDocument {
    /// Name: what `x-amz-server-side-encryption-aws-kms-key-id` names, also as `alias/NAME` or an ARN.
    pub name: String,
    /// When it was made (RFC 3339); none for the server's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
}

/// All named keys.
#[derive(Debug, Serialize, ToSchema)]
pub struct KmsKeyList {
    /// The server's own first, the others by name.
    pub kms_keys: Vec<KmsKeyDocument>,
}

/// Lists named keys.
#[utoipa::path(get, path = "/_refract/v1/kms-keys", tag = "kms-keys",
    responses((status = 200, body = KmsKeyList)))]
pub(super) async fn list(State(app): AppState) -> Json<KmsKeyList> {
    let view = app.catalog.snapshot();
    let own = KmsKeyDocument { name: DEFAULT_KMS_KEY.to_owned(), created: None };
    let made = view
        .kms_keys
        .values()
        .map(|key| KmsKeyDocument { name: key.name.clone(), created: Some(key.created.to_string()) });
    Json(KmsKeyList { kms_keys: std::iter::once(own).chain(made).collect() })
}

/// Makes a named key, if there is none of that name. A key is never deleted: what it sealed would be lost.
#[utoipa::path(put, path = "/_refract/v1/kms-keys/{name}", tag = "kms-keys",
    params(("name" = String, Path, description = "1 to 128 letters, digits, `-`, `_` and `/`")),
    responses((status = 201), (status = 204, description = "It was there"),
        (status = 400, body = super::error::ErrorDocument)))]
pub(super) async fn put(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let new = app.keyring.create(&name).await.or_problem(&id)?;
    Ok(if new { StatusCode::CREATED } else { StatusCode::NO_CONTENT })
}
