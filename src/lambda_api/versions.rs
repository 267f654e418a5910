//! PublishVersion, ListVersionsByFunction.

use std::sync::Arc;

use data_encoding::{BASE64, HEXLOWER};
use http::StatusCode;
use jiff::Timestamp;
use serde_json::json;

use crate::catalog::LambdaFunction;
use crate::catalog::lambda::Version;

use super::error::{constraint, invalid};
use super::wire::{PublishDocument, configuration};
use super::{Answer, Call, LambdaPlane, check_revision, json, page, revision};

/// Publishes `$LATEST`, unless the last version that was published is the same.
pub(super) fn add(
    lambda: &mut LambdaFunction,
    description: Option<String>,
    now: Timestamp,
    revision_id: String,
) -> Arc<Version> {
    let mut settings = lambda.latest.settings.clone();
    if let Some(description) = description {
        settings.description = description;
    }
    if let Some(last) = lambda.versions.last()
        && last.code == lambda.latest.code
        && last.settings == settings
    {
        return Arc::clone(last);
    }
    lambda.last_version += 1;
    let version = Arc::new(Version {
        version: lambda.last_version.to_string(),
        settings,
        code: lambda.latest.code.clone(),
        revision_id,
        modified: now,
    });
    lambda.versions.push(Arc::clone(&version));
    version
}

pub(super) async fn publish(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let document: PublishDocument = call.document()?;
    if let Some(description) = document.description.as_ref().filter(|text| text.chars().count() > 256) {
        return Err(constraint("description", description, "have length less than or equal to 256"));
    }
    let (now, id) = (plane.clock.now(), revision()?);
    let published = plane.edit(&named.name, move |_, lambda| {
        check_revision(document.revision_id.as_deref(), &lambda.latest.revision_id)?;
        let present = HEXLOWER.decode(lambda.latest.code.sha256.as_bytes()).unwrap_or_default();
        let present = BASE64.encode(&present);
        if let Some(expected) = document.code_sha256.filter(|expected| !expected.is_empty())
            && expected != present
        {
            return Err(invalid(format!(
                "CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST ({present}). Please try \
                 again with the CodeSHA256 in $LATEST."
            )));
        }
        Ok(add(lambda, document.description, now, id))
    });
    let version = published.await?;
    let arn = plane.arn(&named.name, Some(&version.version));
    Ok(json(StatusCode::CREATED, &configuration(&named.name, &arn, &version)))
}

pub(super) fn list(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let view = plane.catalog.snapshot();
    let function = plane.find(&view, &named.name)?;
    let (size, marker) = call.page(50);
    let rows = function.all_versions().map(|version| {
        let arn = plane.arn(&named.name, Some(&version.version));
        // `$` sorts before digits, and numbers by their value.
        (format!("{:>20}", version.version.replace('$', " ")), configuration(&named.name, &arn, version))
    });
    let (versions, next) = page(rows, size, marker.as_deref());
    Ok(json(StatusCode::OK, &json!({ "Versions": versions, "NextMarker": next })))
}
