//! Functions that are webhooks, in the shape of MinIO's Object Lambda: the event is POSTed, and the answer's body becomes
//! the object.

use std::fmt;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};
use ureq::Agent;
use ureq::unversioned::transport::DefaultConnector;

use crate::catalog::WebhookFunction;
use crate::catalog::seal::{MasterKey, SealError};
use crate::notification::address::Checked;
use crate::secret::Secret;
use crate::store::{BodyError, ByteStream};

#[cfg(feature = "tls")]
use super::webhook_tls::config as tls_config;

/// Bytes of the answer that are read at a time.
const CHUNK: usize = 64 << 10;
/// How long an exchange waits for another to end.
const QUEUE: Duration = Duration::from_secs(1);
/// Longest time to connect.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a connection is kept for the next event: less than any usual service keeps it, for an event that meets the end
/// of its connection is lost.
const IDLE: Duration = Duration::from_secs(1);

/// Exchanges with what runs elsewhere, each of which has a thread to itself: not so many that none is left for the
/// store's reading and writing.
#[derive(Debug, Clone)]
pub struct Exchanges(Arc<Semaphore>);

impl Exchanges {
    /// With so many at a time.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    /// A turn, where one comes soon. It is for the thread to keep: who waits for it may be gone before.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        tokio::time::timeout(QUEUE, Arc::clone(&self.0).acquire_owned()).await.ok()?.ok()
    }
}

/// Sends events to webhooks.
#[derive(Clone)]
pub struct Webhooks {
    master: Arc<MasterKey>,
    private: bool,
    exchanges: Exchanges,
    agents: moka::sync::Cache<(String, u64), Arc<Hook>>,
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks").field("private", &self.private).finish_non_exhaustive()
    }
}

/// A webhook that is ready to be asked.
struct Hook {
    agent: Agent,
    url: String,
    token: Option<Secret>,
}

/// What a webhook answered, as far as its head.
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: ByteStream,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// It took too long.
    #[error("the webhook did not answer in time")]
    Timeout,
    /// There are as many exchanges as there may be.
    #[error("too many exchanges with webhooks at a time: webhook_concurrency")]
    Busy,
    /// It cannot be reached, or may not.
    #[error("{0}")]
    Unreachable(String),
    /// What is kept of it cannot be used.
    #[error("{0}")]
    Broken(String),
}

/// Without TLS there is neither.
#[cfg(not(feature = "tls"))]
fn tls_config(identity_pem: Option<&str>, roots_pem: Option<&str>) -> Result<(), String> {
    match (identity_pem, roots_pem) {
        (None, None) => Ok(()),
        (Some(_), _) => Err("client_identity: this binary was built without the feature `tls`".into()),
        (None, Some(_)) => Err("ca: this binary was built without the feature `tls`".into()),
    }
}

/// Checks what is said of a webhook; the text names the field.
///
/// # Errors
/// What is wrong.
pub fn check(url: &str, identity_pem: Option<&str>, roots_pem: Option<&str>) -> Result<(), String> {
    let parsed: Uri = url.parse().map_err(|error| format!("url: {error}"))?;
    match parsed.scheme_str() {
        Some("http") => {}
        Some("https") if cfg!(feature = "tls") => {}
        Some("https") => return Err("url: this binary was built without the feature `tls`".into()),
        _ => return Err("url: it must begin with http:// or https://".into()),
    }
    if parsed.host().is_none_or(str::is_empty) || parsed.authority().is_some_and(|a| a.as_str().contains('@'))
    {
        return Err("url: it must name a host, and no user".into());
    }
    tls_config(identity_pem, roots_pem)?;
    Ok(())
}

impl Webhooks {
    /// `private` lets webhooks have addresses that are not of the public internet.
    #[must_use]
    pub fn new(master: Arc<MasterKey>, private: bool, exchanges: Exchanges) -> Self {
        Self { master, private, exchanges, agents: moka::sync::Cache::new(1_000) }
    }

    /// Seals a secret of a webhook for the catalog.
    ///
    /// # Errors
    /// No random bytes.
    pub fn seal(&self, function: &str, secret: &Secret) -> Result<Vec<u8>, SealError> {
        self.master.seal(&format!("webhook {function}"), secret)
    }

