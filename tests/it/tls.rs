//! HTTPS: the certificate that is served, its exchange while the server runs, and HTTP/2.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::support::Server;

/// Writes a new certificate for localhost and its key; gives the certificate.
fn certificate(dir: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    // The key first: a server that looks in between keeps the pair it has.
    std::fs::write(dir.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(dir.join("cert.pem"), made.cert.pem()).unwrap();
    made.cert.der().clone()
}

type Stream = StreamOwned<ClientConnection, std::net::TcpStream>;

/// A client that trusts one certificate.
fn client(trusted: &CertificateDer<'static>, protocol: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.into()];
    Arc::new(config)
}

fn connect(server: &Server, trusted: &CertificateDer<'static>) -> std::io::Result<Stream> {
    let connection =
        ClientConnection::new(client(trusted, "http/1.1"), "localhost".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, server.connect());
    stream.flush()?;
    stream.conn.complete_io(&mut stream.sock)?;
    Ok(stream)
}

fn start(dir: &Path) -> (Server, CertificateDer<'static>) {
    let first = certificate(dir);
    let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
    let flags = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    (Server::start(&dir.join("data"), &flags), first)
}

#[test]
fn a_certificate_is_served_and_exchanged_without_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (server, first) = start(dir.path());
    let mut stream = connect(&server, &first).unwrap();
    let second = certificate(dir.path());
    let begun = Instant::now();
    while let Err(error) = connect(&server, &second) {
        assert!(begun.elapsed() < Duration::from_secs(30), "still the first certificate: {error}");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(connect(&server, &first).is_err());
    // A connection from before goes on.
    stream
        .write_all(b"GET /_refract/health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn files_that_cannot_be_used_leave_the_certificate_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (server, first) = start(dir.path());
    std::fs::write(dir.path().join("cert.pem"), "no certificate").unwrap();
    std::thread::sleep(Duration::from_secs(7));
    connect(&server, &first).unwrap();
}

#[tokio::test]
async fn http_2_is_spoken_where_the_client_asks_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let (server, trusted) = start(dir.path());
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let stream = tokio_rustls::TlsConnector::from(client(&trusted, "h2"))
        .connect("localhost".try_into().unwrap(), stream)
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(hyper_util::rt::TokioExecutor::new(), io).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::get("https://localhost/_refract/health/ready")
        .body(http_body_util::Empty::<bytes::Bytes>::new())
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!((answer.status(), answer.version()), (http::StatusCode::OK, http::Version::HTTP_2));
    drop(sender);
    connection.abort();
}
