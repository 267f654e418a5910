//! TLS of webhooks: the client's own certificate, and whom it trusts. There is nothing of it in a build without TLS.

use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

/// How to connect with a client certificate and roots in PEM, where they are given.
///
/// # Errors
/// What is wrong; the text names the field.
pub(super) fn config(identity_pem: Option<&str>, roots_pem: Option<&str>) -> Result<TlsConfig, String> {
    let mut tls = TlsConfig::builder();
    if let Some(pem) = identity_pem {
        let identity = identity(pem).map_err(|why| format!("client_identity: {why}"))?;
        tls = tls.client_cert(Some(identity));
    }
    if let Some(pem) = roots_pem {
        let roots = roots(pem).map_err(|why| format!("ca: {why}"))?;
        tls = tls.root_certs(RootCerts::new_with_certs(&roots));
    }
    Ok(tls.build())
}

/// A client certificate and its key, from one text of PEM.
fn identity(pem: &str) -> Result<ClientCert, String> {
    let (mut chain, mut key): (Vec<Certificate<'static>>, Option<PrivateKey<'static>>) = (Vec::new(), None);
    for item in parse_pem(pem.as_bytes()) {
        match item.map_err(|error| error.to_string())? {
            PemItem::Certificate(certificate) => chain.push(certificate),
            PemItem::PrivateKey(found) => key = Some(found),
            _ => {}
        }
    }
    match key {
        Some(key) if !chain.is_empty() => Ok(ClientCert::new_with_certs(&chain, key)),
        Some(_) => Err("it has no certificate".into()),
        None => Err("it has no private key".into()),
    }
}

fn roots(pem: &str) -> Result<Vec<Certificate<'static>>, String> {
    let mut all = Vec::new();
    for item in parse_pem(pem.as_bytes()) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| error.to_string())? {
            all.push(certificate);
        }
    }
    if all.is_empty() { Err("it has no certificate".into()) } else { Ok(all) }
}
