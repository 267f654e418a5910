//! Scaling of pixels with a Lanczos-3 filter; colours are premultiplied by alpha while they are filtered.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::{Limits, TransformError};

use super::fit::Crop;
use super::picture::{Layout, Picture};

/// Refuses a size whose pixels are past the cap.
pub(super) fn check_pixels(
    what: &'static str,
    (width, height): (u32, u32),
    limits: &Limits,
) -> Result<(), TransformError> {
    if u64::from(width) * u64::from(height) > limits.pixels {
        return Err(TransformError::Limit { what, limit: limits.pixels });
    }
    Ok(())
}

/// Scales the part `crop` of a picture to `width` x `height`.
///
/// # Errors
/// [`TransformError::Limit`] when the result, or what lies between the two passes of the filter, has too many
/// pixels.
pub(super) fn scale(
    picture: Picture,
    crop: Crop,
    (width, height): (u32, u32),
    limits: &Limits,
) -> Result<Picture, TransformError> {
    check_pixels("output pixels", (width, height), limits)?;
    // The filter runs down the columns first.
    check_pixels("pixels between the passes of a resize", (picture.width, height), limits)?;
    let whole =
        Crop { left: 0.0, top: 0.0, width: f64::from(picture.width), height: f64::from(picture.height) };
    if crop == whole && (width, height) == (picture.width, picture.height) {
        return Ok(picture);
    }
    let kind = match picture.layout {
        Layout::Gray => PixelType::U8,
        Layout::Rgb => PixelType::U8x3,
        Layout::Rgba => PixelType::U8x4,
    };
    let internal = |error: &dyn std::fmt::Display| TransformError::Internal(format!("resize: {error}"));
    let source =
        ImageRef::new(picture.width, picture.height, &picture.data, kind).map_err(|e| internal(&e))?;
    let mut target = Image::new(width, height, kind);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).crop(
        crop.left,
        crop.top,
        crop.width.min(whole.width - crop.left),
        crop.height.min(whole.height - crop.top),
    );
    Resizer::new().resize(&source, &mut target, &options).map_err(|e| internal(&e))?;
    let mut scaled = Picture::new(width, height, picture.layout, target.into_vec())?;
    scaled.icc = picture.icc;
    Ok(scaled)
}
