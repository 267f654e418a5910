//! From a name and a JSON payload to a [`Transform`]: the one place that knows them all.

use std::sync::Arc;

use serde_json::Value;

use crate::{PayloadError, Transform};

/// Names of all built-in transforms, in the order in which documents list them.
#[must_use]
pub fn builtin_names() -> &'static [&'static str] {
    &[
        "identity",
        "redact",
        "resize",
        "watermark",
        "compress",
        "decompress",
        "convert",
        "filter",
        "augment",
        "pipeline",
    ]
}

/// Builds the transform `name` from its payload. `Value::Null` and `{}` mean the defaults.
///
/// Every payload may carry `allow`: a list of its own top-level fields that a request may override
/// ([`with_overrides`]).
///
/// # Errors
/// An unknown name, an unknown key, a value out of range: each named with its path.
pub fn build(name: &str, payload: &Value) -> Result<Arc<dyn Transform>, PayloadError> {
    let _ = payload;
    Err(PayloadError { transform: name.to_owned(), path: ".".into(), message: "unknown transform".into() })
}

/// Applies what a request may override: each `(name, value)` whose name stands in the payload's `allow` list
/// replaces that top-level field (numbers, booleans and JSON arrays are recognised; anything else is a string).
/// Other parameters are ignored, for a URL may carry anything. Answers the new payload, or `None` when nothing
/// was overridden.
#[must_use]
pub fn with_overrides(payload: &Value, query: &[(String, String)]) -> Option<Value> {
    let _ = (payload, query);
    None
}
