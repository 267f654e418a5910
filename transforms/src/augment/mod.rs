//! `augment`: adds columns or fields to CSV and JSON lines.

mod lookup;
mod rows;
mod source;

use std::sync::Arc;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use self::source::Source;
use crate::table::{Dialect, Format, TableStage, delimiter};
use crate::{Context, Head, PayloadError, Stage, Transform, TransformError, payload};

/// Columns that one payload may add.
const COLUMNS_MAX: usize = 64;

/// Payload of `augment`.
///
/// ```json
/// {
///   "add": {
///     "source": "crm",
///     "viewer": {"identity": "user_name", "default": "anonymous"},
///     "stored": {"object": "last_modified"},
///     "country_name": {
///       "lookup": {"key": "countries.csv", "on": "country", "match": "code", "take": "name"},
///       "default": "unknown"
///     }
///   }
/// }
/// ```
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Payload {
    /// `csv` or `jsonl`; absent: by the object's Content-Type or key.
    format: Option<Format>,
    /// Delimiter of CSV; default a comma, or a tab for `.tsv`.
    delimiter: Option<String>,
    /// Name of each new column and where its value comes from, in order.
    add: IndexMap<String, Value>,
    /// What to do where the object has such a column already: `error` (default), `replace` it, or `keep` it.
    existing: Existing,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Existing {
    #[default]
    Error,
    Replace,
    Keep,
}

/// Builds `augment`.
///
/// # Errors
/// An unknown field, attribute or source, more than 64 columns.
pub fn build(payload: &Value) -> Result<Arc<dyn Transform>, PayloadError> {
    let parsed: Payload = payload::parse("augment", payload)?;
    let delimiter = delimiter("augment", parsed.delimiter.as_deref())?;
    if parsed.add.len() > COLUMNS_MAX {
        let message = format!("has more than {COLUMNS_MAX} columns");
        return Err(payload::error("augment", "add", message));
    }
    let mut add = Vec::new();
    for (name, value) in parsed.add {
        let source = Source::read(&value, &format!("add.{name}"))?;
        add.push((name, source));
    }
    Ok(Arc::new(Augment { format: parsed.format, delimiter, add, existing: parsed.existing }))
}

#[derive(Debug)]
struct Augment {
    format: Option<Format>,
    delimiter: Option<u8>,
    add: Vec<(String, Source)>,
    existing: Existing,
}

impl Transform for Augment {
    fn resources(&self) -> Vec<String> {
        let mut keys: Vec<String> =
            self.add.iter().filter_map(|(_, s)| s.resource()).map(str::to_owned).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn is_identity(&self) -> bool {
        self.add.is_empty()
    }

    fn varies_by_caller(&self) -> bool {
        self.add.iter().any(|(_, source)| source.names_the_caller())
    }

    fn start(&self, context: &Context) -> Result<Box<dyn Stage>, TransformError> {
        if self.is_identity() {
            return Ok(Box::new(crate::stage::Passthrough::default()));
        }
        context.input.require_plain()?;
        let dialect = Dialect::of(&context.input, self.format, self.delimiter)?;
        let mut columns = Vec::new();
        for (name, source) in &self.add {
            columns.push((name.clone(), source.bind(context)?));
        }
        let head = Head::default();
        Ok(match dialect.format {
            Format::Csv => {
                let rows = rows::CsvRows::new(columns, self.existing, dialect.delimiter);
                Box::new(TableStage::new(dialect, context, rows, head))
            }
            Format::Jsonl => {
                let rows = rows::JsonlRows::new(columns, self.existing);
                Box::new(TableStage::new(dialect, context, rows, head))
            }
        })
    }
}

#[cfg(test)]
mod tests;
