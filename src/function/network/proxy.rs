//! The way out of one worker's sandbox. In there every address is the sandbox's own, so that a connection to any of
//! them comes to the listener of its port, and what it was meant for is the address that it was accepted at.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::names::Names;
use super::{Destination, Host, Network, dns};

/// Connections of one worker.
const MOST: usize = 256;
/// Pause after a failure that is of this machine.
const PAUSE: Duration = Duration::from_millis(20);

/// One worker.
#[derive(Debug)]
struct Worker {
    network: Network,
    function: String,
    names: Names,
    places: Arc<Semaphore>,
}

/// Serves the listeners and the name server of a worker's sandbox, until this is dropped, and its connections with it.
pub async fn serve(
    network: Network,
    function: String,
    listeners: Vec<TcpListener>,
    queries: Option<UdpSocket>,
) {
    serve_names(network, function, listeners, queries, Names::default()).await;
}

async fn serve_names(
    network: Network,
    function: String,
    listeners: Vec<TcpListener>,
    queries: Option<UdpSocket>,
    names: Names,
) {
    let worker = Arc::new(Worker { network, function, names, places: Arc::new(Semaphore::new(MOST)) });
    let mut all = JoinSet::new();
    for listener in listeners {
        all.spawn(accept(listener, Arc::clone(&worker)));
    }
    if let Some(queries) = queries {
        all.spawn(answer(queries, worker));
    }
    while all.join_next().await.is_some() {}
}

