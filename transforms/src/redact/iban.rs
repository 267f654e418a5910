//! IBANs (ISO 13616): country, length and mod-97 checksum; with single spaces or dashes between groups of four.

use super::text::{at, word_at};

/// Length of each country's IBAN, from the SWIFT registry.
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// The end of the IBAN that begins at `s`, the beginning of a word, if one does. Letters may be of either case.
#[inline]
pub(super) fn iban(buf: &[u8], s: usize) -> Option<usize> {
    // Nearly every word fails here.
    if !(at(buf, s + 2).is_ascii_digit()
        && at(buf, s + 3).is_ascii_digit()
        && at(buf, s).is_ascii_alphabetic()
        && at(buf, s + 1).is_ascii_alphabetic())
    {
        return None;
    }
    let country = [at(buf, s).to_ascii_uppercase(), at(buf, s + 1).to_ascii_uppercase()];
    let index = LENGTHS.binary_search_by(|(c, _)| (*c).cmp(&country)).ok()?;
    let length = LENGTHS.get(index)?.1;
    let mut text = [0_u8; 34];
    let mut i = s;
    for (n, slot) in text.iter_mut().take(length).enumerate() {
        if n > 0 && n % 4 == 0 && matches!(at(buf, i), b' ' | b'-') {
            i += 1;
        }
        let b = at(buf, i);
        if !b.is_ascii_alphanumeric() {
            return None;
        }
        *slot = b.to_ascii_uppercase();
        i += 1;
    }
    (!word_at(buf, i) && checksum_holds(text.get(..length)?)).then_some(i)
}

/// ISO 7064 mod 97-10 over the text with its first four characters moved to the end, letters as 10 to 35.
fn checksum_holds(text: &[u8]) -> bool {
    let (start, rest) = text.split_at(text.len().min(4));
    let mut remainder: u32 = 0;
    for &b in rest.iter().chain(start) {
        remainder = match b {
            b'0'..=b'9' => remainder * 10 + u32::from(b - b'0'),
            _ => remainder * 100 + u32::from(b.saturating_sub(b'A')) + 10,
        } % 97;
    }
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(LENGTHS.is_sorted());
    }

    #[test]
    fn checksum_length_and_spacing() {
        let whole = |text: &str| iban(text.as_bytes(), 0) == Some(text.len());
        for good in [
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "de89-3704-0044-0532-0130-00",
            "GB82 WEST 1234 5698 7654 32",
            "FR1420041010050500013M02606",
            "NL91ABNA0417164300",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
            "CH93 0076 2011 6238 5295 7",
        ] {
            assert!(whole(good), "{good}");
        }
        for bad in [
            "DE89370400440532013001",       // checksum
            "DE8937040044053201300",        // too short
            "DE893704004405320130000",      // too long
            "ZZ89370400440532013000",       // no such country
            "DE89  3704 0044 0532 0130 00", // two spaces
            "DE893 704 0044 0532 0130 00",  // a group of five
        ] {
            assert_eq!(iban(bad.as_bytes(), 0), None, "{bad}");
        }
        assert_eq!(iban(b"DE89 3704 0044 0532 0130 00 and", 0), Some(27));
    }
}
