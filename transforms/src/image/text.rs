//! Drawing of text: lines of a built-in typeface, with an outline so that it reads on any ground.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont, point};

use crate::TransformError;

use super::num;
use super::payload::Color;
use super::picture::{Layout, Picture};

/// DejaVu Sans Bold, cut down to Latin, Greek, Cyrillic and common symbols: see `assets/README.md`.
static FONT_BYTES: &[u8] = include_bytes!("../../assets/DejaVuSans-Bold-subset.ttf");

static FONT: LazyLock<Option<FontRef<'static>>> = LazyLock::new(|| FontRef::try_from_slice(FONT_BYTES).ok());

fn font() -> Result<&'static FontRef<'static>, TransformError> {
    FONT.as_ref().ok_or_else(|| TransformError::Internal("the built-in font cannot be read".into()))
}

/// The first character of `text` that the typeface lacks. A line feed is fine.
pub(super) fn missing(text: &str) -> Option<char> {
    let font = FONT.as_ref()?;
    text.chars().find(|&c| c != '\n' && (c.is_control() || font.glyph_id(c) == GlyphId(0)))
}

/// Size of drawn text in pixels, for lines of height `size`: width and height, outline included.
pub(super) fn measure(text: &str, size: f64) -> Result<(u32, u32), TransformError> {
    let layout = lay_out(text, size)?;
    Ok((layout.width, layout.height))
}

/// Outline of a glyph, in pixels, for lines of height `size`.
fn outline(size: f64) -> i64 {
    num::offset(size / 20.0).max(1)
}

struct Lines {
    width: u32,
    height: u32,
    /// Glyph, and where its baseline starts.
    glyphs: Vec<(GlyphId, f64, f64)>,
}

fn lay_out(text: &str, size: f64) -> Result<Lines, TransformError> {
    let font = font()?;
    let scaled = font.as_scaled(scale(size));
    let lines: Vec<Vec<GlyphId>> =
        text.split('\n').map(|line| line.chars().map(|c| font.glyph_id(c)).collect()).collect();
    let kerned = |previous: Option<GlyphId>, id| previous.map_or(0.0, |previous| scaled.kern(previous, id));
    let width_of = |line: &[GlyphId]| {
        let mut previous = None;
        line.iter().map(|&id| f64::from(scaled.h_advance(id) + kerned(previous.replace(id), id))).sum::<f64>()
    };
    let widest = lines.iter().map(|line| width_of(line)).fold(0.0, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "an outline of a few pixels")]
    let border = outline(size) as f64;
    let mut glyphs = Vec::new();
    let mut baseline = border + f64::from(scaled.ascent());
    for line in &lines {
        // Lines are centred on each other.
        let mut x = border + (widest - width_of(line)) / 2.0;
        let mut previous = None;
        for &id in line {
            x += f64::from(kerned(previous.replace(id), id));
            glyphs.push((id, x, baseline));
            x += f64::from(scaled.h_advance(id));
        }
        baseline += size;
    }
    let rows = f64::from(u32::try_from(lines.len()).unwrap_or(u32::MAX)) * size;
    let side = |length: f64| num::pixels((length + 2.0 * border).ceil());
    Ok(Lines { width: side(widest), height: side(rows), glyphs })
}

#[expect(clippy::cast_possible_truncation, reason = "a size in pixels")]
fn scale(size: f64) -> PxScale {
    PxScale::from(size as f32)
}

