//! PutProvisionedConcurrencyConfig, GetProvisionedConcurrencyConfig, ListProvisionedConcurrencyConfigs,
//! DeleteProvisionedConcurrencyConfig: workers that are kept ready for a version or an alias.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::catalog::LambdaFunction;
use crate::catalog::lambda::{LATEST, Provisioned};
use crate::error::ApiError;
use crate::function::manager::Ready;
use crate::function::platform::reserved;

use super::concurrency::UNRESERVED;
use super::error::{constraint, invalid, not_found};
use super::name::FunctionName;
use super::wire::ProvisionedDocument;
use super::{Answer, Call, LambdaPlane, json, no_content, page};

/// The version or alias that a request names.
fn qualifier(named: &FunctionName) -> Result<String, ApiError> {
    match named.qualifier.as_deref() {
        Some(LATEST) => Err(unpublished()),
        Some(qualifier) => Ok(qualifier.to_owned()),
        None => Err(constraint("qualifier", "null", "not be null")),
    }
}

fn unpublished() -> ApiError {
    invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
}

fn missing() -> ApiError {
    let message = "No Provisioned Concurrency Config found for this function";
    ApiError::new(StatusCode::NOT_FOUND, "ProvisionedConcurrencyConfigNotFoundException", message)
}

/// Versions that a version or alias stands for.
fn versions(lambda: &LambdaFunction, qualifier: &str) -> Vec<String> {
    match lambda.aliases.get(qualifier) {
        Some(alias) => alias.weights.keys().chain([&alias.version]).cloned().collect(),
        None => vec![qualifier.to_owned()],
    }
}

fn check(lambda: &LambdaFunction, qualifier: &str, arn: &str) -> Result<(), ApiError> {
    let meant = versions(lambda, qualifier);
    if meant.iter().any(|version| version == LATEST) {
        return Err(unpublished());
    }
    if meant.iter().any(|version| lambda.version(version).is_none()) {
        return Err(not_found(format!("Function not found: {arn}")));
    }
    let others = lambda.provisioned.keys().filter(|other| *other != qualifier);
    if others.flat_map(|other| versions(lambda, other)).any(|version| meant.contains(&version)) {
        return Err(invalid(
            "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
        ));
    }
    Ok(())
}

fn shown(plane: &LambdaPlane, name: &str, lambda: &LambdaFunction, qualifier: &str) -> Map<String, Value> {
    let config = lambda.provisioned.get(qualifier);
    let requested = config.map_or(0, |config| config.count);
    let mut live = 0;
    let mut failed = None;
    for (version, _) in lambda.provisioned_of(qualifier) {
        let ready = plane.platform.manager().ready(name, &version.version).unwrap_or_default();
        let Ready { wanted, live: of_version, failed: why } = ready;
        live += of_version.min(wanted);
        failed = failed.or(why);
    }
    let live = live.min(requested);
    let status = match &failed {
        _ if live == requested => "READY",
        Some(_) => "FAILED",
        None => "IN_PROGRESS",
    };
    let modified = config.map(|config| config.modified.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string());
    let document = json!({
        "RequestedProvisionedConcurrentExecutions": requested,
        "AvailableProvisionedConcurrentExecutions": live,
        "AllocatedProvisionedConcurrentExecutions": live,
        "Status": status,
        "LastModified": modified,
    });
    let Value::Object(mut fields) = document else { return Map::new() };
    if let Some(why) = failed.filter(|_| status == "FAILED") {
        fields.insert("StatusReason".to_owned(), json!(why));
    }
    fields
}

pub(super) async fn put(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let qualifier = qualifier(&named)?;
    let document: ProvisionedDocument = call.document()?;
    let asked = document.provisioned_concurrent_executions.unwrap_or(0);
    let Some(count) = u32::try_from(asked).ok().filter(|count| *count >= 1) else {
        let rule = "have value greater than or equal to 1";
        return Err(constraint("provisionedConcurrentExecutions", &asked.to_string(), rule));
    };
    let (all, now) = (plane.platform.concurrency(), plane.clock.now());
    let arn = plane.arn(&named.name, Some(&qualifier));
    let of = qualifier.clone();
    let changed = plane.edit(&named.name, move |view, lambda| {
        check(lambda, &of, &arn)?;
        let others = reserved(view) - lambda.own_concurrency();
        lambda.provisioned.insert(of, Provisioned { count, modified: now });
        let total = lambda.provisioned_total();
        if lambda.reserved_concurrency.is_some_and(|reserved| total > reserved) {
            return Err(invalid(
                "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for \
                 function",
            ));
        }
        let least = UNRESERVED.min(all / 2);
        if lambda.reserved_concurrency.is_none() && total.saturating_add(others) > all.saturating_sub(least) {
            return Err(invalid(format!(
                "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below \
                 its minimum value of [{least}]."
            )));
        }
        Ok(lambda.clone())
    });
    let lambda = changed.await?;
    plane.platform.provision();
    let mut document = shown(plane, &named.name, &lambda, &qualifier);
    // What is ready by now was ready for what was asked before.
    document.insert("Status".to_owned(), json!("IN_PROGRESS"));
    Ok(json(StatusCode::ACCEPTED, &Value::Object(document)))
}

pub(super) fn get(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let qualifier = qualifier(&named)?;
    let view = plane.catalog.snapshot();
    let lambda = plane.find(&view, &named.name)?;
    if !lambda.provisioned.contains_key(&qualifier) {
        return Err(missing());
    }
    Ok(json(StatusCode::OK, &Value::Object(shown(plane, &named.name, lambda, &qualifier))))
}

pub(super) fn list(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let view = plane.catalog.snapshot();
    let lambda = plane.find(&view, &named.name)?;
    let (size, marker) = call.page(50);
    let rows = lambda.provisioned.keys().map(|qualifier| {
        let mut document = shown(plane, &named.name, lambda, qualifier);
        document.insert("FunctionArn".to_owned(), json!(plane.arn(&named.name, Some(qualifier))));
        (qualifier.clone(), Value::Object(document))
    });
    let (configs, next) = page(rows, size, marker.as_deref());
    Ok(json(StatusCode::OK, &json!({ "ProvisionedConcurrencyConfigs": configs, "NextMarker": next })))
}

pub(super) async fn delete(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let qualifier = qualifier(&named)?;
    let removed = plane.edit(&named.name, move |_, lambda| {
        // As AWS: one that is not there is gone.
        lambda.provisioned.remove(&qualifier);
        Ok(())
    });
    removed.await?;
    plane.platform.provision();
    Ok(no_content())
}
