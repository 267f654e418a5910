//! Tests of `filter`.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing::{assert_split_free, run_split};
use crate::{Identity, Input, run};

const CSV: &str = "id,name,country,amount,team\r\n1,\"Ann, A\",DE,10,red\r\n2,Bob,FR,9.5,blue\r\n3,\"C \"\"D\"\"\",DE,100,\r\n";
const JSONL: &str = "{\"id\": 12345678901234567890, \"country\":\"DE\", \"amount\":10, \"vip\":true}\n{\"id\":2,\"country\":\"FR\",\"amount\":9.50,\"team\":null}\n{\"id\":3,\"amount\":\"n/a\"}";

fn context(key: &str) -> Context {
    Context { input: Input { key: key.into(), ..Input::default() }, ..Context::default() }
}

fn caller(tags: &[(&str, &str)]) -> Identity {
    Identity {
        user_name: Some("ann".into()),
        tags: tags.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
        ..Identity::default()
    }
}

fn filter_as(identity: Identity, payload: &Value, key: &str, text: &str) -> Result<String, TransformError> {
    let context = Context { identity, ..context(key) };
    let (head, out) = run(&*build(payload).unwrap(), &context, text.as_bytes())?;
    assert_eq!(head, Head::default());
    Ok(String::from_utf8(out).unwrap())
}

fn csv(payload: &Value) -> String {
    filter_as(Identity::default(), payload, "t.csv", CSV).unwrap()
}

/// Ids of the rows that `rules` keep, in CSV and in JSON lines.
fn kept(rules: &Value) -> (String, String) {
    let payload = json!({"where": rules});
    let csv = csv(&payload);
    let csv: String = csv.lines().skip(1).filter_map(|l| l.chars().next()).collect();
    let jsonl = filter_as(Identity::default(), &payload, "t.jsonl", JSONL).unwrap();
    let positions = JSONL.lines().enumerate().filter(|(_, l)| jsonl.contains(l));
    (csv, positions.map(|(i, _)| (i + 1).to_string()).collect())
}

#[test]
fn columns_keep_their_order_quotes_and_line_ends() {
    assert_eq!(
        csv(&json!({"columns": ["team", "name"]})),
        "name,team\r\n\"Ann, A\",red\r\nBob,blue\r\n\"C \"\"D\"\"\",\r\n"
    );
    assert_eq!(
        csv(&json!({"drop": ["name", "id", "team"]})),
        "country,amount\r\nDE,10\r\nFR,9.5\r\nDE,100\r\n"
    );
    // A record of one empty field must not become a blank line.
    assert_eq!(csv(&json!({"columns": ["team"]})), "team\r\nred\r\nblue\r\n\"\"\r\n");
    let jsonl =
        filter_as(Identity::default(), &json!({"columns": ["amount", "id"]}), "t.ndjson", JSONL).unwrap();
    assert_eq!(
        jsonl,
        "{\"id\":12345678901234567890,\"amount\":10}\n{\"id\":2,\"amount\":9.50}\n{\"id\":3,\"amount\":\"n/a\"}"
    );
}

#[test]
fn rows_that_stay_keep_their_bytes() {
    let all = json!({"where": [{"column": "id", "exists": true}]});
    assert_eq!(csv(&all), CSV);
    assert_eq!(filter_as(Identity::default(), &all, "t.jsonl", JSONL).unwrap(), JSONL);
}

