//! EXIF orientation: which way up a picture is, and turning its pixels so.

use image::metadata::Orientation;

use super::picture::{Layout, Picture};

/// Whether width and height change places.
pub(super) fn swaps(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

/// The size as displayed of a picture that is stored as `width` x `height`.
pub(super) fn displayed(orientation: Orientation, (width, height): (u32, u32)) -> (u32, u32) {
    if swaps(orientation) { (height, width) } else { (width, height) }
}

/// Turns the pixels so that the picture needs no orientation any more.
pub(super) fn apply(mut picture: Picture, orientation: Orientation) -> Picture {
    if orientation == Orientation::NoTransforms {
        return picture;
    }
    let (width, height) = (picture.width as usize, picture.height as usize);
    picture.data = match picture.layout {
        Layout::Gray => turned::<1>(&picture.data, width, height, orientation),
        Layout::Rgb => turned::<3>(&picture.data, width, height, orientation),
        Layout::Rgba => turned::<4>(&picture.data, width, height, orientation),
    };
    (picture.width, picture.height) = displayed(orientation, (picture.width, picture.height));
    picture
}

/// Every row of the result is a walk through the source: `start`, then on by `step` pixels.
fn turned<const N: usize>(data: &[u8], width: usize, height: usize, orientation: Orientation) -> Vec<u8> {
    let (pixels, _) = data.as_chunks::<N>();
    let (right, bottom) = (width.saturating_sub(1), height.saturating_sub(1));
    let (out_width, out_height) = if swaps(orientation) { (height, width) } else { (width, height) };
    let mut out: Vec<u8> = Vec::with_capacity(data.len());
    for y in 0..out_height {
        let (start, step, backwards) = match orientation {
            Orientation::NoTransforms => (y * width, 1, false),
            Orientation::FlipHorizontal => (y * width + right, 1, true),
            Orientation::Rotate180 => ((bottom - y) * width + right, 1, true),
            Orientation::FlipVertical => ((bottom - y) * width, 1, false),
            Orientation::Rotate90FlipH => (y, width, false),
            Orientation::Rotate90 => (bottom * width + y, width, true),
            Orientation::Rotate270FlipH => (bottom * width + right - y, width, true),
            Orientation::Rotate270 => (right - y, width, false),
        };
        for x in 0..out_width {
            let at = if backwards { start.checked_sub(x * step) } else { Some(start + x * step) };
            // In bounds by construction; a hole would only be seen as a picture of the wrong length.
            if let Some(pixel) = at.and_then(|at| pixels.get(at)) {
                out.extend_from_slice(pixel);
            }
        }
    }
    out
}
