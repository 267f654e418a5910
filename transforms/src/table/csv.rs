//! Fields and headers of CSV (RFC 4180).

use std::borrow::Cow;

use super::Record;
use crate::{TransformError, payload};

/// A field without its quotes. What follows a closing quote is kept, as most readers do.
pub(crate) fn decode_field(raw: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = raw.strip_prefix(b"\"") else { return Cow::Borrowed(raw) };
    if let Some(simple) = inner.strip_suffix(b"\"")
        && !simple.contains(&b'"')
    {
        return Cow::Borrowed(simple);
    }
    let mut decoded = Vec::with_capacity(inner.len());
    let mut rest = inner;
    loop {
        let Some(quote) = memchr::memchr(b'"', rest) else {
            decoded.extend_from_slice(rest);
            return Cow::Owned(decoded);
        };
        let (before, after) = rest.split_at(quote);
        decoded.extend_from_slice(before);
        match after {
            [_, b'"', more @ ..] => {
                decoded.push(b'"');
                rest = more;
            }
            [_, more @ ..] => {
                decoded.extend_from_slice(more);
                return Cow::Owned(decoded);
            }
            [] => return Cow::Owned(decoded),
        }
    }
}

/// Appends a value as a field, in quotes where it needs them.
pub(crate) fn write_field(value: &[u8], delimiter: u8, output: &mut Vec<u8>) {
    if !value.iter().any(|b| *b == delimiter || matches!(b, b'"' | b'\r' | b'\n')) {
        output.extend_from_slice(value);
        return;
    }
    output.push(b'"');
    for &b in value {
        if b == b'"' {
            output.push(b'"');
        }
        output.push(b);
    }
    output.push(b'"');
}

/// Appends fields that are in their final form, with delimiters between. A record of one empty field is written as
/// `""`, for a blank line would be no record.
pub(crate) fn write_record<'a>(
    fields: impl IntoIterator<Item = Cow<'a, [u8]>>,
    delimiter: u8,
    output: &mut Vec<u8>,
) {
    let start = output.len();
    for (i, field) in fields.into_iter().enumerate() {
        if i > 0 {
            output.push(delimiter);
        }
        output.extend_from_slice(&field);
    }
    if output.len() == start {
        output.extend_from_slice(b"\"\"");
    }
}

/// The names of a CSV's columns: its first record.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    names: Vec<String>,
}

impl Header {
    /// Reads the header.
    ///
    /// # Errors
    /// A name that is not UTF-8, or that two columns have.
    pub(crate) fn read(record: &Record<'_>) -> Result<Self, TransformError> {
        let mut names: Vec<String> = Vec::new();
        for i in 0..record.fields.len() {
            let name = String::from_utf8(decode_field(record.field(i)).into_owned()).map_err(|_| {
                TransformError::BadInput(format!("the name of column {} in the header is not UTF-8", i + 1))
            })?;
            names.push(name);
        }
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort_unstable();
        if let Some([twice, _]) = sorted.array_windows().find(|[a, b]| a == b) {
            return Err(TransformError::BadInput(format!("the header names column `{twice}` twice")));
        }
        Ok(Self { names })
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n == name)
    }

    /// The position of a column that must be there; `asker` says what wants it.
    pub(crate) fn require(&self, name: &str, asker: &str) -> Result<usize, TransformError> {
        self.position(name).ok_or_else(|| {
            let known = self.names.iter().map(String::as_str);
            let text = payload::unknown("column", name, known);
            TransformError::BadInput(format!("{asker}: {text}"))
        })
    }

    /// Refuses a record that has more or fewer fields than the header.
    pub(crate) fn check(&self, record: &Record<'_>) -> Result<(), TransformError> {
        let (found, expected) = (record.fields.len(), self.names.len());
        if found == expected {
            return Ok(());
        }
        let number = record.number;
        Err(TransformError::BadInput(format!(
            "record {number} has {found} fields, but the header has {expected}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_are_undone_leniently() {
        for (raw, decoded) in [
            ("", ""),
            ("a", "a"),
            ("\"\"", ""),
            ("\"a\"", "a"),
            ("\"a\"\"b\"", "a\"b"),
            ("\"a\"b", "ab"),
            ("a\"b", "a\"b"),
            ("\"", ""),
            ("\"\"\"\"", "\""),
        ] {
            assert_eq!(decode_field(raw.as_bytes()), decoded.as_bytes(), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in prop::collection::vec(any::<u8>(), 0..20)) {
            let mut out = Vec::new();
            write_field(&value, b',', &mut out);
            if !value.starts_with(b"\"") || out.len() != value.len() {
                prop_assert_eq!(decode_field(&out).into_owned(), value);
            }
        }
    }
}
