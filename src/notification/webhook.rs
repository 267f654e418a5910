//! A webhook: each message is the body of an HTTP POST; any 2xx takes it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ureq::Agent;
use ureq::unversioned::transport::DefaultConnector;

use super::address::Checked;
use super::consumer::{Consumer, Failure, Message};

/// Time of one POST.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A webhook.
#[derive(Debug, Clone)]
pub struct Webhook {
    agent: Agent,
    url: Arc<str>,
}

impl Webhook {
    /// Of a URL. `private` lets it have an address that is not of the public internet.
    #[must_use]
    pub fn new(url: &str, private: bool) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            // Neither a redirect nor a proxy may lead elsewhere.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .http_status_as_error(false)
            .user_agent(concat!("Refract/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent =
            Agent::with_parts(config, DefaultConnector::default(), Checked::new(private, "notify_private"));
        Self { agent, url: url.into() }
    }

    fn post(&self, message: &Message) -> Result<(), Failure> {
        let sent = self
            .agent
            .post(&*self.url)
            .header("content-type", "application/json")
            .header("x-refract-message-number", message.number.to_string())
            .send(&*message.body);
        match sent.map(|answer| answer.status().as_u16()) {
            Ok(200..=299) => Ok(()),
            Ok(status) => Err(Failure {
                reason: format!("the webhook answered {status}"),
                refused: matches!(status, 300..=499) && !matches!(status, 408 | 425 | 429),
            }),
            Err(error) => Err(Failure { reason: error.to_string(), refused: false }),
        }
    }
}

#[async_trait]
impl Consumer for Webhook {
    fn batch(&self) -> usize {
        1
    }

    async fn deliver(&self, messages: &[Message]) -> Result<(), Failure> {
        let (this, messages) = (self.clone(), messages.to_vec());
        tokio::task::spawn_blocking(move || messages.iter().try_for_each(|message| this.post(message)))
            .await
            .map_err(|error| Failure { reason: error.to_string(), refused: false })?
    }
}
