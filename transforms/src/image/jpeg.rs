//! The marker segments of a JPEG (ITU-T T.81, annex B): size, EXIF and colour profile, without decoding.

/// What the segments before the first scan say.
#[derive(Debug, Default)]
pub(super) struct Markers<'a> {
    /// Width and height of the frame.
    pub(super) size: Option<(u32, u32)>,
    /// TIFF-structured EXIF block.
    pub(super) exif: Option<&'a [u8]>,
    /// Chunks of the ICC profile: sequence number and bytes.
    icc: Vec<(u8, &'a [u8])>,
    /// Whether an Adobe segment is there, whose CMYK is stored inverted.
    pub(super) adobe: bool,
    /// Offset of the first scan's data.
    pub(super) scan: usize,
}

impl Markers<'_> {
    /// The embedded ICC profile, put together; `None` where a chunk is missing.
    pub(super) fn icc(&self) -> Option<Vec<u8>> {
        let mut chunks = self.icc.clone();
        chunks.sort_by_key(|(sequence, _)| *sequence);
        let in_order = chunks.iter().zip(1u32..).all(|((sequence, _), at)| u32::from(*sequence) == at);
        (!chunks.is_empty() && in_order)
            .then(|| chunks.iter().flat_map(|(_, bytes)| *bytes).copied().collect())
    }
}

/// How far a walk came.
#[derive(Debug)]
pub(super) enum Walk<'a> {
    /// The first scan was reached.
    Done(Markers<'a>),
    /// The bytes ended before it; `size` may be known already.
    Partial(Markers<'a>),
    /// This is no JPEG.
    Broken(&'static str),
}

/// Walks the segments from the start of `data`.
pub(super) fn walk(data: &[u8]) -> Walk<'_> {
    let mut markers = Markers::default();
    let mut at = 2;
    loop {
        let Some(&first) = data.get(at) else { return Walk::Partial(markers) };
        if first != 0xFF {
            return Walk::Broken("a marker is missing between segments");
        }
        while data.get(at) == Some(&0xFF) {
            at += 1;
        }
        let Some(&marker) = data.get(at) else { return Walk::Partial(markers) };
        at += 1;
        match marker {
            // TEM and RSTn stand alone.
            0x01 | 0xD0..=0xD7 => continue,
            0x00 | 0xD8 => return Walk::Broken("a marker stands where none may"),
            0xD9 => return Walk::Broken("it ends before the first scan"),
            _ => {}
        }
        let Some(length) = big_endian(data, at) else { return Walk::Partial(markers) };
        if length < 2 {
            return Walk::Broken("a segment has an impossible length");
        }
        let end = at + usize::from(length);
        let Some(segment) = data.get(at + 2..end) else { return Walk::Partial(markers) };
        match marker {
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                let (Some(height), Some(width)) = (big_endian(segment, 1), big_endian(segment, 3)) else {
                    return Walk::Broken("its frame header is cut short");
                };
                markers.size.get_or_insert((u32::from(width), u32::from(height)));
            }
            0xE1 => {
                if let Some(exif) = segment.strip_prefix(b"Exif\0\0") {
                    markers.exif.get_or_insert(exif);
                }
            }
            0xE2 => {
                if let Some([sequence, _count, chunk @ ..]) = segment.strip_prefix(b"ICC_PROFILE\0") {
                    markers.icc.push((*sequence, chunk));
                }
            }
            0xEE => markers.adobe |= segment.starts_with(b"Adobe"),
            0xDA => {
                markers.scan = end;
                return Walk::Done(markers);
            }
            _ => {}
        }
        at = end;
    }
}

fn big_endian(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..)?.first_chunk::<2>().map(|bytes| u16::from_be_bytes(*bytes))
}
