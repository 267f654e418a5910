//! `resize`: scales a picture to a box, turns it the right way up and strips its metadata.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::{Context, Limits, PayloadError, Transform, TransformError};

use super::decode::decode;
use super::encode::{Output, encode};
use super::fit::{Crop, Fit, plan};
use super::payload::{self, Color, Format};
use super::picture::Picture;
use super::stage::{Edit, PictureTransform};
use super::{orient, scale};

const NAME: &str = "resize";

/// Largest width and height that may be asked for, in pixels.
const MOST_SIDE: u32 = 16_384;

const FIELDS: [&str; 7] = ["width", "height", "fit", "format", "quality", "background", "enlarge"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    width: Option<i64>,
    height: Option<i64>,
    fit: Option<Fit>,
    format: Option<Format>,
    quality: Option<i64>,
    background: Option<Color>,
    enlarge: Option<bool>,
    #[serde(default)]
    allow: Vec<String>,
}

#[derive(Debug)]
struct Resize {
    width: Option<u32>,
    height: Option<u32>,
    fit: Fit,
    enlarge: bool,
    background: Option<Color>,
    output: Output,
}

/// Builds the transform from its payload: `width` and `height` (1 to 16384, at least one of them), `fit`,
/// `format`, `quality`, `background`, `enlarge`, `allow`.
///
/// # Errors
/// Names the field that is unknown, out of range or missing.
pub fn build(payload: &Value) -> Result<Arc<dyn Transform>, PayloadError> {
    let raw: Payload = payload::read(NAME, payload)?;
    payload::check_allow(NAME, &raw.allow, &FIELDS)?;
    let width = payload::whole(NAME, "width", raw.width, 1..=MOST_SIDE)?;
    let height = payload::whole(NAME, "height", raw.height, 1..=MOST_SIDE)?;
    if width.is_none() && height.is_none() {
        return Err(payload::refuse(NAME, ".", "width, height or both must be given, in pixels"));
    }
    Ok(PictureTransform::shared(Resize {
        width,
        height,
        fit: raw.fit.unwrap_or_default(),
        enlarge: raw.enlarge.unwrap_or(false),
        background: raw.background,
        output: Output {
            format: raw.format,
            quality: payload::quality(NAME, raw.quality)?,
            background: raw.background.unwrap_or(Color::WHITE),
        },
    }))
}

impl Edit for Resize {
    fn edit(&self, object: &[u8], context: &Context) -> Result<(Format, Vec<u8>), TransformError> {
        let limits = &context.limits;
        let planned = |size| plan(size, self.width, self.height, self.fit, self.enlarge);
        let mut wanted = None;
        let decoded = decode(object, limits, |size| wanted.insert(planned(size)).dct_shrink())?;
        let stored = (decoded.picture.width, decoded.picture.height);
        let plan = wanted.unwrap_or_else(|| planned(orient::displayed(decoded.orientation, stored)));
        scale::check_pixels("output pixels", plan.canvas, limits)?;

        // The pixels are turned last, when they are fewest: bring the plan to how they are stored.
        let factor = f64::from(decoded.shrink);
        let Crop { left, top, width, height } = plan.crop;
        let mut crop =
            Crop { left: left / factor, top: top / factor, width: width / factor, height: height / factor };
        let mut content = plan.content;
        if orient::swaps(decoded.orientation) {
            crop = Crop { left: crop.top, top: crop.left, width: crop.height, height: crop.width };
            content = (content.1, content.0);
        }
        let scaled = scale::scale(decoded.picture, crop, content, limits)?;
        let picture = orient::apply(scaled, decoded.orientation);

        let format = self.output.format.unwrap_or(decoded.source.output());
        let picture = if plan.canvas == plan.content {
            picture
        } else {
            self.padded(picture, plan.canvas, format, limits)?
        };
        Ok((format, encode(picture, format, &self.output)?))
    }
}

impl Resize {
    /// Centres a picture on a canvas of the background: by default white in a JPEG, transparent elsewhere.
    fn padded(
        &self,
        picture: Picture,
        (width, height): (u32, u32),
        format: Format,
        limits: &Limits,
    ) -> Result<Picture, TransformError> {
        scale::check_pixels("output pixels", (width, height), limits)?;
        let default = if format == Format::Jpeg { Color::WHITE } else { Color::TRANSPARENT };
        let mut canvas = Picture::filled(width, height, self.background.unwrap_or(default))?;
        let mut picture = picture.into_rgba();
        let left = i64::from((width.saturating_sub(picture.width)) / 2);
        let top = i64::from((height.saturating_sub(picture.height)) / 2);
        canvas.icc = picture.icc.take();
        canvas.draw(&picture, left, top);
        let opaque = canvas.data.as_chunks::<4>().0.iter().all(|pixel| pixel[3] == 255);
        Ok(if opaque { canvas.flattened(Color::WHITE) } else { canvas })
    }
}
