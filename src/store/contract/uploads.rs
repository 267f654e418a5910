//! Multipart uploads.

use super::*;

contract!(
    parts_become_one_object,
    a_part_can_be_replaced_and_left_out,
    the_wrong_part_is_refused,
    conditions_are_decided_at_completion,
    an_aborted_upload_is_gone,
    an_open_multipart_object_keeps_its_bytes,
    parts_are_listed_in_pages,
    uploads_are_listed_in_pages,
);

async fn part(s: &Subject, id: &str, number: u16, bytes: &Bytes) -> PartRef {
    let staged = s.stage(bytes).await;
    let part = s.store.put_part(&s.b(), "k", id, number, staged).await.unwrap();
    PartRef { number, etag: part.etag }
}

async fn begin(s: &Subject) -> String {
    s.store.create_upload(&s.b(), "k", NewUpload::default()).await.unwrap().upload_id
}

async fn complete(
    s: &Subject,
    id: &str,
    parts: Vec<PartRef>,
    condition: WriteCondition,
) -> Result<ObjectInfo> {
    let object = CompletedObject { etag: "abc-2".into(), checksum: None };
    s.store.complete_upload(&s.b(), "k", id, parts, object, condition).await
}

async fn parts_become_one_object(s: &Subject) {
    s.bucket("b").await;
    let new = NewUpload {
        object: NewObject { metadata: map(&[("m", "1")]), tags: map(&[("t", "2")]), ..NewObject::default() },
        checksum: Some((ChecksumAlgorithm::Crc32c, ChecksumType::Composite)),
        initiator: "AKIA".into(),
    };
    let upload = s.store.create_upload(&s.b(), "k", new).await.unwrap();
    assert_eq!(s.store.upload("b", "k", &upload.upload_id).await.unwrap(), upload);
    let bodies = [noise(1, 700_000), noise(2, 300), noise(3, 0), noise(4, 262_144), noise(5, 70_001)];
    let mut parts = Vec::new();
    for (number, body) in [(1, 0), (3, 1), (4, 2), (9, 3), (10_000, 4)] {
        parts.push(part(s, &upload.upload_id, number, &bodies[body]).await);
    }
    assert!(matches!(s.store.head("b", "k", VersionRef::Current).await, Err(StoreError::NoSuchKey)));
    let info = complete(s, &upload.upload_id, parts, WriteCondition::Always).await.unwrap();
    let all = bodies.concat();
    assert_eq!((info.size, info.parts, info.etag.as_str()), (all.len() as u64, Some(5), "abc-2"));
    assert_eq!((info.metadata.get("m"), info.tags.get("t")), (Some(&"1".to_owned()), Some(&"2".to_owned())));
    assert_eq!(s.store.head("b", "k", VersionRef::Current).await.unwrap(), info);
    let object = s.store.open("b", "k", VersionRef::Current).await.unwrap();
    let parts = object.parts.unwrap();
    assert_eq!(parts.iter().map(|part| part.number).collect::<Vec<_>>(), [1, 3, 4, 9, 10_000]);
    assert!(s.get("k").await == all);
    let edges =
        [0, 1, 699_999, 700_000, 700_001, 700_299, 700_300, 962_444, 962_445, all.len() - 1, all.len()];
    for start in edges {
        for end in edges.into_iter().filter(|end| *end >= start) {
            let object = s.store.open("b", "k", VersionRef::Current).await.unwrap();
            let read = collect(object.read(start as u64..end as u64)).await.unwrap();
            assert!(read == all[start..end], "{start}..{end}");
        }
    }
    assert!(matches!(s.store.upload("b", "k", &upload.upload_id).await, Err(StoreError::NoSuchUpload)));
    let again = complete(s, &upload.upload_id, vec![], WriteCondition::Always).await;
    assert!(matches!(again, Err(StoreError::NoSuchUpload)));
    // Tags change the head and not the bytes.
    s.store.update_object(&s.b(), "k", VersionRef::Current, ObjectChange::Tags(Tags::new())).await.unwrap();
    assert!(s.get("k").await == all);
}

async fn a_part_can_be_replaced_and_left_out(s: &Subject) {
    s.bucket("b").await;
    let id = begin(s).await;
    let one = part(s, &id, 1, &noise(1, 100_000)).await;
    part(s, &id, 2, &noise(2, 100_000)).await;
    part(s, &id, 3, &noise(3, 100)).await;
    let two = part(s, &id, 2, &noise(4, 50)).await;
    // The store takes parts in the order they are named in.
    complete(s, &id, vec![two, one], WriteCondition::Always).await.unwrap();
    assert!(s.get("k").await == [noise(4, 50), noise(1, 100_000)].concat());
    let parts = s.store.open("b", "k", VersionRef::Current).await.unwrap().parts.unwrap();
    assert_eq!(parts.iter().map(|part| part.number).collect::<Vec<_>>(), [2, 1]);
}

