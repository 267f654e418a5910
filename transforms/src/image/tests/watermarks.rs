//! Watermarks: where pixels change, that they can be seen, and pictures as marks.

use bytes::Bytes;
use image::{DynamicImage, Rgba, RgbaImage};
use serde_json::json;

use super::support::*;
use crate::{Context, TransformError, run};

fn plain(level: u8) -> RgbaImage {
    RgbaImage::from_pixel(400, 300, Rgba([level, level, level, 255]))
}

/// The bounding box of the pixels that differ: left, top, right, bottom.
fn changed(before: &RgbaImage, after: &RgbaImage) -> Option<(u32, u32, u32, u32)> {
    let mut found: Option<(u32, u32, u32, u32)> = None;
    for (x, y, pixel) in after.enumerate_pixels() {
        if pixel != before.get_pixel(x, y) {
            let (l, t, r, b) = found.unwrap_or((x, y, x, y));
            found = Some((l.min(x), t.min(y), r.max(x), b.max(y)));
        }
    }
    found
}

#[test]
fn text_changes_pixels_only_where_it_stands() {
    let before = plain(128);
    let object = png(&DynamicImage::from(before.clone()));
    for (position, across, down) in [
        ("north-west", 0, 0),
        ("north", 1, 0),
        ("north-east", 2, 0),
        ("west", 0, 1),
        ("center", 1, 1),
        ("east", 2, 1),
        ("south-west", 0, 2),
        ("south", 1, 2),
        ("south-east", 2, 2),
    ] {
        let payload = json!({"text": "Refract", "position": position});
        let (kind, after) = shown("watermark", &payload, &object);
        assert_eq!(kind, "image/png");
        let (left, top, right, bottom) = changed(&before, &after.to_rgba8()).expect("something is drawn");
        let third = |low: u32, high: u32, side: u32| (low + high) / 2 * 3 / side;
        assert_eq!((third(left, right, 400), third(top, bottom, 300)), (across, down), "{position}");
        assert!(left >= 8 && top >= 8 && right < 392 && bottom < 292, "{position}: margin");
        assert!(right - left < 120 && bottom - top < 30, "{position}: size");
    }
}

#[test]
fn text_is_visible_on_black_and_on_white() {
    for level in [0u8, 255] {
        for color in ["white", "black"] {
            let before = plain(level);
            let payload = json!({"text": "© Refract", "color": color, "opacity": 0.6});
            let (_, after) = shown("watermark", &payload, &png(&DynamicImage::from(before)));
            let strong = after.to_rgba8().pixels().filter(|p| p.0[0].abs_diff(level) > 80).count();
            assert!(strong > 200, "{color} on {level}: {strong} pixels stand out");
        }
    }
}

#[test]
fn opacity_scales_the_change() {
    let object = png(&DynamicImage::from(plain(0)));
    let brightest = |opacity: f64| {
        let (_, after) = shown("watermark", &json!({"text": "H", "size": 0.5, "opacity": opacity}), &object);
        after.to_rgba8().pixels().map(|p| p.0[0]).max().expect("pixels")
    };
    assert_eq!(brightest(0.0), 0);
    assert!(brightest(0.5).abs_diff(128) <= 2);
    assert_eq!(brightest(1.0), 255);
}

#[test]
fn tiles_reach_every_part() {
    let before = plain(128);
    let payload = json!({"text": "draft", "position": "tile"});
    let (_, after) = shown("watermark", &payload, &png(&DynamicImage::from(before.clone())));
    let after = after.to_rgba8();
    for (x, y) in [(0, 0), (200, 0), (0, 150), (200, 150)] {
        let part = image::imageops::crop_imm(&after, x, y, 200, 150).to_image();
        assert!(part.pixels().filter(|p| p.0[0] != 128).count() > 200, "part at {x},{y}");
    }
}

#[test]
fn a_long_text_is_made_smaller_and_a_tiny_picture_does_not_fail() {
    let before = plain(128);
    let payload = json!({"text": "a very long sentence that cannot stand on one line of this picture at this size",
        "size": 0.3});
    let (_, after) = shown("watermark", &payload, &png(&DynamicImage::from(before.clone())));
    let (left, _, right, _) = changed(&before, &after.to_rgba8()).expect("drawn");
    assert!(left >= 8 && right < 392);
    let tiny = png(&DynamicImage::from(RgbaImage::from_pixel(1, 1, Rgba([9, 9, 9, 255]))));
    for position in ["tile", "center"] {
        shown("watermark", &json!({"text": "x", "position": position}), &tiny);
    }
}

#[test]
fn the_format_stays_and_photos_keep_their_orientation() {
    let object = jpeg(&quarters(320, 160), Some(&exif(6)), None);
    let (kind, result) = shown("watermark", &json!({"text": "x"}), &object);
    assert_eq!((kind.as_str(), result.width(), result.height()), ("image/jpeg", 160, 320));
    let (kind, _) = shown("watermark", &json!({"text": "x", "format": "webp"}), &object);
    assert_eq!(kind, "image/webp");
}

#[test]
fn a_picture_of_the_bucket_is_drawn_with_its_alpha() {
    let logo =
        RgbaImage::from_fn(
            100,
            50,
            |x, _| {
                if x < 50 { Rgba([255, 0, 0, 255]) } else { Rgba([0, 255, 0, 0]) }
            },
        );
    let payload =
        json!({"image": "marks/logo.png", "position": "north-west", "opacity": 1, "margin": 0, "size": 0.5});
    let transform = transform("watermark", &payload);
    assert_eq!(transform.resources(), ["marks/logo.png"]);
    let object = png(&DynamicImage::from(plain(128)));
    let mut context = Context::default();
    let error = run(&*transform, &context, &object).expect_err("no resource");
    assert!(matches!(&error, TransformError::Resource { key, .. } if key == "marks/logo.png"), "{error}");
    context.resources.insert("marks/logo.png".into(), Bytes::from_static(b"no picture at all"));
    let error = run(&*transform, &context, &object).expect_err("unreadable");
    assert!(
        matches!(&error, TransformError::Resource { message, .. } if message.contains("text")),
        "{error}"
    );
    context.resources.insert("marks/logo.png".into(), Bytes::from(png(&DynamicImage::from(logo))));
    let (_, bytes) = run(&*transform, &context, &object).expect("drawn");
    let after = image::load_from_memory(&bytes).expect("readable").to_rgba8();
    // Half as wide as the picture: 200 x 100, its left half red.
    close(*after.get_pixel(40, 50), [255, 0, 0], "the opaque half");
    close(*after.get_pixel(150, 50), [128; 3], "the transparent half");
    close(*after.get_pixel(40, 104), [128; 3], "below");
}
