//! Events that are delivered later: kept, tried again when the function fails, and recorded where they could not be
//! delivered. At least once: what was under way when the server ended is tried again.
//!
//! - [`queue`]: what waits.
//! - [`destination`]: where records of what came of them go.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::catalog::lambda::EventInvoke;
use crate::catalog::{Catalog, FunctionKind};
use crate::clock::Clock;
use crate::error::ApiError;
use crate::telemetry::Metrics;
use crate::telemetry::events::FunctionEvent;

use super::invocation::{FunctionError, MAX_PAYLOAD, uuid};
use super::platform::{self, Event, InvokeError, Platform};
use super::registry::Resolved;

pub mod destination;
pub mod queue;

use destination::{Destinations, Record, json_of};
use queue::{EventQueue, Item, PutError, Queued, State};

/// Attempts after the first.
const RETRIES: u32 = 2;
/// Longest time in the queue, in seconds.
const AGE: u32 = 21_600;
/// Longest time between attempts at an event whose function cannot be run.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// What events are delivered with.
#[derive(Debug)]
pub struct Parts {
    /// What they run on.
    pub platform: Platform,
    /// Where their configuration is.
    pub catalog: Arc<dyn Catalog>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What waits.
    pub queue: Arc<EventQueue>,
    /// Where records go.
    pub destinations: Destinations,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Time before the second attempt; the third waits twice as long.
    pub retry_after: Duration,
}

/// Delivers events.
#[derive(Debug, Clone)]
pub struct Events(Arc<Parts>);

/// What came of one event.
struct Outcome {
    condition: &'static str,
    response: Option<Result<Bytes, FunctionError>>,
}

/// What comes after an attempt.
enum Next {
    Done(Outcome),
    /// Tried again after a while.
    Again(Duration),
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(SignedDuration::try_from(wait).unwrap_or_default()).unwrap_or(now)
}

impl Events {
    /// Over what waits.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Where records go.
    #[must_use]
    pub fn destinations(&self) -> &Destinations {
        &self.0.destinations
    }

    /// Takes an event, and answers its id once it is kept.
    ///
    /// # Errors
    /// 429 TooManyRequestsException when too many wait; the store's.
    pub async fn put(
        &self,
        function: &str,
        qualifier: Option<&str>,
        event: Event,
    ) -> Result<String, ApiError> {
        let id = uuid().map_err(|error| ApiError::internal(error.to_string()))?;
        let payload = String::from_utf8(event.payload.to_vec()).map_err(|_| {
            ApiError::new(
                http::StatusCode::BAD_REQUEST,
                "InvalidRequestContentException",
                "Could not parse request body into json: it is not UTF-8",
            )
        })?;
        let queued = Queued {
            id: id.clone(),
            function: function.to_owned(),
            qualifier: qualifier.map(str::to_owned),
            payload,
            client_context: event.client_context,
            received: self.0.clock.now(),
        };
        match self.0.queue.put(queued).await {
            Ok(()) => self.tell(function, &id, "accepted", None),
            Err(PutError::Full) => {
                self.tell(function, &id, "refused", Some("too many wait"));
                return Err(InvokeError::Throttled { reserved: false }.into());
            }
            Err(PutError::Store(error)) => return Err(error.into()),
        }
        Ok(id)
    }

    /// Delivers events until it is dropped; what is under way then is tried again by the next process.
    pub async fn run(self) {
        loop {
            let news = self.0.queue.news.notified();
            let now = self.0.clock.now();
            let (items, next) = self.0.queue.take(now);
            for item in items {
                let events = self.clone();
                tokio::spawn(async move { events.attempt(item).await });
            }
            let wait = next.map_or(Duration::from_secs(3600), |due| due.duration_since(now).unsigned_abs());
            drop(tokio::time::timeout(wait, news).await);
        }
    }

    fn tell(&self, function: &str, id: &str, action: &'static str, reason: Option<&str>) {
        FunctionEvent { function, id, action, reason }.emit(&self.0.metrics);
    }

    fn config(&self, queued: &Queued) -> Option<EventInvoke> {
        let view = self.0.catalog.snapshot();
        let FunctionKind::Lambda(lambda) = &view.functions.get(&queued.function)?.kind else { return None };
        lambda.event_invoke.get(queued.qualifier.as_deref().unwrap_or_default()).cloned()
    }

