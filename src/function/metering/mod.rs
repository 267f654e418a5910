//! What functions used: counted as metrics, and kept as a table of the store, by day, function, version and OLAP.
//!
//! - [`usage`]: the rows of the table.
//! - [`measure`]: one run under way, and the bytes that go in and out of it.
//!
//! Rows are written in batches, every [`FLUSH`]: a crash loses what came since. A stop loses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::store::record::TASK;
use crate::store::{RecordChange, RecordTable, Result, StoreError};
use crate::telemetry::Metrics;
use crate::telemetry::invocations::{FunctionAsked, Outcome};

pub mod measure;
pub mod usage;

pub use measure::{Cpu, Measure, Traffic};
pub use usage::{Row, RowKey, Usage};

/// How often rows are written.
pub const FLUSH: Duration = Duration::from_secs(2);
/// Days that have rows of their own; what is older is one row without a day.
const DAYS: i64 = 92;
/// Rows of one day with names of their own; what comes later counts under the empty name.
const MOST_ROWS: usize = 10_000;
/// Start of the names of the records.
const PREFIX: &str = "function-usage/";

/// Counts.
#[derive(Debug)]
pub struct Meter {
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    table: Arc<dyn RecordTable>,
    rows: Mutex<Rows>,
    /// One flush at a time.
    flushing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Rows {
    all: BTreeMap<RowKey, Usage>,
    changed: BTreeSet<RowKey>,
    /// The day on which old rows were last put together.
    folded: String,
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

fn name(key: &RowKey) -> String {
    let RowKey { day, executor, function, version, object_lambda } = key;
    format!("{PREFIX}{day}/{executor}/{function}/{version}/{object_lambda}")
}

impl Meter {
    /// Opens it with what was counted before. Reads the records, and blocks for that.
    ///
    /// # Errors
    /// The records cannot be read.
    pub fn open(table: Arc<dyn RecordTable>, clock: Arc<dyn Clock>, metrics: Arc<Metrics>) -> Result<Self> {
        let mut rows = Rows::default();
        for record in table.load()? {
            if record.kind != TASK || !record.name.starts_with(PREFIX) {
                continue;
            }
            match serde_json::from_slice::<Row>(&record.value) {
                Ok(row) => drop(rows.all.insert(row.key, row.usage)),
                Err(error) => {
                    tracing::warn!(name = %record.name, %error, "a row of the usage of functions cannot be read");
                }
            }
        }
        Ok(Self { metrics, clock, table, rows: Mutex::new(rows), flushing: tokio::sync::Mutex::default() })
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what came of a request.
    pub fn count(&self, event: &FunctionAsked<'_>) {
        event.emit(&self.metrics);
        let mut key = RowKey {
            day: day(self.clock.now()),
            executor: event.executor.to_owned(),
            function: event.function.to_owned(),
            version: event.version.to_owned(),
            object_lambda: event.object_lambda.unwrap_or_default().to_owned(),
        };
        let mut rows = self.rows();
        if !rows.all.contains_key(&key) && rows.of_day(&key.day) >= MOST_ROWS {
            (key.function, key.version, key.object_lambda) = Default::default();
        }
        rows.all.entry(key.clone()).or_default().add(&of(event));
        rows.changed.insert(key);
    }

    /// All rows.
    #[must_use]
    pub fn table(&self) -> Vec<(RowKey, Usage)> {
        self.rows().all.iter().map(|(key, usage)| (key.clone(), usage.clone())).collect()
    }

    /// Writes what has changed.
    ///
    /// # Errors
    /// The store's; the next flush writes it as well.
    pub async fn flush(&self) -> Result<()> {
        let _alone = self.flushing.lock().await;
        let (changes, written) = {
            let mut rows = self.rows();
            let gone = rows.fold(self.clock.now());
            let written = std::mem::take(&mut rows.changed);
            let changes: Result<Vec<_>> = written
                .iter()
                .chain(&gone)
                .map(|key| {
                    let row = rows.all.get(key).map(|usage| Row { key: key.clone(), usage: usage.clone() });
                    let value = row.map(|row| serde_json::to_vec(&row)).transpose();
                    let value = value.map_err(|error| StoreError::Engine(error.to_string()))?;
                    Ok(RecordChange { kind: TASK.into(), name: name(key), value })
                })
                .collect();
            (changes?, written.into_iter().chain(gone))
        };
        if changes.is_empty() {
            return Ok(());
        }
        let done = self.table.write(changes).await;
        if done.is_err() {
            self.rows().changed.extend(written);
        }
        done
    }

    /// Flushes now and then, until it is dropped.
    pub async fn run(self: Arc<Self>) {
        loop {
            tokio::time::sleep(FLUSH).await;
            if let Err(error) = self.flush().await {
                tracing::warn!(%error, "the usage of functions could not be written; it is tried again");
            }
        }
    }
}

impl Rows {
    fn of_day(&self, day: &str) -> usize {
        self.all.range(RowKey::first(day)..).take_while(|(key, _)| key.day == day).count()
    }

    /// Puts rows that are too old together, and answers which are gone.
    fn fold(&mut self, now: Timestamp) -> Vec<RowKey> {
        let today = day(now);
        if self.folded == today {
            return Vec::new();
        }
        let first = now.checked_sub(SignedDuration::from_hours(24 * DAYS)).map(day).unwrap_or_default();
        self.folded = today;
        let old: Vec<RowKey> =
            self.all.keys().filter(|key| !key.day.is_empty() && key.day < first).cloned().collect();
        for key in &old {
            let Some(usage) = self.all.remove(key) else { continue };
            let key = RowKey { day: String::new(), ..key.clone() };
            self.all.entry(key.clone()).or_default().add(&usage);
            self.changed.insert(key);
        }
        old
    }
}

/// What one request adds.
fn of(event: &FunctionAsked<'_>) -> Usage {
    let outcome = event.outcome;
    let mut usage = Usage {
        requests: 1,
        throttles: u64::from(outcome == Outcome::Throttled),
        failures: u64::from(outcome == Outcome::Failed),
        ..Usage::default()
    };
    if outcome.ran() {
        usage.invocations = 1;
        usage.errors = u64::from(outcome == Outcome::Error);
        usage.abandoned = u64::from(outcome == Outcome::Abandoned);
        usage.cold_starts = u64::from(event.cold_start);
        usage.provisioned = u64::from(event.provisioned);
        usage.billed_ms = event.billed_ms;
        usage.memory_mb_ms = event.billed_ms.saturating_mul(event.memory_mb);
        usage.init_us = micros(event.init);
        usage.cpu_us = micros(event.cpu.unwrap_or_default());
        usage.received_bytes = event.received;
        usage.sent_bytes = event.sent;
    }
    usage
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    #[derive(Debug, Default)]
    struct Hand(Mutex<Timestamp>);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
    }

    fn event(outcome: Outcome, lens: Option<&str>) -> FunctionAsked<'_> {
        FunctionAsked {
            function: "f",
            version: "1",
            executor: "process",
            object_lambda: lens,
            request_id: "",
            outcome,
            cold_start: true,
            provisioned: false,
            billed_ms: 100,
            memory_mb: 512,
            init: Duration::from_millis(7),
            cpu: Some(Duration::from_micros(9)),
            received: 10,
            sent: 20,
        }
    }

    #[tokio::test]
    async fn rows_survive_and_old_ones_become_one() {
        let store = Arc::new(MemoryStore::new(Arc::new(crate::clock::SystemClock)));
        let hand = Arc::new(Hand::default());
        let open = || {
            let clock = Arc::clone(&hand) as Arc<dyn Clock>;
            Meter::open(Arc::clone(&store) as Arc<dyn RecordTable>, clock, Arc::default()).unwrap()
        };
        let meter = open();
        meter.count(&event(Outcome::Answered, Some("l")));
        meter.count(&event(Outcome::Error, Some("l")));
        meter.count(&event(Outcome::Throttled, None));
        meter.flush().await.unwrap();
        // What was not flushed is lost.
        meter.count(&event(Outcome::Answered, Some("l")));
        let meter = open();
        let rows = meter.table();
        assert_eq!(rows.len(), 2);
        let (key, usage) = &rows[1];
        assert_eq!((key.day.as_str(), key.object_lambda.as_str()), ("1970-01-01", "l"));
        assert_eq!((usage.requests, usage.invocations, usage.errors, usage.throttles), (2, 2, 1, 0));
        assert_eq!((usage.memory_mb_ms, usage.init_us, usage.cpu_us), (102_400, 14_000, 18));
        assert_eq!((rows[0].1.requests, rows[0].1.invocations, rows[0].1.throttles), (1, 0, 1));
        *hand.0.lock().unwrap() = Timestamp::from_second(200 * 86_400).unwrap();
        meter.count(&event(Outcome::Answered, Some("l")));
        meter.flush().await.unwrap();
        let days: Vec<(String, u64)> =
            open().table().into_iter().map(|(key, usage)| (key.day, usage.requests)).collect();
        assert_eq!(days, [(String::new(), 1), (String::new(), 2), ("1970-07-20".to_owned(), 1)]);
    }
}
