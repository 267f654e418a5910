//! A disk that is full, or nearly: writes are refused before they take the last of it, deletes go on, and nothing stops.

use std::io::ErrorKind;

use super::*;

/// Lets so many bytes be free above the reserve.
fn pretend(store: &FsStore, above: i64) {
    let reserve = store.shared().options.reserve_bytes;
    *store.shared().room.pretended.lock().unwrap() = Some(reserve.saturating_add_signed(above));
}

/// A body of noise whose end never comes.
fn stalled(length: u64) -> Payload {
    let first = futures_util::stream::iter([Ok(noise(1, 100_000))]);
    let stream = futures_util::StreamExt::chain(first, futures_util::stream::pending());
    Payload::Stream(Box::pin(stream), Some(length))
}

#[tokio::test]
async fn bodies_that_do_not_fit_beside_each_other_are_refused_before_they_come() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    pretend(&store, 1_000_000);
    let options = StageOptions::default;
    let unread = Box::pin(futures_util::stream::poll_fn(|_| panic!("it was read")));
    let refused = store.stage(Payload::Stream(unread, Some(1_000_001)), options()).await;
    assert!(matches!(refused, Err(StoreError::Full)));
    let coming = tokio::spawn({
        let store = store.clone();
        async move { store.stage(stalled(800_000), StageOptions::default()).await.map(drop) }
    });
    until("the first has begun", || !files(dir.path()).1.is_empty()).await;
    assert!(matches!(put(&store, "k", &noise(1, 800_000)).await, Err(StoreError::Full)));
    put(&store, "small", &noise(1, 1000)).await.unwrap();
    put(&store, "fits", &noise(1, 190_000)).await.unwrap();
    // Once it has gone, its room is free.
    coming.abort();
    until("the first has gone", || files(dir.path()).1.is_empty()).await;
    put(&store, "k", &noise(1, 800_000)).await.unwrap();
}

#[tokio::test]
async fn a_body_whose_length_nobody_said_ends_where_the_reserve_begins() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    pretend(&store, 300_000);
    let pieces = futures_util::stream::iter((0..10).map(|n| Ok(noise(n, 100_000))));
    let shared = Arc::clone(store.shared());
    let pieces = futures_util::StreamExt::inspect(pieces, move |_| {
        let mut free = shared.room.pretended.lock().unwrap();
        *free = free.map(|free| free.saturating_sub(100_000));
    });
    let staged = store.stage(Payload::Stream(Box::pin(pieces), None), StageOptions::default()).await;
    assert!(matches!(staged, Err(StoreError::Full)));
    until("nothing of it is left", || files(dir.path()).1.is_empty()).await;
}

#[tokio::test]
async fn a_delete_on_a_disk_that_is_full_costs_the_ballast_and_stops_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    for n in 0..3 {
        put(&store, &format!("k{n}"), &noise(n, 100_000)).await.unwrap();
    }
    let ballast = dir.path().join("ballast");
    assert_eq!(std::fs::metadata(&ballast).unwrap().len(), 8 << 20);
    let held = ballast.clone();
    store.shared().faults.set_pages(
        move || {
            if held.exists() { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
        },
    );
    pretend(&store, -60_000_000);
    assert!(matches!(put(&store, "k", &noise(1, 10)).await, Err(StoreError::Full)));
    assert!(ballast.exists());
    delete(&store, "k0").await;
    assert!(!ballast.exists());
    delete(&store, "k1").await;
    // When there is room again, the ballast comes back.
    store.shared().faults.clear();
    *store.shared().room.pretended.lock().unwrap() = Some(u64::MAX);
    put(&store, "k", &noise(1, 10)).await.unwrap();
    assert!(ballast.exists());
    assert!(get(&store, "k2").await.unwrap() == noise(2, 100_000));
    store.close().await;
    drop(store);
    let store = open(dir.path());
    assert!(matches!(get(&store, "k0").await, Err(StoreError::NoSuchKey)));
    assert!(get(&store, "k2").await.unwrap() == noise(2, 100_000));
}

#[tokio::test]
async fn what_takes_something_away_goes_on_below_the_reserve() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    put(&store, "k", &noise(1, 10)).await.unwrap();
    let record = |name: &str, value: Option<&[u8]>| {
        vec![RecordChange { kind: "user".into(), name: name.into(), value: value.map(<[u8]>::to_vec) }]
    };
    for name in ["a", "b", "c"] {
        store.write(record(name, Some(b"{}"))).await.unwrap();
    }
    let bucket = store.bucket("b").unwrap();
    let close = || {
        Box::new(|bucket: &mut Bucket| {
            bucket.config.quota = None;
            Ok(())
        })
    };
    let tags = || ObjectChange::Tags(Tags::new());
    pretend(&store, -1);
    assert!(matches!(put(&store, "x", &noise(1, 10)).await, Err(StoreError::Full)));
    assert!(matches!(store.write(record("new", Some(b"{}"))).await, Err(StoreError::Full)));
    store.write(record("a", Some(b"{\"may\":0}"))).await.unwrap();
    store.write(record("b", None)).await.unwrap();
    store.update_bucket(&bucket, close()).await.unwrap();
    store.update_object(&bucket, "k", VersionRef::Current, tags()).await.unwrap();
    store.write_from_reserve(record("event", Some(b"{}"))).await.unwrap();
    // Where the disk is fuller still, only what gives room back.
    pretend(&store, -60_000_000);
    assert!(matches!(store.write(record("a", Some(b"{}"))).await, Err(StoreError::Full)));
    assert!(matches!(store.update_bucket(&bucket, close()).await, Err(StoreError::Full)));
    assert!(matches!(store.write_from_reserve(record("f", Some(b"{}"))).await, Err(StoreError::Full)));
    store.write(record("c", None)).await.unwrap();
    delete(&store, "k").await;
    let left: Vec<_> = store.load().unwrap().into_iter().map(|record| (record.name, record.value)).collect();
    assert_eq!(left, [("a".to_owned(), b"{\"may\":0}".to_vec()), ("event".to_owned(), b"{}".to_vec())]);
}
