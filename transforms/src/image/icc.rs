//! ICC profiles: which ones to keep, and the segments that carry them in a JPEG.

use super::picture::Layout;

/// Largest profile that is kept, in bytes: 1 MiB. A display profile has a few KiB.
const MOST: usize = 1 << 20;

/// The profile if it is one, describes samples of `layout`, and is of a sane size (ICC.1, section 7.2: size at
/// 0, colour space at 16, signature at 36).
pub(super) fn fitting(profile: Option<Vec<u8>>, layout: Layout) -> Option<Vec<u8>> {
    let profile = profile?;
    let space: &[u8] = if layout == Layout::Gray { b"GRAY" } else { b"RGB " };
    let size = profile.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes) as usize)?;
    let good = (128..=MOST).contains(&profile.len())
        && size == profile.len()
        && profile.get(16..20) == Some(space)
        && profile.get(36..40) == Some(b"acsp");
    good.then_some(profile)
}

/// Puts a profile into a JPEG that was just encoded, after its JFIF segment.
#[cfg(feature = "native-codecs")]
pub(super) fn into_jpeg(file: &[u8], profile: &[u8]) -> Vec<u8> {
    const MARKER: &[u8] = b"ICC_PROFILE\0";
    let chunks = profile.chunks(usize::from(u16::MAX) - 2 - MARKER.len() - 2);
    let jfif = match file.get(2..4) {
        Some([0xFF, 0xE0]) => {
            file.get(4..).and_then(|rest| rest.first_chunk()).map_or(0, |b| 2 + u16::from_be_bytes(*b))
        }
        _ => 0,
    };
    let Some((head, rest)) = file.split_at_checked(2 + usize::from(jfif)) else { return file.to_vec() };
    let mut out = Vec::with_capacity(file.len() + profile.len() + 64);
    out.extend_from_slice(head);
    let Ok(count) = u8::try_from(chunks.len()) else { return file.to_vec() };
    for (sequence, chunk) in (1..=count).zip(chunks) {
        let Ok(length) = u16::try_from(2 + MARKER.len() + 2 + chunk.len()) else { return file.to_vec() };
        out.extend_from_slice(&[0xFF, 0xE2]);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(MARKER);
        out.extend_from_slice(&[sequence, count]);
        out.extend_from_slice(chunk);
    }
    out.extend_from_slice(rest);
    out
}