    fn hook(&self, name: &str, revision: u64, webhook: &WebhookFunction) -> Result<Arc<Hook>, WebhookError> {
        let key = (name.to_owned(), revision);
        if let Some(hook) = self.agents.get(&key) {
            return Ok(hook);
        }
        let open = |sealed: &Option<Vec<u8>>| {
            let opened = sealed.as_ref().map(|sealed| self.master.open(&format!("webhook {name}"), sealed));
            opened.transpose().map_err(|error| WebhookError::Broken(error.to_string()))
        };
        let identity = open(&webhook.sealed_identity)?;
        let (identity, roots) = (identity.as_ref().map(Secret::expose), webhook.ca.as_deref());
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .max_idle_age(IDLE)
            // Neither a redirect nor a proxy may lead elsewhere.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .http_status_as_error(false)
            .user_agent(concat!("Refract/", env!("CARGO_PKG_VERSION")));
        #[cfg(feature = "tls")]
        let config = config.tls_config(tls_config(identity, roots).map_err(WebhookError::Broken)?);
        #[cfg(not(feature = "tls"))]
        tls_config(identity, roots).map_err(WebhookError::Broken)?;
        let config = config.build();
        let resolver = Checked::new(self.private, "webhook_private");
        let hook = Arc::new(Hook {
            agent: Agent::with_parts(config, DefaultConnector::default(), resolver),
            url: webhook.url.clone(),
            token: open(&webhook.sealed_token)?,
        });
        self.agents.insert(key, Arc::clone(&hook));
        Ok(hook)
    }

    /// Sends an event, and answers when the answer's head is there. All of it must come within `limit`.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn ask(
        &self,
        name: &str,
        revision: u64,
        webhook: &WebhookFunction,
        event: Bytes,
        limit: Duration,
    ) -> Result<Answer, WebhookError> {
        let hook = self.hook(name, revision, webhook)?;
        let deadline = Instant::now() + limit;
        let turn = self.exchanges.turn().await.ok_or(WebhookError::Busy)?;
        let (head, answered) = tokio::sync::oneshot::channel();
        let (chunks, receiver) = mpsc::channel(4);
        tokio::task::spawn_blocking(move || {
            exchange(&hook, &event, deadline, head, &chunks);
            drop(turn);
        });
        let (status, headers) =
            answered.await.unwrap_or_else(|_| Err(WebhookError::Unreachable("it panicked".into())))?;
        let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|chunk| (chunk, receiver))
        });
        Ok(Answer { status, headers, body: Box::pin(stream) })
    }
}

type Head = Result<(StatusCode, HeaderMap), WebhookError>;

/// One exchange, on a thread of its own.
fn exchange(
    hook: &Hook,
    event: &[u8],
    deadline: Instant,
    head: tokio::sync::oneshot::Sender<Head>,
    chunks: &mpsc::Sender<Result<Bytes, BodyError>>,
) {
    let mut request = hook.agent.post(&hook.url).header("content-type", "application/json");
    if let Some(token) = &hook.token {
        request = request.header("authorization", format!("Bearer {}", token.expose()));
    }
    let left = deadline.saturating_duration_since(Instant::now());
    let answer = request.config().timeout_global(Some(left)).build().send(event);
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let why = match error {
                ureq::Error::Timeout(_) => WebhookError::Timeout,
                other => WebhookError::Unreachable(other.to_string()),
            };
            drop(head.send(Err(why)));
            return;
        }
    };
    let (parts, body) = answer.into_parts();
    if head.send(Ok((parts.status, parts.headers))).is_err() {
        return;
    }
    let runtime = tokio::runtime::Handle::current();
    let mut reader = body.into_reader();
    let mut buffer = vec![0; CHUNK];
    loop {
        let chunk = match reader.read(&mut buffer) {
            Ok(0) => return,
            Ok(size) => Ok(Bytes::copy_from_slice(buffer.get(..size).unwrap_or_default())),
            Err(error) => Err(BodyError::Read(format!("the webhook's answer broke off: {error}"))),
        };
        let last = chunk.is_err();
        // Whoever reads slowly keeps the thread no longer than the webhook could have.
        let sent = runtime.block_on(timeout_at(deadline, chunks.send(chunk)));
        if !matches!(sent, Ok(Ok(()))) || last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_webhook_is_checked() {
        assert!(check("http://hooks.example.com/f?x=1", None, None).is_ok());
        for url in ["ftp://x/", "/path", "http://user:pass@x/", "http://", "nonsense"] {
            assert!(check(url, None, None).unwrap_err().starts_with("url:"), "{url}");
        }
        assert!(check("http://x/", Some("no pem"), None).unwrap_err().starts_with("client_identity:"));
        assert!(check("http://x/", None, Some("no pem")).unwrap_err().starts_with("ca:"));
    }
}
