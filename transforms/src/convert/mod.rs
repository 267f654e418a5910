//! `convert`: tables between CSV and JSON lines. Pictures are `image::convert`'s.

mod table;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use self::table::{Extra, TableConvert, Types};
use crate::table::{Format, delimiter};
use crate::{PayloadError, Transform, image, payload};

/// Everything that `to` may be.
const TARGETS: [&str; 5] = ["csv", "jsonl", "jpeg", "png", "webp"];

/// Payload of `convert` for tables.
///
/// ```json
/// {"to": "jsonl", "types": "inferred"}
/// ```
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Payload {
    /// `csv` or `jsonl` (or, for pictures, `jpeg`, `png` or `webp`).
    to: Option<String>,
    /// Delimiter of the CSV side; default a comma, or a tab for an object that is `.tsv`.
    delimiter: Option<String>,
    /// To JSON lines: `strings` (default), or `inferred`: numbers, booleans, and null for what is empty.
    types: Option<Types>,
    /// To CSV: the columns, in order; absent: the fields of the first record.
    columns: Option<Vec<String>>,
    /// To CSV: what a field beyond the columns is: an `error` (default), or something to `ignore`.
    extra: Option<Extra>,
}

/// Builds `convert`.
///
/// # Errors
/// No `to` or an unknown one, an unknown field, a field that belongs to the other direction.
pub fn build(payload: &Value) -> Result<Arc<dyn Transform>, PayloadError> {
    // For `jpg` too, so that the spelling is judged in one place.
    if let Some("jpeg" | "jpg" | "png" | "webp" | "gif") = payload.get("to").and_then(Value::as_str) {
        return image::convert::build(payload);
    }
    let parsed: Payload = payload::parse("convert", payload)?;
    let to = match parsed.to.as_deref() {
        Some("csv") => Format::Csv,
        Some("jsonl") => Format::Jsonl,
        Some(other) => {
            return Err(payload::error("convert", "to", payload::unknown("target", other, TARGETS)));
        }
        None => {
            let message = format!("is missing: one of {}", TARGETS.join(", "));
            return Err(payload::error("convert", "to", message));
        }
    };
    let delimiter = delimiter("convert", parsed.delimiter.as_deref())?;
    let belongs = |path: &str, to: &str| {
        let message = format!("belongs to conversion to {to} only");
        Err(payload::error("convert", path, message))
    };
    match to {
        Format::Csv if parsed.types.is_some() => return belongs("types", "jsonl"),
        Format::Jsonl if parsed.columns.is_some() => return belongs("columns", "csv"),
        Format::Jsonl if parsed.extra.is_some() => return belongs("extra", "csv"),
        Format::Csv | Format::Jsonl => {}
    }
    if parsed.columns.as_ref().is_some_and(Vec::is_empty) {
        return Err(payload::error("convert", "columns", "must name at least one column"));
    }
    Ok(Arc::new(TableConvert {
        to,
        delimiter,
        types: parsed.types.unwrap_or_default(),
        columns: parsed.columns,
        extra: parsed.extra.unwrap_or_default(),
    }))
}

#[cfg(test)]
mod tests;
