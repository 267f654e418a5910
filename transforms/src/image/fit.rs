//! Geometry of a resize: from a source size and what was asked to what to cut, scale and pad. Pure arithmetic.

use serde::Deserialize;

use super::num;

/// What to do when the shape asked for is not the picture's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fit {
    /// Fill the box, cutting off what sticks out, from the centre.
    #[default]
    Cover,
    /// Show all of the picture in the box, padded with the background.
    Contain,
    /// Stretch to the box.
    Fill,
    /// As large as fits inside the box.
    Inside,
    /// As small as covers the box, nothing cut.
    Outside,
}

/// A rectangle of the source in pixels, with fractions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Crop {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// What a resize does, in displayed (oriented) pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plan {
    /// Part of the source that is shown.
    pub(super) crop: Crop,
    /// Size to which that part is scaled.
    pub(super) content: (u32, u32),
    /// Size of the result; larger than `content` only for [`Fit::Contain`].
    pub(super) canvas: (u32, u32),
}

impl Plan {
    /// Power of two (1, 2, 4, 8) by which a JPEG can be shrunk while it is decoded.
    ///
    /// The rule is libvips' (as sharp sets it): never below the target, and one step less where the whole
    /// factor would be left to the DCT, whose rounding then shows.
    pub(super) fn dct_shrink(&self) -> u8 {
        let across = self.crop.width / f64::from(self.content.0);
        let down = self.crop.height / f64::from(self.content.1);
        let shrink = across.min(down);
        let factor = [8u8, 4, 2].into_iter().find(|&factor| shrink >= f64::from(factor)).unwrap_or(1);
        if factor > 1 && shrink < f64::from(factor) + 1.0 { factor / 2 } else { factor }
    }
}

/// Plans a resize. At least one of `width` and `height` is given; without `enlarge` no pixel is scaled up.
pub(super) fn plan(
    (source_width, source_height): (u32, u32),
    width: Option<u32>,
    height: Option<u32>,
    fit: Fit,
    enlarge: bool,
) -> Plan {
    let (across, down) = (f64::from(source_width), f64::from(source_height));
    let most = if enlarge { f64::INFINITY } else { 1.0 };
    let whole = Crop { left: 0.0, top: 0.0, width: across, height: down };
    let scaled = |scale: f64| (num::pixels(across * scale), num::pixels(down * scale));
    let uncut = |content| Plan { crop: whole, content, canvas: content };

    let (Some(box_width), Some(box_height)) = (width, height) else {
        let horizontal = width.map(|width| f64::from(width) / across);
        let vertical = height.map(|height| f64::from(height) / down);
        if fit == Fit::Fill {
            let one = |scale: Option<f64>| scale.unwrap_or(1.0).min(most);
            return uncut((num::pixels(across * one(horizontal)), num::pixels(down * one(vertical))));
        }
        return uncut(scaled(horizontal.or(vertical).unwrap_or(1.0).min(most)));
    };
    let (horizontal, vertical) = (f64::from(box_width) / across, f64::from(box_height) / down);
    let (smaller, larger) = (horizontal.min(vertical).min(most), horizontal.max(vertical).min(most));
    match fit {
        Fit::Fill => {
            uncut((num::pixels(across * horizontal.min(most)), num::pixels(down * vertical.min(most))))
        }
        Fit::Inside => uncut(scaled(smaller)),
        Fit::Outside => uncut(scaled(larger)),
        Fit::Contain => {
            let (width, height) = scaled(smaller);
            let content = (width.min(box_width), height.min(box_height));
            Plan { crop: whole, content, canvas: (box_width, box_height) }
        }
        Fit::Cover => {
            let (width, height) = scaled(larger);
            let content = (width.min(box_width), height.min(box_height));
            let shown = |content: u32, scaled: u32, source: f64| {
                if content == scaled { source } else { (f64::from(content) / larger).min(source) }
            };
            let (shown_width, shown_height) =
                (shown(content.0, width, across), shown(content.1, height, down));
            let crop = Crop {
                left: (across - shown_width) / 2.0,
                top: (down - shown_height) / 2.0,
                width: shown_width,
                height: shown_height,
            };
            Plan { crop, content, canvas: content }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canvas(source: (u32, u32), size: (u32, u32), fit: Fit, enlarge: bool) -> (u32, u32) {
        let one = |side| (side != 0).then_some(side);
        plan(source, one(size.0), one(size.1), fit, enlarge).canvas
    }

    #[test]
    fn sizes_follow_the_table() {
        let table = [
            // source, box (0: not given), fit, enlarge, result
            ((4000, 3000), (800, 0), Fit::Cover, false, (800, 600)),
            ((4000, 3000), (0, 600), Fit::Inside, false, (800, 600)),
            ((4000, 3000), (800, 800), Fit::Cover, false, (800, 800)),
            ((4000, 3000), (800, 800), Fit::Contain, false, (800, 800)),
            ((4000, 3000), (800, 800), Fit::Fill, false, (800, 800)),
            ((4000, 3000), (800, 800), Fit::Inside, false, (800, 600)),
            ((4000, 3000), (800, 800), Fit::Outside, false, (1067, 800)),
            ((4000, 3000), (800, 0), Fit::Fill, false, (800, 3000)),
            ((100, 200), (150, 150), Fit::Cover, false, (100, 150)),
            ((100, 200), (150, 150), Fit::Contain, false, (150, 150)),
            ((100, 200), (150, 150), Fit::Fill, false, (100, 150)),
            ((100, 200), (400, 400), Fit::Inside, false, (100, 200)),
            ((100, 200), (400, 400), Fit::Inside, true, (200, 400)),
            ((100, 200), (400, 400), Fit::Cover, true, (400, 400)),
            ((100, 200), (400, 0), Fit::Outside, true, (400, 800)),
            ((60_000, 1), (100, 0), Fit::Cover, false, (100, 1)),
        ];
        for (source, size, fit, enlarge, result) in table {
            assert_eq!(canvas(source, size, fit, enlarge), result, "{source:?} {size:?} {fit:?} {enlarge}");
        }
    }

    #[test]
    fn the_dct_shrinks_by_the_rule() {
        let shrink =
            |source, width| plan((source, source), Some(width), None, Fit::Cover, false).dct_shrink();
        assert_eq!(shrink(4000, 800), 4);
        assert_eq!(shrink(1800, 800), 1, "2.25 leaves all to the DCT: declined");
        assert_eq!(shrink(2400, 800), 2);
        assert_eq!(shrink(4000, 400), 8);
        assert_eq!(shrink(3300, 400), 4, "8.25 likewise");
        assert_eq!(shrink(800, 800), 1);
    }

    proptest! {
        #[test]
        fn the_crop_stays_in_the_source(
            source in (1u32..70_000, 1u32..70_000),
            width in 1u32..=16_384, height in 1u32..=16_384,
            fit in prop::sample::select(vec![Fit::Cover, Fit::Contain, Fit::Fill, Fit::Inside, Fit::Outside]),
            enlarge: bool,
        ) {
            let Plan { crop, content, canvas } = plan(source, Some(width), Some(height), fit, enlarge);
            prop_assert!(crop.left >= 0.0 && crop.top >= 0.0 && crop.width > 0.0 && crop.height > 0.0);
            prop_assert!(crop.left + crop.width <= f64::from(source.0) + 1e-6);
            prop_assert!(crop.top + crop.height <= f64::from(source.1) + 1e-6);
            prop_assert!(content.0 <= canvas.0 && content.1 <= canvas.1);
            if !enlarge {
                prop_assert!(content.0 <= source.0 && content.1 <= source.1);
            }
        }
    }
}
