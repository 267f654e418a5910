//! Bytes as the recognisers see them: words, their edges, escapes, and the word that stands before a value.
//!
//! Every function here is a pure function of the bytes around a position, never more than [`BEHIND`] of them before
//! it. That is what makes the answer independent of how the input was cut.

/// Bytes before a position that a recogniser may look at.
pub(super) const BEHIND: usize = 64;

/// The byte at `i`, or 0, which no recogniser takes for a part of anything, outside the buffer.
#[inline]
pub(super) fn at(buf: &[u8], i: usize) -> u8 {
    buf.get(i).copied().unwrap_or(0)
}

/// The byte `back` bytes before `i`, or 0.
#[inline]
pub(super) fn before(buf: &[u8], i: usize, back: usize) -> u8 {
    i.checked_sub(back).map_or(0, |i| at(buf, i))
}

#[inline]
pub(super) fn is_digit(b: u8) -> bool {
    b.is_ascii_digit()
}

/// Letters, digits and the underscore.
#[inline]
pub(super) fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

/// Whether a two-byte UTF-8 letter of Latin, Greek, Cyrillic or Armenian script begins at `i`: U+00C0 to U+052F
/// without the signs × and ÷. These scripts put spaces between words, so that such a letter is a part of the word
/// beside it; of Chinese or Japanese text that does not hold.
#[inline]
pub(super) fn is_letter_pair(buf: &[u8], i: usize) -> bool {
    let (a, b) = (at(buf, i), at(buf, i + 1));
    matches!(a, 0xc3..=0xd4) && matches!(b, 0x80..=0xbf) && !(a == 0xc3 && matches!(b, 0x97 | 0xb7))
}

/// Whether a word character ends right before `i`. An escape of JSON (`\n`, `\u00a0`) is not one, although it ends
/// in a letter or digit.
#[inline]
pub(super) fn word_before(buf: &[u8], i: usize) -> bool {
    let b = before(buf, i, 1);
    if is_word(b) {
        return !escape_ends_at(buf, i);
    }
    b >= 0x80 && i >= 2 && is_letter_pair(buf, i - 2)
}

/// Whether a word character begins at `i`.
#[inline]
pub(super) fn word_at(buf: &[u8], i: usize) -> bool {
    is_word(at(buf, i)) || is_letter_pair(buf, i)
}

#[inline]
fn is_escape_letter(b: u8) -> bool {
    matches!(b, b'n' | b't' | b'r' | b'b' | b'f')
}

fn is_unicode_escape(buf: &[u8], i: usize) -> bool {
    at(buf, i) == b'\\' && at(buf, i + 1) == b'u' && (2..6).all(|k| at(buf, i + k).is_ascii_hexdigit())
}

fn escape_ends_at(buf: &[u8], i: usize) -> bool {
    (before(buf, i, 2) == b'\\' && is_escape_letter(before(buf, i, 1)))
        || (i >= 6 && before(buf, i, 6) == b'\\' && is_unicode_escape(buf, i - 6))
}

/// Where the escape ends that `i` is inside of (after its backslash), if it is.
#[inline]
pub(super) fn inside_escape(buf: &[u8], i: usize) -> Option<usize> {
    if before(buf, i, 1) == b'\\' && is_escape_letter(at(buf, i)) {
        return Some(i + 1);
    }
    let start = (1..=5).find(|&k| before(buf, i, k) == b'\\').map(|k| i - k)?;
    is_unicode_escape(buf, start).then_some(start + 6)
}

/// The end of the word that `i` is in.
#[inline]
pub(super) fn skip_word(buf: &[u8], mut i: usize) -> usize {
    loop {
        let b = at(buf, i);
        if is_word(b) {
            i += 1;
        } else if b >= 0x80 && is_letter_pair(buf, i) {
            i += 2;
        } else {
            return i;
        }
    }
}

/// The word that names what stands at `i`: in `"phone": "415…`, `tel. 415…` or `phone_number=415…` the identifier
/// before up to four bytes of punctuation. Empty when there is none.
pub(super) fn label_before(buf: &[u8], i: usize) -> &[u8] {
    const LONGEST: usize = 24;
    let mut end = i;
    while i - end < 4 && matches!(before(buf, end, 1), b' ' | b'"' | b'\'' | b':' | b'=' | b'.' | b'#') {
        end -= 1;
    }
    if end == i {
        return &[];
    }
    let mut start = end;
    while end - start < LONGEST && is_word(before(buf, start, 1)) {
        start -= 1;
    }
    buf.get(start..end).unwrap_or_default()
}

/// Whether `word` is `part`, begins with it or ends in it, in either case of letters.
pub(super) fn begins_or_ends(word: &[u8], part: &[u8]) -> bool {
    let first = word.get(..part.len());
    let last = word.len().checked_sub(part.len()).and_then(|i| word.get(i..));
    [first, last].into_iter().flatten().any(|w| w.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_edges_of_words() {
        let buf = br"a\n1\u00a02b";
        assert!(!word_before(buf, 3) && word_before(buf, 4) && !word_before(buf, 10) && word_before(buf, 11));
        assert_eq!(inside_escape(buf, 2), Some(3));
        for i in 5..10 {
            assert_eq!(inside_escape(buf, i), Some(10), "{i}");
        }
        assert_eq!(inside_escape(buf, 4), None);
        assert_eq!(inside_escape(buf, 10), None);
    }

    #[test]
    fn labels_are_read_through_punctuation() {
        assert_eq!(label_before(br#"{"home_Phone": "4"#, 16), b"home_Phone");
        assert_eq!(label_before(b"tel. 4", 5), b"tel");
        assert_eq!(label_before(b"tel4", 3), b"");
        assert_eq!(label_before(b"x, 4", 3), b"");
    }

    #[test]
    fn letters_beyond_ascii_belong_to_words_and_signs_do_not() {
        assert!(word_at("é".as_bytes(), 0) && word_at("ж".as_bytes(), 0));
        assert!(!word_at("×".as_bytes(), 0) && !word_at("語".as_bytes(), 0) && !word_at(b"\xff\x80", 0));
    }
}
