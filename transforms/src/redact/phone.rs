//! Telephone numbers: international with `+` or `00`, and the national forms that their separators give away.
//!
//! Bare digits are a telephone number only after a word that says so (`tel`, `phone`, `mobile`, …): else every
//! order number would be one.

use super::number::{Groups, in_a_row, stands_alone};
use super::text::{at, before, begins_or_ends, is_digit, label_before, word_at};

/// Digits of an international number without its prefix (ITU-T E.164).
const E164_MAX: usize = 15;

/// Shortest national part that is taken for a number. Shorter ones exist in a few small countries.
const NATIONAL_MIN: usize = 7;

/// The end of the number that begins at `s`, if one does: `+`, or `%2B` as in a URL, then country code and number.
pub(super) fn with_plus(buf: &[u8], s: usize) -> Option<usize> {
    let digits = match [at(buf, s), at(buf, s + 1), at(buf, s + 2)] {
        [b'+', ..] => s + 1,
        [b'%', b'2', b'B' | b'b'] => s + 3,
        _ => return None,
    };
    if before(buf, s, 1) == b'+' {
        return None;
    }
    international(buf, digits).map(|(end, _)| end)
}

/// The end of the number in national form, or with `00`, at the start of `groups`, if there is one.
pub(super) fn national(buf: &[u8], s: usize, groups: &Groups) -> Option<usize> {
    if groups.total(groups.count()) < NATIONAL_MIN {
        return None;
    }
    let [a, b, c] = [at(buf, s), at(buf, s + 1), at(buf, s + 2)];
    if a == b'0' && b == b'0' {
        if !matches!(c, b'1'..=b'9') || !stands_alone(buf, s) || is_in_fours(buf, s, groups) {
            return None;
        }
        let (end, single) = international(buf, s + 2)?;
        // Eleven digits after 00 that begin with 1 are as likely an order number with zeros before it.
        return (c != b'1' || !single || is_labelled(buf, s)).then_some(end);
    }
    let n = match (groups.lens(4), groups.seps(4)) {
        ([1, 3, 3, 4], [x, y, z]) if a == b'1' && *y == *z && *x != b'/' && is_north_american(buf, s + 2) => {
            4
        }
        ([3, 3, 4, ..], [b'-' | b' ' | b'/', b'-', ..] | [b'.', b'.', ..]) => 3,
        ([3, 3, 4, ..], [b' ', b' ', ..]) if is_north_american(buf, s) => 3,
        // Mobile numbers of China.
        ([3, 4, 4, ..], [x, y, ..]) if a == b'1' && matches!(b, b'3'..=b'9') && x == y && *x != b'/' => 3,
        _ if a == b'0' && !is_in_fours(buf, s, groups) => trunk_groups(groups)?,
        ([7..=15], _) if is_labelled(buf, s) => 1,
        ([3, 4], _) if is_labelled(buf, s) => 2,
        _ => return None,
    };
    let after = groups.sep_after(n);
    let spaced = groups.seps(n).iter().all(|sep| *sep == b' ') && n > 1;
    if (!stands_alone(buf, s) && !is_labelled(buf, s))
        || matches!(after, b'-' | b'.')
        || (spaced && a != b'0' && in_a_row(buf, s, after))
    {
        return None;
    }
    ended(buf, groups.end(n))
}

/// How many groups make a number with the trunk prefix 0, as in most of the world: `030 1234567`,
/// `020 7946 0018`, `01 23 45 67 89`, `03-1234-5678`.
fn trunk_groups(groups: &Groups) -> Option<usize> {
    let fits = |n: &usize| {
        let seps = groups.seps(*n);
        let same = seps.windows(2).all(|pair| pair.first() == pair.last());
        match groups.lens(*n) {
            [2, 2, 2, 2, 2] | [2, 4, 4] => same,
            [3..=6, rest @ ..] => {
                (9..=12).contains(&groups.total(*n))
                    && rest.iter().all(|l| (2..=8).contains(l))
                    && (*n > 2 || seps != [b'.'])
            }
            _ => false,
        }
    };
    (2..=groups.count().min(5)).rev().find(fits)
}

