//! Look-up tables: objects of the same bucket, read into memory at the start of a run.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::table::{Cell, Dialect, Format, Header, Object, Reader, Record, by_name, decode_field};
use crate::{Context, TransformError};

/// A look-up, as the payload has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lookup {
    /// Key of the table's object, CSV or JSON lines, in the bucket of the object that is read.
    pub(super) key: String,
    /// Column of the object whose value is looked up.
    pub(super) on: String,
    /// Column of the table that it is looked up in; absent: the same name.
    #[serde(default)]
    r#match: Option<String>,
    /// Column of the table that is taken.
    take: String,
    /// `csv` or `jsonl`; absent: by the table's key, else CSV.
    #[serde(default)]
    format: Option<Format>,
}

/// A table in memory: from the value that is looked up to the value that is taken.
pub(super) struct Table {
    /// Column of the object whose value is looked up.
    pub(super) on: String,
    values: Arc<HashMap<Vec<u8>, Value>>,
}

impl Table {
    pub(super) fn get(&self, value: &[u8]) -> Option<&Value> {
        self.values.get(value)
    }
}

impl Lookup {
    /// Reads the table from the run's resources. Where two records match the first one counts.
    pub(super) fn load(&self, context: &Context) -> Result<Table, TransformError> {
        let refuse = |message: String| TransformError::Resource { key: self.key.clone(), message };
        let bytes = context.resources.get(&self.key).ok_or_else(|| refuse("was not found".into()))?;
        if bytes.len() as u64 > context.limits.buffered_bytes {
            let limit = context.limits.buffered_bytes;
            return Err(TransformError::Limit { what: "bytes of a look-up table", limit });
        }
        let (format, delimiter) = by_name(&self.key).unwrap_or((Format::Csv, b','));
        let dialect = Dialect { format: self.format.unwrap_or(format), delimiter };
        let mut reader = Reader::new(dialect, &context.limits);
        reader.push(bytes);
        let mut values = HashMap::new();
        let mut columns = None;
        let own = |e: TransformError| match e {
            TransformError::BadInput(message) => refuse(message),
            other => other,
        };
        while let Some(record) = reader.next(true).map_err(own)? {
            let entry = match dialect.format {
                Format::Csv => self.csv_entry(&record, &mut columns),
                Format::Jsonl => self.jsonl_entry(&record),
            };
            if let Some((key, value)) = entry.map_err(own)? {
                values.entry(key).or_insert(value);
            }
        }
        Ok(Table { on: self.on.clone(), values: Arc::new(values) })
    }

    fn matched(&self) -> &str {
        self.r#match.as_deref().unwrap_or(&self.on)
    }

    fn csv_entry(
        &self,
        record: &Record<'_>,
        columns: &mut Option<(Header, usize, usize)>,
    ) -> Result<Option<(Vec<u8>, Value)>, TransformError> {
        let Some((header, matched, taken)) = columns else {
            let header = Header::read(record)?;
            let (matched, taken) =
                (header.require(self.matched(), "match")?, header.require(&self.take, "take")?);
            *columns = Some((header, matched, taken));
            return Ok(None);
        };
        header.check(record)?;
        let key = decode_field(record.field(*matched)).into_owned();
        let value = String::from_utf8(decode_field(record.field(*taken)).into_owned())
            .map_err(|_| TransformError::BadInput(format!("record {} is not UTF-8", record.number)))?;
        Ok(Some((key, Value::String(value))))
    }

    fn jsonl_entry(&self, record: &Record<'_>) -> Result<Option<(Vec<u8>, Value)>, TransformError> {
        let object = Object::read(record)?;
        let Some(key) = object.cell(self.matched()).text().map(std::borrow::Cow::into_owned) else {
            return Ok(None);
        };
        let value = match object.cell(&self.take) {
            Cell::Absent => return Ok(None),
            Cell::String(text) => Value::String(text.into_owned()),
            Cell::Bool(b) => Value::Bool(b),
            // A number that would lose digits goes over as text.
            Cell::Number(text) => match serde_json::from_str::<Value>(text) {
                Ok(value) if same_text(&value, text) => value,
                _ => Value::String(text.to_owned()),
            },
            Cell::Text(_) | Cell::Nested => {
                let (number, take) = (record.number, &self.take);
                return Err(TransformError::BadInput(format!(
                    "record {number}: `{take}` is not a single value"
                )));
            }
        };
        Ok(Some((key, value)))
    }
}

/// Whether a number is written again as it was.
fn same_text(value: &Value, text: &str) -> bool {
    let written = value.to_string();
    written == text
}
