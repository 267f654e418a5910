//! Functions as destinations: each message becomes an event of a function, which must let S3 invoke it.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::catalog::Catalog;
use crate::function::events::Events;
use crate::function::permission;
use crate::function::platform::Event;
use crate::lambda_api::name::FunctionName;
use crate::store::Bucket;
use crate::telemetry::Metrics;
use crate::telemetry::events::NotificationDropped;

use super::consumer::{Consumer, Failure, Message};

/// The outbox's key of all functions.
pub(super) const FUNCTIONS: &str = "functions";
/// The name by which S3 invokes functions.
const SERVICE: &str = "s3.amazonaws.com";

/// All functions.
#[derive(Debug)]
pub struct Functions {
    catalog: Arc<dyn Catalog>,
    account_id: String,
    metrics: Arc<Metrics>,
    events: OnceLock<Events>,
}

/// A message with the function that it is for.
pub(super) fn wrap(bucket: &Bucket, arn: &str, message: &Value) -> String {
    json!({ "bucket": bucket.name, "owner": bucket.owner, "function": arn, "event": message }).to_string()
}

impl Functions {
    /// Functions of an account.
    #[must_use]
    pub fn new(catalog: Arc<dyn Catalog>, account_id: String, metrics: Arc<Metrics>) -> Self {
        Self { catalog, account_id, metrics, events: OnceLock::new() }
    }

    /// Says what delivers events. Until then messages wait.
    pub fn open(&self, events: Events) {
        drop(self.events.set(events));
    }

    /// Whether a function is there and lets S3 invoke it for a bucket.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn check(&self, bucket: &str, owner: &str, arn: &str) -> Result<FunctionName, String> {
        let named = FunctionName::parse(arn, None, &self.account_id)
            .map_err(|_| format!("The function {arn} is none of this server"))?;
        let source = permission::Source {
            service: SERVICE,
            arn: &format!("arn:aws:s3:::{bucket}"),
            account_id: owner,
        };
        permission::allows(&self.catalog.snapshot(), &named, arn, &source)?;
        Ok(named)
    }
}

#[async_trait]
impl Consumer for Functions {
    fn batch(&self) -> usize {
        1
    }

    async fn deliver(&self, messages: &[Message]) -> Result<(), Failure> {
        let failed = |reason: String, refused: bool| Failure { reason, refused };
        let Some(events) = self.events.get() else {
            return Err(failed("functions are not ready yet".to_owned(), false));
        };
        for message in messages {
            let body: Value =
                serde_json::from_str(&message.body).map_err(|error| failed(error.to_string(), true))?;
            let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
            // What was allowed when the bucket was configured may not be any more.
            let (bucket, target) = (text("bucket"), text("function"));
            let named = match self.check(bucket, text("owner"), target) {
                Ok(named) => named,
                // It is given up at once, for others wait behind it.
                Err(reason) => {
                    NotificationDropped { bucket, target, count: 1, reason: &reason }.emit(&self.metrics);
                    continue;
                }
            };
            let payload = Bytes::from(body.get("event").map(Value::to_string).unwrap_or_default());
            let event = Event { payload, ..Event::default() };
            let put = events.put(&named.name, named.qualifier.as_deref(), event).await;
            put.map_err(|error| failed(error.internal.unwrap_or(error.message.into_owned()), false))?;
        }
        Ok(())
    }
}
