//! Object Lambda access points.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::access_point::registrar::FEATURES;
use crate::access_point::{FunctionArn, NewObjectLambda, PointArn};
use crate::catalog::{ObjectLambda, ObjectLambdaConfiguration, Transformation};
use crate::context::App;
use crate::door::admin::RequestId;
use crate::error::ApiError;
use crate::function::{PrepareError, builtin};

use super::AppState;
use super::error::{OrProblem, Problem};
use super::extract::JsonBody;

/// An Object Lambda access point to create or change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectLambdaSpec {
    /// Name or ARN of the access point that it reads through.
    #[schema(example = "photos-ap")]
    pub access_point: String,
    /// Name or ARN of the function: a registered one, or a reserved one such as `builtin-resize`.
    #[schema(example = "builtin-resize")]
    pub function: String,
    /// The function's payload: a JSON object. Its fields win over those that the function was registered with.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub payload: Option<Value>,
    /// What goes through the function; GetObject and HeadObject unless given.
    pub actions: Option<Vec<String>>,
    /// What may be asked of it besides whole objects; all four unless given.
    pub allowed_features: Option<Vec<String>>,
}

/// An Object Lambda access point.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectLambdaDocument {
    /// Name.
    pub name: String,
    /// ARN.
    pub arn: String,
    /// The name that works wherever a bucket's does.
    pub alias: String,
    /// Name of the access point that it reads through; the ARN of one of another account.
    pub access_point: String,
    /// The bucket behind that; absent when the access point is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// What goes through which function.
    pub transformations: Vec<TransformationDocument>,
    /// What may be asked of it besides whole objects.
    pub allowed_features: Vec<String>,
    /// Grows with each change of the configuration.
    pub revision: u64,
    /// When it was created (RFC 3339).
    pub created: String,
}

/// What goes through which function.
#[derive(Debug, Serialize, ToSchema)]
pub struct TransformationDocument {
    /// Actions.
    pub actions: Vec<String>,
    /// Name of the function.
    pub function: String,
    /// Its payload: JSON where it is, else text.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
}

/// All Object Lambda access points.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectLambdaList {
    /// By name.
    pub object_lambdas: Vec<ObjectLambdaDocument>,
}

fn shown(app: &App, lens: &ObjectLambda) -> ObjectLambdaDocument {
    let supporting = &lens.configuration.supporting_access_point;
    let view = app.catalog.snapshot();
    let parsed = PointArn::parse(supporting);
    let point = parsed.as_ref().and_then(|arn| view.access_point(&arn.account_id, &arn.name));
    let bucket = point.map(|point| point.bucket.clone());
    let access_point = match parsed {
        Some(arn) if arn.account_id == app.registrar.account_id => arn.name,
        _ => supporting.clone(),
    };
    let transformations = lens.configuration.transformations.iter().map(|one| TransformationDocument {
        actions: one.actions.clone(),
        function: FunctionArn::parse(&one.function_arn)
            .map_or_else(|| one.function_arn.clone(), |arn| arn.name),
        payload: one
            .payload
            .as_ref()
            .map(|text| serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))),
    });
    ObjectLambdaDocument {
        name: lens.name.clone(),
        arn: app.registrar.object_lambda_arn(&lens.name),
        alias: lens.alias.clone(),
        bucket,
        access_point,
        transformations: transformations.collect(),
        allowed_features: lens.configuration.allowed_features.clone(),
        revision: lens.revision,
        created: lens.created.to_string(),
    }
}

