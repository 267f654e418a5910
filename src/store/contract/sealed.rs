//! Bodies that are sealed with a data key.

use super::*;
use crate::encryption::DataKey;

contract!(ranges_of_sealed_bodies_open, sealed_parts_share_a_key, staged_bodies_are_read_with_their_key,);

const KEY: [u8; 32] = [5; 32];

async fn stage(s: &Subject, bytes: &Bytes, key: [u8; 32]) -> Staged {
    let options = StageOptions { checksum: None, key: Some(DataKey::from_bytes(key)) };
    s.store.stage(pieces(bytes, 50_000), options).await.unwrap()
}

async fn read(
    s: &Subject,
    range: Range<u64>,
    key: Option<[u8; 32]>,
) -> std::result::Result<Vec<u8>, BodyError> {
    let mut object = s.store.open("b", "k", VersionRef::Current).await.unwrap();
    object.key = key.map(DataKey::from_bytes);
    collect(object.read(range)).await
}

async fn ranges_of_sealed_bodies_open(s: &Subject) {
    s.bucket("b").await;
    const SEGMENT: usize = 256 << 10;
    for size in [0, 1, 1000, 65_536, 65_537, SEGMENT, SEGMENT + 1, 3 * SEGMENT, 700_000] {
        let bytes = noise(size as u64, size);
        let staged = stage(s, &bytes, KEY).await;
        assert_eq!(staged.size, size as u64);
        let put =
            s.store.put(&s.b(), "k", staged, NewObject::default(), WriteCondition::Always).await.unwrap();
        let plain = s.stage(&bytes).await;
        assert_eq!(
            put.etag,
            data_encoding::HEXLOWER.encode(&plain.md5),
            "the digests are of the plain bytes"
        );
        for range in
            [0..size, 0..size.min(1), size / 2..size, size / 3..size / 2, size.saturating_sub(1)..size]
        {
            let expected = bytes.slice(range.clone());
            let range = range.start as u64..range.end as u64;
            assert_eq!(read(s, range.clone(), Some(KEY)).await.unwrap(), expected, "{range:?} of {size}");
            if !expected.is_empty() {
                assert!(read(s, range.clone(), Some([6; 32])).await.is_err(), "another key");
                assert!(read(s, range, None).await.is_err(), "no key");
            }
        }
    }
}

async fn sealed_parts_share_a_key(s: &Subject) {
    s.bucket("b").await;
    let upload = s.store.create_upload(&s.b(), "k", NewUpload::default()).await.unwrap();
    let (mut parts, mut whole) = (Vec::new(), Vec::new());
    for (number, size) in [(1, 300_000), (2, 10), (3, 262_144)] {
        let bytes = noise(9, size);
        let staged = stage(s, &bytes, KEY).await;
        let part = s.store.put_part(&s.b(), "k", &upload.upload_id, number, staged).await.unwrap();
        parts.push(PartRef { number, etag: part.etag });
        whole.extend_from_slice(&bytes);
    }
    let object = CompletedObject { etag: "e-3".into(), checksum: None };
    let bucket = s.b();
    let done =
        s.store.complete_upload(&bucket, "k", &upload.upload_id, parts, object, WriteCondition::Always);
    let size = done.await.unwrap().size;
    assert_eq!(read(s, 0..size, Some(KEY)).await.unwrap(), whole);
    assert_eq!(read(s, 299_990..300_020, Some(KEY)).await.unwrap(), whole[299_990..300_020]);
    assert!(read(s, 0..size, Some([6; 32])).await.is_err());
}

async fn staged_bodies_are_read_with_their_key(s: &Subject) {
    for size in [100, 300_000] {
        let bytes = noise(1, size);
        let staged = stage(s, &bytes, KEY).await;
        let payload = s.store.read_staged(&staged, 10..size as u64).await.unwrap();
        assert_eq!(collect(payload).await.unwrap(), bytes[10..]);
    }
}
