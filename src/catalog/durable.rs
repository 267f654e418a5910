//! The durable catalog, over a table of records that the store engine keeps.

use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::identities::Entity;
use super::{Catalog, Change, Decide, View};
use crate::error::ApiError;
use crate::store::{Record, RecordChange, RecordTable};

/// A catalog whose records outlive the process.
#[derive(Debug)]
pub struct RecordsCatalog<T> {
    table: Arc<T>,
    view: Arc<ArcSwap<View>>,
    writer: Arc<Mutex<()>>,
}

impl<T: RecordTable + 'static> RecordsCatalog<T> {
    /// Reads all records. A record that cannot be read, or of an unknown kind, is an error: skipping one could
    /// lose a policy.
    pub fn open(table: Arc<T>) -> Result<Self, ApiError> {
        let mut view = View::default();
        for Record { kind, name, value } in table.load()? {
            // Where background work stopped is that work's own.
            if kind == crate::store::record::TASK {
                continue;
            }
            view.apply(decode(&kind, &name, &value)?);
        }
        Ok(Self { table, view: Arc::new(ArcSwap::from_pointee(view)), writer: Arc::default() })
    }
}

#[async_trait]
impl<T: RecordTable + 'static> Catalog for RecordsCatalog<T> {
    fn snapshot(&self) -> Arc<View> {
        self.view.load_full()
    }

    async fn update(&self, change: Decide) -> Result<(), ApiError> {
        let (table, view) = (Arc::clone(&self.table), Arc::clone(&self.view));
        let turn = Arc::clone(&self.writer).lock_owned().await;
        let mut next = View::clone(&view.load());
        let changes = change(&next)?;
        let rows = changes.iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        for change in changes {
            next.apply(change);
        }
        // In a task of its own: a caller that goes away must not leave the table ahead of the view.
        let task = tokio::spawn(async move {
            let _turn = turn;
            table.write(rows).await?;
            view.store(Arc::new(next));
            Ok(())
        });
        task.await.map_err(|error| ApiError::internal(format!("catalog update: {error}")))?
    }
}

fn encode(change: &Change) -> Result<RecordChange, ApiError> {
    fn row(kind: &str, name: &str, value: Option<Vec<u8>>) -> RecordChange {
        RecordChange { kind: kind.to_owned(), name: name.to_owned(), value }
    }
    fn json(record: &impl Serialize) -> Result<Option<Vec<u8>>, ApiError> {
        serde_json::to_vec(record).map(Some).map_err(|error| ApiError::internal(error.to_string()))
    }
    Ok(match change {
        Change::PutAccessPoint(point) => row("access-point", &point.name, json(point)?),
        Change::DeleteAccessPoint(name) => row("access-point", name, None),
        Change::PutObjectLambda(point) => row("object-lambda", &point.name, json(point)?),
        Change::DeleteObjectLambda(name) => row("object-lambda", name, None),
        Change::PutFunction(function) => row("function", &function.name, json(function)?),
        Change::DeleteFunction(name) => row("function", name, None),
        Change::PutAccessKey(key) => row("access-key", &key.access_key_id, json(key)?),
        Change::DeleteAccessKey(id) => row("access-key", id, None),
        Change::PutAccount(account) => row("account", &account.account_id, json(account)?),
        Change::DeleteAccount(id) => row("account", id, None),
        Change::PutKmsKey(key) => row("kms-key", &key.name, json(key)?),
        Change::PutAccountBlock(account, block) => row("account-block", account, json(block)?),
        Change::DeleteAccountBlock(account) => row("account-block", account, None),
        Change::PutIdentity(entity) => {
            let bytes = entity.to_json().map_err(|error| ApiError::internal(error.to_string()))?;
            row(entity.kind().record(), &entity.key(), Some(bytes))
        }
        Change::DeleteIdentity(kind, key) => row(kind.record(), key, None),
    })
}

fn decode(kind: &str, name: &str, bytes: &[u8]) -> Result<Change, ApiError> {
    fn json<R: DeserializeOwned>(kind: &str, name: &str, bytes: &[u8]) -> Result<R, ApiError> {
        serde_json::from_slice(bytes)
            .map_err(|error| ApiError::internal(format!("catalog record {kind}/{name}: {error}")))
    }
    Ok(match kind {
        "access-point" => Change::PutAccessPoint(json(kind, name, bytes)?),
        "object-lambda" => Change::PutObjectLambda(json(kind, name, bytes)?),
        "function" => Change::PutFunction(json(kind, name, bytes)?),
        "access-key" => Change::PutAccessKey(json(kind, name, bytes)?),
        "account" => Change::PutAccount(json(kind, name, bytes)?),
        "kms-key" => Change::PutKmsKey(json(kind, name, bytes)?),
        "account-block" => Change::PutAccountBlock(name.to_owned(), json(kind, name, bytes)?),
        _ => match Entity::from_json(kind, bytes) {
            Some(Ok(entity)) => Change::PutIdentity(Box::new(entity)),
            Some(Err(error)) => {
                return Err(ApiError::internal(format!("catalog record {kind}/{name}: {error}")));
            }
            None => return Err(ApiError::internal(format!("catalog record {name}: unknown kind {kind}"))),
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::catalog::PublicAccessBlock;
    use crate::clock::SystemClock;
    use crate::store::memory::MemoryStore;

    #[tokio::test]
    async fn a_reload_shows_the_same_view() {
        let table = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let catalog = RecordsCatalog::open(Arc::clone(&table)).unwrap();
        let point = crate::catalog::AccessPoint {
            name: "ap1".into(),
            account_id: "000000000000".into(),
            bucket: "photos".into(),
            alias: "ap1-x-s3alias".into(),
            created: jiff::Timestamp::UNIX_EPOCH,
            public_access_block: PublicAccessBlock::default(),
            policy: Some(
                crate::policy::ResourcePolicy::parse(
                    r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}}"#,
                )
                .unwrap(),
            ),
            tags: BTreeMap::from([("k".into(), "v".into())]),
        };
        let block = PublicAccessBlock { block_public_acls: false, ..Default::default() };
        let changes =
            vec![Change::PutAccessPoint(point), Change::PutAccountBlock("000000000000".into(), block)];
        catalog.update(Box::new(move |_| Ok(changes))).await.unwrap();
        let refused = catalog.update(Box::new(|_| Err(ApiError::invalid_request("no")))).await;
        assert_eq!(refused.unwrap_err().code, "InvalidRequest");
        let again = RecordsCatalog::open(Arc::clone(&table)).unwrap();
        assert_eq!(again.snapshot(), catalog.snapshot());
        assert!(again.snapshot().access_point_aliases.contains_key("ap1-x-s3alias"));
        again.update(Box::new(|_| Ok(vec![Change::DeleteAccessPoint("ap1".into())]))).await.unwrap();
        assert!(again.snapshot().access_point_aliases.is_empty());
        assert_eq!(table.load().unwrap().len(), 1);
    }
}
