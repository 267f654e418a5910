//! Tests of `redact` as a whole: what it masks, what it leaves, and that cuts in the input do not show.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing::run_pieces;
use crate::{Input, run};

fn redact(payload: &Value, text: &str) -> String {
    let (head, out) = run(&*build(payload).unwrap(), &Context::default(), text.as_bytes()).unwrap();
    assert_eq!(head, crate::Head::default());
    String::from_utf8(out).unwrap()
}

/// Asserts that exactly the text between `«` and `»` is masked.
fn check(marked: &str) {
    let plain: String = marked.chars().filter(|c| !"«»".contains(*c)).collect();
    let (mut expected, mut inside) = (String::new(), false);
    for c in marked.chars() {
        match c {
            '«' => inside = true,
            '»' => inside = false,
            _ => expected.push(if inside { '*' } else { c }),
        }
    }
    assert_eq!(redact(&json!({}), &plain), expected, "{plain}");
}

#[test]
fn absent_and_empty_payloads_mask_everything() {
    let text = "1,Ann,ann@example.com,+1 415-555-0132,4111 1111 1111 1111,DE89370400440532013000,192.0.2.1,2001:db8::1,123-45-6789\r\n";
    let masked = "1,Ann,***************,***************,*******************,**********************,*********,***********,***********\r\n";
    for payload in [Value::Null, json!({}), json!({"mode": "mask"})] {
        assert_eq!(redact(&payload, text), masked);
    }
}

#[test]
fn each_character_of_a_match_becomes_one_star_and_nothing_else_changes() {
    for text in [
        "«alice@example.com»",
        "mailto:«alice.b+c@mail.example.co.uk»?subject=x",
        "<«a@example.org»>,",
        "(«x_y@example.com»).",
        "user='«alice@example.com»'",
        "«o'brien@example.com»",
        "?email=«alice%40example.com»&x=1",
        "«jürgen@müller.example.de»",
        "«почта@пример.рф»",
        "邮箱：«user@example.com»。",
        "see...«alice@example.com»...",
        "«alice@example.com».",
        "«alice@example.com»_old",
        "«alice@example.xn--p1ai»",
        "a@b@«c@example.com»".trim_start_matches("a@"),
        r#"{"m":"a\n«alice@example.com»\t«192.0.2.7»"}"#,
        r#"{"m":"\u00a0«alice@example.com»\u002c«415-555-0132»"}"#,
        "card «4111-1111-1111-1111», exp 12/27",
        "1234 «4111 1111 1111 1111»",
        "«4111 1111 1111 1111» 2024",
        "IBAN «GB82 WEST 1234 5698 7654 32», thanks",
        "iban=«de89370400440532013000»",
        "from «192.0.2.1»:8080 to [«2001:db8::1»]:443",
        "http://«198.51.100.7»/x",
        "10.0.0.0 «10.0.0.1»".trim_start_matches("10.0.0.0 "),
        "client=«2001:db8::ff00:42:8329», «::1» «::ffff:192.0.2.1»",
        "«192.0.2.0»/24",
        "«10.0.0.1»-«10.0.0.9»",
        "SSN: «123-45-6789».",
        "«(415) 555-0132»",
        "tel:«415-555-0132»",
        "call «+49 30 1234567» 2024-01-15",
        "(«+49) 30 1234567»",
        "phone=«%2B14155550132»&x",
        "«415-555-0132»,«123-45-6789»",
        "x|«415-555-0132»|y",
        "电话«415-555-0132»。",
    ] {
        check(text);
    }
}