/// The end of the number that begins at `s` with an area code in brackets: `(415) 555-0132`, `(030) 1234567`,
/// `(11) 91234-5678`.
pub(super) fn bracketed(buf: &[u8], s: usize) -> Option<usize> {
    let area = s + 1;
    let length = (0..6).take_while(|i| is_digit(at(buf, area + i))).count();
    if !(2..=5).contains(&length) || at(buf, area + length) != b')' {
        return None;
    }
    let mut i = area + length + 1;
    if matches!(at(buf, i), b' ' | b'-') {
        i += 1;
    }
    if !is_digit(at(buf, i)) {
        return None;
    }
    let groups = Groups::parse(buf, i);
    let n = match (length, groups.lens(2), groups.seps(2)) {
        (3, [3, 4], [b'-' | b' ' | b'.']) => 2,
        (3, [7, ..], _) => 1,
        (2, [4 | 5, 4], [b'-' | b' ']) => 2,
        _ if at(buf, area) == b'0' => (1..=groups.count().min(4)).rev().find(|n| {
            (8..=12).contains(&(length + groups.total(*n)))
                && groups.lens(*n).iter().all(|l| (2..=8).contains(l))
        })?,
        _ => return None,
    };
    if matches!(groups.sep_after(n), b'-' | b'.') {
        return None;
    }
    ended(buf, groups.end(n))
}

/// The end of what begins at `start` with a country code, and whether it is one group without separators.
fn international(buf: &[u8], start: usize) -> Option<(usize, bool)> {
    let first = run(buf, start);
    if first == 0 || first > E164_MAX {
        return None;
    }
    let code = CountryCode::of(buf.get(start..start + first)?)?;
    let (mut total, mut end, mut single) = (first, start + first, true);
    while let Some(group) = next_group(buf, end) {
        let counted = if group.trunk { 0 } else { group.digits };
        // A dash ties more closely than a space, after which another number may begin.
        let most = if group.tight && code.length > 1 { E164_MAX } else { code.length + code.national_max };
        if total + counted > most {
            break;
        }
        (total, end, single) = (total + counted, group.end, false);
    }
    let national = total.checked_sub(code.length)?;
    let enough = if code.is_one { national == 10 } else { national >= NATIONAL_MIN };
    if !enough || total > E164_MAX {
        return None;
    }
    Some((ended(buf, end)?, single))
}

/// Digits in a row from `i`, counted to 16.
fn run(buf: &[u8], i: usize) -> usize {
    (0..=E164_MAX).take_while(|k| is_digit(at(buf, i + k))).count()
}

struct Group {
    digits: usize,
    end: usize,
    /// Whether it is `(0)`: the trunk prefix, not dialled from abroad.
    trunk: bool,
    /// Whether a dash, dot or slash, and no space, stands before it.
    tight: bool,
}

/// The group of digits after `i`, with what stands between: ` `, `-`, `.`, `/`, or brackets around an area code.
fn next_group(buf: &[u8], i: usize) -> Option<Group> {
    let mut j = i;
    // "(+49) 30 …" closes a bracket that stands before the number.
    if at(buf, j) == b')' {
        j += 1;
    }
    let separator = at(buf, j);
    if matches!(separator, b' ' | b'-' | b'.' | b'/') {
        j += 1;
    }
    if at(buf, j) == b'(' {
        let digits = run(buf, j + 1);
        let close = j + 1 + digits;
        let goes_on = is_digit(at(buf, close + 1))
            || (matches!(at(buf, close + 1), b' ' | b'-') && is_digit(at(buf, close + 2)));
        let trunk = digits == 1 && at(buf, j + 1) == b'0';
        return ((1..=5).contains(&digits) && at(buf, close) == b')' && goes_on).then_some(Group {
            digits,
            end: close + 1,
            trunk,
            tight: false,
        });
    }
    let digits = run(buf, j);
    // After a closing bracket digits may follow at once; elsewhere a separator must stand between.
    let divided = j > i || before(buf, i, 1) == b')';
    (digits > 0 && divided).then_some(Group {
        digits,
        end: j + digits,
        trunk: false,
        tight: separator != b' ',
    })
}

/// The end of a number whose digits end at `end`, with its extension (`x123`, `ext. 123`) if it has one; `None` when
/// it runs into a word.
fn ended(buf: &[u8], end: usize) -> Option<usize> {
    let mut i = end;
    if at(buf, i) == b' ' {
        i += 1;
    }
    let word = match [at(buf, i), at(buf, i + 1), at(buf, i + 2)].map(|b| b.to_ascii_lowercase()) {
        [b'e', b'x', b't'] => 3,
        [b'x', ..] => 1,
        _ => 0,
    };
    if word > 0 {
        i += word;
        for optional in [b'.', b' '] {
            i += usize::from(at(buf, i) == optional);
        }
        let digits = run(buf, i);
        if (1..=6).contains(&digits) && !word_at(buf, i + digits) {
            return Some(i + digits);
        }
    }
    (!word_at(buf, end)).then_some(end)
}

