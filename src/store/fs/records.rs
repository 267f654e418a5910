//! The catalog's records, in the same database and the same groups as everything else.

use async_trait::async_trait;
use redb::ReadableTable;

use super::FsStore;
use super::room::Level;
use super::rows::{decode_bytes, encode_bytes};
use super::tables::{RECORDS, Tx};
use crate::store::{Record, RecordChange, RecordTable, Result, StoreError};

#[async_trait]
impl RecordTable for FsStore {
    fn load(&self) -> Result<Vec<Record>> {
        let table = self.shared().view().txn.open_table(RECORDS)?;
        let mut records = Vec::new();
        for entry in table.range::<(&str, &str)>(..)? {
            let (key, value) = entry?;
            let (kind, name) = key.value();
            let value = match decode_bytes(RECORDS, &(kind, name), value.value()) {
                Ok(value) => value.to_vec(),
                Err(error) => return Err(StoreError::Corrupt(format!("record {kind}/{name}: {error}"))),
            };
            records.push(Record { kind: kind.into(), name: name.into(), value });
        }
        Ok(records)
    }

    async fn write(&self, changes: Vec<RecordChange>) -> Result<()> {
        if changes.iter().all(|change| change.value.is_none()) {
            return self.committer().run_freeing(|tx| apply(tx, changes)).await;
        }
        let run = move |tx: &mut Tx<'_>| {
            if tx.level < Level::Enough {
                let table = tx.records.table()?;
                for change in changes.iter().filter(|change| change.value.is_some()) {
                    if table.get((change.kind.as_str(), change.name.as_str()))?.is_none() {
                        return Err(StoreError::Full);
                    }
                }
            }
            apply(tx, changes)
        };
        self.committer().run_little(run).await
    }

    async fn write_from_reserve(&self, changes: Vec<RecordChange>) -> Result<()> {
        self.committer().run_little(|tx| apply(tx, changes)).await
    }
}

fn apply(tx: &mut Tx<'_>, changes: Vec<RecordChange>) -> Result<()> {
    let table = tx.records.table()?;
    for RecordChange { kind, name, value } in changes {
        let key = (kind.as_str(), name.as_str());
        match value {
            Some(value) => drop(table.insert(key, encode_bytes(RECORDS, &key, &value).as_slice())?),
            None => drop(table.remove(key)?),
        }
    }
    Ok(())
}
