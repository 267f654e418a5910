//! Users of accounts.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::catalog::View;
use crate::catalog::identities::whole::Whole;
use crate::catalog::identities::{Group, User};
use crate::context::App;
use crate::door::admin::RequestId;
use crate::error::ApiError;

use super::AppState;
use super::error::{OrProblem, Problem};
use super::extract::JsonBody;

/// A user to make, or to write anew.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserSpec {
    /// Path: `/` or `/team/`.
    #[serde(default = "slash")]
    pub path: String,
    /// ARNs of managed policies.
    #[serde(default)]
    #[schema(example = json!(["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]))]
    pub policies: Vec<String>,
    /// Inline policies by name: documents of the AWS policy language.
    #[serde(default)]
    pub inline: BTreeMap<String, Value>,
    /// ARN of the managed policy that is its permissions boundary.
    #[serde(default)]
    pub boundary: Option<String>,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

pub(super) fn slash() -> String {
    "/".to_owned()
}

impl From<UserSpec> for Whole {
    fn from(spec: UserSpec) -> Self {
        Self {
            path: spec.path,
            attached: spec.policies,
            inline: texts(spec.inline),
            boundary: spec.boundary,
            tags: spec.tags,
        }
    }
}

/// Documents as texts.
pub(super) fn texts(documents: BTreeMap<String, Value>) -> BTreeMap<String, String> {
    documents.into_iter().map(|(name, document)| (name, document.to_string())).collect()
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserDocument {
    /// Account, 12 digits.
    pub account_id: String,
    /// Name.
    pub name: String,
    /// ARN.
    pub arn: String,
    /// Unique id.
    pub id: String,
    /// Path.
    pub path: String,
    /// ARNs of its managed policies.
    pub policies: Vec<String>,
    /// Its inline policies by name.
    pub inline: BTreeMap<String, Value>,
    /// ARN of its permissions boundary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Names of its groups.
    pub groups: Vec<String>,
    /// Ids of its access keys.
    pub access_keys: Vec<String>,
    /// When it was made (RFC 3339).
    pub created: String,
}

/// All users of an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserList {
    /// By name.
    pub users: Vec<UserDocument>,
}

/// The inline policies of a record as JSON.
pub(super) fn shown_inline(policies: &crate::catalog::identities::Policies) -> BTreeMap<String, Value> {
    let shown = policies.inline.iter().map(|(name, document)| {
        let text = document.text();
        (name.clone(), serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())))
    });
    shown.collect()
}

fn shown(view: &View, user: &User) -> UserDocument {
    let groups = user.groups.iter().map(|name| {
        let group = view.identities.get::<Group>(&user.account_id, name);
        group.map_or_else(|| name.clone(), |group| group.name.clone())
    });
    let keys = view.keys_of(&user.account_id, Some(&user.name));
    UserDocument {
        account_id: user.account_id.clone(),
        name: user.name.clone(),
        arn: user.arn(),
        id: user.id.clone(),
        path: user.path.clone(),
        policies: user.policies.attached.iter().cloned().collect(),
        inline: shown_inline(&user.policies),
        boundary: user.boundary.clone(),
        tags: user.tags.clone(),
        groups: groups.collect(),
        access_keys: keys.map(|key| key.access_key_id.clone()).collect(),
        created: user.created.to_string(),
    }
}

/// The id of an account that is there; `root` is the root account.
pub(super) fn account(app: &App, id: &str) -> Result<String, ApiError> {
    if id == "root" {
        return Ok(app.accounts.root().account_id.clone());
    }
    let found = app.accounts.get(id).ok_or_else(|| crate::catalog::accounts::absent(id));
    found.map(|account| account.account_id.clone())
}

/// Lists the users of an account.
#[utoipa::path(get, path = "/_refract/v1/accounts/{account}/users", tag = "users",
    params(("account" = String, Path, description = "12 digits, or `root`")),
    responses((status = 200, body = UserList), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn list(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(of): Path<String>,
) -> Result<Json<UserList>, Problem> {
    let of = account(&app, &of).or_problem(&id)?;
    let view = app.directory.view();
    let users = view.identities.list::<User>(&of).map(|user| shown(&view, user));
    Ok(Json(UserList { users: users.collect() }))
}

/// Shows a user.
#[utoipa::path(get, path = "/_refract/v1/accounts/{account}/users/{name}", tag = "users",
    params(("account" = String, Path, description = "12 digits, or `root`"),
        ("name" = String, Path, description = "Name")),
    responses((status = 200, body = UserDocument), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn get(
    State(app): AppState,
    id: Extension<RequestId>,
    Path((of, name)): Path<(String, String)>,
) -> Result<Json<UserDocument>, Problem> {
    let of = account(&app, &of).or_problem(&id)?;
    let user = app.directory.get::<User>(&of, &name).or_problem(&id)?;
    Ok(Json(shown(&app.directory.view(), &user)))
}

/// Makes a user, or writes anew the policies, boundary, path and tags of one that is there.
#[utoipa::path(put, path = "/_refract/v1/accounts/{account}/users/{name}", tag = "users", request_body = UserSpec,
    params(("account" = String, Path, description = "12 digits, or `root`"),
        ("name" = String, Path, description = "Name")),
    responses((status = 200, body = UserDocument), (status = 400, body = super::error::ErrorDocument),
        (status = 404, body = super::error::ErrorDocument), (status = 409, body = super::error::ErrorDocument)))]
pub(super) async fn put(
    State(app): AppState,
    id: Extension<RequestId>,
    Path((of, name)): Path<(String, String)>,
    JsonBody(spec): JsonBody<UserSpec>,
) -> Result<Json<UserDocument>, Problem> {
    let of = account(&app, &of).or_problem(&id)?;
    app.directory.put_user(&of, &name, spec.into()).await.or_problem(&id)?;
    let user = app.directory.get::<User>(&of, &name).or_problem(&id)?;
    Ok(Json(shown(&app.directory.view(), &user)))
}

/// Deletes a user with its keys and policies.
#[utoipa::path(delete, path = "/_refract/v1/accounts/{account}/users/{name}", tag = "users",
    params(("account" = String, Path, description = "12 digits, or `root`"),
        ("name" = String, Path, description = "Name")),
    responses((status = 204), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn delete(
    State(app): AppState,
    id: Extension<RequestId>,
    Path((of, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let of = account(&app, &of).or_problem(&id)?;
    app.directory.delete_user_with_keys(&of, &name).await.or_problem(&id)?;
    Ok(StatusCode::NO_CONTENT)
}
