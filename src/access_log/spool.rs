//! Lines that are not delivered yet, kept as records of the store: a crash loses those of the last second only.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bucket::Logging;
use crate::store::record::TASK;
use crate::store::{RecordChange, RecordTable, Result, StoreError};

/// Start of the names of the records.
const PREFIX: &str = "access-log/";

/// Some lines of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chunk {
    pub(super) bucket: String,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) logging: Logging,
    /// When the first request of the batch came.
    pub(super) event: Timestamp,
    /// When its first line came.
    pub(super) since: Timestamp,
    pub(super) text: String,
}

/// A chunk with the number of its batch and its own in that.
pub(super) type Kept = (u64, u32, Chunk);

/// Keeps chunks, under the number of their batch and their own in it.
#[derive(Debug)]
pub(super) struct Spool(Arc<dyn RecordTable>);

fn name(batch: u64, number: u32) -> String {
    format!("{PREFIX}{batch:016x}/{number:08x}")
}

impl Spool {
    /// The keeper, and what the last process left: batch, number and chunk, in order. A record that cannot be read is
    /// told and passed over.
    pub(super) fn open(table: Arc<dyn RecordTable>) -> Result<(Self, Vec<Kept>)> {
        let mut left = Vec::new();
        for record in table.load()? {
            let Some(rest) = record.name.strip_prefix(PREFIX).filter(|_| record.kind == TASK) else {
                continue;
            };
            let numbers = rest.split_once('/').and_then(|(batch, number)| {
                Some((u64::from_str_radix(batch, 16).ok()?, u32::from_str_radix(number, 16).ok()?))
            });
            match (numbers, serde_json::from_slice(&record.value)) {
                (Some((batch, number)), Ok(chunk)) => left.push((batch, number, chunk)),
                (_, read) => {
                    let error = read.err().map(|error| error.to_string());
                    tracing::warn!(name = %record.name, error, "kept lines of an access log cannot be read");
                }
            }
        }
        Ok((Self(table), left))
    }

    pub(super) async fn add(&self, chunks: Vec<Kept>) -> Result<()> {
        let change = |(batch, number, chunk): Kept| {
            let value = serde_json::to_vec(&chunk).map_err(|error| StoreError::Engine(error.to_string()))?;
            Ok(RecordChange { kind: TASK.into(), name: name(batch, number), value: Some(value) })
        };
        self.0.write(chunks.into_iter().map(change).collect::<Result<_>>()?).await
    }

    /// Forgets the first `count` chunks of a batch.
    pub(super) async fn forget(&self, batch: u64, count: u32) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        let change = |number| RecordChange { kind: TASK.into(), name: name(batch, number), value: None };
        self.0.write((0..count).map(change).collect()).await
    }
}
