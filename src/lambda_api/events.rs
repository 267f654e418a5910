//! PutFunctionEventInvokeConfig and its like: how events are delivered.

use http::StatusCode;
use serde_json::json;

use crate::catalog::LambdaFunction;
use crate::catalog::lambda::EventInvoke;
use crate::error::ApiError;

use super::error::{constraint, not_found};
use super::wire::{self, EventInvokeDocument, TargetDocument};
use super::{Answer, Call, LambdaPlane, json, no_content, page};

fn number(field: &str, value: Option<i64>, least: u32, most: u32) -> Result<Option<u32>, ApiError> {
    let Some(value) = value else { return Ok(None) };
    match u32::try_from(value) {
        Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
        _ => Err(constraint(field, &value.to_string(), &format!("be from {least} to {most}"))),
    }
}

fn target(document: Option<TargetDocument>) -> Option<String> {
    document.and_then(|target| target.destination).filter(|arn| !arn.is_empty())
}

fn check_qualifier(lambda: &LambdaFunction, qualifier: &str) -> Result<(), ApiError> {
    if qualifier.is_empty() || lambda.aliases.contains_key(qualifier) || lambda.version(qualifier).is_some() {
        return Ok(());
    }
    Err(not_found(format!("Cannot find version or alias {qualifier}")))
}

fn missing(arn: &str) -> ApiError {
    not_found(format!("The function {arn} doesn't have an EventInvokeConfig"))
}

/// Sets what the document says; all else stays if `keep` is set and is unset otherwise.
pub(super) async fn put(plane: &LambdaPlane, call: &Call<'_>, keep: bool) -> Answer {
    let named = plane.named(call)?;
    let document: EventInvokeDocument = call.document()?;
    let retries = number("maximumRetryAttempts", document.maximum_retry_attempts, 0, 2)?;
    let age = number("maximumEventAgeInSeconds", document.maximum_event_age_in_seconds, 60, 21_600)?;
    let destinations = document.destination_config.unwrap_or_default();
    let (success, failure) = (target(destinations.on_success), target(destinations.on_failure));
    let qualifier = named.qualifier.clone().unwrap_or_default();
    let (arn, now) =
        (plane.arn(&named.name, named.qualifier.as_deref().or(Some("$LATEST"))), plane.clock.now());
    let missing = missing(&arn);
    let changed = plane.edit(&named.name, move |_, lambda| {
        check_qualifier(lambda, &qualifier)?;
        let old = lambda.event_invoke.get(&qualifier);
        if keep && old.is_none() {
            return Err(missing);
        }
        let old = old.filter(|_| keep);
        let config = EventInvoke {
            retries: retries.or(old.and_then(|old| old.retries)),
            age_seconds: age.or(old.and_then(|old| old.age_seconds)),
            on_success: success.or(old.and_then(|old| old.on_success.clone())),
            on_failure: failure.or(old.and_then(|old| old.on_failure.clone())),
            modified: now,
        };
        lambda.event_invoke.insert(qualifier, config.clone());
        Ok(config)
    });
    Ok(json(StatusCode::OK, &wire::event_invoke(&arn, &changed.await?)))
}

pub(super) fn get(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let arn = plane.arn(&named.name, named.qualifier.as_deref().or(Some("$LATEST")));
    let view = plane.catalog.snapshot();
    let function = plane.find(&view, &named.name)?;
    let qualifier = named.qualifier.unwrap_or_default();
    let config = function.event_invoke.get(&qualifier).ok_or_else(|| missing(&arn))?;
    Ok(json(StatusCode::OK, &wire::event_invoke(&arn, config)))
}

pub(super) fn list(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let view = plane.catalog.snapshot();
    let function = plane.find(&view, &named.name)?;
    let (size, marker) = call.page(50);
    let rows = function.event_invoke.iter().map(|(qualifier, config)| {
        let shown = if qualifier.is_empty() { "$LATEST" } else { qualifier };
        (qualifier.clone(), wire::event_invoke(&plane.arn(&named.name, Some(shown)), config))
    });
    let (configs, next) = page(rows, size, marker.as_deref());
    Ok(json(StatusCode::OK, &json!({ "FunctionEventInvokeConfigs": configs, "NextMarker": next })))
}

pub(super) async fn delete(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let missing = missing(&plane.arn(&named.name, named.qualifier.as_deref()));
    let qualifier = named.qualifier.unwrap_or_default();
    let removed = plane
        .edit(&named.name, move |_, lambda| lambda.event_invoke.remove(&qualifier).map(drop).ok_or(missing));
    removed.await?;
    Ok(no_content())
}