#[test]
fn what_only_looks_like_personal_data_stays() {
    for text in [
        "2024-01-15T10:15:30.123456Z",
        "2024-01-15 10:15:30,123 +0200",
        "[15/Jan/2024:10:15:30 +0000]",
        "15.01.2024",
        "01/02/2024 10:15",
        "1700000000",
        "1700000000123",
        "1700000000123456789",
        "20240115101530",
        "3.14159265358979",
        "-0.0112345678",
        "52.520008,13.404954",
        "123e4567-e89b-12d3-a456-426614174000",
        "12345678-1234-1234-1234-123456789012",
        "v1.2.3.4",
        "version 1.2.3.4",
        "Chrome/124.0.0.0",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/124.0.0.0 Safari/537.36",
        "1.2.3",
        "10.0.19045.4412",
        "ORD-2024-000123",
        "order 4155550132",
        "order_id=9876543210",
        "#415-555-0132",
        "SKU-123-45-6789",
        "A-415-555-0132",
        "GET /a HTTP/1.1\" 200 512 1024",
        "200 512 1024",
        "404 512 1024 77",
        "1,234,567.89",
        "$1 234 567",
        "sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "1234567890123456",
        "4111111111111112",
        "DE89370400440532013001",
        "GB00",
        "256.1.2.3",
        "1.2.3.4.5",
        "00:1a:2b:3c:4d:5e",
        "std::vector<int>",
        "10:15:30",
        "@example.com",
        "a@b",
        "user@localhost",
        "x @ y.com",
        "000-12-3456",
        "123-00-4567",
        "978-3-16-148410-0",
        "999.999.999",
        "id 4006381333931",
        "a+b=c",
        "(2024) 12345",
        "1-800",
        "00000000000000000000",
        "0000 0000 0000 0000",
        "port 8080",
        "80/tcp",
        "f(12) 34",
    ] {
        assert_eq!(redact(&json!({}), text), text);
    }
}

#[test]
fn only_the_kinds_asked_for() {
    let text = "a@example.com 192.0.2.1 415-555-0132";
    assert_eq!(redact(&json!({"kinds": ["ipv4"]}), text), "a@example.com ********* 415-555-0132");
    assert_eq!(redact(&json!({"kinds": ["phone", "email"]}), text), "************* 192.0.2.1 ************");
}

#[test]
fn a_refused_candidate_hides_nothing_behind_it() {
    // A card that fails, in whose middle an address begins; an IBAN that fails, with a card inside.
    check("4111 1111 1111 1112 «192.0.2.1»");
    check("DE89 3704 0044 0532 «4111 1111 1111 1111»");
    check("256.1.2.3 «1.2.3.4»");
    check("a@b@«c@example.com»");
    check("1:2:3:4:5:6:7:8:9 «2001:db8::1»");
}

#[test]
fn replace_puts_the_kind_between_brackets() {
    let payload = json!({"mode": "replace", "patterns": [{"name": "badge", "regex": "EMP-[0-9]{4}"}]});
    assert_eq!(
        redact(
            &payload,
            "a@example.com,+1 415-555-0132,4111111111111111,DE89370400440532013000,192.0.2.1,::1,123-45-6789,EMP-1234"
        ),
        "[EMAIL],[PHONE],[CARD],[IBAN],[IPV4],[IPV6],[SSN],[BADGE]"
    );
}

