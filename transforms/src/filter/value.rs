//! Comparison of a record's value with the value of a rule. Answers are `None` where the two cannot be compared.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use crate::Identity;
use crate::payload::kind_of;
use crate::table::{Attribute, Cell};

/// A value that a rule compares with: a constant, or what the caller's identity says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Text(String),
    /// A number as it is written.
    Number(String),
    Bool(bool),
    Caller(Attribute),
}

impl<'de> Deserialize<'de> for Operand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self::Text(text)),
            Value::Number(number) => Ok(Self::Number(number.to_string())),
            Value::Bool(b) => Ok(Self::Bool(b)),
            Value::Object(object) => {
                let mut entries = object.into_iter();
                match (entries.next(), entries.next()) {
                    (Some((key, value)), None) if key == "identity" => {
                        Attribute::deserialize(value).map(Self::Caller).map_err(de::Error::custom)
                    }
                    _ => Err(de::Error::custom(
                        "an object here must be {\"identity\": \"…\"} and nothing more",
                    )),
                }
            }
            other @ (Value::Null | Value::Array(_)) => Err(de::Error::custom(format!(
                "must be a string, a number, a boolean or {{\"identity\": \"…\"}}, not {}; for absent values there is `exists`",
                kind_of(&other)
            ))),
        }
    }
}

impl Operand {
    /// The operand with the caller's attribute in its place; `None` when the caller has none.
    fn resolve<'a>(&'a self, identity: &'a Identity) -> Option<Resolved<'a>> {
        Some(match self {
            Self::Text(text) => Resolved::Text(text),
            Self::Number(number) => Resolved::Number(number),
            Self::Bool(b) => Resolved::Bool(*b),
            Self::Caller(attribute) => Resolved::Text(attribute.of(identity)?),
        })
    }

    pub(super) fn equals(&self, cell: &Cell<'_>, identity: &Identity) -> Option<bool> {
        match self.resolve(identity)? {
            Resolved::Text(text) => Some(cell.text()? == text.as_bytes()),
            Resolved::Number(number) => {
                compare_numbers(number_text(cell)?, number).map(|o| o == Ordering::Equal)
            }
            Resolved::Bool(expected) => match cell {
                Cell::Bool(b) => Some(*b == expected),
                Cell::Text(text) if **text == *b"true" => Some(expected),
                Cell::Text(text) if **text == *b"false" => Some(!expected),
                _ => None,
            },
        }
    }

    /// How the value stands to the operand: numbers by value, text by bytes.
    pub(super) fn order(&self, cell: &Cell<'_>, identity: &Identity) -> Option<Ordering> {
        match (self.resolve(identity)?, cell) {
            (Resolved::Number(number), _) => compare_numbers(number_text(cell)?, number),
            (Resolved::Text(text), Cell::Text(value)) => Some((**value).cmp(text.as_bytes())),
            (Resolved::Text(text), Cell::String(value)) => Some(value.as_bytes().cmp(text.as_bytes())),
            _ => None,
        }
    }

    /// The operand in writing, for tests of parts of text.
    pub(super) fn text<'a>(&'a self, identity: &'a Identity) -> Option<Cow<'a, [u8]>> {
        Some(Cow::Borrowed(match self.resolve(identity)? {
            Resolved::Text(text) | Resolved::Number(text) => text.as_bytes(),
            Resolved::Bool(true) => b"true",
            Resolved::Bool(false) => b"false",
        }))
    }
}

enum Resolved<'a> {
    Text(&'a str),
    Number(&'a str),
    Bool(bool),
}

/// The writing of a value that may be a number.
fn number_text<'a>(cell: &'a Cell<'_>) -> Option<&'a str> {
    match cell {
        Cell::Number(text) => Some(text),
        Cell::Text(text) => std::str::from_utf8(text).ok(),
        Cell::Absent | Cell::String(_) | Cell::Bool(_) | Cell::Nested => None,
    }
}

/// Integers exactly, whatever their size up to 128 bits; others as 64-bit floating point.
fn compare_numbers(a: &str, b: &str) -> Option<Ordering> {
    if let (Ok(a), Ok(b)) = (a.parse::<i128>(), b.parse::<i128>()) {
        return Some(a.cmp(&b));
    }
    let float = |text: &str| {
        // Rust would also read "inf" and "nan", which are not numbers of a table.
        let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
        text.parse::<f64>().ok().filter(|f| plain && f.is_finite())
    };
    float(a)?.partial_cmp(&float(b)?)
}
