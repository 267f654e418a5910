//! Random operations on the durable engine and on the model: they must answer alike.

use proptest::prelude::*;

use super::*;
use crate::bucket::Versioning;

/// An operation. Keys are numbers into a small set, so that operations meet.
#[derive(Debug, Clone)]
enum Op {
    Put {
        key: usize,
        size: usize,
        seed: u64,
        condition: u8,
    },
    Delete {
        keys: Vec<(usize, bool, usize)>,
    },
    Tag {
        key: usize,
        version: usize,
        value: String,
    },
    Hold {
        key: usize,
        version: usize,
        on: bool,
    },
    Read {
        key: usize,
        version: usize,
        from: u16,
        to: u16,
    },
    Versioning {
        enabled: bool,
    },
    ListVersions {
        after: Option<(usize, usize)>,
        delimiter: bool,
        limit: usize,
    },
    List {
        prefix: usize,
        delimiter: bool,
        after: Option<usize>,
        limit: usize,
    },
    Begin {
        key: usize,
    },
    Part {
        upload: usize,
        number: u16,
        size: usize,
        seed: u64,
    },
    Complete {
        upload: usize,
        parts: Vec<u16>,
    },
    Abort {
        upload: usize,
    },
    ListUploads {
        after: Option<usize>,
        delimiter: bool,
        limit: usize,
    },
    Quota {
        bytes: Option<u32>,
        objects: Option<u8>,
    },
    DeleteBucket,
    /// Through the bucket before this one of the same name.
    Stale {
        key: usize,
    },
    Reopen,
}

const KEYS: [&str; 7] = ["a", "a/", "a/b", "a/b/c", "b", "\u{7FF}/x", "\0"];

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0..200usize, 1 => 65_535..65_538usize, 1 => 262_100..262_200usize, 1 => 0..600_000usize]
}

fn op() -> impl Strategy<Value = Op> {
    let key = || 0..KEYS.len();
    // Mostly the current version, then the null version, then those that were made last.
    let version = || prop_oneof![3 => Just(0usize), 1 => Just(1usize), 3 => 2..8usize];
    prop_oneof![
        6 => (key(), size(), 0..50u64, 0..4u8)
            .prop_map(|(key, size, seed, condition)| Op::Put { key, size, seed, condition }),
        2 => prop::collection::vec((key(), any::<bool>(), version()), 1..4).prop_map(|keys| Op::Delete { keys }),
        1 => (key(), version(), "[a-z]{0,3}").prop_map(|(key, version, value)| Op::Tag { key, version, value }),
        1 => (key(), version(), any::<bool>()).prop_map(|(key, version, on)| Op::Hold { key, version, on }),
        2 => any::<bool>().prop_map(|enabled| Op::Versioning { enabled }),
        3 => (prop::option::of((key(), version())), any::<bool>(), 0..5usize)
            .prop_map(|(after, delimiter, limit)| Op::ListVersions { after, delimiter, limit }),
        4 => (key(), version(), any::<u16>(), any::<u16>())
            .prop_map(|(key, version, from, to)| Op::Read { key, version, from, to }),
        3 => (key(), any::<bool>(), prop::option::of(key()), 0..5usize)
            .prop_map(|(prefix, delimiter, after, limit)| Op::List { prefix, delimiter, after, limit }),
        2 => key().prop_map(|key| Op::Begin { key }),
        4 => (0..4usize, 1..5u16, size(), 0..50u64)
            .prop_map(|(upload, number, size, seed)| Op::Part { upload, number, size, seed }),
        3 => (0..4usize, prop::collection::btree_set(1..5u16, 1..4))
            .prop_map(|(upload, parts)| Op::Complete { upload, parts: parts.into_iter().collect() }),
        1 => (0..4usize).prop_map(|upload| Op::Abort { upload }),
        1 => (prop::option::of(key()), any::<bool>(), 0..4usize)
            .prop_map(|(after, delimiter, limit)| Op::ListUploads { after, delimiter, limit }),
        1 => (prop::option::of(0..900_000u32), prop::option::of(0..12u8))
            .prop_map(|(bytes, objects)| Op::Quota { bytes, objects }),
        1 => Just(Op::DeleteBucket),
        1 => key().prop_map(|key| Op::Stale { key }),
        1 => Just(Op::Reopen),
    ]
}

/// An answer in a form that can be compared: upload ids differ from store to store and are left out.
fn told<T: std::fmt::Debug>(answer: &Result<T>) -> String {
    match answer {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("error: {error}"),
    }
}

/// What a store made up: each bucket, the key and id of each upload that was ever begun, and each version's id.
#[derive(Debug, Default)]
struct Made {
    buckets: Vec<Arc<Bucket>>,
    uploads: Vec<(String, String)>,
    versions: Vec<VersionId>,
}

