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
    let answers = store.delete(&store.bucket("b").unwrap(), keys.to_vec()).await.unwrap();
    assert!(matches!(answers.as_slice(), [Err(StoreError::Corrupt(_)), Ok(Deleted { there: false, .. })]));
    put(&store, "x", &noise(3, 10)).await.unwrap();
    assert!(get(&store, "x").await.unwrap() == noise(3, 10));
}

/// Moves a row of a table to another key, as a bit that changes in its key would.
macro_rules! move_row {
    ($store:expr, $table:ident, $from:expr, $to:expr) => {{
        let (from, to) = ($from, $to);
        let run = move |tx: &mut tables::Tx<'_>| {
            let table = tx.$table.table()?;
            let row = table.remove(from)?.unwrap().value().to_vec();
            table.insert(to, row.as_slice())?;
            Ok(())
        };
        $store.committer().run(run).await.unwrap();
    }};
}

/// An id with its last bit changed.
fn flipped(id: &str) -> &'static str {
    let mut bytes = id.as_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    String::from_utf8(bytes).unwrap().leak()
}

async fn upload(store: &FsStore, numbers: &[u16]) -> (String, Vec<PartRef>) {
    let upload = store.create_upload(&store.bucket("b").unwrap(), "m", NewUpload::default()).await.unwrap();
    let mut parts = Vec::new();
    for number in numbers {
        let body = pieces(&noise((*number).into(), 1000), 300);
        let staged = store.stage(body, StageOptions::default()).await.unwrap();
        let part = store
            .put_part(&store.bucket("b").unwrap(), "m", &upload.upload_id, *number, staged)
            .await
            .unwrap();
        parts.push(PartRef { number: *number, etag: part.etag });
    }
    (upload.upload_id, parts)
}

async fn complete(store: &FsStore, (id, parts): (String, Vec<PartRef>)) -> Result<ObjectInfo> {
    let object = CompletedObject { etag: "e-3".into(), checksum: None };
    store.complete_upload(&store.bucket("b").unwrap(), "m", &id, parts, object, WriteCondition::Always).await
}

#[tokio::test]
async fn a_flipped_bit_in_the_key_of_a_part_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    let made = upload(&store, &[1, 2, 3]).await;
    let id: &'static str = made.0.clone().leak();
    complete(&store, made).await.unwrap();
    // No longer among the object's, so that part 2 would begin at its first byte.
    move_row!(store, parts, (id, 1), (flipped(id), 1));
    assert!(matches!(get(&store, "m").await, Err(StoreError::Corrupt(_))));
    move_row!(store, parts, (flipped(id), 1), (id, 1));
    assert_eq!(get(&store, "m").await.unwrap().len(), 3000);
}

