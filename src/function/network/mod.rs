//! What functions may connect to beside this server: nothing, but for what an operator has granted them
//! ([`NetworkGrant`]). Whatever runs a function, its connections are made here, by the server.
//!
//! - [`Network`]: checks and connects; `connection`: what is connected, and counted.
//! - [`proxy`]: connections out of a sandbox, whose addresses all lead here; `dns` and `names`: names in there.
//!
//! Names, and `*`, lead to addresses of the public internet alone, and not to one of this machine. Other addresses take
//! an entry of the address or its range. The address that was checked is the one that is connected to.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use crate::catalog::{Catalog, NetworkGrant};
use crate::notification::address::is_public;
use crate::telemetry::Metrics;
use crate::telemetry::egress::{Egress, Reached};

mod connection;
mod dns;
mod names;
pub mod proxy;

pub use connection::Connection;

/// Longest time to look a name up, to connect in all, and to one address.
const LOOKUP: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(10);
const ATTEMPT: Duration = Duration::from_secs(4);
/// Names that are looked up at a time: each takes a thread.
const LOOKUPS: usize = 16;
/// Addresses of a name that are tried.
const ADDRESSES: usize = 8;
/// Connections of all functions: one takes two of the files that this process may have open, and half are left alone.
const MOST: usize = 4_096;
/// Time between two looks at whether an open connection is still granted.
const RECHECK: Duration = Duration::from_secs(1);

/// Looks a name up. Blocks.
type Lookup = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// Connects functions to what they were granted.
#[derive(Clone)]
pub struct Network(Arc<Inner>);

struct Inner {
    catalog: Arc<dyn Catalog>,
    metrics: Arc<Metrics>,
    lookup: Box<Lookup>,
    lookups: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("places", &self.0.places).finish_non_exhaustive()
    }
}

/// Where a function wants to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Name or address.
    pub host: Host,
    /// Port.
    pub port: u16,
}

/// The host of a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A name, in lower case.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl From<SocketAddr> for Destination {
    fn from(address: SocketAddr) -> Self {
        Self { host: Host::Address(address.ip().to_canonical()), port: address.port() }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Name(name) => write!(f, "{name}:{}", self.port),
            Host::Address(address) => fmt::Display::fmt(&SocketAddr::new(*address, self.port), f),
        }
    }
}

/// Why a function is not connected.
#[derive(Debug, thiserror::Error)]
pub enum NoConnection {
    /// No entry of its grant says so.
    #[error("it is not granted")]
    NotGranted,
    /// The name is granted, and leads elsewhere than to the public internet.
    #[error("it leads to {0}, which is not public, and no entry is of that address")]
    Private(IpAddr),
    /// The name leads nowhere.
    #[error("the name cannot be looked up: {0}")]
    Unresolved(io::Error),
    /// Nobody answers there.
    #[error("{0}")]
    Unreachable(io::Error),
    /// It took too long.
    #[error("it took too long")]
    Timeout,
    /// Functions have as many connections as they may.
    #[error("functions have too many connections at a time")]
    TooMany,
}

impl NoConnection {
    fn outcome(&self) -> Reached {
        match self {
            Self::NotGranted | Self::Private(_) => Reached::Refused,
            Self::Unresolved(_) | Self::Unreachable(_) | Self::Timeout | Self::TooMany => Reached::Failed,
        }
    }
}

fn system_lookup(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

/// Whether an address is of this machine: a socket can be bound to it.
fn is_own(address: IpAddr) -> bool {
    let binds = |address: IpAddr| UdpSocket::bind((address, 0)).is_ok();
    // Of class E, and for documentation: nobody has them. Where they can be bound as well (`ip_nonlocal_bind`), it is
    // where the kernel would send from that tells.
    let nobodys: IpAddr =
        if address.is_ipv4() { [240, 0, 0, 1].into() } else { [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into() };
    binds(address) && (!binds(nobodys) || comes_from_itself(address))
}

/// Whether what is sent to an address has it as its source. Nothing is sent.
fn comes_from_itself(address: IpAddr) -> bool {
    let any: IpAddr = if address.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    let source = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((address, 9))?;
        socket.local_addr()
    });
    source.is_ok_and(|source| source.ip() == address)
}