/// Draws text in `color` with lines of height `size`, as a picture with alpha of the size that [`measure`] tells.
pub(super) fn draw(text: &str, size: f64, color: Color) -> Result<Picture, TransformError> {
    let font = font()?;
    let Lines { width, height, glyphs } = lay_out(text, size)?;
    let mut inked = vec![0u8; width as usize * height as usize];
    for (id, x, y) in glyphs {
        #[expect(clippy::cast_possible_truncation, reason = "a position in pixels")]
        let glyph = id.with_scale_and_position(scale(size), point(x as f32, y as f32));
        let Some(outlined) = font.outline_glyph(glyph) else { continue };
        let bounds = outlined.px_bounds();
        let (left, top) = (num::offset(bounds.min.x.into()), num::offset(bounds.min.y.into()));
        outlined.draw(|x, y, coverage| {
            let (x, y) = (left + i64::from(x), top + i64::from(y));
            if (0..i64::from(width)).contains(&x)
                && let Ok(at) = usize::try_from(y * i64::from(width) + x)
                && let Some(ink) = inked.get_mut(at)
            {
                *ink = ink.saturating_add(num::sample(coverage * 255.0));
            }
        });
    }
    let around = spread(&inked, width as usize, outline(size));
    // Dark letters get a light outline, light ones a dark one.
    let edge = if color.luma() > 127 { [0, 0, 0] } else { [255, 255, 255] };
    let [r, g, b, alpha] = color.0;
    let data = inked
        .iter()
        .zip(&around)
        .flat_map(|(&ink, &around)| {
            let border = num::mul(num::mul(around, 255 - ink), 190);
            let cover = ink.saturating_add(border);
            // Share of the ink in what covers this pixel, 0 to 255.
            let share = num::sample(f32::from(ink) * 255.0 / f32::from(cover.max(1)));
            [
                num::mix(edge[0], r, share),
                num::mix(edge[1], g, share),
                num::mix(edge[2], b, share),
                num::mul(cover, alpha),
            ]
        })
        .collect();
    Picture::new(width, height, Layout::Rgba, data)
}

/// The most ink within `radius` of each pixel, sampled around circles.
fn spread(inked: &[u8], width: usize, radius: i64) -> Vec<u8> {
    let mut out = inked.to_vec();
    let rings = if radius > 2 { vec![radius, radius / 2] } else { vec![radius] };
    for ring in rings {
        let ring = f64::from(i32::try_from(ring).unwrap_or(1));
        for step in 0..16 {
            let (sine, cosine) = (f64::from(step) * std::f64::consts::TAU / 16.0).sin_cos();
            let (right, down) = (num::offset(cosine * ring), num::offset(sine * ring));
            for (y, target) in out.chunks_exact_mut(width.max(1)).enumerate() {
                let Some(source) = i64::try_from(y)
                    .ok()
                    .and_then(|y| usize::try_from(y - down).ok())
                    .and_then(|y| inked.get(y.saturating_mul(width)..)?.get(..width))
                else {
                    continue;
                };
                let gap = usize::try_from(right.unsigned_abs()).unwrap_or(width).min(width);
                let (target, source) = if right >= 0 {
                    (target.get_mut(gap..).unwrap_or_default(), source)
                } else {
                    (target, source.get(gap..).unwrap_or_default())
                };
                target.iter_mut().zip(source).for_each(|(to, from)| *to = (*to).max(*from));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_typeface_has_latin_greek_and_cyrillic() {
        assert_eq!(missing("© Zoë & Łukasz, Αθήνα, Київ, 5 €\nsecond line"), None);
        assert_eq!(missing("漢"), Some('漢'));
        assert_eq!(missing("a\tb"), Some('\t'));
    }

    #[test]
    fn text_fits_its_measure_and_has_ink_and_outline() {
        let picture = draw("Refract\nΩ", 40.0, Color::WHITE).expect("drawn");
        assert_eq!((picture.width, picture.height), measure("Refract\nΩ", 40.0).expect("measured"));
        let (pixels, _) = picture.data.as_chunks::<4>();
        assert!(pixels.contains(&[255, 255, 255, 255]), "ink");
        assert!(pixels.iter().any(|p| p[0] < 20 && p[3] > 100), "outline");
        assert!(pixels.iter().any(|p| p[3] == 0), "nothing between");
        // The outline does not run into the border.
        assert!(pixels.iter().take(picture.width as usize).all(|p| p[3] < 255));
    }
}
