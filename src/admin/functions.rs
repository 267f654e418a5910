//! Functions: built-in transforms under names of their own, with a payload.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use refract_transforms::builtin_names;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::access_point::arn::is_function_name;
use crate::catalog::{Change, Function, FunctionKind, View};
use crate::context::App;
use crate::door::admin::RequestId;
use crate::error::ApiError;
use crate::function::Prepared;
use crate::function::builtin::PREFIX;

use super::AppState;
use super::error::{OrProblem, Problem};
use super::extract::JsonBody;

/// A function to register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FunctionSpec {
    /// How it runs.
    pub kind: Kind,
    /// Name of the built-in transform.
    #[schema(example = "resize")]
    pub transform: String,
    /// Its payload; absent means the transform's defaults.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub payload: Value,
    /// For people; at most 256 characters.
    #[serde(default)]
    pub description: String,
}

/// How a function runs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A built-in transform, inside the server.
    Builtin,
    /// Code, managed by the Lambda API.
    Lambda,
}

/// A function.
#[derive(Debug, Serialize, ToSchema)]
pub struct FunctionDocument {
    /// Name.
    pub name: String,
    /// ARN, for configurations of Object Lambda access points.
    pub arn: String,
    /// How it runs.
    pub kind: Kind,
    /// Name of the built-in transform; absent for code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transform: Option<String>,
    /// Its payload; absent for code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub payload: Option<Value>,
    /// Runtime of code: `python3.12`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// Handler of code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handler: Option<String>,
    /// For people.
    pub description: String,
    /// Grows with each change; 0 for a reserved name.
    pub revision: u64,
    /// When it was last changed (RFC 3339); absent for a reserved name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<String>,
}

/// All functions.
#[derive(Debug, Serialize, ToSchema)]
pub struct FunctionList {
    /// By name: the registered ones, then the reserved ones.
    pub functions: Vec<FunctionDocument>,
}

fn shown(app: &App, function: &Function) -> FunctionDocument {
    let (kind, transform, payload, runtime, handler, description) = match &function.kind {
        FunctionKind::Builtin { transform, payload } => {
            let (transform, payload) = (Some(transform.clone()), Some(payload.clone()));
            (Kind::Builtin, transform, payload, None, None, &function.description)
        }
        FunctionKind::Lambda(lambda) => {
            let settings = &lambda.latest.settings;
            let (runtime, handler) = (Some(settings.runtime.clone()), Some(settings.handler.clone()));
            (Kind::Lambda, None, None, runtime, handler, &settings.description)
        }
    };
    FunctionDocument {
        name: function.name.clone(),
        arn: app.registrar.function_arn(&function.name),
        kind,
        transform,
        payload,
        runtime,
        handler,
        description: description.clone(),
        revision: function.revision,
        updated: Some(function.updated.to_string()),
    }
}

fn reserved(app: &App, transform: &str) -> FunctionDocument {
    let name = format!("{PREFIX}{transform}");
    FunctionDocument {
        arn: app.registrar.function_arn(&name),
        name,
        kind: Kind::Builtin,
        transform: Some(transform.to_owned()),
        payload: Some(Value::Object(serde_json::Map::new())),
        runtime: None,
        handler: None,
        description: "Reserved; its payload is the Object Lambda access point's".to_owned(),
        revision: 0,
        updated: None,
    }
}

/// Lists functions.
#[utoipa::path(get, path = "/_refract/v1/functions", tag = "functions",
    responses((status = 200, body = FunctionList)))]
pub(super) async fn list(State(app): AppState) -> Json<FunctionList> {
    let view = app.catalog.snapshot();
    let mut functions: Vec<_> = view.functions.values().map(|function| shown(&app, function)).collect();
    functions.extend(builtin_names().iter().map(|transform| reserved(&app, transform)));
    Json(FunctionList { functions })
}

