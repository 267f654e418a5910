//! Delivers messages: in order to each consumer, one batch at a time, again and again until it takes them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::clock::Clock;
use crate::telemetry::Metrics;
use crate::telemetry::events::{NotificationDropped, NotificationFailed, NotificationsDelivered};

use super::consumer::{Consumer, Consumers, Message};
use super::outbox::Outbox;

/// How long a message is tried.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);
/// How often one is tried that its consumer refuses.
const REFUSALS: u32 = 5;
/// The first wait after a failure, which doubles, and the longest.
const WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// The worker of one instance.
#[derive(Debug)]
pub struct Worker {
    outbox: Arc<Outbox>,
    consumers: Arc<Consumers>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    wait: Duration,
}

impl Worker {
    /// A worker.
    #[must_use]
    pub fn new(
        outbox: Arc<Outbox>,
        consumers: Arc<Consumers>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { outbox, consumers, clock, metrics, wait: WAIT }
    }

    #[cfg(test)]
    pub(super) fn hasty(self) -> Self {
        Self { wait: Duration::from_millis(1), ..self }
    }

    /// Runs until it is dropped. What is under way then comes again at the next start.
    pub async fn run(self) {
        join_all(self.consumers.iter().map(|(key, consumer)| self.serve(key, consumer.as_ref()))).await;
    }

    async fn serve(&self, key: &str, consumer: &dyn Consumer) {
        let news = self.outbox.news(key);
        // In a row; and how many of them said that the message is not wanted.
        let (mut failures, mut refusals) = (0_u32, 0_u32);
        loop {
            let batch = self.outbox.first(key, consumer.batch());
            let Some((_, first)) = batch.first() else {
                news.notified().await;
                continue;
            };
            let messages: Vec<_> = batch
                .iter()
                .map(|(number, waiting)| Message { number: *number, body: Arc::clone(&waiting.body) })
                .collect();
            let numbers: Vec<u64> = batch.iter().map(|(number, _)| *number).collect();
            match consumer.deliver(&messages).await {
                Ok(()) => {
                    (failures, refusals) = (0, 0);
                    NotificationsDelivered { target: key, count: messages.len() }.emit(&self.metrics);
                    self.forget(key, &numbers).await;
                }
                Err(failure) => {
                    failures += 1;
                    refusals += u32::from(failure.refused);
                    NotificationFailed { target: key, reason: &failure.reason }.emit(&self.metrics);
                    // None, where the clock was set back.
                    let age = Duration::try_from(self.clock.now().duration_since(first.recorded));
                    let old = age.is_ok_and(|age| age >= PATIENCE);
                    if old || refusals >= REFUSALS {
                        let (count, reason) = (1, failure.reason.as_str());
                        NotificationDropped { bucket: "", target: key, count, reason }.emit(&self.metrics);
                        self.forget(key, numbers.get(..1).unwrap_or_default()).await;
                        (failures, refusals) = (0, 0);
                        continue;
                    }
                    let wait = self.wait.saturating_mul(1 << failures.min(16).saturating_sub(1));
                    tokio::time::sleep(wait.min(LONGEST_WAIT)).await;
                }
            }
        }
    }

    async fn forget(&self, key: &str, numbers: &[u64]) {
        if let Err(error) = self.outbox.forget(key, numbers).await {
            NotificationFailed { target: key, reason: &error.to_string() }.emit(&self.metrics);
        }
    }
}
