//! What functions may connect to: an operator's setting, apart from the function's own.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::catalog::{Change, Function, FunctionKind, NetworkGrant, View};
use crate::context::App;
use crate::door::admin::RequestId;
use crate::error::ApiError;
use crate::function::builtin::PREFIX;

use super::AppState;
use super::error::{OrProblem, Problem};
use super::extract::JsonBody;
use super::functions::no_such_function;

/// What a function may connect to beside this server.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkDocument {
    /// At most 100 entries of a host and a port from 1 to 65535: a name, `*.` and a name (those below it), `*` (all
    /// names and public addresses), an address or a range. Private addresses take an entry of their address or range.
    #[schema(example = json!(["api.example.com:443", "*.example.com:443", "10.0.0.0/8:5432", "[fd00::/8]:5432"]))]
    pub allow: Vec<String>,
}

impl From<&NetworkGrant> for NetworkDocument {
    fn from(grant: &NetworkGrant) -> Self {
        Self { allow: grant.entries() }
    }
}

/// Shows what a function may connect to.
#[utoipa::path(get, path = "/_refract/v1/functions/{name}/network", tag = "functions",
    params(("name" = String, Path, description = "Name of the function")),
    responses((status = 200, body = NetworkDocument), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn get(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(name): Path<String>,
) -> Result<Json<NetworkDocument>, Problem> {
    let view = app.catalog.snapshot();
    let found = granted(&view, &name).or_problem(&id)?;
    Ok(Json(NetworkDocument::from(&*found.network)))
}

/// Lets a function connect to these and nothing else. It takes effect at once.
#[utoipa::path(put, path = "/_refract/v1/functions/{name}/network", tag = "functions", request_body = NetworkDocument,
    params(("name" = String, Path, description = "Name of a function that is a Wasm component or runs code")),
    responses((status = 200, body = NetworkDocument), (status = 400, body = super::error::ErrorDocument),
        (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn put(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(name): Path<String>,
    JsonBody(document): JsonBody<NetworkDocument>,
) -> Result<Json<NetworkDocument>, Problem> {
    let grant = NetworkGrant::parse(&document.allow).map_err(ApiError::invalid_request).or_problem(&id)?;
    let shown = NetworkDocument::from(&grant);
    set(&app, name, grant).await.or_problem(&id)?;
    Ok(Json(shown))
}

/// Lets a function connect to nothing.
#[utoipa::path(delete, path = "/_refract/v1/functions/{name}/network", tag = "functions",
    params(("name" = String, Path, description = "Name of the function")),
    responses((status = 204), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn delete(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    set(&app, name, NetworkGrant::default()).await.or_problem(&id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// A function that a grant can be of.
fn granted<'v>(view: &'v View, name: &str) -> Result<&'v Arc<Function>, ApiError> {
    let why = "Only Wasm components and functions that run code connect to anything from here";
    if name.starts_with(PREFIX) {
        return Err(ApiError::invalid_request(why));
    }
    let function = view.functions.get(name).ok_or_else(|| no_such_function(name))?;
    match function.kind {
        FunctionKind::Wasm(_) | FunctionKind::Lambda(_) => Ok(function),
        FunctionKind::Builtin { .. } | FunctionKind::Webhook(_) | FunctionKind::Aws(_) => {
            Err(ApiError::invalid_request(format!("{why}: {name} does not")))
        }
    }
}

async fn set(app: &App, name: String, grant: NetworkGrant) -> Result<(), ApiError> {
    let now = app.clock.now();
    let decide = move |view: &View| {
        let old = granted(view, &name)?;
        let function = Function {
            network: Arc::new(grant),
            updated: now,
            // What is prepared of it is prepared anew.
            revision: old.revision + 1,
            ..Function::clone(old)
        };
        Ok(vec![Change::PutFunction(function)])
    };
    app.catalog.update(Box::new(decide)).await?;
    // Workers that are kept ready are so under the grant.
    app.lambda.platform.provision();
    Ok(())
}
