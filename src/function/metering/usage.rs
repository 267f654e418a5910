//! Rows of the table of what functions used.

use serde::{Deserialize, Serialize};

/// What a row is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowKey {
    /// Day, UTC: `2026-11-25`; empty for what is older than the days that are kept apart.
    pub day: String,
    /// What ran it.
    pub executor: String,
    /// The function's name; empty where too many had one.
    pub function: String,
    /// Its version; empty where it has none.
    pub version: String,
    /// The OLAP through which it was asked; empty where there was none.
    pub object_lambda: String,
}

impl RowKey {
    /// Before all rows of a day.
    pub(super) fn first(day: &str) -> Self {
        Self { day: day.to_owned(), ..Self::default() }
    }
}

/// What was used. Requests are invocations, throttles and failures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// How often it was asked for.
    pub requests: u64,
    /// How often it ran.
    pub invocations: u64,
    /// Of those, how often it failed.
    pub errors: u64,
    /// Of those, how often the caller went away before the end.
    pub abandoned: u64,
    /// How often it was not run, for too many did at a time.
    pub throttles: u64,
    /// How often it was not run, for the server could not.
    pub failures: u64,
    /// Invocations that waited for the start of a worker.
    pub cold_starts: u64,
    /// Invocations by a provisioned worker.
    pub provisioned: u64,
    /// Billed duration.
    pub billed_ms: u64,
    /// Billed duration × memory.
    pub memory_mb_ms: u64,
    /// Starts of workers.
    pub init_us: u64,
    /// Processor time.
    pub cpu_us: u64,
    /// Bytes that it was given.
    pub received_bytes: u64,
    /// Bytes that it answered.
    pub sent_bytes: u64,
}

impl Usage {
    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.invocations += other.invocations;
        self.errors += other.errors;
        self.abandoned += other.abandoned;
        self.throttles += other.throttles;
        self.failures += other.failures;
        self.cold_starts += other.cold_starts;
        self.provisioned += other.provisioned;
        self.billed_ms += other.billed_ms;
        self.memory_mb_ms = self.memory_mb_ms.saturating_add(other.memory_mb_ms);
        self.init_us += other.init_us;
        self.cpu_us += other.cpu_us;
        self.received_bytes += other.received_bytes;
        self.sent_bytes += other.sent_bytes;
    }
}

/// A row as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What it is about.
    pub key: RowKey,
    /// What was used.
    pub usage: Usage,
}
