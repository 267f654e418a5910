//! Tokens of OpenID Connect identity providers.
//!
//! - [`token`]: a token taken apart. [`fetch`]: the keys of its issuer. [`verify`]: its signature.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use jiff::{SignedDuration, Timestamp};
use moka::sync::Cache;
use tokio::sync::{Mutex, Semaphore};

use crate::catalog::identities::OidcProvider;
use crate::error::ApiError;

use super::web_identity::invalid;

mod fetch;
mod keys;
mod token;
mod verify;

pub(super) use token::{Claims, Token};

use fetch::Hosts;
use keys::KeySet;

/// How long the keys of an issuer are used.
const FRESH: SignedDuration = SignedDuration::from_secs(600);
/// How long a token with a key that is not among them waits for the issuer to be asked again.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);
/// How long an issuer whose keys could not be fetched is not asked again.
const PAUSE: Duration = Duration::from_secs(10);
/// Issuers whose keys are kept.
const ISSUERS: u64 = 1_000;
/// Fetches at a time, of which an issuer has one.
const FETCHES: usize = 16;
/// How long a fetch waits for others to end.
const QUEUE: Duration = Duration::from_secs(5);
/// How far the clocks of issuer and server may be apart.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// Verifies tokens.
#[derive(Debug, Clone)]
pub struct Oidc {
    hosts: Hosts,
    issuers: Cache<String, Arc<Issuer>>,
    fetches: Arc<Semaphore>,
}

/// What is known of an issuer.
#[derive(Debug, Default)]
struct Issuer {
    keys: ArcSwapOption<KeySet>,
    /// Held by who fetches; when that failed last.
    fetching: Mutex<Option<Instant>>,
}

impl Oidc {
    /// With no keys yet; `http_hosts` may be asked without TLS and at private addresses, and with `private` all hosts at
    /// private addresses.
    #[must_use]
    pub fn new(http_hosts: Arc<[String]>, private: bool) -> Self {
        Self {
            hosts: Hosts { http: http_hosts, private },
            issuers: Cache::new(ISSUERS),
            fetches: Arc::new(Semaphore::new(FETCHES)),
        }
    }

    /// With the same keys, asking without TLS other hosts.
    #[cfg(all(test, feature = "tls"))]
    pub(super) fn asking(self, http: Arc<[String]>) -> Self {
        Self { hosts: Hosts { http, ..self.hosts }, ..self }
    }

    /// Verifies a token that a provider is said to have made: its times, then its signature.
    ///
    /// # Errors
    /// 400 InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError.
    pub(super) async fn verify(
        &self,
        token: &Token,
        provider: &OidcProvider,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let claims = &token.claims;
        if claims.expires.saturating_add(SKEW).is_ok_and(|end| end <= now) {
            return Err(ApiError::new(
                http::StatusCode::BAD_REQUEST,
                "ExpiredTokenException",
                "Token expired: the current date/time is after its exp",
            ));
        }
        if claims.not_before.is_some_and(|start| start.duration_since(now) > SKEW) {
            return Err(invalid("The token is not valid yet"));
        }
        let mut keys = self.keys_of(&provider.url, now, FRESH).await?;
        if keys.find(token).is_none() {
            keys = self.keys_of(&provider.url, now, PATIENCE).await?;
        }
        let key = keys.find(token).ok_or_else(|| invalid("The issuer has no key of the token's kid"))?;
        if verify::is_signed(token, key) {
            return Ok(());
        }
        Err(invalid("Couldn't verify the token's signature"))
    }

    /// The keys of an issuer, of no more than an age.
    async fn keys_of(&self, url: &str, now: Timestamp, age: SignedDuration) -> Result<Arc<KeySet>, ApiError> {
        let issuer = self.issuers.get_with(url.to_owned(), Arc::default);
        if let Some(keys) = issuer.keys_within(now, age) {
            return Ok(keys);
        }
        let (this, url) = (self.clone(), url.to_owned());
        // Goes on where the client does not wait: who leaves and comes again finds the same fetch.
        let fetched = tokio::spawn(async move { this.fetch(&issuer, url, now, age).await });
        fetched.await.unwrap_or_else(|error| Err(error.to_string())).map_err(|why| {
            ApiError::new(
                http::StatusCode::BAD_REQUEST,
                "IDPCommunicationError",
                "The keys of the identity provider cannot be fetched",
            )
            .with_internal(why)
        })
    }

    /// Fetches the keys of an issuer, unless somebody else did meanwhile, or it failed a moment ago.
    async fn fetch(
        &self,
        issuer: &Issuer,
        url: String,
        now: Timestamp,
        age: SignedDuration,
    ) -> Result<Arc<KeySet>, String> {
        let mut failed = issuer.fetching.lock().await;
        if let Some(keys) = issuer.keys_within(now, age) {
            return Ok(keys);
        }
        if failed.is_some_and(|at| at.elapsed() < PAUSE) {
            return Err(format!("{url}: it failed a moment ago"));
        }
        let turn = tokio::time::timeout(QUEUE, Arc::clone(&self.fetches).acquire_owned()).await;
        let turn = turn.map_err(|_| format!("{url}: too many other issuers are being asked"))?;
        let turn = turn.map_err(|error| error.to_string())?;
        let hosts = self.hosts.clone();
        let fetched = tokio::task::spawn_blocking(move || {
            let keys = fetch::keys(&url, &hosts).map_err(|why| format!("{url}: {why}"));
            drop(turn);
            keys
        });
        match fetched.await.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(keys) => {
                let keys = Arc::new(KeySet { keys, fetched: now });
                issuer.keys.store(Some(Arc::clone(&keys)));
                *failed = None;
                Ok(keys)
            }
            Err(why) => {
                *failed = Some(Instant::now());
                Err(why)
            }
        }
    }
}

impl Issuer {
    fn keys_within(&self, now: Timestamp, age: SignedDuration) -> Option<Arc<KeySet>> {
        self.keys.load_full().filter(|keys| now.duration_since(keys.fetched) <= age)
    }
}
