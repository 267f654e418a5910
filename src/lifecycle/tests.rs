//! The worker over the memory store with a clock that is moved by hand, and rules against a plain model.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::decide::{self, Action, Seen};
use super::place::{Place, Places};
use super::{Days, Options, Worker};
use crate::access_log::Inbox;
use crate::bucket::lifecycle::{Expiration, Filter, Lifecycle, Noncurrent, Rule, Transition, When};
use crate::bucket::{BucketConfig, Logging, Versioning};
use crate::clock::Clock;
use crate::store::memory::MemoryStore;
use crate::store::{
    DeleteKey, ListVersionsQuery, Lock, NewBucket, NewObject, NewUpload, ObjectInfo, Payload, StageOptions,
    Store, Version, VersionRef, WriteCondition,
};
use crate::telemetry::Metrics;

const SHORT: Days = Days { seconds: 10 };

#[derive(Debug)]
struct Hand(Mutex<Timestamp>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

impl Hand {
    fn move_on(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap();
        *now = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap();
    }
}

struct World {
    clock: Arc<Hand>,
    store: Arc<MemoryStore>,
    worker: Worker,
}

impl World {
    async fn new(versioning: Versioning, rules: Vec<Rule>) -> Self {
        let clock = Arc::new(Hand(Mutex::new("2026-05-01T12:00:00Z".parse().unwrap())));
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>));
        let lifecycle = Some(Lifecycle { rules, ..Lifecycle::default() });
        let config = BucketConfig { versioning, lifecycle, ..BucketConfig::default() };
        store.create_bucket(NewBucket { name: "b".into(), config, ..NewBucket::default() }).await.unwrap();
        let worker = Self::worker(&store, &clock);
        Self { clock, store, worker }
    }

    fn worker(store: &Arc<MemoryStore>, clock: &Arc<Hand>) -> Worker {
        let options = Options { days: SHORT, rate: NonZeroU32::new(1_000).unwrap() };
        let (store, clock) = (Arc::clone(store), Arc::clone(clock));
        Worker::new(Arc::clone(&store) as Arc<dyn Store>, store, clock, Arc::new(Metrics::default()), options)
            .unwrap()
    }

    async fn put(&self, key: &str) -> ObjectInfo {
        self.put_with(key, NewObject::default()).await
    }

    async fn put_with(&self, key: &str, object: NewObject) -> ObjectInfo {
        let body = Payload::Bytes(Bytes::from_static(b"body"));
        let staged = self.store.stage(body, StageOptions::default()).await.unwrap();
        self.store
            .put(&self.store.bucket("b").unwrap(), key, staged, object, WriteCondition::Always)
            .await
            .unwrap()
    }

    async fn delete(&self, key: &str) {
        let key = DeleteKey { key: key.into(), ..DeleteKey::default() };
        self.store.delete(&self.store.bucket("b").unwrap(), vec![key]).await.unwrap();
    }

    /// Moves on by days, and lets the worker pass.
    async fn pass_after(&mut self, days: i64) {
        self.clock.move_on(days * i64::from(SHORT.seconds));
        self.worker.pass().await;
    }

    /// Keys of versions, `-` before those of markers.
    async fn versions(&self) -> Vec<String> {
        let query = ListVersionsQuery { limit: 100_000, ..ListVersionsQuery::default() };
        let page = self.store.list_versions("b", query).await.unwrap();
        let name = |entry: crate::store::VersionEntry| match entry.version {
            Version::Object(_) => entry.key,
            Version::Marker(_) => format!("-{}", entry.key),
        };
        page.versions.into_iter().map(name).collect()
    }
}

fn rule(prefix: &str) -> Rule {
    Rule { id: "r".into(), enabled: true, prefix: Some(prefix.into()), ..Rule::default() }
}

fn after(days: u32) -> Option<Expiration> {
    Some(Expiration::Days(days))
}

