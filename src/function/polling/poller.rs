//! One mapping at work: reads a batch, hands it to the function, and passes it once it is done.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::time::Instant;

use crate::catalog::lambda::EventSource;
use crate::error::ApiError;
use crate::function::events::destination::{Record, arn, json_of};
use crate::function::invocation::{FunctionError, MAX_PAYLOAD};
use crate::function::platform::{self, Event};
use crate::notification::queue_reader::{Position, QueueReader};
use crate::telemetry::events::FunctionBatch;

use super::batch::{self, Item};
use super::filter::{Filter, Message};
use super::{Polling, find};

/// How often a queue is looked into that had nothing.
const LOOK: Duration = Duration::from_millis(500);
/// Bytes of the messages of one batch, which become more in the event.
const MAX_BYTES: usize = MAX_PAYLOAD / 2;
/// Longest time between attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// One mapping.
#[derive(Debug)]
pub(super) struct Poller {
    polling: Polling,
    uuid: String,
    /// Reads the queue of this file.
    reader: Option<(PathBuf, QueueReader)>,
}

/// The mapping was changed: it is to begin anew, or not at all.
struct Changed;

impl Poller {
    pub(super) fn new(polling: Polling, uuid: String) -> Self {
        Self { polling, uuid, reader: None }
    }