/// Shows a function.
#[utoipa::path(get, path = "/_refract/v1/functions/{name}", tag = "functions",
    params(("name" = String, Path, description = "Name of the function")),
    responses((status = 200, body = FunctionDocument), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn get(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(name): Path<String>,
) -> Result<Json<FunctionDocument>, Problem> {
    if let Some(transform) = name.strip_prefix(PREFIX).filter(|name| builtin_names().contains(name)) {
        return Ok(Json(reserved(&app, transform)));
    }
    let view = app.catalog.snapshot();
    let found = view.functions.get(&name).ok_or_else(|| no_such_function(&name));
    Ok(Json(shown(&app, found.or_problem(&id)?)))
}

/// Registers or changes a function.
#[utoipa::path(put, path = "/_refract/v1/functions/{name}", tag = "functions", request_body = FunctionSpec,
    params(("name" = String, Path, description = "1 to 64 letters, digits, `-` and `_`; not `builtin-…`")),
    responses((status = 200, body = FunctionDocument, description = "Changed"),
        (status = 201, body = FunctionDocument, description = "Registered"),
        (status = 400, body = super::error::ErrorDocument)))]
pub(super) async fn put(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(name): Path<String>,
    JsonBody(spec): JsonBody<FunctionSpec>,
) -> Result<(StatusCode, Json<FunctionDocument>), Problem> {
    let (new, function) = register(&app, name, spec).await.or_problem(&id)?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(shown(&app, &function))))
}

async fn register(app: &Arc<App>, name: String, spec: FunctionSpec) -> Result<(bool, Function), ApiError> {
    if !is_function_name(&name) {
        return Err(ApiError::invalid_request(format!(
            "The function name {name:?} must be 1 to 64 letters, digits, `-` and `_`"
        )));
    }
    if name.starts_with(PREFIX) {
        return Err(ApiError::invalid_request(format!("Names that begin with {PREFIX} are reserved")));
    }
    if spec.description.chars().count() > 256 {
        return Err(ApiError::invalid_request("description may have at most 256 characters"));
    }
    let payload = match spec.payload {
        Value::Null => Value::Object(serde_json::Map::new()),
        payload @ Value::Object(_) => payload,
        other => {
            return Err(ApiError::invalid_request(format!("payload must be a JSON object; it is {other}")));
        }
    };
    if matches!(spec.kind, Kind::Lambda) {
        return Err(ApiError::invalid_request(
            "Code is registered through the Lambda API: `aws lambda create-function`",
        ));
    }
    Prepared::new(&spec.transform, payload.clone())?;
    let now = app.clock.now();
    let (answer, written) = (Arc::new(std::sync::Mutex::new(None)), name);
    let slot = Arc::clone(&answer);
    let decide = move |view: &View| {
        let old = view.functions.get(&written);
        if old.is_some_and(|old| matches!(old.kind, FunctionKind::Lambda(_))) {
            return Err(runs_code(&written));
        }
        let function = Function {
            name: written,
            kind: FunctionKind::Builtin { transform: spec.transform, payload },
            created: old.map_or(now, |old| old.created),
            updated: now,
            revision: old.map_or(1, |old| old.revision + 1),
            description: spec.description,
        };
        if let Ok(mut slot) = slot.lock() {
            *slot = Some((old.is_none(), function.clone()));
        }
        Ok(vec![Change::PutFunction(function)])
    };
    app.catalog.update(Box::new(decide)).await?;
    let written = answer.lock().ok().and_then(|mut slot| slot.take());
    written.ok_or_else(|| ApiError::internal("the catalog did not ask for the change"))
}

/// Deletes a function. Object Lambda access points that name it answer 404 LambdaNotFound.
#[utoipa::path(delete, path = "/_refract/v1/functions/{name}", tag = "functions",
    params(("name" = String, Path, description = "Name of the function")),
    responses((status = 204), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn delete(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let decide = move |view: &View| match view.functions.get(&name).map(|function| &function.kind) {
        Some(FunctionKind::Builtin { .. }) => Ok(vec![Change::DeleteFunction(name)]),
        Some(FunctionKind::Lambda(_)) => Err(runs_code(&name)),
        None => Err(no_such_function(&name)),
    };
    app.catalog.update(Box::new(decide)).await.or_problem(&id)?;
    Ok(StatusCode::NO_CONTENT)
}

fn runs_code(name: &str) -> ApiError {
    let why = format!("The function {name} runs code: change and delete it through the Lambda API");
    ApiError::new(StatusCode::CONFLICT, "ResourceConflict", why)
}

fn no_such_function(name: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "NoSuchFunction", format!("There is no function {name:?}"))
}
