//! From JSON to a checked payload struct: unknown keys, wrong types and the `allow` list, with paths in errors.

use serde::de::value::Error as CaptureError;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde_json::{Map, Value};

use crate::PayloadError;

/// Name of the field that every payload may carry: which of its own fields a request may override.
pub(crate) const ALLOW: &str = "allow";

/// Reads the payload of `transform` into `T`, a struct with `#[serde(deny_unknown_fields)]` and no `allow` field
/// of its own. `null` means `{}`.
///
/// # Errors
/// Not an object, an unknown key, a wrong type, or an `allow` list that names no field of `T`.
pub(crate) fn parse<T: DeserializeOwned>(transform: &str, payload: &Value) -> Result<T, PayloadError> {
    let mut fields = match payload {
        Value::Null => Map::new(),
        Value::Object(fields) => fields.clone(),
        other => return Err(error(transform, ".", format!("must be a JSON object, not {}", kind_of(other)))),
    };
    let known = field_names::<T>();
    if let Some(allow) = fields.shift_remove(ALLOW) {
        check_allow(transform, &allow, known)?;
    }
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|e| refusal(transform, "", e))
}

/// Reads a part of a payload that stands at `prefix` in it.
///
/// # Errors
/// As [`parse`], with paths that begin with `prefix`.
pub(crate) fn parse_part<T: DeserializeOwned>(
    transform: &str,
    prefix: &str,
    part: &Value,
) -> Result<T, PayloadError> {
    serde_path_to_error::deserialize(part).map_err(|e| refusal(transform, prefix, e))
}

fn refusal(transform: &str, prefix: &str, e: serde_path_to_error::Error<serde_json::Error>) -> PayloadError {
    let path = e.path().to_string();
    let text = e.into_inner().to_string();
    let (path, message) = match unknown_field(&text) {
        Some((name, mut expected)) => {
            // The path ends in the unknown key, or in what holds it.
            let holder = path.strip_suffix(name).map_or(path.as_str(), |p| p.trim_end_matches('.'));
            let top = prefix.is_empty() && matches!(holder, "" | ".");
            if top {
                expected.push(ALLOW);
            }
            let path = if matches!(holder, "" | ".") { name.to_owned() } else { format!("{holder}.{name}") };
            (path, unknown("field", name, expected))
        }
        None => (path, text),
    };
    match (prefix, path.as_str()) {
        ("", _) => error(transform, &path, message),
        (_, ".") => error(transform, prefix, message),
        _ if path.starts_with('[') => error(transform, &format!("{prefix}{path}"), message),
        _ => error(transform, &format!("{prefix}.{path}"), message),
    }
}

/// A [`PayloadError`] from its three parts.
pub(crate) fn error(transform: &str, path: &str, message: impl Into<String>) -> PayloadError {
    PayloadError { transform: transform.to_owned(), path: path.to_owned(), message: message.into() }
}

/// The sentence for a name that is not among `known`, with the nearest known name where one is near.
pub(crate) fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let near = known
        .iter()
        .map(|k| (strsim::damerau_levenshtein(k, name), *k))
        .filter(|(distance, k)| *distance <= (k.chars().count().max(name.chars().count()) / 3).max(1))
        .min();
    let hint = near.map(|(_, k)| format!("; did you mean `{k}`?")).unwrap_or_default();
    let list = known.join(", ");
    format!("unknown {what} `{name}`{hint} (known: {list})")
}

/// JSON's name for the kind of a value, for messages.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn check_allow(transform: &str, allow: &Value, known: &[&str]) -> Result<(), PayloadError> {
    let Value::Array(names) = allow else {
        return Err(error(transform, ALLOW, "must be an array of field names"));
    };
    for (i, name) in names.iter().enumerate() {
        let path = format!("{ALLOW}[{i}]");
        match name.as_str() {
            None => return Err(error(transform, &path, "must be the name of a field, a string")),
            Some(ALLOW) => return Err(error(transform, &path, "`allow` itself can never be overridden")),
            Some(name) if known.contains(&name) => {}
            Some(name) => {
                return Err(error(transform, &path, unknown("field", name, known.iter().copied())));
            }
        }
    }
    Ok(())
}

/// Takes serde's `unknown field` sentence apart: the name, and the names that would be right.
fn unknown_field(text: &str) -> Option<(&str, Vec<&str>)> {
    let rest = text.strip_prefix("unknown field `")?;
    let (name, rest) = rest.split_once('`')?;
    // What follows is "expected one of `a`, `b`": every second piece between back quotes is a name.
    Some((name, rest.split('`').skip(1).step_by(2).collect()))
}

/// Names of the fields of `T`, as its derived `Deserialize` declares them.
fn field_names<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // The answer is always an error: `Capture` only listens to what is asked of it.
    drop(T::deserialize(Capture(&mut names)));
    names
}

/// A deserializer that has no data and only notes which struct fields it is asked for.
struct Capture<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Capture<'_> {
    type Error = CaptureError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, CaptureError> {
        Err(CaptureError::custom("not a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, CaptureError> {
        *self.0 = fields;
        Err(CaptureError::custom("captured"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Sample {
        width: Option<u32>,
        inner: Vec<Inner>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Inner {
        mode: String,
    }

    fn refused(payload: &Value) -> PayloadError {
        parse::<Sample>("sample", payload).unwrap_err()
    }

    #[test]
    fn null_and_the_empty_object_are_the_defaults() {
        assert_eq!(parse::<Sample>("sample", &Value::Null), Ok(Sample::default()));
        assert_eq!(parse::<Sample>("sample", &json!({})), Ok(Sample::default()));
        for other in [json!([]), json!("x"), json!(1), json!(true)] {
            assert_eq!(refused(&other).path, ".");
        }
    }

    #[test]
    fn an_unknown_key_is_named_with_its_path_and_the_nearest_known_one() {
        let e = refused(&json!({"widht": 3}));
        assert_eq!(e.path, "widht");
        assert_eq!(
            e.to_string(),
            "payload of sample: widht: unknown field `widht`; did you mean `width`? (known: width, inner, allow)"
        );
        let e = refused(&json!({"inner": [{"mode": "a"}, {"mod": "b"}]}));
        assert_eq!(e.path, "inner[1].mod");
        assert!(e.message.contains("did you mean `mode`"), "{e}");
        assert!(!e.message.contains("allow"), "{e}");
        assert!(!refused(&json!({"colour": 3})).message.contains("did you mean"));
    }

    #[test]
    fn a_wrong_type_is_named_with_its_path() {
        let e = refused(&json!({"inner": [{"mode": 5}]}));
        assert_eq!(e.path, "inner[0].mode");
        assert!(e.message.contains("expected a string"), "{e}");
    }

    #[test]
    fn allow_lists_only_fields_of_the_payload() {
        assert!(parse::<Sample>("sample", &json!({"allow": ["width"]})).is_ok());
        assert_eq!(refused(&json!({"allow": ["width", "wdith"]})).path, "allow[1]");
        assert_eq!(refused(&json!({"allow": ["allow"]})).path, "allow[0]");
        assert_eq!(refused(&json!({"allow": "width"})).path, "allow");
        assert_eq!(refused(&json!({"allow": [1]})).path, "allow[0]");
    }
}
