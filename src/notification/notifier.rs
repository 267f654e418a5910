//! Finds who is to be told of what happened, and records it in the outbox.

use std::path::Path;
use std::sync::Arc;

use crate::bucket::Notification;
use crate::bucket::notification::{DestinationKind, NotificationRule};
use crate::clock::Clock;
use crate::error::ApiError;
use crate::store::Bucket;
use crate::telemetry::Metrics;
use crate::telemetry::events::NotificationDropped;

use super::consumer::Consumers;
use super::event::{self, Cause, Happened};
use super::function;
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

    /// Checks that a destination is there, and may be told of what happens in a bucket.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, bucket: &Bucket, rule: &NotificationRule) -> Result<(), String> {
        if self.consumers.key(&rule.arn).is_none() {
            return Err("The destination is not among the server's notification targets".to_owned());
        }
        let is_function = rule.arn.starts_with("arn:aws:lambda:");
        if is_function != (rule.kind == DestinationKind::Function) {
            return Err("The ARN is not of the kind that the configuration is for".to_owned());
        }
        match self.consumers.functions().filter(|_| is_function) {
            Some(functions) => functions.check(&bucket.name, &bucket.owner, &rule.arn).map(drop),
            None => Ok(()),
        }
    }

    /// Whether a destination is there.
    #[must_use]
    pub fn knows(&self, arn: &str) -> bool {
        self.consumers.key(arn).is_some()
    }

    /// The file of a destination that is a queue in a file.
    #[must_use]
    pub fn queue_file(&self, arn: &str) -> Option<&Path> {
        self.consumers.queue_file(arn)
    }

    /// Hands a message to a destination; `false` where there is none of this ARN. Once it answers, the message is kept.
    ///
    /// # Errors
    /// The store's; 503 SlowDown where too many messages wait.
    pub async fn hand(&self, arn: &str, body: &str) -> Result<bool, ApiError> {
        let key = self.consumers.key(arn).filter(|_| !arn.starts_with("arn:aws:lambda:"));
        let Some(key) = key else { return Ok(false) };
        let Some(numbers) = self.outbox.reserve(1) else {
            return Err(ApiError::new(
                http::StatusCode::SERVICE_UNAVAILABLE,
                "SlowDown",
                "Too many notifications wait",
            ));
        };
        let waiting = Waiting { key, body: body.into(), recorded: self.clock.now() };
        self.outbox.add(numbers.map(|number| (number, waiting.clone())).collect()).await?;
        Ok(true)
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
            let message = event::message(bucket, &rule.id, cause, happened, number);
            let body = match rule.kind {
                DestinationKind::Function => function::wrap(bucket, &rule.arn, &message),
                DestinationKind::Queue | DestinationKind::Topic => message.to_string(),
            };
            Some((key.clone(), body))
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
        // As AWS: a function is not tested, for it must have said that it may be invoked.
        let tested = notification.rules.iter().filter(|rule| rule.kind != DestinationKind::Function);
        let mut keys: Vec<_> = tested.filter_map(|rule| self.consumers.key(&rule.arn)).collect();
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
