//! Where a request came from and how it was signed: what only the server knows, and no header can say.

use std::net::IpAddr;

use http::HeaderMap;
use jiff::Timestamp;

use super::operand::Network;
use crate::server::Connection;

/// How a request was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// `REST-HEADER`, `REST-QUERY-STRING` or `POST`.
    pub auth_type: &'static str,
    /// `AWS4-HMAC-SHA256` or `AWS`.
    pub version: &'static str,
    /// When, where the signature says so.
    pub at: Option<Timestamp>,
}

/// Where a request came from, as an extension of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client: the other end of the connection, or whom a trusted proxy names.
    pub client: Option<IpAddr>,
    /// Whether the client's connection is encrypted.
    pub secure: bool,
    /// The version of TLS: `1.3`.
    pub tls_version: Option<&'static str>,
    /// How it was signed; nothing for an anonymous request.
    pub signed: Option<Signed>,
}

impl Origin {
    /// Of a connection. Only proxies in `trusted` may say for whom they speak: of `X-Forwarded-For`, the right-most
    /// address that is not one of theirs counts, for all before it is the client's own word.
    #[must_use]
    pub fn of(connection: Option<&Connection>, headers: &HeaderMap, trusted: &[Network]) -> Self {
        let Some(connection) = connection else { return Self::default() };
        let peer = connection.peer.ip().to_canonical();
        let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
        let mut origin = Self {
            client: Some(peer),
            secure: connection.tls.is_some(),
            tls_version: connection.tls.map(|tls| tls.version.trim_start_matches("TLSv")),
            signed: None,
        };
        // A function comes from the machine itself, as a proxy on it does, and speaks for nobody.
        if connection.from_function || !is_trusted(peer) {
            return origin;
        }
        let named: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .map(|value| value.to_str().unwrap_or("?"))
            .flat_map(|value| value.split(','))
            .collect();
        for text in named.into_iter().rev() {
            // What no proxy of ours would write ends the chain, and nobody is known.
            let Some(address) = address(text) else {
                origin.client = None;
                break;
            };
            origin.client = Some(address);
            if !is_trusted(address) {
                break;
            }
        }
        let scheme = headers.get_all("x-forwarded-proto").iter().next_back();
        if let Some(scheme) = scheme.and_then(|scheme| scheme.to_str().ok()) {
            let last = scheme.rsplit(',').next().unwrap_or_default().trim();
            origin.secure = last.eq_ignore_ascii_case("https");
            // Which version it was, no proxy says.
            origin.tls_version = None;
        }
        origin
    }
}

/// An address as proxies write it: with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let plain = text.parse().ok();
    let with_port = || text.parse().ok().map(|socket: std::net::SocketAddr| socket.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    plain.or_else(with_port).or_else(bracketed).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, trusted: &[&str], headers: &[(&'static str, &str)]) -> (Option<String>, bool) {
        let connection =
            Connection { peer: format!("{peer}:1").parse().unwrap(), tls: None, from_function: false };
        let trusted: Vec<Network> = trusted.iter().map(|text| Network::parse(text).unwrap()).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let origin = Origin::of(Some(&connection), &map, &trusted);
        (origin.client.map(|address| address.to_string()), origin.secure)
    }

    #[test]
    fn only_a_trusted_proxy_names_the_client() {
        let spoofed = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https")];
        let ip = |text: &str| Some(text.to_owned());
        assert_eq!(client("9.9.9.9", &[], &spoofed), (ip("9.9.9.9"), false));
        assert_eq!(client("9.9.9.9", &["10.0.0.0/8"], &spoofed), (ip("9.9.9.9"), false));
        assert_eq!(client("10.0.0.1", &["10.0.0.0/8"], &spoofed), (ip("1.1.1.1"), true));
        assert_eq!(client("10.0.0.1", &["10.0.0.0/8"], &[]), (ip("10.0.0.1"), false));
        for (value, expected) in [
            ("1.1.1.1, 2.2.2.2, 10.0.0.7", ip("2.2.2.2")),
            ("1.1.1.1,[2001:db8::1]:443", ip("2001:db8::1")),
            ("1.1.1.1, 2.2.2.2:80", ip("2.2.2.2")),
            ("10.0.0.9", ip("10.0.0.9")),
            ("1.1.1.1, unknown", None),
            ("1.1.1.1, unknown, 10.0.0.7", None),
        ] {
            assert_eq!(client("10.0.0.1", &["10.0.0.0/8"], &[("x-forwarded-for", value)]).0, expected);
        }
        let two = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2")];
        assert_eq!(client("10.0.0.1", &["10.0.0.0/8"], &two).0, ip("2.2.2.2"));
    }
}
