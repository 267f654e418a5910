//! Why a request is allowed or denied: each gate that it would pass, with the statement that decides there.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::door::admin::RequestId;
use crate::policy::report::GateReport;

use super::AppState;
use super::error::{OrProblem, Problem};
use super::extract::JsonBody;
use super::inquiry::Inquiry;

/// What to explain.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainSpec {
    /// Who: the ARN of a root, user, role or session, an access key id, or `anonymous`.
    #[schema(example = "arn:aws:iam::000000000000:user/analyst")]
    pub principal: String,
    /// Action.
    #[schema(example = "s3:GetObject")]
    pub action: String,
    /// ARN of the resource: a bucket or object, an access point or Object Lambda access point with or without
    /// `/object/KEY`, or anything else that only identity policies speak of.
    #[schema(example = "arn:aws:s3:::demo/people.csv")]
    pub resource: String,
    /// Condition keys that the request would have: a value, or an array of values.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Object>)]
    pub context: BTreeMap<String, Value>,
    /// Policies to take instead of those that are stored.
    #[serde(default)]
    pub simulate: Option<SimulateSpec>,
}

/// Policies that need not be stored. What is absent is taken as it is stored.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulateSpec {
    /// Identity policies; with these the principal need not exist.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    pub identity: Option<Vec<Value>>,
    /// Permissions boundary.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub boundary: Option<Value>,
    /// Session policies.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    pub session: Option<Vec<Value>>,
    /// Policy of the resource that is asked about.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub resource: Option<Value>,
}

/// What it comes to.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainDocument {
    /// Whether the request is allowed.
    pub allowed: bool,
    /// What decided, in words.
    pub reason: String,
    /// The gates that the request passes, in order, up to the one that stops it.
    pub gates: Vec<GateDocument>,
}

/// One gate.
#[derive(Debug, Serialize, ToSchema)]
pub struct GateDocument {
    /// Action that is asked for there.
    pub action: String,
    /// ARN of the resource.
    pub resource: String,
    /// Whether it lets the request pass.
    pub allowed: bool,
    /// Which statement decided, in words.
    pub reason: String,
    /// Every statement that was looked at.
    pub statements: Vec<StatementDocument>,
}

/// One statement.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatementDocument {
    /// The policy that it stands in.
    pub policy: String,
    /// Whether it applies.
    pub applies: bool,
    /// Why, in words.
    pub words: String,
}

impl From<GateReport> for GateDocument {
    fn from(gate: GateReport) -> Self {
        let statements = gate.statements.into_iter().map(|statement| StatementDocument {
            policy: statement.policy,
            applies: statement.applies,
            words: statement.words,
        });
        Self {
            action: gate.action,
            resource: gate.resource,
            allowed: gate.allowed,
            reason: gate.reason,
            statements: statements.collect(),
        }
    }
}

/// Explains who may do what, and why.
#[utoipa::path(post, path = "/_refract/v1/policy/explain", tag = "policy", request_body = ExplainSpec,
    responses((status = 200, body = ExplainDocument), (status = 400, body = super::error::ErrorDocument),
        (status = 404, body = super::error::ErrorDocument)))]
pub(super) async fn explain(
    State(app): AppState,
    id: Extension<RequestId>,
    JsonBody(spec): JsonBody<ExplainSpec>,
) -> Result<Json<ExplainDocument>, Problem> {
    let inquiry = Inquiry::new(&app, spec).or_problem(&id)?;
    let (gates, outcome) = inquiry.run(&app).await;
    let reason = match &outcome {
        Ok(()) => gates.last().map(|gate| gate.reason.clone()).unwrap_or_default(),
        Err(error) => error.internal.clone().unwrap_or_else(|| error.message.to_string()),
    };
    let gates = gates.into_iter().map(GateDocument::from).collect();
    Ok(Json(ExplainDocument { allowed: outcome.is_ok(), reason, gates }))
}