#[tokio::test(start_paused = true)]
async fn objects_go_when_their_days_are_over() {
    let disabled = Rule { enabled: false, expiration: after(1), ..rule("kept") };
    let dated = Expiration::Date("2026-05-01T00:00:00Z".parse().unwrap());
    let rules = vec![
        Rule { expiration: after(2), ..rule("a/") },
        disabled,
        Rule { expiration: Some(dated), ..rule("past") },
        Rule {
            prefix: None,
            filter: Some(Filter { tag: Some(("k".into(), "v".into())), ..Filter::default() }),
            expiration: after(1),
            ..rule("")
        },
    ];
    let mut world = World::new(Versioning::Off, rules).await;
    for key in ["a/1", "kept", "past", "other"] {
        world.put(key).await;
    }
    let tags = [("k".to_owned(), "v".to_owned())].into();
    world.put_with("tagged", NewObject { tags, ..NewObject::default() }).await;
    world.pass_after(1).await;
    assert_eq!(world.versions().await, ["a/1", "kept", "other"]);
    world.put("a/2").await;
    world.pass_after(1).await;
    assert_eq!(world.versions().await, ["a/2", "kept", "other"]);
}

#[tokio::test(start_paused = true)]
async fn versions_and_markers_go_in_turn() {
    let rules =
        vec![Rule { expiration: after(3), noncurrent: Some(Noncurrent { days: 1, keep: None }), ..rule("") }];
    let mut world = World::new(Versioning::Enabled, rules).await;
    world.put("k").await;
    world.put("k").await;
    world.pass_after(1).await;
    assert_eq!(world.versions().await, ["k"]);
    world.pass_after(2).await;
    assert_eq!(world.versions().await, ["-k", "k"]);
    world.pass_after(1).await;
    assert_eq!(world.versions().await, ["-k"]);
    world.pass_after(1).await;
    assert_eq!(world.versions().await, ["-k"], "the marker is not old enough");
    world.pass_after(1).await;
    assert!(world.versions().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_newest_noncurrent_versions_stay_and_locked_ones_do() {
    let noncurrent = Some(Noncurrent { days: 1, keep: Some(2) });
    let rules = vec![Rule { noncurrent, prefix: None, filter: Some(Filter::default()), ..rule("") }];
    let mut world = World::new(Versioning::Enabled, rules).await;
    let lock = Lock { legal_hold: Some(true), ..Lock::default() };
    world.put_with("k", NewObject { lock, ..NewObject::default() }).await;
    for _ in 0..5 {
        world.put("k").await;
    }
    world.pass_after(1).await;
    // The current one, two that are kept, and the locked one.
    assert_eq!(world.versions().await, ["k"; 4]);
}

#[tokio::test(start_paused = true)]
async fn a_marker_goes_only_when_it_hides_nothing() {
    let rules = vec![Rule { expiration: Some(Expiration::Marker(true)), ..rule("") }];
    let mut world = World::new(Versioning::Enabled, rules).await;
    world.delete("alone").await;
    world.put("hidden").await;
    world.delete("hidden").await;
    world.pass_after(0).await;
    assert_eq!(world.versions().await, ["-hidden", "hidden"]);
}

#[tokio::test(start_paused = true)]
async fn unfinished_uploads_are_aborted() {
    let mut world = World::new(Versioning::Off, vec![Rule { abort_days: Some(2), ..rule("a") }]).await;
    for key in ["a", "b"] {
        world
            .store
            .create_upload(&world.store.bucket("b").unwrap(), key, NewUpload::default())
            .await
            .unwrap();
    }
    world.pass_after(1).await;
    world.pass_after(1).await;
    let uploads = crate::store::ListUploadsQuery { limit: 10, ..Default::default() };
    let uploads = world.store.list_uploads("b", uploads).await.unwrap().uploads;
    assert_eq!(uploads.len(), 1);
    assert_eq!(uploads[0].0, "b");
}

#[tokio::test(start_paused = true)]
async fn a_transition_changes_the_class_alone() {
    let transitions = vec![Transition { when: When::Days(1), class: "GLACIER".into() }];
    let filter = Some(Filter { larger_than: Some(1), ..Filter::default() });
    let mut world =
        World::new(Versioning::Off, vec![Rule { transitions, prefix: None, filter, ..rule("") }]).await;
    let before = world.put("k").await;
    world.pass_after(1).await;
    let after = world.store.head("b", "k", VersionRef::Current).await.unwrap();
    assert_eq!(after.headers.storage_class.as_deref(), Some("GLACIER"));
    assert_eq!(ObjectInfo { headers: before.headers.clone(), ..after }, before);
}

#[tokio::test(start_paused = true)]
async fn what_rules_do_stands_in_the_log_of_a_bucket_that_has_one() {
    let moved = vec![Transition { when: When::Days(1), class: "DEEP_ARCHIVE".into() }];
    let filter = Some(Filter { larger_than: Some(1), ..Filter::default() });
    let rules = vec![
        Rule { expiration: after(1), ..rule("old") },
        Rule { abort_days: Some(1), ..rule("up") },
        Rule { transitions: moved, prefix: None, filter, ..rule("") },
    ];
    let mut world = World::new(Versioning::Enabled, rules).await;
    let inbox = Arc::new(Inbox::default());
    world.worker = World::worker(&world.store, &world.clock).logging(Arc::clone(&inbox));
    let logged = |bucket: &mut crate::store::Bucket| {
        bucket.config.logging = Some(Logging {
            target: "logs".into(),
            prefix: String::new(),
            key_format: None,
            grants: Vec::new(),
            changed: Timestamp::UNIX_EPOCH,
        });
        Ok(())
    };
    let (kept, _) = (world.put("kept").await, world.put("old one").await);
    world.store.create_upload(&world.store.bucket("b").unwrap(), "up", NewUpload::default()).await.unwrap();
    world.store.update_bucket(&world.store.bucket("b").unwrap(), Box::new(logged)).await.unwrap();
    world.pass_after(1).await;
    let (lines, lost) = inbox.take();
    assert_eq!(lost, 0);
    let fields = |line: &crate::access_log::inbox::Line| {
        let words: Vec<_> = line.text.split(' ').collect();
        assert_eq!(words[4..6], ["-", "AmazonS3"], "{}", line.text);
        // Operation, key, version, size; nothing was asked for or answered.
        assert_eq!(words[9..13], ["-", "-", "-", "-"], "{}", line.text);
        (words[7].to_owned(), words[8].to_owned(), words[13].to_owned())
    };
    let mut seen: Vec<_> = lines.iter().map(fields).collect();
    seen.sort();
    let line =
        |operation: &str, key: &str, size: &str| (operation.to_owned(), key.to_owned(), size.to_owned());
    assert_eq!(
        seen,
        [
            line("S3.CREATE.DELETEMARKER", "old%20one", "4"),
            line("S3.DELETE.UPLOAD", "up", "-"),
            line("S3.TRANSITION_GDA.OBJECT", "kept", "4"),
        ]
    );
    let version = kept.version.unwrap().to_string();
    assert!(lines.iter().any(|line| line.text.contains(&version)));
}

#[tokio::test(start_paused = true)]
async fn what_was_rewritten_since_it_was_seen_stays() {
    for versioning in [Versioning::Off, Versioning::Enabled, Versioning::Suspended] {
        let world = World::new(versioning, Vec::new()).await;
        let seen = Version::Object(Arc::new(world.put("k").await));
        world.clock.move_on(1);
        world.put("k").await;
        let before = world.versions().await;
        let stale = |version| DeleteKey {
            key: "k".into(),
            version,
            if_seen: Some((seen.clone(), true)),
            ..DeleteKey::default()
        };
        for version in [VersionRef::Current, VersionRef::of(seen.id())] {
            assert!(
                world.store.delete(&world.store.bucket("b").unwrap(), vec![stale(version)]).await.unwrap()[0]
                    .is_err()
            );
        }
        assert_eq!(world.versions().await, before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_where_the_pass_stopped() {
    let mut world = World::new(Versioning::Off, vec![Rule { expiration: after(1), ..rule("") }]).await;
    for n in 0..2500 {
        world.put(&format!("k{n:04}")).await;
    }
    world.clock.move_on(20);
    // Cut off in the middle, as by the end of the process.
    let store = Arc::clone(&world.store);
    let half_done = async move {
        let query = || ListVersionsQuery { limit: 100_000, ..ListVersionsQuery::default() };
        while store.list_versions("b", query()).await.unwrap().versions.len() > 1200 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = world.worker.pass() => panic!("the pass ended first"),
        () = half_done => {}
    }
    let left = world.versions().await.len();
    assert!((1..2500).contains(&left), "{left}");
    let (_, place) = Places::open(Arc::clone(&world.store) as Arc<_>).unwrap();
    assert!(
        place.is_some_and(|Place { bucket, key }| bucket == "b" && key.is_some_and(|key| *key >= *"k09"))
    );
    let mut again = World::worker(&world.store, &world.clock);
    again.pass().await;
    again.pass().await;
    assert!(world.versions().await.is_empty());
    assert_eq!(Places::open(Arc::clone(&world.store) as Arc<_>).unwrap().1, None);
}

fn object(age: i64, size: u64, tagged: bool) -> ObjectInfo {
    let written = Timestamp::from_second(1_000_000 - age).unwrap();
    let tags = if tagged { [("k".to_owned(), "v".to_owned())].into() } else { Default::default() };
    serde_json::from_value(serde_json::json!({
        "size": size, "etag": "e", "last_modified": written, "tags": tags_json(&tags),
    }))
    .unwrap()
}

fn tags_json(tags: &crate::store::Tags) -> serde_json::Value {
    serde_json::to_value(tags).unwrap()
}

proptest! {
    /// The decision on an object, against the sentences of the user guide written out for one rule at a time.
    #[test]
    fn decisions_are_those_of_a_plain_model(
        age in 0i64..80, size in 0u64..6, tagged: bool, key in "[ab]{1,2}",
        noncurrent in prop::option::of((0i64..80, 0u64..4)),
        rules in prop::collection::vec(
            (any::<bool>(), "[ab]{0,1}", any::<bool>(), prop::option::of(0u64..6), prop::option::of(0u32..6),
             prop::option::of((0u32..6, prop::option::of(1u32..4)))), 1..4),
    ) {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let since = |age: i64| Timestamp::from_second(1_000_000 - age).unwrap();
        let mut expected = None;
        let mut all = Vec::new();
        for (n, (enabled, prefix, needs_tag, larger, days, removes)) in rules.into_iter().enumerate() {
            let meant = enabled && key.starts_with(&prefix) && (!needs_tag || tagged)
                && larger.is_none_or(|larger| size > larger);
            let due = match noncurrent {
                None => days.is_some_and(|days| age >= i64::from(days) * 10).then_some(Action::Expire),
                Some((age, newer)) => removes
                    .is_some_and(|(days, keep)| {
                        age >= i64::from(days) * 10 && keep.is_none_or(|keep| newer >= u64::from(keep))
                    })
                    .then_some(Action::RemoveNoncurrent),
            };
            if expected.is_none() && meant && let Some(action) = due {
                expected = Some((action, format!("r{n}")));
            }
            let tag = needs_tag.then(|| ("k".to_owned(), "v".to_owned()));
            all.push(Rule {
                id: format!("r{n}"),
                enabled,
                filter: Some(Filter { prefix: Some(prefix), tag, larger_than: larger, ..Filter::default() }),
                expiration: days.map(Expiration::Days),
                noncurrent: removes.map(|(days, keep)| Noncurrent { days, keep }),
                ..Rule::default()
            });
        }
        let lifecycle = Lifecycle { rules: all, ..Lifecycle::default() };
        let version = Version::Object(Arc::new(object(age, size, tagged)));
        let noncurrent = noncurrent.map(|(age, newer)| (since(age), newer));
        let seen = Seen { key: &key, version: &version, noncurrent, alone: false };
        let decided = decide::version(&lifecycle, SHORT, now, &seen);
        prop_assert_eq!(decided.map(|d| (d.action, d.rule.to_owned())), expected);
    }
}
