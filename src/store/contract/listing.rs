//! Listings: order, prefixes, delimiters, pages.

use super::*;

contract!(
    keys_come_in_byte_order,
    a_delimiter_rolls_keys_up,
    pages_join_without_gap_or_repeat,
    markers_need_not_exist,
    buckets_do_not_mix,
);

const KEYS: [&str; 12] =
    ["a", "a/b", "a/b/c", "a/c", "aa", "b", "photos/1", "photos/2", "photos/x/1", "z//", "z//y", "\u{FFFF}"];

async fn fill(s: &Subject) {
    s.bucket("b").await;
    for key in KEYS.iter().rev() {
        s.put(key, &Bytes::new()).await;
    }
}

async fn keys_come_in_byte_order(s: &Subject) {
    fill(s).await;
    s.put("\u{10000}", &noise(1, 3)).await;
    let (keys, prefixes, next) = s.keys(ListQuery { limit: 1000, ..ListQuery::default() }).await;
    let mut expected: Vec<_> = KEYS.map(str::to_owned).to_vec();
    expected.push("\u{10000}".into());
    assert_eq!((keys, prefixes, next), (expected, vec![], None));
}

async fn a_delimiter_rolls_keys_up(s: &Subject) {
    fill(s).await;
    let query = |prefix: &str, delimiter: &str| ListQuery {
        prefix: prefix.into(),
        delimiter: Some(delimiter.into()),
        limit: 100,
        ..ListQuery::default()
    };
    let (keys, prefixes, _) = s.keys(query("", "/")).await;
    assert_eq!(keys, ["a", "aa", "b", "\u{FFFF}"]);
    assert_eq!(prefixes, ["a/", "photos/", "z/"]);
    let (keys, prefixes, _) = s.keys(query("photos/", "/")).await;
    assert_eq!(keys, ["photos/1", "photos/2"]);
    assert_eq!(prefixes, ["photos/x/"]);
    let (keys, prefixes, _) = s.keys(query("a", "/b")).await;
    assert_eq!((keys, prefixes), (vec!["a".into(), "a/c".into(), "aa".into()], vec!["a/b".to_owned()]));
    let (keys, prefixes, _) = s.keys(query("none", "/")).await;
    assert_eq!((keys.len(), prefixes.len()), (0, 0));
}

async fn pages_join_without_gap_or_repeat(s: &Subject) {
    fill(s).await;
    for delimiter in [None, Some("/".to_owned())] {
        for prefix in ["", "a", "photos/", "z/"] {
            let query = |limit, after| ListQuery {
                prefix: prefix.into(),
                delimiter: delimiter.clone(),
                after,
                limit,
            };
            let whole = s.keys(query(1000, None)).await;
            assert_eq!(whole.2, None);
            for limit in 1..5 {
                let (mut keys, mut prefixes, mut after) = (vec![], vec![], None);
                loop {
                    let page = s.keys(query(limit, after.clone())).await;
                    assert!(page.0.len() + page.1.len() <= limit);
                    keys.extend(page.0);
                    prefixes.extend(page.1);
                    after = page.2;
                    if after.is_none() {
                        break;
                    }
                }
                assert_eq!((keys, prefixes), (whole.0.clone(), whole.1.clone()), "{prefix:?} by {limit}");
            }
        }
    }
}

async fn markers_need_not_exist(s: &Subject) {
    fill(s).await;
    let after = |after: &str| ListQuery { after: Some(after.into()), limit: 2, ..ListQuery::default() };
    assert_eq!(s.keys(after("a/bb")).await.0, ["a/c", "aa"]);
    assert_eq!(s.keys(after("photos/2")).await.0, ["photos/x/1", "z//"]);
    assert_eq!(s.keys(after("\u{FFFF}")).await, (vec![], vec![], None));
    let none = s.keys(ListQuery::default()).await;
    assert_eq!((none.0.len(), none.1.len()), (0, 0));
}

async fn buckets_do_not_mix(s: &Subject) {
    fill(s).await;
    let new =
        NewBucket { name: "c".into(), region: "us-east-1".into(), owner: "0".into(), ..NewBucket::default() };
    s.store.create_bucket(new).await.unwrap();
    let staged = s.stage(&noise(1, 1)).await;
    s.store
        .put(&s.store.bucket("c").unwrap(), "only", staged, NewObject::default(), WriteCondition::Always)
        .await
        .unwrap();
    let page = s.store.list("c", ListQuery { limit: 100, ..ListQuery::default() }).await.unwrap();
    assert_eq!(page.objects.len(), 1);
    assert_eq!(s.keys(ListQuery { limit: 100, ..ListQuery::default() }).await.0.len(), KEYS.len());
}
