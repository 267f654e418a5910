//! What a bucket holds, and its quota.

use super::*;
use crate::bucket::Versioning;

contract!(
    what_is_written_and_removed_is_counted,
    versions_are_counted_and_markers_are_not,
    parts_are_counted_until_they_are_an_object,
    a_quota_is_held,
    a_quota_is_held_against_writers_at_once,
);

fn used(s: &Subject) -> (u64, u64, u64) {
    let Usage { objects, bytes, upload_bytes } = s.store.usage("b").unwrap();
    (objects, bytes, upload_bytes)
}

async fn configure(s: &Subject, change: impl FnOnce(&mut crate::bucket::BucketConfig) + Send + 'static) {
    let change = move |bucket: &mut Bucket| {
        change(&mut bucket.config);
        Ok(())
    };
    s.store.update_bucket(&s.b(), Box::new(change)).await.unwrap();
}

async fn limit(s: &Subject, max_bytes: Option<u64>, max_objects: Option<u64>) {
    configure(s, move |config| config.quota = Some(Quota { max_bytes, max_objects })).await;
}

async fn delete(s: &Subject, key: &str, version: VersionRef) -> Deleted {
    let key = DeleteKey { key: key.into(), version, ..DeleteKey::default() };
    s.store.delete(&s.b(), vec![key]).await.unwrap().remove(0).unwrap()
}

async fn part(s: &Subject, upload: &UploadInfo, number: u16, size: usize) -> Result<PartRef> {
    let staged = s.stage(&noise(number.into(), size)).await;
    let part = s.store.put_part(&s.b(), "m", &upload.upload_id, number, staged).await?;
    Ok(PartRef { number, etag: part.etag })
}

async fn complete(s: &Subject, upload: &UploadInfo, parts: Vec<PartRef>) -> Result<ObjectInfo> {
    let object = CompletedObject { etag: "e-1".into(), checksum: None };
    s.store.complete_upload(&s.b(), "m", &upload.upload_id, parts, object, WriteCondition::Always).await
}

async fn what_is_written_and_removed_is_counted(s: &Subject) {
    assert!(matches!(s.store.usage("b"), Err(StoreError::NoSuchBucket)));
    s.bucket("b").await;
    assert_eq!(used(s), (0, 0, 0));
    s.put("a", &noise(1, 100)).await;
    s.put("b", &noise(2, 100_000)).await;
    assert_eq!(used(s), (2, 100_100, 0));
    s.put("a", &noise(3, 70_000)).await;
    assert_eq!(used(s), (2, 170_000, 0), "after an overwrite");
    let refused = s.put_if("a", &noise(4, 5), WriteCondition::IfAbsent).await;
    assert!(refused.is_err() && used(s) == (2, 170_000, 0), "after a write that was refused");
    let hold = ObjectChange::LegalHold(true);
    s.store.update_object(&s.b(), "a", VersionRef::Current, hold).await.unwrap();
    let locked = DeleteKey { key: "a".into(), version: VersionRef::Null, ..DeleteKey::default() };
    assert!(s.store.delete(&s.b(), vec![locked]).await.unwrap().remove(0).is_err());
    assert_eq!(used(s), (2, 170_000, 0), "after a delete that was refused");
    delete(s, "b", VersionRef::Current).await;
    delete(s, "b", VersionRef::Current).await;
    assert_eq!(used(s), (1, 70_000, 0));
    // As lifecycle rules delete: only what was seen.
    let off = ObjectChange::LegalHold(false);
    let info = s.store.update_object(&s.b(), "a", VersionRef::Current, off).await.unwrap();
    let seen = DeleteKey {
        key: "a".into(),
        if_seen: Some((Version::Object(Arc::new(info)), true)),
        ..DeleteKey::default()
    };
    s.store.delete(&s.b(), vec![seen]).await.unwrap().remove(0).unwrap();
    assert_eq!(used(s), (0, 0, 0));
    s.store.delete_bucket(&s.b()).await.unwrap();
    s.bucket("b").await;
    assert_eq!(used(s), (0, 0, 0));
}

