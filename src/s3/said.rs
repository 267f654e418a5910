//! What the body of a request says, where policies ask for it: tags, a location, a lock.
//!
//! A body that cannot be read here is refused: a condition on what it says would otherwise be passed over.

use http::{Method, request};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::ApiError;
use crate::policy::Said;

use super::{malformed_xml, query_pairs};

#[derive(Deserialize)]
struct Tagging {
    #[serde(rename = "TagSet", default)]
    set: TagSet,
}

#[derive(Deserialize, Default)]
struct TagSet {
    #[serde(rename = "Tag", default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    #[serde(rename = "Key", default)]
    key: String,
    #[serde(rename = "Value", default)]
    value: String,
}

#[derive(Deserialize)]
struct NewBucket {
    #[serde(rename = "LocationConstraint")]
    location: Option<String>,
}

#[derive(Deserialize)]
struct Retention {
    #[serde(rename = "Mode")]
    mode: Option<String>,
    #[serde(rename = "RetainUntilDate")]
    until: Option<String>,
}

#[derive(Deserialize)]
struct LegalHold {
    #[serde(rename = "Status")]
    status: Option<String>,
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let text = std::str::from_utf8(bytes).map_err(|error| malformed_xml(error.to_string()))?;
    quick_xml::de::from_str(text).map_err(|error| malformed_xml(error.to_string()))
}

/// What the body of a request says; nothing where no policy asks for it.
///
/// # Errors
/// 400 MalformedXML.
pub(super) fn of(parts: &request::Parts, has_key: bool, bytes: &[u8]) -> Result<Option<Said>, ApiError> {
    if parts.method != Method::PUT || bytes.is_empty() {
        return Ok(None);
    }
    let query = parts.uri.query().unwrap_or_default();
    let names = |wanted: &str| query_pairs(query).any(|(name, _)| name == wanted);
    let mut said = Said::default();
    if names("tagging") {
        let tagging: Tagging = read(bytes)?;
        said.tags = tagging.set.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    } else if has_key && names("retention") {
        let Retention { mode, until } = read(bytes)?;
        said.lock.extend(mode.map(|mode| ("object-lock-mode", mode)));
        said.lock.extend(until.map(|until| ("object-lock-retain-until-date", until)));
    } else if has_key && names("legal-hold") {
        let LegalHold { status } = read(bytes)?;
        said.lock.extend(status.map(|status| ("object-lock-legal-hold", status)));
    } else if !has_key && query_pairs(query).all(|(name, _)| name == "x-id") {
        said.location = read::<NewBucket>(bytes)?.location.filter(|location| !location.is_empty());
    } else {
        return Ok(None);
    }
    Ok(Some(said))
}

/// Parameters that decide what is allowed, each of which may be there once.
const SINGLE: [&str; 7] =
    ["prefix", "delimiter", "max-keys", "versionId", "uploadId", "partNumber", "list-type"];

/// Refuses a request that says two things of one parameter: one could be decided on, the other done.
///
/// # Errors
/// 400 InvalidArgument.
pub(super) fn check_parameters(parts: &request::Parts) -> Result<(), ApiError> {
    let mut seen = [false; SINGLE.len()];
    for (name, _) in query_pairs(parts.uri.query().unwrap_or_default()) {
        let known = SINGLE.iter().zip(&mut seen).find(|(known, _)| **known == name);
        if let Some((name, seen)) = known
            && std::mem::replace(seen, true)
        {
            return Err(ApiError::invalid_argument(format!("The parameter {name} is there more than once"))
                .with_detail("ArgumentName", *name));
        }
    }
    Ok(())
}
