//! Functions: built-in transforms under names of their own, with a payload, and Wasm components.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use refract_transforms::builtin_names;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::access_point::arn::is_function_name;
use crate::auth::Principal;
use crate::catalog::{Change, Function, FunctionKind, View};
use crate::context::App;
use crate::door::admin::RequestId;
use crate::error::ApiError;
use crate::function::Prepared;
use crate::function::builtin::PREFIX;

use super::AppState;
use super::aws::{self, AwsDocument, AwsSpec};
use super::error::{OrProblem, Problem};
use super::extract::JsonBody;
use super::function_network::NetworkDocument;
use super::wasm::{self, Asked, ComponentSpec, WasmDocument};
use super::webhook::{self, WebhookDocument, WebhookSpec};

/// A function to register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FunctionSpec {
    /// How it runs.
    pub kind: Kind,
    /// Name of the built-in transform, where `kind` is that.
    #[serde(default)]
    #[schema(example = "resize")]
    pub transform: Option<String>,
    /// The Wasm component, where `kind` is that; absent keeps the one that the function has.
    #[serde(default)]
    pub component: Option<ComponentSpec>,
    /// The webhook, where `kind` is that.
    #[serde(default)]
    pub webhook: Option<WebhookSpec>,
    /// The function of AWS Lambda, where `kind` is `aws`.
    #[serde(default)]
    pub aws: Option<AwsSpec>,
    /// Linear memory of a Wasm instance in MiB, 1 to 1024; 128 unless given.
    #[serde(default)]
    pub memory_mb: Option<u32>,
    /// Processor time of a Wasm run, and its time without output, 1 to 900; 60 unless given.
    #[serde(default)]
    pub timeout_seconds: Option<u32>,
    /// Wasm instances at a time; half of all unless given. 0 stops the function.
    #[serde(default)]
    pub concurrency: Option<u32>,
    /// Its payload; absent means the function's defaults.
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
    /// A Wasm component.
    Wasm,
    /// A webhook.
    Webhook,
    /// A function of AWS Lambda.
    Aws,
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
    /// The Wasm component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wasm: Option<WasmDocument>,
    /// The webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookDocument>,
    /// The function of AWS Lambda.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsDocument>,
    /// Runtime of code: `python3.12`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// Handler of code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handler: Option<String>,
    /// What an operator lets it connect to; absent where that is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkDocument>,
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
    let (kind, transform, payload, description) = match &function.kind {
        FunctionKind::Builtin { transform, payload } => {
            (Kind::Builtin, Some(transform.clone()), Some(payload.clone()), &function.description)
        }
        FunctionKind::Wasm(component) => {
            (Kind::Wasm, None, Some(component.payload.clone()), &function.description)
        }
        FunctionKind::Webhook(_) => (Kind::Webhook, None, None, &function.description),
        FunctionKind::Aws(_) => (Kind::Aws, None, None, &function.description),
        FunctionKind::Lambda(lambda) => (Kind::Lambda, None, None, &lambda.latest.settings.description),
    };
    let (mut wasm, mut webhook, mut aws, mut runtime, mut handler) = (None, None, None, None, None);
    match &function.kind {
        FunctionKind::Builtin { .. } => {}
        FunctionKind::Wasm(component) => wasm = Some(WasmDocument::from(component)),
        FunctionKind::Webhook(record) => webhook = Some(WebhookDocument::from(record)),
        FunctionKind::Aws(record) => aws = Some(AwsDocument::from(record)),
        FunctionKind::Lambda(lambda) => {
            let settings = &lambda.latest.settings;
            (runtime, handler) = (Some(settings.runtime.clone()), Some(settings.handler.clone()));
        }
    }
    FunctionDocument {
        name: function.name.clone(),
        arn: app.registrar.function_arn(&function.name),
        kind,
        transform,
        payload,
        wasm,
        webhook,
        aws,
        runtime,
        handler,
        network: (!function.network.is_empty()).then(|| NetworkDocument::from(&*function.network)),
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
        wasm: None,
        webhook: None,
        aws: None,
        runtime: None,
        handler: None,
        network: None,
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
    principal: Extension<Principal>,
    Path(name): Path<String>,
    JsonBody(spec): JsonBody<FunctionSpec>,
) -> Result<(StatusCode, Json<FunctionDocument>), Problem> {
    let (new, function) = register(&app, &principal, name, spec).await.or_problem(&id)?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(shown(&app, &function))))
}

