//! From pixels to bytes. Nothing of the source's metadata is written but its colour profile.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use crate::TransformError;

use super::payload::{Color, Format};
use super::picture::{Layout, Picture};

/// How a result is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    /// The format; `None` keeps the source's.
    pub(super) format: Option<Format>,
    /// 1 to 100, for JPEG and lossy WebP.
    pub(super) quality: u8,
    /// What shows through where the format has no alpha.
    pub(super) background: Color,
}

/// Encodes a picture.
///
/// # Errors
/// [`TransformError::Limit`] when the format cannot hold so large a picture.
pub(super) fn encode(picture: Picture, format: Format, output: &Output) -> Result<Vec<u8>, TransformError> {
    if picture.width.max(picture.height) > format.max_side() {
        let what = match format {
            Format::Webp => "width or height of a WebP picture in pixels",
            Format::Jpeg => "width or height of a JPEG picture in pixels",
            Format::Png => "width or height of a PNG picture in pixels",
        };
        return Err(TransformError::Limit { what, limit: format.max_side().into() });
    }
    match format {
        Format::Jpeg => jpeg(&picture.flattened(output.background), output.quality),
        Format::Png => png(picture),
        Format::Webp => webp(&picture.into_color(), output.quality),
    }
}

fn png(mut picture: Picture) -> Result<Vec<u8>, TransformError> {
    let color = match picture.layout {
        Layout::Gray => ExtendedColorType::L8,
        Layout::Rgb => ExtendedColorType::Rgb8,
        Layout::Rgba => ExtendedColorType::Rgba8,
    };
    let failed = |error: &dyn std::fmt::Display| TransformError::Internal(format!("PNG encoder: {error}"));
    let filter = if smooth(&picture) { FilterType::Adaptive } else { FilterType::NoFilter };
    let mut out = Vec::new();
    let mut encoder = PngEncoder::new_with_quality(&mut out, CompressionType::Default, filter);
    if let Some(profile) = picture.icc.take() {
        encoder.set_icc_profile(profile).map_err(|error| failed(&error))?;
    }
    encoder
        .write_image(&picture.data, picture.width, picture.height, color)
        .map_err(|error| failed(&error))?;
    Ok(out)
}

/// Whether neighbours differ so little, as in photographs, that PNG's filters pay; in drawings they do harm.
/// Compares the entropy of samples with that of their differences, over a tenth or so of the rows.
fn smooth(picture: &Picture) -> bool {
    let bytes = picture.layout.bytes();
    let row_bytes = picture.width as usize * bytes;
    let (mut plain, mut differences, mut count) = ([0u32; 256], [0u32; 256], 0u32);
    let step = (picture.height as usize / 100).clamp(1, 10);
    for row in picture.data.chunks_exact(row_bytes.max(1)).step_by(step) {
        for (left, &sample) in row.iter().zip(row.iter().skip(bytes)) {
            for (table, value) in [(&mut plain, sample), (&mut differences, sample.wrapping_sub(*left))] {
                if let Some(slot) = table.get_mut(usize::from(value)) {
                    *slot = slot.saturating_add(1);
                }
            }
            count = count.saturating_add(1);
        }
    }
    let bits = |table: &[u32]| -> f64 {
        let total = f64::from(count.max(1));
        let share = |slot: &u32| f64::from(*slot) / total;
        table.iter().filter(|slot| **slot > 0).map(|slot| -share(slot) * share(slot).log2()).sum()
    };
    // Few distinct values compress by repetition, whatever their differences look like.
    let (plain, differences) = (bits(&plain), bits(&differences));
    plain > 6.0 && differences < plain * 0.9
}

#[cfg(feature = "native-codecs")]
fn jpeg(picture: &Picture, quality: u8) -> Result<Vec<u8>, TransformError> {
    use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

    let (format, subsampling) = match picture.layout {
        Layout::Gray => (PixelFormat::GRAY, Subsamp::Gray),
        Layout::Rgb => (PixelFormat::RGB, Subsamp::Sub2x2),
        Layout::Rgba => (PixelFormat::RGBX, Subsamp::Sub2x2),
    };
    let (width, height) = (picture.width as usize, picture.height as usize);
    let image =
        Image { pixels: picture.data.as_slice(), width, pitch: width * format.size(), height, format };
    let encoded = || -> turbojpeg::Result<Vec<u8>> {
        let mut encoder = Compressor::new()?;
        encoder.set_quality(quality.into())?;
        encoder.set_subsamp(subsampling)?;
        encoder.set_optimize(true)?;
        encoder.compress_to_vec(image)
    };
    let file = encoded().map_err(|error| TransformError::Internal(format!("JPEG encoder: {error}")))?;
    Ok(match &picture.icc {
        Some(profile) => super::icc::into_jpeg(&file, profile),
        None => file,
    })
}

#[cfg(not(feature = "native-codecs"))]
fn jpeg(picture: &Picture, quality: u8) -> Result<Vec<u8>, TransformError> {
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    let color = match picture.layout {
        Layout::Gray => ColorType::Luma,
        Layout::Rgb => ColorType::Rgb,
        Layout::Rgba => ColorType::Rgba,
    };
    let failed =
        |error: jpeg_encoder::EncodingError| TransformError::Internal(format!("JPEG encoder: {error}"));
    let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX);
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    // Not with optimised tables: with those, version 0.7.1 writes flat colours that decoders read as others.
    if let Some(profile) = &picture.icc {
        encoder.add_icc_profile(profile).map_err(failed)?;
    }
    encoder.encode(&picture.data, side(picture.width), side(picture.height), color).map_err(failed)?;
    Ok(out)
}

#[cfg(feature = "native-codecs")]
fn webp(picture: &Picture, quality: u8) -> Result<Vec<u8>, TransformError> {
    use webp::{Encoder, PixelLayout, WebPConfig};

    let alpha = picture.layout == Layout::Rgba;
    let layout = if alpha { PixelLayout::Rgba } else { PixelLayout::Rgb };
    let mut config =
        WebPConfig::new().map_err(|()| TransformError::Internal("WebP encoder: wrong version".into()))?;
    config.quality = f32::from(quality);
    config.method = 4;
    let file = Encoder::new(&picture.data, layout, picture.width, picture.height)
        .encode_advanced(&config)
        .map_err(|error| TransformError::Internal(format!("WebP encoder: {error:?}")))?;
    Ok(match &picture.icc {
        Some(profile) => super::riff::with_icc(&file, profile, (picture.width, picture.height), alpha),
        None => file.to_vec(),
    })
}

#[cfg(not(feature = "native-codecs"))]
fn webp(picture: &Picture, _quality: u8) -> Result<Vec<u8>, TransformError> {
    let color =
        if picture.layout == Layout::Rgba { ExtendedColorType::Rgba8 } else { ExtendedColorType::Rgb8 };
    let mut out = Vec::new();
    let mut encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut out);
    if let Some(profile) = picture.icc.clone() {
        encoder
            .set_icc_profile(profile)
            .map_err(|error| TransformError::Internal(format!("WebP encoder: {error}")))?;
    }
    encoder
        .write_image(&picture.data, picture.width, picture.height, color)
        .map_err(|error| TransformError::Internal(format!("WebP encoder: {error}")))?;
    Ok(out)
}
