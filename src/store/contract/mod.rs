//! What every store is held to, as tests that run on each implementation.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use jiff::Timestamp;

use super::fs::{Durability, FsOptions, FsStore};
use super::memory::MemoryStore;
use super::*;
use crate::clock::Clock;

mod listing;
mod objects;
mod random;
mod sealed;
mod uploads;
mod usage;
mod versions;

/// A clock that stands still.
#[derive(Debug)]
pub(in crate::store) struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanosecond(1_700_000_000_123_456_789).unwrap()
    }
}

/// A store under test, and the directory that goes with it.
pub(in crate::store) struct Subject {
    pub(in crate::store) store: Arc<dyn Store>,
    pub(in crate::store) records: Arc<dyn RecordTable>,
    _dir: Option<tempfile::TempDir>,
}

fn memory() -> Subject {
    let store = Arc::new(MemoryStore::new(Arc::new(Still)));
    Subject { records: store.clone(), store, _dir: None }
}

fn on_disk(change: impl FnOnce(&mut FsOptions)) -> Subject {
    let dir = tempfile::tempdir().unwrap();
    let mut options = FsOptions::new(dir.path().join("store"));
    change(&mut options);
    let store = Arc::new(FsStore::open(options, Arc::new(Still)).unwrap());
    Subject { records: store.clone(), store, _dir: Some(dir) }
}

fn fs() -> Subject {
    on_disk(|_| {})
}

fn fs_relaxed() -> Subject {
    on_disk(|options| options.durability = Durability::Relaxed)
}

/// Every body in a file, so that small cases go that way too.
fn fs_files() -> Subject {
    on_disk(|options| options.inline_limit = 0)
}

/// Makes a test of each contract function, for each implementation.
macro_rules! contract {
    ($($test:ident),* $(,)?) => {
        contract!(@ memory, $($test),*);
        contract!(@ fs, $($test),*);
        contract!(@ fs_relaxed, $($test),*);
        contract!(@ fs_files, $($test),*);
    };
    (@ $subject:ident, $($test:ident),*) => {
        mod $subject {
            $(
                #[tokio::test]
                async fn $test() {
                    super::$test(&crate::store::contract::$subject()).await;
                }
            )*
        }
    };
}
use contract;

/// Bytes that differ from place to place, the same for the same seed.
pub(in crate::store) fn noise(seed: u64, length: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}

/// A body that comes in pieces.
pub(in crate::store) fn pieces(bytes: &Bytes, size: usize) -> Payload {
    let chunks: Vec<_> = bytes.chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    Payload::Stream(Box::pin(futures_util::stream::iter(chunks)), Some(bytes.len() as u64))
}

/// All of a body.
pub(in crate::store) async fn collect(payload: Payload) -> std::result::Result<Vec<u8>, BodyError> {
    match payload {
        Payload::Bytes(bytes) => Ok(bytes.to_vec()),
        Payload::Stream(mut stream, length) => {
            let mut all = Vec::new();
            while let Some(chunk) = stream.next().await {
                all.extend_from_slice(&chunk?);
            }
            assert_eq!(length, Some(all.len() as u64), "the length announced");
            Ok(all)
        }
    }
}

impl Subject {
    pub(in crate::store) async fn bucket(&self, name: &str) -> Arc<Bucket> {
        let new = NewBucket {
            name: name.into(),
            region: "us-east-1".into(),
            owner: "000000000000".into(),
            ..NewBucket::default()
        };
        self.store.create_bucket(new).await.unwrap()
    }

    /// The bucket of most tests as of now.
    pub(in crate::store) fn b(&self) -> Arc<Bucket> {
        self.store.bucket("b").unwrap()
    }

    pub(in crate::store) async fn stage(&self, bytes: &Bytes) -> Staged {
        self.store.stage(pieces(bytes, 50_000), StageOptions::default()).await.unwrap()
    }

    pub(in crate::store) async fn put(&self, key: &str, bytes: &Bytes) -> ObjectInfo {
        self.put_if(key, bytes, WriteCondition::Always).await.unwrap()
    }

    async fn put_if(&self, key: &str, bytes: &Bytes, condition: WriteCondition) -> Result<ObjectInfo> {
        let staged = self.stage(bytes).await;
        self.store.put(&self.b(), key, staged, NewObject::default(), condition).await
    }

    pub(in crate::store) async fn get(&self, key: &str) -> Vec<u8> {
        let object = self.store.open("b", key, VersionRef::Current).await.unwrap();
        let size = object.info.size;
        collect(object.read(0..size)).await.unwrap()
    }

    async fn keys(&self, query: ListQuery) -> (Vec<String>, Vec<String>, Option<String>) {
        let page = self.store.list("b", query).await.unwrap();
        (page.objects.into_iter().map(|(key, _)| key).collect(), page.prefixes, page.next)
    }
}

/// The words of a map.
fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}
