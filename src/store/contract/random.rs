//! Random operations on the durable engine and on the model: they must answer alike.

use proptest::prelude::*;

use super::*;

/// An operation. Keys are numbers into a small set, so that operations meet.
#[derive(Debug, Clone)]
enum Op {
    Put { key: usize, size: usize, seed: u64, condition: u8 },
    Delete { keys: Vec<(usize, bool)> },
    Tag { key: usize, value: String },
    Read { key: usize, from: u16, to: u16 },
    List { prefix: usize, delimiter: bool, after: Option<usize>, limit: usize },
    Begin { key: usize },
    Part { upload: usize, number: u16, size: usize, seed: u64 },
    Complete { upload: usize, parts: Vec<u16> },
    Abort { upload: usize },
    ListUploads { after: Option<usize>, delimiter: bool, limit: usize },
    DeleteBucket,
    Reopen,
}

const KEYS: [&str; 7] = ["a", "a/", "a/b", "a/b/c", "b", "\u{7FF}/x", "\0"];

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0..200usize, 1 => 65_535..65_538usize, 1 => 262_100..262_200usize, 1 => 0..600_000usize]
}

fn op() -> impl Strategy<Value = Op> {
    let key = || 0..KEYS.len();
    prop_oneof![
        6 => (key(), size(), 0..50u64, 0..4u8)
            .prop_map(|(key, size, seed, condition)| Op::Put { key, size, seed, condition }),
        2 => prop::collection::vec((key(), any::<bool>()), 1..4).prop_map(|keys| Op::Delete { keys }),
        1 => (key(), "[a-z]{0,3}").prop_map(|(key, value)| Op::Tag { key, value }),
        4 => (key(), any::<u16>(), any::<u16>()).prop_map(|(key, from, to)| Op::Read { key, from, to }),
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
        1 => Just(Op::DeleteBucket),
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

/// Runs an operation; `uploads` are the key and id of each upload that was ever begun.
async fn run(store: &dyn Store, uploads: &mut Vec<(String, String)>, op: &Op) -> String {
    let stage = async |seed, size| {
        store.stage(pieces(&noise(seed, size), 40_000), StageOptions::default()).await.unwrap()
    };
    let upload = |n: &usize| {
        let last = uploads.len().checked_sub(1);
        last.map_or((String::new(), String::new()), |last| uploads[last - n.min(&last)].clone())
    };
    match op {
        Op::Put { key, size, seed, condition } => {
            let condition = match condition {
                0 => WriteCondition::IfAbsent,
                1 => WriteCondition::IfMatch("*".into()),
                _ => WriteCondition::Always,
            };
            let staged = stage(*seed, *size).await;
            told(&store.put("b", KEYS[*key], staged, NewObject::default(), condition).await)
        }
        Op::Delete { keys } => {
            let keys = keys.iter().map(|(key, any)| DeleteKey {
                key: KEYS[*key].into(),
                if_match: any.then(|| "*".into()),
                ..DeleteKey::default()
            });
            told(
                &store
                    .delete("b", keys.collect())
                    .await
                    .map(|each| each.iter().map(told).collect::<Vec<_>>()),
            )
        }
        Op::Tag { key, value } => told(&store.set_tags("b", KEYS[*key], map(&[("t", value)])).await),
        Op::Read { key, from, to } => {
            let object = match store.open("b", KEYS[*key]).await {
                Ok(object) => object,
                Err(error) => return told::<()>(&Err(error)),
            };
            let at = |part: u16| object.info.size * u64::from(part) / u64::from(u16::MAX);
            let range = at(*from.min(to))..at(*from.max(to));
            let head = format!("{:?} {:?} {range:?}", object.info, object.parts);
            let bytes = collect(object.data.read(range)).await.unwrap();
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
            let begun = store.create_upload("b", KEYS[*key], NewUpload::default()).await;
            let answer =
                told(&begun.as_ref().map(|_| ()).map_err(|error| StoreError::Engine(error.to_string())));
            uploads.extend(begun.ok().map(|upload| (KEYS[*key].to_owned(), upload.upload_id)));
            answer
        }
        Op::Part { upload: n, number, size, seed } => {
            let (key, id) = upload(n);
            let staged = stage(*seed, *size).await;
            told(&store.put_part("b", &key, &id, *number, staged).await)
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
            told(&store.complete_upload("b", &key, &id, named, object, WriteCondition::Always).await)
        }
        Op::Abort { upload: n } => {
            let (key, id) = upload(n);
            told(&store.abort_upload("b", &key, &id).await)
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
        Op::DeleteBucket => {
            let deleted = told(&store.delete_bucket("b").await);
            let new = NewBucket { name: "b".into(), region: String::new(), owner: String::new() };
            // The name is taken if the bucket was not empty.
            let created = store.create_bucket(new).await.is_ok();
            format!("{deleted} {created}")
        }
        Op::Reopen => String::new(),
    }
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
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
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
        let all = Op::Read { key: KEYS.iter().position(|k| *k == key).unwrap(), from: 0, to: u16::MAX };
        assert_eq!(run(&store, &mut ours, &all).await, run(&model, &mut theirs, &all).await, "{key:?}");
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
