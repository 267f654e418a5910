//! What buckets hold is counted once in a directory that was written before that was kept.

use super::super::tables::{META, USAGE};
use super::*;
use crate::bucket::Versioning;

#[tokio::test]
async fn a_directory_without_counters_is_counted_when_it_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_bucket(dir.path()).await;
    put(&store, "a", &noise(1, 100)).await.unwrap();
    let enable = |bucket: &mut Bucket| {
        bucket.config.versioning = Versioning::Enabled;
        Ok(())
    };
    store.update_bucket(&store.bucket("b").unwrap(), Box::new(enable)).await.unwrap();
    put(&store, "a", &noise(2, 100_000)).await.unwrap();
    put(&store, "gone", &noise(3, 7)).await.unwrap();
    delete(&store, "gone").await;
    let upload = store.create_upload(&store.bucket("b").unwrap(), "m", NewUpload::default()).await.unwrap();
    let staged = store.stage(pieces(&noise(4, 3000), 1000), StageOptions::default()).await.unwrap();
    store.put_part(&store.bucket("b").unwrap(), "m", &upload.upload_id, 1, staged).await.unwrap();
    let counted = store.usage("b").unwrap();
    assert_eq!(counted, Usage { objects: 3, bytes: 100_107, upload_bytes: 3000 });
    store.close().await;
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.usage("b").unwrap(), counted, "after a clean start");
    store.close().await;
    drop(store);
    {
        let db = Database::create(dir.path().join("refract.redb")).unwrap();
        let txn = db.begin_write().unwrap();
        txn.delete_table(USAGE).unwrap();
        txn.open_table(META).unwrap().remove("usage").unwrap();
        txn.commit().unwrap();
    }
    let store = open(dir.path());
    assert_eq!(store.usage("b").unwrap(), counted, "counted anew");
    put(&store, "z", &noise(5, 10)).await.unwrap();
    assert_eq!(store.usage("b").unwrap().objects, 4);
}