/// Whether a group of four at `s` follows another by a space: so cards and IBANs are written, and a number that began
/// in the middle of one would hide that it is one.
fn is_in_fours(buf: &[u8], s: usize, groups: &Groups) -> bool {
    groups.lens(1) == [4]
        && before(buf, s, 1) == b' '
        && (2..=5).all(|i| before(buf, s, i).is_ascii_alphanumeric())
        && !before(buf, s, 6).is_ascii_alphanumeric()
}

/// Whether ten digits, in groups of 3, 3 and 4, have an area code that can be assigned (not N11, N9X, nor 200, 300
/// or 400: North American Numbering Plan, area code assignment guidelines) and an exchange that begins with 2 to 9.
fn is_north_american(buf: &[u8], s: usize) -> bool {
    let area = match [at(buf, s), at(buf, s + 1), at(buf, s + 2)] {
        [b'2'..=b'4', b'0', b'0'] | [_, b'1', b'1'] | [_, b'9', _] => false,
        [first, ..] => matches!(first, b'2'..=b'9'),
    };
    area && matches!(at(buf, s + 4), b'2'..=b'9')
}

fn is_labelled(buf: &[u8], s: usize) -> bool {
    const WHOLE: [&[u8]; 7] = [b"tel", b"cell", b"call", b"sms", b"whatsapp", b"mobil", b"handy"];
    const PART: [&[u8]; 4] = [b"phone", b"mobile", b"telefon", b"fax"];
    let label = label_before(buf, s);
    !label.is_empty()
        && (WHOLE.iter().any(|w| label.eq_ignore_ascii_case(w))
            || PART.iter().any(|p| begins_or_ends(label, p)))
}

/// A country calling code (ITU-T E.164 annex).
struct CountryCode {
    /// Its number of digits.
    length: usize,
    /// Digits that the national part may have at most, as far as numbers in use go.
    national_max: usize,
    /// Whether it is 1, North America, where the national part always has ten digits.
    is_one: bool,
}

