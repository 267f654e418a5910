//! A webhook behind mutual TLS: it is asked with the function's certificate, and is trusted by the function's roots alone.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::support::{Client, Server, run};

/// Somebody who signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

/// A certificate and its key.
struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Identity {
    fn pem(&self) -> String {
        format!("{}{}", self.certificate.pem(), self.key.serialize_pem())
    }
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    fn sign(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        Identity { certificate: params.signed_by(&key, &self.issuer).unwrap(), key }
    }
}

/// A webhook that takes only clients whose certificates `clients` signed, and notes the certificates it saw.
fn webhook(own: &Identity, clients: &Authority) -> (u16, Arc<Mutex<Vec<Vec<u8>>>>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(clients.certificate.der().clone()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.unwrap())
        .with_single_cert(vec![own.certificate.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            // A handshake that fails is what some clients are here for.
            drop(answer(StreamOwned::new(connection, stream.unwrap()), &notes));
        }
    });
    (port, seen)
}

fn answer(
    mut stream: StreamOwned<ServerConnection, std::net::TcpStream>,
    notes: &Mutex<Vec<Vec<u8>>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(&mut stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let event: Value = serde_json::from_slice(&body).unwrap();
    let text = |name: &str| event.pointer(&format!("/getObjectContext/{name}")).unwrap().as_str().unwrap();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nx-amz-request-route: {}\r\nx-amz-request-token: {}\r\ncontent-length: 6\r\n\r\nsealed",
        text("outputRoute"),
        text("outputToken")
    );
    let certificate = stream.conn.peer_certificates().unwrap().first().unwrap().to_vec();
    notes.lock().unwrap().push(certificate);
    stream.write_all(answer.as_bytes())?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// The answer of a GET through a webhook that is registered so.
fn get(server: &Server, dir: &Path, name: &str, spec: &Value) -> String {
    let client = Client::new(server, dir);
    let document = json!({ "kind": "webhook", "webhook": spec }).to_string();
    let path = format!("/_refract/v1/functions/{name}");
    let made = client.send("PUT", &path, "content-type: application/json\r\n", &document);
    assert!(made.starts_with("HTTP/1.1 201") && !made.contains("PRIVATE KEY"), "{made}");
    let lens =
        run(server, dir, &["object-lambda", "put", name, "--access-point", "point", "--function", name]);
    let alias = lens.pointer("/alias").unwrap().as_str().unwrap().to_owned();
    client.get(&format!("/{alias}/key"))
}

#[test]
fn a_webhook_is_asked_by_mutual_tls_and_no_other_way() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &["--webhook-private"]);
    let client = Client::new(&server, dir.path());
    client.send("PUT", "/bucket", "", "");
    run(&server, dir.path(), &["access-point", "put", "point", "--bucket", "bucket"]);

    let (ours, others) = (Authority::new(), Authority::new());
    let (own, refract) = (ours.sign("127.0.0.1"), others.sign("refract"));
    let (port, seen) = webhook(&own, &others);
    let url = format!("https://127.0.0.1:{port}/hook");
    let (ca, identity) = (ours.certificate.pem(), refract.pem());

    let spec = json!({ "url": url, "ca": ca, "client_identity": identity });
    let good = get(&server, dir.path(), "mutual", &spec);
    assert!(good.starts_with("HTTP/1.1 200") && good.ends_with("sealed"), "{good}");
    assert_eq!(seen.lock().unwrap().as_slice(), [refract.certificate.der().to_vec()]);
    let shown = run(&server, dir.path(), &["function", "get", "mutual"]);
    assert_eq!(shown.pointer("/webhook/has_client_identity").unwrap(), true);

    // Without a certificate, with one that the webhook does not take, and where it is not whom the function trusts.
    let stranger = ours.sign("refract").pem();
    for (name, spec) in [
        ("bare", json!({ "url": url, "ca": ca })),
        ("stranger", json!({ "url": url, "ca": ca, "client_identity": stranger })),
        ("impostor", json!({ "url": url, "ca": others.certificate.pem(), "client_identity": identity })),
        ("public", json!({ "url": url, "client_identity": identity })),
        (
            "misnamed",
            json!({ "url": url.replace("127.0.0.1", "localhost"), "ca": ca, "client_identity": identity }),
        ),
    ] {
        let answer = get(&server, dir.path(), name, &spec);
        assert!(answer.contains("<Code>LambdaInvocationFailed</Code>"), "{name}: {answer}");
    }
    assert_eq!(seen.lock().unwrap().len(), 1, "nobody else was answered");
}
