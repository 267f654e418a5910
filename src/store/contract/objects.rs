//! Buckets, objects, bodies, conditions, records.

use data_encoding::HEXLOWER;

use super::*;
use crate::bucket::Versioning;

contract!(
    buckets_come_and_go,
    bodies_of_every_size_come_back,
    ranges_at_every_segment_edge,
    heads_keep_what_they_were_given,
    digests_are_those_of_the_body,
    conditions_of_writes,
    conditions_of_deletes,
    many_deletes_answer_each_key,
    an_open_object_keeps_its_bytes,
    a_failed_body_leaves_nothing,
    staged_bytes_can_be_read_and_are_not_visible,
    keys_are_only_data,
    a_new_bucket_of_the_same_name_is_empty,
    what_was_meant_for_a_bucket_that_is_gone_is_not_for_the_next,
    concurrent_writers_leave_one_whole_version,
    only_one_of_many_wins_if_absent,
    a_renamed_object_is_whole_under_its_new_key_alone,
    records_are_kept,
    the_wrong_name_is_the_right_error,
);

async fn a_renamed_object_is_whole_under_its_new_key_alone(s: &Subject) {
    s.bucket("b").await;
    for (seed, size) in [(1, 100), (2, 700_000)] {
        let bytes = noise(seed, size);
        let put = s.put("from", &bytes).await;
        let old = s.put("to", &noise(9, 300_000)).await;
        let open = s.store.open("b", "to", VersionRef::Current).await.unwrap();
        let usage = s.store.usage("b").unwrap();
        let rename = |seen: &ObjectInfo, replaced: Option<&ObjectInfo>| Rename {
            from: "from".into(),
            to: "to".into(),
            seen: seen.clone(),
            replaced: replaced.cloned(),
            encryption: None,
            token: Some("t".into()),
        };
        for wrong in [
            rename(&old, Some(&old)),
            rename(&put, None),
            rename(&put, Some(&put)),
            Rename { from: "none".into(), ..rename(&put, Some(&old)) },
            Rename { to: "from".into(), ..rename(&put, Some(&put)) },
        ] {
            let refused = s.store.rename(&s.b(), wrong).await;
            assert!(matches!(refused, Err(StoreError::PreconditionFailed)), "{refused:?}");
        }
        assert_eq!(s.store.usage("b").unwrap(), usage);
        let renamed = s.store.rename(&s.b(), rename(&put, Some(&old))).await.unwrap();
        let trace = Some(Renamed { from: "from".into(), token: "t".into() });
        assert_eq!(renamed, ObjectInfo { renamed: trace, ..put });
        assert_eq!(s.store.head("b", "to", VersionRef::Current).await.unwrap(), renamed);
        let gone = s.store.head("b", "from", VersionRef::Current).await;
        assert!(matches!(gone, Err(StoreError::NoSuchKey)));
        assert!(s.get("to").await == bytes);
        assert!(
            collect(open.read(0..300_000)).await.unwrap() == noise(9, 300_000),
            "what was open stays readable"
        );
        assert_eq!(s.keys(ListQuery { limit: 10, ..ListQuery::default() }).await.0, ["to"]);
        assert_eq!(s.store.usage("b").unwrap().objects, usage.objects - 1);
        assert_eq!(s.store.usage("b").unwrap().bytes, usage.bytes - 300_000);
    }
    let seen = s.put("from", &noise(3, 10)).await;
    let versioned = Box::new(|bucket: &mut Bucket| {
        bucket.config.versioning = Versioning::Suspended;
        Ok(())
    });
    s.store.update_bucket(&s.b(), versioned).await.unwrap();
    let (from, to) = ("from".into(), "new".into());
    let rename = Rename { from, to, seen, replaced: None, encryption: None, token: None };
    assert!(matches!(s.store.rename(&s.b(), rename).await, Err(StoreError::PreconditionFailed)));
}

