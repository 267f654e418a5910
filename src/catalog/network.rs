//! What of the network an operator has granted a function: names, addresses and ports.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::policy::Network;

/// Entries of a grant.
pub const MAX_ENTRIES: usize = 100;
/// Characters of a host's name, and of a label of it (RFC 1035).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;
/// Ranges that are wider take in this machine's own addresses without saying so.
const MIN_PREFIX: (u8, u8) = (8, 7);

/// What a function may connect to. Nothing, unless an entry says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct NetworkGrant(Vec<Entry>);

/// `api.example.com:443`, `*.example.com:443`, `*:443`, `10.0.0.0/8:5432`, `[fd00::/8]:5432`.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Entry {
    host: Host,
    port: u16,
}

#[derive(Clone, PartialEq, Eq)]
enum Host {
    /// Every name, and every public address.
    Any,
    /// A name, in lower case.
    Name(String),
    /// All names that end in this, which begins with a dot.
    Below(String),
    /// An address or a range, as it is written.
    Within(String, Network),
}

impl std::hash::Hash for Host {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.to_string().hash(state);
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Name(name) => f.write_str(name),
            Self::Below(suffix) => write!(f, "*{suffix}"),
            Self::Within(text, network) if network.is_v4() => f.write_str(text),
            Self::Within(text, _) => write!(f, "[{text}]"),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a text can be the name of a host: letters, digits, `-` and `_` in labels, the last of which is no number,
/// as resolvers take those for addresses.
#[must_use]
pub fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    let number = last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= MAX_NAME && text.split('.').all(label) && !number
}

impl Entry {
    fn parse(text: &str) -> Result<Self, String> {
        let (host, port) = text.rsplit_once(':').ok_or("it must end in a port: `example.com:443`")?;
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let port: Option<u16> = port.parse().ok().filter(|port| digits && *port != 0);
        let port = port.ok_or("the port must be a number from 1 to 65535")?;
        Ok(Self { host: Host::parse(&host.to_ascii_lowercase())?, port })
    }
}

impl Host {
    fn parse(host: &str) -> Result<Self, String> {
        if host == "*" {
            return Ok(Self::Any);
        }
        if let Some(inner) = host.strip_prefix('[') {
            let inner = inner.strip_suffix(']').filter(|inner| inner.contains(':'));
            return Self::within(
                inner.ok_or("IPv6 is written `[2001:db8::1]:443` or `[2001:db8::/32]:443`")?,
            );
        }
        if host.contains(':') {
            return Err("IPv6 is written in brackets: `[2001:db8::1]:443`".into());
        }
        let number = |byte: u8| byte.is_ascii_digit() || byte == b'.' || byte == b'/';
        if !host.is_empty() && host.bytes().all(number) {
            return Self::within(host);
        }
        if let Some(rest) = host.strip_prefix("*.") {
            return match is_host_name(rest) {
                true => Ok(Self::Below(format!(".{rest}"))),
                false => Err("what follows `*.` must be the name of a host".into()),
            };
        }
        match is_host_name(host) {
            true => Ok(Self::Name(host.to_owned())),
            false => Err(format!(
                "the host must be a name of at most {MAX_NAME} letters, digits, `-`, `_` and dots, `*.` and a name, \
                 `*`, an address or a range"
            )),
        }
    }

    fn within(text: &str) -> Result<Self, String> {
        let network = Network::parse(text).ok_or("the address or range cannot be read")?;
        let address = text.split('/').next().and_then(|address| address.parse::<IpAddr>().ok());
        if address.is_some_and(|address| address != address.to_canonical()) {
            return Err("an address of IPv4 is written as one: `10.0.0.1:443`".into());
        }
        let least = if network.is_v4() { MIN_PREFIX.0 } else { MIN_PREFIX.1 };
        if network.prefix() < least {
            let family = if network.is_v4() { "IPv4" } else { "IPv6" };
            return Err(format!(
                "a range of {family} must be /{least} or narrower; `*` stands for all public addresses"
            ));
        }
        Ok(Self::Within(text.to_owned(), network))
    }
}