fn is_one_host(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !(address.is_unspecified() || address.is_multicast() || broadcast)
}

/// Whether a grant is of this address, reached by this destination.
fn is_granted(grant: &NetworkGrant, to: &Destination, address: IpAddr) -> bool {
    let covered = is_one_host(address) && grant.covers(address, to.port);
    match &to.host {
        Host::Name(name) => grant.names(name, Some(to.port)) && (covered || is_public(address)),
        Host::Address(_) => covered || (grant.has_any(to.port) && is_public(address)),
    }
}

impl Network {
    /// By the grants in the catalog and the resolver of this machine.
    #[must_use]
    pub fn new(catalog: Arc<dyn Catalog>, metrics: Arc<Metrics>) -> Self {
        Self::with_lookup(catalog, metrics, system_lookup)
    }

    /// With another resolver.
    pub fn with_lookup(
        catalog: Arc<dyn Catalog>,
        metrics: Arc<Metrics>,
        lookup: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
    ) -> Self {
        let files = getrlimit(Resource::Nofile).current.and_then(|files| usize::try_from(files).ok());
        let most = files.map_or(MOST, |files| (files / 4).min(MOST));
        Self(Arc::new(Inner {
            catalog,
            metrics,
            lookup: Box::new(lookup),
            lookups: Arc::new(Semaphore::new(LOOKUPS)),
            places: Arc::new(Semaphore::new(most)),
        }))
    }

    /// What a function is granted now.
    #[must_use]
    pub fn grant(&self, function: &str) -> Arc<NetworkGrant> {
        let view = self.0.catalog.snapshot();
        view.functions.get(function).map(|function| Arc::clone(&function.network)).unwrap_or_default()
    }

    /// Connects a function.
    ///
    /// # Errors
    /// [`NoConnection`].
    pub async fn connect(&self, function: &str, to: &Destination) -> Result<Connection, NoConnection> {
        let connected = self.check_and_connect(function, to).await;
        let (outcome, why) = match &connected {
            Ok(_) => (Reached::Connected, String::new()),
            Err(error) => (error.outcome(), error.to_string()),
        };
        let destination = to.to_string();
        Egress { function, destination: &destination, outcome, why: &why }.emit(&self.0.metrics);
        connected
    }

    async fn check_and_connect(&self, function: &str, to: &Destination) -> Result<Connection, NoConnection> {
        let grant = self.grant(function);
        let found = match &to.host {
            Host::Name(name) if !grant.names(name, Some(to.port)) => return Err(NoConnection::NotGranted),
            Host::Name(name) => self.resolve(name).await?,
            Host::Address(address) => vec![*address],
        };
        let may = |address: &IpAddr| {
            is_granted(&grant, to, *address) && (grant.covers(*address, to.port) || !is_own(*address))
        };
        let mut allowed = found.iter().copied().filter(may).take(ADDRESSES).peekable();
        if allowed.peek().is_none() {
            return Err(match (&to.host, found.first()) {
                (Host::Name(_), Some(address)) => NoConnection::Private(*address),
                _ => NoConnection::NotGranted,
            });
        }
        let place = Arc::clone(&self.0.places).try_acquire_owned().map_err(|_| NoConnection::TooMany)?;
        let (stream, address) = dial(allowed, to.port).await?;
        Ok(Connection::new(stream, address, self.0.metrics.egress.bytes(function), place))
    }

    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, NoConnection> {
        let deadline = Instant::now() + LOOKUP;
        let turn = timeout_at(deadline, Arc::clone(&self.0.lookups).acquire_owned()).await;
        let turn: OwnedSemaphorePermit =
            turn.map_err(|_| NoConnection::Timeout)?.map_err(|_| NoConnection::TooMany)?;
        let (inner, name) = (Arc::clone(&self.0), name.to_owned());
        let looking = tokio::task::spawn_blocking(move || {
            let found = (inner.lookup)(&name);
            // It is the thread's, which may be at it for longer than anybody waits.
            drop(turn);
            found
        });
        let found = timeout_at(deadline, looking).await.map_err(|_| NoConnection::Timeout)?;
        let found = found.map_err(io::Error::other).and_then(|found| found);
        let found = found.map_err(NoConnection::Unresolved)?;
        if found.is_empty() {
            return Err(NoConnection::Unresolved(io::ErrorKind::NotFound.into()));
        }
        Ok(found.into_iter().map(|address| address.to_canonical()).collect())
    }

