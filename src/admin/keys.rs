//! Access keys of users and of accounts' roots.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::door::admin::RequestId;

use super::AppState;
use super::error::{OrProblem, Problem};
use super::extract::JsonBody;

/// A key to make.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeySpec {
    /// For people; at most 256 characters.
    #[serde(default)]
    pub description: String,
    /// The account that it is a key of; the root account where none is named.
    #[serde(default)]
    pub account_id: Option<String>,
    /// The user that it is a key of; the account's root where none is named.
    #[serde(default)]
    pub user: Option<String>,
}

/// What may change of a key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyChange {
    /// Whether it may sign.
    pub active: bool,
}

/// A new key.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewKeyDocument {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key: it is shown this once.
    pub secret_access_key: String,
    /// What the key may do.
    pub note: &'static str,
}

/// A key.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyDocument {
    /// Access key id.
    pub access_key_id: String,
    /// Account, 12 digits.
    pub account_id: String,
    /// Its user; none for a key of the account's root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether it may sign.
    pub active: bool,
    /// For people.
    pub description: String,
    /// When it was made (RFC 3339).
    pub created: String,
}

/// All keys.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyList {
    /// By id; the root pair is not among them.
    pub keys: Vec<KeyDocument>,
}

/// Lists keys.
#[utoipa::path(get, path = "/_refract/v1/keys", tag = "keys", responses((status = 200, body = KeyList)))]
pub(super) async fn list(State(app): AppState) -> Json<KeyList> {
    let view = app.catalog.snapshot();
    let keys = view.access_keys.values().map(|key| KeyDocument {
        access_key_id: key.access_key_id.clone(),
        account_id: key.account_id.clone(),
        user: key.user.clone(),
        active: key.active,
        description: key.description.clone(),
        created: key.created.to_string(),
    });
    Json(KeyList { keys: keys.collect() })
}

/// Makes a key.
#[utoipa::path(post, path = "/_refract/v1/keys", tag = "keys", request_body = KeySpec,
    responses((status = 201, body = NewKeyDocument), (status = 400, body = super::error::ErrorDocument)))]
pub(super) async fn create(
    State(app): AppState,
    id: Extension<RequestId>,
    JsonBody(spec): JsonBody<KeySpec>,
) -> Result<(StatusCode, Json<NewKeyDocument>), Problem> {
    let of_user = spec.user.is_some();
    let pair = match spec.user {
        Some(user) => {
            let account = spec.account_id.as_deref().unwrap_or("root");
            let account = super::users::account(&app, account).or_problem(&id)?;
            app.keys.create_for_user(&account, &user, spec.description).await
        }
        None => app.keys.create(spec.account_id, spec.description).await,
    };
    let pair = pair.or_problem(&id)?;
    let document = NewKeyDocument {
        access_key_id: pair.access_key_id,
        secret_access_key: pair.secret.expose().to_owned(),
        note: if of_user {
            "This key is its user: it may do what the user's policies allow."
        } else {
            "This key is its account's root: it may do everything with what the account owns."
        },
    };
    Ok((StatusCode::CREATED, Json(document)))
}

/// Switches a key on or off.
#[utoipa::path(patch, path = "/_refract/v1/keys/{id}", tag = "keys", request_body = KeyChange,
    params(("id" = String, Path, description = "Access key id")),
    responses((status = 204), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn update(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(key): Path<String>,
    JsonBody(change): JsonBody<KeyChange>,
) -> Result<StatusCode, Problem> {
    app.keys.set_active(&key, change.active).await.or_problem(&id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a key.
#[utoipa::path(delete, path = "/_refract/v1/keys/{id}", tag = "keys",
    params(("id" = String, Path, description = "Access key id")),
    responses((status = 204), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn delete(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(key): Path<String>,
) -> Result<StatusCode, Problem> {
    app.keys.delete(&key).await.or_problem(&id)?;
    Ok(StatusCode::NO_CONTENT)
}
