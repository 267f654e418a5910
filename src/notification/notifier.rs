//! Finds who is to be told of what happened, and records it in the outbox.

use std::sync::Arc;

use crate::bucket::Notification;
use crate::clock::Clock;
use crate::error::ApiError;
use crate::store::Bucket;
use crate::telemetry::Metrics;
use crate::telemetry::events::NotificationDropped;

use super::consumer::Consumers;
use super::event::{self, Cause, Happened};
use super::outbox::{Outbox, Waiting};

/// Records events.
#[derive(Debug, Clone)]
pub struct Notifier {
    outbox: Arc<Outbox>,
    consumers: Arc<Consumers>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
}

impl Notifier {
    /// A notifier.
    #[must_use]
    pub fn new(
        outbox: Arc<Outbox>,
        consumers: Arc<Consumers>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { outbox, consumers, clock, metrics }
    }

    /// Whether a destination is there.
    #[must_use]
    pub fn knows(&self, arn: &str) -> bool {
        self.consumers.key(arn).is_some()
    }

    /// Records what happened in a bucket for whoever is to be told. Once it answers, that survives a crash.
    ///
    /// # Errors
    /// The store's.
    pub async fn tell(&self, bucket: &Bucket, cause: &Cause, happened: &[Happened]) -> Result<(), ApiError> {
        let Some(notification) = &bucket.config.notification else { return Ok(()) };
        let told: Vec<_> = happened
            .iter()
            .flat_map(|happened| {
                let rules = notification.rules.iter();
                rules
                    .filter(|rule| rule.matches(happened.event.name(), &happened.key))
                    .map(move |rule| (rule, happened))
            })
            .filter_map(|(rule, happened)| Some((self.consumers.key(&rule.arn)?, rule, happened)))
            .collect();
        self.record(&bucket.name, told.len(), |n, number| {
            let (key, rule, happened) = told.get(n)?;
            Some((key.clone(), event::message(bucket, &rule.id, cause, happened, number).to_string()))
        })
        .await
    }

    /// Records a test for each destination of a configuration.
    ///
    /// # Errors
    /// The store's.
    pub async fn test(
        &self,
        bucket: &str,
        cause: &Cause,
        notification: &Notification,
    ) -> Result<(), ApiError> {
        let mut keys: Vec<_> =
            notification.rules.iter().filter_map(|rule| self.consumers.key(&rule.arn)).collect();
        keys.sort();
        keys.dedup();
        let body = event::test_message(bucket, cause, self.clock.now()).to_string();
        self.record(bucket, keys.len(), |n, _| Some((keys.get(n)?.clone(), body.clone()))).await
    }

    /// Records so many messages, each made once its number is known.
    async fn record(
        &self,
        bucket: &str,
        count: usize,
        make: impl Fn(usize, u64) -> Option<(String, String)>,
    ) -> Result<(), ApiError> {
        if count == 0 {
            return Ok(());
        }
        let Some(numbers) = self.outbox.reserve(count) else {
            let reason = "too many wait";
            NotificationDropped { bucket, target: "", count, reason }.emit(&self.metrics);
            return Ok(());
        };
        let recorded = self.clock.now();
        let mut messages = Vec::with_capacity(count);
        for (n, number) in numbers.enumerate() {
            let (key, body) =
                make(n, number).ok_or_else(|| ApiError::internal("a notification without a message"))?;
            messages.push((number, Waiting { key, body: body.into(), recorded }));
        }
        Ok(self.outbox.add(messages).await?)
    }
}
