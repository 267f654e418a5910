//! What an object is by its first bytes, and how large a picture it declares, before anything is decoded.

use crate::{Limits, TransformError};

use super::payload::Format;
use super::{jpeg, riff};

/// Most pixels of a side of a picture that is read.
const MOST_SIDE: u32 = 65_535;

/// A picture format that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Jpeg,
    Png,
    Gif,
    Webp,
}

impl Source {
    /// Name for messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::Webp => "WebP",
        }
    }

    /// The format in which a result is written unless another is asked for: the same, PNG for a GIF.
    pub(super) fn output(self) -> Format {
        match self {
            Self::Jpeg => Format::Jpeg,
            Self::Png | Self::Gif => Format::Png,
            Self::Webp => Format::Webp,
        }
    }
}

/// What is known after some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Probe {
    /// Too few bytes to tell.
    More,
    /// A picture of this format and stored size, within the caps.
    Picture(Source, (u32, u32)),
}

/// Looks at the start of an object. `complete`: whether these are all of its bytes.
///
/// # Errors
/// [`TransformError::BadInput`] when it is no picture that can be read, [`TransformError::Limit`] when it
/// declares more pixels than [`Limits::pixels`].
pub(super) fn probe(data: &[u8], complete: bool, limits: &Limits) -> Result<Probe, TransformError> {
    let Some(source) = recognise(data) else {
        if data.len() < 16 && !complete {
            return Ok(Probe::More);
        }
        return Err(not_a_picture(data));
    };
    let bad = |why: &str| TransformError::BadInput(format!("not a readable {}: {why}", source.name()));
    let size = match source {
        Source::Jpeg => match jpeg::walk(data) {
            jpeg::Walk::Done(markers) if markers.size.is_none() => {
                return Err(bad("no frame before its scan"));
            }
            jpeg::Walk::Done(markers) | jpeg::Walk::Partial(markers) => markers.size,
            jpeg::Walk::Broken(why) => return Err(bad(why)),
        },
        Source::Png => {
            let side =
                |at| data.get(at..).and_then(|rest| rest.first_chunk()).map(|b| u32::from_be_bytes(*b));
            side(16).zip(side(20))
        }
        Source::Gif => {
            let side =
                |at| data.get(at..).and_then(|rest| rest.first_chunk()).map(|b| u16::from_le_bytes(*b));
            side(6).zip(side(8)).map(|(width, height)| (u32::from(width), u32::from(height)))
        }
        Source::Webp => {
            let chunks = riff::walk(data);
            if chunks.lies {
                return Err(bad("its frames are not of the size that its header declares"));
            }
            chunks.size
        }
    };
    let Some((width, height)) = size else {
        return if complete { Err(bad("it ends before its size is told")) } else { Ok(Probe::More) };
    };
    if width == 0 || height == 0 {
        return Err(bad(&format!("its size is {width}x{height}")));
    }
    if u64::from(width) * u64::from(height) > limits.pixels {
        return Err(TransformError::Limit { what: "decoded pixels", limit: limits.pixels });
    }
    if width > MOST_SIDE || height > MOST_SIDE {
        return Err(TransformError::Limit {
            what: "width or height of the picture in pixels",
            limit: MOST_SIDE.into(),
        });
    }
    Ok(Probe::Picture(source, (width, height)))
}

fn recognise(data: &[u8]) -> Option<Source> {
    match data {
        [0xFF, 0xD8, 0xFF, ..] => Some(Source::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Source::Png),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Source::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Source::Webp),
        _ => None,
    }
}

/// Says what was found instead.
fn not_a_picture(data: &[u8]) -> TransformError {
    const KNOWN: [(&[u8], &str); 20] = [
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive or Office document"),
        (b"\x1F\x8B", "gzip data"),
        (b"\x28\xB5\x2F\xFD", "zstd data"),
        (b"BZh", "bzip2 data"),
        (b"BM", "a BMP picture"),
        (b"II*\0", "a TIFF picture"),
        (b"MM\0*", "a TIFF picture"),
        (b"\0\0\x01\0", "an icon (ICO)"),
        (b"8BPS", "a Photoshop document"),
        (b"\xFF\x0A", "a JPEG XL picture"),
        (b"\0\0\0\x0CJXL ", "a JPEG XL picture"),
        (b"\0\0\0\x0CjP  ", "a JPEG 2000 picture"),
        (b"<svg", "an SVG drawing"),
        (b"<?xml", "an XML document"),
        (b"<!DOCTYPE", "an HTML document"),
        (b"<html", "an HTML document"),
        (b"{", "JSON or other text"),
        (b"PAR1", "a Parquet file"),
        (b"\x7FELF", "a program (ELF)"),
    ];
    let brand = data.get(8..12).filter(|_| data.get(4..8) == Some(b"ftyp"));
    let found = match (data, brand) {
        ([], _) => "an empty object".to_owned(),
        (_, Some(b"avif" | b"avis")) => "an AVIF picture".to_owned(),
        (_, Some(b"heic" | b"heix" | b"mif1" | b"hevc")) => "a HEIF picture".to_owned(),
        (_, Some(_)) => "a video or other ISO media file".to_owned(),
        _ => match KNOWN.iter().find(|(magic, _)| data.starts_with(magic)) {
            Some((_, name)) => (*name).to_owned(),
            None => {
                let head = data.get(..data.len().min(64)).unwrap_or_default();
                if head.iter().all(|&byte| byte >= 0x20 && byte != 0x7F || b"\t\r\n".contains(&byte)) {
                    "text".to_owned()
                } else {
                    let bytes: Vec<String> = head.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
                    format!("data that starts with the bytes {}", bytes.join(" "))
                }
            }
        },
    };
    TransformError::BadInput(format!("not a JPEG, PNG, GIF or WebP picture: found {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_picture_is_named() {
        for (data, name) in [
            (&b""[..], "an empty object"),
            (b"%PDF-1.7 and so on", "a PDF document"),
            (b"id,name\n1,Anna and more\n", "text"),
            (b"\0\0\0\x20ftypavif\0\0\0\0\0\0\0\0", "an AVIF picture"),
            (b"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10", "01 02 03 04"),
        ] {
            let error = probe(data, true, &Limits::default()).expect_err("refused").to_string();
            assert!(error.contains(name), "{error} should name {name}");
        }
    }

    #[test]
    fn a_declared_size_past_the_cap_is_refused_from_the_header_alone() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        png.extend_from_slice(&60_000u32.to_be_bytes());
        png.extend_from_slice(&60_000u32.to_be_bytes());
        let error = probe(&png, false, &Limits::default()).expect_err("refused");
        assert_eq!(error, TransformError::Limit { what: "decoded pixels", limit: 100_000_000 });
        let gif = b"GIF89a\xff\xff\xff\xff\0\0\0\0\0\0\0";
        assert!(matches!(probe(gif, false, &Limits::default()), Err(TransformError::Limit { .. })));
    }
}
