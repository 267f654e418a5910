//! `filter`: keeps rows and columns of CSV and JSON lines, by rules that may name the caller.

mod rows;
mod rule;
mod value;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use self::rule::{RulePayload, Rules};
use crate::stage::Passthrough;
use crate::table::{Dialect, Format, TableStage, delimiter};
use crate::{Context, Head, PayloadError, Stage, Transform, TransformError, payload};

/// Payload of `filter`.
///
/// ```json
/// {
///   "columns": ["id", "name", "country"],
///   "where": [
///     {"column": "country", "in": ["DE", "FR"]},
///     {"any": [
///       {"column": "team", "eq": {"identity": "tag:team"}},
///       {"identity": "tag:role", "eq": "auditor"}
///     ]}
///   ]
/// }
/// ```
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Payload {
    /// `csv` or `jsonl`; absent: by the object's Content-Type or key.
    format: Option<Format>,
    /// Delimiter of CSV; default a comma, or a tab for `.tsv`.
    delimiter: Option<String>,
    /// Columns to keep, in the order of the object.
    columns: Option<Vec<String>>,
    /// Columns to leave out. Not together with `columns`.
    drop: Option<Vec<String>>,
    /// Rules that must all hold for a row to be kept.
    r#where: Vec<RulePayload>,
}

/// Which columns are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Columns {
    All,
    Only(Vec<String>),
    Except(Vec<String>),
}

/// Builds `filter`.
///
/// # Errors
/// An unknown field, operator or attribute, a rule without a test, both `columns` and `drop`.
pub fn build(payload: &Value) -> Result<Arc<dyn Transform>, PayloadError> {
    let parsed: Payload = payload::parse("filter", payload)?;
    let delimiter = delimiter("filter", parsed.delimiter.as_deref())?;
    let columns = match (parsed.columns, parsed.drop) {
        (None, None) => Columns::All,
        (Some(only), None) if only.is_empty() => {
            return Err(payload::error("filter", "columns", "must name at least one column"));
        }
        (Some(only), None) => Columns::Only(only),
        (None, Some(except)) => Columns::Except(except),
        (Some(_), Some(_)) => {
            return Err(payload::error("filter", "drop", "cannot stand together with `columns`"));
        }
    };
    let rules = Rules::compile(parsed.r#where)?;
    Ok(Arc::new(Filter { format: parsed.format, delimiter, columns, rules: Arc::new(rules) }))
}

#[derive(Debug)]
struct Filter {
    format: Option<Format>,
    delimiter: Option<u8>,
    columns: Columns,
    rules: Arc<Rules>,
}

impl Transform for Filter {
    fn is_identity(&self) -> bool {
        self.columns == Columns::All && self.rules.is_empty()
    }

    fn varies_by_caller(&self) -> bool {
        self.rules.name_the_caller()
    }

    fn start(&self, context: &Context) -> Result<Box<dyn Stage>, TransformError> {
        if self.is_identity() {
            return Ok(Box::new(Passthrough::default()));
        }
        context.input.require_plain()?;
        let dialect = Dialect::of(&context.input, self.format, self.delimiter)?;
        let rules = Arc::clone(&self.rules);
        Ok(match dialect.format {
            Format::Csv => {
                let rows = rows::CsvRows::new(&self.columns, rules, context, dialect.delimiter);
                Box::new(TableStage::new(dialect, context, rows, Head::default()))
            }
            Format::Jsonl => {
                let rows = rows::JsonlRows::new(&self.columns, rules, context);
                Box::new(TableStage::new(dialect, context, rows, Head::default()))
            }
        })
    }
}

#[cfg(test)]
mod tests;
