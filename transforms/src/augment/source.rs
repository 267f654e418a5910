//! Where the value of a new column comes from.

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::lookup::{Lookup, Table};
use crate::payload::{self, error};
use crate::table::Attribute;
use crate::{Context, Input, PayloadError, TransformError};

/// The source of a column's values, as the payload has it.
#[derive(Debug)]
pub(super) enum Source {
    Constant(Value),
    Caller(Attribute, Value),
    Object(Property, Value),
    Lookup(Lookup, Value),
}

/// The written form of a source that is not a constant.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    identity: Option<Attribute>,
    object: Option<Property>,
    lookup: Option<Lookup>,
    /// The value where there is none; absent means null, which is an empty field of CSV.
    default: Value,
}

/// The source, bound to one run.
pub(super) enum Bound {
    Fixed(Value),
    Lookup(Table, Value),
}

impl Source {
    /// Reads the source that stands at `path`: a constant, or an object with one of `identity`, `object`, `lookup`.
    pub(super) fn read(value: &Value, path: &str) -> Result<Self, PayloadError> {
        match value {
            Value::Array(_) => Err(error("augment", path, "must be a constant or an object, not an array")),
            Value::Object(_) => {
                let Written { identity, object, lookup, default } =
                    payload::parse_part("augment", path, value)?;
                if matches!(default, Value::Array(_) | Value::Object(_)) {
                    let path = format!("{path}.default");
                    return Err(error("augment", &path, "must be a string, a number, a boolean or null"));
                }
                match (identity, object, lookup) {
                    (Some(attribute), None, None) => Ok(Self::Caller(attribute, default)),
                    (None, Some(property), None) => Ok(Self::Object(property, default)),
                    (None, None, Some(lookup)) => Ok(Self::Lookup(lookup, default)),
                    _ => {
                        let message = "must have exactly one of `identity`, `object` and `lookup`";
                        Err(error("augment", path, message))
                    }
                }
            }
            constant => Ok(Self::Constant(constant.clone())),
        }
    }

    pub(super) fn resource(&self) -> Option<&str> {
        match self {
            Self::Lookup(lookup, _) => Some(&lookup.key),
            Self::Constant(_) | Self::Caller(..) | Self::Object(..) => None,
        }
    }

    pub(super) fn names_the_caller(&self) -> bool {
        matches!(self, Self::Caller(..))
    }

    /// The value for this run, or the table to look it up in.
    pub(super) fn bind(&self, context: &Context) -> Result<Bound, TransformError> {
        Ok(match self {
            Self::Constant(value) => Bound::Fixed(value.clone()),
            Self::Caller(attribute, default) => {
                let value = attribute.of(&context.identity).map(Value::from);
                Bound::Fixed(value.unwrap_or_else(|| default.clone()))
            }
            Self::Object(property, default) => {
                Bound::Fixed(property.of(&context.input).unwrap_or_else(|| default.clone()))
            }
            Self::Lookup(lookup, default) => Bound::Lookup(lookup.load(context)?, default.clone()),
        })
    }
}

/// A property of the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Property {
    Bucket,
    Key,
    Size,
    Etag,
    LastModified,
    ContentType,
    Metadata(String),
    Tag(String),
}

impl Property {
    fn of(&self, input: &Input) -> Option<Value> {
        match self {
            Self::Bucket => Some(input.bucket.as_str().into()),
            Self::Key => Some(input.key.as_str().into()),
            Self::Size => input.size.map(Value::from),
            Self::Etag => input.etag.as_deref().map(|tag| tag.trim_matches('"').into()),
            Self::LastModified => input.last_modified.as_deref().map(Value::from),
            Self::ContentType => input.content_type.as_deref().map(Value::from),
            Self::Metadata(name) => input.metadata.get(name).map(|v| v.as_str().into()),
            Self::Tag(key) => input.tags.get(key).map(|v| v.as_str().into()),
        }
    }
}

impl<'de> Deserialize<'de> for Property {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(match name.as_str() {
            "bucket" => Self::Bucket,
            "key" => Self::Key,
            "size" => Self::Size,
            "etag" => Self::Etag,
            "last_modified" => Self::LastModified,
            "content_type" => Self::ContentType,
            _ => match name.split_once(':') {
                // Names of user metadata are in lower case wherever they come from.
                Some(("metadata", name)) if !name.is_empty() => Self::Metadata(name.to_lowercase()),
                Some(("tag", key)) if !key.is_empty() => Self::Tag(key.to_owned()),
                _ => {
                    let known = [
                        "bucket",
                        "key",
                        "size",
                        "etag",
                        "last_modified",
                        "content_type",
                        "metadata:<name>",
                        "tag:<key>",
                    ];
                    return Err(de::Error::custom(payload::unknown("object property", &name, known)));
                }
            },
        })
    }
}