#[tokio::test]
async fn a_part_under_another_number_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    let made = upload(&store, &[1, 2, 3]).await;
    let id: &'static str = made.0.clone().leak();
    move_row!(store, parts, (id, 1), (id, 5));
    assert!(matches!(store.list_parts("b", "m", id, 0, 9).await, Err(StoreError::Corrupt(_))));
    assert!(matches!(complete(&store, made.clone()).await, Err(StoreError::Corrupt(_))));
    move_row!(store, parts, (id, 5), (id, 1));
    complete(&store, made).await.unwrap();
    move_row!(store, parts, (id, 1), (id, 5));
    assert!(matches!(get(&store, "m").await, Err(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn an_object_that_lacks_parts_is_an_error_in_rows_of_format_1_too() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    let made = upload(&store, &[1, 2, 3]).await;
    let id: &'static str = made.0.clone().leak();
    complete(&store, made).await.unwrap();
    let as_before = move |tx: &mut tables::Tx<'_>| {
        for (number, part) in uploads::parts_of(tx.parts.table()?, id)? {
            let row = rows::encode_as_format_1(&part);
            tx.parts.table()?.insert((id, number), row.as_slice())?;
        }
        Ok(())
    };
    store.committer().run(as_before).await.unwrap();
    move_row!(store, parts, (id, 1), (flipped(id), 1));
    assert!(matches!(get(&store, "m").await, Err(StoreError::Corrupt(_))));
    move_row!(store, parts, (flipped(id), 1), (id, 1));
    move_row!(store, parts, (id, 3), (id, 4));
    assert!(matches!(get(&store, "m").await, Err(StoreError::Corrupt(_))));
    move_row!(store, parts, (id, 4), (id, 3));
    assert_eq!(get(&store, "m").await.unwrap().len(), 3000);
}

#[tokio::test]
async fn a_flipped_bit_in_the_key_of_an_object_serves_it_under_no_other_name() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    put(&store, "k", &noise(1, 10)).await.unwrap();
    let key = |key: &str| -> &'static [u8] { tables::object_key(1, key).leak() };
    let (from, to) = (key("k"), key("j"));
    move_row!(store, objects, from, to);
    assert!(matches!(get(&store, "j").await, Err(StoreError::Corrupt(_))));
    assert!(matches!(store.head("b", "j", VersionRef::Current).await, Err(StoreError::Corrupt(_))));
    let query = ListQuery { limit: 10, ..ListQuery::default() };
    assert!(matches!(store.list("b", query).await, Err(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn a_flipped_bit_in_the_key_of_an_upload_or_a_record_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    let id: &'static str = upload(&store, &[1]).await.0.leak();
    move_row!(store, uploads, (1, "m", id), (1, "l", id));
    assert!(matches!(store.upload("b", "l", id).await, Err(StoreError::Corrupt(_))));
    let change = RecordChange { kind: "policy".into(), name: "a".into(), value: Some(b"{}".to_vec()) };
    store.write(vec![change]).await.unwrap();
    assert_eq!(store.load().unwrap()[0].value, b"{}");
    move_row!(store, records, ("policy", "a"), ("policy", "c"));
    assert!(matches!(store.load(), Err(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn a_directory_of_format_1_opens_and_its_rows_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    put(&store, "k", &noise(1, 10)).await.unwrap();
    let meant = store.bucket("b").unwrap();
    let as_before = move |tx: &mut tables::Tx<'_>| {
        let key = tables::object_key(1, "k");
        let object = tx.object(&key)?.unwrap();
        tx.objects.table()?.insert(key.as_slice(), rows::encode_as_format_1(&object).as_slice())?;
        let bucket = tx.bucket(&tables::BucketRef::from(&*meant))?;
        tx.bucket_rows.table()?.insert("b", rows::encode_as_format_1(&*bucket).as_slice())?;
        tx.records.table()?.insert(("k", "n"), b"{}".as_slice())?;
        tx.meta.table()?.insert("format", 1)?;
        Ok(())
    };
    store.committer().run(as_before).await.unwrap();
    store.close().await;
    drop(store);
    let store = open(dir.path());
    assert!(get(&store, "k").await.unwrap() == noise(1, 10));
    assert_eq!(store.load().unwrap()[0].value, b"{}");
    let meta = store.shared().view().txn.open_table(tables::META).unwrap();
    assert_eq!(meta.get("format").unwrap().unwrap().value(), tables::FORMAT);
}

#[tokio::test]
async fn a_body_whose_sources_do_not_add_up_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    let source = || (read::Source::Bytes(noise(1, 10), rows::crc64(&noise(1, 10))), 10);
    for (size, range) in [(30, 0..10), (10, 0..10), (20, 0..21)] {
        let data = read::Data {
            shared: Arc::clone(store.shared()),
            size,
            sources: [source(), source()].into(),
            pin: None,
        };
        let payload = ObjectData::read(Box::new(data), range, None);
        assert!(matches!(collect(payload).await, Err(BodyError::Read(_))), "{size}");
    }
}

/// Rows of versions, and of objects.
fn counts(store: &FsStore) -> (u64, u64) {
    use redb::ReadableTableMetadata as _;
    let view = store.shared().view();
    (view.versions.len().unwrap(), view.objects.len().unwrap())
}

async fn set(store: &FsStore, versioning: crate::bucket::Versioning) {
    let change = move |bucket: &mut Bucket| {
        bucket.config.versioning = versioning;
        Ok(())
    };
    store.update_bucket(&store.bucket("b").unwrap(), Box::new(change)).await.unwrap();
}

/// Changes a bit in the row of the newest, or the oldest, version that is not current.
async fn spoil(store: &FsStore, newest: bool) {
    use redb::ReadableTable as _;
    let run = move |tx: &mut tables::Tx<'_>| {
        let table = tx.versions.table()?;
        let (at, mut row) = {
            let (at, row) = if newest { table.first()? } else { table.last()? }.unwrap();
            let (bucket, key, place) = at.value();
            ((bucket, key.to_owned(), place), row.value().to_vec())
        };
        row[20] ^= 1;
        table.insert((at.0, at.1.as_str(), at.2), row.as_slice())?;
        Ok(())
    };
    store.committer().run(run).await.unwrap();
}

#[tokio::test]
async fn a_delete_that_meets_a_corrupt_version_changes_nothing() {
    use crate::bucket::Versioning;
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    set(&store, Versioning::Enabled).await;
    put(&store, "k", &noise(1, 10)).await.unwrap();
    put(&store, "k", &noise(2, 10)).await.unwrap();
    let last = put(&store, "k", &noise(3, 10)).await.unwrap();
    spoil(&store, true).await;
    let before = counts(&store);
    let version = VersionRef::of(last.version);
    let key = DeleteKey { key: "k".into(), version, ..DeleteKey::default() };
    let answers = store.delete(&store.bucket("b").unwrap(), vec![key]).await.unwrap();
    assert!(matches!(answers.as_slice(), [Err(StoreError::Corrupt(_))]));
    assert_eq!(counts(&store), before);
    assert!(get(&store, "k").await.unwrap() == noise(3, 10));
    assert_eq!(store.usage("b").unwrap().objects, 3);
}

#[tokio::test]
async fn a_delete_of_a_marker_that_meets_a_corrupt_version_changes_nothing() {
    use crate::bucket::Versioning;
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    set(&store, Versioning::Enabled).await;
    put(&store, "k", &noise(1, 10)).await.unwrap();
    let key = |version| DeleteKey { key: "k".into(), version, ..DeleteKey::default() };
    let bucket = store.bucket("b").unwrap();
    let marker = store.delete(&bucket, vec![key(VersionRef::Current)]).await.unwrap().remove(0).unwrap();
    spoil(&store, false).await;
    let before = counts(&store);
    let version = VersionRef::of(marker.version.unwrap());
    let answers = store.delete(&bucket, vec![key(version)]).await.unwrap();
    assert!(matches!(answers.as_slice(), [Err(StoreError::Corrupt(_))]));
    assert_eq!(counts(&store), before);
    assert!(matches!(get(&store, "k").await, Err(StoreError::DeleteMarker(_, false))));
}

#[tokio::test]
async fn a_put_over_a_corrupt_null_version_changes_nothing() {
    use crate::bucket::Versioning;
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    put(&store, "k", &noise(1, 10)).await.unwrap();
    set(&store, Versioning::Enabled).await;
    put(&store, "k", &noise(2, 10)).await.unwrap();
    spoil(&store, true).await;
    set(&store, Versioning::Suspended).await;
    let before = counts(&store);
    assert!(matches!(put(&store, "k", &noise(3, 10)).await, Err(StoreError::Corrupt(_))));
    assert_eq!(counts(&store), before);
    assert!(get(&store, "k").await.unwrap() == noise(2, 10));
}

#[tokio::test]
async fn an_abort_that_meets_a_corrupt_part_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    let id: &'static str = upload(&store, &[1, 2]).await.0.leak();
    move_row!(store, parts, (id, 1), (id, 4));
    let bucket = store.bucket("b").unwrap();
    assert!(matches!(store.abort_upload(&bucket, "m", id).await, Err(StoreError::Corrupt(_))));
    store.upload("b", "m", id).await.unwrap();
    move_row!(store, parts, (id, 4), (id, 1));
    store.abort_upload(&bucket, "m", id).await.unwrap();
}
