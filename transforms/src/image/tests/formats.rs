//! Formats in and out, orientation, profiles, alpha, kinds of samples, and the sizes of results.

use image::{DynamicImage, ImageBuffer, Luma, LumaA, Rgba, RgbaImage};
use serde_json::json;

use super::support::*;

#[test]
fn every_format_goes_into_every_format() {
    let picture = quarters(160, 120);
    let sources = [
        ("jpeg", jpeg(&picture, None, None), "image/jpeg"),
        ("png", png(&DynamicImage::from(picture.clone())), "image/png"),
        ("gif", gif(&picture), "image/png"),
        ("webp", webp(&picture), "image/webp"),
    ];
    for (name, object, own) in &sources {
        let (kind, result) = shown("resize", &json!({"width": 80}), object);
        assert_eq!((kind.as_str(), result.width(), result.height()), (*own, 80, 60), "{name}");
        assert_quarters(&result, QUARTERS, name);
        for to in ["jpeg", "png", "webp"] {
            let what = format!("{name} to {to}");
            let (kind, result) = shown("resize", &json!({"width": 40, "format": to}), object);
            assert_eq!((kind, result.width()), (format!("image/{to}"), 40), "{what}");
            assert_quarters(&result, QUARTERS, &what);
            let (kind, result) = shown("convert", &json!({"to": to, "quality": 90}), object);
            assert_eq!((kind, result.width()), (format!("image/{to}"), 160), "{what}");
            assert_quarters(&result, QUARTERS, &what);
        }
    }
}

#[test]
fn fits_give_their_sizes() {
    let object = png(&DynamicImage::from(quarters(160, 120)));
    for (payload, size) in [
        (json!({"width": 60, "height": 60}), (60, 60)),
        (json!({"width": 60, "height": 60, "fit": "contain"}), (60, 60)),
        (json!({"width": 60, "height": 60, "fit": "fill"}), (60, 60)),
        (json!({"width": 60, "height": 60, "fit": "inside"}), (60, 45)),
        (json!({"width": 60, "height": 60, "fit": "outside"}), (80, 60)),
        (json!({"height": 30}), (40, 30)),
        (json!({"width": 500}), (160, 120)),
        (json!({"width": 320, "enlarge": true}), (320, 240)),
    ] {
        let (_, result) = shown("resize", &payload, &object);
        assert_eq!((result.width(), result.height()), size, "{payload}");
        assert_quarters(&result, QUARTERS, &payload.to_string());
    }
}

#[test]
fn contain_pads_with_the_background() {
    let object = png(&DynamicImage::from(quarters(160, 80)));
    let corner = |payload| shown("resize", &payload, &object).1.to_rgba8().get_pixel(40, 2).0;
    assert_eq!(corner(json!({"width": 80, "height": 80, "fit": "contain"})), [0, 0, 0, 0]);
    let blue = json!({"width": 80, "height": 80, "fit": "contain", "background": "#00f"});
    assert_eq!(corner(blue), [0, 0, 255, 255]);
    let jpeg = json!({"width": 80, "height": 80, "fit": "contain", "format": "jpeg"});
    assert!(corner(jpeg).iter().all(|v| *v > 245));
}

#[test]
fn all_eight_orientations_come_out_upright() {
    let [nw, ne, sw, se] = QUARTERS;
    // What is seen where, for each EXIF value, when the stored quarters are nw ne / sw se.
    let seen = [
        [nw, ne, sw, se],
        [ne, nw, se, sw],
        [se, sw, ne, nw],
        [sw, se, nw, ne],
        [nw, sw, ne, se],
        [sw, nw, se, ne],
        [se, ne, sw, nw],
        [ne, se, nw, sw],
    ];
    for (orientation, seen) in (1u8..).zip(seen) {
        let object = jpeg(&quarters(640, 320), Some(&exif(orientation)), None);
        let wide = orientation < 5;
        let what = format!("orientation {orientation}");
        let (_, result) = shown("resize", &json!({"width": 64}), &object);
        assert_eq!((result.width(), result.height()), if wide { (64, 32) } else { (64, 128) }, "{what}");
        assert_quarters(&result, seen, &what);
        let (_, result) = shown("resize", &json!({"width": 50, "height": 100}), &object);
        assert_eq!((result.width(), result.height()), (50, 100), "{what}, cover");
        assert_quarters(&result, seen, &format!("{what}, cover"));
        let (_, result) = shown("convert", &json!({"to": "png"}), &object);
        assert_eq!((result.width(), result.height()), if wide { (640, 320) } else { (320, 640) }, "{what}");
        assert_quarters(&result, seen, &format!("{what}, converted"));
        let (_, bytes) = apply("resize", &json!({"width": 64}), &object).expect("resized");
        assert!(!bytes.windows(4).any(|window| window == b"Exif" || window == b"CAM\0"), "{what}: stripped");
    }
}

