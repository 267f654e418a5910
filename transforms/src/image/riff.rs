//! The chunks of a WebP file (RIFF): size, EXIF and colour profile, without decoding; and putting a profile in.

/// One chunk: its name and what it holds.
type Chunk<'a> = (&'a [u8; 4], &'a [u8]);

/// What the chunks say.
#[derive(Debug, Default)]
pub(super) struct Chunks<'a> {
    /// Canvas of the picture.
    pub(super) size: Option<(u32, u32)>,
    /// A bitstream whose own size is not that of the frame it stands in: nothing may be allocated for it.
    pub(super) lies: bool,
    /// TIFF-structured EXIF block.
    pub(super) exif: Option<&'a [u8]>,
    /// ICC profile.
    pub(super) icc: Option<&'a [u8]>,
}

/// Walks the chunks of a WebP file as far as its bytes go. A chunk that is cut short is read as far as it is
/// there.
pub(super) fn walk(data: &[u8]) -> Chunks<'_> {
    let mut found = Chunks::default();
    for (name, body) in chunks(data.get(12..).unwrap_or_default()) {
        match name {
            b"VP8X" => {
                if let (Some(width), Some(height)) = (three(body, 4), three(body, 7)) {
                    found.size.get_or_insert((width + 1, height + 1));
                }
            }
            b"VP8 " | b"VP8L" => match bitstream_size(name, body) {
                Some(size) => found.lies |= *found.size.get_or_insert(size) != size,
                None => continue,
            },
            b"ANMF" => {
                let frame = three(body, 6).zip(three(body, 9)).map(|(width, height)| (width + 1, height + 1));
                let inner = chunks(body.get(16..).unwrap_or_default());
                let stream = inner.into_iter().find_map(|(name, body)| bitstream_size(name, body));
                found.lies |= stream.is_some() && stream != frame;
                found.lies |= match (frame, found.size) {
                    (Some(frame), Some(canvas)) => frame.0 > canvas.0 || frame.1 > canvas.1,
                    _ => true,
                };
            }
            b"EXIF" => {
                // Some writers keep the prefix that belongs to JPEG.
                found.exif.get_or_insert(body.strip_prefix(b"Exif\0\0").unwrap_or(body));
            }
            b"ICCP" => {
                found.icc.get_or_insert(body);
            }
            _ => {}
        }
    }
    found
}

fn chunks(mut data: &[u8]) -> Vec<Chunk<'_>> {
    let mut found = Vec::new();
    while let Some((name, rest)) = data.split_first_chunk::<4>() {
        let Some((length, body)) = rest.split_first_chunk::<4>() else { break };
        let length = u32::from_le_bytes(*length) as usize;
        found.push((name, body.get(..length).unwrap_or(body)));
        data = body.get(length.saturating_add(length % 2)..).unwrap_or_default();
    }
    found
}

/// Size of a bitstream by its own header (RFC 6386, section 9.1; WebP lossless, section 3).
fn bitstream_size(name: &[u8; 4], body: &[u8]) -> Option<(u32, u32)> {
    match name {
        b"VP8 " => {
            let side = |at| Some(u32::from(u16::from_le_bytes(*body.get(at..)?.first_chunk()?)) & 0x3FFF);
            Some((side(6)?, side(8)?))
        }
        b"VP8L" => {
            let bits = u32::from_le_bytes(*body.get(1..)?.first_chunk()?);
            Some(((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1))
        }
        _ => None,
    }
}

fn three(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk::<3>().map(|&[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
}

/// Puts an ICC profile into a WebP file that was just encoded. Comes back unchanged where the file is not as
/// expected.
#[cfg(feature = "native-codecs")]
pub(super) fn with_icc(file: &[u8], profile: &[u8], (width, height): (u32, u32), alpha: bool) -> Vec<u8> {
    const ICC: u8 = 0x20;
    const ALPHA: u8 = 0x10;
    let body = chunks(file.get(12..).unwrap_or_default());
    let extended = body.iter().find_map(|(name, chunk)| (*name == b"VP8X").then(|| chunk.first()).flatten());
    let flags = extended.copied().unwrap_or(if alpha { ALPHA } else { 0 }) | ICC;
    let [w0, w1, w2, _] = width.saturating_sub(1).to_le_bytes();
    let [h0, h1, h2, _] = height.saturating_sub(1).to_le_bytes();
    let header = [flags, 0, 0, 0, w0, w1, w2, h0, h1, h2];
    let mut out = b"WEBP".to_vec();
    let first: [Chunk<'_>; 2] = [(b"VP8X", &header), (b"ICCP", profile)];
    for (name, chunk) in first.into_iter().chain(body.into_iter().filter(|(name, _)| *name != b"VP8X")) {
        let Ok(length) = u32::try_from(chunk.len()) else { return file.to_vec() };
        out.extend_from_slice(name);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(chunk);
        if chunk.len() % 2 == 1 {
            out.push(0);
        }
    }
    let Ok(length) = u32::try_from(out.len()) else { return file.to_vec() };
    [b"RIFF".as_slice(), &length.to_le_bytes(), &out].concat()
}