impl NetworkGrant {
    /// Reads a grant.
    ///
    /// # Errors
    /// What is wrong, naming the entry and the limit.
    pub fn parse<S: AsRef<str>>(entries: &[S]) -> Result<Self, String> {
        if entries.len() > MAX_ENTRIES {
            return Err(format!("allow has {} entries; {MAX_ENTRIES} are the most", entries.len()));
        }
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        for (number, text) in entries.iter().enumerate() {
            let text = text.as_ref().trim();
            let entry = Entry::parse(text).map_err(|why| {
                let shown: String = text.chars().take(MAX_NAME + 8).collect();
                format!("allow[{number}] {shown:?}: {why}")
            })?;
            if seen.insert(entry.clone()) {
                all.push(entry);
            }
        }
        Ok(Self(all))
    }

    /// Whether nothing is granted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries, as text.
    #[must_use]
    pub fn entries(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// All ports that are granted of anything.
    #[must_use]
    pub fn ports(&self) -> BTreeSet<u16> {
        self.0.iter().map(|entry| entry.port).collect()
    }

    /// Whether an entry names `name`, which is in lower case, at any port or at this one. It says nothing of where the
    /// name leads.
    #[must_use]
    pub fn names(&self, name: &str, port: Option<u16>) -> bool {
        self.0.iter().filter(|entry| port.is_none_or(|port| entry.port == port)).any(|entry| {
            match &entry.host {
                Host::Any => true,
                Host::Name(granted) => granted == name,
                Host::Below(suffix) => name.ends_with(suffix.as_str()) && name.len() > suffix.len(),
                Host::Within(..) => false,
            }
        })
    }

    /// Whether every public address is granted at this port.
    #[must_use]
    pub fn has_any(&self, port: u16) -> bool {
        self.0.iter().any(|entry| entry.port == port && entry.host == Host::Any)
    }

    /// Whether an entry is of this address itself, public or not.
    #[must_use]
    pub fn covers(&self, address: IpAddr, port: u16) -> bool {
        self.0.iter().any(|entry| match &entry.host {
            Host::Within(_, network) => entry.port == port && network.contains(address),
            Host::Any | Host::Name(_) | Host::Below(_) => false,
        })
    }
}

impl TryFrom<Vec<String>> for NetworkGrant {
    type Error = String;

