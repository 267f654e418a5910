//! E-mail addresses: `local@label.label…tld`, also with the at sign as `%40`, as in a URL.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::text::{at, before, is_letter_pair};

/// Longest local part and longest domain in bytes (RFC 5321 section 4.5.3.1).
const LOCAL_MAX: usize = 64;
const DOMAIN_MAX: usize = 253;
const LABEL_MAX: usize = 63;

/// Bytes after a position that decide whether an address begins there.
pub(super) const AHEAD: usize = LOCAL_MAX + 3 + DOMAIN_MAX + LABEL_MAX + 8;

static ESCAPED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"%40"));

/// Where the next at signs of a buffer are, so that a word without one near costs nothing. A position is asked for
/// in ascending order; each at sign is examined once.
pub(super) struct AtSigns {
    plain: usize,
    escaped: usize,
    /// The at sign that was examined last: its position, where its local part may begin, where its domain ends.
    examined: Option<(usize, usize, Option<usize>)>,
}

impl AtSigns {
    pub(super) fn new() -> Self {
        // Position 0 stands for "not looked for yet": no address begins with its at sign.
        Self { plain: 0, escaped: 0, examined: None }
    }

    /// The end of the address that begins at `s`, the beginning of a word, if one does.
    #[inline]
    pub(super) fn address(&mut self, buf: &[u8], s: usize) -> Option<usize> {
        if self.plain <= s {
            let found = memchr::memchr(b'@', buf.get(s + 1..).unwrap_or_default());
            self.plain = found.map_or(usize::MAX, |i| s + 1 + i);
        }
        if self.escaped <= s {
            let found = ESCAPED.find(buf.get(s + 1..).unwrap_or_default());
            self.escaped = found.map_or(usize::MAX, |i| s + 1 + i);
        }
        let sign = self.plain.min(self.escaped);
        if sign.saturating_sub(s) > LOCAL_MAX {
            return None;
        }
        let width = if sign == self.plain { 1 } else { 3 };
        let (first, end) = match self.examined {
            Some((position, first, end)) if position == sign => (first, end),
            _ => {
                let first = local_start(buf, sign);
                let end = domain_end(buf, sign + width);
                self.examined = Some((sign, first, end));
                (first, end)
            }
        };
        if s >= first { end } else { None }
    }
}

fn is_local(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'')
}

/// The first position from which everything up to the at sign may be a local part. Three dots are an ellipsis and
/// end it.
fn local_start(buf: &[u8], sign: usize) -> usize {
    let mut i = sign;
    while i > 0 && sign - i < LOCAL_MAX {
        let b = before(buf, i, 1);
        if b == b'.' && at(buf, i) == b'.' && at(buf, i + 1) == b'.' {
            return i + 2;
        }
        if is_local(b) {
            i -= 1;
        } else if b >= 0x80 && i >= 2 && is_letter_pair(buf, i - 2) {
            i -= 2;
        } else {
            break;
        }
    }
    i
}

/// The end of the domain that begins at `start`: at least two labels, the last of which begins with two letters.
fn domain_end(buf: &[u8], start: usize) -> Option<usize> {
    let (mut i, mut best, mut labels) = (start, None, 0);
    loop {
        let label = i;
        while i - label < LABEL_MAX {
            if at(buf, i).is_ascii_alphanumeric() || matches!(at(buf, i), b'-' | b'_') {
                i += 1;
            } else if is_letter_pair(buf, i) {
                i += 2;
            } else {
                break;
            }
        }
        if i == label || at(buf, label) == b'-' || i - start > DOMAIN_MAX {
            return best;
        }
        labels += 1;
        if labels >= 2 {
            best = top_level_end(buf, label, i).or(best);
        }
        if at(buf, i) != b'.' {
            return best;
        }
        i += 1;
    }
}

/// Where a top-level domain ends that begins at `label`. Letters may be followed by anything (`…com2`, `…com_old`):
/// what is glued to an address does not make it less of one.
fn top_level_end(buf: &[u8], label: usize, end: usize) -> Option<usize> {
    let text = buf.get(label..end).unwrap_or_default();
    if text.len() > 4 && text.get(..4).is_some_and(|p| p.eq_ignore_ascii_case(b"xn--")) {
        let trimmed = text.iter().rposition(|b| *b != b'-').map_or(0, |i| i + 1);
        return Some(label + trimmed);
    }
    let (mut i, mut letters) = (label, 0);
    while i < end {
        if at(buf, i).is_ascii_alphabetic() {
            i += 1;
        } else if is_letter_pair(buf, i) {
            i += 2;
        } else {
            break;
        }
        letters += 1;
    }
    (letters >= 2).then_some(i)
}
