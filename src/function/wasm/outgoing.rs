//! Requests that a component sends (`wasi:http/outgoing-handler`): to what its function was granted, over connections
//! that the server makes, one for each request.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use http::uri::Scheme;
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::catalog::network::is_host_name;
use crate::function::network::{Connection, Destination, Host, Network, NoConnection};

/// Requests of one instance that are under way.
const MOST: usize = 32;
/// Time for what the function sets no time for. Its own time without output is shorter or longer, and ends it as well.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an instance may send requests by.
#[derive(Debug)]
pub(super) struct Outgoing {
    network: Network,
    function: String,
    /// The server's own threads: those of instances wait for no sockets.
    runtime: Handle,
    places: Arc<Semaphore>,
}

/// Ends a task with this value.
struct Ends(AbortHandle);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.abort();
    }
}

type Ended = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(Response<WasiBody>, Ended), Error>;

impl Outgoing {
    pub(super) fn new(network: Network, function: &str, runtime: Handle) -> Self {
        let places = Arc::new(Semaphore::new(MOST));
        Self { network, function: function.to_owned(), runtime, places }
    }
}

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Ended,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        if self.network.grant(&self.function).is_empty() {
            return Box::new(std::future::ready(Err(Error::HttpRequestDenied)));
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Box::new(std::future::ready(Err(Error::ConnectionLimitReached)));
        };
        let (network, function, runtime) =
            (self.network.clone(), self.function.clone(), self.runtime.clone());
        Box::new(async move {
            let sending = runtime.clone().spawn(async move {
                let (response, connection) =
                    send(&network, &function, request, options.unwrap_or_default()).await?;
                let connection = runtime.spawn(async move {
                    let ended = connection.await;
                    drop(place);
                    ended
                });
                Ok::<_, Error>((response, Ends(connection.abort_handle()), connection))
            });
            let _ends = Ends(sending.abort_handle());
            let lost = |error: tokio::task::JoinError| Error::InternalError(Some(error.to_string()));
            let (response, ends, connection) = sending.await.map_err(lost)??;
            let ended = async move {
                let _ends = ends;
                connection.await.unwrap_or_else(|error| Err(lost(error)))
            };
            Ok((response, Box::new(ended) as Ended))
        })
    }
}

impl From<NoConnection> for Error {
    fn from(error: NoConnection) -> Self {
        match error {
            NoConnection::NotGranted => Self::HttpRequestDenied,
            NoConnection::Private(_) => Self::DestinationIpProhibited,
            NoConnection::Unresolved(_) => Self::DnsError { rcode: None, info_code: None },
            NoConnection::Unreachable(why) if why.kind() == std::io::ErrorKind::ConnectionRefused => {
                Self::ConnectionRefused
            }
            NoConnection::Unreachable(why) => Self::Connect(why),
            NoConnection::Timeout => Self::ConnectionTimeout,
            NoConnection::TooMany => Self::ConnectionLimitReached,
        }
    }
}

/// Where a request goes.
fn destination(uri: &Uri, tls: bool) -> Result<Destination, Error> {
    let host = uri.host().ok_or(Error::HttpRequestUriInvalid)?.to_ascii_lowercase();
    let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
    let host = match bare.parse::<IpAddr>() {
        Ok(address) => Host::Address(address.to_canonical()),
        Err(_) => {
            let name = host.strip_suffix('.').unwrap_or(&host);
            if !is_host_name(name) {
                return Err(Error::HttpRequestUriInvalid);
            }
            Host::Name(name.to_owned())
        }
    };
    Ok(Destination { host, port })
}

type Driven = std::pin::Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// Sends a request as far as the head of its response; what is left of the connection drives the rest.
async fn send(
    network: &Network,
    function: &str,
    mut request: Request<WasiBody>,
    options: RequestOptions,
) -> Result<(Response<WasiBody>, Driven), Error> {
    let tls = request.uri().scheme() == Some(&Scheme::HTTPS);
    if request.method() == Method::CONNECT {
        return Err(Error::HttpRequestMethodInvalid);
    }
    let to = destination(request.uri(), tls)?;
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = path.parse().map_err(|_| Error::HttpRequestUriInvalid)?;
    let connecting = async {
        let connection = network.connect(function, &to).await?;
        let address = connection.address();
        Ok::<_, Error>((open(connection, &to, tls).await?, address))
    };
    let limit = options.connect_timeout.unwrap_or(PATIENCE);
    let (stream, address) = timeout(limit, connecting).await.map_err(|_| Error::ConnectionTimeout)??;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let (network, function) = (network.clone(), function.to_owned());
    let mut driven: Driven = Box::pin(async move {
        tokio::select! {
            ended = connection => ended.map_err(Error::from),
            () = network.revoked(&function, &to, address) => Err(Error::HttpRequestDenied),
        }
    });
    let first = options.first_byte_timeout.unwrap_or(PATIENCE);
    let response = {
        let answered = timeout(first, sender.send_request(request));
        tokio::pin!(answered);
        tokio::select! {
            biased;
            response = &mut answered => response,
            ended = &mut driven => {
                ended?;
                // What it has read by then is the response, or there is none.
                driven = Box::pin(std::future::ready(Ok(())));
                answered.await
            }
        }
    };
    let response = response.map_err(|_| Error::ConnectionReadTimeout)??;
    let between = options.between_bytes_timeout.unwrap_or(PATIENCE);
    Ok((response.map(|body| relay(body, between)), driven))
}

