//! What is no picture, too large a one, or a damaged one: an error that says so, never a panic.

use image::DynamicImage;
use proptest::prelude::*;
use serde_json::json;

use super::support::*;
use crate::{Context, Limits, TransformError, run};

fn fixtures() -> Vec<(&'static str, Vec<u8>)> {
    let picture = quarters(48, 40);
    vec![
        ("jpeg", jpeg(&picture, Some(&exif(6)), Some(&profile(b"RGB ")))),
        ("png", png(&DynamicImage::from(picture.clone()))),
        ("gif", gif(&picture)),
        ("webp", webp(&picture)),
    ]
}

/// A PNG whose header declares a size, with a right checksum, and almost no data.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |name: &[u8; 4], body: &[u8]| {
        file.extend_from_slice(&u32::try_from(body.len()).expect("small").to_be_bytes());
        let covered = [name.as_slice(), body].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&covered);
        file.extend_from_slice(&covered);
        file.extend_from_slice(&crc.sum().to_be_bytes());
    };
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    chunk(b"IHDR", &header);
    chunk(b"IDAT", &[0x78, 0x9C, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]);
    chunk(b"IEND", &[]);
    file
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    let error = apply("resize", &json!({"width": 100}), &bomb(60_000, 60_000)).expect_err("refused");
    assert_eq!(error, TransformError::Limit { what: "decoded pixels", limit: 100_000_000 });
    let error = apply("resize", &json!({"width": 100}), &bomb(90_000_000, 1)).expect_err("refused");
    assert!(matches!(error, TransformError::Limit { limit: 65_535, .. }), "{error}");
    // The header is enough: the rest need not even arrive.
    let transform = transform("resize", &json!({"width": 100}));
    let mut stage = transform.start(&Context::default()).expect("started");
    let bomb = bomb(60_000, 60_000);
    let error = bomb.iter().find_map(|byte| stage.write(&[*byte], &mut Vec::new()).err());
    assert!(matches!(error, Some(TransformError::Limit { .. })), "{error:?}");
}

#[test]
fn a_webp_that_hides_a_larger_picture_is_refused() {
    let inner = webp(&quarters(64, 64));
    let mut body = b"WEBPVP8X\x0a\0\0\0\0\0\0\0\x01\0\0\x01\0\0".to_vec();
    body.extend_from_slice(&inner[12..]);
    let mut file = b"RIFF".to_vec();
    file.extend_from_slice(&u32::try_from(body.len()).expect("small").to_le_bytes());
    file.extend_from_slice(&body);
    let error = apply("convert", &json!({"to": "png"}), &file).expect_err("refused");
    assert!(matches!(error, TransformError::BadInput(_)), "{error}");
}

#[test]
fn objects_past_the_buffer_are_refused() {
    let limits = Limits { buffered_bytes: 1000, ..Limits::default() };
    let mut context = Context { limits, ..Context::default() };
    let transform = transform("resize", &json!({"width": 100}));
    let object = png(&DynamicImage::from(quarters(300, 300)));
    let padded = [object, vec![0; 2000]].concat();
    assert!(matches!(run(&*transform, &context, &padded), Err(TransformError::Limit { limit: 1000, .. })));
    context.input.size = Some(1001);
    assert!(matches!(transform.start(&context).err(), Some(TransformError::Limit { limit: 1000, .. })));
}

#[test]
fn a_result_past_the_cap_is_refused_before_it_is_made() {
    let object = png(&DynamicImage::from(quarters(10, 10)));
    for fit in ["contain", "fill", "cover"] {
        let payload = json!({"width": 16_384, "height": 16_384, "fit": fit, "enlarge": true});
        let error = apply("resize", &payload, &object).expect_err("refused");
        assert!(matches!(error, TransformError::Limit { limit: 100_000_000, .. }), "{fit}: {error}");
    }
    let wide = png(&DynamicImage::from(quarters(17_000, 2)));
    let error = apply("convert", &json!({"to": "webp"}), &wide).expect_err("refused");
    assert!(matches!(error, TransformError::Limit { limit: 16_383, .. }), "{error}");
}

#[test]
fn what_is_no_picture_is_named() {
    for (object, name) in
        [(&b""[..], "empty"), (b"%PDF-1.4 rest of it", "PDF"), (b"plain words, many", "text")]
    {
        for transform in ["resize", "convert", "watermark"] {
            let payload = match transform {
                "resize" => json!({"width": 10}),
                "convert" => json!({"to": "png"}),
                _ => json!({"text": "x"}),
            };
            let error = apply(transform, &payload, object).expect_err("refused");
            assert!(matches!(&error, TransformError::BadInput(text) if text.contains(name)), "{error}");
        }
    }
}

#[test]
fn a_truncated_picture_is_bad_input_at_every_length() {
    for (name, object) in fixtures() {
        // A JPEG without its end marker, a GIF without its trailer and a PNG without its last chunk still
        // hold all pixels; what is cut within the pixels must be refused.
        for length in (0..object.len().saturating_sub(24)).step_by(7) {
            match apply("resize", &json!({"width": 10}), &object[..length]) {
                Err(TransformError::BadInput(_)) => {}
                other => {
                    panic!("{name} cut to {length} of {}: {:?}", object.len(), other.map(|_| "a picture"))
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(
        head in prop::sample::select(vec![
            &b"\xFF\xD8\xFF\xE0"[..], b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", b"GIF89a", b"RIFF\x40\0\0\0WEBPVP8 ", b"",
        ]),
        tail in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let limits = Limits { pixels: 1_000_000, ..Limits::default() };
        let context = Context { limits, ..Context::default() };
        let outcome = run(&*transform("resize", &json!({"width": 10})), &context, &[head, &tail].concat());
        prop_assert!(!matches!(outcome, Err(TransformError::Internal(_))));
    }

    #[test]
    fn flipped_bytes_never_panic(
        which in 0usize..4,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (_, mut object) = fixtures().swap_remove(which);
        for (at, value) in flips {
            let at = at.index(object.len());
            object[at] = value;
        }
        let limits = Limits { pixels: 1_000_000, ..Limits::default() };
        let context = Context { limits, ..Context::default() };
        let outcome = run(&*transform("resize", &json!({"width": 10, "height": 10})), &context, &object);
        prop_assert!(!matches!(outcome, Err(TransformError::Internal(_))));
    }

    #[test]
    fn pieces_make_no_difference(cuts in prop::collection::vec(1usize..400, 1..20), which in 0usize..4) {
        let (_, object) = fixtures().swap_remove(which);
        let transform = transform("convert", &json!({"to": "png"}));
        let (_, whole) = run(&*transform, &Context::default(), &object).expect("converted");
        let mut stage = transform.start(&Context::default()).expect("started");
        let (mut rest, mut out) = (&object[..], Vec::new());
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            prop_assert_eq!(stage.write(piece, &mut out).expect("taken"), piece.len());
            rest = after;
        }
        while stage.finish(&mut out).expect("finished") == crate::Progress::More {}
        prop_assert_eq!(out, whole);
    }
}
