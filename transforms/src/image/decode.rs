//! From bytes to pixels: the one place that decodes pictures, after [`probe`] has checked the declared size.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageError};

use crate::{Limits, TransformError};

use super::picture::{Layout, Picture};
use super::probe::{Probe, Source, probe};
use super::{icc, jpeg, orient, riff};

/// A decoded picture, not yet turned.
#[derive(Debug)]
pub(super) struct Decoded {
    /// The pixels as stored; for a JPEG perhaps shrunk.
    pub(super) picture: Picture,
    /// How to turn them.
    pub(super) orientation: Orientation,
    /// Format in which the object was stored.
    pub(super) source: Source,
    /// Stored pixels for each decoded one, along a side: 1, 2, 4 or 8.
    pub(super) shrink: u8,
}

impl Decoded {
    /// The picture the right way up.
    pub(super) fn upright(self) -> Picture {
        orient::apply(self.picture, self.orientation)
    }
}

/// Decodes an object. `shrink` is told the size as displayed and answers by how much (1, 2, 4 or 8) a decoder
/// that can do so cheaply may shrink the picture. Of an animation the first frame is taken.
///
/// # Errors
/// [`TransformError::BadInput`] for what is no picture or a damaged one, [`TransformError::Limit`] for one that
/// is too large.
pub(super) fn decode(
    object: &[u8],
    limits: &Limits,
    shrink: impl FnOnce((u32, u32)) -> u8,
) -> Result<Decoded, TransformError> {
    let Probe::Picture(source, size) = probe(object, true, limits)? else {
        return Err(TransformError::BadInput("not a picture: it ends too early".into()));
    };
    let shrunk = |orientation| shrink(orient::displayed(orientation, size));
    match source {
        Source::Jpeg => decode_jpeg(object, size, limits, shrunk),
        Source::Png => {
            let decoder = PngDecoder::with_limits(Cursor::new(object), codec_limits(limits));
            finish(decoder.map_err(|error| broken(source, limits, &error))?, source, limits, None, None)
        }
        Source::Gif => {
            let mut decoder =
                GifDecoder::new(Cursor::new(object)).map_err(|error| broken(source, limits, &error))?;
            decoder.set_limits(codec_limits(limits)).map_err(|error| broken(source, limits, &error))?;
            finish(decoder, source, limits, None, Some(Orientation::NoTransforms))
        }
        Source::Webp => {
            let chunks = riff::walk(object);
            let orientation = chunks.exif.and_then(Orientation::from_exif_chunk);
            let decoder =
                WebPDecoder::new(Cursor::new(object)).map_err(|error| broken(source, limits, &error))?;
            let orientation = orientation.unwrap_or(Orientation::NoTransforms);
            finish(decoder, source, limits, Some(chunks.icc.map(<[u8]>::to_vec)), Some(orientation))
        }
    }
}

/// Caps inside the codecs of the `image` crate: four bytes a pixel, and room for the decoder's own tables.
fn codec_limits(limits: &Limits) -> image::Limits {
    let mut codec = image::Limits::no_limits();
    codec.max_alloc = Some(limits.pixels.saturating_mul(4).saturating_add(16 << 20));
    codec
}

/// Reads the pixels, as 8-bit samples. Profile and orientation are asked of the decoder where not given.
fn finish(
    mut decoder: impl ImageDecoder,
    source: Source,
    limits: &Limits,
    profile: Option<Option<Vec<u8>>>,
    orientation: Option<Orientation>,
) -> Result<Decoded, TransformError> {
    let failed = |error: ImageError| broken(source, limits, &error);
    // A damaged profile or EXIF block costs the colours or the turn, not the picture.
    let profile = profile.unwrap_or_else(|| decoder.icc_profile().ok().flatten());
    let orientation = match orientation {
        Some(orientation) => orientation,
        None => decoder.orientation().unwrap_or(Orientation::NoTransforms),
    };
    let (width, height) = decoder.dimensions();
    let (color, bytes) = (decoder.color_type(), decoder.total_bytes());
    if bytes > limits.pixels.saturating_mul(4) {
        return Err(TransformError::Limit { what: "decoded pixels", limit: limits.pixels });
    }
    let mut data = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
    decoder.read_image(&mut data).map_err(failed)?;
    let (layout, data) = match color {
        ColorType::L8 => (Layout::Gray, data),
        ColorType::L16 => (Layout::Gray, narrowed(&data)),
        ColorType::La8 => (Layout::Rgba, gray_alpha(&data)),
        ColorType::La16 => (Layout::Rgba, gray_alpha(&narrowed(&data))),
        ColorType::Rgb8 => (Layout::Rgb, data),
        ColorType::Rgb16 => (Layout::Rgb, narrowed(&data)),
        ColorType::Rgba8 => (Layout::Rgba, data),
        ColorType::Rgba16 => (Layout::Rgba, narrowed(&data)),
        other => {
            let message = format!("not a readable {}: samples of kind {other:?}", source.name());
            return Err(TransformError::BadInput(message));
        }
    };
    let mut picture = Picture::new(width, height, layout, data)?;
    picture.icc = icc::fitting(profile, layout);
    Ok(Decoded { picture, orientation, source, shrink: 1 })
}

/// 16-bit samples in the machine's order to 8 bits, rounded.
#[expect(clippy::cast_possible_truncation, reason = "65535 / 257 is 255")]
fn narrowed(data: &[u8]) -> Vec<u8> {
    let (samples, _) = data.as_chunks::<2>();
    samples.iter().map(|bytes| ((u32::from(u16::from_ne_bytes(*bytes)) + 128) / 257) as u8).collect()
}

