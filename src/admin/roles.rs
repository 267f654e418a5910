//! Roles of accounts.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::catalog::identities::whole::{RoleTerms, Whole};
use crate::catalog::identities::{Role, limits};
use crate::door::admin::RequestId;

use super::AppState;
use super::error::{OrProblem, Problem};
use super::extract::JsonBody;
use super::users::{account, shown_inline, slash, texts};

/// A role to make, or to write anew.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleSpec {
    /// Who may assume it: a trust policy.
    #[schema(example = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": "sts:AssumeRole", "Principal": {"AWS": "000000000000"}}]}))]
    pub trust: Value,
    /// For people; at most 1,000 characters.
    #[serde(default)]
    pub description: String,
    /// Seconds of its sessions at most: 3,600 to 43,200.
    #[serde(default = "shortest")]
    pub max_session: u32,
    /// Path: `/` or `/team/`.
    #[serde(default = "slash")]
    pub path: String,
    /// ARNs of managed policies.
    #[serde(default)]
    pub policies: Vec<String>,
    /// Inline policies by name.
    #[serde(default)]
    pub inline: BTreeMap<String, Value>,
    /// ARN of the managed policy that is its permissions boundary.
    #[serde(default)]
    pub boundary: Option<String>,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

fn shortest() -> u32 {
    limits::DEFAULT_SESSION
}

/// A role.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleDocument {
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
    /// For people.
    pub description: String,
    /// Who may assume it.
    pub trust: Value,
    /// Seconds of its sessions at most.
    pub max_session: u32,
    /// ARNs of its managed policies.
    pub policies: Vec<String>,
    /// Its inline policies by name.
    pub inline: BTreeMap<String, Value>,
    /// ARN of its permissions boundary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// When it was made (RFC 3339).
    pub created: String,
}

/// All roles of an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleList {
    /// By name.
    pub roles: Vec<RoleDocument>,
}

fn shown(role: &Role) -> RoleDocument {
    let trust = role.trust.text();
    RoleDocument {
        account_id: role.account_id.clone(),
        name: role.name.clone(),
        arn: role.arn(),
        id: role.id.clone(),
        path: role.path.clone(),
        description: role.description.clone(),
        trust: serde_json::from_str(trust).unwrap_or_else(|_| Value::String(trust.to_owned())),
        max_session: role.max_session,
        policies: role.policies.attached.iter().cloned().collect(),
        inline: shown_inline(&role.policies),
        boundary: role.boundary.clone(),
        tags: role.tags.clone(),
        created: role.created.to_string(),
    }
}

/// Lists the roles of an account.
#[utoipa::path(get, path = "/_refract/v1/accounts/{account}/roles", tag = "roles",
    params(("account" = String, Path, description = "12 digits, or `root`")),
    responses((status = 200, body = RoleList), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn list(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(of): Path<String>,
) -> Result<Json<RoleList>, Problem> {
    let of = account(&app, &of).or_problem(&id)?;
    let view = app.directory.view();
    Ok(Json(RoleList { roles: view.identities.list::<Role>(&of).map(|role| shown(role)).collect() }))
}

/// Shows a role.
#[utoipa::path(get, path = "/_refract/v1/accounts/{account}/roles/{name}", tag = "roles",
    params(("account" = String, Path, description = "12 digits, or `root`"),
        ("name" = String, Path, description = "Name")),
    responses((status = 200, body = RoleDocument), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn get(
    State(app): AppState,
    id: Extension<RequestId>,
    Path((of, name)): Path<(String, String)>,
) -> Result<Json<RoleDocument>, Problem> {
    let of = account(&app, &of).or_problem(&id)?;
    let role = app.directory.get::<Role>(&of, &name).or_problem(&id)?;
    Ok(Json(shown(&role)))
}

/// Makes a role, or writes anew everything of one that is there but its name and id.
#[utoipa::path(put, path = "/_refract/v1/accounts/{account}/roles/{name}", tag = "roles", request_body = RoleSpec,
    params(("account" = String, Path, description = "12 digits, or `root`"),
        ("name" = String, Path, description = "Name")),
    responses((status = 200, body = RoleDocument), (status = 400, body = super::error::ErrorDocument),
        (status = 404, body = super::error::ErrorDocument), (status = 409, body = super::error::ErrorDocument)))]
pub(super) async fn put(
    State(app): AppState,
    id: Extension<RequestId>,
    Path((of, name)): Path<(String, String)>,
    JsonBody(spec): JsonBody<RoleSpec>,
) -> Result<Json<RoleDocument>, Problem> {
    let of = account(&app, &of).or_problem(&id)?;
    let terms = RoleTerms {
        trust: spec.trust.to_string(),
        description: spec.description,
        max_session: spec.max_session,
    };
    let whole = Whole {
        path: spec.path,
        attached: spec.policies,
        inline: texts(spec.inline),
        boundary: spec.boundary,
        tags: spec.tags,
    };
    app.directory.put_role(&of, &name, terms, whole).await.or_problem(&id)?;
    let role = app.directory.get::<Role>(&of, &name).or_problem(&id)?;
    Ok(Json(shown(&role)))
}

/// Deletes a role with its policies; its sessions end at once.
#[utoipa::path(delete, path = "/_refract/v1/accounts/{account}/roles/{name}", tag = "roles",
    params(("account" = String, Path, description = "12 digits, or `root`"),
        ("name" = String, Path, description = "Name")),
    responses((status = 204), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn delete(
    State(app): AppState,
    id: Extension<RequestId>,
    Path((of, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let of = account(&app, &of).or_problem(&id)?;
    app.directory.delete_role_with_policies(&of, &name).await.or_problem(&id)?;
    Ok(StatusCode::NO_CONTENT)
}
