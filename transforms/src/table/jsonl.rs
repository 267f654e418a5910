//! Objects of JSON lines, with values kept as they are written: no number is ever read and written anew.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Cell, Record};
use crate::TransformError;

/// The fields of one line, in their order.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    pub(crate) entries: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// Not a JSON object, or one that has a field twice, of which readers would take one or the other.
    pub(crate) fn read(record: &Record<'a>) -> Result<Self, TransformError> {
        let number = record.number;
        let object: Self = serde_json::from_slice(record.raw)
            .map_err(|e| TransformError::BadInput(format!("record {number} is not a JSON object: {e}")))?;
        let mut seen = HashSet::with_capacity(object.entries.len());
        match object.entries.iter().find(|(name, _)| !seen.insert(name.as_ref())) {
            Some((twice, _)) => {
                Err(TransformError::BadInput(format!("record {number} has the field `{twice}` twice")))
            }
            None => Ok(object),
        }
    }

    /// The value of a field.
    pub(crate) fn cell(&self, name: &str) -> Cell<'a> {
        let found = self.entries.iter().find(|(n, _)| n == name);
        found.map_or(Cell::Absent, |(_, value)| Cell::of_json(value))
    }

    /// Appends the fields that `keep` accepts as an object.
    pub(crate) fn write(&self, keep: impl Fn(&str) -> bool, output: &mut Vec<u8>) {
        output.push(b'{');
        let kept = self.entries.iter().filter(|(name, _)| keep(name));
        for (i, (name, value)) in kept.enumerate() {
            if i > 0 {
                output.push(b',');
            }
            write_json_string(name, output);
            output.push(b':');
            output.extend_from_slice(value.get().as_bytes());
        }
        output.push(b'}');
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    entries.push((name, map.next_value()?));
                }
                Ok(Object { entries })
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// A field name that is borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Appends `text` as a JSON string.
pub(crate) fn write_json_string(text: &str, output: &mut Vec<u8>) {
    output.push(b'"');
    for c in text.chars() {
        match c {
            '"' => output.extend_from_slice(b"\\\""),
            '\\' => output.extend_from_slice(b"\\\\"),
            '\n' => output.extend_from_slice(b"\\n"),
            '\r' => output.extend_from_slice(b"\\r"),
            '\t' => output.extend_from_slice(b"\\t"),
            c if c < ' ' => output.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes()),
            c => output.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    output.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(raw: &[u8]) -> Record<'_> {
        Record { raw, line_end: b"", fields: &[], number: 7, marked: false }
    }

    #[test]
    fn values_keep_their_writing() {
        let raw = br#"{"b": 12345678901234567890123, "a": 1.10, "n\u00e9": "\u00e9", "x": [1, {"y": 2}]}"#;
        let r = record(raw);
        let object = Object::read(&r).unwrap();
        let mut out = Vec::new();
        object.write(|name| name != "x", &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"b":12345678901234567890123,"a":1.10,"né":"\u00e9"}"#
        );
        assert_eq!(object.cell("b"), Cell::Number("12345678901234567890123"));
        assert_eq!(object.cell("né"), Cell::String("é".into()));
        assert_eq!(object.cell("x"), Cell::Nested);
        assert_eq!(object.cell("nothing"), Cell::Absent);
    }

    #[test]
    fn lines_that_are_not_objects_are_named() {
        for raw in [b"[1]".as_slice(), b"{\"a\":1", b"1", b"{\"a\":1} x", b"{\"a\":1,\"a\":2}", b"\xff"] {
            let e = Object::read(&record(raw)).unwrap_err();
            assert!(matches!(e, TransformError::BadInput(m) if m.starts_with("record 7 ")));
        }
    }

    proptest! {
        #[test]
        fn strings_are_written_as_serde_json_reads_them(text in any::<String>()) {
            let mut out = Vec::new();
            write_json_string(&text, &mut out);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
