//! Payloads: unknown keys, values out of range, and what may be overridden.

use serde_json::{Value, json};

use crate::PayloadError;
use crate::image::{convert, resize, watermark};

fn refused(outcome: Result<std::sync::Arc<dyn crate::Transform>, PayloadError>) -> PayloadError {
    match outcome {
        Err(error) => error,
        Ok(transform) => panic!("accepted: {transform:?}"),
    }
}

#[test]
fn an_unknown_key_is_named_with_the_allowed_ones() {
    let error = refused(resize::build(&json!({"widht": 10})));
    assert_eq!(error.transform, "resize");
    assert_eq!(error.path, "widht");
    for field in ["widht", "width", "height", "fit", "format", "quality", "background", "enlarge", "allow"] {
        assert!(error.message.contains(&format!("`{field}`")), "{} should name {field}", error.message);
    }
    let error = refused(watermark::build(&json!({"text": "x", "posiiton": "north"})));
    assert!(error.message.contains("`posiiton`") && error.message.contains("`position`"), "{error}");
    let error = refused(convert::build(&json!({"to": "jpeg", "level": 3})));
    assert!(error.message.contains("`level`") && error.message.contains("`quality`"), "{error}");
}

#[test]
fn a_wrong_value_is_named_with_its_bounds() {
    type Build = fn(&Value) -> Result<std::sync::Arc<dyn crate::Transform>, PayloadError>;
    let cases: [(Build, Value, &str, &str); 20] = [
        (resize::build, json!(null), ".", "width, height or both"),
        (resize::build, json!({}), ".", "width, height or both"),
        (resize::build, json!({"width": 0}), "width", "1 to 16384"),
        (resize::build, json!({"height": 16_385}), "height", "1 to 16384"),
        (resize::build, json!({"width": -5}), "width", "1 to 16384"),
        (resize::build, json!({"width": "wide"}), "width", "invalid type"),
        (resize::build, json!({"width": 5, "fit": "crop"}), "fit", "cover"),
        (resize::build, json!({"width": 5, "format": "bmp"}), "format", "webp"),
        (resize::build, json!({"width": 5, "quality": 101}), "quality", "1 to 100"),
        (resize::build, json!({"width": 5, "background": "reddish"}), "background", "#rrggbb"),
        (resize::build, json!({"width": 5, "allow": ["width", "wdith"]}), "allow[1]", "wdith"),
        (resize::build, json!({"width": 5, "allow": ["allow"]}), "allow[0]", "allow"),
        (watermark::build, json!({}), ".", "exactly one of text and image"),
        (watermark::build, json!({"text": "x", "image": "y"}), ".", "exactly one of text and image"),
        (watermark::build, json!({"text": "x", "opacity": 1.5}), "opacity", "0 to 1"),
        (watermark::build, json!({"text": "x".repeat(201)}), "text", "200"),
        (watermark::build, json!({"text": "漢字"}), "text", "U+6F22"),
        (watermark::build, json!({"image": "a", "color": "#fff"}), "color", "text"),
        (convert::build, json!({}), ".", "to"),
        (convert::build, json!({"to": "tiff"}), "to", "jpeg"),
    ];
    for (build, payload, path, part) in cases {
        let error = refused(build(&payload));
        assert_eq!(error.path, path, "{payload}: {error}");
        assert!(error.message.contains(part), "{payload}: {error} should say {part}");
    }
}

#[test]
fn every_field_may_be_allowed() {
    let all = ["width", "height", "fit", "format", "quality", "background", "enlarge"];
    resize::build(&json!({"width": 5, "allow": all})).expect("accepted");
    let all = [
        "text",
        "image",
        "position",
        "opacity",
        "size",
        "color",
        "margin",
        "format",
        "quality",
        "background",
    ];
    watermark::build(&json!({"text": 2024, "allow": all})).expect("accepted, a number as text too");
    convert::build(&json!({"to": "jpg", "allow": ["to", "quality", "background"]})).expect("accepted");
}

#[test]
fn the_examples_of_the_document_are_accepted() {
    let document = include_str!("../../../../docs/transforms-images.md");
    let mut count = 0;
    for block in document.split("```json\n").skip(1) {
        let text = block.split("```").next().expect("closed");
        let example: Value = serde_json::from_str(text).expect("JSON");
        let payload = example.get("payload").expect("a payload");
        match example.get("transform").and_then(Value::as_str).expect("a name") {
            "resize" => resize::build(payload),
            "watermark" => watermark::build(payload),
            "convert" => convert::build(payload),
            other => panic!("no transform {other}"),
        }
        .unwrap_or_else(|error| panic!("{text}: {error}"));
        count += 1;
    }
    assert!(count >= 6, "found {count} examples");
}