async fn accept(listener: TcpListener, worker: Arc<Worker>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => match Arc::clone(&worker.places).try_acquire_owned() {
                Ok(place) => {
                    let worker = Arc::clone(&worker);
                    connections.spawn(async move {
                        worker.carry(stream).await;
                        drop(place);
                    });
                }
                Err(_) => reset(&stream),
            },
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Answers queries for names.
async fn answer(socket: UdpSocket, worker: Arc<Worker>) {
    let mut buffer = vec![0; dns::MAX_QUERY];
    loop {
        let Ok((size, from)) = socket.recv_from(&mut buffer).await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let grant = worker.network.grant(&worker.function);
        let address = |name: &str| grant.names(name, None).then(|| worker.names.address(name));
        if let Some(reply) = dns::answer(buffer.get(..size).unwrap_or_default(), address) {
            // Whoever does not get it asks again.
            drop(socket.send_to(&reply, from).await);
        }
    }
}

/// Has a connection end as one that is refused.
fn reset(stream: &TcpStream) {
    if let Err(error) = set_socket_linger(stream, Some(Duration::ZERO)) {
        tracing::debug!(%error, "a connection of a function is closed rather than reset");
    }
}

impl Worker {
    /// What a connection was meant for.
    fn destination(&self, accepted: SocketAddr) -> Destination {
        let to = Destination::from(accepted);
        let named = match to.host {
            Host::Address(IpAddr::V4(address)) => self.names.name(address),
            Host::Address(IpAddr::V6(_)) | Host::Name(_) => None,
        };
        named.map_or(to, |name| Destination { host: Host::Name(name), port: accepted.port() })
    }

    /// Connects a connection out of the sandbox, and passes bytes on until both sides have ended.
    async fn carry(&self, mut inner: TcpStream) {
        let Ok(accepted) = inner.local_addr() else { return reset(&inner) };
        let to = self.destination(accepted);
        let Ok(mut outer) = self.network.connect(&self.function, &to).await else { return reset(&inner) };
        if inner.set_nodelay(true).is_err() {
            return reset(&inner);
        }
        let address = outer.address();
        let whole = tokio::select! {
            copied = copy_bidirectional(&mut inner, &mut outer) => copied.is_ok(),
            () = self.network.revoked(&self.function, &to, address) => false,
        };
        if !whole {
            reset(&inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::timeout;

    use super::super::tests::{grant, network};
    use super::*;

    /// Answers each connection, once it has ended its half, with what it said and the port that it came to.
    async fn upstream() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut said = String::new();
                    stream.read_to_string(&mut said).await.unwrap();
                    stream.write_all(format!("{said} to you").as_bytes()).await.unwrap();
                });
            }
        });
        port
    }

    async fn said(address: (Ipv4Addr, u16)) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"hello").await?;
        stream.shutdown().await?;
        let mut answer = String::new();
        timeout(Duration::from_secs(20), stream.read_to_string(&mut answer)).await.unwrap()?;
        Ok(answer)
    }

    /// The address of a name, by the name server at `port`.
    async fn address(port: u16, name: &str) -> Option<Ipv4Addr> {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(("127.0.0.1", port)).await.unwrap();
        let query = dns::tests::query(name, 1);
        socket.send(&query).await.unwrap();
        let mut answer = [0; 512];
        let size = timeout(Duration::from_secs(20), socket.recv(&mut answer)).await.unwrap().unwrap();
        let record = answer[..size].get(query.len()..size).filter(|record| record.len() == 16)?;
        Some(Ipv4Addr::new(record[12], record[13], record[14], record[15]))
    }

    #[tokio::test]
    async fn a_name_is_reached_by_the_address_that_stands_for_it() {
        let port = upstream().await;
        let names: [(&str, &[&str]); 2] = [("api.example", &["127.0.0.1"]), ("inside.test", &["127.0.0.1"])];
        let (network, catalog, metrics) = network(&names);
        let local = format!("127.0.0.1/32:{port}");
        grant(&catalog, "f", &[&local, &format!("api.example:{port}")]).await;
        // All of 127.0.0.0/8 is this machine's, as every address is in a sandbox.
        let listener = TcpListener::bind(("127.18.0.1", port)).await.unwrap();
        let other = TcpListener::bind(("127.18.0.2", port)).await.unwrap();
        let queries = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let names_at = queries.local_addr().unwrap().port();
        let names = Names::within(Ipv4Addr::new(127, 18, 0, 0));
        let serving =
            tokio::spawn(serve_names(network, "f".into(), vec![listener, other], Some(queries), names));

        assert_eq!(address(names_at, "inside.test").await, None, "it is not granted");
        let api = address(names_at, "API.example").await.unwrap();
        assert_eq!(said((api, port)).await.unwrap(), "hello to you", "and half of it was closed first");
        // The other address stands for nothing yet, and is none that is granted.
        let second = Ipv4Addr::new(127, 18, 0, 2);
        assert!(said((second, port)).await.is_err());
        let text = metrics.render();
        for line in [
            "refract_function_network_bytes_total{function=\"f\",direction=\"out\"} 5",
            "refract_function_network_bytes_total{function=\"f\",direction=\"in\"} 12",
            "refract_function_connections_total{function=\"f\",outcome=\"refused\"} 1",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }

        // A name that is granted, and leads to where no entry leads any more.
        grant(&catalog, "f", &[&format!("*:{port}")]).await;
        assert!(said((api, port)).await.is_err());
        assert_eq!(address(names_at, "inside.test").await, Some(second));
        assert!(said((second, port)).await.is_err());
        grant(&catalog, "f", &[&format!("*:{port}"), &local]).await;
        assert_eq!(said((second, port)).await.unwrap(), "hello to you");

        // An open connection ends with its grant, and all of them with the worker.
        let mut open = TcpStream::connect((api, port)).await.unwrap();
        open.write_all(b"hel").await.unwrap();
        assert!(timeout(Duration::from_millis(1_500), open.read_u8()).await.is_err(), "it stays open");
        grant(&catalog, "f", &[]).await;
        assert!(timeout(Duration::from_secs(20), open.read_u8()).await.unwrap().is_err());
        grant(&catalog, "f", &[&format!("*:{port}"), &local]).await;
        let mut open = TcpStream::connect((api, port)).await.unwrap();
        open.write_all(b"hel").await.unwrap();
        serving.abort();
        let ended = timeout(Duration::from_secs(20), open.read(&mut [0; 8])).await.unwrap();
        assert!(!matches!(ended, Ok(size) if size > 0), "{ended:?}");
        assert!(TcpStream::connect((api, port)).await.is_err());
    }

    #[tokio::test]
    async fn a_worker_has_so_many_connections_and_no_more() {
        let (network, catalog, metrics) = network(&[]);
        // The way out leads to itself until there is no place; the one that is refused then has all the others end.
        let listener = TcpListener::bind(("127.19.0.1", 0)).await.unwrap();
        let at = listener.local_addr().unwrap().port();
        grant(&catalog, "f", &[&format!("127.19.0.1:{at}")]).await;
        let serving = tokio::spawn(serve(network, "f".into(), vec![listener], None));
        let mut open = TcpStream::connect(("127.19.0.1", at)).await.unwrap();
        let ended = timeout(Duration::from_secs(30), open.read(&mut [0; 8])).await.unwrap();
        assert!(!matches!(ended, Ok(size) if size > 0), "{ended:?}");
        serving.abort();
        let text = metrics.render();
        // The last one may have ended before it was seen to be there.
        let asked = text.lines().filter(|line| line.starts_with("refract_function_connections_total{"));
        let asked: usize = asked.map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum();
        assert_eq!(asked, MOST, "{text}");
    }
}
