//! Tests of `augment`.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing::{assert_split_free, run_split};
use crate::{Identity, Input, Limits, run};

fn context(key: &str) -> Context {
    let input = Input {
        bucket: "b".into(),
        key: key.into(),
        size: Some(42),
        etag: Some("\"abc\"".into()),
        last_modified: Some("2025-01-02T03:04:05Z".into()),
        content_type: None,
        metadata: [("owner".into(), "ann".into())].into(),
        tags: [("class".into(), "a,b".into())].into(),
        ..Input::default()
    };
    let identity = Identity { user_name: Some("bob".into()), ..Identity::default() };
    let resources = [
        ("countries.csv", "code,name\nDE,Germany\nFR,\"France, metropolitan\"\nDE,later\n"),
        (
            "rates.jsonl",
            "{\"country\":\"DE\",\"rate\":1.5}\n{\"country\":\"FR\",\"rate\":12345678901234567890123}\n",
        ),
    ];
    let resources = resources.map(|(k, v)| (k.to_owned(), Bytes::from_static(v.as_bytes()))).into();
    Context { input, identity, resources, ..Context::default() }
}

fn augment(payload: &Value, key: &str, text: &str) -> Result<String, TransformError> {
    let (head, out) = run(&*build(payload).unwrap(), &context(key), text.as_bytes())?;
    assert_eq!(head, Head::default());
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn every_source_in_both_formats() {
    let payload = json!({"add": {
        "src": "a,b", "n": 1.5, "ok": true, "none": null,
        "who": {"identity": "user_name"}, "team": {"identity": "tag:team", "default": "none"}, "arn": {"identity": "arn"},
        "key": {"object": "key"}, "size": {"object": "size"}, "etag": {"object": "etag"},
        "at": {"object": "last_modified"}, "owner": {"object": "metadata:Owner"}, "class": {"object": "tag:class"},
        "land": {"lookup": {"key": "countries.csv", "on": "country", "match": "code", "take": "name"}, "default": "?"},
        "rate": {"lookup": {"key": "rates.jsonl", "on": "country", "take": "rate"}},
    }});
    let t = build(&payload).unwrap();
    assert!(t.varies_by_caller());
    assert_eq!(t.resources(), ["countries.csv", "rates.jsonl"]);
    let out = augment(&payload, "t.csv", "id,country\r\n1,DE\r\n2,FR\r\n3,XX").unwrap();
    let new = "\"a,b\",1.5,true,,bob,none,,t.csv,42,abc,2025-01-02T03:04:05Z,ann,\"a,b\"";
    assert_eq!(
        out,
        format!(
            "id,country,src,n,ok,none,who,team,arn,key,size,etag,at,owner,class,land,rate\r\n1,DE,{new},Germany,1.5\r\n2,FR,{new},\"France, metropolitan\",12345678901234567890123\r\n3,XX,{new},?,"
        )
    );
    let out = augment(&payload, "t.jsonl", "{\"country\": \"DE\"}\n{ }\n").unwrap();
    let new = "\"src\":\"a,b\",\"n\":1.5,\"ok\":true,\"none\":null,\"who\":\"bob\",\"team\":\"none\",\"arn\":null,\"key\":\"t.jsonl\",\"size\":42,\"etag\":\"abc\",\"at\":\"2025-01-02T03:04:05Z\",\"owner\":\"ann\",\"class\":\"a,b\"";
    assert_eq!(
        out,
        format!(
            "{{\"country\": \"DE\",{new},\"land\":\"Germany\",\"rate\":1.5}}\n{{ {new},\"land\":\"?\",\"rate\":null}}\n"
        )
    );
}

#[test]
fn what_is_there_already_is_an_error_replaced_or_kept() {
    let payload = |existing: &str| json!({"add": {"b": "new", "c": 1}, "existing": existing});
    for (key, text, replaced, kept) in [
        ("t.csv", "a,b\n1,\"x,y\"\n", "a,b,c\n1,new,1\n", "a,b,c\n1,\"x,y\",1\n"),
        (
            "t.jsonl",
            "{\"b\":12345678901234567890, \"a\":1}\n",
            "{\"a\":1,\"b\":\"new\",\"c\":1}\n",
            "{\"b\":12345678901234567890, \"a\":1,\"c\":1}\n",
        ),
    ] {
        let e = augment(&payload("error"), key, text).unwrap_err();
        assert!(matches!(e, TransformError::BadInput(m) if m.contains("`b` already")));
        assert_eq!(augment(&payload("replace"), key, text).unwrap(), replaced);
        assert_eq!(augment(&payload("keep"), key, text).unwrap(), kept);
    }
    let only = json!({"add": {"b": 1}, "existing": "replace"});
    assert_eq!(augment(&only, "t.jsonl", "{\"b\":2}\n").unwrap(), "{\"b\":1}\n");
}

#[test]
fn resources_that_cannot_be_used_are_named() {
    let lookup = |key: &str, take: &str| json!({"add": {"x": {"lookup": {"key": key, "on": "country", "match": "code", "take": take}}}});
    let resource = |payload: Value| match augment(&payload, "t.csv", "country\nDE\n") {
        Err(TransformError::Resource { key, message }) => (key, message),
        other => panic!("{other:?}"),
    };
    assert_eq!(resource(lookup("nowhere.csv", "name")), ("nowhere.csv".into(), "was not found".into()));
    let (key, message) = resource(lookup("countries.csv", "nam"));
    assert!(key == "countries.csv" && message.contains("did you mean `name`"), "{message}");
    let e = augment(&lookup("countries.csv", "name"), "t.csv", "land\nDE\n").unwrap_err();
    assert!(
        matches!(e, TransformError::BadInput(m) if m.contains("add.x.lookup.on: unknown column `country`"))
    );
    let mut small = context("t.csv");
    small.limits = Limits { buffered_bytes: 10, ..Limits::default() };
    let answer = run(&*build(&lookup("countries.csv", "name")).unwrap(), &small, b"country\n");
    assert_eq!(answer.unwrap_err(), TransformError::Limit { what: "bytes of a look-up table", limit: 10 });
}

#[test]
fn payloads_that_are_refused() {
    for (payload, path) in [
        (json!({"add": {"x": [1]}}), "add.x"),
        (json!({"add": {"x": {}}}), "add.x"),
        (json!({"add": {"x": {"identity": "arn", "object": "key"}}}), "add.x"),
        (json!({"add": {"x": {"identity": "nope"}}}), "add.x.identity"),
        (json!({"add": {"x": {"object": "sise"}}}), "add.x.object"),
        (json!({"add": {"x": {"object": "key", "defalt": 1}}}), "add.x.defalt"),
        (json!({"add": {"x": {"object": "key", "default": [1]}}}), "add.x.default"),
        (json!({"add": {"x": {"lookup": {"key": "k", "on": "a"}}}}), "add.x.lookup"),
        (
            json!({"add": {"x": {"lookup": {"key": "k", "on": "a", "take": "b", "mach": "c"}}}}),
            "add.x.lookup.mach",
        ),
        (json!({"existing": "merge"}), "existing"),
    ] {
        let e = build(&payload).unwrap_err();
        assert_eq!(e.path, path, "{payload}: {e}");
    }
}

#[test]
fn nothing_to_add_is_identity() {
    let t = build(&json!({})).unwrap();
    assert!(t.is_identity() && !t.varies_by_caller() && t.resources().is_empty());
}

#[test]
fn cuts_do_not_show() {
    let payload = json!({"add": {"l": {"lookup": {"key": "countries.csv", "on": "country", "match": "code", "take": "name"}}}});
    let t = build(&payload).unwrap();
    assert_split_free(&*t, &context("t.csv"), "\u{feff}id,country\r\n1,\"DE\"\r\n\r\n2,FR".as_bytes());
    assert_split_free(&*t, &context("t.jsonl"), b"{\"country\":\"DE\"}\r\n\n{\"country\":\"FR\"} ");
}

proptest! {
    #[test]
    fn lines_stay_json_and_nothing_panics(
        data in prop::collection::vec(prop::sample::select(b"a\",\r\n{}:1 \xff".to_vec()), 0..60),
        cut in any::<prop::sample::Index>(),
        jsonl in any::<bool>(),
    ) {
        let t = build(&json!({"add": {"new": "x\"y"}})).unwrap();
        let context = context(if jsonl { "t.jsonl" } else { "t.csv" });
        let whole = run(&*t, &context, &data);
        if let (Ok((_, out)), true) = (&whole, jsonl) {
            for line in out.split(|b| *b == b'\n').filter(|l| !l.trim_ascii().is_empty()) {
                prop_assert!(serde_json::from_slice::<Value>(line).unwrap().get("new").is_some());
            }
        }
        prop_assert_eq!(run_split(&*t, &context, &data, cut.index(data.len() + 1)), whole);
    }
}
