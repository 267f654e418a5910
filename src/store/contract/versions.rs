//! Versions, delete markers, locks.

use super::*;
use crate::bucket::Versioning;

contract!(
    versions_stack_and_are_removed,
    suspended_buckets_replace_the_null_version,
    locks_forbid_removal,
    listings_page_through_versions,
    parts_make_versions,
    a_bucket_with_versions_stays,
    a_change_that_is_refused_changes_nothing,
);

async fn set(s: &Subject, versioning: Versioning) {
    let change = move |bucket: &mut Bucket| {
        bucket.config.versioning = versioning;
        Ok(())
    };
    s.store.update_bucket(&s.b(), Box::new(change)).await.unwrap();
}

async fn read(s: &Subject, key: &str, version: VersionRef) -> Result<Vec<u8>> {
    let object = s.store.open("b", key, version).await?;
    let size = object.info.size;
    Ok(collect(object.read(0..size)).await.unwrap())
}

async fn delete(s: &Subject, key: &str, version: VersionRef) -> Result<Deleted> {
    delete_with(s, DeleteKey { key: key.into(), version, ..DeleteKey::default() }).await
}

async fn delete_with(s: &Subject, key: DeleteKey) -> Result<Deleted> {
    s.store.delete(&s.b(), vec![key]).await.unwrap().remove(0)
}

/// Bodies of a small and a large object, so that both kinds of places are moved about.
fn body(n: u64) -> Bytes {
    noise(n, if n.is_multiple_of(2) { 100 } else { 100_000 })
}

async fn versions_stack_and_are_removed(s: &Subject) {
    s.bucket("b").await;
    let null = s.put("k", &body(0)).await;
    assert_eq!(null.version, None);
    set(s, Versioning::Enabled).await;
    let mut ids = Vec::new();
    for n in 1..4 {
        ids.push(VersionRef::Id(s.put("k", &body(n)).await.version.unwrap()));
    }
    assert_eq!(s.get("k").await, body(3));
    assert_eq!(read(s, "k", VersionRef::Null).await.unwrap(), body(0));
    for (id, n) in ids.iter().zip(1..) {
        assert_eq!(read(s, "k", *id).await.unwrap(), body(n));
    }
    // A marker hides the object, and going it shows it again.
    let marked = delete(s, "k", VersionRef::Current).await.unwrap();
    assert!(marked.there && marked.marker);
    let marker = VersionRef::of(marked.version.unwrap());
    assert!(matches!(read(s, "k", VersionRef::Current).await, Err(StoreError::DeleteMarker(_, false))));
    assert!(matches!(read(s, "k", marker).await, Err(StoreError::DeleteMarker(_, true))));
    assert!(s.keys(ListQuery { limit: 9, ..ListQuery::default() }).await.0.is_empty());
    assert_eq!(read(s, "k", ids[2]).await.unwrap(), body(3));
    let absent = s.put_if("k", &body(9), WriteCondition::IfMatch("*".into())).await;
    assert!(matches!(absent, Err(StoreError::NoSuchKey)), "a marker is no object: {absent:?}");
    let removed = delete(s, "k", marker).await.unwrap();
    assert_eq!(removed, Deleted { there: true, marker: true, version: marked.version });
    assert_eq!(s.get("k").await, body(3));
    // The current version removed: the one before it is current.
    assert!(!delete(s, "k", ids[2]).await.unwrap().marker);
    assert_eq!(s.get("k").await, body(2));
    assert!(matches!(read(s, "k", ids[2]).await, Err(StoreError::NoSuchVersion)));
    // One in the middle, the null version, and again what is gone.
    assert!(delete(s, "k", ids[0]).await.unwrap().there);
    assert!(delete(s, "k", VersionRef::Null).await.unwrap().there);
    assert!(!delete(s, "k", VersionRef::Null).await.unwrap().there);
    assert_eq!(s.get("k").await, body(2));
    assert!(delete(s, "k", ids[1]).await.unwrap().there);
    assert!(matches!(read(s, "k", VersionRef::Current).await, Err(StoreError::NoSuchKey)));
    s.store.delete_bucket(&s.b()).await.unwrap();
}