async fn versions_are_counted_and_markers_are_not(s: &Subject) {
    s.bucket("b").await;
    s.put("k", &noise(1, 10)).await;
    configure(s, |config| config.versioning = Versioning::Enabled).await;
    let second = VersionRef::of(s.put("k", &noise(2, 20)).await.version);
    s.put("k", &noise(3, 40)).await;
    assert_eq!(used(s), (3, 70, 0));
    let marker = VersionRef::of(delete(s, "k", VersionRef::Current).await.version.unwrap());
    assert_eq!(used(s), (3, 70, 0), "with a delete marker");
    delete(s, "k", second).await;
    delete(s, "k", marker).await;
    assert_eq!(used(s), (2, 50, 0));
    configure(s, |config| config.versioning = Versioning::Suspended).await;
    s.put("k", &noise(4, 100)).await;
    assert_eq!(used(s), (2, 140, 0), "after the null version was replaced");
    delete(s, "k", VersionRef::Current).await;
    assert_eq!(used(s), (1, 40, 0), "after a null marker replaced it");
}

async fn parts_are_counted_until_they_are_an_object(s: &Subject) {
    s.bucket("b").await;
    let begin = async || s.store.create_upload(&s.b(), "m", NewUpload::default()).await.unwrap();
    let upload = begin().await;
    let one = part(s, &upload, 1, 70_000).await.unwrap();
    part(s, &upload, 2, 50).await.unwrap();
    part(s, &upload, 2, 60).await.unwrap();
    assert_eq!(used(s), (0, 0, 70_060));
    complete(s, &upload, vec![one]).await.unwrap();
    assert_eq!(used(s), (1, 70_000, 0), "the part that was not named goes");
    let upload = begin().await;
    part(s, &upload, 1, 1000).await.unwrap();
    s.store.abort_upload(&s.b(), "m", &upload.upload_id).await.unwrap();
    assert_eq!(used(s), (1, 70_000, 0));
    delete(s, "m", VersionRef::Current).await;
    assert_eq!(used(s), (0, 0, 0));
}

async fn a_quota_is_held(s: &Subject) {
    s.bucket("b").await;
    limit(s, Some(1000), Some(2)).await;
    let exceeded = |result: Result<ObjectInfo>| matches!(result, Err(StoreError::QuotaExceeded));
    let put = async |key: &str, size| s.put_if(key, &noise(1, size), WriteCondition::Always).await;
    s.put("a", &noise(1, 600)).await;
    assert!(exceeded(put("b", 401).await), "too many bytes");
    assert_eq!(
        (s.keys(ListQuery { limit: 9, ..ListQuery::default() }).await.0, used(s)),
        (vec!["a".to_owned()], (1, 600, 0))
    );
    put("b", 400).await.unwrap();
    assert!(exceeded(put("c", 0).await), "too many objects");
    put("b", 400).await.unwrap();
    assert!(exceeded(put("b", 401).await), "an overwrite that grows");
    assert_eq!(s.get("b").await, noise(1, 400));
    limit(s, Some(10), None).await;
    put("a", 500).await.unwrap();
    delete(s, "b", VersionRef::Current).await;
    delete(s, "a", VersionRef::Current).await;
    let upload = s.store.create_upload(&s.b(), "m", NewUpload::default()).await.unwrap();
    let one = part(s, &upload, 1, 10).await.unwrap();
    assert!(matches!(part(s, &upload, 2, 1).await, Err(StoreError::QuotaExceeded)));
    limit(s, Some(10), Some(0)).await;
    assert!(exceeded(complete(s, &upload, vec![one.clone()]).await));
    limit(s, Some(10), Some(1)).await;
    complete(s, &upload, vec![one]).await.unwrap();
    configure(s, |config| config.versioning = Versioning::Enabled).await;
    assert!(exceeded(put("m", 0).await), "a version counts");
    configure(s, |config| config.quota = None).await;
    put("m", 5000).await.unwrap();
}

async fn a_quota_is_held_against_writers_at_once(s: &Subject) {
    s.bucket("b").await;
    limit(s, Some(100), None).await;
    let keys: Vec<String> = (0..32).map(|n| format!("k{n}")).collect();
    let bytes = noise(7, 10);
    let writes = keys.iter().map(|key| s.put_if(key, &bytes, WriteCondition::Always));
    let done = futures_util::future::join_all(writes).await;
    assert_eq!(done.iter().filter(|result| result.is_ok()).count(), 10);
    assert_eq!(used(s), (10, 100, 0));
}
