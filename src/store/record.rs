//! Small named records, kept beside the objects by the same engine: the catalog's table.

use async_trait::async_trait;

use super::Result;

/// Kind of the records in which background work keeps its place; the catalog passes them over.
pub const TASK: &str = "task";

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Which family it belongs to, such as `access-point`.
    pub kind: String,
    /// Its name within the family.
    pub name: String,
    /// Its value, in whatever form the owner chose.
    pub value: Vec<u8>,
}

/// A change to one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordChange {
    /// Family.
    pub kind: String,
    /// Name within the family.
    pub name: String,
    /// The new value; `None` removes the record (which need not be there).
    pub value: Option<Vec<u8>>,
}

/// Keeps records. The owner loads all of them at start and answers reads from its own memory.
#[async_trait]
pub trait RecordTable: Send + Sync + std::fmt::Debug {
    /// All records, by kind and then by name.
    fn load(&self) -> Result<Vec<Record>>;

    /// Applies changes, in this order, all or none; durable (as the store's other writes are) on `Ok`. On a disk that
    /// is nearly full, records that are there may be changed and removed, so that what someone may do can be taken
    /// away; new ones are [`StoreError::Full`](super::StoreError::Full).
    async fn write(&self, changes: Vec<RecordChange>) -> Result<()>;

    /// As [`write`](Self::write), for a few new records that go with a change that is made already, and are soon
    /// removed: they have a part of the reserve.
    async fn write_from_reserve(&self, changes: Vec<RecordChange>) -> Result<()> {
        self.write(changes).await
    }
}