fn gray_alpha(data: &[u8]) -> Vec<u8> {
    data.as_chunks::<2>().0.iter().flat_map(|&[v, a]| [v, v, v, a]).collect()
}

fn broken(source: Source, limits: &Limits, error: &ImageError) -> TransformError {
    match error {
        ImageError::Limits(_) => TransformError::Limit { what: "decoded pixels", limit: limits.pixels },
        error => TransformError::BadInput(format!("not a readable {}: {error}", source.name())),
    }
}

fn decode_jpeg(
    object: &[u8],
    size: (u32, u32),
    limits: &Limits,
    shrink: impl FnOnce(Orientation) -> u8,
) -> Result<Decoded, TransformError> {
    let jpeg::Walk::Done(markers) = jpeg::walk(object) else {
        return Err(TransformError::BadInput("not a readable JPEG: it ends before its first scan".into()));
    };
    let orientation =
        markers.exif.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms);
    let (mut picture, shrink) = jpeg_pixels(object, size, &markers, limits, shrink(orientation))?;
    picture.icc = icc::fitting(markers.icc(), picture.layout);
    Ok(Decoded { picture, orientation, source: Source::Jpeg, shrink })
}

/// libjpeg-turbo, which shrinks in the DCT at a fraction of the cost.
#[cfg(feature = "native-codecs")]
fn jpeg_pixels(
    object: &[u8],
    size: (u32, u32),
    markers: &jpeg::Markers<'_>,
    _limits: &Limits,
    shrink: u8,
) -> Result<(Picture, u8), TransformError> {
    use turbojpeg::{Colorspace, Decompressor, Image, PixelFormat, ScalingFactor};

    /// Scans of a progressive JPEG: each costs a pass over the picture, and encoders write about ten.
    const MOST_SCANS: u32 = 100;

    let failed = |error: turbojpeg::Error| match error {
        turbojpeg::Error::TurboJpegError(message) => {
            TransformError::BadInput(format!("not a readable JPEG: {message}"))
        }
        other => TransformError::BadInput(format!("not a readable JPEG: {other}")),
    };
    let mut decoder = Decompressor::new().map_err(|error| TransformError::Internal(error.to_string()))?;
    decoder.set_scan_limit(MOST_SCANS).map_err(failed)?;
    let header = decoder.read_header(object).map_err(failed)?;
    // Two frame headers could differ: what is allocated must be what was checked.
    if (header.width, header.height) != (size.0 as usize, size.1 as usize) {
        return Err(TransformError::BadInput("not a readable JPEG: it declares two sizes".into()));
    }
    let shrink = if header.is_lossless { 1 } else { shrink };
    let factor = ScalingFactor::new(1, usize::from(shrink));
    decoder.set_scaling_factor(factor).map_err(failed)?;
    let header = header.scaled(factor);
    let (format, layout) = match header.colorspace {
        Colorspace::Gray => (PixelFormat::GRAY, Layout::Gray),
        Colorspace::CMYK | Colorspace::YCCK => (PixelFormat::CMYK, Layout::Rgb),
        Colorspace::RGB | Colorspace::YCbCr => (PixelFormat::RGB, Layout::Rgb),
    };
    let pitch = header.width * format.size();
    let mut data = vec![0; pitch * header.height];
    let image =
        Image { pixels: data.as_mut_slice(), width: header.width, pitch, height: header.height, format };
    decoder.decompress(object, image).map_err(failed)?;
    if format == PixelFormat::CMYK {
        data = from_cmyk(&data, markers.adobe);
    }
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    Ok((Picture::new(side(header.width), side(header.height), layout, data)?, shrink))
}

/// CMYK to RGB without a profile: ink by ink. Adobe's files hold the inks inverted (255 is none).
#[cfg(feature = "native-codecs")]
fn from_cmyk(data: &[u8], inverted: bool) -> Vec<u8> {
    let turn = if inverted { 0 } else { 255 };
    let (pixels, _) = data.as_chunks::<4>();
    pixels
        .iter()
        .flat_map(|inks| {
            let [c, m, y, k] = inks.map(|ink| ink ^ turn);
            [super::num::mul(c, k), super::num::mul(m, k), super::num::mul(y, k)]
        })
        .collect()
}

/// Pure Rust: the whole picture is decoded.
#[cfg(not(feature = "native-codecs"))]
fn jpeg_pixels(
    object: &[u8],
    size: (u32, u32),
    markers: &jpeg::Markers<'_>,
    limits: &Limits,
    _shrink: u8,
) -> Result<(Picture, u8), TransformError> {
    // This decoder fills what is missing with grey; a truncated file is to be an error.
    let scans = object.get(markers.scan..).unwrap_or_default();
    if !scans.windows(2).any(|pair| pair == [0xFF, 0xD9]) {
        return Err(TransformError::BadInput("not a readable JPEG: it ends early".into()));
    }
    let decoder = image::codecs::jpeg::JpegDecoder::new(Cursor::new(object))
        .map_err(|error| broken(Source::Jpeg, limits, &error))?;
    if decoder.dimensions() != size {
        return Err(TransformError::BadInput("not a readable JPEG: it declares two sizes".into()));
    }
    let decoded = finish(decoder, Source::Jpeg, limits, Some(None), Some(Orientation::NoTransforms))?;
    Ok((decoded.picture, 1))
}
