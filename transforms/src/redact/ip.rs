//! IPv4 and IPv6 addresses in text (RFC 4291 section 2.2 for the forms of the latter).

use super::text::{at, before, is_digit, is_word, label_before, word_at};

/// Words after which four numbers with dots are a version.
const VERSION_WORDS: [&[u8]; 7] = [b"version", b"ver", b"v", b"release", b"rev", b"revision", b"build"];

/// The end of the IPv4 address that begins at `s`, the beginning of a word, if one does.
pub(super) fn ipv4(buf: &[u8], s: usize) -> Option<usize> {
    let end = dotted_quad(buf, s)?;
    let next = at(buf, end);
    if word_at(buf, end) || (next == b'.' && is_digit(at(buf, end + 1))) {
        return None;
    }
    let previous = before(buf, s, 1);
    if previous == b'.' && is_digit(before(buf, s, 2)) {
        return None;
    }
    (!is_version(buf, s)).then_some(end)
}

/// Four numbers up to 255 with dots between.
fn dotted_quad(buf: &[u8], s: usize) -> Option<usize> {
    let mut i = s;
    for octet in 0..4 {
        if octet > 0 {
            if at(buf, i) != b'.' {
                return None;
            }
            i += 1;
        }
        let (start, mut value) = (i, 0_u32);
        while i - start < 4 && is_digit(at(buf, i)) {
            value = value * 10 + u32::from(at(buf, i) - b'0');
            i += 1;
        }
        if i == start || i - start > 3 || value > 255 {
            return None;
        }
    }
    Some(i)
}

/// Whether what stands before says that four numbers are a version: `Chrome/124.0.0.0`, `version 1.2.3.4`.
fn is_version(buf: &[u8], s: usize) -> bool {
    if before(buf, s, 1) == b'/' {
        let mut start = s - 1;
        while s - start < 32 && start > 0 && (is_word(before(buf, start, 1)) || before(buf, start, 1) == b'-')
        {
            start -= 1;
        }
        // Product tokens of user agents begin with a capital; the segments of a path seldom do.
        return at(buf, start).is_ascii_uppercase() && before(buf, start, 1) != b'/';
    }
    let label = label_before(buf, s);
    VERSION_WORDS.iter().any(|w| label.eq_ignore_ascii_case(w))
}

/// The end of the IPv6 address that begins at `s`, if one does. `s` is the beginning of a word, or a colon with
/// neither a word nor a colon before it.
pub(super) fn ipv6(buf: &[u8], s: usize) -> Option<usize> {
    if before(buf, s, 1) == b':' && hex_group_before(buf, s - 1) {
        return None;
    }
    let (mut i, mut end, mut groups, mut gap, mut digit) = (s, s, 0, false, false);
    if at(buf, i) == b':' {
        if at(buf, i + 1) != b':' {
            return None;
        }
        gap = true;
        i += 2;
    }
    loop {
        let start = i;
        while i - start < 5 && at(buf, i).is_ascii_hexdigit() {
            digit |= is_digit(at(buf, i));
            i += 1;
        }
        if i == start {
            break;
        }
        if at(buf, i) == b'.'
            && groups <= 6
            && (gap || groups == 6)
            && let Some(tail) = dotted_quad(buf, start)
        {
            (groups, end) = (groups + 2, tail);
            break;
        }
        if i - start > 4 || word_at(buf, i) {
            return None;
        }
        groups += 1;
        end = i;
        if groups == 8 || at(buf, i) != b':' {
            break;
        }
        if at(buf, i + 1) == b':' {
            if gap {
                break;
            }
            gap = true;
            i += 2;
            end = i;
        } else if at(buf, i + 1).is_ascii_hexdigit() {
            i += 1;
        } else {
            break;
        }
    }
    let complete = if gap { groups <= 7 } else { groups == 8 };
    // Of short forms with a gap, `12::`, `ad::be` and `::` are more likely something else.
    let plausible = (at(buf, s) == b':' && groups > 0) || groups >= 3 || (groups == 2 && digit);
    let next = at(buf, end);
    let continues = word_at(buf, end)
        || (next == b':' && (at(buf, end + 1) == b':' || at(buf, end + 1).is_ascii_hexdigit()))
        || (next == b'.' && is_digit(at(buf, end + 1)));
    (complete && plausible && !continues).then_some(end)
}

/// Whether one to four hexadecimal digits and nothing more of a word end right before `i`: then the colon at `i` is
/// inside of something like a time or an address. After any other word (`client:2001:db8::1`) it is a separator.
fn hex_group_before(buf: &[u8], i: usize) -> bool {
    if before(buf, i, 1) == b':' {
        return true;
    }
    let mut start = i;
    while i - start < 5 && start > 0 && is_word(before(buf, start, 1)) {
        start -= 1;
    }
    let word = buf.get(start..i).unwrap_or_default();
    (1..=4).contains(&word.len()) && word.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole4(text: &str) -> bool {
        ipv4(text.as_bytes(), 0) == Some(text.len())
    }

    fn whole6(text: &str) -> bool {
        ipv6(text.as_bytes(), 0) == Some(text.len())
    }

    #[test]
    fn ranges_and_edges_of_ipv4() {
        for good in ["192.0.2.1", "0.0.0.0", "255.255.255.255", "198.51.100.200"] {
            assert!(whole4(good), "{good}");
        }
        for bad in ["256.0.2.1", "192.0.2", "1.2.3.4.5", "1.2.3.4a", "1..2.3", "1.2.3.0004", "124.0.6099.109"]
        {
            assert_eq!(ipv4(bad.as_bytes(), 0), None, "{bad}");
        }
        assert_eq!(ipv4(b"192.0.2.1. Next", 0), Some(9));
        for (text, s) in
            [("Chrome/124.0.0.0", 7), ("version 1.2.3.4", 8), ("v: 1.2.3.4", 3), ("0.1.2.3.4", 2)]
        {
            assert_eq!(ipv4(text.as_bytes(), s), None, "{text}");
        }
        for (text, s) in [("http://10.0.0.1/", 7), ("proxy/10.0.0.1", 6), ("//Host/10.0.0.1", 7)] {
            assert!(ipv4(text.as_bytes(), s).is_some(), "{text}");
        }
    }

    #[test]
    fn forms_of_ipv6() {
        for good in [
            "2001:db8::1",
            "2001:0db8:0000:0000:0000:ff00:0042:8329",
            "::1",
            "::ffff:192.0.2.128",
            "64:ff9b::192.0.2.33",
            "fe80::1ff:fe23:4567:890a",
            "2001:db8::",
            "1:2:3:4:5:6:192.0.2.1",
            "2001:DB8:0:0:8:800:200C:417A",
            "::2:3:4:5:6:7:8",
        ] {
            assert!(whole6(good), "{good}");
        }
        for bad in [
            "10:15:30",
            "00:1a:2b:3c:4d:5e",
            "1:2:3:4:5:6:7:8:9",
            "2001:db8::1::2",
            "12345::1",
            "::",
            "12::",
            "ad::be",
            "2001:db8::g",
            "::1g",
            "1:2:3:4:5:6:7",
        ] {
            assert_eq!(ipv6(bad.as_bytes(), 0), None, "{bad}");
        }
        assert_eq!(ipv6(b"2001:db8::1: up", 0), Some(11));
        assert_eq!(ipv6(b"client:2001:db8::1", 7), Some(18));
        assert_eq!(ipv6(b"10:15:30::1", 3), None);
    }
}