#[test]
fn hash_is_a_keyed_pseudonym_of_the_value() {
    let hash = |key: &str, text: &str| redact(&json!({"mode": "hash", "key": key}), text);
    let one = hash("0123456789abcdef", "a@example.com");
    assert_eq!(one.len(), 16);
    assert!(one.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(one, hash("0123456789abcdef", "A@Example.com"), "case");
    assert_ne!(one, hash("0123456789abcdeX", "a@example.com"), "key");
    assert_ne!(one, hash("0123456789abcdef", "b@example.com"), "value");
    assert_eq!(
        hash("0123456789abcdef", "4111 1111 1111 1111"),
        hash("0123456789abcdef", "4111-1111-1111-1111")
    );
    let long = json!({"mode": "hash", "key": "0123456789abcdef", "hash_length": 64});
    // HMAC-SHA256 over "EMAIL", a zero byte and the value; computed with Python's hmac.
    assert_eq!(
        redact(&long, "a@example.com"),
        "86adc3581a983d51b75f0b48b27acccae230a20ab83446098ba4acf62e481eba"
    );
}

#[test]
fn payloads_that_are_refused() {
    for (payload, path) in [
        (json!({"kinds": ["emial"]}), "kinds[0]"),
        (json!({"kinds": []}), "kinds"),
        (json!({"mode": "erase"}), "mode"),
        (json!({"mode": "hash"}), "key"),
        (json!({"mode": "hash", "key": "short"}), "key"),
        (json!({"key": "0123456789abcdef"}), "key"),
        (json!({"hash_length": 8}), "hash_length"),
        (json!({"mode": "hash", "key": "0123456789abcdef", "hash_length": 7}), "hash_length"),
        (json!({"patterns": [{"name": "x", "regex": "a*"}]}), "patterns[0].regex"),
        (json!({"patterns": [{"name": "x", "regex": "a+"}]}), "patterns[0].regex"),
        (json!({"patterns": [{"name": "x", "regex": "a{1,5000}"}]}), "patterns[0].regex"),
        (json!({"patterns": [{"name": "x", "regex": "["}]}), "patterns[0].regex"),
        (json!({"patterns": [{"name": "x", "regex": "^a"}]}), "patterns[0].regex"),
        (json!({"patterns": [{"name": "1x", "regex": "a"}]}), "patterns[0].name"),
        (json!({"patterns": [{"name": "x", "regexp": "a"}]}), "patterns[0].regexp"),
        (json!({"patterns": [{"name": "x"}]}), "patterns[0]"),
        (json!({"allow": ["key"]}), "allow"),
    ] {
        let e = build(&payload).unwrap_err();
        assert_eq!(e.path, path, "{payload}: {e}");
    }
    let many: Vec<_> = (0..33).map(|i| json!({"name": "x", "regex": format!("a{i}")})).collect();
    assert_eq!(build(&json!({"patterns": many})).unwrap_err().path, "patterns");
}

#[test]
fn the_key_is_in_no_debug_output() {
    let t = build(&json!({"mode": "hash", "key": "a-very-secret-key"})).unwrap();
    assert!(!format!("{t:?}").contains("secret"));
}

#[test]
fn patterns_see_lines_and_words_and_win_over_an_equal_kind() {
    let payload = json!({"mode": "replace", "patterns": [
        {"name": "first", "regex": "(?m)^[a-z]{3}"},
        {"name": "id", "regex": r"\bID[0-9]{3}\b"},
        {"name": "own", "regex": r"ann@example\.com"},
        {"name": "long", "regex": r"192\.0\.2\.1 \w{1,9}"},
    ]});
    assert_eq!(
        redact(&payload, "abc abc ID123 ID1234 xID123\nabc ann@example.com 192.0.2.1 secret"),
        "[FIRST] abc [ID] ID1234 xID123\n[FIRST] [OWN] [LONG]"
    );
}

#[test]
fn text_that_cannot_be_read_is_refused() {
    let stored = |encoding: &str| Input { content_encoding: Some(encoding.into()), ..Input::default() };
    let t = build(&json!({})).unwrap();
    let context = Context { input: stored("gzip"), ..Context::default() };
    assert!(matches!(run(&*t, &context, b"x"), Err(TransformError::BadInput(m)) if m.contains("decompress")));
    let context = Context { input: stored("identity"), ..Context::default() };
    assert!(run(&*t, &context, b"x").is_ok());
    for utf16 in [b"\xff\xfea\0@\0".as_slice(), b"\xfe\xff\0a\0@"] {
        assert!(matches!(run(&*t, &Context::default(), utf16), Err(TransformError::BadInput(_))));
    }
}

#[test]
fn bytes_outside_matches_pass_whatever_they_are() {
    let t = build(&json!({})).unwrap();
    let binary: Vec<u8> = (0..=255_u8).cycle().take(5000).filter(|b| *b != b'@').collect();
    let text = [&binary, b" ann@example.com ".as_slice(), &binary].concat();
    let expected = [&binary, b" *************** ".as_slice(), &binary].concat();
    assert_eq!(run(&*t, &Context::default(), &text).unwrap().1, expected);
}

const TANGLE: &str = concat!(
    "id,name,email,phone\r\n1,\"Ann, B\",ann@example.com,+1 (415) 555-0132\r\n\\nbob@example.org\\u00a0415-555-0132 ",
    "jürgen@müller.example.de 4111 1111 1111 1111 12/27 GB82 WEST 1234 5698 7654 32 192.0.2.1 2001:db8::ff00:42:8329 ",
    "123-45-6789 alice%40example.com 邮箱：user@example.com。 0044 20 7946 0018 (030) 1234567 Chrome/124.0.0.0 EMP-1234 ",
    "{\"ssn\":\"123456789\",\"phone\": \"4155550132\"} 378282246310005 a.b.c.d.e.f@x.y.z.example.info 10:15:30 ::1 ",
    "not...quite@example.com version 1.2.3.4 1234 4111-1111-1111-1111 415-555-0132 ext. 77 end@",
);

fn stage_output(config: &Arc<Config>, gather: usize, pieces: &[&[u8]]) -> Vec<u8> {
    let mut stage = stage::RedactStage::gathering(Arc::clone(config), gather);
    let mut out = Vec::new();
    for piece in pieces {
        assert_eq!(stage.write(piece, &mut out).unwrap(), piece.len());
    }
    stage.finish(&mut out).unwrap();
    out
}

fn config(payload: &Value) -> Arc<Config> {
    let Payload { patterns, .. } = payload::parse("redact", payload).unwrap();
    let custom = Custom::build(&patterns).unwrap();
    Arc::new(Config { kinds: Kinds::all(), custom, replacement: Replacement::Tag })
}

#[test]
fn every_split_point_gives_the_same_bytes() {
    // Longer than what is held back, so that every match meets the edge; with and without patterns of one's own.
    let text = TANGLE.repeat(2);
    let patterns = json!({"patterns": [
        {"name": "emp", "regex": r"\bEMP-\d{4}\b"}, {"name": "wide", "regex": "1234[^\n]{0,40}Chrome"},
    ]});
    for payload in [json!({}), patterns] {
        let config = config(&payload);
        let whole = stage_output(&config, usize::MAX >> 1, &[text.as_bytes()]);
        assert!(String::from_utf8_lossy(&whole).matches("[EMAIL]").count() >= 10);
        for at in 0..=text.len() {
            let (a, b) = text.as_bytes().split_at(at);
            let split = stage_output(&config, 0, &[a, b]);
            assert!(split == whole, "split at {at}");
        }
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert!(stage_output(&config, 0, &bytes) == whole, "byte by byte");
        for n in [2, 3, 7, 64, 391, 392, 455] {
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(n).collect();
            assert!(stage_output(&config, 0, &pieces) == whole, "pieces of {n}");
        }
    }
}

#[test]
fn a_large_object_comes_in_bounded_pieces() {
    let text = TANGLE.repeat(2000);
    let t = build(&json!({})).unwrap();
    let mut stage = t.start(&Context::default()).unwrap();
    let mut output = Vec::new();
    let taken = stage.write(text.as_bytes(), &mut output).unwrap();
    assert!(taken < text.len() && output.len() < crate::stage::HIGH_WATER + (64 << 10));
    let whole = run(&*t, &Context::default(), text.as_bytes()).unwrap();
    assert_eq!(run_pieces(&*t, &Context::default(), text.as_bytes().chunks(1000)).unwrap(), whole);
    assert_eq!(whole.1.len(), text.len() - TANGLE.matches('ü').count() * 2000);
}

fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&'static [u8]> = vec![
        b"ann@example.com",
        b"@",
        b"%40",
        b"example.com",
        b"+1 415-555-0132",
        b"415-555-0132",
        b"4111 1111 1111 1111",
        b"4111111111111111",
        b"DE89370400440532013000",
        b"192.0.2.1",
        b"2001:db8::1",
        b"::",
        b"123-45-6789",
        b"(415) ",
        b"...",
        b"\\n",
        b"\\u00e9",
        b"\\",
        b"\xc3\xa9",
        b"\xc3",
        b"\xff",
        b" ",
        b"-",
        b".",
        b"/",
        b":",
        b"0044",
        b"phone: ",
        b"1234567890",
        b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        b"a.a.a.a.a.",
        b"\n",
    ];
    prop_oneof![
        4 => prop::sample::select(known).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ]
}

