//! Accounts.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::catalog::Account;
use crate::door::admin::RequestId;
use crate::error::ApiError;

use super::AppState;
use super::error::{OrProblem, Problem};
use super::extract::JsonBody;

/// An account to make or change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountSpec {
    /// Its name, the DisplayName of what it owns: 1 to 64 characters.
    #[schema(example = "analytics")]
    pub name: String,
    /// Its e-mail, by which grants may name it; of one account only.
    #[schema(example = "analytics@example.com")]
    pub email: String,
}

/// An account, and its first key where it was made just now.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountDocument {
    /// 12 digits.
    pub account_id: String,
    /// The id by which ACLs name it: 64 hexadecimal digits.
    pub canonical_id: String,
    /// Its name.
    pub name: String,
    /// Its e-mail.
    pub email: String,
    /// Access key id of its root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The key's secret: it is shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_access_key: Option<String>,
}

/// All accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountList {
    /// The root account first, the others by id.
    pub accounts: Vec<AccountDocument>,
}

fn shown(account: &Account) -> AccountDocument {
    AccountDocument {
        account_id: account.account_id.clone(),
        canonical_id: account.canonical_id(),
        name: account.name.clone(),
        email: account.email.clone(),
        access_key_id: None,
        secret_access_key: None,
    }
}

/// Lists accounts.
#[utoipa::path(get, path = "/_refract/v1/accounts", tag = "accounts",
    responses((status = 200, body = AccountList)))]
pub(super) async fn list(State(app): AppState) -> Json<AccountList> {
    Json(AccountList { accounts: app.accounts.list().iter().map(|account| shown(account)).collect() })
}

/// Shows an account.
#[utoipa::path(get, path = "/_refract/v1/accounts/{id}", tag = "accounts",
    params(("id" = String, Path, description = "12 digits")),
    responses((status = 200, body = AccountDocument), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn get(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(account): Path<String>,
) -> Result<Json<AccountDocument>, Problem> {
    let found = app.accounts.get(&account).ok_or_else(|| crate::catalog::accounts::absent(&account));
    Ok(Json(shown(&*found.or_problem(&id)?)))
}

/// Makes an account with its first key, or changes the name and e-mail of one that is there.
#[utoipa::path(put, path = "/_refract/v1/accounts/{id}", tag = "accounts", request_body = AccountSpec,
    params(("id" = String, Path, description = "12 digits")),
    responses((status = 201, body = AccountDocument), (status = 200, body = AccountDocument),
        (status = 400, body = super::error::ErrorDocument), (status = 409, body = super::error::ErrorDocument)))]
pub(super) async fn put(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(account): Path<String>,
    JsonBody(spec): JsonBody<AccountSpec>,
) -> Result<(StatusCode, Json<AccountDocument>), Problem> {
    let put = app.accounts.put(&app.keys, &account, spec.name, spec.email).await;
    let (account, pair) = put.or_problem(&id)?;
    let status = if pair.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    let mut document = shown(&account);
    if let Some(pair) = pair {
        document.access_key_id = Some(pair.access_key_id);
        document.secret_access_key = Some(pair.secret.expose().to_owned());
    }
    Ok((status, Json(document)))
}

/// Deletes an account that owns no bucket, with its keys.
#[utoipa::path(delete, path = "/_refract/v1/accounts/{id}", tag = "accounts",
    params(("id" = String, Path, description = "12 digits")),
    responses((status = 204), (status = 404, body = super::error::ErrorDocument),
        (status = 409, body = super::error::ErrorDocument)))]
pub(super) async fn delete(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(account): Path<String>,
) -> Result<StatusCode, Problem> {
    let buckets = app.store.buckets();
    if let Some(bucket) = buckets.values().find(|bucket| bucket.owner == account) {
        let message = format!("The account owns bucket {}: delete its buckets first", bucket.name);
        return Err(ApiError::new(StatusCode::CONFLICT, "AccountNotEmpty", message)).or_problem(&id);
    }
    app.accounts.delete(&account).await.or_problem(&id)?;
    Ok(StatusCode::NO_CONTENT)
}