async fn suspended_buckets_replace_the_null_version(s: &Subject) {
    s.bucket("b").await;
    set(s, Versioning::Enabled).await;
    let first = VersionRef::Id(s.put("k", &body(1)).await.version.unwrap());
    set(s, Versioning::Suspended).await;
    assert_eq!(s.put("k", &body(2)).await.version, None);
    assert_eq!(s.put("k", &body(3)).await.version, None);
    assert_eq!(s.get("k").await, body(3));
    assert_eq!(read(s, "k", first).await.unwrap(), body(1));
    let marked = delete(s, "k", VersionRef::Current).await.unwrap();
    assert_eq!(marked, Deleted { there: true, marker: true, version: Some(None) });
    // The marker took the place of the null version.
    assert!(matches!(read(s, "k", VersionRef::Null).await, Err(StoreError::DeleteMarker(_, true))));
    set(s, Versioning::Enabled).await;
    let last = VersionRef::Id(s.put("k", &body(4)).await.version.unwrap());
    set(s, Versioning::Suspended).await;
    s.put("k", &body(5)).await;
    let page =
        s.store.list_versions("b", ListVersionsQuery { limit: 9, ..Default::default() }).await.unwrap();
    let listed: Vec<_> =
        page.versions.iter().map(|entry| (VersionRef::of(entry.version.id()), entry.is_latest)).collect();
    assert_eq!(listed, [(VersionRef::Null, true), (last, false), (first, false)]);
}

async fn locks_forbid_removal(s: &Subject) {
    s.bucket("b").await;
    set(s, Versioning::Enabled).await;
    let until = Still.now().saturating_add(jiff::SignedDuration::from_secs(1)).unwrap();
    let bucket = s.b();
    let change = |change| s.store.update_object(&bucket, "k", VersionRef::Current, change);
    let version = VersionRef::Id(s.put("k", &body(1)).await.version.unwrap());
    let governed = Retention { mode: RetentionMode::Governance, until };
    let set = |retention, bypass_governance| ObjectChange::Retention { retention, bypass_governance };
    let info = change(set(Some(governed.clone()), false)).await.unwrap();
    assert_eq!(info.lock.retention, Some(governed.clone()));
    assert!(matches!(delete(s, "k", version).await, Err(StoreError::Locked)));
    assert!(matches!(change(set(None, false)).await, Err(StoreError::Locked)));
    // A marker removes nothing, so that a lock lets it be.
    let marker = VersionRef::of(delete(s, "k", VersionRef::Current).await.unwrap().version.unwrap());
    assert!(delete(s, "k", marker).await.unwrap().marker);
    change(ObjectChange::LegalHold(true)).await.unwrap();
    let bypass = || DeleteKey { key: "k".into(), version, bypass_governance: true, ..DeleteKey::default() };
    assert!(matches!(delete_with(s, bypass()).await, Err(StoreError::Locked)));
    change(ObjectChange::LegalHold(false)).await.unwrap();
    assert!(delete_with(s, bypass()).await.unwrap().there);
    let strict =
        Lock { retention: Some(Retention { mode: RetentionMode::Compliance, ..governed }), legal_hold: None };
    let object = NewObject { lock: strict, ..NewObject::default() };
    let staged = s.stage(&body(2)).await;
    let put = s.store.put(&s.b(), "k", staged, object, WriteCondition::Always).await.unwrap();
    let version = VersionRef::of(put.version);
    let bypass = DeleteKey { key: "k".into(), version, bypass_governance: true, ..DeleteKey::default() };
    assert!(matches!(delete_with(s, bypass).await, Err(StoreError::Locked)));
    assert!(matches!(change(set(None, true)).await, Err(StoreError::Locked)));
    assert_eq!(read(s, "k", version).await.unwrap(), body(2));
}

