//! CSV to JSON lines and back, a record at a time.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::stage::Passthrough;
use crate::table::{
    Cell, Dialect, Format, Header, Object, Record, Rows, TableStage, decode_field, write_field,
    write_json_string, write_record,
};
use crate::{Context, Head, Stage, Transform, TransformError, payload};

/// How fields of CSV become JSON values.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Types {
    #[default]
    Strings,
    Inferred,
}

/// What a field without a column is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Extra {
    #[default]
    Error,
    Ignore,
}

#[derive(Debug)]
pub(super) struct TableConvert {
    pub(super) to: Format,
    pub(super) delimiter: Option<u8>,
    pub(super) types: Types,
    pub(super) columns: Option<Vec<String>>,
    pub(super) extra: Extra,
}

impl Transform for TableConvert {
    fn start(&self, context: &Context) -> Result<Box<dyn Stage>, TransformError> {
        context.input.require_plain()?;
        // An object that says nothing about its format is taken for the one that there is something to do with.
        let other = if self.to == Format::Csv { Format::Jsonl } else { Format::Csv };
        let delimiter = if self.to == Format::Csv { None } else { self.delimiter };
        let found = Dialect::of(&context.input, None, delimiter)
            .or_else(|_| Dialect::of(&context.input, Some(other), delimiter))?;
        if found.format == self.to {
            return Ok(Box::new(Passthrough::default()));
        }
        let delimiter = self.delimiter.unwrap_or(b',');
        let content_type = match (self.to, delimiter) {
            (Format::Jsonl, _) => "application/x-ndjson",
            (Format::Csv, b'\t') => "text/tab-separated-values; charset=utf-8",
            (Format::Csv, _) => "text/csv; charset=utf-8",
        };
        let head = Head { content_type: Some(content_type.to_owned()), ..Head::default() };
        Ok(match self.to {
            Format::Jsonl => {
                let rows = ToJsonl { types: self.types, names: None };
                Box::new(TableStage::new(found, context, rows, head))
            }
            Format::Csv => {
                let mut rows = ToCsv { columns: Vec::new(), begun: false, extra: self.extra, delimiter };
                if let Some(columns) = &self.columns {
                    rows.columns.clone_from(columns);
                }
                Box::new(TableStage::new(found, context, rows, head))
            }
        })
    }
}

struct ToJsonl {
    types: Types,
    /// The header, and its names as JSON keys: `{"id":`, `,"name":`.
    names: Option<(Header, Vec<Vec<u8>>)>,
}

impl Rows for ToJsonl {
    fn row(&mut self, record: &Record<'_>, output: &mut Vec<u8>) -> Result<(), TransformError> {
        let Some((header, keys)) = &self.names else {
            let header = Header::read(record)?;
            let keys = header.names().iter().enumerate().map(|(i, name)| {
                let mut key = vec![if i == 0 { b'{' } else { b',' }];
                write_json_string(name, &mut key);
                key.push(b':');
                key
            });
            let keys = keys.collect();
            self.names = Some((header, keys));
            return Ok(());
        };
        header.check(record)?;
        for (i, key) in keys.iter().enumerate() {
            output.extend_from_slice(key);
            let value = decode_field(record.field(i));
            let Ok(text) = std::str::from_utf8(&value) else {
                let (number, name) = (record.number, header.names().get(i).map_or("", String::as_str));
                let message = format!("record {number}, column `{name}`: not UTF-8, which JSON must be");
                return Err(TransformError::BadInput(message));
            };
            match (self.types, text) {
                (Types::Inferred, "") => output.extend_from_slice(b"null"),
                (Types::Inferred, "true" | "false") => output.extend_from_slice(text.as_bytes()),
                (Types::Inferred, _) if is_json_number(text) => output.extend_from_slice(text.as_bytes()),
                _ => write_json_string(text, output),
            }
        }
        output.extend_from_slice(b"}\n");
        Ok(())
    }
}

/// Whether text is a number in JSON's grammar (RFC 8259 section 6), and so goes over as it is written. `007` and
/// `+49` are none.
pub(super) fn is_json_number(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| b == b'-' || b.is_ascii_digit())
        && text.bytes().last().is_some_and(|b| b.is_ascii_digit())
        && serde_json::from_str::<&RawValue>(text).is_ok()
}

struct ToCsv {
    /// Names of the columns; before the first record those of the payload, or none.
    columns: Vec<String>,
    begun: bool,
    extra: Extra,
    delimiter: u8,
}

impl ToCsv {
    fn header(&mut self, output: &mut Vec<u8>) {
        self.begun = true;
        let names = self.columns.iter().map(|name| encoded(name.as_bytes(), self.delimiter));
        write_record(names, self.delimiter, output);
        output.push(b'\n');
    }
}

impl Rows for ToCsv {
    fn row(&mut self, record: &Record<'_>, output: &mut Vec<u8>) -> Result<(), TransformError> {
        let object = Object::read(record)?;
        if !self.begun {
            if self.columns.is_empty() {
                self.columns = object.entries.iter().map(|(name, _)| name.to_string()).collect();
            }
            if self.columns.is_empty() {
                let text = "the first record has no fields, and `columns` does not name the columns";
                return Err(TransformError::BadInput(text.into()));
            }
            self.header(output);
        }
        if self.extra == Extra::Error {
            let unknown = object.entries.iter().find(|(name, _)| !self.columns.iter().any(|c| c == name));
            if let Some((name, _)) = unknown {
                let number = record.number;
                let text = payload::unknown("field", name, self.columns.iter().map(String::as_str));
                return Err(TransformError::BadInput(format!(
                    "record {number}: {text}; list it in `columns`, or set `extra` to ignore"
                )));
            }
        }
        let fields = self.columns.iter().map(|column| {
            let found = object.entries.iter().find(|(name, _)| name == column);
            match found.map(|(_, value)| (Cell::of_json(value), value.get())) {
                None => Cow::Borrowed(&[][..]),
                Some((Cell::Nested, text)) => encoded(text.as_bytes(), self.delimiter),
                Some((cell, _)) => {
                    let text = cell.text().unwrap_or_default();
                    Cow::Owned(encoded(&text, self.delimiter).into_owned())
                }
            }
        });
        write_record(fields, self.delimiter, output);
        output.push(b'\n');
        Ok(())
    }

    fn end(&mut self, output: &mut Vec<u8>) -> Result<(), TransformError> {
        // An object without records still has the columns that the payload names.
        if !self.begun && !self.columns.is_empty() {
            self.header(output);
        }
        Ok(())
    }
}

fn encoded(value: &[u8], delimiter: u8) -> Cow<'_, [u8]> {
    let mut field = Vec::with_capacity(value.len() + 2);
    write_field(value, delimiter, &mut field);
    Cow::Owned(field)
}
