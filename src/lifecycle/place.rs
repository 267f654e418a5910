//! Where the worker stopped: one record, so that a restart goes on there.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::store::record::TASK;
use crate::store::{RecordChange, RecordTable, Result, StoreError};

/// Name of the record.
const NAME: &str = "lifecycle";

/// A place in a pass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The bucket.
    pub(super) bucket: String,
    /// The last key that is done with; `None` where the bucket was only begun.
    pub(super) key: Option<String>,
}

/// Keeps the place.
#[derive(Debug)]
pub(super) struct Places {
    table: Arc<dyn RecordTable>,
    written: bool,
}

impl Places {
    /// The keeper, and the place where the last process stopped, if it stopped in a pass. A record that cannot be
    /// read means a pass from the start, which does no harm.
    pub(super) fn open(table: Arc<dyn RecordTable>) -> Result<(Self, Option<Place>)> {
        let records = table.load()?;
        let found = records.iter().find(|record| record.kind == TASK && record.name == NAME);
        let place = found.and_then(|record| serde_json::from_slice(&record.value).ok());
        Ok((Self { table, written: found.is_some() }, place))
    }

    /// Writes the place down.
    pub(super) async fn set(&mut self, place: &Place) -> Result<()> {
        let value = serde_json::to_vec(place).map_err(|error| StoreError::Engine(error.to_string()))?;
        self.written = true;
        self.write(Some(value)).await
    }

    /// The pass is over.
    pub(super) async fn clear(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.written) {
            return Ok(());
        }
        self.write(None).await
    }

    async fn write(&self, value: Option<Vec<u8>>) -> Result<()> {
        self.table.write(vec![RecordChange { kind: TASK.into(), name: NAME.into(), value }]).await
    }
}
