//! Events that are delivered later: queued, tried again when the function fails, and recorded where they could not be
//! delivered. The queue is in memory: what waits in it is lost with the process.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::catalog::lambda::EventInvoke;
use crate::catalog::{Catalog, FunctionKind};
use crate::clock::Clock;
use crate::error::ApiError;
use crate::store::{NewObject, Payload, StageOptions, Store, StoreError, WriteCondition};

use super::invocation::{FunctionError, MAX_PAYLOAD, uuid};
use super::platform::{self, Event, InvokeError, Platform};
use super::registry::Resolved;

/// Events that wait or run.
const MAX_EVENTS: usize = 10_000;
/// Attempts after the first.
const RETRIES: u32 = 2;
/// Longest time in the queue, in seconds.
const AGE: u32 = 21_600;

/// Delivers events.
#[derive(Debug, Clone)]
pub struct Events {
    /// What they run on.
    pub platform: Platform,
    /// Where their configuration is.
    pub catalog: Arc<dyn Catalog>,
    /// Where records of them go.
    pub store: Arc<dyn Store>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The account of all functions.
    pub account_id: String,
    /// Time before the second attempt; the third waits twice as long.
    pub retry_after: Duration,
    places: Arc<Semaphore>,
}

/// What came of one event.
struct Outcome {
    condition: &'static str,
    attempts: u32,
    response: Option<Result<Bytes, FunctionError>>,
}

impl Events {
    /// With an empty queue.
    #[must_use]
    pub fn new(
        platform: Platform,
        catalog: Arc<dyn Catalog>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        account_id: String,
        retry_after: Duration,
    ) -> Self {
        let places = Arc::new(Semaphore::new(MAX_EVENTS));
        Self { platform, catalog, store, clock, account_id, retry_after, places }
    }

    /// Takes an event, and answers its id.
    ///
    /// # Errors
    /// 429 TooManyRequestsException when the queue is full.
    pub fn put(&self, target: Resolved, mut event: Event) -> Result<String, ApiError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| InvokeError::Throttled { reserved: false })?;
        let id = uuid().map_err(|error| ApiError::internal(error.to_string()))?;
        event.request_id = Some(id.clone());
        let events = self.clone();
        tokio::spawn(async move {
            let config = events.config(&target);
            let outcome = events.deliver(&target, &event, config.as_ref()).await;
            drop(place);
            events.record(&target, &event, &outcome, config.as_ref()).await;
        });
        Ok(id)
    }

    fn config(&self, target: &Resolved) -> Option<EventInvoke> {
        let view = self.catalog.snapshot();
        let FunctionKind::Lambda(lambda) = &view.functions.get(&target.name)?.kind else { return None };
        lambda.event_invoke.get(target.qualifier.as_deref().unwrap_or_default()).cloned()
    }

    async fn deliver(&self, target: &Resolved, event: &Event, config: Option<&EventInvoke>) -> Outcome {
        let retries = config.and_then(|config| config.retries).unwrap_or(RETRIES);
        let age = config.and_then(|config| config.age_seconds).unwrap_or(AGE);
        let until = tokio::time::Instant::now() + Duration::from_secs(age.into());
        let (mut attempts, mut throttled) = (0, Duration::from_secs(1));
        loop {
            let pause = match self.platform.invoke(target, event.clone()).await {
                Ok(done) => {
                    attempts += 1;
                    let result = match done.result {
                        Ok(output) => platform::collect(output, MAX_PAYLOAD).await,
                        Err(error) => Err(error),
                    };
                    if result.is_ok() {
                        return Outcome { condition: "Success", attempts, response: Some(result) };
                    }
                    if attempts > retries {
                        return Outcome { condition: "RetriesExhausted", attempts, response: Some(result) };
                    }
                    self.retry_after * attempts
                }
                // Those do not count: AWS tries them again for as long as the event may wait.
                Err(_) => {
                    let pause = throttled;
                    throttled = (throttled * 2).min(Duration::from_secs(300));
                    pause
                }
            };
            if tokio::time::Instant::now() + pause > until {
                return Outcome { condition: "EventAgeExceeded", attempts, response: None };
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Writes a record of what came of an event where the configuration asks for one: into a bucket, as AWS names it.
    async fn record(
        &self,
        target: &Resolved,
        event: &Event,
        outcome: &Outcome,
        config: Option<&EventInvoke>,
    ) {
        let is_success = outcome.condition == "Success";
        let wanted = match config {
            Some(config) if is_success => config.on_success.as_deref(),
            Some(config) if config.on_failure.is_some() => config.on_failure.as_deref(),
            _ if is_success => None,
            _ => target.version.settings.dead_letter.as_deref(),
        };
        let Some(destination) = wanted else { return };
        let function = target.name.as_str();
        let id = event.request_id.as_deref().unwrap_or_default();
        let Some(bucket) = destination.strip_prefix("arn:aws:s3:::") else {
            tracing::warn!(
                function,
                id,
                destination,
                "records of events go to buckets alone; this one is lost"
            );
            return;
        };
        if let Err(error) = self.write(target, event, outcome, bucket).await {
            tracing::error!(function, id, destination, %error, "the record of an event could not be written");
        }
    }

    async fn write(
        &self,
        target: &Resolved,
        event: &Event,
        outcome: &Outcome,
        bucket: &str,
    ) -> Result<(), StoreError> {
        let bucket = self.store.bucket(bucket)?;
        // What belongs to another account is not this account's to write to.
        if bucket.owner != self.account_id {
            return Err(StoreError::NoSuchBucket);
        }
        let now = self.clock.now();
        let id = event.request_id.clone().unwrap_or_default();
        let json_of = |bytes: &[u8]| {
            serde_json::from_slice::<Value>(bytes)
                .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(bytes).into_owned()))
        };
        let mut record = json!({
            "version": "1.0",
            "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            "requestContext": {
                "requestId": id,
                "functionArn": self.platform.arn(
                    &target.name, Some(target.qualifier.as_deref().unwrap_or("$LATEST"))),
                "condition": outcome.condition,
                "approximateInvokeCount": outcome.attempts,
            },
            "requestPayload": json_of(&event.payload),
        });
        if let (Value::Object(fields), Some(response)) = (&mut record, &outcome.response) {
            let mut context = json!({ "statusCode": 200, "executedVersion": target.version.version });
            let payload = match response {
                Ok(payload) => payload,
                Err(error) => {
                    if let Value::Object(context) = &mut context {
                        context.insert("functionError".to_owned(), json!("Unhandled"));
                    }
                    &error.payload
                }
            };
            fields.insert("responseContext".to_owned(), context);
            fields.insert("responsePayload".to_owned(), json_of(payload));
        }
        let key =
            format!("aws/lambda/async/{}/{}-{id}", target.name, now.strftime("%Y/%m/%d/%Y-%m-%dT%H.%M.%S"));
        let bytes = Bytes::from(record.to_string());
        let staged = self.store.stage(Payload::Bytes(bytes), StageOptions::default()).await?;
        let mut object = NewObject::default();
        object.headers.content_type = Some("application/json".to_owned());
        self.store.put(&bucket, &key, staged, object, WriteCondition::default()).await?;
        Ok(())
    }
}
