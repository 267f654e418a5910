//! Rounding from floating point to pixels and samples: the only casts that could lose something.

/// The nearest whole number of pixels, at least 1; what is past `u32` (or not a number) is clamped.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range first")]
pub(super) fn pixels(value: f64) -> u32 {
    value.round().clamp(1.0, f64::from(u32::MAX)) as u32
}

/// The nearest sample for a value of 0 to 255.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range first")]
pub(super) fn sample(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// The nearest whole offset in pixels.
#[expect(clippy::cast_possible_truncation, reason = "clamped to the range first")]
pub(super) fn offset(value: f64) -> i64 {
    value.round().clamp(f64::from(i32::MIN), f64::from(i32::MAX)) as i64
}

/// `a * b / 255`, rounded, for samples.
#[expect(clippy::cast_possible_truncation, reason = "at most 255")]
pub(super) fn mul(a: u8, b: u8) -> u8 {
    ((u32::from(a) * u32::from(b) + 127) / 255) as u8
}

/// `a` where `weight` is 0, `b` where it is 255.
#[expect(clippy::cast_possible_truncation, reason = "at most 255")]
pub(super) fn mix(a: u8, b: u8, weight: u8) -> u8 {
    let weight = u32::from(weight);
    ((u32::from(a) * (255 - weight) + u32::from(b) * weight + 127) / 255) as u8
}

/// The sample for a fraction of 0 to 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range first")]
pub(super) fn fraction(value: f64) -> u8 {
    (value * 255.0).round().clamp(0.0, 255.0) as u8
}
