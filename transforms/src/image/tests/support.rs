//! Pictures made for tests, in every format, and readers for the results.

use std::sync::Arc;

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, Rgba, RgbaImage};
use serde_json::Value;

use crate::image::{convert, resize, watermark};
use crate::{Context, Head, Transform, TransformError, run};

/// Colours of the quarters: north-west, north-east, south-west, south-east.
pub(super) const QUARTERS: [[u8; 3]; 4] = [[220, 30, 30], [30, 200, 30], [30, 30, 220], [240, 240, 240]];

pub(super) fn transform(name: &str, payload: &Value) -> Arc<dyn Transform> {
    match name {
        "resize" => resize::build(payload),
        "watermark" => watermark::build(payload),
        "convert" => convert::build(payload),
        other => panic!("no transform {other}"),
    }
    .unwrap_or_else(|error| panic!("{error}"))
}

pub(super) fn apply(name: &str, payload: &Value, object: &[u8]) -> Result<(Head, Vec<u8>), TransformError> {
    run(&*transform(name, payload), &Context::default(), object)
}

/// As [`apply`], for what must succeed: the Content-Type and the decoded result.
pub(super) fn shown(name: &str, payload: &Value, object: &[u8]) -> (String, DynamicImage) {
    let (head, bytes) = apply(name, payload, object).unwrap_or_else(|error| panic!("{payload}: {error}"));
    let kind = head.content_type.expect("a content type");
    let format = ImageFormat::from_mime_type(&kind).expect("a picture type");
    assert_eq!(image::guess_format(&bytes).expect("a picture"), format);
    (kind, image::load_from_memory(&bytes).expect("readable"))
}

/// A picture of four coloured quarters.
pub(super) fn quarters(width: u32, height: u32) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, y| {
        let at = usize::from(x >= width / 2) + 2 * usize::from(y >= height / 2);
        let [r, g, b] = QUARTERS[at];
        Rgba([r, g, b, 255])
    })
}

pub(super) fn png(picture: &DynamicImage) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut out, ImageFormat::Png).expect("encoded");
    out.into_inner()
}

pub(super) fn gif(picture: &RgbaImage) -> Vec<u8> {
    let mut out = Vec::new();
    GifEncoder::new(&mut out)
        .encode(picture, picture.width(), picture.height(), ExtendedColorType::Rgba8)
        .expect("encoded");
    out
}

pub(super) fn webp(picture: &RgbaImage) -> Vec<u8> {
    let mut out = Vec::new();
    WebPEncoder::new_lossless(&mut out)
        .write_image(picture, picture.width(), picture.height(), ExtendedColorType::Rgba8)
        .expect("encoded");
    out
}

/// A JPEG, with what is to stand in its APP1 and APP2 segments.
pub(super) fn jpeg(picture: &RgbaImage, exif: Option<&[u8]>, icc: Option<&[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut out, 95);
    if let Some(exif) = exif {
        encoder.add_exif_metadata(exif).expect("exif");
    }
    if let Some(icc) = icc {
        encoder.add_icc_profile(icc).expect("icc");
    }
    let side = |side: u32| u16::try_from(side).expect("a small picture");
    let (width, height) = (side(picture.width()), side(picture.height()));
    encoder.encode(picture, width, height, jpeg_encoder::ColorType::Rgba).expect("encoded");
    out
}

/// An EXIF block with an orientation and a camera maker.
pub(super) fn exif(orientation: u8) -> Vec<u8> {
    let mut block = b"II*\0\x08\0\0\0\x02\0".to_vec();
    block.extend_from_slice(&[0x0F, 0x01, 2, 0, 4, 0, 0, 0]);
    block.extend_from_slice(b"CAM\0");
    block.extend_from_slice(&[0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    block.extend_from_slice(&[0, 0, 0, 0]);
    block
}

/// Bytes that have the frame of an ICC profile for `space` (`RGB ` or `GRAY`).
pub(super) fn profile(space: &[u8; 4]) -> Vec<u8> {
    let mut profile = vec![0u8; 200];
    profile[..4].copy_from_slice(&200u32.to_be_bytes());
    profile[16..20].copy_from_slice(space);
    profile[36..40].copy_from_slice(b"acsp");
    profile
}

pub(super) fn icc_of(bytes: &[u8]) -> Option<Vec<u8>> {
    let reader = std::io::Cursor::new(bytes);
    match image::guess_format(bytes).expect("a picture") {
        ImageFormat::Jpeg => JpegDecoder::new(reader).expect("jpeg").icc_profile().expect("icc"),
        ImageFormat::Png => {
            image::codecs::png::PngDecoder::new(reader).expect("png").icc_profile().expect("icc")
        }
        _ => image::codecs::webp::WebPDecoder::new(reader).expect("webp").icc_profile().expect("icc"),
    }
}

/// Asserts that two colours are the same but for compression.
pub(super) fn close(found: Rgba<u8>, expected: [u8; 3], what: &str) {
    let far = found.0.iter().zip(expected).any(|(a, b)| a.abs_diff(b) > 24);
    assert!(!far, "{what}: {found:?}, expected {expected:?}");
}

/// Asserts the colours of the four quarters, read at their middles.
pub(super) fn assert_quarters(picture: &DynamicImage, expected: [[u8; 3]; 4], what: &str) {
    let rgba = picture.to_rgba8();
    let (width, height) = rgba.dimensions();
    for (at, expected) in expected.into_iter().enumerate() {
        let at = u32::try_from(at).expect("small");
        let (x, y) = (width / 4 + (at % 2) * width / 2, height / 4 + (at / 2) * height / 2);
        close(*rgba.get_pixel(x, y), expected, &format!("{what}, quarter {at}"));
    }
}
