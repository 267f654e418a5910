//! Tokens of OpenID Connect identity providers.
//!
//! - [`token`]: a token taken apart. [`fetch`]: the keys of its issuer. [`verify`]: its signature.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use moka::future::Cache;
use tokio::sync::Semaphore;

use crate::catalog::identities::OidcProvider;
use crate::error::ApiError;

use super::web_identity::invalid;

mod fetch;
mod keys;
mod token;
mod verify;

pub(super) use token::{Claims, Token};

use keys::KeySet;

/// How long the keys of an issuer are used.
const FRESH: Duration = Duration::from_secs(600);
/// How long a token with a key that is not among them waits for the issuer to be asked again.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);
/// Issuers whose keys are kept.
const ISSUERS: u64 = 1_000;
/// Fetches at a time.
const FETCHES: usize = 4;
/// How far the clocks of issuer and server may be apart.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// Verifies tokens.
#[derive(Debug, Clone)]
pub struct Oidc {
    http_hosts: Arc<[String]>,
    keys: Cache<String, Arc<KeySet>>,
    fetches: Arc<Semaphore>,
}

impl Oidc {
    /// With no keys yet; `http_hosts` may be asked without TLS.
    #[must_use]
    pub fn new(http_hosts: Arc<[String]>) -> Self {
        let keys = Cache::builder().max_capacity(ISSUERS).time_to_live(FRESH).build();
        Self { http_hosts, keys, fetches: Arc::new(Semaphore::new(FETCHES)) }
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
        let mut keys = self.keys_of(&provider.url, now).await?;
        if keys.find(token).is_none() && now.duration_since(keys.fetched) > PATIENCE {
            self.keys.invalidate(&provider.url).await;
            keys = self.keys_of(&provider.url, now).await?;
        }
        let key = keys.find(token).ok_or_else(|| invalid("The issuer has no key of the token's kid"))?;
        if verify::is_signed(token, key) {
            return Ok(());
        }
        Err(invalid("Couldn't verify the token's signature"))
    }

    async fn keys_of(&self, issuer: &str, now: Timestamp) -> Result<Arc<KeySet>, ApiError> {
        let fetched = self.keys.try_get_with(issuer.to_owned(), async {
            let _turn = self.fetches.acquire().await.map_err(|error| error.to_string())?;
            let (url, http_hosts) = (issuer.to_owned(), Arc::clone(&self.http_hosts));
            let fetched = tokio::task::spawn_blocking(move || fetch::keys(&url, &http_hosts)).await;
            let keys = fetched.map_err(|error| error.to_string())??;
            Ok::<_, String>(Arc::new(KeySet { keys, fetched: now }))
        });
        fetched.await.map_err(|why| {
            ApiError::new(
                http::StatusCode::BAD_REQUEST,
                "IDPCommunicationError",
                "The keys of the identity provider cannot be fetched",
            )
            .with_internal(format!("{issuer}: {why}"))
        })
    }
}
