//! `watermark`: draws a text or another picture of the bucket on a picture.

use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{Context, Limits, PayloadError, Transform, TransformError};

use super::decode::decode;
use super::encode::{Output, encode};
use super::fit::Crop;
use super::payload::{self, Color, Format};
use super::picture::Picture;
use super::stage::{Edit, PictureTransform};
use super::stamp::{Position, place};
use super::{num, scale, text};

const NAME: &str = "watermark";

const FIELDS: [&str; 10] =
    ["text", "image", "position", "opacity", "size", "color", "margin", "format", "quality", "background"];

/// Most characters of a text.
const MOST_CHARACTERS: usize = 200;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    #[serde(default, deserialize_with = "any_text")]
    text: Option<String>,
    image: Option<String>,
    position: Option<Position>,
    opacity: Option<f64>,
    size: Option<f64>,
    color: Option<Color>,
    margin: Option<f64>,
    format: Option<Format>,
    quality: Option<i64>,
    background: Option<Color>,
    #[serde(default)]
    allow: Vec<String>,
}

/// A text; a number or a boolean counts as its digits or name, for in a URL `text=2024` looks like a number.
fn any_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        value @ (Value::Number(_) | Value::Bool(_)) => Ok(Some(value.to_string())),
        Value::Array(_) | Value::Object(_) => Err(serde::de::Error::custom("expected a text")),
    }
}

#[derive(Debug)]
enum Mark {
    Text(String, Color),
    /// Key of an object in the same bucket.
    Image(String),
}

#[derive(Debug)]
struct Watermark {
    mark: Mark,
    position: Position,
    /// 0 to 1.
    opacity: f64,
    /// Text: height of a line against the picture's shorter side. Image: its width against the picture's.
    size: f64,
    /// Against the picture's shorter side.
    margin: f64,
    output: Output,
}

/// Builds the transform from its payload: `text` or `image`, `position`, `opacity`, `size`, `color`, `margin`,
/// `format`, `quality`, `background`, `allow`.
///
/// # Errors
/// Names the field that is unknown, out of range or missing, and a character that cannot be drawn.
pub fn build(payload: &Value) -> Result<Arc<dyn Transform>, PayloadError> {
    let raw: Payload = payload::read(NAME, payload)?;
    payload::check_allow(NAME, &raw.allow, &FIELDS)?;
    let refuse = |path: &str, message: String| Err(payload::refuse(NAME, path, message));
    let (mark, default_size) = match (raw.text, raw.image) {
        (Some(text), None) => {
            let text = text.trim().to_owned();
            if text.is_empty() {
                return refuse("text", "must not be empty".into());
            }
            if text.chars().count() > MOST_CHARACTERS {
                return refuse("text", format!("has more than {MOST_CHARACTERS} characters"));
            }
            if let Some(c) = text::missing(&text) {
                let code = u32::from(c);
                let message = format!(
                    "the character {c:?} (U+{code:04X}) cannot be drawn; the typeface has Latin, Greek and Cyrillic"
                );
                return refuse("text", message);
            }
            (Mark::Text(text, raw.color.unwrap_or(Color::WHITE)), 0.06)
        }
        (None, Some(_)) if raw.color.is_some() => {
            return refuse("color", "goes with text, not with image".into());
        }
        (None, Some(key)) if !key.is_empty() => (Mark::Image(key), 0.25),
        (None, Some(_)) => return refuse("image", "must be the key of an object in the same bucket".into()),
        _ => return refuse(".", "give exactly one of text and image".into()),
    };
    Ok(PictureTransform::shared(Watermark {
        mark,
        position: raw.position.unwrap_or_default(),
        opacity: payload::fraction(NAME, "opacity", raw.opacity, 0.5, 0.0..=1.0)?,
        size: payload::fraction(NAME, "size", raw.size, default_size, 0.005..=1.0)?,
        margin: payload::fraction(NAME, "margin", raw.margin, 0.03, 0.0..=0.5)?,
        output: Output {
            format: raw.format,
            quality: payload::quality(NAME, raw.quality)?,
            background: raw.background.unwrap_or(Color::WHITE),
        },
    }))
}

impl Edit for Watermark {
    fn resources(&self) -> Vec<String> {
        match &self.mark {
            Mark::Text(..) => Vec::new(),
            Mark::Image(key) => vec![key.clone()],
        }
    }

    fn edit(&self, object: &[u8], context: &Context) -> Result<(Format, Vec<u8>), TransformError> {
        let decoded = decode(object, &context.limits, |_| 1)?;
        let format = self.output.format.unwrap_or(decoded.source.output());
        let mut picture = decoded.upright().into_color();
        let shorter = f64::from(picture.width.min(picture.height));
        // At least 1 from rounding would be a margin where none is wanted.
        let margin = if self.margin > 0.0 { num::pixels(self.margin * shorter) } else { 0 };
        let free = |side: u32| f64::from(side.saturating_sub(2 * margin).max(1));
        let space = (free(picture.width), free(picture.height));
        let mut stamp = match &self.mark {
            Mark::Text(text, color) => {
                let size = (self.size * shorter).max(1.0);
                let (width, height) = text::measure(text, size)?;
                // A long text is made smaller until it fits.
                let fit = (space.0 / f64::from(width)).min(space.1 / f64::from(height)).min(1.0);
                text::draw(text, (size * fit).max(1.0), *color)?
            }
            Mark::Image(key) => self.stamp_of(key, f64::from(picture.width), space, context)?,
        };
        let opacity = num::fraction(self.opacity);
        stamp.data.as_chunks_mut::<4>().0.iter_mut().for_each(|pixel| pixel[3] = num::mul(pixel[3], opacity));
        place(&mut picture, &stamp, self.position, margin);
        Ok((format, encode(picture, format, &self.output)?))
    }
}

impl Watermark {
    /// Decodes the picture under `key` and scales it for a picture of `width` pixels.
    fn stamp_of(
        &self,
        key: &str,
        width: f64,
        space: (f64, f64),
        context: &Context,
    ) -> Result<Picture, TransformError> {
        let unusable = |message: String| TransformError::Resource { key: key.to_owned(), message };
        let limits: &Limits = &context.limits;
        let bytes = context
            .resources
            .get(key)
            .ok_or_else(|| unusable("there is no such object, or no access".into()))?;
        if bytes.len() as u64 > limits.buffered_bytes {
            return Err(unusable(format!("larger than {} bytes", limits.buffered_bytes)));
        }
        let picture = decode(bytes, limits, |_| 1).map_err(|error| unusable(error.to_string()))?.upright();
        let picture = picture.into_rgba();
        let (across, down) = (f64::from(picture.width), f64::from(picture.height));
        let factor = (self.size * width / across).min(space.0 / across).min(space.1 / down);
        let whole = Crop { left: 0.0, top: 0.0, width: across, height: down };
        scale::scale(picture, whole, (num::pixels(across * factor), num::pixels(down * factor)), limits)
    }
}