#[test]
fn every_operator() {
    for (rule, in_csv, in_jsonl) in [
        (json!({"column": "country", "eq": "DE"}), "13", "1"),
        (json!({"column": "country", "ne": "DE"}), "2", "2"),
        (json!({"column": "amount", "gt": 9.5}), "13", "1"),
        (json!({"column": "amount", "ge": 9.5}), "123", "12"),
        (json!({"column": "amount", "lt": 10}), "2", "2"),
        (json!({"column": "amount", "le": 10}), "12", "12"),
        (json!({"column": "amount", "gt": 9, "lt": 50}), "12", "12"),
        (json!({"column": "amount", "eq": 10.0}), "1", "1"),
        (json!({"column": "amount", "lt": "2"}), "13", ""), // as text; JSON numbers are not text
        (json!({"column": "country", "in": ["FR", "IT"]}), "2", "2"),
        (json!({"column": "id", "in": [3, 2]}), "23", "23"),
        (json!({"column": "country", "contains": "R"}), "2", "2"),
        (json!({"column": "country", "starts_with": "D"}), "13", "1"),
        (json!({"column": "country", "ends_with": "E"}), "13", "1"),
        (json!({"column": "country", "matches": "^[D-E]+$"}), "13", "1"),
        (json!({"column": "country", "exists": false}), "", "3"),
        (json!({"not": {"column": "country", "eq": "DE"}}), "2", "2"),
        (json!({"any": [{"column": "id", "eq": 2}, {"column": "id", "eq": 3}]}), "23", "23"),
        (json!({"all": [{"column": "id", "ge": 2}, {"column": "id", "le": 2}]}), "2", "2"),
        (json!({"any": []}), "", ""),
        (json!({"all": []}), "123", "123"),
    ] {
        assert_eq!(kept(&json!([rule])), (in_csv.into(), in_jsonl.into()), "{rule}");
    }
    let vip = json!({"where": [{"column": "vip", "eq": true}]});
    assert_eq!(filter_as(Identity::default(), &vip, "t.jsonl", JSONL).unwrap().lines().count(), 1);
}

#[test]
fn big_integers_are_compared_exactly() {
    let text = "n\n12345678901234567890\n12345678901234567891\n";
    let payload = json!({"where": [{"column": "n", "gt": 12345678901234567890_u64}]});
    let out = filter_as(Identity::default(), &payload, "t.csv", text).unwrap();
    assert_eq!(out, "n\n12345678901234567891\n");
}

#[test]
fn rules_may_name_the_caller_and_fail_closed() {
    let own_team = json!({"where": [{"column": "team", "eq": {"identity": "tag:team"}}]});
    assert!(build(&own_team).unwrap().varies_by_caller());
    let red = filter_as(caller(&[("team", "red")]), &own_team, "t.csv", CSV).unwrap();
    assert_eq!(red.lines().count(), 2);
    // Row 3 has an empty team: a caller without one must not see it, nor what `not` or `ne` would leave.
    for rule in [
        json!({"column": "team", "eq": {"identity": "tag:team"}}),
        json!({"column": "team", "ne": {"identity": "tag:team"}}),
        json!({"not": {"column": "team", "eq": {"identity": "tag:team"}}}),
        json!({"not": {"column": "team", "in": ["x", {"identity": "tag:team"}]}}),
        json!({"not": {"column": "team", "starts_with": {"identity": "tag:team"}}}),
        json!({"not": {"identity": "tag:team", "eq": "red"}}),
        json!({"not": {"all": [{"column": "team", "eq": {"identity": "tag:team"}}]}}),
        json!({"not": {"any": [{"column": "team", "eq": {"identity": "tag:team"}}]}}),
    ] {
        for tags in [&[][..], &[("team", "")]] {
            let out = filter_as(caller(tags), &json!({"where": [rule]}), "t.csv", CSV).unwrap();
            assert_eq!(out.lines().count(), 1, "{rule}");
        }
    }
    let auditor = json!({"where": [{"identity": "tag:role", "eq": "auditor"}]});
    assert_eq!(filter_as(caller(&[("role", "auditor")]), &auditor, "t.csv", CSV).unwrap(), CSV);
    assert_eq!(filter_as(caller(&[]), &auditor, "t.csv", CSV).unwrap().lines().count(), 1);
    assert!(!build(&json!({"where": [{"column": "a", "eq": 1}]})).unwrap().varies_by_caller());
}

#[test]
fn objects_that_do_not_fit_are_refused() {
    let bad =
        |payload: Value, key: &str, text: &str| match filter_as(Identity::default(), &payload, key, text) {
            Err(TransformError::BadInput(message)) => message,
            other => panic!("{other:?}"),
        };
    let rule = json!({"where": [{"any": [{"column": "contry", "eq": "DE"}]}]});
    let message = bad(rule, "t.csv", CSV);
    assert!(
        message.starts_with("where[0].any[0]: unknown column `contry`; did you mean `country`?"),
        "{message}"
    );
    assert!(bad(json!({"columns": ["id", "nom"]}), "t.csv", CSV).starts_with("columns[1]"));
    assert!(bad(json!({"columns": ["a"]}), "t.csv", "a,b\n1\n").contains("record 2 has 1 fields"));
    assert!(bad(json!({"columns": ["a"]}), "t.csv", "a,a\n").contains("twice"));
    assert!(bad(json!({"columns": ["a"]}), "t.jsonl", "{}\n[]\n").contains("record 2"));
    assert!(bad(json!({"columns": ["a"]}), "t.bin", "").contains("set `format`"));
    let mut gz = context("t.csv");
    gz.input.content_encoding = Some("gzip".into());
    assert!(run(&*build(&json!({"columns": ["a"]})).unwrap(), &gz, b"").is_err());
}