fn configuration(app: &App, spec: ObjectLambdaSpec) -> Result<ObjectLambdaConfiguration, ApiError> {
    let named = PointArn::parse(&spec.access_point).map(|_| spec.access_point.clone());
    let supporting_access_point = named.unwrap_or_else(|| app.registrar.access_point_arn(&spec.access_point));
    let name = FunctionArn::parse(&spec.function).map_or_else(|| spec.function.clone(), |arn| arn.name);
    let payload = match spec.payload {
        None | Some(Value::Null) => None,
        Some(payload @ Value::Object(_)) => Some(payload.to_string()),
        Some(other) => {
            return Err(ApiError::invalid_request(format!("payload must be a JSON object; it is {other}")));
        }
    };
    // AWS lets a function come later; here whoever names one that is not there has mistyped it.
    match builtin::check(&app.catalog.snapshot(), &name, payload.as_deref()) {
        // What reads its payload itself is not asked about it.
        Ok(()) | Err(PrepareError::RunsCode(_)) => {}
        Err(why) => return Err(why.into()),
    }
    let default_actions = || vec!["GetObject".to_owned(), "HeadObject".to_owned()];
    Ok(ObjectLambdaConfiguration {
        supporting_access_point,
        cloud_watch_metrics: false,
        allowed_features: spec
            .allowed_features
            .unwrap_or_else(|| FEATURES.iter().map(|feature| (*feature).to_owned()).collect()),
        transformations: vec![Transformation {
            actions: spec.actions.unwrap_or_else(default_actions),
            function_arn: app.registrar.function_arn(&name),
            payload,
        }],
    })
}

/// Lists the Object Lambda access points of the server's own account.
#[utoipa::path(get, path = "/_refract/v1/object-lambdas", tag = "object lambdas",
    responses((status = 200, body = ObjectLambdaList)))]
pub(super) async fn list(State(app): AppState) -> Json<ObjectLambdaList> {
    let view = app.catalog.snapshot();
    Json(ObjectLambdaList {
        object_lambdas: view
            .object_lambdas_of(&app.registrar.account_id)
            .map(|lens| shown(&app, lens))
            .collect(),
    })
}

/// Shows an Object Lambda access point.
#[utoipa::path(get, path = "/_refract/v1/object-lambdas/{name}", tag = "object lambdas",
    params(("name" = String, Path, description = "Name of the Object Lambda access point")),
    responses((status = 200, body = ObjectLambdaDocument), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn get(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(name): Path<String>,
) -> Result<Json<ObjectLambdaDocument>, Problem> {
    let lens = app.registrar.find_object_lambda(&app.catalog.snapshot(), &name).or_problem(&id)?;
    Ok(Json(shown(&app, &lens)))
}

/// Creates an Object Lambda access point, or changes its configuration.
#[utoipa::path(put, path = "/_refract/v1/object-lambdas/{name}", tag = "object lambdas",
    request_body = ObjectLambdaSpec,
    params(("name" = String, Path, description = "3 to 45 lower-case letters, digits and hyphens")),
    responses((status = 200, body = ObjectLambdaDocument, description = "Changed"),
        (status = 201, body = ObjectLambdaDocument, description = "Created"),
        (status = 400, body = super::error::ErrorDocument), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn put(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(name): Path<String>,
    JsonBody(spec): JsonBody<ObjectLambdaSpec>,
) -> Result<(StatusCode, Json<ObjectLambdaDocument>), Problem> {
    let (status, lens) = write(&app, name, spec).await.or_problem(&id)?;
    Ok((status, Json(shown(&app, &lens))))
}

/// Creates a lens, or changes its configuration; answers 201 or 200.
pub(crate) async fn write(
    app: &App,
    name: String,
    spec: ObjectLambdaSpec,
) -> Result<(StatusCode, Arc<ObjectLambda>), ApiError> {
    let configuration = configuration(app, spec)?;
    if app.registrar.find_object_lambda(&app.catalog.snapshot(), &name).is_err() {
        let lens = app.registrar.create_object_lambda(NewObjectLambda { name, configuration }).await?;
        return Ok((StatusCode::CREATED, lens));
    }
    let change = move |lens: &mut ObjectLambda| {
        lens.configuration = configuration;
        Ok(())
    };
    app.registrar.edit_object_lambda(&name, change).await?;
    Ok((StatusCode::OK, app.registrar.find_object_lambda(&app.catalog.snapshot(), &name)?))
}

/// Deletes an Object Lambda access point.
#[utoipa::path(delete, path = "/_refract/v1/object-lambdas/{name}", tag = "object lambdas",
    params(("name" = String, Path, description = "Name of the Object Lambda access point")),
    responses((status = 204), (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn delete(
    State(app): AppState,
    id: Extension<RequestId>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    app.registrar.delete_object_lambda(&name).await.or_problem(&id)?;
    Ok(StatusCode::NO_CONTENT)
}
