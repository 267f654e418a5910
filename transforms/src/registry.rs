//! From a name and a JSON payload to a [`Transform`]: the one place that knows them all.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::meter::Metered;
use crate::payload::{self, ALLOW};
use crate::{
    PayloadError, Transform, augment, compress, convert, decompress, filter, identity, image, pipeline,
    redact,
};

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
/// ([`with_overrides`]). Whatever is built is held to [`Limits::output_bytes`](crate::Limits::output_bytes) and
/// [`Limits::ratio`](crate::Limits::ratio).
///
/// # Errors
/// An unknown name, an unknown key, a value out of range: each named with its path.
pub fn build(name: &str, payload: &Value) -> Result<Arc<dyn Transform>, PayloadError> {
    build_at(name, payload, 0)
}

/// As [`build`], `depth` pipelines deep.
pub(crate) fn build_at(
    name: &str,
    payload: &Value,
    depth: usize,
) -> Result<Arc<dyn Transform>, PayloadError> {
    let built = match name {
        "identity" => identity::build(payload),
        "redact" => redact::build(payload),
        "resize" => image::resize::build(payload),
        "watermark" => image::watermark::build(payload),
        "compress" => compress::build(payload),
        "decompress" => decompress::build(payload),
        "convert" => convert::build(payload),
        "filter" => filter::build(payload),
        "augment" => augment::build(payload),
        "pipeline" => pipeline::build(payload, depth),
        _ => {
            let known = builtin_names().iter().copied();
            Err(payload::error(name, ".", payload::unknown("transform", name, known)))
        }
    }?;
    Ok(if built.is_identity() { built } else { Arc::new(Metered(built)) })
}

/// Applies what a request may override: each `(name, value)` whose name stands in the payload's `allow` list
/// replaces that top-level field. `allow` itself never is. Of several values for a name the last one wins. Other
/// parameters are ignored, for a URL may carry anything.
///
/// A value is a string where the payload has a string for the field; otherwise numbers, booleans and JSON arrays
/// are recognised, and anything else is a string. A pipeline's steps are treated likewise, each by the `allow`
/// list of its own payload.
///
/// Answers the new payload, or `None` when nothing was overridden.
#[must_use]
pub fn with_overrides(payload: &Value, query: &[(String, String)]) -> Option<Value> {
    let query: HashMap<&str, &str> = query.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let mut payload = payload.clone();
    override_object(payload.as_object_mut()?, &query).then_some(payload)
}

fn override_object(payload: &mut Map<String, Value>, query: &HashMap<&str, &str>) -> bool {
    let allowed: Vec<String> = match payload.get(ALLOW) {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let mut changed = false;
    for name in allowed.into_iter().filter(|name| name != ALLOW) {
        if let Some(value) = query.get(name.as_str()) {
            let value = override_value(payload.get(&name), value);
            payload.insert(name, value);
            changed = true;
        }
    }
    // Only a pipeline has steps. Those that the request itself brought have no say in what it may override.
    if !changed && let Some(Value::Array(steps)) = payload.get_mut("steps") {
        for step in steps {
            if let Some(Value::Object(step)) = step.get_mut("payload") {
                changed |= override_object(step, query);
            }
        }
    }
    changed
}

fn override_value(present: Option<&Value>, value: &str) -> Value {
    let text = || Value::String(value.to_owned());
    if matches!(present, Some(Value::String(_))) {
        return text();
    }
    match serde_json::from_str(value) {
        Ok(v @ (Value::Number(_) | Value::Bool(_) | Value::Array(_))) => v,
        _ => text(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest() {
        let e = build("redcat", &json!({})).unwrap_err();
        assert!(e.message.contains("did you mean `redact`"), "{e}");
    }

    #[test]
    fn every_transform_refuses_an_unknown_key_by_name() {
        for name in builtin_names() {
            let e = build(name, &json!({"nonsense": 1})).unwrap_err();
            assert_eq!((e.transform.as_str(), e.path.as_str()), (*name, "nonsense"), "{e}");
        }
    }

    #[test]
    fn the_page_of_every_transform_has_examples_that_build() {
        let page = include_str!("../../docs/transforms.md");
        for name in
            ["redact", "compress", "decompress", "convert", "filter", "augment", "pipeline", "identity"]
        {
            let (_, section) = page.split_once(&format!("\n## `{name}`\n")).unwrap();
            let section = section.split("\n## ").next().unwrap();
            let examples = crate::testing::json_examples(section);
            assert!(!examples.is_empty(), "{name} has no example");
            for example in examples {
                if let Err(e) = build(name, &example) {
                    panic!("{e}");
                }
            }
        }
    }

    #[test]
    fn only_what_allow_names_is_overridden() {
        let payload = json!({"width": 100, "fit": "cover", "allow": ["width", "allow"]});
        let q = query(&[("width", "320"), ("fit", "fill"), ("allow", "[\"fit\"]"), ("X-Amz-Date", "x")]);
        assert_eq!(
            with_overrides(&payload, &q),
            Some(json!({"width": 320, "fit": "cover", "allow": ["width", "allow"]}))
        );
        assert_eq!(with_overrides(&payload, &query(&[("fit", "fill")])), None);
        assert_eq!(with_overrides(&Value::Null, &q), None);
        assert_eq!(with_overrides(&json!({"width": 1}), &q), None);
    }

    #[test]
    fn values_are_typed_and_the_last_one_wins() {
        let payload = json!({"text": "2024", "allow": ["a", "b", "c", "d", "e", "text"]});
        let q = query(&[
            ("a", "1.5"),
            ("b", "true"),
            ("c", "[\"x\"]"),
            ("d", "{\"x\":1}"),
            ("e", "x"),
            ("e", "007"),
            ("text", "12"),
        ]);
        let new = with_overrides(&payload, &q).unwrap();
        assert_eq!(new["a"], json!(1.5));
        assert_eq!(new["b"], json!(true));
        assert_eq!(new["c"], json!(["x"]));
        assert_eq!(new["d"], json!("{\"x\":1}"));
        assert_eq!(new["e"], json!("007"));
        assert_eq!(new["text"], json!("12"));
    }

    #[test]
    fn the_steps_of_a_pipeline_have_their_own_lists() {
        let payload = json!({"steps": [
            {"name": "resize", "payload": {"width": 5, "allow": ["width"]}},
            {"name": "redact", "payload": {"mode": "mask"}},
            {"name": "identity"},
        ]});
        let new = with_overrides(&payload, &query(&[("width", "9"), ("mode", "replace")])).unwrap();
        assert_eq!(new["steps"][0]["payload"]["width"], json!(9));
        assert_eq!(new["steps"][1], payload["steps"][1]);
    }
}
