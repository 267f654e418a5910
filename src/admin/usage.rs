//! What functions used: the table of [`metering`](crate::function::metering), filtered and summed up.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::door::admin::RequestId;
use crate::error::ApiError;
use crate::function::metering::{RowKey, Usage};

use super::AppState;
use super::error::{OrProblem, Problem};

/// What rows may be summed up by.
const GROUPS: [&str; 5] = ["day", "executor", "function", "version", "object_lambda"];

/// Which usage, and how it is summed up.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageQuery {
    /// Of this function.
    pub function: Option<String>,
    /// Through this OLAP.
    pub object_lambda: Option<String>,
    /// From this day on, UTC: `2026-11-01`.
    pub from: Option<String>,
    /// Until this day, which counts.
    pub to: Option<String>,
    /// Some of `day`, `executor`, `function`, `version`, `object_lambda`, with commas.
    pub group_by: Option<String>,
}

/// What was used.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageDocument {
    /// Day, UTC; empty for what is older than 92 days, which is kept as a sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// What ran it: `builtin`, `wasm`, `process`, `webhook`, `aws`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executor: Option<String>,
    /// The function's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Its version; empty where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The Object Lambda access point through which it was asked; empty where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_lambda: Option<String>,
    /// How often it was asked for: invocations, throttles and failures.
    pub requests: u64,
    /// How often it ran.
    pub invocations: u64,
    /// Invocations that failed.
    pub errors: u64,
    /// Invocations whose caller went away before the end.
    pub abandoned: u64,
    /// Requests that were refused, for too many ran at a time.
    pub throttles: u64,
    /// Requests for which the server could not run it.
    pub failures: u64,
    /// Invocations that waited for the start of a worker.
    pub cold_starts: u64,
    /// Invocations by a provisioned worker.
    pub provisioned_invocations: u64,
    /// Billed duration in milliseconds.
    pub billed_ms: u64,
    /// Billed duration × memory, in megabyte-milliseconds.
    pub memory_mb_ms: u64,
    /// The same in gigabyte-seconds.
    pub gb_seconds: f64,
    /// Time that the starts of workers took, in milliseconds.
    pub init_ms: f64,
    /// Processor time in milliseconds, where it is known.
    pub cpu_ms: f64,
    /// Bytes that it was given: events, and the objects that it read.
    pub received_bytes: u64,
    /// Bytes that it answered.
    pub sent_bytes: u64,
}

/// Usage of functions.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageList {
    /// In the order of what it is summed up by.
    pub usage: Vec<UsageDocument>,
}

fn thousandth(micros: u64) -> f64 {
    std::time::Duration::from_micros(micros).as_secs_f64() * 1e3
}

fn shown(key: RowKey, usage: &Usage, groups: &[&str]) -> UsageDocument {
    let field = |name: &str, value: String| groups.contains(&name).then_some(value);
    let gigabyte_seconds = std::time::Duration::from_millis(usage.memory_mb_ms).as_secs_f64() / 1024.0;
    UsageDocument {
        day: field("day", key.day),
        executor: field("executor", key.executor),
        function: field("function", key.function),
        version: field("version", key.version),
        object_lambda: field("object_lambda", key.object_lambda),
        requests: usage.requests,
        invocations: usage.invocations,
        errors: usage.errors,
        abandoned: usage.abandoned,
        throttles: usage.throttles,
        failures: usage.failures,
        cold_starts: usage.cold_starts,
        provisioned_invocations: usage.provisioned,
        billed_ms: usage.billed_ms,
        memory_mb_ms: usage.memory_mb_ms,
        gb_seconds: gigabyte_seconds,
        init_ms: thousandth(usage.init_us),
        cpu_ms: thousandth(usage.cpu_us),
        received_bytes: usage.received_bytes,
        sent_bytes: usage.sent_bytes,
    }
}

fn check_day(name: &str, day: Option<&String>) -> Result<(), ApiError> {
    match day.map(|day| day.parse::<jiff::civil::Date>()) {
        None | Some(Ok(_)) => Ok(()),
        Some(Err(_)) => Err(ApiError::invalid_argument(format!("{name}: must be a day as 2026-11-25"))),
    }
}

