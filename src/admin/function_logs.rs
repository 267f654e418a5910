//! Logs of functions that run code, and what they run on.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AppState;

/// Logs in one answer.
const MOST: usize = 100;

/// Which logs.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    /// Id of an invocation, or of the S3 request that it served.
    pub request_id: Option<String>,
}

/// One invocation.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvocationDocument {
    /// Its id.
    pub request_id: String,
    /// Id of the S3 request that it served; absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_request_id: Option<String>,
    /// The version that ran.
    pub version: String,
    /// When it ended (RFC 3339).
    pub ended: String,
    /// Whether the function failed.
    pub failed: bool,
    /// What it wrote, between START and REPORT.
    pub log: String,
}

/// The last invocations of a function.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvocationList {
    /// The oldest first.
    pub invocations: Vec<InvocationDocument>,
}

/// Shows what the last invocations of a function wrote. Logs are kept in memory, 10,000 of them and 32 MiB at most.
#[utoipa::path(get, path = "/_refract/v1/functions/{name}/logs", tag = "functions",
    params(("name" = String, Path, description = "Name of the function"),
        ("request_id" = Option<String>, Query, description = "Id of an invocation, or of the S3 request that it served")),
    responses((status = 200, body = InvocationList)))]
pub(super) async fn logs(
    State(app): AppState,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Json<InvocationList> {
    let found = app.lambda.platform.logs().find(&name, wanted.request_id.as_deref(), MOST);
    let invocations = found.into_iter().map(|entry| InvocationDocument {
        request_id: entry.request_id,
        s3_request_id: entry.caller_id,
        version: entry.version,
        ended: entry.ended.to_string(),
        failed: entry.failed,
        log: entry.text,
    });
    Json(InvocationList { invocations: invocations.collect() })
}

/// What functions that run code run on.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlatformDocument {
    /// `full`, `weak`, or `unknown` until it was found out.
    pub isolation: String,
    /// What this host cannot enforce; empty where that is nothing.
    pub missing: String,
    /// The version of Landlock that restricts files beside the namespaces; 0 where the kernel has none.
    pub landlock: u8,
    /// Workers that wait for an invocation.
    pub idle: usize,
    /// Workers that run or are being started.
    pub busy: u32,
    /// Memory of both, in MB.
    pub memory_mb: u64,
}

/// Shows what functions that run code run on.
#[utoipa::path(get, path = "/_refract/v1/function-platform", tag = "functions",
    responses((status = 200, body = PlatformDocument)))]
pub(super) async fn platform(State(app): AppState) -> Json<PlatformDocument> {
    let platform = &app.lambda.platform;
    let isolation = platform.isolation();
    let (idle, busy, memory_mb) = platform.manager().usage();
    let grade = match &isolation {
        None => "unknown",
        Some(isolation) if isolation.is_full() => "full",
        Some(_) => "weak",
    };
    let landlock = isolation.as_ref().map_or(0, |isolation| isolation.landlock);
    let missing = isolation.map(|isolation| isolation.missing()).unwrap_or_default();
    Json(PlatformDocument { isolation: grade.to_owned(), missing, landlock, idle, busy, memory_mb })
}