    fn try_from(entries: Vec<String>) -> Result<Self, String> {
        Self::parse(&entries)
    }
}

impl From<NetworkGrant> for Vec<String> {
    fn from(grant: NetworkGrant) -> Self {
        grant.entries()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grant(entries: &[&str]) -> NetworkGrant {
        NetworkGrant::parse(entries).unwrap()
    }

    #[test]
    fn entries_read_back_as_they_were_meant() {
        let all = ["API.example.com:443", "*.example.com:443", "10.0.0.0/8:5432", "[FD00::/8]:5432", "*:443"];
        let read = grant(&[&all[..], &["api.example.com:443", "[2001:db8::1]:80", "1.2.3.4:1"]].concat());
        let shown = [
            "api.example.com:443",
            "*.example.com:443",
            "10.0.0.0/8:5432",
            "[fd00::/8]:5432",
            "*:443",
            "[2001:db8::1]:80",
            "1.2.3.4:1",
        ];
        assert_eq!(read.entries(), shown);
        assert_eq!(read.ports().into_iter().collect::<Vec<_>>(), [1, 80, 443, 5432]);
        let text = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<NetworkGrant>(&text).unwrap(), read);
        assert!(serde_json::from_str::<NetworkGrant>(r#"["nonsense"]"#).is_err());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_limit() {
        for (entry, why) in [
            ("example.com", "end in a port"),
            ("example.com:0", "1 to 65535"),
            ("example.com:65536", "1 to 65535"),
            ("example.com:+1", "1 to 65535"),
            ("example.com:", "1 to 65535"),
            (":443", "the host must be"),
            ("*.:443", "follows `*.`"),
            ("*x.example.com:443", "the host must be"),
            ("exa mple.com:443", "the host must be"),
            ("-a.example.com:443", "the host must be"),
            ("a..b:443", "the host must be"),
            ("ex.com.:443", "the host must be"),
            ("bücher.example:443", "the host must be"),
            ("0x7f.0x1:80", "the host must be"),
            ("a.1:80", "the host must be"),
            ("127.1:80", "cannot be read"),
            ("10.0.0.0/33:443", "cannot be read"),
            ("256.0.0.1:443", "cannot be read"),
            ("0.0.0.0/0:443", "/8 or narrower"),
            ("[::/0]:443", "/7 or narrower"),
            ("::1:443", "in brackets"),
            ("[::1:443", "is written"),
            ("[10.0.0.1]:443", "is written"),
            ("[::ffff:10.0.0.1]:443", "IPv4 is written as one"),
            ("http://example.com:443", "in brackets"),
        ] {
            let said = NetworkGrant::parse(&["a.example:1", entry]).unwrap_err();
            assert!(
                said.contains(why) && said.starts_with(&format!("allow[1] {entry:?}")),
                "{entry}: {said}"
            );
        }
        let long = format!("{}.com:443", "a".repeat(64));
        assert!(NetworkGrant::parse(&[long]).is_err());
        let many: Vec<String> = (1..=101).map(|port| format!("a.example:{port}")).collect();
        let said = NetworkGrant::parse(&many).unwrap_err();
        assert!(said.contains("101 entries; 100 are the most"), "{said}");
        assert!(NetworkGrant::parse(&many[1..]).is_ok());
    }

    #[test]
    fn names_and_addresses_are_matched_with_their_ports() {
        let grant =
            grant(&["api.example.com:443", "*.example.org:443", "10.0.0.0/8:5432", "[fd00::/8]:1", "*:8"]);
        for (name, port) in [("api.example.com", 443), ("a.b.example.org", 443), ("any", 8)] {
            assert!(grant.names(name, Some(port)), "{name}");
        }
        for (name, port) in
            [("example.org", 443), ("xexample.org", 443), ("api.example.com", 80), ("b.api.example.com", 443)]
        {
            assert!(!grant.names(name, Some(port)), "{name}");
            assert!(grant.names(name, None), "`*:8` is of every name");
        }
        for (address, port, covered) in [
            ("10.255.0.1", 5432, true),
            ("10.255.0.1", 5433, false),
            ("11.0.0.1", 5432, false),
            ("::ffff:10.0.0.1", 5432, true),
            ("fdff::1", 1, true),
            ("1.1.1.1", 8, false),
        ] {
            assert_eq!(grant.covers(address.parse().unwrap(), port), covered, "{address}:{port}");
        }
        assert!(grant.has_any(8) && !grant.has_any(443) && NetworkGrant::default().is_empty());
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_the_same(text in "[a-z0-9.*:/\\[\\]_-]{0,24}:[0-9]{1,5}") {
            if let Ok(read) = NetworkGrant::parse(&[&text]) {
                prop_assert_eq!(NetworkGrant::parse(&read.entries()).unwrap(), read);
            }
        }

        #[test]
        fn a_name_never_grants_an_address(name in "[a-z]{1,9}(\\.[a-z]{1,9}){0,3}", bits in any::<u32>(), port in 1_u16..) {
            let grant = NetworkGrant::parse(&[format!("{name}:{port}"), format!("*.{name}:{port}"), format!("*:{port}")]).unwrap();
            prop_assert!(!grant.covers(IpAddr::from(bits.to_be_bytes()), port));
        }

        #[test]
        fn a_range_covers_what_shares_its_prefix(bits in any::<u32>(), other in any::<u32>(), prefix in 8_u8..=32) {
            let ip = |bits: u32| IpAddr::from(bits.to_be_bytes());
            let grant = NetworkGrant::parse(&[format!("{}/{prefix}:7", ip(bits))]).unwrap();
            let same = (bits ^ other).leading_zeros() >= u32::from(prefix);
            prop_assert_eq!(grant.covers(ip(other), 7), same);
        }
    }
}