fn sum(rows: Vec<(RowKey, Usage)>, query: &UsageQuery) -> Result<UsageList, ApiError> {
    check_day("from", query.from.as_ref())?;
    check_day("to", query.to.as_ref())?;
    let asked = query.group_by.as_deref().unwrap_or("function,version,object_lambda");
    let groups: Vec<&str> = asked.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if let Some(unknown) = groups.iter().find(|name| !GROUPS.contains(name)) {
        let all = GROUPS.join(", ");
        return Err(ApiError::invalid_argument(format!("group_by: {unknown:?} is none of {all}")));
    }
    let meant = |key: &RowKey| {
        query.function.as_ref().is_none_or(|name| key.function == *name)
            && query.object_lambda.as_ref().is_none_or(|name| key.object_lambda == *name)
            && query.from.as_ref().is_none_or(|day| key.day >= *day)
            && query.to.as_ref().is_none_or(|day| key.day <= *day)
    };
    let mut sums: BTreeMap<RowKey, Usage> = BTreeMap::new();
    for (key, usage) in rows.into_iter().filter(|(key, _)| meant(key)) {
        let field = |name: &str, value: String| if groups.contains(&name) { value } else { String::new() };
        let key = RowKey {
            day: field("day", key.day),
            executor: field("executor", key.executor),
            function: field("function", key.function),
            version: field("version", key.version),
            object_lambda: field("object_lambda", key.object_lambda),
        };
        sums.entry(key).or_default().add(&usage);
    }
    let usage = sums.into_iter().map(|(key, usage)| shown(key, &usage, &groups));
    Ok(UsageList { usage: usage.collect() })
}

/// Shows what functions used. A crash of the server loses the last two seconds of it at most.
#[utoipa::path(get, path = "/_refract/v1/usage/functions", tag = "functions",
    params(("function" = Option<String>, Query, description = "Of this function"),
        ("object_lambda" = Option<String>, Query, description = "Through this Object Lambda access point"),
        ("from" = Option<String>, Query, description = "First day, UTC, as 2026-11-01"),
        ("to" = Option<String>, Query, description = "Last day, UTC"),
        ("group_by" = Option<String>, Query, description = "Some of day, executor, function, version, object_lambda, \
            with commas; function,version,object_lambda unless given")),
    responses((status = 200, body = UsageList), (status = 400, body = super::error::ErrorDocument)))]
pub(super) async fn functions(
    State(app): AppState,
    id: Extension<RequestId>,
    Query(query): Query<UsageQuery>,
) -> Result<Json<UsageList>, Problem> {
    sum(app.lambda.platform.meter().table(), &query).map(Json).or_problem(&id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(day: &str, function: &str, version: &str, billed_ms: u64) -> (RowKey, Usage) {
        let key = RowKey {
            day: day.into(),
            executor: "process".into(),
            function: function.into(),
            version: version.into(),
            object_lambda: String::new(),
        };
        (key, Usage { requests: 1, billed_ms, memory_mb_ms: billed_ms * 2048, ..Usage::default() })
    }

    #[test]
    fn rows_are_filtered_and_summed_up() {
        let rows = || {
            vec![
                row("", "f", "1", 1),
                row("2026-11-01", "f", "1", 500),
                row("2026-11-02", "f", "1", 500),
                row("2026-11-02", "g", "2", 7),
            ]
        };
        let by = |group_by: &str, from: Option<&str>| {
            let query = UsageQuery {
                from: from.map(str::to_owned),
                group_by: Some(group_by.to_owned()),
                ..UsageQuery::default()
            };
            sum(rows(), &query).map(|list| list.usage)
        };
        let found = by("function", Some("2026-11-01")).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].function.as_deref(), found[0].billed_ms), (Some("f"), 1000));
        assert!((found[0].gb_seconds - 2.0).abs() < 1e-9 && found[0].day.is_none());
        assert_eq!(by("", None).unwrap()[0].requests, 4);
        assert_eq!(by("day", None).unwrap().len(), 3);
        assert!(by("colour", None).is_err() && by("", Some("yesterday")).is_err());
    }
}