async fn listings_page_through_versions(s: &Subject) {
    s.bucket("b").await;
    set(s, Versioning::Enabled).await;
    let mut expected = Vec::new();
    for key in ["a", "b/1", "b/2", "c"] {
        let mut of_key = Vec::new();
        for n in 0..3 {
            of_key.push(VersionRef::of(s.put(key, &body(n)).await.version));
        }
        if key == "c" {
            of_key.push(VersionRef::of(delete(s, key, VersionRef::Current).await.unwrap().version.unwrap()));
        }
        of_key.reverse();
        expected.extend(of_key.into_iter().enumerate().map(|(n, id)| (key.to_owned(), id, n == 0)));
    }
    // A marker may name a version that another key has, with a place before all of this one's.
    let mut of_another = Vec::new();
    for n in 0..6 {
        of_another.push(VersionRef::of(s.put("d", &body(n)).await.version));
    }
    let query = ListVersionsQuery {
        limit: 9,
        prefix: "c".into(),
        after_key: Some("c".into()),
        after_version: of_another.last().copied(),
        ..ListVersionsQuery::default()
    };
    let page = s.store.list_versions("b", query).await.unwrap();
    let latest: Vec<_> = page.versions.iter().map(|entry| entry.is_latest).collect();
    assert_eq!(latest, [true, false, false, false]);
    for version in of_another {
        assert!(delete(s, "d", version).await.unwrap().there);
    }
    for limit in 1..6 {
        let mut query = ListVersionsQuery { limit, ..ListVersionsQuery::default() };
        let mut listed = Vec::new();
        loop {
            let page = s.store.list_versions("b", query.clone()).await.unwrap();
            assert!(page.versions.len() <= limit);
            listed.extend(
                page.versions
                    .into_iter()
                    .map(|entry| (entry.key, VersionRef::of(entry.version.id()), entry.is_latest)),
            );
            let Some((key, version)) = page.next else { break };
            (query.after_key, query.after_version) = (Some(key), version);
        }
        assert_eq!(listed, expected, "pages of {limit}");
        let mut query =
            ListVersionsQuery { limit, delimiter: Some("/".into()), ..ListVersionsQuery::default() };
        let (mut keys, mut prefixes) = (Vec::new(), Vec::new());
        loop {
            let page = s.store.list_versions("b", query.clone()).await.unwrap();
            keys.extend(page.versions.into_iter().map(|entry| entry.key));
            prefixes.extend(page.prefixes);
            let Some((key, version)) = page.next else { break };
            (query.after_key, query.after_version) = (Some(key), version);
        }
        assert_eq!((keys.join(""), prefixes.join(" ")), ("aaacccc".into(), "b/".into()), "pages of {limit}");
    }
    let after = ListVersionsQuery { after_key: Some("b/1".into()), limit: 1, ..ListVersionsQuery::default() };
    assert_eq!(s.store.list_versions("b", after).await.unwrap().versions[0].key, "b/2");
}

async fn parts_make_versions(s: &Subject) {
    s.bucket("b").await;
    set(s, Versioning::Enabled).await;
    let mut ids = Vec::new();
    for n in 0..2 {
        let upload = s.store.create_upload(&s.b(), "k", NewUpload::default()).await.unwrap();
        let staged = s.stage(&body(n)).await;
        let part = s.store.put_part(&s.b(), "k", &upload.upload_id, 1, staged).await.unwrap();
        let parts = vec![PartRef { number: 1, etag: part.etag }];
        let object = CompletedObject { etag: format!("e{n}-1"), checksum: None };
        let bucket = s.b();
        let done =
            s.store.complete_upload(&bucket, "k", &upload.upload_id, parts, object, WriteCondition::Always);
        ids.push(VersionRef::of(done.await.unwrap().version));
    }
    assert_eq!(read(s, "k", ids[0]).await.unwrap(), body(0));
    assert_eq!(s.get("k").await, body(1));
    // An open reader keeps a version that is removed.
    let open = s.store.open("b", "k", ids[0]).await.unwrap();
    assert!(delete(s, "k", ids[0]).await.unwrap().there);
    let size = open.info.size;
    assert_eq!(collect(open.read(0..size)).await.unwrap(), body(0));
}

async fn a_bucket_with_versions_stays(s: &Subject) {
    s.bucket("b").await;
    set(s, Versioning::Enabled).await;
    let marker = delete(s, "k", VersionRef::Current).await.unwrap();
    assert!(!marker.there && marker.marker, "a marker is made even for a key that is not there");
    assert!(matches!(s.store.delete_bucket(&s.b()).await, Err(StoreError::BucketNotEmpty)));
    delete(s, "k", VersionRef::of(marker.version.unwrap())).await.unwrap();
    s.store.delete_bucket(&s.b()).await.unwrap();
}

async fn a_change_that_is_refused_changes_nothing(s: &Subject) {
    s.bucket("b").await;
    let refuse = |bucket: &mut Bucket| {
        bucket.config.versioning = Versioning::Enabled;
        Err(crate::error::ApiError::invalid_request("no"))
    };
    let refused = s.store.update_bucket(&s.b(), Box::new(refuse)).await;
    assert!(matches!(refused, Err(StoreError::Refused(error)) if error.code == "InvalidRequest"));
    assert_eq!(s.store.buckets()["b"].config.versioning, Versioning::Off);
    let gone = s.bucket("c").await;
    s.store.delete_bucket(&gone).await.unwrap();
    let absent = s.store.update_bucket(&gone, Box::new(|_| Ok(()))).await;
    assert!(matches!(absent, Err(StoreError::NoSuchBucket)));
}