impl Made {
    /// The version that a number means.
    fn version(&self, n: usize) -> VersionRef {
        match (n, self.versions.len().checked_sub(n.saturating_sub(1))) {
            (0, _) => VersionRef::Current,
            (1, _) | (_, None) => VersionRef::Null,
            (_, Some(at)) => VersionRef::Id(self.versions[at]),
        }
    }

    /// An answer with each id replaced by its number, for ids differ from store to store.
    fn numbered(&self, mut answer: String) -> String {
        for (n, id) in self.versions.iter().enumerate() {
            answer = answer.replace(&format!("{id:?}"), &format!("v{n}"));
        }
        answer
    }
}

/// Runs an operation.
async fn run(store: &dyn Store, made: &mut Made, op: &Op) -> String {
    let answer = run_raw(store, made, op).await;
    format!("{} {}", made.numbered(answer), told(&store.usage("b")))
}

async fn run_raw(store: &dyn Store, made: &mut Made, op: &Op) -> String {
    let stage = async |seed, size| {
        store.stage(pieces(&noise(seed, size), 40_000), StageOptions::default()).await.unwrap()
    };
    let upload = |n: &usize| {
        let last = made.uploads.len().checked_sub(1);
        last.map_or((String::new(), String::new()), |last| made.uploads[last - n.min(&last)].clone())
    };
    // There always is one, but before the first operation, which makes it.
    let Ok(bucket) = store.bucket("b") else {
        return delete_bucket(store, made).await;
    };
    match op {
        Op::Put { key, size, seed, condition } => {
            let condition = match condition {
                0 => WriteCondition::IfAbsent,
                1 => WriteCondition::IfMatch("*".into()),
                _ => WriteCondition::Always,
            };
            let staged = stage(*seed, *size).await;
            let put = store.put(&bucket, KEYS[*key], staged, NewObject::default(), condition).await;
            made.versions.extend(put.iter().filter_map(|info| info.version));
            told(&put)
        }
        Op::Delete { keys } => {
            let keys = keys.iter().map(|(key, any, version)| DeleteKey {
                key: KEYS[*key].into(),
                version: made.version(*version),
                if_match: any.then(|| "*".into()),
                ..DeleteKey::default()
            });
            let deleted = store.delete(&bucket, keys.collect()).await;
            for done in deleted.iter().flatten().flatten() {
                made.versions.extend(done.version.flatten().filter(|id| !made.versions.contains(id)));
            }
            told(&deleted.map(|each| each.iter().map(told).collect::<Vec<_>>()))
        }
        Op::Tag { key, version, value } => {
            let change = ObjectChange::Tags(map(&[("t", value)]));
            told(&store.update_object(&bucket, KEYS[*key], made.version(*version), change).await)
        }
        Op::Hold { key, version, on } => {
            let change = ObjectChange::LegalHold(*on);
            told(&store.update_object(&bucket, KEYS[*key], made.version(*version), change).await)
        }
        Op::Versioning { enabled } => {
            let versioning = if *enabled { Versioning::Enabled } else { Versioning::Suspended };
            let change = move |bucket: &mut Bucket| {
                bucket.config.versioning = versioning;
                Ok(())
            };
            told(&store.update_bucket(&bucket, Box::new(change)).await.map(|bucket| bucket.config.clone()))
        }
        Op::ListVersions { after, delimiter, limit } => {
            let (after_key, after_version) =
                after.map(|(key, n)| (KEYS[key].to_owned(), made.version(n))).unzip();
            let query = ListVersionsQuery {
                delimiter: delimiter.then(|| "/".into()),
                after_key,
                after_version: after_version.filter(|version| *version != VersionRef::Current),
                limit: *limit,
                ..ListVersionsQuery::default()
            };
            told(&store.list_versions("b", query).await)
        }
        Op::Read { key, version, from, to } => {
            let object = match store.open("b", KEYS[*key], made.version(*version)).await {
                Ok(object) => object,
                Err(error) => return told::<()>(&Err(error)),
            };
            let at = |part: u16| object.info.size * u64::from(part) / u64::from(u16::MAX);
            let range = at(*from.min(to))..at(*from.max(to));
            let head = format!("{:?} {:?} {range:?}", object.info, object.parts);
            let bytes = collect(object.read(range)).await.unwrap();
            format!(
                "{head} {} {:x}",
                bytes.len(),
                crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, &bytes)
            )
        }
        Op::List { prefix, delimiter, after, limit } => {
            let query = ListQuery {
                prefix: KEYS[*prefix].chars().take(1).filter(|c| *c != '\0').collect(),
                delimiter: delimiter.then(|| "/".into()),
                after: after.map(|after| KEYS[after].into()),
                limit: *limit,
            };
            told(&store.list("b", query).await)
        }
        Op::Begin { key } => {
            let begun = store.create_upload(&bucket, KEYS[*key], NewUpload::default()).await;
            let answer =
                told(&begun.as_ref().map(|_| ()).map_err(|error| StoreError::Engine(error.to_string())));
            made.uploads.extend(begun.ok().map(|upload| (KEYS[*key].to_owned(), upload.upload_id)));
            answer
        }
        Op::Part { upload: n, number, size, seed } => {
            let (key, id) = upload(n);
            let staged = stage(*seed, *size).await;
            told(&store.put_part(&bucket, &key, &id, *number, staged).await)
        }
        Op::Complete { upload: n, parts } => {
            let (key, id) = upload(n);
            let there =
                store.list_parts("b", &key, &id, 0, 100).await.map(|parts| parts.0).unwrap_or_default();
            let named = parts.iter().map(|number| {
                let found = there.iter().find(|part| part.number == *number);
                PartRef { number: *number, etag: found.map(|part| part.etag.clone()).unwrap_or_default() }
            });
            let object = CompletedObject { etag: "e-1".into(), checksum: None };
            let named = named.collect();
            let done = store.complete_upload(&bucket, &key, &id, named, object, WriteCondition::Always).await;
            made.versions.extend(done.iter().filter_map(|info| info.version));
            told(&done)
        }
        Op::Abort { upload: n } => {
            let (key, id) = upload(n);
            told(&store.abort_upload(&bucket, &key, &id).await)
        }
        Op::ListUploads { after, delimiter, limit } => {
            let query = ListUploadsQuery {
                delimiter: delimiter.then(|| "/".into()),
                after_key: after.map(|after| KEYS[after].into()),
                limit: *limit,
                ..ListUploadsQuery::default()
            };
            told(&store.list_uploads("b", query).await.map(|page| {
                let keys: Vec<_> = page.uploads.iter().map(|(key, _)| key.clone()).collect();
                (keys, page.prefixes, page.next.map(|next| next.0))
            }))
        }
        Op::Quota { bytes, objects } => {
            let quota = Quota { max_bytes: bytes.map(u64::from), max_objects: objects.map(u64::from) };
            let change = move |bucket: &mut Bucket| {
                bucket.config.quota = Some(quota);
                Ok(())
            };
            told(&store.update_bucket(&bucket, Box::new(change)).await.map(|bucket| bucket.config.clone()))
        }
        Op::DeleteBucket => delete_bucket(store, made).await,
        Op::Stale { key } => {
            let Some(before) = made.buckets.iter().rev().nth(1) else { return String::new() };
            let staged = stage(1, 100).await;
            let put =
                store.put(before, KEYS[*key], staged, NewObject::default(), WriteCondition::Always).await;
            let deleted = store.delete(before, vec![]).await.map(|done| done.len());
            format!("{} {} {}", told(&put), told(&deleted), told(&store.delete_bucket(before).await))
        }
        Op::Reopen => String::new(),
    }
}

