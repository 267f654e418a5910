//! JSON as policies need it: in the order of the text, and a key that stands twice is an error.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::error::PolicyError;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, as it would be printed.
    Number(String),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object; no key stands twice.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Parses a text.
    pub(super) fn parse(text: &str) -> Result<Self, PolicyError> {
        serde_json::from_str(text).map_err(|error| PolicyError::malformed(format!("not valid JSON: {error}")))
    }

    /// What it is, for messages.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// The string that this must be.
    pub(super) fn string(self, field: &str) -> Result<String, PolicyError> {
        match self {
            Self::String(text) => Ok(text),
            other => Err(PolicyError::malformed(format!("{field} must be a string, not {}", other.what()))),
        }
    }

    /// The string or the array of strings, not empty, that this must be.
    pub(super) fn strings(self, field: &str) -> Result<Vec<String>, PolicyError> {
        match self {
            Self::Array(items) if items.is_empty() => {
                Err(PolicyError::malformed(format!("{field} must not be an empty array")))
            }
            Self::Array(items) => items.into_iter().map(|item| item.string(field)).collect(),
            Self::String(text) => Ok(vec![text]),
            other => Err(PolicyError::malformed(format!(
                "{field} must be a string or an array of strings, not {}",
                other.what()
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut fields: Vec<(String, Json)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        while let Some(key) = access.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format!("the key \"{key}\" stands twice in one object")));
            }
            fields.push((key, access.next_value()?));
        }
        Ok(Json::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_refuses_a_key_that_stands_twice() {
        let json = Json::parse(r#"{"b": [1, true, null, "x", 1.5, -2], "a": {}}"#).unwrap();
        let Json::Object(fields) = json else { panic!("not an object") };
        assert_eq!(fields.iter().map(|field| field.0.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        for (text, word) in [
            (r#"{"a": 1, "a": 2}"#, "\"a\" stands twice"),
            (r#"{"x": {"a": 1, "b": 0, "a": 2}}"#, "\"a\" stands twice"),
            ("{", "not valid JSON"),
            ("{} {}", "trailing"),
            ("", "not valid JSON"),
        ] {
            let error = Json::parse(text).unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
        assert!(Json::parse(&"[".repeat(100_000)).is_err());
    }
}
