//! Choice of a content coding by Accept-Encoding (RFC 9110 section 12.5.3).

use super::Algorithm;

/// Ours in the order in which we prefer them at equal weight: zstd costs least, brotli is smallest, gzip is what
/// everything reads.
const PREFERENCE: [Algorithm; 3] = [Algorithm::Zstd, Algorithm::Brotli, Algorithm::Gzip];

/// The coding to use, or `None` for none: nothing of ours is acceptable, or the caller prefers `identity`.
pub(super) fn choose(accept_encoding: &str) -> Option<Algorithm> {
    let accepted: Vec<(String, u32)> = accept_encoding.split(',').filter_map(parse).collect();
    let weight_of = |name: &str| {
        let stated = accepted.iter().find(|(n, _)| n == name || n.strip_prefix("x-") == Some(name));
        stated.map(|(_, w)| *w)
    };
    let any = weight_of("*");
    let mut best: Option<(u32, Algorithm)> = None;
    for algorithm in PREFERENCE {
        let weight = weight_of(algorithm.coding()).or(any).unwrap_or(0);
        if weight > best.map_or(0, |(w, _)| w) {
            best = Some((weight, algorithm));
        }
    }
    // `identity` that goes unmentioned is acceptable, but never preferred to what the caller did name.
    best.filter(|(weight, _)| *weight >= weight_of("identity").unwrap_or(0)).map(|(_, algorithm)| algorithm)
}

/// One member of the list: its name in lower case and its weight in thousandths. A member that cannot be read is
/// passed over, as if the caller had not sent it.
fn parse(member: &str) -> Option<(String, u32)> {
    let mut parts = member.split(';').map(str::trim);
    let name = parts.next().filter(|n| !n.is_empty())?.to_ascii_lowercase();
    let mut weight = 1000;
    for parameter in parts {
        let (key, value) = parameter.split_once('=')?;
        if key.trim().eq_ignore_ascii_case("q") {
            weight = thousandths(value.trim())?;
        }
    }
    Some((name, weight))
}

/// A qvalue: `0` or `1`, with up to three decimals, at most 1.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: u32 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_wildcards_and_identity() {
        use Algorithm::{Brotli, Gzip, Zstd};
        for (accept, expected) in [
            ("", None),
            ("identity", None),
            ("gzip", Some(Gzip)),
            ("x-gzip", Some(Gzip)),
            ("GZIP", Some(Gzip)),
            ("gzip, deflate, br, zstd", Some(Zstd)),
            ("gzip, deflate, br", Some(Brotli)),
            ("gzip;q=1.0, br;q=0.5", Some(Gzip)),
            ("gzip;q=0", None),
            ("*", Some(Zstd)),
            ("*;q=0.5, zstd;q=0", Some(Brotli)),
            ("*;q=0", None),
            ("identity;q=1, gzip;q=0.5", None),
            ("identity;q=0.5, gzip;q=1", Some(Gzip)),
            ("gzip, identity", Some(Gzip)),
            ("identity;q=0, *", Some(Zstd)),
            ("gzip ; q=0.9 , br ; q=0.8", Some(Gzip)),
            ("gzip;q=2", None),
            ("gzip;q=nonsense, br", Some(Brotli)),
            ("deflate", None),
            (",,;,gzip", Some(Gzip)),
        ] {
            assert_eq!(choose(accept), expected, "{accept:?}");
        }
    }
}
