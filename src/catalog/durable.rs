//! The durable catalog, over a table of records that the store engine keeps.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::identities::Entity;
use super::{Catalog, Change, Decide, View, point_key};
use crate::error::ApiError;
use crate::store::{Record, RecordChange, RecordTable};

/// A catalog whose records outlive the process.
#[derive(Debug)]
pub struct RecordsCatalog<T> {
    table: Arc<T>,
    view: Arc<ArcSwap<View>>,
    writer: Arc<Mutex<()>>,
    named: Named,
}

/// Rows of points that an earlier version kept by the name alone, when all points were of one account: kind, and key
/// as of now. A change of such a point goes into a row by its key, and takes the old one away.
type Named = Arc<StdMutex<BTreeSet<(String, String)>>>;

impl<T: RecordTable + 'static> RecordsCatalog<T> {
    /// Reads all records. A record that cannot be read, or of an unknown kind, is an error: skipping one could
    /// lose a policy.
    pub fn open(table: Arc<T>) -> Result<Self, ApiError> {
        let (mut view, mut named) = (View::default(), BTreeSet::new());
        let mut old = Vec::new();
        for Record { kind, name, value } in table.load()? {
            // Where background work stopped is that work's own.
            if kind == crate::store::record::TASK {
                continue;
            }
            let change = decode(&kind, &name, &value)?;
            match key_of(&change).filter(|key| *key != name) {
                None => view.apply(change),
                Some(key) => {
                    named.insert((kind, key));
                    old.push(change);
                }
            }
        }
        old.into_iter().for_each(|change| view.apply(change));
        let view = Arc::new(ArcSwap::from_pointee(view));
        Ok(Self { table, view, writer: Arc::default(), named: Arc::new(StdMutex::new(named)) })
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
        let mut rows = changes.iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        let replaced = old_rows(&self.named, &rows);
        rows.extend(replaced.iter().map(|(kind, key)| RecordChange {
            kind: kind.clone(),
            name: key.rsplit('/').next().unwrap_or(key).to_owned(),
            value: None,
        }));
        let named = Arc::clone(&self.named);
        for change in changes {
            next.apply(change);
        }
        // In a task of its own: a caller that goes away must not leave the table ahead of the view.
        let task = tokio::spawn(async move {
            let _turn = turn;
            table.write(rows).await?;
            let mut named = named.lock().unwrap_or_else(PoisonError::into_inner);
            for row in &replaced {
                named.remove(row);
            }
            drop(named);
            view.store(Arc::new(next));
            Ok(())
        });
        task.await.map_err(|error| ApiError::internal(format!("catalog update: {error}")))?
    }
}

/// The key of a point that is written.
fn key_of(change: &Change) -> Option<String> {
    match change {
        Change::PutAccessPoint(point) => Some(point_key(&point.account_id, &point.name)),
        Change::PutObjectLambda(point) => Some(point_key(&point.account_id, &point.name)),
        _ => None,
    }
}

/// Which rows by name alone these changes take the place of.
fn old_rows(named: &Named, rows: &[RecordChange]) -> Vec<(String, String)> {
    let named = named.lock().unwrap_or_else(PoisonError::into_inner);
    let rows = rows.iter().map(|row| (row.kind.clone(), row.name.clone()));
    rows.filter(|row| named.contains(row)).collect()
}

fn encode(change: &Change) -> Result<RecordChange, ApiError> {
    fn row(kind: &str, name: &str, value: Option<Vec<u8>>) -> RecordChange {
        RecordChange { kind: kind.to_owned(), name: name.to_owned(), value }
    }
    fn json(record: &impl Serialize) -> Result<Option<Vec<u8>>, ApiError> {
        serde_json::to_vec(record).map(Some).map_err(|error| ApiError::internal(error.to_string()))
    }
    Ok(match change {
        Change::PutAccessPoint(point) => {
            row("access-point", &point_key(&point.account_id, &point.name), json(point)?)
        }
        Change::DeleteAccessPoint(key) => row("access-point", key, None),
        Change::PutObjectLambda(point) => {
            row("object-lambda", &point_key(&point.account_id, &point.name), json(point)?)
        }
        Change::DeleteObjectLambda(key) => row("object-lambda", key, None),
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
    use crate::catalog::{AccessPoint, PublicAccessBlock};
    use crate::clock::SystemClock;
    use crate::store::memory::MemoryStore;

    #[tokio::test]
    async fn a_reload_shows_the_same_view() {
        let table = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let catalog = RecordsCatalog::open(Arc::clone(&table)).unwrap();
        let point = AccessPoint {
            name: "ap1".into(),
            account_id: "000000000000".into(),
            bucket: "photos".into(),
            bucket_account_id: Some("000000000000".into()),
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
        again
            .update(Box::new(|_| Ok(vec![Change::DeleteAccessPoint("000000000000/ap1".into())])))
            .await
            .unwrap();
        assert!(again.snapshot().access_point_aliases.is_empty());
        assert_eq!(table.load().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn rows_by_name_alone_make_way_for_rows_by_account() {
        let table = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let point = r#"{"name":"ap1","account_id":"000000000000","bucket":"b","alias":"ap1-x-s3alias","created":"1970-01-01T00:00:00Z"}"#;
        let other = point.replace("000000000000", "111111111111").replace("ap1-x", "ap1-y");
        let row = |name: &str, text: &str| RecordChange {
            kind: "access-point".into(),
            name: name.into(),
            value: Some(text.as_bytes().to_vec()),
        };
        table.write(vec![row("ap1", point), row("111111111111/ap1", &other)]).await.unwrap();
        let catalog = RecordsCatalog::open(Arc::clone(&table)).unwrap();
        let names = || -> Vec<String> { table.load().unwrap().into_iter().map(|row| row.name).collect() };
        let delete = |key: &str| {
            let change = Change::DeleteAccessPoint(key.to_owned());
            catalog.update(Box::new(move |_| Ok(vec![change])))
        };
        let snapshot = catalog.snapshot();
        let first = snapshot.access_point("000000000000", "ap1").unwrap();
        assert_eq!(snapshot.access_points_of("111111111111").count(), 1);
        // Another account's point of the same name leaves the old row alone.
        delete("111111111111/ap1").await.unwrap();
        assert_eq!(names(), ["ap1"]);
        let change = Change::PutAccessPoint(AccessPoint { bucket: "c".into(), ..AccessPoint::clone(first) });
        catalog.update(Box::new(move |_| Ok(vec![change]))).await.unwrap();
        assert_eq!(names(), ["000000000000/ap1"]);
        let again = RecordsCatalog::open(Arc::clone(&table)).unwrap().snapshot();
        assert_eq!(again.access_point("000000000000", "ap1").unwrap().bucket, "c");
        delete("000000000000/ap1").await.unwrap();
        assert!(names().is_empty());
    }
}
