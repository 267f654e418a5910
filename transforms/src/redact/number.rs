//! Groups of digits, and the kinds that are made of nothing else: payment cards and US social security numbers.

use super::text::{at, before, begins_or_ends, is_digit, label_before, word_at};

/// Groups that are read at most, and digits of one group; a longer one is of no kind.
const GROUPS_MAX: usize = 10;
const DIGITS_MAX: usize = 25;

/// Digits in groups with one separator between two of them: a space, a dash, a dot or a slash.
pub(super) struct Groups {
    start: usize,
    count: usize,
    lens: [u8; GROUPS_MAX],
    /// `seps[i]` stands after group `i`, and a digit follows it; 0 after the last.
    seps: [u8; GROUPS_MAX],
    ends: [usize; GROUPS_MAX],
}

impl Groups {
    /// Reads the groups that begin at `s`, a digit.
    #[inline]
    pub(super) fn parse(buf: &[u8], s: usize) -> Self {
        let mut groups =
            Self { start: s, count: 0, lens: [0; GROUPS_MAX], seps: [0; GROUPS_MAX], ends: [0; GROUPS_MAX] };
        let mut i = s;
        for ((len, sep), end) in groups.lens.iter_mut().zip(&mut groups.seps).zip(&mut groups.ends) {
            while usize::from(*len) < DIGITS_MAX && is_digit(at(buf, i)) {
                *len += 1;
                i += 1;
            }
            *end = i;
            groups.count += 1;
            let b = at(buf, i);
            if !(matches!(b, b' ' | b'-' | b'.' | b'/') && is_digit(at(buf, i + 1))) {
                break;
            }
            *sep = b;
            i += 1;
        }
        groups
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Lengths of the first `n` groups, where there are so many.
    pub(super) fn lens(&self, n: usize) -> &[u8] {
        self.lens.get(..n.min(self.count)).unwrap_or_default()
    }

    /// Separators between the first `n` groups.
    pub(super) fn seps(&self, n: usize) -> &[u8] {
        self.seps.get(..n.saturating_sub(1)).unwrap_or_default()
    }

    /// Digits of the first `n` groups together.
    pub(super) fn total(&self, n: usize) -> usize {
        self.lens(n).iter().map(|l| usize::from(*l)).sum()
    }

    /// Where group `n` (counted from 1) ends.
    pub(super) fn end(&self, n: usize) -> usize {
        n.checked_sub(1).and_then(|i| self.ends.get(i)).copied().unwrap_or(self.start)
    }

    /// The separator after group `n` (counted from 1) if one more group follows it, else 0.
    pub(super) fn sep_after(&self, n: usize) -> u8 {
        n.checked_sub(1).and_then(|i| self.seps.get(i)).copied().unwrap_or(0)
    }
}

/// Whether digits that begin at `s` can be a number of their own, and not the rest of a longer one: a decimal, a
/// UUID, an order number, a path, a price.
pub(super) fn stands_alone(buf: &[u8], s: usize) -> bool {
    let further = before(buf, s, 2);
    match before(buf, s, 1) {
        b'.' | b'-' => !further.is_ascii_alphanumeric(),
        b'/' | b':' => !is_digit(further),
        b'#' | b'$' => false,
        _ => true,
    }
}

/// Whether numbers before or after, with a space between, say that this is a row of numbers.
pub(super) fn in_a_row(buf: &[u8], s: usize, sep_after: u8) -> bool {
    let before_it = before(buf, s, 1) == b' ' && matches!(before(buf, s, 2), b'0'..=b'9' | b'"');
    before_it || sep_after == b' '
}

/// The end of the card number at the start of `groups`, if there is one: 13 to 19 digits, a known issuer, one of the
/// layouts in which cards are written, and Luhn's check digit (ISO/IEC 7812-1).
pub(super) fn card(buf: &[u8], groups: &Groups) -> Option<usize> {
    let s = groups.start;
    if before(buf, s, 1) == b'.' && is_digit(before(buf, s, 2)) {
        return None;
    }
    // The longest first: a card of 19 digits may begin like one of 16.
    (1..=groups.count().min(5)).rev().find_map(|n| {
        let total = groups.total(n);
        let end = groups.end(n);
        let shaped = (13..=19).contains(&total) && is_card_layout(groups.lens(n));
        if !shaped || groups.seps(n).contains(&b'/') || groups.sep_after(n) == b'.' || word_at(buf, end) {
            return None;
        }
        let mut digits = [0_u8; 19];
        let found = buf.get(s..end)?.iter().filter(|b| is_digit(**b));
        digits.iter_mut().zip(found).for_each(|(slot, b)| *slot = b - b'0');
        let digits = digits.get(..total)?;
        (is_issued(digits) && luhn_holds(digits)).then_some(end)
    })
}

fn is_card_layout(lens: &[u8]) -> bool {
    match lens {
        [_] | [4, 6, 4 | 5] | [4, 5, 6] | [4, 3, 3, 3] | [8, 8] | [6, 7..=13] => true,
        [first @ .., last] => first.len() >= 3 && first.iter().all(|l| *l == 4) && *last <= 4,
        [] => false,
    }
}

/// Whether a network issues numbers with these first digits and of this length.
fn is_issued(digits: &[u8]) -> bool {
    let first_six = digits.iter().take(6).fold(0_u32, |n, d| n * 10 + u32::from(*d));
    let length = digits.len();
    match first_six {
        // Visa
        400_000..=499_999 => matches!(length, 13 | 16 | 19),
        // Mastercard
        510_000..=559_999 | 222_100..=272_099 => length == 16,
        // American Express
        340_000..=349_999 | 370_000..=379_999 => length == 15,
        // Diners Club
        300_000..=305_999 | 309_500..=309_599 | 360_000..=369_999 | 380_000..=399_999 => {
            length == 14 || length >= 16
        }
        // JCB
        352_800..=358_999 => length >= 16,
        180_000..=180_099 | 213_100..=213_199 => length == 15,
        // Maestro
        500_000..=509_999 | 560_000..=589_999 | 630_000..=639_999 | 670_000..=679_999 => true,
        // Discover, UnionPay, RuPay and others that begin with 6
        600_000..=699_999 => length >= 16,
        // Mir
        220_000..=220_499 => length >= 16,
        // RuPay, UnionPay, Uzcard, Troy, Humo
        810_000..=829_999 | 860_000..=860_099 | 979_200..=979_299 | 986_000..=986_099 => length == 16,
        _ => false,
    }
}

fn luhn_holds(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| match (i % 2, u32::from(*d)) {
            (0, d) => d,
            (_, d) if d > 4 => 2 * d - 9,
            (_, d) => 2 * d,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The end of the social security number at the start of `groups`, if there is one: `123-45-6789`, the same with
/// spaces, or nine digits after the word SSN. Numbers that begin with 9 (ITIN) count; 000, 666, a middle of 00 and
/// an end of 0000 were never given out.
pub(super) fn ssn(buf: &[u8], groups: &Groups) -> Option<usize> {
    let s = groups.start;
    let (n, spaced) = match (groups.lens(3), groups.seps(3)) {
        ([3, 2, 4], [b'-', b'-']) => (3, false),
        ([3, 2, 4], [b' ', b' ']) => (3, true),
        ([9, ..], _) => {
            let label = label_before(buf, s);
            if !(begins_or_ends(label, b"ssn") || begins_or_ends(label, b"social")) {
                return None;
            }
            (1, false)
        }
        _ => return None,
    };
    let end = groups.end(n);
    let after = groups.sep_after(n);
    if !stands_alone(buf, s)
        || word_at(buf, end)
        || matches!(after, b'-' | b'.' | b'/')
        || (spaced && in_a_row(buf, s, after))
    {
        return None;
    }
    let digits: Vec<u8> = buf.get(s..end)?.iter().copied().filter(u8::is_ascii_digit).collect();
    match digits.as_slice() {
        [b'0', b'0', b'0', ..] | [b'6', b'6', b'6', ..] | [_, _, _, b'0', b'0', ..] => None,
        [.., b'0', b'0', b'0', b'0'] => None,
        _ => Some(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(kind: fn(&[u8], &Groups) -> Option<usize>, text: &str) -> bool {
        kind(text.as_bytes(), &Groups::parse(text.as_bytes(), 0)) == Some(text.len())
    }

    #[test]
    fn cards_of_every_network_and_layout() {
        // Numbers that the networks and payment processors publish for tests.
        for good in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "4222222222222",
            "5555555555554444",
            "5105 1051 0510 5100",
            "2223003122003222",
            "378282246310005",
            "3782 822463 10005",
            "371449635398431",
            "30569309025904",
            "3056 930902 5904",
            "38520000023237",
            "6011111111111117",
            "6011 0009 9013 9424",
            "3530111333300000",
            "3566002020360505",
            "6200000000000005",
            "6304000000000000",
            "6759649826438453",
            "2200000000000004",
            "4111.1111.1111.1111",
            "6205500000000000004",
            "6205 5000 0000 0000 004",
        ] {
            assert!(whole(card, good), "{good}");
        }
    }

    #[test]
    fn what_is_not_a_card() {
        for bad in [
            "4111111111111112",     // check digit
            "1234567890123452",     // Luhn holds, no such issuer
            "41111111111111111111", // 20 digits
            "41 11 11 11 11 11 11 11",
            "4111/1111/1111/1111",
            "1700000000000000",
            "4111111111111111.5",
            "4111111111111111a",
        ] {
            let groups = Groups::parse(bad.as_bytes(), 0);
            assert_eq!(card(bad.as_bytes(), &groups), None, "{bad}");
        }
        let decimal = b"0.4111111111111111";
        assert_eq!(card(decimal, &Groups::parse(decimal, 2)), None);
        let with_date = b"4111 1111 1111 1111 12/27";
        assert_eq!(card(with_date, &Groups::parse(with_date, 0)), Some(19));
    }

    #[test]
    fn rules_of_social_security_numbers() {
        for good in ["123-45-6789", "078-05-1120", "987-65-4321", "123 45 6789"] {
            assert!(whole(ssn, good), "{good}");
        }
        for bad in [
            "000-12-3456",
            "666-12-3456",
            "123-00-4567",
            "123-45-0000",
            "123-45-67890",
            "1234-5-6789",
            "123-456-789",
            "123 45-6789",
            "123456789",
            "123-45-6789-1",
            "123-45-6789.5",
            "123 45 6789 10",
        ] {
            assert!(!whole(ssn, bad), "{bad}");
            assert_ne!(ssn(bad.as_bytes(), &Groups::parse(bad.as_bytes(), 0)), Some(11), "{bad}");
        }
        let named = br#"{"ssn":"123456789"}"#;
        assert_eq!(ssn(named, &Groups::parse(named, 8)), Some(17));
        let order = b"ORD-123-45-6789";
        assert_eq!(ssn(order, &Groups::parse(order, 4)), None);
    }
}