impl CountryCode {
    /// The code with which `digits` begin. Codes are prefix-free, so there is one at most.
    fn of(digits: &[u8]) -> Option<Self> {
        let value = |n: usize| {
            let code = digits.get(..n)?;
            Some(code.iter().fold(0_u16, |v, b| v * 10 + u16::from(b.wrapping_sub(b'0'))))
        };
        let code = |length, national_max| Some(Self { length, national_max, is_one: false });
        match value(1)? {
            1 => return Some(Self { length: 1, national_max: 10, is_one: true }),
            7 => return code(1, 10),
            _ => {}
        }
        let two = match value(2)? {
            45 | 47 | 53 | 65 => 8,
            27 | 31..=34 | 36 | 40 | 41 | 46 | 48 | 51 | 56 | 61 | 66 | 93 | 94 => 9,
            20 | 30 | 44 | 52 | 57 | 58 | 60 | 63 | 64 | 81 | 84 | 90..=92 | 95 | 98 => 10,
            39 | 43 | 49 | 54 | 55 | 82 | 86 => 11,
            62 => 12,
            _ => 0,
        };
        if two > 0 {
            return code(2, two);
        }
        let three = match value(3)? {
            354 | 423 | 960 => 7,
            216
            | 356
            | 357
            | 370..=374
            | 382
            | 383
            | 386
            | 387
            | 389
            | 852
            | 853
            | 961
            | 965
            | 968
            | 973..=976 => 8,
            234 | 378 | 856 | 880 | 964 | 977 => 10,
            358 => 11,
            211..=213 | 218 | 220..=233 | 235..=258 | 260..=269 | 290 | 291 | 297..=299 => 9,
            350..=353 | 355 | 359 | 375..=377 | 380 | 381 | 385 | 420 | 421 => 9,
            500..=509 | 590..=599 | 670 | 672..=683 | 685..=692 | 800 | 808 | 850 | 855 | 870 | 878 => 9,
            881..=883 | 886 | 888 | 962 | 963 | 966 | 967 | 970..=972 | 979 | 992..=996 | 998 => 9,
            _ => 0,
        };
        if three > 0 { code(3, three) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_of(text: &str) -> Option<usize> {
        let buf = text.as_bytes();
        match at(buf, 0) {
            b'+' | b'%' => with_plus(buf, 0),
            b'(' => bracketed(buf, 0),
            _ => national(buf, 0, &Groups::parse(buf, 0)),
        }
    }

    #[test]
    fn international_forms() {
        for good in [
            "+14155550132",
            "+1 415 555 0132",
            "+1 (415) 555-0132",
            "+1-415-555-0132",
            "+1.415.555.0132",
            "+49 30 1234567",
            "+49 (0)30 1234567",
            "+49 (0) 30 1234567",
            "+49301234567",
            "+49-30-1234567",
            "+49 30 123 45 67",
            "+44 20 7946 0018",
            "+44 7700 900123",
            "+33 1 23 45 67 89",
            "+39 06 1234 5678",
            "+380 44 123 45 67",
            "+90 212 123 45 67",
            "+55 11 91234-5678",
            "+86 138 1234 5678",
            "+91 98765 43210",
            "+351 912 345 678",
            "+47 22 12 34 56",
            "+65 6123 4567",
            "+358 40 123 4567",
            "+61 412 345 678",
            "+7 495 123-45-67",
            "+1 415-555-0132 ext. 123",
            "+1 415-555-0132x12",
            "%2B14155550132",
            "00442079460018",
            "0044 20 7946 0018",
            "001 415 555 0132",
            "0049/30/1234567",
        ] {
            assert_eq!(end_of(good), Some(good.len()), "{good}");
        }
    }

    #[test]
    fn national_forms() {
        for good in [
            "(415) 555-0132",
            "(415)555-0132",
            "(415) 5550132",
            "415-555-0132",
            "415.555.0132",
            "415 555 0132",
            "415 555-0132",
            "123-456-7890",
            "1-415-555-0132",
            "1 415 555 0132",
            "030 1234567",
            "030/1234567",
            "0171-1234567",
            "020 7946 0018",
            "01632 960123",
            "01 23 45 67 89",
            "01.23.45.67.89",
            "(030) 1234567",
            "(020) 7946 0018",
            "(11) 91234-5678",
            "03-1234-5678",
            "0412 345 678",
            "138-1234-5678",
        ] {
            assert_eq!(end_of(good), Some(good.len()), "{good}");
        }
    }

    #[test]
    fn what_is_not_a_number() {
        for bad in [
            "2024-01-15",
            "2024-01-15 10:15:30",
            "15.01.2024",
            "01.02.2024 10:15",
            "12/31/2024",
            "1700000000",
            "1700000000000",
            "4155550132",
            "3.14159265358979",
            "0.0112345678",
            "52.520008",
            "1.234.567.890",
            "200 512 1024 77",
            "123-456-78901",
            "415-555-0132-99",
            "415-555-0132.5",
            "555-0132",
            "+1234567",
            "+0 415 555 0132",
            "+1 415 555",
            "+99912345678",
            "(2024) 1234567",
            "0012345678901",
            "000012345678",
            "1.20.300.4000",
            "+12 hours",
            "020-1",
            "415-555-0132abc",
        ] {
            assert_eq!(end_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_number_ends_where_the_next_begins() {
        assert_eq!(end_of("+49 30 1234567 2024-01-15"), Some(14));
        assert_eq!(end_of("+1 415 555 0132 2024"), Some(15));
        assert_eq!(end_of("020 7946 0018 2024"), Some(13));
        assert_eq!(end_of("415-555-0132 2024"), Some(12));
    }

    #[test]
    fn a_label_makes_bare_digits_a_number() {
        for (text, s) in [
            (r#"{"phone": "4155550132"}"#, 11),
            ("tel: 5550132", 5),
            ("work_phone=4155550132", 11),
            ("Tel.415-555-0132", 4),
            ("call 555-0132", 5),
        ] {
            let buf = text.as_bytes();
            assert!(national(buf, s, &Groups::parse(buf, s)).is_some(), "{text}");
        }
        for (text, s) in [("order=4155550132", 6), ("cancelled: 4155550132", 11)] {
            let buf = text.as_bytes();
            assert_eq!(national(buf, s, &Groups::parse(buf, s)), None, "{text}");
        }
    }
}