    /// Works until the mapping is gone or not enabled.
    pub(super) async fn run(mut self) {
        loop {
            let Some((function, source)) = self.current() else { return };
            let (items, next) = match self.gather(&source).await {
                Ok(Some(found)) => found,
                Ok(None) => {
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
                Err(error) => {
                    tracing::warn!(uuid = self.uuid, error, "a queue cannot be read");
                    tokio::time::sleep(LONGEST_WAIT / 10).await;
                    continue;
                }
            };
            let wanted = match self.wanted(&function, &source, items) {
                Ok(wanted) => wanted,
                Err(error) => {
                    tracing::error!(uuid = self.uuid, error, "a filter of a mapping cannot be read");
                    tokio::time::sleep(LONGEST_WAIT / 10).await;
                    continue;
                }
            };
            if !wanted.is_empty() && self.deliver(&function, &source, wanted).await.is_err() {
                continue;
            }
            while let Err(error) = self.polling.0.parts.places.put(&self.uuid, next.clone()).await {
                tracing::warn!(uuid = self.uuid, %error, "the place of a mapping cannot be kept");
                tokio::time::sleep(LONGEST_WAIT / 10).await;
            }
        }
    }

    /// The mapping as it is now.
    fn current(&self) -> Option<(String, EventSource)> {
        let view = self.polling.0.parts.catalog.snapshot();
        let (function, source) = find(&view, &self.uuid)?;
        source.enabled.then(|| (function.to_owned(), source.clone()))
    }

    /// The next batch and what is behind it: full, or as it is when its window is over.
    async fn gather(&mut self, source: &EventSource) -> Result<Option<(Vec<Item>, Position)>, String> {
        let Some(path) = self.polling.0.parts.notifier.queue_file(&source.source_arn) else {
            return Err(format!("{} is no queue of this server any more", source.source_arn));
        };
        let path = path.to_owned();
        let window = Duration::from_secs(source.window_seconds.into());
        let mut began: Option<Instant> = None;
        loop {
            let place = self.polling.0.parts.places.get(&self.uuid);
            let mut reader = match self.reader.take() {
                Some((of, reader)) if of == path => reader,
                _ => QueueReader::new(path.clone()),
            };
            let count = source.batch_size as usize;
            let reading = tokio::task::spawn_blocking(move || {
                let lines = reader.read(place.as_ref(), count, MAX_BYTES);
                (reader, lines)
            });
            let (reader, lines) = reading.await.map_err(|error| error.to_string())?;
            self.reader = Some((path.clone(), reader));
            let lines = lines.map_err(|error| error.to_string())?;
            let Some(next) = lines.last().map(|line| line.next.clone()) else { return Ok(None) };
            let size: usize = lines.iter().map(|line| line.body.len()).sum();
            let began = *began.get_or_insert_with(Instant::now);
            if lines.len() >= count || size >= MAX_BYTES / 2 || began.elapsed() >= window {
                let now = self.polling.0.parts.clock.now();
                return Ok(Some((lines.into_iter().map(|line| Item::new(line, now)).collect(), next)));
            }
            if self.current().is_none() {
                return Ok(None);
            }
            tokio::time::sleep(LOOK.min(window)).await;
        }
    }

    /// What of a batch the mapping's filters let through. All were checked when they were set.
    fn wanted(
        &self,
        function: &str,
        source: &EventSource,
        mut items: Vec<Item>,
    ) -> Result<Vec<Item>, String> {
        let filters: Vec<Filter> =
            source.filters.iter().map(|pattern| Filter::parse(pattern)).collect::<Result<_, _>>()?;
        if !filters.is_empty() {
            let (count, region) = (items.len(), self.polling.0.parts.platform.region());
            items.retain(|item| {
                let message = Message::new(item.record(&source.source_arn, region, 0));
                filters.iter().any(|filter| filter.matches(&message))
            });
            self.tell(function, "filtered", count - items.len());
        }
        Ok(items)
    }

    /// Hands a batch to the function until nothing of it is left.
    async fn deliver(
        &self,
        function: &str,
        source: &EventSource,
        mut items: Vec<Item>,
    ) -> Result<(), Changed> {
        let parts = &self.polling.0.parts;
        let (mut attempts, mut refusals) = (0_u32, 0_u32);
        loop {
            let count = items.len();
            let wait = match self.invoke(function, source, &items, attempts).await {
                Ok(failed) => {
                    attempts += 1;
                    let error = failed.error;
                    items.retain(|item| failed.ids.as_ref().is_none_or(|ids| ids.contains(&item.id)));
                    self.tell(function, "delivered", count - items.len());
                    if items.is_empty() {
                        self.polling.note(&self.uuid, "OK");
                        return Ok(());
                    }
                    self.polling.note(&self.uuid, "PROBLEM: Function call failed");
                    if source.retries.is_some_and(|retries| attempts > retries) {
                        return self.give_up(function, source, &items, attempts, error.as_ref()).await;
                    }
                    self.tell(function, "failed", items.len());
                    parts.retry_after.saturating_mul(1 << (attempts - 1).min(16))
                }
                // Those do not count.
                Err(_) => {
                    refusals += 1;
                    self.polling.note(&self.uuid, "PROBLEM: Function call throttled");
                    Duration::from_secs(1 << (refusals - 1).min(9))
                }
            };
            self.wait(source, wait.min(LONGEST_WAIT)).await?;
        }
    }

    /// Waits, unless the mapping is changed meanwhile.
    async fn wait(&self, source: &EventSource, wait: Duration) -> Result<(), Changed> {
        let until = Instant::now() + wait;
        loop {
            if self.current().is_none_or(|(_, now)| now != *source) {
                return Err(Changed);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            tokio::time::sleep(left.min(Duration::from_secs(1))).await;
        }
    }

    /// Invokes the function, and says what failed; an error: it was not run.
    async fn invoke(
        &self,
        function: &str,
        source: &EventSource,
        items: &[Item],
        attempts: u32,
    ) -> Result<Failed, String> {
        let platform = &self.polling.0.parts.platform;
        let target = platform.resolve(function, source.qualifier.as_deref());
        let target = target.map_err(|why| why.to_string())?;
        let document = batch::event(items, &source.source_arn, platform.region(), attempts);
        let event = Event { payload: Bytes::from(document.to_string()), ..Event::default() };
        let done = platform.invoke(&target, event).await.map_err(|why| why.to_string())?;
        let answer = match done.result {
            Ok(output) => platform::collect(output, MAX_PAYLOAD).await,
            Err(error) => Err(error),
        };
        Ok(match answer {
            Ok(answer) if source.reports_failures => {
                Failed { ids: batch::failures(&answer, items), error: None }
            }
            Ok(_) => Failed { ids: Some(Vec::new()), error: None },
            Err(error) => Failed { ids: None, error: Some(error) },
        })
    }

    /// Sends what failed for good to where it is to go. It is not passed before it is there.
    async fn give_up(
        &self,
        function: &str,
        source: &EventSource,
        items: &[Item],
        attempts: u32,
        error: Option<&FunctionError>,
    ) -> Result<(), Changed> {
        let Some(destination) = source.on_failure.as_deref() else {
            self.tell(function, "dropped", items.len());
            return Ok(());
        };
        while let Err(error) = self.send(function, source, items, attempts, error, destination).await {
            let reason = error.internal.as_deref();
            tracing::warn!(uuid = self.uuid, destination, %error, reason, "a batch that failed cannot be handed over");
            self.wait(source, LONGEST_WAIT / 10).await?;
        }
        self.tell(function, "moved", items.len());
        Ok(())
    }

    async fn send(
        &self,
        function: &str,
        source: &EventSource,
        items: &[Item],
        attempts: u32,
        error: Option<&FunctionError>,
        destination: &str,
    ) -> Result<(), ApiError> {
        let parts = &self.polling.0.parts;
        // A dead-letter queue takes the messages as they were.
        if !destination.starts_with("arn:aws:s3:::") && !destination.starts_with("arn:aws:lambda:") {
            for item in items {
                if !parts.notifier.hand(destination, &item.body).await? {
                    return Err(ApiError::invalid_argument(format!(
                        "{destination} is no destination of notifications"
                    )));
                }
            }
            return Ok(());
        }
        let id = items.first().map(|item| item.id.as_str()).unwrap_or_default();
        let mut document = json!({
            "version": "1.0",
            "timestamp": parts.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            "requestContext": {
                "requestId": id,
                "functionArn": arn(&parts.platform, function, source.qualifier.as_deref()),
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": attempts,
            },
            "payload": batch::event(items, &source.source_arn, parts.platform.region(), attempts),
        });
        if let (Some(error), Some(fields)) = (error, document.as_object_mut()) {
            let context = json!({ "statusCode": 200, "functionError": "Unhandled" });
            fields.insert("responseContext".to_owned(), context);
            fields.insert("responsePayload".to_owned(), json_of(&error.payload));
        }
        let prefix = format!("aws/lambda/{}", self.uuid);
        let record = Record { document: &document, prefix, id };
        parts.events.destinations().send(&parts.events, destination, &record).await
    }

    fn tell(&self, function: &str, action: &'static str, count: usize) {
        if count > 0 {
            FunctionBatch { function, mapping: &self.uuid, action, count }
                .emit(&self.polling.0.parts.metrics);
        }
    }
}

/// What of a batch failed.
struct Failed {
    /// Ids; `None`: all of it.
    ids: Option<Vec<String>>,
    /// What the function said.
    error: Option<FunctionError>,
}
