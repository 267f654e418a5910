//! Adding to records: what was there keeps its bytes.

use std::borrow::Cow;

use serde_json::Value;

use super::Existing;
use super::source::Bound;
use crate::TransformError;
use crate::table::{
    Cell, Header, Object, Record, Rows, decode_field, write_field, write_json_string, write_record,
};

type Column = (String, Bound);

pub(super) struct CsvRows {
    columns: Vec<Column>,
    existing: Existing,
    delimiter: u8,
    placed: Option<Placed>,
}

/// Where the columns go, once the header is known.
struct Placed {
    header: Header,
    /// For each column of the payload: the position of the present one that it replaces, if any.
    replaces: Vec<Option<usize>>,
    /// For each look-up: the position of the column whose value is looked up.
    on: Vec<usize>,
}

impl CsvRows {
    pub(super) fn new(columns: Vec<Column>, existing: Existing, delimiter: u8) -> Self {
        Self { columns, existing, delimiter, placed: None }
    }

    fn place(&mut self, record: &Record<'_>) -> Result<(), TransformError> {
        let header = Header::read(record)?;
        let present = |name: &str| header.position(name);
        if self.existing == Existing::Keep {
            self.columns.retain(|(name, _)| present(name).is_none());
        }
        let (mut replaces, mut on) = (Vec::new(), Vec::new());
        for (name, source) in &self.columns {
            let there = present(name);
            if there.is_some() && self.existing == Existing::Error {
                return Err(already_there(&format!("the header has a column `{name}`")));
            }
            replaces.push(there);
            on.push(match source {
                Bound::Fixed(_) => 0,
                Bound::Lookup(table, _) => header.require(&table.on, &format!("add.{name}.lookup.on"))?,
            });
        }
        self.placed = Some(Placed { header, replaces, on });
        Ok(())
    }

    /// Writes a record whose new fields are `new`, one for each column.
    fn write(&self, placed: &Placed, record: &Record<'_>, new: &[Vec<u8>], output: &mut Vec<u8>) {
        let appended = placed.replaces.iter().zip(new).filter(|(r, _)| r.is_none()).map(|(_, f)| f);
        if placed.replaces.iter().all(Option::is_none) {
            output.extend_from_slice(record.raw);
            for field in appended {
                output.push(self.delimiter);
                output.extend_from_slice(field);
            }
        } else {
            let present = (0..record.fields.len()).map(|i| {
                let by =
                    placed.replaces.iter().position(|r| *r == Some(i)).and_then(|column| new.get(column));
                Cow::Borrowed(by.map_or(record.field(i), Vec::as_slice))
            });
            let appended = appended.map(|f| Cow::Borrowed(f.as_slice()));
            write_record(present.chain(appended), self.delimiter, output);
        }
        output.extend_from_slice(record.line_end);
    }

    fn field(&self, value: &Value) -> Vec<u8> {
        let mut field = Vec::new();
        match value {
            Value::Null => {}
            Value::String(text) => write_field(text.as_bytes(), self.delimiter, &mut field),
            other => write_field(other.to_string().as_bytes(), self.delimiter, &mut field),
        }
        field
    }
}

impl Rows for CsvRows {
    fn row(&mut self, record: &Record<'_>, output: &mut Vec<u8>) -> Result<(), TransformError> {
        let Some(placed) = &self.placed else {
            if record.marked {
                output.extend_from_slice(b"\xef\xbb\xbf");
            }
            self.place(record)?;
            if let Some(placed) = &self.placed {
                let names = self.columns.iter().map(|(name, _)| self.field(&Value::String(name.clone())));
                let names: Vec<Vec<u8>> = names.collect();
                self.write(placed, record, &names, output);
            }
            return Ok(());
        };
        placed.header.check(record)?;
        let fields = self.columns.iter().zip(&placed.on).map(|((_, source), on)| match source {
            Bound::Fixed(value) => self.field(value),
            Bound::Lookup(table, default) => {
                let found = table.get(&decode_field(record.field(*on)));
                self.field(found.unwrap_or(default))
            }
        });
        let fields: Vec<Vec<u8>> = fields.collect();
        self.write(placed, record, &fields, output);
        Ok(())
    }
}

pub(super) struct JsonlRows {
    columns: Vec<Column>,
    existing: Existing,
}

impl JsonlRows {
    pub(super) fn new(columns: Vec<Column>, existing: Existing) -> Self {
        Self { columns, existing }
    }
}

impl Rows for JsonlRows {
    fn row(&mut self, record: &Record<'_>, output: &mut Vec<u8>) -> Result<(), TransformError> {
        let object = Object::read(record)?;
        let names = || self.columns.iter().map(|(name, _)| name.as_str());
        let has = |name: &str| object.entries.iter().any(|(n, _)| n == name);
        let keeps = |name: &str| match self.existing {
            Existing::Replace => !names().any(|n| n == name),
            Existing::Error | Existing::Keep => true,
        };
        if self.existing == Existing::Error
            && let Some(name) = names().find(|name| has(name))
        {
            return Err(already_there(&format!("record {} has a field `{name}`", record.number)));
        }
        let replaces = self.existing == Existing::Replace && names().any(has);
        let start = output.len();
        if replaces {
            object.write(keeps, output);
        } else {
            output.extend_from_slice(record.raw.trim_ascii_end());
        }
        // Off with the closing brace, on with the new fields.
        output.pop();
        let mut empty = output.get(start..).unwrap_or_default().trim_ascii() == b"{";
        for (name, source) in &self.columns {
            if self.existing == Existing::Keep && has(name) {
                continue;
            }
            if !std::mem::take(&mut empty) {
                output.push(b',');
            }
            write_json_string(name, output);
            output.push(b':');
            let value = match source {
                Bound::Fixed(value) => value,
                Bound::Lookup(table, default) => {
                    let cell = object.cell(&table.on);
                    let text = if cell == Cell::Absent { None } else { cell.text() };
                    text.and_then(|text| table.get(&text)).unwrap_or(default)
                }
            };
            match value {
                Value::String(text) => write_json_string(text, output),
                other => output.extend_from_slice(other.to_string().as_bytes()),
            }
        }
        output.push(b'}');
        output.extend_from_slice(record.line_end);
        Ok(())
    }
}

fn already_there(what: &str) -> TransformError {
    TransformError::BadInput(format!("{what} already: set `existing` to replace or keep"))
}
