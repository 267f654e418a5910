//! How far each mapping has come in its queue: records of the store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::notification::queue_reader::Position;
use crate::store::record::TASK;
use crate::store::{RecordChange, RecordTable, Result, StoreError};

/// Start of the names of the records.
const PREFIX: &str = "event-source/";

/// The places of all mappings.
#[derive(Debug)]
pub struct Places {
    table: Arc<dyn RecordTable>,
    known: Mutex<BTreeMap<String, Position>>,
}

impl Places {
    /// Opens them. Reads the records, and blocks for that.
    ///
    /// # Errors
    /// The records cannot be read.
    pub fn open(table: Arc<dyn RecordTable>) -> Result<Self> {
        let mut known = BTreeMap::new();
        for record in table.load()? {
            let Some(uuid) = record.name.strip_prefix(PREFIX).filter(|_| record.kind == TASK) else {
                continue;
            };
            match serde_json::from_slice(&record.value) {
                Ok(place) => drop(known.insert(uuid.to_owned(), place)),
                Err(error) => {
                    tracing::warn!(uuid, %error, "the place of an event source mapping cannot be read");
                }
            }
        }
        Ok(Self { table, known: Mutex::new(known) })
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Position>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far a mapping has come; `None`: it has not begun.
    #[must_use]
    pub fn get(&self, uuid: &str) -> Option<Position> {
        self.known().get(uuid).cloned()
    }

    /// Keeps how far a mapping has come.
    ///
    /// # Errors
    /// The store's.
    pub async fn put(&self, uuid: &str, place: Position) -> Result<()> {
        let value = serde_json::to_vec(&place).map_err(|error| StoreError::Engine(error.to_string()))?;
        self.known().insert(uuid.to_owned(), place);
        self.write(vec![(uuid.to_owned(), Some(value))]).await
    }

    /// Forgets those of mappings that are gone.
    pub async fn keep(&self, is_there: impl Fn(&str) -> bool) {
        let gone: Vec<String> = self.known().keys().filter(|uuid| !is_there(uuid)).cloned().collect();
        if gone.is_empty() {
            return;
        }
        let changes = gone.iter().map(|uuid| (uuid.clone(), None)).collect();
        match self.write(changes).await {
            Ok(()) => self.known().retain(|uuid, _| !gone.contains(uuid)),
            Err(error) => tracing::warn!(%error, "places of event source mappings cannot be forgotten"),
        }
    }

    async fn write(&self, changes: Vec<(String, Option<Vec<u8>>)>) -> Result<()> {
        let change =
            |(uuid, value)| RecordChange { kind: TASK.into(), name: format!("{PREFIX}{uuid}"), value };
        self.table.write(changes.into_iter().map(change).collect()).await
    }
}
