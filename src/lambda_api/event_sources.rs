//! CreateEventSourceMapping, GetEventSourceMapping, ListEventSourceMappings, UpdateEventSourceMapping,
//! DeleteEventSourceMapping: functions that consume queues.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::catalog::lambda::EventSource;
use crate::error::ApiError;
use crate::function::polling;
use crate::function::polling::filter::{self, Filter};

use super::error::{conflict, constraint, invalid, not_found};
use super::name::FunctionName;
use super::wire::DestinationDocument;
use super::{Answer, Call, LambdaPlane, json, page, revision};

/// BatchSize where none is given.
const BATCH: u32 = 10;
/// The largest one without a window (Lambda API reference, "CreateEventSourceMapping").
const BATCH_AT_ONCE: u32 = 10;
/// Mappings of one function.
const MOST: usize = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct MappingDocument {
    event_source_arn: Option<String>,
    function_name: Option<String>,
    enabled: Option<bool>,
    batch_size: Option<i64>,
    maximum_batching_window_in_seconds: Option<i64>,
    maximum_retry_attempts: Option<i64>,
    function_response_types: Option<Vec<String>>,
    destination_config: Option<DestinationDocument>,
    filter_criteria: Option<FilterCriteria>,
    bisect_batch_on_function_error: Option<bool>,
    maximum_record_age_in_seconds: Option<i64>,
    scaling_config: Option<ScalingConfig>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct FilterCriteria {
    filters: Option<Vec<Pattern>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Pattern {
    pattern: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ScalingConfig {
    maximum_concurrency: Option<i64>,
}

fn number(field: &str, value: i64, least: u32, most: u32) -> Result<u32, ApiError> {
    match u32::try_from(value) {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(constraint(field, &value.to_string(), &format!("be from {least} to {most}"))),
    }
}

/// The patterns of filters; none takes those away that were there.
fn patterns(criteria: FilterCriteria) -> Result<Vec<String>, ApiError> {
    let filters = criteria.filters.unwrap_or_default();
    if filters.len() > filter::MOST {
        return Err(invalid(format!(
            "FilterCriteria.Filters has {} filters; a mapping may have {}",
            filters.len(),
            filter::MOST
        )));
    }
    let patterns = filters.into_iter().map(|filter| {
        let pattern = filter.pattern.unwrap_or_default();
        Filter::parse(&pattern)
            .map_err(|why| invalid(format!("Invalid filter pattern definition: {why}")))?;
        Ok(pattern)
    });
    patterns.collect()
}

/// Puts what a document says into a mapping, and checks the whole.
fn apply(document: MappingDocument, source: &mut EventSource) -> Result<(), ApiError> {
    if let Some(criteria) = document.filter_criteria {
        source.filters = patterns(criteria)?;
    }
    if let Some(scaling) = document.scaling_config {
        let most = scaling.maximum_concurrency;
        source.maximum_concurrency =
            most.map(|most| number("scalingConfig.maximumConcurrency", most, 2, 1_000)).transpose()?;
    }
    if document.bisect_batch_on_function_error == Some(true) {
        return Err(invalid("BisectBatchOnFunctionError is for streams; use ReportBatchItemFailures"));
    }
    if document.maximum_record_age_in_seconds.is_some_and(|age| age != -1) {
        return Err(invalid("MaximumRecordAgeInSeconds is not implemented"));
    }
    if let Some(enabled) = document.enabled {
        source.enabled = enabled;
    }
    if let Some(size) = document.batch_size {
        source.batch_size = number("batchSize", size, 1, 10_000)?;
    }
    if let Some(window) = document.maximum_batching_window_in_seconds {
        source.window_seconds = number("maximumBatchingWindowInSeconds", window, 0, 300)?;
    }
    match document.maximum_retry_attempts {
        None => {}
        Some(-1) => source.retries = None,
        Some(retries) => source.retries = Some(number("maximumRetryAttempts", retries, 0, 10_000)?),
    }
    if let Some(types) = document.function_response_types {
        if let Some(unknown) = types.iter().find(|kind| *kind != "ReportBatchItemFailures") {
            return Err(constraint("functionResponseTypes", unknown, "be one of ReportBatchItemFailures"));
        }
        source.reports_failures = !types.is_empty();
    }
    if let Some(destinations) = document.destination_config {
        let target = destinations.on_failure.and_then(|target| target.destination);
        source.on_failure = target.filter(|arn| !arn.is_empty());
    }
    if source.batch_size > BATCH_AT_ONCE && source.window_seconds == 0 {
        return Err(invalid(format!(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than \
             {BATCH_AT_ONCE}"
        )));
    }
    Ok(())
}

fn check_destination(plane: &LambdaPlane, source: &EventSource) -> Result<(), ApiError> {
    let Some(arn) = source.on_failure.as_deref() else { return Ok(()) };
    let known = arn.starts_with("arn:aws:s3:::")
        || arn.starts_with("arn:aws:lambda:")
        || plane.events.destinations().notifier.knows(arn);
    if !known {
        return Err(invalid(format!(
            "The provided destination config is invalid: {arn} is no bucket, function or destination of \
             notifications of this server"
        )));
    }
    if arn == source.source_arn {
        return Err(invalid(
            "The provided destination config is invalid: the queue cannot be its own destination",
        ));
    }
    Ok(())
}

fn shown(plane: &LambdaPlane, function: &str, uuid: &str, source: &EventSource) -> Value {
    let destination = source.on_failure.as_ref().map_or(json!({}), |arn| json!({ "Destination": arn }));
    let types: &[&str] = if source.reports_failures { &["ReportBatchItemFailures"] } else { &[] };
    let state = if source.enabled { "Enabled" } else { "Disabled" };
    let mut document = json!({
        "UUID": uuid,
        "BatchSize": source.batch_size,
        "MaximumBatchingWindowInSeconds": source.window_seconds,
        "EventSourceArn": source.source_arn,
        "FunctionArn": plane.arn(function, source.qualifier.as_deref()),
        "EventSourceMappingArn": mapping_arn(plane, uuid),
        // Timestamps of this document are seconds.
        "LastModified": source.modified.as_second(),
        "LastProcessingResult": plane.polling.result(uuid),
        "State": state,
        "StateTransitionReason": "USER_INITIATED",
        "MaximumRetryAttempts": source.retries.map_or(-1, i64::from),
        "DestinationConfig": { "OnFailure": destination },
        "FunctionResponseTypes": types,
    });
    if let Value::Object(fields) = &mut document {
        if !source.filters.is_empty() {
            let filters: Vec<Value> =
                source.filters.iter().map(|pattern| json!({ "Pattern": pattern })).collect();
            fields.insert("FilterCriteria".to_owned(), json!({ "Filters": filters }));
        }
        if let Some(most) = source.maximum_concurrency {
            fields.insert("ScalingConfig".to_owned(), json!({ "MaximumConcurrency": most }));
        }
    }
    document
}

/// The ARN of a mapping.
pub(super) fn mapping_arn(plane: &LambdaPlane, uuid: &str) -> String {
    let region = plane.platform.region();
    format!("arn:aws:lambda:{region}:{}:event-source-mapping:{uuid}", plane.account_id)
}

fn missing() -> ApiError {
    not_found("The resource you requested does not exist.")
}

/// The function of the mapping that the path names.
fn owner(plane: &LambdaPlane, uuid: &str) -> Result<String, ApiError> {
    let view = plane.catalog.snapshot();
    polling::find(&view, uuid).map(|(function, _)| function.to_owned()).ok_or_else(missing)
}

/// The function that a document names, with the qualifier that it may have.
fn function(plane: &LambdaPlane, document: &MappingDocument) -> Result<FunctionName, ApiError> {
    let text = document.function_name.as_deref().unwrap_or_default();
    let named = FunctionName::parse(text, None, &plane.account_id)?;
    let qualifier = named.qualifier.as_deref();
    let found = plane.platform.resolve(&named.name, qualifier);
    found.map_err(|why| plane.unresolved(&named.name, qualifier, why))?;
    Ok(named)
}

pub(super) async fn create(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let document: MappingDocument = call.document()?;
    let named = function(plane, &document)?;
    let source_arn = document.event_source_arn.clone().unwrap_or_default();
    if !plane.polling.knows(&source_arn) {
        return Err(invalid(format!(
            "Unrecognized event source: {source_arn:?} is no queue file among this server's notification targets"
        )));
    }
    let mut source = EventSource {
        source_arn,
        qualifier: named.qualifier.clone(),
        enabled: true,
        batch_size: BATCH,
        window_seconds: 0,
        retries: None,
        reports_failures: false,
        on_failure: None,
        filters: Vec::new(),
        maximum_concurrency: None,
        modified: plane.clock.now(),
    };
    apply(document, &mut source)?;
    check_destination(plane, &source)?;
    let uuid = revision()?;
    let (id, arn) = (uuid.clone(), plane.arn(&named.name, named.qualifier.as_deref()));
    let made = plane.edit(&named.name, move |_, lambda| {
        let same = |other: &EventSource| {
            other.source_arn == source.source_arn && other.qualifier == source.qualifier
        };
        if let Some((other, _)) = lambda.event_sources.iter().find(|(_, other)| same(other)) {
            return Err(conflict(format!(
                "An event source mapping with SQS arn (\" {} \") and function (\" {arn} \") already exists. Please \
                 update or delete the existing mapping with UUID {other}",
                source.source_arn
            )));
        }
        if lambda.event_sources.len() >= MOST {
            return Err(invalid(format!("A function may have {MOST} event source mappings")));
        }
        lambda.event_sources.insert(id, source.clone());
        Ok(source)
    });
    let source = made.await?;
    plane.polling.changed();
    Ok(json(StatusCode::ACCEPTED, &shown(plane, &named.name, &uuid, &source)))
}

pub(super) fn get(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let view = plane.catalog.snapshot();
    let (function, source) = polling::find(&view, &call.route.function).ok_or_else(missing)?;
    Ok(json(StatusCode::OK, &shown(plane, function, &call.route.function, source)))
}

pub(super) fn list(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = call.query("FunctionName");
    let named = named.map(|text| FunctionName::parse(&text, None, &plane.account_id)).transpose()?;
    let of_source = call.query("EventSourceArn");
    let view = plane.catalog.snapshot();
    let (size, marker) = call.page(100);
    let mut rows: Vec<(String, Value)> = polling::all(&view)
        .filter(|(function, _, source)| {
            named.as_ref().is_none_or(|named| {
                named.name == *function && (named.qualifier.is_none() || named.qualifier == source.qualifier)
            }) && of_source.as_ref().is_none_or(|arn| source.source_arn == *arn)
        })
        .map(|(function, uuid, source)| (uuid.to_owned(), shown(plane, function, uuid, source)))
        .collect();
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    let (mappings, next) = page(rows.into_iter(), size, marker.as_deref());
    Ok(json(StatusCode::OK, &json!({ "EventSourceMappings": mappings, "NextMarker": next })))
}

pub(super) async fn update(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let uuid = call.route.function.clone();
    let name = owner(plane, &uuid)?;
    let document: MappingDocument = call.document()?;
    let qualifier = match &document.function_name {
        None => None,
        Some(_) => {
            let named = function(plane, &document)?;
            if named.name != name {
                return Err(invalid("A mapping stays with its function: delete it, and create another one"));
            }
            Some(named.qualifier)
        }
    };
    let (id, now, owner) = (uuid.clone(), plane.clock.now(), plane.clone());
    let changed = plane.edit(&name, move |_, lambda| {
        let source = lambda.event_sources.get_mut(&id).ok_or_else(missing)?;
        apply(document, source)?;
        check_destination(&owner, source)?;
        if let Some(qualifier) = qualifier {
            source.qualifier = qualifier;
        }
        source.modified = now;
        Ok(source.clone())
    });
    let source = changed.await?;
    plane.polling.changed();
    Ok(json(StatusCode::ACCEPTED, &shown(plane, &name, &uuid, &source)))
}

pub(super) async fn delete(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let uuid = call.route.function.clone();
    let name = owner(plane, &uuid)?;
    let id = uuid.clone();
    let removed = plane.edit(&name, move |_, lambda| lambda.event_sources.remove(&id).ok_or_else(missing));
    let source = removed.await?;
    plane.polling.changed();
    let mut document = shown(plane, &name, &uuid, &source);
    if let Value::Object(fields) = &mut document {
        fields.insert("State".to_owned(), json!("Deleting"));
    }
    Ok(json(StatusCode::ACCEPTED, &document))
}