async fn the_wrong_part_is_refused(s: &Subject) {
    s.bucket("b").await;
    let id = begin(s).await;
    let one = part(s, &id, 1, &noise(1, 100_000)).await;
    let missing = PartRef { number: 2, etag: one.etag.clone() };
    let refused = complete(s, &id, vec![one.clone(), missing], WriteCondition::Always).await;
    assert!(matches!(refused, Err(StoreError::InvalidPart(2))));
    let wrong = PartRef { number: 1, etag: "0".into() };
    let refused = complete(s, &id, vec![wrong], WriteCondition::Always).await;
    assert!(matches!(refused, Err(StoreError::InvalidPart(1))));
    complete(s, &id, vec![one], WriteCondition::Always).await.unwrap();
    assert!(s.get("k").await == noise(1, 100_000));
    let staged = s.stage(&noise(1, 10)).await;
    assert!(matches!(s.store.put_part(&s.b(), "k", &id, 1, staged).await, Err(StoreError::NoSuchUpload)));
    assert!(s.get("k").await == noise(1, 100_000));
}

async fn conditions_are_decided_at_completion(s: &Subject) {
    s.bucket("b").await;
    let id = begin(s).await;
    let one = part(s, &id, 1, &noise(1, 100)).await;
    s.put("k", &noise(2, 10)).await;
    let refused = complete(s, &id, vec![one.clone()], WriteCondition::IfAbsent).await;
    assert!(matches!(refused, Err(StoreError::PreconditionFailed)));
    complete(s, &id, vec![one], WriteCondition::IfMatch("*".into())).await.unwrap();
    assert!(s.get("k").await == noise(1, 100));
}

async fn an_aborted_upload_is_gone(s: &Subject) {
    s.bucket("b").await;
    let (id, other) = (begin(s).await, begin(s).await);
    let one = part(s, &id, 1, &noise(1, 100_000)).await;
    let kept = part(s, &other, 1, &noise(2, 100_000)).await;
    s.store.abort_upload(&s.b(), "k", &id).await.unwrap();
    assert!(matches!(s.store.abort_upload(&s.b(), "k", &id).await, Err(StoreError::NoSuchUpload)));
    assert!(matches!(s.store.list_parts("b", "k", &id, 0, 9).await, Err(StoreError::NoSuchUpload)));
    let refused = complete(s, &id, vec![one], WriteCondition::Always).await;
    assert!(matches!(refused, Err(StoreError::NoSuchUpload)));
    complete(s, &other, vec![kept], WriteCondition::Always).await.unwrap();
    assert!(s.get("k").await == noise(2, 100_000));
}

async fn an_open_multipart_object_keeps_its_bytes(s: &Subject) {
    s.bucket("b").await;
    let id = begin(s).await;
    let bodies = [noise(1, 300_000), noise(2, 90)];
    let parts = vec![part(s, &id, 1, &bodies[0]).await, part(s, &id, 2, &bodies[1]).await];
    let size = complete(s, &id, parts, WriteCondition::Always).await.unwrap().size;
    let object = s.store.open("b", "k", VersionRef::Current).await.unwrap();
    s.put("k", &noise(3, 100)).await;
    // Time for a collector that would not wait.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(collect(object.read(0..size)).await.unwrap() == bodies.concat());
}

async fn parts_are_listed_in_pages(s: &Subject) {
    s.bucket("b").await;
    let id = begin(s).await;
    for number in [7, 1, 10_000, 3] {
        part(s, &id, number, &noise(u64::from(number), 10)).await;
    }
    let list = async |after, limit| {
        let (parts, more) = s.store.list_parts("b", "k", &id, after, limit).await.unwrap();
        (parts.iter().map(|part| part.number).collect::<Vec<_>>(), more)
    };
    assert_eq!(list(0, 10).await, (vec![1, 3, 7, 10_000], false));
    assert_eq!(list(0, 2).await, (vec![1, 3], true));
    assert_eq!(list(3, 2).await, (vec![7, 10_000], false));
    assert_eq!(list(10_000, 2).await, (vec![], false));
}

async fn uploads_are_listed_in_pages(s: &Subject) {
    s.bucket("b").await;
    let mut all = Vec::new();
    for key in ["a/1", "a/2", "b", "b", "c/x", "d"] {
        let upload = s.store.create_upload(&s.b(), key, NewUpload::default()).await.unwrap();
        all.push((key.to_owned(), upload.upload_id));
    }
    all.sort();
    for (prefix, delimiter) in [("", None), ("a", None), ("", Some("/")), ("a/", Some("/")), ("x", None)] {
        for limit in 1..8 {
            let (mut uploads, mut prefixes, mut next) = (vec![], vec![], None::<(String, String)>);
            loop {
                let query = ListUploadsQuery {
                    prefix: prefix.into(),
                    delimiter: delimiter.map(str::to_owned),
                    after_key: next.as_ref().map(|next| next.0.clone()),
                    after_id: next.as_ref().map(|next| next.1.clone()),
                    limit,
                };
                let page = s.store.list_uploads("b", query).await.unwrap();
                uploads.extend(page.uploads.into_iter().map(|(key, upload)| (key, upload.upload_id)));
                prefixes.extend(page.prefixes);
                next = page.next;
                if next.is_none() {
                    break;
                }
            }
            let expected: Vec<_> = all
                .iter()
                .filter(|(key, _)| key.starts_with(prefix))
                .filter(|(key, _)| delimiter.is_none() || !key.strip_prefix(prefix).unwrap().contains('/'))
                .cloned()
                .collect();
            assert_eq!(uploads, expected, "{prefix:?} {delimiter:?} by {limit}");
            let rolled: &[&str] = if (prefix, delimiter) == ("", Some("/")) { &["a/", "c/"] } else { &[] };
            assert_eq!(prefixes, rolled);
        }
    }
}
