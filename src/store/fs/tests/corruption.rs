//! A corrupted byte is an error, never an answer.

use std::os::unix::fs::FileExt;

use super::*;

fn flip(path: &Path, at: u64) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
}

#[tokio::test]
async fn a_flipped_bit_in_a_file_is_an_error_of_its_segment_only() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    let segment = 256 * 1024;
    let bytes = noise(1, 3 * segment + 100);
    put(&store, "k", &bytes).await.unwrap();
    let file = files(dir.path()).0.remove(0);
    let read = async |range: Range<usize>| {
        let object = store.open("b", "k", VersionRef::Current).await.unwrap();
        collect(object.read(range.start as u64..range.end as u64)).await
    };
    assert!(read(0..bytes.len()).await.unwrap() == bytes);
    flip(&file, segment as u64 + 7);
    assert!(matches!(read(0..bytes.len()).await, Err(BodyError::Read(_))));
    assert!(matches!(read(segment + 1000..segment + 1001).await, Err(BodyError::Read(_))));
    assert!(read(0..segment).await.unwrap() == bytes[..segment]);
    assert!(read(2 * segment..bytes.len()).await.unwrap() == bytes[2 * segment..]);
    flip(&file, segment as u64 + 7);
    // A flipped bit in the trailer is an error as well.
    flip(&file, bytes.len() as u64 + 3 * 8);
    assert!(matches!(read(bytes.len() - 1..bytes.len()).await, Err(BodyError::Read(_))));
    assert!(read(0..segment).await.unwrap() == bytes[..segment]);
}

#[tokio::test]
async fn a_file_that_is_short_or_missing_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    put(&store, "k", &noise(1, 300_000)).await.unwrap();
    let file = files(dir.path()).0.remove(0);
    for length in [300_007, 300_000, 200_000, 0] {
        File::options().write(true).open(&file).unwrap().set_len(length).unwrap();
        assert!(matches!(get(&store, "k").await, Err(StoreError::Body(BodyError::Read(_)))), "{length}");
    }
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(get(&store, "k").await, Err(StoreError::Body(BodyError::Read(_)))));
    // The store goes on.
    put(&store, "k", &noise(2, 300_000)).await.unwrap();
    assert!(get(&store, "k").await.unwrap() == noise(2, 300_000));
}

#[tokio::test]
async fn a_flipped_bit_in_a_small_body_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    let bytes = noise(1, 1000);
    put(&store, "k", &bytes).await.unwrap();
    put(&store, "other", &noise(2, 1000)).await.unwrap();
    // Through the engine, as a body that changed on its way to the disk would look.
    let run = |tx: &mut tables::Tx<'_>| {
        let mut bad = noise(1, 1000).to_vec();
        bad[500] ^= 1;
        tx.inline.table()?.insert(1, bad.as_slice())?;
        Ok(())
    };
    store.committer().run(run).await.unwrap();
    assert!(matches!(get(&store, "k").await, Err(StoreError::Corrupt(_))));
    assert!(get(&store, "other").await.unwrap() == noise(2, 1000));
}

#[tokio::test]
async fn a_flipped_bit_in_a_row_is_an_error_and_stops_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    put(&store, "k", &noise(1, 10)).await.unwrap();
    let run = |tx: &mut tables::Tx<'_>| {
        let key = tables::object_key(1, "k");
        let mut row =
            redb::ReadableTable::get(tx.objects.table()?, key.as_slice())?.unwrap().value().to_vec();
        row[20] ^= 1;
        tx.objects.table()?.insert(key.as_slice(), row.as_slice())?;
        Ok(())
    };
    store.committer().run(run).await.unwrap();
    assert!(matches!(store.head("b", "k", VersionRef::Current).await, Err(StoreError::Corrupt(_))));
    assert!(matches!(put(&store, "k", &noise(2, 10)).await, Err(StoreError::Corrupt(_))));
    let keys = ["k", "x"].map(|key| DeleteKey { key: key.into(), ..DeleteKey::default() });
    let answers = store.delete("b", keys.to_vec()).await.unwrap();
    assert!(matches!(answers.as_slice(), [Err(StoreError::Corrupt(_)), Ok(Deleted { there: false, .. })]));
    put(&store, "x", &noise(3, 10)).await.unwrap();
    assert!(get(&store, "x").await.unwrap() == noise(3, 10));
}
