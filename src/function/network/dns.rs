//! The name server of a sandbox (RFC 1035): it answers the one question of a query, by what is granted. It asks nobody;
//! where a name leads is found out when a connection to it is made.

use std::net::Ipv4Addr;

use crate::catalog::network::is_host_name;

/// Bytes of the longest query that is read.
pub(super) const MAX_QUERY: usize = 1_232;
/// Seconds for which an answer holds.
const TTL: u32 = 30;
const HEADER: usize = 12;
const A: u16 = 1;
const ANY: u16 = 255;
const IN: u16 = 1;

/// How a query is answered (RFC 1035, 4.1.1: RCODE).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    NoError = 0,
    Malformed = 1,
    NoSuchName = 3,
    NotImplemented = 4,
}

/// The question of a query.
#[derive(Debug, PartialEq, Eq)]
struct Question {
    /// In lower case; empty where it is no name of a host.
    name: String,
    kind: u16,
    class: u16,
    /// Where it ends in the query.
    end: usize,
}

fn number(query: &[u8], at: usize) -> Option<u16> {
    let bytes = query.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

/// The question, if there is exactly one and it can be read. What follows it (EDNS) is left unread.
fn question(query: &[u8]) -> Option<Question> {
    if number(query, 4)? != 1 {
        return None;
    }
    let (mut at, mut labels, mut length) = (HEADER, Vec::new(), 0);
    loop {
        // The two high bits would make it a pointer, and there is nothing before it to point at.
        let size = match *query.get(at)? {
            0 => break,
            size @ 1..=63 => usize::from(size),
            _ => return None,
        };
        length += size + 1;
        if length > 254 {
            return None;
        }
        labels.push(query.get(at + 1..at + 1 + size)?);
        at += 1 + size;
    }
    // A dot inside a label is none between labels.
    let plain = labels.iter().all(|label| label.is_ascii() && !label.contains(&b'.'));
    let name = String::from_utf8(labels.join(&b'.')).ok().filter(|_| plain).unwrap_or_default();
    let name = name.to_ascii_lowercase();
    Some(Question {
        name: if is_host_name(&name) { name } else { String::new() },
        kind: number(query, at + 1)?,
        class: number(query, at + 3)?,
        end: at + 5,
    })
}

/// The answer to a query; `None` where it is none that deserves one. `address` says what stands for a name, if it is
/// granted.
pub(super) fn answer(query: &[u8], address: impl FnOnce(&str) -> Option<Ipv4Addr>) -> Option<Vec<u8>> {
    let flags = number(query, 2)?;
    // An answer is not answered, or two servers could go on for ever.
    if query.len() < HEADER || flags & 0x8000 != 0 {
        return None;
    }
    if flags & 0x7800 != 0 {
        return Some(reply(query, None, Code::NotImplemented, None));
    }
    let Some(question) = question(query) else {
        return Some(reply(query, None, Code::Malformed, None));
    };
    if question.class != IN {
        return Some(reply(query, Some(&question), Code::NoSuchName, None));
    }
    match address(&question.name).filter(|_| !question.name.is_empty()) {
        Some(address) => {
            let address = matches!(question.kind, A | ANY).then_some(address);
            Some(reply(query, Some(&question), Code::NoError, address))
        }
        None => Some(reply(query, Some(&question), Code::NoSuchName, None)),
    }
}

fn reply(query: &[u8], question: Option<&Question>, code: Code, address: Option<Ipv4Addr>) -> Vec<u8> {
    let flags = number(query, 2).unwrap_or_default();
    // QR, AA and RA; opcode and RD as they were asked.
    let flags = 0x8480 | (flags & 0x7900) | code as u16;
    let counts = [u16::from(question.is_some()), u16::from(address.is_some()), 0, 0];
    let mut all = query.get(..2).unwrap_or(&[0, 0]).to_vec();
    all.extend(flags.to_be_bytes());
    all.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
    if let Some(question) = question {
        // As it was spelled: some resolvers check that.
        all.extend(query.get(HEADER..question.end).unwrap_or_default());
    }
    if let Some(address) = address {
        // The name is a pointer to the question's.
        all.extend([0xc0, 12]);
        all.extend(A.to_be_bytes());
        all.extend(IN.to_be_bytes());
        all.extend(TTL.to_be_bytes());
        all.extend(4_u16.to_be_bytes());
        all.extend(address.octets());
    }
    all
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A query for one name.
    pub(in super::super) fn query(name: &str, kind: u16) -> Vec<u8> {
        let mut all = vec![0xab, 0xcd, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            all.push(u8::try_from(label.len()).unwrap());
            all.extend(label.as_bytes());
        }
        all.push(0);
        all.extend(kind.to_be_bytes());
        all.extend(IN.to_be_bytes());
        all
    }

    fn granted(name: &str) -> Option<Ipv4Addr> {
        (name == "api.example.com").then_some(Ipv4Addr::new(198, 18, 0, 1))
    }

    fn code(answer: &[u8]) -> u8 {
        answer[3] & 15
    }

    #[test]
    fn a_granted_name_has_one_address_and_others_are_not_there() {
        let asked = query("API.Example.com", A);
        let found = answer(&asked, granted).unwrap();
        assert_eq!(found[..2], [0xab, 0xcd]);
        // An authoritative answer without error; recursion was asked for and is there.
        assert_eq!(found[2..4], [0x85, 0x80]);
        assert_eq!(found[4..12], [0, 1, 0, 1, 0, 0, 0, 0]);
        assert_eq!(found[12..asked.len()], asked[12..], "the question as it was spelled");
        let record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 198, 18, 0, 1];
        assert_eq!(found[asked.len()..], record);

        let none = answer(&query("api.example.com", 28), granted).unwrap();
        assert_eq!((code(&none), &none[4..8]), (0, &[0, 1, 0, 0][..]), "no AAAA, and no error");
        for (name, kind) in [("example.com", A), ("example.com", 28), ("1.0.18.198.in-addr.arpa", 12)] {
            let refused = answer(&query(name, kind), granted).unwrap();
            assert_eq!((code(&refused), &refused[4..8]), (3, &[0, 1, 0, 0][..]), "{name}");
        }
        // EDNS behind the question changes nothing.
        let mut edns = query("api.example.com", A);
        edns[11] = 1;
        edns.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
        assert_eq!(
            answer(&edns, granted).unwrap()[12..],
            answer(&query("api.example.com", A), granted).unwrap()[12..]
        );
    }

    #[test]
    fn what_is_no_query_is_refused_or_dropped() {
        let good = query("api.example.com", A);
        let change = |at: usize, byte: u8| {
            let mut query = good.clone();
            query[at] = byte;
            answer(&query, granted)
        };
        assert_eq!(change(2, 0x80), None, "an answer");
        assert_eq!(code(&change(2, 0x28).unwrap()), 4, "another operation");
        for (at, byte) in [(5, 0), (5, 2), (12, 0xc0), (12, 64), (12, 63)] {
            let refused = change(at, byte).unwrap();
            assert_eq!((code(&refused), refused.len()), (1, HEADER), "{at} {byte}");
        }
        assert_eq!(code(&change(good.len() - 1, 3).unwrap()), 3, "another class");
        for end in 0..HEADER {
            assert_eq!(answer(&good[..end], granted), None);
        }
        for end in HEADER..good.len() {
            assert_eq!(code(&answer(&good[..end], granted).unwrap()), 1);
        }
        // A label with a dot in it is not two labels.
        let mut dotted = query("apixexample.com", A);
        dotted[16] = b'.';
        assert_eq!(code(&answer(&dotted, |_| Some(Ipv4Addr::LOCALHOST)).unwrap()), 3);
        let long = vec!["a".repeat(63); 4].join(".");
        assert_eq!(code(&answer(&query(&long, A), |_| Some(Ipv4Addr::LOCALHOST)).unwrap()), 1);
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..300), plausible in any::<bool>()) {
            let mut bytes = bytes;
            if plausible && bytes.len() > HEADER {
                bytes[2] = 1;
                bytes[4..6].copy_from_slice(&[0, 1]);
            }
            if let Some(answer) = answer(&bytes, |_| Some(Ipv4Addr::LOCALHOST)) {
                prop_assert!(answer.len() >= HEADER && answer.len() <= bytes.len() + 16);
                prop_assert_eq!(&answer[..2], &bytes[..2]);
                prop_assert!(answer[2] & 0x80 != 0);
            }
        }

        #[test]
        fn every_name_of_a_host_is_asked_for(name in "[a-zA-Z][a-zA-Z0-9]{0,20}(\\.[a-zA-Z][a-zA-Z0-9]{0,20}){0,5}") {
            let mut seen = None;
            answer(&query(&name, A), |name| { seen = Some(name.to_owned()); None });
            prop_assert_eq!(seen, Some(name.to_ascii_lowercase()));
        }
    }
}