/// Deletes the bucket, where that goes, and makes a new one.
async fn delete_bucket(store: &dyn Store, made: &mut Made) -> String {
    let deleted = match made.buckets.last() {
        Some(last) => told(&store.delete_bucket(last).await),
        None => String::new(),
    };
    let new = NewBucket { name: "b".into(), ..NewBucket::default() };
    // The name is taken if the bucket was not empty.
    let created = store.create_bucket(new).await;
    made.buckets.extend(created.as_ref().ok().cloned());
    format!("{deleted} {}", created.is_ok())
}

async fn compare(ops: Vec<Op>, relaxed: bool) {
    let dir = tempfile::tempdir().unwrap();
    let open = || {
        let mut options = FsOptions::new(dir.path());
        if relaxed {
            options.durability = Durability::Relaxed;
        }
        FsStore::open(options, Arc::new(Still)).unwrap()
    };
    let mut store = open();
    let model = MemoryStore::new(Arc::new(Still));
    let (mut ours, mut theirs) = (Made::default(), Made::default());
    run(&store, &mut ours, &Op::DeleteBucket).await;
    run(&model, &mut theirs, &Op::DeleteBucket).await;
    for (n, op) in ops.iter().enumerate() {
        if matches!(op, Op::Reopen) {
            drop(store);
            store = open();
        }
        let answer = run(&store, &mut ours, op).await;
        assert_eq!(answer, run(&model, &mut theirs, op).await, "operation {n}: {op:?}");
    }
    // Nothing stays on disk but what the rows name.
    store.close().await;
    drop(store);
    let store = open();
    for key in KEYS {
        let key = KEYS.iter().position(|k| *k == key).unwrap();
        for version in 0..10 {
            let all = Op::Read { key, version, from: 0, to: u16::MAX };
            let answer = run(&store, &mut ours, &all).await;
            assert_eq!(answer, run(&model, &mut theirs, &all).await, "{} {version}", KEYS[key]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_answers_as_the_model(ops in prop::collection::vec(op(), 1..60), relaxed in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(compare(ops, relaxed));
    }
}