    /// Waits until a function's connection is not granted any more.
    pub async fn revoked(&self, function: &str, to: &Destination, address: IpAddr) {
        let mut last = None;
        loop {
            tokio::time::sleep(RECHECK).await;
            let now = self.grant(function);
            // The one that it was connected by is not known here.
            if last.as_ref().is_none_or(|last| !Arc::ptr_eq(last, &now)) && !is_granted(&now, to, address) {
                return;
            }
            last = Some(now);
        }
    }
}

/// Connects to the first of these that answers.
async fn dial(
    addresses: impl Iterator<Item = IpAddr>,
    port: u16,
) -> Result<(TcpStream, IpAddr), NoConnection> {
    let deadline = Instant::now() + CONNECT;
    let mut why = NoConnection::Timeout;
    for address in addresses {
        let left = deadline.saturating_duration_since(Instant::now());
        match timeout(left.min(ATTEMPT), TcpStream::connect((address, port))).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true).map_err(NoConnection::Unreachable)?;
                return Ok((stream, address));
            }
            Ok(Err(error)) => why = NoConnection::Unreachable(error),
            Err(_) => why = NoConnection::Timeout,
        }
    }
    Err(why)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::HashMap;
    use std::net::TcpListener;

    use super::*;
    use crate::catalog::{Change, Function, FunctionKind, MemoryCatalog};

    /// Grants a function, which is there from now on.
    pub(crate) async fn grant(catalog: &Arc<dyn Catalog>, function: &str, entries: &[&str]) {
        let function = Function {
            name: function.to_owned(),
            kind: FunctionKind::Builtin { transform: "identity".into(), payload: serde_json::json!({}) },
            created: jiff::Timestamp::UNIX_EPOCH,
            updated: jiff::Timestamp::UNIX_EPOCH,
            revision: 1,
            description: String::new(),
            network: Arc::new(NetworkGrant::parse(entries).unwrap()),
        };
        catalog.update(Box::new(|_| Ok(vec![Change::PutFunction(function)]))).await.unwrap();
    }

    /// A network whose names are these.
    pub(crate) fn network(names: &[(&str, &[&str])]) -> (Network, Arc<dyn Catalog>, Arc<Metrics>) {
        let names: HashMap<String, Vec<IpAddr>> = names
            .iter()
            .map(|(name, all)| ((*name).to_owned(), all.iter().map(|one| one.parse().unwrap()).collect()))
            .collect();
        let catalog: Arc<dyn Catalog> = Arc::new(MemoryCatalog::default());
        let metrics = Arc::new(Metrics::default());
        let lookup = move |name: &str| names.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into());
        (Network::with_lookup(Arc::clone(&catalog), Arc::clone(&metrics), lookup), catalog, metrics)
    }

    pub(crate) fn to(host: &str, port: u16) -> Destination {
        let host = host.parse().map_or_else(|_| Host::Name(host.to_owned()), Host::Address);
        Destination { host, port }
    }

    fn granted(entries: &[&str], host: &str, port: u16, address: &str) -> bool {
        is_granted(&NetworkGrant::parse(entries).unwrap(), &to(host, port), address.parse().unwrap())
    }

    #[test]
    fn names_and_stars_lead_to_public_addresses_only() {
        let private = [
            "127.0.0.1",
            "10.0.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
        ];
        for address in private.into_iter().chain(["0.0.0.0", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]) {
            for entries in [["*:443", "a.example:443"], ["*.example:443", "*:443"]] {
                assert!(!granted(&entries, address, 443, address), "{address}");
                assert!(!granted(&entries, "a.example", 443, address), "{address} by name");
            }
        }
        for address in private {
            let entry =
                if address.contains(':') { format!("[{address}]:443") } else { format!("{address}:443") };
            let entries = ["a.example:443", &entry];
            assert!(granted(&entries, address, 443, address), "{address} says so");
            assert!(granted(&entries, "a.example", 443, address), "{address} says so");
            assert!(!granted(&entries, "b.example", 443, address), "the name is not granted");
            assert!(!granted(&entries, address, 80, address), "another port");
        }
        assert!(
            granted(&["*:443"], "1.1.1.1", 443, "1.1.1.1")
                && granted(&["*:443"], "b.example", 443, "1.1.1.1")
        );
        assert!(granted(&["a.example:443"], "a.example", 443, "2606:4700::1111"));
        assert!(
            !granted(&["a.example:443"], "1.1.1.1", 443, "1.1.1.1"),
            "by its address, a name's is not granted"
        );
        // Addresses of more than one host, or of whichever: those the kernel reads otherwise.
        assert!(!granted(&["0.0.0.0/8:1", "224.0.0.0/8:1"], "0.0.0.0", 1, "0.0.0.0"));
        assert!(!granted(&["224.0.0.0/8:1"], "224.0.0.1", 1, "224.0.0.1"));
        assert!(!granted(&["255.0.0.0/8:1"], "255.255.255.255", 1, "255.255.255.255"));
    }

    #[test]
    fn the_addresses_of_this_machine_are_its_own() {
        for own in ["127.0.0.1", "127.9.9.9"] {
            assert!(is_own(own.parse().unwrap()), "{own}");
        }
        for other in ["203.0.113.9", "2001:db8::9"] {
            assert!(!is_own(other.parse().unwrap()), "{other}");
        }
        assert!(comes_from_itself("127.0.0.1".parse().unwrap()));
        assert!(!comes_from_itself("203.0.113.9".parse().unwrap()));
    }

    #[tokio::test]
    async fn only_what_is_granted_is_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (network, catalog, metrics) = network(&[
            ("db.example", &["127.0.0.1"]),
            ("both.example", &["10.255.255.1", "127.0.0.1"]),
            ("meta.example", &["169.254.169.254"]),
        ]);
        let why = async |host: &str| match network.connect("f", &to(host, port)).await {
            Ok(connection) => format!("connected to {}", connection.address()),
            Err(error) => error.to_string(),
        };
        assert_eq!(why("127.0.0.1").await, "it is not granted", "no grant, no network");
        grant(&catalog, "f", &[&format!("127.0.0.1/32:{port}"), &format!("*.example:{port}")]).await;
        for host in ["127.0.0.1", "db.example", "both.example"] {
            assert_eq!(why(host).await, "connected to 127.0.0.1", "{host}");
        }
        assert!(why("meta.example").await.starts_with("it leads to 169.254.169.254"));
        assert!(why("none.example").await.starts_with("the name cannot be looked up"));
        for host in ["127.0.0.2", "example", "1.1.1.1"] {
            assert_eq!(why(host).await, "it is not granted", "{host}");
        }
        assert!(network.connect("g", &to("127.0.0.1", port)).await.is_err(), "another function");
        // Another grant holds at once.
        grant(&catalog, "f", &[&format!("*:{port}")]).await;
        assert_eq!(why("127.0.0.1").await, "it is not granted");
        assert!(why("db.example").await.starts_with("it leads to 127.0.0.1"));
        let text = metrics.render();
        for (outcome, count) in [("connected", 3), ("refused", 7), ("failed", 1)] {
            let line =
                format!("refract_function_connections_total{{function=\"f\",outcome=\"{outcome}\"}} {count}");
            assert!(text.contains(&line), "{line}\n{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_revoked_with_its_grant() {
        let (network, catalog, _) = network(&[]);
        grant(&catalog, "f", &["10.0.0.1:1"]).await;
        let (to, address) = (to("10.0.0.1", 1), "10.0.0.1".parse().unwrap());
        let revoked = network.revoked("f", &to, address);
        tokio::pin!(revoked);
        assert!(timeout(Duration::from_secs(60), &mut revoked).await.is_err());
        grant(&catalog, "f", &["10.0.0.0/8:1"]).await;
        assert!(timeout(Duration::from_secs(60), &mut revoked).await.is_err(), "it is granted otherwise");
        grant(&catalog, "f", &["10.0.0.0/8:2"]).await;
        assert!(timeout(2 * RECHECK, &mut revoked).await.is_ok());
    }
}
