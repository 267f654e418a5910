//! Tests of `convert` for tables.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing::{assert_split_free, run_split};
use crate::{Context, Head, Input, TransformError, run};

fn context(key: &str) -> Context {
    Context { input: Input { key: key.into(), ..Input::default() }, ..Context::default() }
}

fn convert(payload: &Value, key: &str, text: &str) -> Result<(Head, String), TransformError> {
    let (head, out) = run(&*build(payload).unwrap(), &context(key), text.as_bytes())?;
    Ok((head, String::from_utf8(out).unwrap()))
}

const CSV: &str = "\u{feff}id,\"full \"\"name\"\"\",n,ok\r\n007,\"A\nB\",1.50,true\r\n8,é,-1e3,\r\n";

#[test]
fn csv_to_json_lines_as_strings_or_inferred() {
    let (head, out) = convert(&json!({"to": "jsonl"}), "t.csv", CSV).unwrap();
    assert_eq!(head.content_type.as_deref(), Some("application/x-ndjson"));
    assert_eq!(
        out,
        concat!(
            "{\"id\":\"007\",\"full \\\"name\\\"\":\"A\\nB\",\"n\":\"1.50\",\"ok\":\"true\"}\n",
            "{\"id\":\"8\",\"full \\\"name\\\"\":\"é\",\"n\":\"-1e3\",\"ok\":\"\"}\n"
        )
    );
    let (_, out) = convert(&json!({"to": "jsonl", "types": "inferred"}), "t.csv", CSV).unwrap();
    assert_eq!(
        out,
        concat!(
            "{\"id\":\"007\",\"full \\\"name\\\"\":\"A\\nB\",\"n\":1.50,\"ok\":true}\n",
            "{\"id\":8,\"full \\\"name\\\"\":\"é\",\"n\":-1e3,\"ok\":null}\n"
        )
    );
}

#[test]
fn only_json_numbers_are_numbers() {
    for yes in ["0", "-0", "12", "1.5", "1e5", "-1.5E-7", "12345678901234567890123"] {
        assert!(table::is_json_number(yes), "{yes}");
    }
    for no in [
        "", "-", "+1", "007", "1.", ".5", "1e", "0x1", "1 ", " 1", "1_000", "NaN", "\"1\"", "1,2", "[1]",
        "1\n2",
    ] {
        assert!(!table::is_json_number(no), "{no:?}");
    }
}

const JSONL: &str =
    "{\"id\":12345678901234567890,\"s\":\"a,\\\"b\\\"\",\"x\":null}\n\n{\"x\":[1, 2],\"id\":1.10}\n";

#[test]
fn json_lines_to_csv_with_the_columns_of_the_first_record() {
    let (head, out) = convert(&json!({"to": "csv"}), "t.jsonl", JSONL).unwrap();
    assert_eq!(head.content_type.as_deref(), Some("text/csv; charset=utf-8"));
    assert_eq!(out, "id,s,x\n12345678901234567890,\"a,\"\"b\"\"\",\n1.10,,\"[1, 2]\"\n");
    let (head, out) = convert(&json!({"to": "csv", "delimiter": "\t"}), "t.jsonl", JSONL).unwrap();
    assert_eq!(head.content_type.as_deref(), Some("text/tab-separated-values; charset=utf-8"));
    assert!(out.starts_with("id\ts\tx\n"));
}

#[test]
fn a_field_without_a_column_is_an_error_or_ignored() {
    let text = "{\"a\":1}\n{\"a\":2,\"b\":3}\n";
    let e = convert(&json!({"to": "csv"}), "t.jsonl", text).unwrap_err();
    assert!(matches!(e, TransformError::BadInput(m) if m.contains("record 2: unknown field `b`")));
    assert_eq!(convert(&json!({"to": "csv", "extra": "ignore"}), "t.jsonl", text).unwrap().1, "a\n1\n2\n");
    let both = json!({"to": "csv", "columns": ["b", "a"]});
    assert_eq!(convert(&both, "t.jsonl", text).unwrap().1, "b,a\n,1\n3,2\n");
    assert_eq!(convert(&both, "t.jsonl", "").unwrap().1, "b,a\n");
    assert_eq!(convert(&json!({"to": "csv"}), "t.jsonl", "").unwrap().1, "");
    assert!(convert(&json!({"to": "csv"}), "t.jsonl", "{}\n").is_err());
}

