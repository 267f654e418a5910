//! The keys of an issuer, fetched: bounded in time and size, from addresses of the public internet unless the
//! configuration names the host, without redirects.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use ureq::Agent;
use ureq::unversioned::transport::DefaultConnector;

use super::keys::{self, Identified};
use crate::iam::is_listed;
use crate::notification::address::Checked;

/// Time for each of the two requests.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of either document.
const MAX_DOCUMENT: u64 = 256 << 10;

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// Which hosts may be asked.
#[derive(Debug, Default, Clone)]
pub(super) struct Hosts {
    /// These without TLS, and at private addresses.
    pub(super) http: Arc<[String]>,
    /// All of them at private addresses.
    pub(super) private: bool,
}

/// Fetches the keys of an issuer. Blocks.
pub(super) fn keys(issuer: &str, hosts: &Hosts) -> Result<Vec<Identified>, String> {
    let get = |url: &str| {
        // The address of the keys is what the issuer says: it is checked no less than the issuer's own.
        let agent = agent(hosts.check(url)?);
        let answer = agent.get(url).header("accept", "application/json").call();
        let answer = answer.map_err(|error| format!("{url}: {error}"))?;
        let mut bytes = Vec::new();
        let mut reader = answer.into_body().into_reader().take(MAX_DOCUMENT + 1);
        reader.read_to_end(&mut bytes).map_err(|error| format!("{url}: {error}"))?;
        if bytes.len() as u64 > MAX_DOCUMENT {
            return Err(format!("{url}: more than {MAX_DOCUMENT} bytes"));
        }
        Ok(bytes)
    };
    let bytes = get(&format!("{issuer}/.well-known/openid-configuration"))?;
    let found: Discovery =
        serde_json::from_slice(&bytes).map_err(|error| format!("the issuer's configuration: {error}"))?;
    if found.issuer.trim_end_matches('/') != issuer {
        return Err(format!("the issuer calls itself {:?}", found.issuer));
    }
    keys::parse(&get(&found.jwks_uri)?)
}

/// What asks one address, which may be private or not.
fn agent(private: bool) -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .max_redirects(0)
        .max_redirects_will_error(true)
        .proxy(None)
        .user_agent(concat!("Refract/", env!("CARGO_PKG_VERSION")))
        .build();
    Agent::with_parts(config, DefaultConnector::default(), Checked::new(private, "oidc_private"))
}

impl Hosts {
    /// Whether a URL may be asked: by TLS, or without where the configuration says so. Answers whether its address may
    /// be private.
    fn check(&self, url: &str) -> Result<bool, String> {
        let uri: http::Uri = url.parse().map_err(|error| format!("{url:?}: {error}"))?;
        let host = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        let listed = is_listed(host, &self.http);
        match uri.scheme_str() {
            _ if host.is_empty() || host.contains('@') => {
                Err(format!("{url:?} must name a host, and no user"))
            }
            Some("https") => Ok(self.private || listed),
            Some("http") if listed => Ok(true),
            _ => Err(format!("{url:?} is not https://")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_of_the_configuration_are_asked_without_tls_or_at_private_addresses() {
        let hosts = |http: &[&str], private| Hosts {
            http: http.iter().map(|host| (*host).to_owned()).collect(),
            private,
        };
        let may = |hosts: &Hosts, url| hosts.check(url).ok();
        let named = hosts(&["idp.internal", "localhost:8080"], false);
        assert_eq!(may(&named, "http://idp.internal/realm"), Some(true));
        assert_eq!(may(&named, "https://idp.internal/keys"), Some(true));
        assert_eq!(may(&named, "http://localhost:8080/keys"), Some(true));
        assert_eq!(may(&named, "https://idp.example.com/keys"), Some(false));
        assert_eq!(may(&named, "https://localhost/keys"), Some(false));
        assert_eq!(may(&named, "https://169.254.169.254/latest/meta-data"), Some(false));
        assert_eq!(may(&hosts(&[], true), "https://10.0.0.1/keys"), Some(true));
        for url in [
            "http://idp.example.com/",
            "http://localhost:8081/",
            "ftp://idp.internal/",
            "https://u@idp.internal/",
            "/keys",
        ] {
            assert_eq!(may(&named, url), None, "{url}");
        }
    }

    #[test]
    #[cfg(feature = "tls")]
    fn a_private_address_is_not_connected_to() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("https://localhost:{}/realm", listener.local_addr().unwrap().port());
        let why = keys(&url, &Hosts::default()).unwrap_err();
        assert!(why.contains("private"), "{why}");
        assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
}
