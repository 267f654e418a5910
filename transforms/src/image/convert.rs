//! `convert` for pictures: writes a picture in another format, the right way up and without metadata.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::{Context, PayloadError, Transform, TransformError};

use super::decode::decode;
use super::encode::{Output, encode};
use super::payload::{self, Color, Format};
use super::stage::{Edit, PictureTransform};

const NAME: &str = "convert";

const FIELDS: [&str; 3] = ["to", "quality", "background"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    to: Format,
    quality: Option<i64>,
    background: Option<Color>,
    #[serde(default)]
    allow: Vec<String>,
}

#[derive(Debug)]
struct Convert {
    format: Format,
    output: Output,
}

/// Builds the transform from its payload: `to` (`jpeg`, `png` or `webp`), `quality`, `background`, `allow`.
///
/// # Errors
/// Names the field that is unknown, out of range or missing.
pub fn build(payload: &Value) -> Result<Arc<dyn Transform>, PayloadError> {
    let raw: Payload = payload::read(NAME, payload)?;
    payload::check_allow(NAME, &raw.allow, &FIELDS)?;
    let quality = payload::quality(NAME, raw.quality)?;
    let background = raw.background.unwrap_or(Color::WHITE);
    Ok(PictureTransform::shared(Convert {
        format: raw.to,
        output: Output { format: Some(raw.to), quality, background },
    }))
}

impl Edit for Convert {
    fn edit(&self, object: &[u8], context: &Context) -> Result<(Format, Vec<u8>), TransformError> {
        let picture = decode(object, &context.limits, |_| 1)?.upright();
        Ok((self.format, encode(picture, self.format, &self.output)?))
    }
}