#[test]
fn formats_and_delimiters() {
    let payload = json!({"columns": ["b"]});
    assert_eq!(filter_as(Identity::default(), &payload, "t.tsv", "a\tb\n1\t2\n").unwrap(), "b\n2\n");
    let payload = json!({"columns": ["b"], "delimiter": ";", "format": "csv"});
    assert_eq!(filter_as(Identity::default(), &payload, "t", "\u{feff}b;a\n2;1").unwrap(), "\u{feff}b\n2");
    let mut typed = context("t.bin");
    typed.input.content_type = Some("Text/CSV; charset=utf-8".into());
    assert_eq!(run(&*build(&json!({"columns": ["b"]})).unwrap(), &typed, b"b\n1\n").unwrap().1, b"b\n1\n");
}

#[test]
fn payloads_that_are_refused() {
    let deep = (0..20).fold(json!({"column": "a", "eq": 1}), |rule, _| json!({"not": rule}));
    for (payload, path) in [
        (json!({"columns": []}), "columns"),
        (json!({"columns": ["a"], "drop": ["b"]}), "drop"),
        (json!({"delimiter": ";;"}), "delimiter"),
        (json!({"delimiter": "\""}), "delimiter"),
        (json!({"format": "xml"}), "format"),
        (json!({"where": {"column": "a"}}), "where"),
        (json!({"where": [{"column": "a"}]}), "where[0]"),
        (json!({"where": [{"eq": 1}]}), "where[0]"),
        (json!({"where": [{"column": "a", "identity": "arn", "eq": 1}]}), "where[0]"),
        (json!({"where": [{"any": [], "eq": 1}]}), "where[0]"),
        (json!({"where": [{"column": "a", "equals": 1}]}), "where[0].equals"),
        (json!({"where": [{"column": "a", "eq": {"identity": "user"}}]}), "where[0].eq"),
        (json!({"where": [{"column": "a", "eq": [1]}]}), "where[0].eq"),
        (json!({"where": [{"column": "a", "matches": "["}]}), "where[0].matches"),
        (json!({"where": [deep]}), "where[0]"),
    ] {
        let e = build(&payload).unwrap_err();
        assert!(e.path == path || (path == "where[0]" && e.path.starts_with(path)), "{payload}: {e}");
    }
}

#[test]
fn an_empty_payload_keeps_everything() {
    let t = build(&json!({})).unwrap();
    assert!(t.is_identity());
    assert_eq!(run(&*t, &context("x.bin"), b"\0\n\n").unwrap().1, b"\0\n\n");
}

#[test]
fn cuts_do_not_show() {
    let payload = json!({"columns": ["id", "name"], "where": [{"column": "country", "eq": "DE"}]});
    assert_split_free(&*build(&payload).unwrap(), &context("t.csv"), CSV.as_bytes());
    let payload = json!({"drop": ["vip"], "where": [{"column": "amount", "exists": true}]});
    assert_split_free(&*build(&payload).unwrap(), &context("t.jsonl"), JSONL.as_bytes());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(
        data in prop::collection::vec(prop::sample::select(b"ab,\"\r\n{}:1\xff".to_vec()), 0..60),
        cut in any::<prop::sample::Index>(),
        jsonl in any::<bool>(),
    ) {
        let t = build(&json!({"columns": ["a"], "where": [{"column": "a", "ne": "b"}]})).unwrap();
        let context = context(if jsonl { "t.jsonl" } else { "t.csv" });
        let whole = run(&*t, &context, &data);
        prop_assert_eq!(run_split(&*t, &context, &data, cut.index(data.len() + 1)), whole);
    }
}
