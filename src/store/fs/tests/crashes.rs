//! An acknowledged write is there after a crash; any other is there whole or not at all; a failed flush stops the
//! store.

use std::sync::Mutex;

use super::*;

/// Every step of a put of a large body over another.
const STEPS: [Step; 8] = [
    Step::Write,
    Step::SyncFile,
    Step::Rename,
    Step::SyncDir,
    Step::Submit,
    Step::Commit,
    Step::Committed,
    Step::Unlink,
];

#[tokio::test]
async fn a_body_is_flushed_before_its_name_and_its_name_before_its_row() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    let steps = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&steps);
    store.shared().faults.set(move |at| {
        seen.lock().unwrap().push(at);
        Ok(())
    });
    put(&store, "k", &noise(1, 100_000)).await.unwrap();
    put(&store, "k", &noise(2, 10)).await.unwrap();
    until("the old body is removed", || steps.lock().unwrap().contains(&Unlinked)).await;
    let mut seen = steps.lock().unwrap().clone();
    seen.truncate(11);
    use Step::*;
    let put = [Write, SyncFile, Rename, SyncDir, Submit, Commit, Committed];
    assert_eq!(seen, [put.as_slice(), &[Commit, Committed, Unlink, Unlinked]].concat());
}

#[tokio::test]
async fn a_crash_at_any_step_leaves_the_old_or_the_new() {
    for (old_size, new_size) in [(400_000, 300_000), (100, 300_000), (300_000, 100), (10, 20)] {
        let (old, new) = (noise(1, old_size), noise(2, new_size));
        for step in STEPS.into_iter().chain([Step::Unlinked]) {
            let (dir, crash) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let store = with_bucket(dir.path()).await;
            put(&store, "k", &old).await.unwrap();
            let (from, to) = (dir.path().to_owned(), crash.path().join("copy"));
            let target = to.clone();
            let mut done = false;
            store.shared().faults.set(move |at| {
                if at == step && !done {
                    copy(&from, &target);
                    done = true;
                }
                Ok(())
            });
            put(&store, "k", &new).await.unwrap();
            if old_size > 65_536 && matches!(step, Step::Unlink | Step::Unlinked) {
                until("the old body is removed", || to.join("refract.redb").exists()).await;
            }
            drop(store);
            if !to.exists() {
                // This step is not part of this put.
                assert!(new_size < 65_536 || old_size < 65_536, "{step:?}");
                continue;
            }
            let survivor = open(&to);
            let read = get(&survivor, "k").await.unwrap();
            let committed = matches!(step, Step::Committed | Step::Unlink | Step::Unlinked);
            assert!(read == *(if committed { &new } else { &old }), "{step:?}: {} bytes", read.len());
            // And it goes on, and garbage that was left is removed.
            put(&survivor, "k", &old).await.unwrap();
            assert!(get(&survivor, "k").await.unwrap() == old);
            assert_eq!(files(&to).1, Vec::<PathBuf>::new(), "{step:?}");
        }
    }
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_old() {
    for step in STEPS {
        let dir = tempfile::tempdir().unwrap();
        let store = with_bucket(dir.path()).await;
        let (old, new) = (noise(1, 400_000), noise(2, 300_000));
        put(&store, "k", &old).await.unwrap();
        store.shared().faults.set(
            move |at| {
                if at == step { Err(std::io::Error::other("injected")) } else { Ok(()) }
            },
        );
        let answer = put(&store, "k", &new).await;
        if step == Step::Unlink {
            answer.unwrap();
            continue;
        }
        answer.unwrap_err();
        store.shared().faults.clear();
        let poisoned = matches!(step, Step::SyncFile | Step::SyncDir | Step::Commit | Step::Committed);
        if step != Step::Committed {
            assert!(get(&store, "k").await.unwrap() == old, "{step:?}");
        }
        // A failed flush is never tried again; other failures pass.
        let next = put(&store, "k", &new).await;
        if poisoned {
            assert!(matches!(next, Err(StoreError::Poisoned(_))), "{step:?}: {next:?}");
            assert!(matches!(
                store.delete_bucket(&store.bucket("b").unwrap()).await,
                Err(StoreError::Poisoned(_))
            ));
        } else {
            next.unwrap();
            assert!(get(&store, "k").await.unwrap() == new, "{step:?}");
        }
        drop(store);
        let store = open(dir.path());
        let read = get(&store, "k").await.unwrap();
        match step {
            Step::SyncFile | Step::SyncDir => assert!(read == old, "{step:?}"),
            // It may be on disk or not.
            Step::Commit | Step::Committed => assert!(read == old || read == new, "{step:?}"),
            _ => assert!(read == new, "{step:?}"),
        }
        put(&store, "k", &old).await.unwrap();
        assert_eq!(files(dir.path()).1, Vec::<PathBuf>::new());
    }
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_lets_deletes_through() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    put(&store, "small", &noise(1, 10)).await.unwrap();
    put(&store, "large", &noise(2, 100_000)).await.unwrap();
    store.shared().faults.set(|at| match at {
        Step::Write => Err(std::io::ErrorKind::StorageFull.into()),
        _ => Ok(()),
    });
    assert!(matches!(put(&store, "k", &noise(3, 100_000)).await, Err(StoreError::Full)));
    store.shared().faults.clear();
    drop(store);
    let mut options = FsOptions::new(dir.path());
    options.reserve_bytes = u64::MAX;
    let store = FsStore::open(options, Arc::new(Still)).unwrap();
    assert!(matches!(put(&store, "k", &noise(3, 10)).await, Err(StoreError::Full)));
    assert!(matches!(put(&store, "k", &noise(3, 100_000)).await, Err(StoreError::Full)));
    assert!(get(&store, "small").await.unwrap() == noise(1, 10));
    delete(&store, "small").await;
    delete(&store, "large").await;
    store.delete_bucket(&store.bucket("b").unwrap()).await.unwrap();
    until("all bodies are removed", || files(dir.path()).0.is_empty()).await;
}

#[tokio::test]
async fn everything_survives_a_crash_right_after_the_answer() {
    let (dir, crash) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = with_bucket(dir.path()).await;
    for n in 0..20 {
        put(&store, &format!("k{n}"), &noise(n, 30_000 * usize::try_from(n).unwrap())).await.unwrap();
    }
    let upload = store.create_upload(&store.bucket("b").unwrap(), "m", NewUpload::default()).await.unwrap();
    let mut parts = Vec::new();
    for number in 1..=3 {
        let body = pieces(&noise(number.into(), 90_000), 10_000);
        let staged = store.stage(body, StageOptions::default()).await.unwrap();
        let part = store
            .put_part(&store.bucket("b").unwrap(), "m", &upload.upload_id, number, staged)
            .await
            .unwrap();
        parts.push(PartRef { number, etag: part.etag });
    }
    let change = RecordChange { kind: "k".into(), name: "n".into(), value: Some(b"v".to_vec()) };
    store.write(vec![change]).await.unwrap();
    let to = crash.path().join("copy");
    copy(dir.path(), &to);
    let survivor = open(&to);
    for n in 0..20 {
        assert!(
            get(&survivor, &format!("k{n}")).await.unwrap() == noise(n, 30_000 * usize::try_from(n).unwrap())
        );
    }
    assert_eq!(survivor.load().unwrap().len(), 1);
    let object = CompletedObject { etag: "e-3".into(), checksum: None };
    let id = &upload.upload_id;
    survivor
        .complete_upload(&survivor.bucket("b").unwrap(), "m", id, parts, object, WriteCondition::Always)
        .await
        .unwrap();
    let all = [noise(1, 90_000), noise(2, 90_000), noise(3, 90_000)].concat();
    assert!(get(&survivor, "m").await.unwrap() == all);
}

#[tokio::test]
async fn a_write_whose_caller_goes_away_is_whole_or_absent() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    let steps = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&steps);
    store.shared().faults.set(move |at| {
        seen.lock().unwrap().push(at);
        std::thread::sleep(Duration::from_millis(3));
        Ok(())
    });
    for n in 0..30 {
        let bytes = noise(n, 200_000);
        let going = put(&store, "k", &bytes);
        drop(tokio::time::timeout(Duration::from_millis(n), going).await);
    }
    store.shared().faults.clear();
    store.close().await;
    assert!(steps.lock().unwrap().contains(&Step::SyncFile));
    drop(store);
    let store = open(dir.path());
    if let Ok(read) = get(&store, "k").await {
        assert!((0..30).any(|n| read == noise(n, 200_000)));
    }
    until("one file at most is left", || {
        let (placed, temporary) = files(dir.path());
        placed.len() <= 1 && temporary.is_empty()
    })
    .await;
}

