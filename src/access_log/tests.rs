//! Lines through the worker: gathered, delivered, dropped, and kept across a restart.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::bucket::{Acl, BucketConfig, Logging};
use crate::catalog::{Catalog, RecordsCatalog, seal::MasterKey};
use crate::clock::{Clock, SystemClock};
use crate::encryption::{DataKey, Keyring};
use crate::store::memory::MemoryStore;
use crate::store::{Bucket, ListQuery, NewBucket, Payload, Store, VersionRef};
use crate::telemetry::Metrics;

const OWNER: &str = "111122223333";

struct World {
    store: Arc<MemoryStore>,
    inbox: Arc<Inbox>,
    bucket: Arc<Bucket>,
}

impl World {
    async fn new() -> Self {
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let new = |name: &str, config| NewBucket {
            name: name.into(),
            region: "us-east-1".into(),
            owner: OWNER.into(),
            config,
        };
        let acl = Acl::canned("log-delivery-write", OWNER, None);
        store.create_bucket(new("logs", BucketConfig { acl, ..BucketConfig::default() })).await.unwrap();
        let logging = Logging {
            target: "logs".into(),
            prefix: "p/".into(),
            key_format: None,
            grants: Vec::new(),
            changed: Timestamp::UNIX_EPOCH,
        };
        let config = BucketConfig { logging: Some(logging), ..BucketConfig::default() };
        let bucket = store.create_bucket(new("b", config)).await.unwrap();
        Self { store, inbox: Arc::default(), bucket }
    }

    fn worker(&self, interval: Duration) -> Worker {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let dir = tempfile::tempdir().unwrap();
        let master = Arc::new(MasterKey::load_or_create(&dir.path().join("master")).unwrap());
        let catalog: Arc<dyn Catalog> =
            Arc::new(RecordsCatalog::open(Arc::new(MemoryStore::new(Arc::clone(&clock)))).unwrap());
        let keyring = Keyring::new(DataKey::from_bytes([7; 32]), master, catalog, Arc::clone(&clock));
        Worker::new(
            Arc::clone(&self.inbox),
            Arc::clone(&self.store) as Arc<dyn Store>,
            Arc::clone(&self.store) as Arc<dyn crate::store::RecordTable>,
            Arc::new(keyring),
            clock,
            Arc::new(Metrics::default()),
            Options { interval },
        )
        .unwrap()
    }

    fn line(&self, text: &str) {
        let (bucket, time) = (Arc::clone(&self.bucket), Timestamp::now());
        self.inbox.add(inbox::Line { bucket, time, text: format!("{text}\n") });
    }

    /// The bodies of the delivered logs, one after the other, and how many they are.
    async fn delivered(&self) -> (String, usize) {
        let query = ListQuery { limit: 100, ..ListQuery::default() };
        let page = self.store.list("logs", query).await.unwrap();
        let mut all = String::new();
        for (key, info) in &page.objects {
            assert!(key.starts_with("p/"), "{key}");
            let object = self.store.open("logs", key, VersionRef::Current).await.unwrap();
            let Payload::Bytes(bytes) = object.read(0..info.size) else { panic!("a stream") };
            all.push_str(std::str::from_utf8(&bytes).unwrap());
        }
        (all, page.objects.len())
    }
}

#[tokio::test]
async fn lines_of_a_while_become_one_object() {
    let world = World::new().await;
    let mut worker = world.worker(Duration::from_secs(3600));
    world.line("one");
    worker.pass(false).await;
    world.line("two");
    worker.pass(false).await;
    assert_eq!(world.delivered().await, (String::new(), 0));
    worker.pass(true).await;
    assert_eq!(world.delivered().await, ("one\ntwo\n".to_owned(), 1));
    worker.pass(true).await;
    assert_eq!(world.delivered().await.1, 1, "an empty log was delivered");
}

#[tokio::test]
async fn lines_survive_a_crash_and_are_forgotten_once_delivered() {
    let world = World::new().await;
    let mut worker = world.worker(Duration::from_secs(3600));
    world.line("one");
    tokio::time::sleep(Duration::from_millis(1050)).await;
    worker.pass(false).await;
    world.line("two");
    tokio::time::sleep(Duration::from_millis(1050)).await;
    worker.pass(false).await;
    drop(worker);
    let mut next = world.worker(Duration::from_secs(3600));
    next.pass(true).await;
    assert_eq!(world.delivered().await, ("one\ntwo\n".to_owned(), 1));
    drop(next);
    world.worker(Duration::from_secs(3600)).pass(true).await;
    assert_eq!(world.delivered().await.1, 1, "lines were delivered twice");
}

#[tokio::test]
async fn lines_for_a_bucket_that_lets_nobody_in_are_dropped() {
    let world = World::new().await;
    let mut worker = world.worker(Duration::from_secs(3600));
    let close = |bucket: &mut Bucket| {
        bucket.config.acl = None;
        Ok(())
    };
    world.store.update_bucket(&world.store.bucket("logs").unwrap(), Box::new(close)).await.unwrap();
    world.line("one");
    worker.pass(true).await;
    let open = |bucket: &mut Bucket| {
        bucket.config.acl = Acl::canned("log-delivery-write", OWNER, None);
        Ok(())
    };
    world.store.update_bucket(&world.store.bucket("logs").unwrap(), Box::new(open)).await.unwrap();
    worker.pass(true).await;
    assert_eq!(world.delivered().await.1, 0);
}
