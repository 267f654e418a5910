//! One pass over text that finds the next match of any built-in kind.
//!
//! A match begins at the beginning of a word or at one of a few signs; at each such place every recogniser whose
//! first bytes fit is asked, and the longest answer wins. A recogniser that refuses costs nothing that lies after:
//! the pass goes on right behind the place, so that another kind, or a later match inside, is still found. The
//! recognisers are pure functions of at most [`BEHIND`](super::text::BEHIND) bytes before and [`AHEAD`] bytes after.

use super::email::{self, AtSigns};
use super::kind::{Kind, Kinds};
use super::number::{Groups, card, ssn};
use super::text::{at, before, inside_escape, is_letter_pair, skip_word, word_before};
use super::{iban, ip, phone};

/// Bytes from the beginning of a match on that decide about it; those of an e-mail address are the most.
pub(super) const AHEAD: usize = email::AHEAD;

/// What a byte may begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Nothing,
    Word,
    /// The first byte of a letter of two bytes, if the second fits.
    Pair,
    Sign,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Nothing; 256];
    let mut b = 0_u8;
    loop {
        classes[b as usize] = match b {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' => Class::Word,
            0xc3..=0xd4 => Class::Pair,
            b'+' | b'%' | b'(' | b':' => Class::Sign,
            _ => Class::Nothing,
        };
        if b == 255 {
            break classes;
        }
        b += 1;
    }
};

/// A pass over one buffer. Positions are asked for in ascending order.
pub(super) struct Finder<'a> {
    buf: &'a [u8],
    kinds: Kinds,
    signs: AtSigns,
}

impl<'a> Finder<'a> {
    pub(super) fn new(buf: &'a [u8], kinds: Kinds) -> Self {
        Self { buf, kinds, signs: AtSigns::new() }
    }

    /// The first match that begins at `from` or later and before `limit`: its range and kind.
    pub(super) fn next(&mut self, from: usize, limit: usize) -> Option<(usize, usize, Kind)> {
        if self.kinds.is_empty() {
            return None;
        }
        let buf = self.buf;
        let mut p = from;
        while p < limit {
            let class = CLASSES.get(usize::from(at(buf, p))).copied().unwrap_or(Class::Nothing);
            let found = match class {
                Class::Nothing => {
                    p += 1;
                    continue;
                }
                Class::Pair if !is_letter_pair(buf, p) => {
                    p += 1;
                    continue;
                }
                Class::Word | Class::Pair => {
                    let inside = word_before(buf, p);
                    if (inside || before(buf, p, 1) == b'\\')
                        && let Some(end) = inside_escape(buf, p)
                    {
                        p = end;
                        continue;
                    }
                    if inside { None } else { self.at_word(p) }
                }
                Class::Sign => self.at_sign(p),
            };
            if let Some((end, kind)) = found {
                return Some((p, end, kind));
            }
            p = if class == Class::Sign { p + 1 } else { skip_word(buf, p) };
        }
        None
    }

    /// The longest match that begins at `s`, the beginning of a word.
    #[inline]
    fn at_word(&mut self, s: usize) -> Option<(usize, Kind)> {
        let (buf, kinds) = (self.buf, self.kinds);
        let mut best: Option<(usize, Kind)> = None;
        let mut offer = |end: Option<usize>, kind: Kind| {
            if let Some(end) = end
                && best.is_none_or(|(longest, _)| end > longest)
            {
                best = Some((end, kind));
            }
        };
        if kinds.has(Kind::Email) {
            offer(self.signs.address(buf, s), Kind::Email);
        }
        let first = at(buf, s);
        if first.is_ascii_digit() {
            let groups = Groups::parse(buf, s);
            if kinds.has(Kind::Ipv4) && groups.seps(2).first() == Some(&b'.') {
                offer(ip::ipv4(buf, s), Kind::Ipv4);
            }
            if groups.total(groups.count()) >= 7 {
                if kinds.has(Kind::Card) {
                    offer(card(buf, &groups), Kind::Card);
                }
                if kinds.has(Kind::Ssn) {
                    offer(ssn(buf, &groups), Kind::Ssn);
                }
                if kinds.has(Kind::Phone) {
                    offer(phone::national(buf, s, &groups), Kind::Phone);
                }
            }
        } else if kinds.has(Kind::Iban) {
            offer(iban::iban(buf, s), Kind::Iban);
        }
        if kinds.has(Kind::Ipv6) && first.is_ascii_hexdigit() && (1..=4).any(|i| at(buf, s + i) == b':') {
            offer(ip::ipv6(buf, s), Kind::Ipv6);
        }
        best
    }

    /// The match that begins at `s`, a sign.
    fn at_sign(&self, s: usize) -> Option<(usize, Kind)> {
        let buf = self.buf;
        match at(buf, s) {
            b'(' if self.kinds.has(Kind::Phone) => Some((phone::bracketed(buf, s)?, Kind::Phone)),
            b'+' | b'%' if self.kinds.has(Kind::Phone) && !word_before(buf, s) => {
                Some((phone::with_plus(buf, s)?, Kind::Phone))
            }
            b':' if self.kinds.has(Kind::Ipv6)
                && at(buf, s + 1) == b':'
                && before(buf, s, 1) != b':'
                && !word_before(buf, s) =>
            {
                Some((ip::ipv6(buf, s)?, Kind::Ipv6))
            }
            _ => None,
        }
    }
}