#[test]
fn a_profile_is_kept_where_it_fits() {
    let (rgb, gray) = (profile(b"RGB "), profile(b"GRAY"));
    let object = jpeg(&quarters(160, 120), None, Some(&rgb));
    for to in ["jpeg", "png", "webp"] {
        let (_, bytes) = apply("resize", &json!({"width": 40, "format": to}), &object).expect("resized");
        assert_eq!(icc_of(&bytes).as_ref(), Some(&rgb), "{to}");
        assert_quarters(&image::load_from_memory(&bytes).expect("readable"), QUARTERS, to);
    }
    let wrong = jpeg(&quarters(160, 120), None, Some(&gray));
    let (_, bytes) = apply("convert", &json!({"to": "jpeg"}), &wrong).expect("converted");
    assert_eq!(icc_of(&bytes), None, "a grey profile says nothing of colours");
}

#[test]
fn alpha_survives_premultiplied_and_is_flattened_for_jpeg() {
    // Red where opaque; the transparent half is green, which must not bleed in.
    let picture =
        RgbaImage::from_fn(64, 64, |x, _| if x < 33 { Rgba([255, 0, 0, 255]) } else { Rgba([0, 255, 0, 0]) });
    let object = png(&DynamicImage::from(picture));
    for format in ["png", "webp"] {
        let (_, result) = shown("resize", &json!({"width": 16, "format": format}), &object);
        let result = result.to_rgba8();
        assert_eq!(result.get_pixel(1, 8).0[3], 255);
        assert_eq!(result.get_pixel(14, 8).0[3], 0);
        if format == "png" {
            let bled = result.pixels().any(|p| p.0[3] > 8 && p.0[1] > 8);
            assert!(!bled, "green came through");
        }
    }
    let (_, result) =
        shown("resize", &json!({"width": 16, "format": "jpeg", "background": "#0000ff"}), &object);
    close(*result.to_rgba8().get_pixel(14, 8), [0, 0, 255], "background");
}

#[test]
fn kinds_of_png_samples() {
    let sixteen: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_pixel(32, 32, Luma([40_000]));
    let (_, result) = shown("resize", &json!({"width": 16}), &png(&DynamicImage::from(sixteen)));
    assert_eq!(result, DynamicImage::ImageLuma8(ImageBuffer::from_pixel(16, 16, Luma([156]))));
    let gray_alpha: ImageBuffer<LumaA<u8>, Vec<u8>> = ImageBuffer::from_pixel(32, 32, LumaA([90, 128]));
    let (_, result) = shown("resize", &json!({"width": 16}), &png(&DynamicImage::from(gray_alpha)));
    assert_eq!(result.to_rgba8().get_pixel(3, 3).0, [90, 90, 90, 128]);
    let gray: ImageBuffer<Luma<u8>, Vec<u8>> = ImageBuffer::from_pixel(32, 32, Luma([77]));
    let gray = png(&DynamicImage::from(gray));
    for to in ["jpeg", "png", "webp"] {
        let (_, result) = shown("convert", &json!({"to": to}), &gray);
        close(*result.to_rgba8().get_pixel(3, 3), [77, 77, 77], to);
    }
}

#[test]
fn cmyk_jpegs_have_the_right_colours() {
    // Full cyan ink gives cyan, no ink gives white, black ink gives black.
    for (ink, color) in [([255, 0, 0, 0], [0, 255, 255]), ([0; 4], [255; 3]), ([0, 0, 0, 255], [0; 3])] {
        for kind in [jpeg_encoder::ColorType::Cmyk, jpeg_encoder::ColorType::CmykAsYcck] {
            let mut object = Vec::new();
            let data = ink.repeat(32 * 32);
            jpeg_encoder::Encoder::new(&mut object, 95).encode(&data, 32, 32, kind).expect("encoded");
            let (_, result) = shown("resize", &json!({"width": 8}), &object);
            close(*result.to_rgba8().get_pixel(4, 4), color, &format!("{kind:?} {ink:?}"));
        }
    }
}

#[test]
fn the_sample_photo_is_shown_upright_and_stripped() {
    let photo = include_bytes!("../../../../data/samples/photo.jpg");
    let (head, bytes) = apply("resize", &json!({"width": 800}), photo).expect("resized");
    assert_eq!(head.content_type.as_deref(), Some("image/jpeg"));
    assert_eq!((head.content_encoding, head.vary), (None, Vec::new()), "nothing else changes");
    let result = image::load_from_memory(&bytes).expect("readable");
    assert_eq!((result.width(), result.height()), (800, 600));
    assert!(!bytes.windows(4).any(|window| window == b"Exif"));
    assert!(icc_of(&bytes).is_some());
}