/// The body of a response, which breaks off where it stops for too long.
fn relay(body: Incoming, between: Duration) -> WasiBody {
    let frames = futures_util::stream::unfold(Some(BodyStream::new(body)), move |body| async move {
        let mut body = body?;
        match timeout(between, body.next()).await {
            Ok(None) => None,
            Ok(Some(Ok(frame))) => Some((Ok(frame), Some(body))),
            Ok(Some(Err(error))) => Some((Err(Error::from(error)), None)),
            Err(_) => Some((Err(Error::ConnectionReadTimeout), None)),
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

#[cfg(feature = "tls")]
async fn open(connection: Connection, to: &Destination, tls: bool) -> Result<Box<dyn Stream>, Error> {
    if !tls {
        return Ok(Box::new(connection));
    }
    encrypted::open(connection, to).await.map(|stream| Box::new(stream) as Box<dyn Stream>)
}

#[cfg(not(feature = "tls"))]
#[allow(clippy::unused_async, reason = "as with the feature")]
async fn open(connection: Connection, _: &Destination, tls: bool) -> Result<Box<dyn Stream>, Error> {
    if tls { Err(Error::TlsProtocolError) } else { Ok(Box::new(connection)) }
}

#[cfg(feature = "tls")]
mod encrypted {
    //! TLS by the public roots, as with webhooks.

    use std::io;
    use std::sync::{Arc, OnceLock};

    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, RootCertStore};
    use tokio_rustls::TlsConnector;
    use tokio_rustls::client::TlsStream;

    use super::{Connection, Destination, Error, Host};

    fn public() -> Result<Arc<ClientConfig>, Error> {
        static PUBLIC: OnceLock<Result<Arc<ClientConfig>, String>> = OnceLock::new();
        let roots = || RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let config = PUBLIC.get_or_init(|| config(roots()).map_err(|error| error.to_string()));
        config.clone().map_err(|why| Error::InternalError(Some(why)))
    }

    pub(super) fn config(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Shakes hands with whom the destination names.
    pub(super) async fn open(
        connection: Connection,
        to: &Destination,
    ) -> Result<TlsStream<Connection>, Error> {
        shake(public()?, connection, to).await
    }

    pub(super) async fn shake(
        config: Arc<ClientConfig>,
        connection: Connection,
        to: &Destination,
    ) -> Result<TlsStream<Connection>, Error> {
        let name = match &to.host {
            Host::Address(address) => ServerName::from(*address),
            Host::Name(name) => {
                ServerName::try_from(name.clone()).map_err(|_| Error::HttpRequestUriInvalid)?
            }
        };
        let shaken = TlsConnector::from(config).connect(name, connection).await;
        shaken.map_err(|error: io::Error| {
            match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(rustls::Error::InvalidCertificate(_)) => Error::TlsCertificateError,
                Some(_) => Error::TlsProtocolError,
                None => Error::Tls(error),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "tls")]
    #[tokio::test]
    async fn tls_is_with_whom_the_destination_names() {
        use rustls::RootCertStore;
        use rustls::pki_types::PrivateKeyDer;
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

        use crate::function::network::tests::{grant, network, to};

        let made = rcgen::generate_simple_self_signed(vec!["api.example".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let config = config.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    stream.write_all(b"hello").await.unwrap();
                }
            }
        });
        let (network, catalog, _) =
            network(&[("api.example", &["127.0.0.1"]), ("b.example", &["127.0.0.1"])]);
        grant(&catalog, "f", &[&format!("127.0.0.1:{port}"), &format!("*.example:{port}")]).await;
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let trusting = encrypted::config(roots).unwrap();
        let shake = async |name: &str| {
            let connection = network.connect("f", &to(name, port)).await.unwrap();
            encrypted::shake(Arc::clone(&trusting), connection, &to(name, port)).await
        };
        let mut said = [0; 5];
        shake("api.example").await.unwrap().read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"hello");
        assert!(matches!(shake("b.example").await, Err(Error::TlsCertificateError)));
        let connection = network.connect("f", &to("api.example", port)).await.unwrap();
        let by_public_roots = encrypted::open(connection, &to("api.example", port)).await;
        assert!(matches!(by_public_roots, Err(Error::TlsCertificateError)));
    }

    #[test]
    fn the_authority_of_a_request_is_where_it_goes() {
        for (uri, tls, to) in [
            ("http://API.example.com/x", false, "api.example.com:80"),
            ("https://api.example.com./x", true, "api.example.com:443"),
            ("https://user@api.example.com:8443/", true, "api.example.com:8443"),
            ("http://10.0.0.1:81/", false, "10.0.0.1:81"),
            ("http://[::ffff:10.0.0.1]:81/", false, "10.0.0.1:81"),
            ("http://[2001:db8::1]/", false, "[2001:db8::1]:80"),
        ] {
            assert_eq!(destination(&uri.parse().unwrap(), tls).unwrap().to_string(), to, "{uri}");
        }
        for uri in ["/x", "http://127.1/", "http://a_b.0x7f/", "http://2130706433/"] {
            assert!(destination(&uri.parse().unwrap(), false).is_err(), "{uri}");
        }
    }
}
