//! What only the durable engine must do: survive crashes, notice corruption, clean up.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::faults::Step;
use super::*;
use crate::store::contract::{Still, collect, noise, pieces};

mod cleaning;
mod corruption;
mod counting;
mod crashes;
mod full;

/// Opens a store. A write whose caller went away may hold the directory for a moment longer, on the blocking pool.
fn open(dir: &Path) -> FsStore {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    loop {
        match FsStore::open(FsOptions::new(dir), Arc::new(Still)) {
            Err(OpenError::Locked { .. }) if std::time::Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            opened => return opened.unwrap(),
        }
    }
}

async fn with_bucket(dir: &Path) -> FsStore {
    let store = open(dir);
    bucket(&store).await;
    store
}

async fn bucket(store: &FsStore) {
    let new =
        NewBucket { name: "b".into(), region: "us-east-1".into(), owner: "0".into(), ..NewBucket::default() };
    store.create_bucket(new).await.unwrap();
}

async fn put(store: &FsStore, key: &str, bytes: &Bytes) -> Result<ObjectInfo> {
    let staged = store.stage(pieces(bytes, 100_000), StageOptions::default()).await?;
    store.put(&store.bucket("b").unwrap(), key, staged, NewObject::default(), WriteCondition::Always).await
}

async fn get(store: &FsStore, key: &str) -> Result<Vec<u8>> {
    let object = store.open("b", key, VersionRef::Current).await?;
    let size = object.info.size;
    Ok(collect(object.read(0..size)).await?)
}

async fn delete(store: &FsStore, key: &str) {
    let key = DeleteKey { key: key.into(), ..DeleteKey::default() };
    assert!(store.delete(&store.bucket("b").unwrap(), vec![key]).await.unwrap().remove(0).unwrap().there);
}

/// All body files: those in place, and those in `tmp`.
fn files(dir: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let list = |dir: PathBuf| -> Vec<PathBuf> {
        std::fs::read_dir(dir).map(|d| d.map(|e| e.unwrap().path()).collect()).unwrap_or_default()
    };
    (list(dir.join("blobs")).into_iter().flat_map(list).collect(), list(dir.join("tmp")))
}

/// Waits until something holds.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("after five seconds still not: {what}");
}

/// What a crash of the process would leave: a copy of the directory as it is now.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else if entry.file_name() != "LOCK" {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