async fn buckets_come_and_go(s: &Subject) {
    let a = s.bucket("b").await;
    let new =
        NewBucket { name: "b".into(), region: "eu-west-1".into(), owner: "1".into(), ..NewBucket::default() };
    assert!(matches!(s.store.create_bucket(new).await, Err(StoreError::BucketExists)));
    s.put("k", &noise(1, 10)).await;
    assert!(matches!(s.store.delete_bucket(&s.b()).await, Err(StoreError::BucketNotEmpty)));
    let other = s.bucket("c").await;
    assert_ne!(a.id, other.id);
    assert_eq!(s.store.buckets().keys().collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(s.store.buckets()["b"], a);
    s.store.delete(&s.b(), vec![DeleteKey { key: "k".into(), ..DeleteKey::default() }]).await.unwrap();
    s.store.delete_bucket(&s.b()).await.unwrap();
    assert_eq!(s.store.buckets().keys().collect::<Vec<_>>(), ["c"]);
    assert!(matches!(s.store.delete_bucket(&a).await, Err(StoreError::NoSuchBucket)));
}

async fn bodies_of_every_size_come_back(s: &Subject) {
    s.bucket("b").await;
    let k = 1024;
    let sizes =
        [0, 1, 4 * k, 64 * k - 1, 64 * k, 64 * k + 1, 256 * k - 1, 256 * k, 256 * k + 1, 512 * k, 513 * k]
            .into_iter()
            .chain([1024 * k, 3 * 1024 * k + 17]);
    for (seed, size) in (1..).zip(sizes) {
        let bytes = noise(seed, size);
        let info = s.put("k", &bytes).await;
        assert_eq!(info.size, size as u64);
        assert!(s.get("k").await == bytes, "{size} bytes");
        let whole = s.store.stage(Payload::Bytes(bytes.clone()), StageOptions::default()).await.unwrap();
        assert_eq!(HEXLOWER.encode(&whole.md5), info.etag, "in one piece and in many");
        let (bucket, object) = (s.b(), NewObject::default());
        s.store.put(&bucket, "whole", whole, object, WriteCondition::Always).await.unwrap();
        assert!(s.get("whole").await == bytes, "{size} bytes in one piece");
    }
}

async fn ranges_at_every_segment_edge(s: &Subject) {
    s.bucket("b").await;
    let segment = 256 * 1024;
    for size in [10, 3 * segment - 1, 3 * segment, 3 * segment + 1] {
        let bytes = noise(3, size);
        s.put("k", &bytes).await;
        let edges: Vec<usize> = (0..=4)
            .flat_map(|n| [-1, 0, 1].map(|d: i64| n * segment as i64 + d))
            .chain([size as i64 - 1, size as i64])
            .filter_map(|edge| usize::try_from(edge).ok().filter(|edge| *edge <= size))
            .collect();
        for &start in &edges {
            for &end in edges.iter().filter(|end| **end >= start) {
                let object = s.store.open("b", "k", VersionRef::Current).await.unwrap();
                let read = collect(object.read(start as u64..end as u64)).await.unwrap();
                assert!(read == bytes[start..end], "{start}..{end} of {size}");
            }
        }
    }
}

async fn heads_keep_what_they_were_given(s: &Subject) {
    s.bucket("b").await;
    let object = NewObject {
        headers: ObjectHeaders {
            content_type: Some("text/plain; charset=utf-8".into()),
            cache_control: Some("no-store".into()),
            ..ObjectHeaders::default()
        },
        metadata: map(&[("a", "1"), ("b", "zwei – 二")]),
        tags: map(&[("team", "blue")]),
        checksum: Some(Checksum {
            algorithm: ChecksumAlgorithm::Crc32c,
            kind: ChecksumType::FullObject,
            value: "AAAAAA==".into(),
        }),
        ..NewObject::default()
    };
    let staged = s.stage(&noise(1, 100)).await;
    let put = s.store.put(&s.b(), "k", staged, object.clone(), WriteCondition::Always).await.unwrap();
    let head = s.store.head("b", "k", VersionRef::Current).await.unwrap();
    assert_eq!(put, head);
    assert_eq!(
        (&head.headers, &head.metadata, &head.tags),
        (&object.headers, &object.metadata, &object.tags)
    );
    assert_eq!((head.checksum, head.parts, head.last_modified), (object.checksum, None, Still.now()));
    assert_eq!(*s.store.open("b", "k", VersionRef::Current).await.unwrap().info, put);
    let tags = ObjectChange::Tags(map(&[("team", "red"), ("x", "")]));
    s.store.update_object(&s.b(), "k", VersionRef::Current, tags).await.unwrap();
    let tagged = s.store.head("b", "k", VersionRef::Current).await.unwrap();
    assert_eq!(tagged, ObjectInfo { tags: map(&[("team", "red"), ("x", "")]), ..put });
    assert!(s.get("k").await == noise(1, 100));
}

async fn digests_are_those_of_the_body(s: &Subject) {
    for size in [9, 700_000] {
        let bytes = if size == 9 { Bytes::from_static(b"123456789") } else { noise(5, size) };
        for algorithm in [ChecksumAlgorithm::Crc32c, ChecksumAlgorithm::Sha256, ChecksumAlgorithm::Crc64Nvme]
        {
            let options = StageOptions { checksum: Some(algorithm), key: None };
            let staged = s.store.stage(pieces(&bytes, 333), options).await.unwrap();
            let mut whole = hash::Hasher::new(Some(algorithm));
            whole.update(&bytes);
            let digests = whole.finish();
            assert_eq!((staged.size, staged.md5), (size as u64, digests.md5));
            assert_eq!((staged.crc64nvme, staged.checksum), (digests.crc64nvme, digests.checksum));
        }
    }
}

async fn conditions_of_writes(s: &Subject) {
    s.bucket("b").await;
    let (one, two) = (noise(1, 70_000), noise(2, 10));
    let any = || WriteCondition::IfMatch("*".into());
    assert!(matches!(s.put_if("k", &one, any()).await, Err(StoreError::NoSuchKey)));
    let first = s.put_if("k", &one, WriteCondition::IfAbsent).await.unwrap();
    let again = s.put_if("k", &two, WriteCondition::IfAbsent).await;
    assert!(matches!(again, Err(StoreError::PreconditionFailed)));
    let wrong = s.put_if("k", &two, WriteCondition::IfMatch("0".into())).await;
    assert!(matches!(wrong, Err(StoreError::PreconditionFailed)));
    assert!(s.get("k").await == one);
    let second = s.put_if("k", &two, WriteCondition::IfMatch(first.etag)).await.unwrap();
    assert!(s.get("k").await == two);
    assert_ne!(second.size, first.size);
    s.put_if("k", &one, any()).await.unwrap();
    assert!(s.get("k").await == one);
}

async fn conditions_of_deletes(s: &Subject) {
    s.bucket("b").await;
    let info = s.put("k", &noise(1, 12)).await;
    let delete = async |key: DeleteKey| s.store.delete(&s.b(), vec![key]).await.unwrap().remove(0);
    let k = || DeleteKey { key: "k".into(), ..DeleteKey::default() };
    for wrong in [
        DeleteKey { if_match: Some("0".into()), ..k() },
        DeleteKey { if_size: Some(13), ..k() },
        DeleteKey { if_last_modified: Some(Timestamp::UNIX_EPOCH), ..k() },
    ] {
        assert!(matches!(delete(wrong).await, Err(StoreError::PreconditionFailed)));
    }
    let right = DeleteKey {
        if_match: Some(info.etag),
        if_size: Some(12),
        if_last_modified: Some(Timestamp::from_second(info.last_modified.as_second()).unwrap()),
        ..k()
    };
    assert!(delete(right.clone()).await.unwrap().there);
    assert!(matches!(delete(right).await, Err(StoreError::NoSuchKey)));
    assert!(!delete(k()).await.unwrap().there);
}

async fn many_deletes_answer_each_key(s: &Subject) {
    s.bucket("b").await;
    for n in 0..20 {
        s.put(&format!("k{n}"), &noise(n, 10)).await;
    }
    let keys = (0..30).map(|n| DeleteKey {
        key: format!("k{n}"),
        if_size: (n % 3 == 0).then_some(11),
        ..DeleteKey::default()
    });
    let answers = s.store.delete(&s.b(), keys.collect()).await.unwrap();
    for (n, answer) in answers.into_iter().enumerate() {
        match answer {
            Err(StoreError::PreconditionFailed) => assert!(n < 20 && n % 3 == 0, "{n}"),
            Ok(done) => assert!(done.there == (n < 20) && (n >= 20 || n % 3 != 0), "{n}"),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(s.keys(ListQuery { limit: 100, ..ListQuery::default() }).await.0.len(), 7);
    let twice = vec![DeleteKey { key: "k0".into(), ..DeleteKey::default() }; 2];
    let answers = s.store.delete(&s.b(), twice).await.unwrap();
    assert!(matches!(
        answers.as_slice(),
        [Ok(Deleted { there: true, .. }), Ok(Deleted { there: false, .. })]
    ));
}

async fn an_open_object_keeps_its_bytes(s: &Subject) {
    s.bucket("b").await;
    for size in [100, 2_000_000] {
        let (old, new) = (noise(1, size), noise(2, size));
        s.put("k", &old).await;
        let (early, late, other) = (
            s.store.open("b", "k", VersionRef::Current).await.unwrap(),
            s.store.open("b", "k", VersionRef::Current).await.unwrap(),
            s.store.open("b", "k", VersionRef::Current).await.unwrap(),
        );
        let under_way = early.read(0..size as u64);
        s.put("k", &new).await;
        assert!(collect(late.read(0..size as u64)).await.unwrap() == old);
        s.store.delete(&s.b(), vec![DeleteKey { key: "k".into(), ..DeleteKey::default() }]).await.unwrap();
        assert!(collect(under_way).await.unwrap() == old);
        assert!(collect(other.read(5..50)).await.unwrap() == old[5..50]);
    }
}

async fn a_failed_body_leaves_nothing(s: &Subject) {
    s.bucket("b").await;
    for sent in [0, 10, 300_000] {
        let broken =
            futures_util::stream::iter([Ok(noise(1, sent)), Err(BodyError::Disconnected("gone".into()))]);
        let staged = s.store.stage(Payload::Stream(Box::pin(broken), None), StageOptions::default()).await;
        assert!(matches!(staged, Err(StoreError::Body(BodyError::Disconnected(_)))));
    }
    assert!(matches!(s.store.head("b", "k", VersionRef::Current).await, Err(StoreError::NoSuchKey)));
}

async fn staged_bytes_can_be_read_and_are_not_visible(s: &Subject) {
    s.bucket("b").await;
    for size in [100, 600_000] {
        let bytes = noise(1, size);
        let staged = s.stage(&bytes).await;
        let all = s.store.read_staged(&staged, 0..size as u64).await.unwrap();
        let some = s.store.read_staged(&staged, 10..60).await.unwrap();
        assert!(matches!(s.store.head("b", "k", VersionRef::Current).await, Err(StoreError::NoSuchKey)));
        s.store.put(&s.b(), "k", staged, NewObject::default(), WriteCondition::Always).await.unwrap();
        assert!(collect(all).await.unwrap() == bytes);
        assert!(collect(some).await.unwrap() == bytes[10..60]);
        s.store.delete(&s.b(), vec![DeleteKey { key: "k".into(), ..DeleteKey::default() }]).await.unwrap();
    }
}

async fn keys_are_only_data(s: &Subject) {
    s.bucket("b").await;
    let long = "x".repeat(1024);
    let keys = ["../../etc/passwd", "/", "//", "a\0b", ".", "..", "\u{10FFFF}", "ä/漢", " ", "%00", &long];
    for (seed, key) in (1..).zip(keys) {
        s.put(key, &noise(seed, 80_000)).await;
    }
    for (seed, key) in (1..).zip(keys) {
        assert!(s.get(key).await == noise(seed, 80_000), "{key:?}");
    }
    let mut sorted = keys.map(str::to_owned).to_vec();
    sorted.sort();
    assert_eq!(s.keys(ListQuery { limit: 100, ..ListQuery::default() }).await.0, sorted);
}

async fn what_was_meant_for_a_bucket_that_is_gone_is_not_for_the_next(s: &Subject) {
    let old = s.bucket("b").await;
    let staged = s.stage(&noise(1, 100_000)).await;
    s.store.delete_bucket(&old).await.unwrap();
    let new = NewBucket { name: "b".into(), owner: "111111111111".into(), ..NewBucket::default() };
    let new = s.store.create_bucket(new).await.unwrap();
    s.put("there", &noise(2, 10)).await;
    let upload = s.store.create_upload(&new, "k", NewUpload::default()).await.unwrap().upload_id;
    let gone =
        |error: Option<StoreError>| assert!(matches!(error, Some(StoreError::NoSuchBucket)), "{error:?}");
    gone(s.store.put(&old, "k", staged, NewObject::default(), WriteCondition::Always).await.err());
    gone(s.store.delete(&old, vec![DeleteKey { key: "there".into(), ..DeleteKey::default() }]).await.err());
    let tags = ObjectChange::Tags(Tags::new());
    gone(s.store.update_object(&old, "there", VersionRef::Current, tags).await.err());
    gone(s.store.create_upload(&old, "k", NewUpload::default()).await.err());
    let staged = s.stage(&noise(1, 100)).await;
    gone(s.store.put_part(&old, "k", &upload, 1, staged).await.err());
    let object = CompletedObject { etag: "e-1".into(), checksum: None };
    gone(s.store.complete_upload(&old, "k", &upload, vec![], object, WriteCondition::Always).await.err());
    gone(s.store.abort_upload(&old, "k", &upload).await.err());
    let close = |bucket: &mut Bucket| {
        bucket.owner.clear();
        Ok(())
    };
    gone(s.store.update_bucket(&old, Box::new(close)).await.err());
    gone(s.store.delete_bucket(&old).await.err());
    assert_eq!(s.b(), new);
    assert_eq!(s.keys(ListQuery { limit: 100, ..ListQuery::default() }).await.0, ["there"]);
    s.store.upload("b", "k", &upload).await.unwrap();
}

async fn a_new_bucket_of_the_same_name_is_empty(s: &Subject) {
    let old = s.bucket("b").await;
    let upload = s.store.create_upload(&s.b(), "k", NewUpload::default()).await.unwrap();
    let staged = s.stage(&noise(1, 100_000)).await;
    s.store.put_part(&s.b(), "k", &upload.upload_id, 1, staged).await.unwrap();
    s.store.delete_bucket(&s.b()).await.unwrap();
    let new = s.bucket("b").await;
    assert_ne!(old.id, new.id);
    assert!(matches!(s.store.upload("b", "k", &upload.upload_id).await, Err(StoreError::NoSuchUpload)));
    let page = s.store.list_uploads("b", ListUploadsQuery { limit: 10, ..Default::default() }).await.unwrap();
    assert_eq!(page, ListUploadsPage::default());
    s.put("k", &noise(2, 10)).await;
    assert!(s.get("k").await == noise(2, 10));
}

async fn concurrent_writers_leave_one_whole_version(s: &Subject) {
    s.bucket("b").await;
    let write = |seed: u64| async move {
        let size = if seed.is_multiple_of(2) { 20_000 } else { 400_000 };
        for _ in 0..3 {
            s.put("k", &noise(seed, size)).await;
            let read = s.get("k").await;
            let whole = (0..8).any(|seed| {
                let size = if seed % 2 == 0 { 20_000 } else { 400_000 };
                read.len() == size && noise(seed, size) == read
            });
            assert!(whole, "a mix of versions, {} bytes", read.len());
        }
    };
    futures_util::future::join_all((0..8).map(write)).await;
}

async fn only_one_of_many_wins_if_absent(s: &Subject) {
    s.bucket("b").await;
    let (store, written) = (&s.store, noise(9, 100));
    let tries = (0..20).map(|seed| {
        let bytes = if seed == 0 { written.clone() } else { noise(seed, 100) };
        async move {
            let staged = store.stage(Payload::Bytes(bytes), StageOptions::default()).await.unwrap();
            store
                .put(&store.bucket("b").unwrap(), "k", staged, NewObject::default(), WriteCondition::IfAbsent)
                .await
        }
    });
    let answers = futures_util::future::join_all(tries).await;
    let won: Vec<_> = answers.into_iter().filter_map(Result::ok).collect();
    assert_eq!(won.len(), 1);
    assert_eq!(s.store.head("b", "k", VersionRef::Current).await.unwrap().etag, won[0].etag);
}

async fn records_are_kept(s: &Subject) {
    let change = |kind: &str, name: &str, value: Option<&[u8]>| RecordChange {
        kind: kind.into(),
        name: name.into(),
        value: value.map(<[u8]>::to_vec),
    };
    assert_eq!(s.records.load().unwrap(), []);
    let first = vec![change("b", "x", Some(b"1")), change("a", "z", Some(b"2")), change("a", "y", Some(b""))];
    s.records.write(first).await.unwrap();
    let second = vec![change("b", "x", None), change("a", "z", Some(b"3")), change("none", "none", None)];
    s.records.write(second).await.unwrap();
    let names: Vec<_> = s.records.load().unwrap().into_iter().map(|r| (r.kind, r.name, r.value)).collect();
    let expected: [(String, String, Vec<u8>); 2] =
        [("a".into(), "y".into(), vec![]), ("a".into(), "z".into(), b"3".to_vec())];
    assert_eq!(names, expected);
}

async fn the_wrong_name_is_the_right_error(s: &Subject) {
    let gone = s.bucket("b").await;
    s.store.delete_bucket(&gone).await.unwrap();
    let staged = s.stage(&noise(1, 10)).await;
    let put = s.store.put(&gone, "k", staged, NewObject::default(), WriteCondition::Always).await;
    assert!(matches!(put, Err(StoreError::NoSuchBucket)));
    assert!(matches!(s.store.open("b", "k", VersionRef::Current).await, Err(StoreError::NoSuchBucket)));
    assert!(matches!(s.store.head("b", "k", VersionRef::Current).await, Err(StoreError::NoSuchBucket)));
    assert!(matches!(s.store.delete(&gone, vec![]).await, Err(StoreError::NoSuchBucket)));
    assert!(matches!(s.store.list("b", ListQuery::default()).await, Err(StoreError::NoSuchBucket)));
    s.bucket("b").await;
    assert!(matches!(s.store.open("b", "k", VersionRef::Current).await, Err(StoreError::NoSuchKey)));
    assert!(matches!(s.store.head("b", "k", VersionRef::Current).await, Err(StoreError::NoSuchKey)));
    let tagged =
        s.store.update_object(&s.b(), "k", VersionRef::Current, ObjectChange::Tags(Tags::new())).await;
    assert!(matches!(tagged, Err(StoreError::NoSuchKey)));
    assert!(matches!(s.store.upload("b", "k", "u").await, Err(StoreError::NoSuchUpload)));
    assert!(matches!(s.store.abort_upload(&s.b(), "k", "u").await, Err(StoreError::NoSuchUpload)));
    assert!(matches!(s.store.list_parts("b", "k", "u", 0, 1).await, Err(StoreError::NoSuchUpload)));
}