async fn register(
    app: &Arc<App>,
    principal: &Principal,
    name: String,
    mut spec: FunctionSpec,
) -> Result<(bool, Function), ApiError> {
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
    let payload = match std::mem::take(&mut spec.payload) {
        Value::Null => Value::Object(serde_json::Map::new()),
        payload @ Value::Object(_) => payload,
        other => {
            return Err(ApiError::invalid_request(format!("payload must be a JSON object; it is {other}")));
        }
    };
    let code = Arc::new(code(app, principal, &name, &mut spec, payload).await?);
    let now = app.clock.now();
    let (answer, written) = (Arc::new(std::sync::Mutex::new(None)), name);
    let slot = Arc::clone(&answer);
    let decided = Arc::clone(&code);
    let decide = move |view: &View| {
        let old = view.functions.get(&written);
        if old.is_some_and(|old| matches!(old.kind, FunctionKind::Lambda(_))) {
            return Err(runs_code(&written));
        }
        let kind = decided.kind(old.map(AsRef::as_ref))?;
        let network = match &kind {
            FunctionKind::Wasm(_) => old.map(|old| Arc::clone(&old.network)).unwrap_or_default(),
            // Nothing of theirs uses it.
            FunctionKind::Builtin { .. }
            | FunctionKind::Webhook(_)
            | FunctionKind::Aws(_)
            | FunctionKind::Lambda(_) => Arc::default(),
        };
        let function = Function {
            name: written,
            kind,
            network,
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
    // A component stays on disk while this lives; from here on the catalog names it.
    drop(code);
    wasm::sweep(app);
    let written = answer.lock().ok().and_then(|mut slot| slot.take());
    written.ok_or_else(|| ApiError::internal("the catalog did not ask for the change"))
}

/// What a function will run, ready for the catalog.
enum Code {
    Builtin { transform: String, payload: Value },
    Wasm(wasm::Ready),
    Elsewhere(FunctionKind),
}

impl Code {
    fn kind(&self, old: Option<&Function>) -> Result<FunctionKind, ApiError> {
        match self {
            Self::Builtin { transform, payload } => {
                Ok(FunctionKind::Builtin { transform: transform.clone(), payload: payload.clone() })
            }
            Self::Wasm(ready) => ready.kind(old),
            Self::Elsewhere(kind) => Ok(kind.clone()),
        }
    }
}

async fn code(
    app: &Arc<App>,
    principal: &Principal,
    name: &str,
    spec: &mut FunctionSpec,
    payload: Value,
) -> Result<Code, ApiError> {
    let refused = |why: &'static str| ApiError::invalid_request(why);
    match spec.kind {
        Kind::Builtin => {
            if spec.component.is_some()
                || spec.memory_mb.or(spec.timeout_seconds).or(spec.concurrency).is_some()
            {
                return Err(refused(
                    "component, memory_mb, timeout_seconds and concurrency are for kind wasm",
                ));
            }
            let transform =
                spec.transform.take().ok_or_else(|| refused("transform is required for kind builtin"))?;
            Prepared::builtin(&transform, payload.clone())?;
            Ok(Code::Builtin { transform, payload })
        }
        Kind::Lambda => {
            Err(refused("Code is registered through the Lambda API: `aws lambda create-function`"))
        }
        Kind::Webhook => {
            if spec.transform.is_some() || spec.component.is_some() {
                return Err(refused("transform and component are for other kinds than webhook"));
            }
            let webhook =
                spec.webhook.take().ok_or_else(|| refused("webhook is required for kind webhook"))?;
            webhook::record(app, name, webhook).map(Code::Elsewhere)
        }
        Kind::Aws => {
            if spec.transform.is_some() || spec.component.is_some() {
                return Err(refused("transform and component are for other kinds than aws"));
            }
            let aws = spec.aws.take().ok_or_else(|| refused("aws is required for kind aws"))?;
            aws::record(app, name, aws).map(Code::Elsewhere)
        }
        Kind::Wasm => {
            if spec.transform.is_some() {
                return Err(refused("transform is for kind builtin"));
            }
            let asked = Asked {
                component: spec.component.take(),
                memory_mb: spec.memory_mb,
                timeout_seconds: spec.timeout_seconds,
                concurrency: spec.concurrency,
                payload,
            };
            Ok(Code::Wasm(asked.ready(app, principal).await?))
        }
    }
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
        Some(
            FunctionKind::Builtin { .. }
            | FunctionKind::Wasm(_)
            | FunctionKind::Webhook(_)
            | FunctionKind::Aws(_),
        ) => Ok(vec![Change::DeleteFunction(name)]),
        Some(FunctionKind::Lambda(_)) => Err(runs_code(&name)),
        None => Err(no_such_function(&name)),
    };
    app.catalog.update(Box::new(decide)).await.or_problem(&id)?;
    wasm::sweep(&app);
    Ok(StatusCode::NO_CONTENT)
}

fn runs_code(name: &str) -> ApiError {
    let why = format!("The function {name} runs code: change and delete it through the Lambda API");
    ApiError::new(StatusCode::CONFLICT, "ResourceConflict", why)
}

pub(super) fn no_such_function(name: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "NoSuchFunction", format!("There is no function {name:?}"))
}
