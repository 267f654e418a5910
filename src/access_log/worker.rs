//! Gathers lines into batches, keeps them across a crash, and delivers each batch as an object when its time has come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::bucket::Acl;
use crate::bucket::logging::{DateSource, KeyFormat, Logging};
use crate::clock::Clock;
use crate::encryption::Keyring;
use crate::error::ApiError;
use crate::s3::{OwnObject, put_own};
use crate::store::{RecordTable, Result, Store};
use crate::telemetry::Metrics;
use crate::telemetry::events::{AccessLogDelivered, AccessLogFailed, AccessLogLost};

use super::inbox::{Inbox, Line};
use super::key::{self, Origin};
use super::permit::{self, Source};
use super::spool::{Chunk, Spool};

/// Bytes of a batch that is delivered before its time.
const FULL: usize = 4 << 20;
/// Bytes of a batch that cannot be delivered and takes no more lines.
const MOST: usize = 32 << 20;
/// How often lines are written to the spool.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// How long a delivery that failed waits.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// How logs are delivered.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long lines of a bucket are gathered.
    pub interval: Duration,
}

/// The worker of one instance.
#[derive(Debug)]
pub struct Worker {
    inbox: Arc<Inbox>,
    store: Arc<dyn Store>,
    keyring: Arc<Keyring>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    options: Options,
    spool: Spool,
    batches: BTreeMap<String, Batch>,
    kept_at: Timestamp,
}

/// Lines that become one object.
#[derive(Debug)]
struct Batch {
    id: u64,
    /// All of it, but that `text` grows.
    chunk: Chunk,
    /// Bytes of it that are in the spool, in so many chunks.
    kept: usize,
    chunks: u32,
    not_before: Timestamp,
}

impl Batch {
    fn name(chunk: &Chunk) -> String {
        let Logging { target, prefix, key_format, grants, .. } = &chunk.logging;
        let day = match key_format {
            Some(KeyFormat::Partitioned(DateSource::EventTime)) => key::day(chunk.event).as_second(),
            _ => 0,
        };
        format!("{}\0{target}\0{prefix}\0{key_format:?}\0{grants:?}\0{day}", chunk.bucket)
    }
}

impl Worker {
    /// A worker that goes on with what the last one left. Reads the records, and blocks for that.
    ///
    /// # Errors
    /// The records cannot be read.
    pub fn new(
        inbox: Arc<Inbox>,
        store: Arc<dyn Store>,
        records: Arc<dyn RecordTable>,
        keyring: Arc<Keyring>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        options: Options,
    ) -> Result<Self> {
        let (spool, left) = Spool::open(records)?;
        let mut batches: BTreeMap<String, Batch> = BTreeMap::new();
        for (id, number, chunk) in left {
            // What one process left as two batches stays two, for each is forgotten by its own number.
            let name = format!("{}\0{id}", Batch::name(&chunk));
            let batch = batches.entry(name).or_insert_with(|| {
                let chunk = Chunk { text: String::new(), ..chunk.clone() };
                Batch { id, chunk, kept: 0, chunks: 0, not_before: Timestamp::MIN }
            });
            batch.chunk.text.push_str(&chunk.text);
            (batch.kept, batch.chunks) = (batch.chunk.text.len(), number + 1);
        }
        let kept_at = clock.now();
        Ok(Self { inbox, store, keyring, clock, metrics, options, spool, batches, kept_at })
    }

