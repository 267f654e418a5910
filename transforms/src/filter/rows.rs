//! Filtering record by record: the rows that are kept keep their bytes.

use std::borrow::Cow;
use std::sync::Arc;

use super::Columns;
use super::rule::Rules;
use crate::table::{Cell, Header, Object, Record, Rows, decode_field, write_record};
use crate::{Context, Identity, TransformError};

/// CSV, once the header is known.
struct Bound {
    header: Header,
    /// Positions of the columns to keep; `None` keeps records as they are.
    kept: Option<Vec<usize>>,
    /// Positions of the columns that the rules test.
    tested: Vec<usize>,
}

pub(super) struct CsvRows {
    columns: Columns,
    rules: Arc<Rules>,
    identity: Identity,
    delimiter: u8,
    bound: Option<Bound>,
}

impl CsvRows {
    pub(super) fn new(columns: &Columns, rules: Arc<Rules>, context: &Context, delimiter: u8) -> Self {
        Self { columns: columns.clone(), rules, identity: context.identity.clone(), delimiter, bound: None }
    }

    /// Finds the columns of the payload in the header. One that is not there is an error, for a rule or a list that
    /// silently meant nothing would let through what it was written to hold back.
    fn bind(&self, record: &Record<'_>) -> Result<Bound, TransformError> {
        let header = Header::read(record)?;
        let positions = |names: &[String], list: &str| -> Result<Vec<usize>, TransformError> {
            let each = names.iter().enumerate();
            each.map(|(i, name)| header.require(name, &format!("{list}[{i}]"))).collect()
        };
        let kept = match &self.columns {
            Columns::All => None,
            Columns::Only(names) => {
                let mut kept = positions(names, "columns")?;
                kept.sort_unstable();
                kept.dedup();
                Some(kept)
            }
            Columns::Except(names) => {
                let dropped = positions(names, "drop")?;
                Some((0..header.names().len()).filter(|i| !dropped.contains(i)).collect())
            }
        };
        let named = self.rules.columns().iter();
        let tested = named.map(|c| header.require(&c.name, &c.path)).collect::<Result<_, _>>()?;
        Ok(Bound { header, kept, tested })
    }
}

impl Rows for CsvRows {
    fn row(&mut self, record: &Record<'_>, output: &mut Vec<u8>) -> Result<(), TransformError> {
        let bound = match &self.bound {
            Some(bound) => {
                bound.header.check(record)?;
                let cell = |i: usize| match bound.tested.get(i) {
                    Some(position) => Cell::Text(decode_field(record.field(*position))),
                    None => Cell::Absent,
                };
                if !self.rules.keep(&self.identity, &cell) {
                    return Ok(());
                }
                bound
            }
            None => {
                if record.marked {
                    output.extend_from_slice(b"\xef\xbb\xbf");
                }
                let bound = self.bind(record)?;
                self.bound.insert(bound)
            }
        };
        match &bound.kept {
            None => output.extend_from_slice(record.raw),
            Some(kept) => {
                let fields = kept.iter().map(|i| Cow::Borrowed(record.field(*i)));
                write_record(fields, self.delimiter, output);
            }
        }
        output.extend_from_slice(record.line_end);
        Ok(())
    }
}

pub(super) struct JsonlRows {
    columns: Columns,
    rules: Arc<Rules>,
    identity: Identity,
}

impl JsonlRows {
    pub(super) fn new(columns: &Columns, rules: Arc<Rules>, context: &Context) -> Self {
        Self { columns: columns.clone(), rules, identity: context.identity.clone() }
    }
}

impl Rows for JsonlRows {
    fn row(&mut self, record: &Record<'_>, output: &mut Vec<u8>) -> Result<(), TransformError> {
        let object = Object::read(record)?;
        let cell = |i: usize| self.rules.columns().get(i).map_or(Cell::Absent, |c| object.cell(&c.name));
        if !self.rules.keep(&self.identity, &cell) {
            return Ok(());
        }
        match &self.columns {
            Columns::All => output.extend_from_slice(record.raw),
            Columns::Only(names) => object.write(|name| names.iter().any(|n| n == name), output),
            Columns::Except(names) => object.write(|name| !names.iter().any(|n| n == name), output),
        }
        output.extend_from_slice(record.line_end);
        Ok(())
    }
}
