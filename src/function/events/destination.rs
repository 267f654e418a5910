//! Where records of what came of events go: a bucket, a destination of notifications, or a function.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::clock::Clock;
use crate::error::ApiError;
use crate::function::platform::{Event, Platform};
use crate::lambda_api::name::FunctionName;
use crate::notification::Notifier;
use crate::store::{NewObject, Payload, StageOptions, Store, StoreError, WriteCondition};

use super::Events;

/// Writes records.
#[derive(Debug, Clone)]
pub struct Destinations {
    /// Where buckets are.
    pub store: Arc<dyn Store>,
    /// Where notifications go.
    pub notifier: Notifier,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The account of all functions.
    pub account_id: String,
}

/// What a record is.
#[derive(Debug)]
pub struct Record<'a> {
    /// The document.
    pub document: &'a Value,
    /// The first part of its key in a bucket: `aws/lambda/async/f`.
    pub prefix: String,
    /// Names it.
    pub id: &'a str,
}

impl Destinations {
    /// Hands a record over for good.
    ///
    /// # Errors
    /// There is no such destination, or it cannot be written.
    pub async fn send(&self, events: &Events, arn: &str, record: &Record<'_>) -> Result<(), ApiError> {
        if let Some(bucket) = arn.strip_prefix("arn:aws:s3:::") {
            return Ok(self.write(bucket, record).await?);
        }
        if arn.starts_with("arn:aws:lambda:") {
            let FunctionName { name, qualifier } = FunctionName::parse(arn, None, &self.account_id)?;
            let event = Event { payload: Bytes::from(record.document.to_string()), ..Event::default() };
            return events.put(&name, qualifier.as_deref(), event).await.map(drop);
        }
        if self.notifier.hand(arn, &record.document.to_string()).await? {
            return Ok(());
        }
        Err(ApiError::invalid_argument(format!(
            "{arn} is no bucket, function or destination of notifications"
        )))
    }

    async fn write(&self, bucket: &str, record: &Record<'_>) -> Result<(), StoreError> {
        let bucket = self.store.bucket(bucket)?;
        // What belongs to another account is not this account's to write to.
        if bucket.owner != self.account_id {
            return Err(StoreError::NoSuchBucket);
        }
        let time = self.clock.now().strftime("%Y/%m/%d/%Y-%m-%dT%H.%M.%S");
        let key = format!("{}/{time}-{}", record.prefix, record.id);
        let bytes = Bytes::from(record.document.to_string());
        let staged = self.store.stage(Payload::Bytes(bytes), StageOptions::default()).await?;
        let mut object = NewObject::default();
        object.headers.content_type = Some("application/json".to_owned());
        self.store.put(&bucket, &key, staged, object, WriteCondition::default()).await?;
        Ok(())
    }
}

/// What is JSON as it is, else as text.
pub(crate) fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice::<Value>(bytes)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(bytes).into_owned()))
}

/// The ARN of a function as records name it.
pub(crate) fn arn(platform: &Platform, name: &str, qualifier: Option<&str>) -> String {
    platform.arn(name, Some(qualifier.unwrap_or("$LATEST")))
}
