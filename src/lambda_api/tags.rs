//! ListTags, TagResource, UntagResource.

use http::StatusCode;
use serde_json::json;

use crate::s3::query_pairs;

use super::error::invalid;
use super::name::FunctionName;
use super::wire::TagsDocument;
use super::{Answer, Call, LambdaPlane, checks, json, no_content};

/// The function of an ARN, which has no qualifier here.
fn named(plane: &LambdaPlane, call: &Call<'_>) -> Result<String, crate::error::ApiError> {
    let named = FunctionName::parse(&call.route.function, None, &plane.account_id)?;
    match named.qualifier {
        None => Ok(named.name),
        Some(_) => Err(invalid("Tags on function aliases and versions are not supported.")),
    }
}

pub(super) fn list(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let view = plane.catalog.snapshot();
    let function = plane.find(&view, &named(plane, call)?)?;
    Ok(json(StatusCode::OK, &json!({ "Tags": function.tags })))
}

pub(super) async fn add(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let document: TagsDocument = call.document()?;
    let added = document.tags.unwrap_or_default();
    let name = named(plane, call)?;
    let edit = plane.edit(&name, move |_, lambda| {
        lambda.tags.extend(added);
        checks::tags(&lambda.tags)
    });
    edit.await?;
    Ok(no_content())
}

pub(super) async fn remove(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let keys: Vec<String> = query_pairs(call.parts.uri.query().unwrap_or_default())
        .filter(|(name, _)| name == "tagKeys")
        .map(|(_, value)| value.into_owned())
        .collect();
    let name = named(plane, call)?;
    let edit = plane.edit(&name, move |_, lambda| {
        lambda.tags.retain(|key, _| !keys.contains(key));
        Ok(())
    });
    edit.await?;
    Ok(no_content())
}
