//! Pixels in memory, and the colour profile that travels with them.

use crate::TransformError;

use super::num;
use super::payload::Color;

/// Samples of a pixel, 8 bits each, alpha not premultiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Brightness only.
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, alpha.
    Rgba,
}

impl Layout {
    /// Bytes of a pixel.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// A decoded picture: rows from top to bottom without padding.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) layout: Layout,
    /// Exactly `width * height * layout.bytes()` bytes.
    pub(super) data: Vec<u8>,
    /// ICC profile that fits `layout`.
    pub(super) icc: Option<Vec<u8>>,
}

impl Picture {
    /// Wraps pixels.
    ///
    /// # Errors
    /// [`TransformError::Internal`] when there are more or fewer bytes than the size implies.
    pub(super) fn new(
        width: u32,
        height: u32,
        layout: Layout,
        data: Vec<u8>,
    ) -> Result<Self, TransformError> {
        let expected =
            (width as usize).checked_mul(height as usize).and_then(|n| n.checked_mul(layout.bytes()));
        if expected != Some(data.len()) || data.is_empty() {
            return Err(TransformError::Internal(format!(
                "{} bytes for a {layout:?} picture of {width}x{height}",
                data.len()
            )));
        }
        Ok(Self { width, height, layout, data, icc: None })
    }

    /// A picture of one colour, with alpha.
    pub(super) fn filled(width: u32, height: u32, color: Color) -> Result<Self, TransformError> {
        let data = color.0.repeat(width as usize * height as usize);
        Self::new(width, height, Layout::Rgba, data)
    }

    /// Brings the picture to red, green and blue; alpha is kept, a profile for grey is not.
    pub(super) fn into_color(mut self) -> Self {
        if self.layout == Layout::Gray {
            self.data = self.data.iter().flat_map(|&v| [v, v, v]).collect();
            self.layout = Layout::Rgb;
            self.icc = None;
        }
        self
    }

    /// Brings the picture to red, green, blue and alpha.
    pub(super) fn into_rgba(self) -> Self {
        let mut picture = self.into_color();
        if picture.layout == Layout::Rgb {
            let (pixels, _) = picture.data.as_chunks::<3>();
            picture.data = pixels.iter().flat_map(|&[r, g, b]| [r, g, b, 255]).collect();
            picture.layout = Layout::Rgba;
        }
        picture
    }

    /// Lays the picture on an opaque background, and drops alpha.
    pub(super) fn flattened(mut self, background: Color) -> Self {
        if self.layout == Layout::Rgba {
            let [br, bg, bb, _] = background.0;
            let (pixels, _) = self.data.as_chunks::<4>();
            self.data = pixels
                .iter()
                .flat_map(|&[r, g, b, a]| [num::mix(br, r, a), num::mix(bg, g, a), num::mix(bb, b, a)])
                .collect();
            self.layout = Layout::Rgb;
        }
        self
    }

    /// Draws `over` with its top left corner at `x`, `y`; what falls outside is cut. The picture must be in
    /// colour ([`into_color`](Self::into_color)) and `over` must have alpha: otherwise nothing is drawn.
    pub(super) fn draw(&mut self, over: &Self, x: i64, y: i64) {
        if over.layout != Layout::Rgba || self.layout == Layout::Gray {
            return;
        }
        let (width, bytes) = (i64::from(self.width), self.layout.bytes());
        // The part of `over` that lands on the picture.
        let first = (-x).max(0);
        let end = (width - x).min(i64::from(over.width));
        let (Ok(first), Ok(end)) = (usize::try_from(first), usize::try_from(end)) else { return };
        if first >= end {
            return;
        }
        let row_bytes = self.width as usize * bytes;
        for (source_y, source) in over.data.chunks_exact(over.width as usize * 4).enumerate() {
            let target_y = i64::try_from(source_y).map_or(-1, |row| row + y);
            let Ok(target_y) = usize::try_from(target_y) else { continue };
            let Ok(target_x) = usize::try_from(x.max(0)) else { continue };
            let start = target_y.saturating_mul(row_bytes) + target_x * bytes;
            let Some(target) = self.data.get_mut(start..) else { return };
            let Some(source) = source.get(first * 4..end * 4) else { return };
            let source = source.as_chunks::<4>().0.iter();
            if bytes == 3 {
                target
                    .as_chunks_mut::<3>()
                    .0
                    .iter_mut()
                    .zip(source)
                    .for_each(|(to, from)| over_rgb(to, *from));
            } else {
                target
                    .as_chunks_mut::<4>()
                    .0
                    .iter_mut()
                    .zip(source)
                    .for_each(|(to, from)| over_rgba(to, *from));
            }
        }
    }
}

fn over_rgb(to: &mut [u8; 3], [r, g, b, a]: [u8; 4]) {
    *to = [num::mix(to[0], r, a), num::mix(to[1], g, a), num::mix(to[2], b, a)];
}

/// Porter and Duff's "over" for straight alpha.
fn over_rgba(to: &mut [u8; 4], from: [u8; 4]) {
    let (above, below) = (f32::from(from[3]) / 255.0, f32::from(to[3]) / 255.0);
    let alpha = above + below * (1.0 - above);
    if from[3] == 0 || alpha <= 0.0 {
        return;
    }
    let blend =
        |f: u8, t: u8| num::sample((f32::from(f) * above + f32::from(t) * below * (1.0 - above)) / alpha);
    *to = [blend(from[0], to[0]), blend(from[1], to[1]), blend(from[2], to[2]), num::sample(alpha * 255.0)];
}