    async fn attempt(&self, mut item: Item) {
        let queued = Arc::clone(&item.queued);
        let (function, id) = (queued.function.as_str(), queued.id.as_str());
        let target = match self.0.platform.resolve(function, queued.qualifier.as_deref()) {
            Ok(target) => target,
            Err(why) => {
                self.tell(function, id, "dropped", Some(&why.to_string()));
                return self.forget(&item).await;
            }
        };
        let config = self.config(&queued);
        let age = config.as_ref().and_then(|config| config.age_seconds).unwrap_or(AGE);
        let until = later(queued.received, Duration::from_secs(age.into()));
        let retries = config.as_ref().and_then(|config| config.retries).unwrap_or(RETRIES);
        let too_old = Outcome { condition: "EventAgeExceeded", response: None };
        let next = if self.0.clock.now() > until {
            Next::Done(too_old)
        } else {
            match self.invoke(&target, &queued, &mut item.state, retries).await {
                Next::Again(wait) if later(self.0.clock.now(), wait) > until => Next::Done(too_old),
                next => next,
            }
        };
        match next {
            Next::Again(wait) => {
                item.state.due = later(self.0.clock.now(), wait);
                self.tell(function, id, "failed", None);
                if let Err(error) = self.0.queue.put_back(item).await {
                    tracing::warn!(function, id, %error, "how far an event has come could not be kept");
                }
            }
            Next::Done(outcome) => {
                let action = if outcome.condition == "Success" { "delivered" } else { "dropped" };
                let reason = (action == "dropped").then_some(outcome.condition);
                self.tell(function, id, action, reason);
                self.record(&target, &item, &outcome, config.as_ref()).await;
                self.forget(&item).await;
            }
        }
    }

    async fn forget(&self, item: &Item) {
        if let Err(error) = self.0.queue.forget(item).await {
            let id = item.queued.id.as_str();
            tracing::warn!(id, %error, "an event that is done could not be forgotten; it may come again");
        }
    }

    async fn invoke(&self, target: &Resolved, queued: &Queued, state: &mut State, retries: u32) -> Next {
        let event = Event {
            payload: Bytes::from(queued.payload.clone()),
            client_context: queued.client_context.clone(),
            request_id: Some(queued.id.clone()),
            ..Event::default()
        };
        match self.0.platform.invoke(target, event).await {
            Ok(done) => {
                state.attempts += 1;
                let result = match done.result {
                    Ok(output) => platform::collect(output, MAX_PAYLOAD).await,
                    Err(error) => Err(error),
                };
                if result.is_ok() {
                    return Next::Done(Outcome { condition: "Success", response: Some(result) });
                }
                if state.attempts > retries {
                    return Next::Done(Outcome { condition: "RetriesExhausted", response: Some(result) });
                }
                Next::Again(self.0.retry_after * state.attempts)
            }
            // Those do not count: AWS tries them again for as long as the event may wait.
            Err(_) => {
                let wait = Duration::from_secs(1 << state.refusals.min(9)).min(LONGEST_WAIT);
                state.refusals += 1;
                Next::Again(wait)
            }
        }
    }

    /// Writes a record of what came of an event where the configuration asks for one.
    async fn record(&self, target: &Resolved, item: &Item, outcome: &Outcome, config: Option<&EventInvoke>) {
        let is_success = outcome.condition == "Success";
        let wanted = match config {
            Some(config) if is_success => config.on_success.as_deref(),
            Some(config) if config.on_failure.is_some() => config.on_failure.as_deref(),
            _ if is_success => None,
            _ => target.version.settings.dead_letter.as_deref(),
        };
        let Some(arn) = wanted else { return };
        let document = self.document(target, item, outcome);
        let id = item.queued.id.as_str();
        let record = Record { document: &document, prefix: format!("aws/lambda/async/{}", target.name), id };
        if let Err(error) = self.0.destinations.send(self, arn, &record).await {
            let (function, reason) = (target.name.as_str(), error.internal.as_deref());
            tracing::error!(function, id, destination = arn, %error, reason, "the record of an event is lost");
        }
    }

    fn document(&self, target: &Resolved, item: &Item, outcome: &Outcome) -> Value {
        let queued = &item.queued;
        let mut record = json!({
            "version": "1.0",
            "timestamp": self.0.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            "requestContext": {
                "requestId": queued.id,
                "functionArn": destination::arn(&self.0.platform, &target.name, target.qualifier.as_deref()),
                "condition": outcome.condition,
                "approximateInvokeCount": item.state.attempts,
            },
            "requestPayload": json_of(queued.payload.as_bytes()),
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
        record
    }
}
