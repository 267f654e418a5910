//! Reading of the picture transforms' payloads, and the values that they share.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::PayloadError;

/// A picture format that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// JPEG, baseline, 4:2:0.
    #[serde(alias = "jpg")]
    Jpeg,
    /// PNG, 8 bits a sample.
    Png,
    /// WebP: lossy with the native codecs, lossless without.
    Webp,
}

impl Format {
    /// The media type, for Content-Type.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// The most pixels a side that the format can hold; for PNG what we write at all.
    pub(super) fn max_side(self) -> u32 {
        match self {
            Self::Jpeg => 65_535,
            Self::Png => i32::MAX.unsigned_abs(),
            Self::Webp => 16_383,
        }
    }
}

/// A colour, red, green, blue and alpha.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Color(pub(super) [u8; 4]);

impl Color {
    pub(super) const WHITE: Self = Self([255, 255, 255, 255]);
    pub(super) const TRANSPARENT: Self = Self([0, 0, 0, 0]);

    /// Relative brightness, 0 to 255 (Rec. 601 weights).
    pub(super) fn luma(self) -> u32 {
        let [r, g, b, _] = self.0.map(u32::from);
        (299 * r + 587 * g + 114 * b) / 1000
    }
}

impl TryFrom<String> for Color {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || {
            format!("{text:?} is not a colour; give #rgb, #rrggbb, #rrggbbaa, black, white or transparent")
        };
        match text.as_str() {
            "black" => return Ok(Self([0, 0, 0, 255])),
            "white" => return Ok(Self::WHITE),
            "transparent" => return Ok(Self::TRANSPARENT),
            _ => {}
        }
        let hex = text.strip_prefix('#').unwrap_or(&text);
        let digits: Option<Vec<u8>> =
            hex.chars().map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok())).collect();
        match digits.as_deref() {
            Some(&[r, g, b]) => Ok(Self([r * 17, g * 17, b * 17, 255])),
            Some(&[r, rr, g, gg, b, bb]) => Ok(Self([r * 16 + rr, g * 16 + gg, b * 16 + bb, 255])),
            Some(&[r, rr, g, gg, b, bb, a, aa]) => {
                Ok(Self([r * 16 + rr, g * 16 + gg, b * 16 + bb, a * 16 + aa]))
            }
            _ => Err(wrong()),
        }
    }
}

/// Reads `payload` into `T`, whose serde form must deny unknown fields. `Null` counts as `{}`.
///
/// # Errors
/// Names the path and, for an unknown key, the keys that are allowed.
pub(super) fn read<T: DeserializeOwned>(transform: &str, payload: &Value) -> Result<T, PayloadError> {
    let empty = Value::Object(Map::new());
    let payload = if payload.is_null() { &empty } else { payload };
    serde_path_to_error::deserialize(payload).map_err(|error| {
        let path = error.path().to_string();
        let path = if path.is_empty() { ".".to_owned() } else { path };
        refuse(transform, &path, error.inner().to_string())
    })
}

/// Checks an `allow` list: each name must be one of `fields`.
pub(super) fn check_allow(transform: &str, allow: &[String], fields: &[&str]) -> Result<(), PayloadError> {
    for (index, name) in allow.iter().enumerate() {
        if !fields.contains(&name.as_str()) {
            let message =
                format!("{name:?} is not a field that a request may override; one of {}", fields.join(", "));
            return Err(refuse(transform, &format!("allow[{index}]"), message));
        }
    }
    Ok(())
}

/// A whole number within bounds, or an error that names them.
pub(super) fn whole(
    transform: &str,
    path: &str,
    value: Option<i64>,
    bounds: std::ops::RangeInclusive<u32>,
) -> Result<Option<u32>, PayloadError> {
    let Some(value) = value else { return Ok(None) };
    match u32::try_from(value) {
        Ok(value) if bounds.contains(&value) => Ok(Some(value)),
        _ => {
            let (low, high) = (bounds.start(), bounds.end());
            Err(refuse(transform, path, format!("{value} is out of range: {low} to {high}")))
        }
    }
}

/// A fraction within bounds, or an error that names them.
pub(super) fn fraction(
    transform: &str,
    path: &str,
    value: Option<f64>,
    default: f64,
    bounds: std::ops::RangeInclusive<f64>,
) -> Result<f64, PayloadError> {
    let value = value.unwrap_or(default);
    if bounds.contains(&value) {
        return Ok(value);
    }
    let (low, high) = (bounds.start(), bounds.end());
    Err(refuse(transform, path, format!("{value} is out of range: {low} to {high}")))
}

/// `quality`: 1 to 100, default 80.
pub(super) fn quality(transform: &str, value: Option<i64>) -> Result<u8, PayloadError> {
    let value = whole(transform, "quality", value, 1..=100)?.unwrap_or(80);
    Ok(u8::try_from(value).unwrap_or(80))
}

/// A refused payload.
pub(super) fn refuse(transform: &str, path: &str, message: impl Into<String>) -> PayloadError {
    PayloadError { transform: transform.to_owned(), path: path.to_owned(), message: message.into() }
}