#[test]
fn an_object_that_already_has_the_form_passes() {
    let (head, out) = convert(&json!({"to": "csv"}), "t.csv", CSV).unwrap();
    assert_eq!((head, out.as_str()), (Head::default(), CSV));
    assert_eq!(convert(&json!({"to": "jsonl"}), "t.ndjson", JSONL).unwrap().1, JSONL);
}

#[test]
fn objects_that_do_not_fit_are_refused() {
    for (to, key, text) in [
        ("jsonl", "t.csv", "a,b\n1\n"),
        ("jsonl", "t.csv", "a,a\n1,2\n"),
        ("jsonl", "t.csv", "a\n\"x\n"),
        ("csv", "t.jsonl", "{\"a\":1}\nx\n"),
        ("csv", "t.jsonl", "[1]\n"),
    ] {
        let answer = convert(&json!({"to": to}), key, text);
        assert!(matches!(answer, Err(TransformError::BadInput(_))), "{text}");
    }
    let latin1 = run(&*build(&json!({"to": "jsonl"})).unwrap(), &context("t.csv"), b"a\n\xe9\n");
    assert!(matches!(latin1, Err(TransformError::BadInput(m)) if m.contains("column `a`: not UTF-8")));
}

#[test]
fn payloads_that_are_refused() {
    for (payload, path) in [
        (json!({}), "to"),
        (json!({"to": "xml"}), "to"),
        (json!({"to": 5}), "to"),
        (json!({"to": "csv", "types": "inferred"}), "types"),
        (json!({"to": "jsonl", "columns": ["a"]}), "columns"),
        (json!({"to": "jsonl", "extra": "ignore"}), "extra"),
        (json!({"to": "csv", "columns": []}), "columns"),
        (json!({"to": "csv", "delimiter": ""}), "delimiter"),
        (json!({"to": "csv", "quality": 5}), "quality"),
    ] {
        assert_eq!(build(&payload).unwrap_err().path, path, "{payload}");
    }
    assert!(build(&json!({"to": "jsnl"})).unwrap_err().message.contains("did you mean `jsonl`"));
}

#[test]
fn cuts_do_not_show() {
    assert_split_free(&*build(&json!({"to": "jsonl"})).unwrap(), &context("t.csv"), CSV.as_bytes());
    assert_split_free(&*build(&json!({"to": "csv"})).unwrap(), &context("t.jsonl"), JSONL.as_bytes());
}

proptest! {
    /// CSV → JSON lines → CSV gives back every value.
    #[test]
    fn there_and_back(
        names in prop::collection::btree_set("[a-z,\"é\n]{1,4}", 1..4),
        cells in prop::collection::vec("[a-z0-9,\"\r\né]{0,6}", 0..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let names: Vec<String> = names.into_iter().collect();
        let rows: Vec<&[String]> = cells.chunks_exact(names.len()).collect();
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(&names).unwrap();
        for row in &rows {
            writer.write_record(*row).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let there = build(&json!({"to": "jsonl"})).unwrap();
        let back = build(&json!({"to": "csv", "columns": names})).unwrap();
        let (_, lines) = run_split(&*there, &context("t.csv"), &text, cut.index(text.len() + 1)).unwrap();
        let (_, again) = run(&*back, &context("t.jsonl"), &lines).unwrap();
        let read = |bytes: &[u8]| -> Vec<Vec<String>> {
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
            reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect()
        };
        prop_assert_eq!(read(&again), read(&text));
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        data in prop::collection::vec(prop::sample::select(b"ab,\"\r\n{}:1\xff".to_vec()), 0..60),
        cut in any::<prop::sample::Index>(),
        to_csv in any::<bool>(),
    ) {
        let (to, key) = if to_csv { ("csv", "t.jsonl") } else { ("jsonl", "t.csv") };
        let t = build(&json!({"to": to})).unwrap();
        let whole = run(&*t, &context(key), &data);
        prop_assert_eq!(run_split(&*t, &context(key), &data, cut.index(data.len() + 1)), whole);
    }
}
