//! Tables as records: CSV and JSON lines, read a record at a time with bounded memory.

mod caller;
mod cell;
mod csv;
mod jsonl;
mod reader;
mod stage;

use serde::Deserialize;

pub(crate) use self::caller::Attribute;
pub(crate) use self::cell::Cell;
pub(crate) use self::csv::{Header, decode_field, write_field, write_record};
pub(crate) use self::jsonl::{Object, write_json_string};
pub(crate) use self::reader::{Reader, Record};
pub(crate) use self::stage::{Rows, TableStage};

use crate::payload::error;
use crate::{Input, PayloadError, TransformError};

/// A table format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Csv,
    Jsonl,
}

/// A table format with its delimiter, which JSON lines do not use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) format: Format,
    pub(crate) delimiter: u8,
}

impl Dialect {
    /// What the payload says, else what the object's Content-Type says, else what its key ends in.
    pub(crate) fn of(
        input: &Input,
        format: Option<Format>,
        delimiter: Option<u8>,
    ) -> Result<Self, TransformError> {
        let found = by_type(&input.media_type()).or_else(|| by_name(&input.key));
        let (format, usual) = match (format, found) {
            (Some(format), Some((found, usual))) if format == found => (format, usual),
            (Some(format), _) => (format, b','),
            (None, Some(found)) => found,
            (None, None) => {
                let stated = input.content_type.as_deref().unwrap_or("none");
                return Err(TransformError::BadInput(format!(
                    "the object is neither CSV nor JSON lines by its Content-Type ({stated}) or key: \
                     set `format` to csv or jsonl"
                )));
            }
        };
        Ok(Self { format, delimiter: delimiter.unwrap_or(usual) })
    }
}

fn by_type(media_type: &str) -> Option<(Format, u8)> {
    match media_type {
        "text/csv" | "application/csv" | "text/x-csv" => Some((Format::Csv, b',')),
        "text/tab-separated-values" => Some((Format::Csv, b'\t')),
        "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/x-jsonl"
        | "application/jsonlines"
        | "application/x-jsonlines"
        | "application/json-lines"
        | "text/jsonl" => Some((Format::Jsonl, b',')),
        _ => None,
    }
}

/// What the ending of a key says.
pub(crate) fn by_name(key: &str) -> Option<(Format, u8)> {
    let (_, ending) = key.rsplit_once('.')?;
    match ending.to_ascii_lowercase().as_str() {
        "csv" => Some((Format::Csv, b',')),
        "tsv" => Some((Format::Csv, b'\t')),
        "jsonl" | "ndjson" => Some((Format::Jsonl, b',')),
        _ => None,
    }
}

/// Checks a payload's `delimiter`: one ASCII character that cannot be a part of anything else.
pub(crate) fn delimiter(transform: &str, text: Option<&str>) -> Result<Option<u8>, PayloadError> {
    match text.map(str::as_bytes) {
        None => Ok(None),
        Some([b]) if b.is_ascii() && !matches!(b, b'"' | b'\n' | b'\r' | 0) => Ok(Some(*b)),
        Some(_) => {
            let rule = "must be one ASCII character other than a quote or a line end";
            Err(error(transform, "delimiter", rule))
        }
    }
}
