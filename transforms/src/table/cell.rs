//! One value of a record, as rules and look-ups see it.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// A value of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    /// No such field, or null.
    Absent,
    /// A field of CSV, which may be a number or anything else in writing.
    Text(Cow<'a, [u8]>),
    /// A JSON string.
    String(Cow<'a, str>),
    /// A JSON number as it is written.
    Number(&'a str),
    /// A JSON boolean.
    Bool(bool),
    /// A JSON array or object.
    Nested,
}

impl<'a> Cell<'a> {
    /// Reads a JSON value that is known to be well formed.
    pub(crate) fn of_json(value: &'a RawValue) -> Self {
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'"') => {
                serde_json::from_str::<CowStr<'_>>(text).map_or(Self::Nested, |s| Self::String(s.0))
            }
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'n') => Self::Absent,
            Some(b'{' | b'[') | None => Self::Nested,
            Some(_) => Self::Number(text),
        }
    }

    /// The value in writing; nothing for what is absent or nested.
    pub(crate) fn text(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Absent | Self::Nested => None,
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::String(text) => Some(Cow::Borrowed(text.as_bytes())),
            Self::Number(text) => Some(Cow::Borrowed(text.as_bytes())),
            Self::Bool(b) => Some(Cow::Borrowed(if *b { b"true" } else { b"false" })),
        }
    }

    /// Whether there is a value: a JSON field that is not null, a CSV field that is not empty.
    pub(crate) fn exists(&self) -> bool {
        match self {
            Self::Absent => false,
            Self::Text(text) => !text.is_empty(),
            Self::String(_) | Self::Number(_) | Self::Bool(_) | Self::Nested => true,
        }
    }
}

/// A string that is borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct CowStr<'a>(#[serde(borrow)] Cow<'a, str>);
