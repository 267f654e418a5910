//! Nothing stays that nobody needs; nothing goes that somebody reads; one process a directory.

use std::time::{Instant, SystemTime};

use super::*;

#[tokio::test]
async fn what_is_staged_and_dropped_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    let staged = store.stage(pieces(&noise(1, 400_000), 70_000), StageOptions::default()).await.unwrap();
    assert_eq!(files(dir.path()).1.len(), 1);
    drop(staged);
    until("the temporary file is gone", || files(dir.path()).1.is_empty()).await;
    // Refused at the commit, when it is in its place already.
    put(&store, "k", &noise(1, 100)).await.unwrap();
    let staged = store.stage(pieces(&noise(1, 400_000), 70_000), StageOptions::default()).await.unwrap();
    let refused = store
        .put(&store.bucket("b").unwrap(), "k", staged, NewObject::default(), WriteCondition::IfAbsent)
        .await;
    assert!(matches!(refused, Err(StoreError::PreconditionFailed)));
    until("the refused file is gone", || files(dir.path()) == (vec![], vec![])).await;
    // A body that never ends.
    let endless = futures_util::stream::iter((0..40).map(|n| Ok(noise(n, 50_000))));
    let endless = Box::pin(futures_util::StreamExt::chain(endless, futures_util::stream::pending()));
    let staging = store.stage(Payload::Stream(endless, None), StageOptions::default());
    assert!(tokio::time::timeout(Duration::from_millis(200), staging).await.is_err());
    until("the unfinished file is gone", || files(dir.path()) == (vec![], vec![])).await;
}

#[tokio::test]
async fn a_first_start_that_a_crash_ended_is_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let above = dir.path().join("made/on/the/way");
    let layout = Layout { root: above.clone() };
    let store = with_bucket(&above).await;
    put(&store, "k", &noise(1, 10)).await.unwrap();
    assert!(!layout.unfinished_database().exists());
    store.close().await;
    drop(store);
    // In the first flush of a database: its length is there, what says that it is one is not.
    std::fs::remove_file(layout.database()).unwrap();
    std::fs::write(layout.unfinished_database(), [0; 8192]).unwrap();
    let store = with_bucket(&above).await;
    put(&store, "k", &noise(2, 10)).await.unwrap();
    assert!(!layout.unfinished_database().exists());
    store.close().await;
    drop(store);
    // With the name of a whole one it is no first start.
    std::fs::write(layout.database(), [0; 8192]).unwrap();
    let opened = FsStore::open(FsOptions::new(&above), Arc::new(Still));
    assert!(matches!(opened, Err(OpenError::Database { .. })));
}

#[tokio::test]
async fn what_is_replaced_goes_when_its_reader_has_gone() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    let old = noise(1, 5_000_000);
    put(&store, "k", &old).await.unwrap();
    let (first, second) = (
        store.open("b", "k", VersionRef::Current).await.unwrap(),
        store.open("b", "k", VersionRef::Current).await.unwrap(),
    );
    put(&store, "k", &noise(2, 100)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(files(dir.path()).0.len(), 1, "two readers hold it");
    drop(first);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(collect(second.read(0..5_000_000)).await.unwrap() == old);
    until("the old body is gone", || files(dir.path()).0.is_empty()).await;
    until("the books are empty", || {
        let table = store.shared().view().txn.open_table(tables::GC).unwrap();
        redb::ReadableTableMetadata::len(&table).unwrap() == 0
    })
    .await;
}

#[tokio::test]
async fn garbage_with_a_reader_at_the_end_goes_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    put(&store, "k", &noise(1, 100_000)).await.unwrap();
    let reader = store.open("b", "k", VersionRef::Current).await.unwrap();
    delete(&store, "k").await;
    store.close().await;
    drop((reader, store));
    assert_eq!(files(dir.path()).0.len(), 1);
    let _store = open(dir.path());
    until("the old body is gone", || files(dir.path()).0.is_empty()).await;
}

#[tokio::test]
async fn the_parts_of_uploads_and_of_objects_go_with_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    let upload = async |key: &str, parts: u16| {
        let id = store
            .create_upload(&store.bucket("b").unwrap(), key, NewUpload::default())
            .await
            .unwrap()
            .upload_id;
        let mut refs = Vec::new();
        for number in 1..=parts {
            let size = if number % 2 == 0 { 70_000 } else { 50 };
            let body = Payload::Bytes(noise(number.into(), size));
            let staged = store.stage(body, StageOptions::default()).await.unwrap();
            let part = store.put_part(&store.bucket("b").unwrap(), key, &id, number, staged).await.unwrap();
            refs.push(PartRef { number, etag: part.etag });
        }
        (id, refs)
    };
    let (aborted, _) = upload("a", 6).await;
    let (completed, mut refs) = upload("c", 6).await;
    let _left = upload("l", 4).await;
    assert_eq!(files(dir.path()).0.len(), 8);
    store.abort_upload(&store.bucket("b").unwrap(), "a", &aborted).await.unwrap();
    until("the aborted parts are gone", || files(dir.path()).0.len() == 5).await;
    refs.truncate(4);
    let object = CompletedObject { etag: "e-4".into(), checksum: None };
    store
        .complete_upload(&store.bucket("b").unwrap(), "c", &completed, refs, object, WriteCondition::Always)
        .await
        .unwrap();
    until("the part that was not named is gone", || files(dir.path()).0.len() == 4).await;
    delete(&store, "c").await;
    until("the object's parts are gone", || files(dir.path()).0.len() == 2).await;
    store.delete_bucket(&store.bucket("b").unwrap()).await.unwrap();
    until("the unfinished upload's parts are gone", || files(dir.path()).0.is_empty()).await;
    let counts = || {
        let view = store.shared().view();
        let parts = view.txn.open_table(tables::PARTS).unwrap();
        let blobs = view.txn.open_table(tables::BLOBS).unwrap();
        let gc = view.txn.open_table(tables::GC).unwrap();
        use redb::ReadableTableMetadata as M;
        [M::len(&view.inline), M::len(&parts), M::len(&blobs), M::len(&gc)].map(|len| len.unwrap())
    };
    until("the books are empty", || counts() == [0; 4]).await;
}