proptest! {
    #[test]
    fn cuts_anywhere_in_anything_do_not_show(
        parts in prop::collection::vec(fragment(), 0..80),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        let text = parts.concat();
        prop_assume!(refused(&text).is_none());
        let config = config(&json!({"patterns": [{"name": "p", "regex": r"a\.a|\b12[0-9]{1,3}\b"}]}));
        let whole = stage_output(&config, usize::MAX >> 1, &[&text]);
        let mut at: Vec<usize> = cuts.iter().map(|c| c.index(text.len() + 1)).collect();
        at.extend([0, text.len()]);
        at.sort_unstable();
        let pieces: Vec<&[u8]> = at.windows(2).map(|w| &text[w[0]..w[1]]).collect();
        prop_assert_eq!(stage_output(&config, 0, &pieces), whole);
    }

    #[test]
    fn arbitrary_bytes_never_panic(data in prop::collection::vec(any::<u8>(), 0..2000)) {
        let t = build(&json!({})).unwrap();
        prop_assert!(run(&*t, &Context::default(), &data).is_ok() || refused(&data).is_some());
    }
}

fn refused(data: &[u8]) -> Option<()> {
    matches!(data, [0xff, 0xfe, _, 0, ..] | [0xfe, 0xff, 0, ..]).then_some(())
}
