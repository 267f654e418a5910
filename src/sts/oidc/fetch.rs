//! The keys of an issuer, fetched: bounded in time and size, from the issuer's own address only, without redirects.

use std::io::Read as _;
use std::time::Duration;

use serde::Deserialize;

use super::keys::{self, Identified};
use crate::iam::is_listed;

/// Time for each of the two requests.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of either document.
const MAX_DOCUMENT: u64 = 256 << 10;

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// Fetches the keys of an issuer. Blocks.
pub(super) fn keys(issuer: &str, http_hosts: &[String]) -> Result<Vec<Identified>, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .max_redirects(0)
        .max_redirects_will_error(true)
        .proxy(None)
        .build()
        .into();
    let get = |url: &str| {
        check(url, http_hosts)?;
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

/// Whether an address may be asked: by TLS, or without where the configuration says so.
fn check(url: &str, http_hosts: &[String]) -> Result<(), String> {
    let uri: http::Uri = url.parse().map_err(|error| format!("{url:?}: {error}"))?;
    let host = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_listed(host, http_hosts) => Ok(()),
        _ => Err(format!("{url:?} is not https://")),
    }
}