#[tokio::test]
async fn start_removes_temporary_files_and_old_orphans_only() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    put(&store, "k", &noise(1, 100_000)).await.unwrap();
    let kept = files(dir.path()).0.remove(0);
    drop(store);
    let orphan = |name: &str, age: u64| {
        let path = dir.path().join("blobs").join(name.get(..2).unwrap()).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, b"x").unwrap();
        let time = SystemTime::now() - Duration::from_secs(age);
        File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        path
    };
    let old = orphan("00112233445566778899aabbccddeeff", 7200);
    let young = orphan("ff112233445566778899aabbccddeeff", 60);
    let stranger = orphan("00-not-ours", 7200);
    File::options()
        .write(true)
        .open(&kept)
        .unwrap()
        .set_modified(SystemTime::now() - Duration::from_secs(9000))
        .unwrap();
    std::fs::write(dir.path().join("tmp/00112233445566778899aabbccddeeff"), b"x").unwrap();
    let store = open(dir.path());
    assert_eq!(files(dir.path()).1, Vec::<PathBuf>::new());
    until("the old orphan is gone", || !old.exists()).await;
    store.close().await;
    assert!(young.exists() && stranger.exists() && kept.exists());
    assert!(get(&store, "k").await.unwrap() == noise(1, 100_000));
}

#[tokio::test]
async fn no_file_is_an_orphan_while_a_row_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    put(&store, "k", &noise(1, 100_000)).await.unwrap();
    // As where a bit of the id in the row has flipped: the file has no name any more, and the name no file.
    let file = files(dir.path()).0.remove(0);
    let other = dir.path().join("blobs/00/00112233445566778899aabbccddeeff");
    std::fs::create_dir_all(other.parent().unwrap()).unwrap();
    std::fs::rename(&file, &other).unwrap();
    let later = SystemTime::now() + Duration::from_secs(7200);
    let refused = gc::sweep(store.shared(), later).unwrap_err();
    assert!(refused.to_string().contains("which has no file"), "{refused}");
    std::fs::rename(&other, &file).unwrap();
    std::fs::write(&other, b"x").unwrap();
    assert_eq!(gc::sweep(store.shared(), later).unwrap(), 1);
    assert!(!other.exists() && get(&store, "k").await.unwrap() == noise(1, 100_000));
}

#[tokio::test]
async fn a_second_process_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let refused = FsStore::open(FsOptions::new(dir.path()), Arc::new(Still)).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains(&dir.path().display().to_string()), "{text}");
    assert!(text.contains(&std::process::id().to_string()), "{text}");
    drop(store);
    open(dir.path());
}

#[tokio::test]
async fn a_later_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let run = |tx: &mut tables::Tx<'_>| {
        tx.meta.table()?.insert("format", 3)?;
        Ok(())
    };
    store.committer().run(run).await.unwrap();
    drop(store);
    let refused = FsStore::open(FsOptions::new(dir.path()), Arc::new(Still));
    assert!(matches!(refused, Err(OpenError::Format { found: 3, known: 2 })));
}

#[tokio::test]
async fn ten_thousand_parts_complete_quickly() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    let id =
        store.create_upload(&store.bucket("b").unwrap(), "k", NewUpload::default()).await.unwrap().upload_id;
    let mut refs = Vec::new();
    for chunk in (1..=10_000_u16).collect::<Vec<_>>().chunks(250) {
        let parts = chunk.iter().map(async |number| {
            let body = Payload::Bytes(noise((*number).into(), 16));
            let staged = store.stage(body, StageOptions::default()).await.unwrap();
            let part = store.put_part(&store.bucket("b").unwrap(), "k", &id, *number, staged).await.unwrap();
            PartRef { number: *number, etag: part.etag }
        });
        refs.extend(futures_util::future::join_all(parts).await);
    }
    let start = Instant::now();
    let object = CompletedObject { etag: "e-10000".into(), checksum: None };
    let info = store
        .complete_upload(&store.bucket("b").unwrap(), "k", &id, refs, object, WriteCondition::Always)
        .await
        .unwrap();
    let took = start.elapsed();
    assert_eq!((info.size, info.parts), (160_000, Some(10_000)));
    assert!(took < Duration::from_secs(3), "{took:?}");
    let object = store.open("b", "k", VersionRef::Current).await.unwrap();
    let read = collect(object.read(159_984..160_000)).await.unwrap();
    assert!(read == noise(10_000, 16));
}
