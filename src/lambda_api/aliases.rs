//! CreateAlias, UpdateAlias, GetAlias, ListAliases, DeleteAlias.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};

use crate::catalog::LambdaFunction;
use crate::catalog::lambda::{Alias, LATEST};
use crate::error::ApiError;

use super::error::{conflict, constraint, invalid, not_found};
use super::wire::{self, AliasDocument};
use super::{Answer, Call, LambdaPlane, check_revision, json, no_content, page, revision};

/// Puts what a document says into an alias, and checks the whole.
fn apply(document: AliasDocument, alias: &mut Alias, function: &LambdaFunction) -> Result<(), ApiError> {
    if let Some(version) = document.function_version {
        alias.version = version;
    }
    if let Some(description) = document.description {
        if description.chars().count() > 256 {
            return Err(constraint("description", &description, "have length less than or equal to 256"));
        }
        alias.description = description;
    }
    if let Some(routing) = document.routing_config {
        alias.weights = routing.additional_version_weights.unwrap_or_default();
    }
    let check = |version: &str| match function.version(version) {
        Some(_) => Ok(()),
        None => Err(not_found(format!("Function not found: version {version}"))),
    };
    check(&alias.version)?;
    if alias.weights.len() > 1 {
        return Err(invalid("AdditionalVersionWeights may name one version beside FunctionVersion"));
    }
    for (version, weight) in &alias.weights {
        check(version)?;
        if !(0.0..=1.0).contains(weight) {
            return Err(constraint("additionalVersionWeights", &weight.to_string(), "be from 0.0 to 1.0"));
        }
        if alias.version == LATEST || version == LATEST {
            return Err(invalid("$LATEST is not supported for an alias pointing to more than 1 version"));
        }
        if *version == alias.version {
            return Err(invalid(format!(
                "Invalid function version {version}. Function version {version} is already included in routing \
                 configuration."
            )));
        }
    }
    Ok(())
}

fn shown(plane: &LambdaPlane, function: &str, name: &str, alias: &Alias) -> Value {
    wire::alias(&plane.arn(function, Some(name)), name, alias)
}

fn missing(plane: &LambdaPlane, function: &str, name: &str) -> ApiError {
    not_found(format!("Cannot find alias arn: {}", plane.arn(function, Some(name))))
}

pub(super) async fn create(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let document: AliasDocument = call.document()?;
    let name = document.name.clone().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !(1..=128).contains(&name.len())
        || !name.chars().all(plain)
        || name.bytes().all(|b| b.is_ascii_digit())
    {
        let rule = "satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)";
        return Err(constraint("name", &name, rule));
    }
    let (id, arn, written) = (revision()?, plane.arn(&named.name, Some(&name)), name.clone());
    let made = plane.edit(&named.name, move |_, lambda| {
        if lambda.aliases.contains_key(&written) {
            return Err(conflict(format!("Alias already exists: {arn}")));
        }
        let mut alias = Alias {
            version: String::new(),
            description: String::new(),
            weights: BTreeMap::new(),
            revision_id: id,
        };
        apply(document, &mut alias, lambda)?;
        lambda.aliases.insert(written, alias.clone());
        Ok(alias)
    });
    Ok(json(StatusCode::CREATED, &shown(plane, &named.name, &name, &made.await?)))
}

pub(super) async fn update(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let document: AliasDocument = call.document()?;
    let (name, id) = (call.route.item.clone(), revision()?);
    let missing = missing(plane, &named.name, &name);
    let changed = plane.edit(&named.name, move |_, lambda| {
        let mut alias = lambda.aliases.get(&name).cloned().ok_or(missing)?;
        check_revision(document.revision_id.as_deref(), &alias.revision_id)?;
        apply(document, &mut alias, lambda)?;
        alias.revision_id = id;
        lambda.aliases.insert(name, alias.clone());
        Ok(alias)
    });
    Ok(json(StatusCode::OK, &shown(plane, &named.name, &call.route.item, &changed.await?)))
}

pub(super) fn get(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let name = &call.route.item;
    let view = plane.catalog.snapshot();
    let function = plane.find(&view, &named.name)?;
    let alias = function.aliases.get(name).ok_or_else(|| missing(plane, &named.name, name))?;
    Ok(json(StatusCode::OK, &shown(plane, &named.name, name, alias)))
}

pub(super) fn list(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let view = plane.catalog.snapshot();
    let function = plane.find(&view, &named.name)?;
    let (size, marker) = call.page(50);
    let of_version = call.query("FunctionVersion");
    let meant = |alias: &Alias| {
        of_version
            .as_ref()
            .is_none_or(|version| alias.version == *version || alias.weights.contains_key(version))
    };
    let rows = function
        .aliases
        .iter()
        .filter(|(_, alias)| meant(alias))
        .map(|(name, alias)| (name.clone(), shown(plane, &named.name, name, alias)));
    let (aliases, next) = page(rows, size, marker.as_deref());
    Ok(json(StatusCode::OK, &json!({ "Aliases": aliases, "NextMarker": next })))
}

pub(super) async fn delete(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let name = call.route.item.clone();
    let remove = plane.edit(&named.name, move |_, lambda| {
        // As AWS: one that is not there is gone.
        lambda.aliases.remove(&name);
        lambda.policies.remove(&name);
        lambda.event_invoke.remove(&name);
        lambda.provisioned.remove(&name);
        Ok(())
    });
    remove.await?;
    Ok(no_content())
}