    /// Runs until it is told to stop; then it delivers what there is.
    pub async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        let tick = (self.options.interval / 20).clamp(Duration::from_millis(20), Duration::from_millis(500));
        loop {
            let stopped = tokio::select! {
                _ = &mut stop => true,
                () = tokio::time::sleep(tick) => false,
            };
            self.pass(stopped).await;
            if stopped {
                return;
            }
        }
    }

    /// One pass: takes lines, keeps them, delivers what is due, or all.
    pub async fn pass(&mut self, all: bool) {
        self.gather();
        let now = self.clock.now();
        if all || now.duration_since(self.kept_at).unsigned_abs() >= KEEP_EVERY {
            self.kept_at = now;
            self.keep().await;
        }
        let due: Vec<String> = self
            .batches
            .iter()
            .filter(|(_, batch)| {
                let age = now.duration_since(batch.chunk.since).unsigned_abs();
                let ripe = age >= self.options.interval || batch.chunk.text.len() >= FULL;
                all || (ripe && batch.not_before <= now)
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in due {
            let Some(mut batch) = self.batches.remove(&name) else { continue };
            if let Err(error) = self.deliver(&batch, now).await {
                AccessLogFailed { bucket: &batch.chunk.bucket, error: &error }.emit(&self.metrics);
                batch.not_before = now.saturating_add(RETRY_AFTER).unwrap_or(now);
                self.batches.insert(name, batch);
            }
        }
    }

    fn gather(&mut self) {
        let (lines, mut lost) = self.inbox.take();
        let now = self.clock.now();
        for Line { bucket, time, text } in lines {
            let Some(logging) = bucket.config.logging.clone() else { continue };
            let chunk = Chunk {
                bucket: bucket.name.clone(),
                account: bucket.owner.clone(),
                region: bucket.region.clone(),
                logging,
                event: time,
                since: now,
                text: String::new(),
            };
            let name = Batch::name(&chunk);
            if !self.batches.contains_key(&name) {
                // Without random bytes nothing can be named; that line is lost.
                let Ok(id) = getrandom::u64() else {
                    lost += 1;
                    continue;
                };
                let batch = Batch { id, chunk, kept: 0, chunks: 0, not_before: Timestamp::MIN };
                self.batches.insert(name.clone(), batch);
            }
            match self.batches.get_mut(&name) {
                Some(batch) if batch.chunk.text.len() < MOST => batch.chunk.text.push_str(&text),
                _ => lost += 1,
            }
        }
        if lost > 0 {
            AccessLogLost { bucket: "", lines: lost, reason: "too many lines wait" }.emit(&self.metrics);
        }
    }

    /// Writes new lines to the spool. Where that fails, the next time tries again.
    async fn keep(&mut self) {
        let mut chunks = Vec::new();
        for batch in self.batches.values() {
            if let Some(text) = batch.chunk.text.get(batch.kept..).filter(|text| !text.is_empty()) {
                let chunk = Chunk { text: text.to_owned(), ..head(&batch.chunk) };
                chunks.push((batch.id, batch.chunks, chunk));
            }
        }
        if chunks.is_empty() {
            return;
        }
        match self.spool.add(chunks).await {
            Ok(()) => {
                for batch in self.batches.values_mut() {
                    if batch.kept < batch.chunk.text.len() {
                        (batch.kept, batch.chunks) = (batch.chunk.text.len(), batch.chunks + 1);
                    }
                }
            }
            Err(error) => AccessLogFailed { bucket: "", error: &ApiError::from(error) }.emit(&self.metrics),
        }
    }

    /// Delivers a batch, or drops it where it may not be delivered. An error is worth another try.
    async fn deliver(&self, batch: &Batch, now: Timestamp) -> std::result::Result<(), ApiError> {
        let Chunk { bucket, account, region, logging, event, text, .. } = &batch.chunk;
        let key = key::name(logging, Origin { account, region, bucket }, *event, now, batch.id);
        let target = self.store.buckets().get(&logging.target).cloned();
        let source = Source { bucket, account };
        let target = target.filter(|target| permit::allows(target, &key, &logging.prefix, source));
        let Some(target) = target else {
            let lines = text.lines().count() as u64;
            let reason = "the target bucket is gone, of another owner, or does not let the service in";
            AccessLogLost { bucket, lines, reason }.emit(&self.metrics);
            return Ok(self.spool.forget(batch.id, batch.chunks).await?);
        };
        let mut acl = Acl::private(&target.owner);
        acl.grants.extend(logging.grants.iter().cloned());
        let object = OwnObject {
            content_type: "text/plain",
            acl: Some(acl).filter(|_| !logging.grants.is_empty()),
            bytes: text.clone().into(),
        };
        put_own(self.store.as_ref(), &self.keyring, self.clock.as_ref(), &target, &key, object).await?;
        AccessLogDelivered { bucket, target: &target.name, key: &key }.emit(&self.metrics);
        Ok(self.spool.forget(batch.id, batch.chunks).await?)
    }
}

/// A chunk without its text.
fn head(chunk: &Chunk) -> Chunk {
    let Chunk { bucket, account, region, logging, event, since, .. } = chunk;
    Chunk {
        bucket: bucket.clone(),
        account: account.clone(),
        region: region.clone(),
        logging: logging.clone(),
        event: *event,
        since: *since,
        text: String::new(),
    }
}