#[tokio::test]
async fn relaxed_durability_flushes_by_itself_and_at_close() {
    let (dir, crash) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let relaxed = |dir: &Path| {
        let mut options = FsOptions::new(dir);
        options.durability = Durability::Relaxed;
        FsStore::open(options, Arc::new(Still)).unwrap()
    };
    let store = relaxed(dir.path());
    bucket(&store).await;
    put(&store, "k", &noise(1, 300_000)).await.unwrap();
    put(&store, "s", &noise(2, 300)).await.unwrap();
    put(&store, "k", &noise(3, 300_000)).await.unwrap();
    assert_eq!(files(dir.path()).0.len(), 2, "the old body waits for the flush of what replaced it");
    until("the flush has come and the old body is gone", || files(dir.path()).0.len() == 1).await;
    copy(dir.path(), &crash.path().join("copy"));
    let survivor = relaxed(&crash.path().join("copy"));
    assert!(get(&survivor, "k").await.unwrap() == noise(3, 300_000));
    assert!(get(&survivor, "s").await.unwrap() == noise(2, 300));
    put(&store, "last", &noise(4, 10)).await.unwrap();
    store.close().await;
    assert!(put(&store, "after", &noise(4, 10)).await.is_err());
    drop(store);
    assert!(get(&relaxed(dir.path()), "last").await.unwrap() == noise(4, 10));
}
