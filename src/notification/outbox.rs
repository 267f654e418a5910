//! Messages that wait for delivery. They are records of the store: written before the request that made them is
//! answered, removed once they are delivered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::store::record::TASK;
use crate::store::{RecordChange, RecordTable, Result, StoreError};

/// Start of the names of the records.
const PREFIX: &str = "notification/";
/// Messages that wait, at most.
pub const MOST: usize = 100_000;

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Key of its consumer.
    pub key: String,
    /// JSON, in one line.
    pub body: Arc<str>,
    /// When it was recorded.
    pub recorded: Timestamp,
}

/// The outbox of a server.
#[derive(Debug)]
pub struct Outbox {
    table: Arc<dyn RecordTable>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// By consumer, then by number.
    waiting: BTreeMap<String, BTreeMap<u64, Waiting>>,
    news: BTreeMap<String, Arc<Notify>>,
    count: usize,
}

fn name(number: u64) -> String {
    format!("{PREFIX}{number:016x}")
}

impl Outbox {
    /// Opens it with what the last process left. Reads the records, and blocks for that. Numbers begin at the
    /// microseconds of `now`, for a consumer knows a repeat by its number: none must come again after a restart.
    ///
    /// # Errors
    /// The records cannot be read.
    pub fn open(table: Arc<dyn RecordTable>, now: Timestamp) -> Result<Self> {
        let next = u64::try_from(now.as_microsecond()).unwrap_or_default().max(1);
        let mut state = State { next, ..State::default() };
        for record in table.load()? {
            let Some(number) = record.name.strip_prefix(PREFIX).filter(|_| record.kind == TASK) else {
                continue;
            };
            let read =
                u64::from_str_radix(number, 16).map_err(|error| error.to_string()).and_then(|number| {
                    Ok((number, serde_json::from_slice(&record.value).map_err(|error| error.to_string())?))
                });
            match read {
                Ok((number, waiting)) => state.put(number, waiting),
                Err(error) => tracing::warn!(name = %record.name, error, "a notification cannot be read"),
            }
        }
        Ok(Self { table, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The numbers of so many new messages; `None` where too many wait already.
    pub fn reserve(&self, count: usize) -> Option<std::ops::Range<u64>> {
        let mut state = self.state();
        if state.count.saturating_add(count) > MOST {
            return None;
        }
        let first = state.next;
        state.next += count as u64;
        state.count += count;
        Some(first..state.next)
    }

    /// Takes messages under numbers that were reserved. Once it answers they are kept, also where the caller has gone
    /// away meanwhile.
    ///
    /// # Errors
    /// The store's; then none of them is kept.
    pub async fn add(self: &Arc<Self>, messages: Vec<(u64, Waiting)>) -> Result<()> {
        let this = Arc::clone(self);
        let adding = tokio::spawn(async move {
            let change = |(number, waiting): &(u64, Waiting)| {
                let value =
                    serde_json::to_vec(waiting).map_err(|error| StoreError::Engine(error.to_string()))?;
                Ok(RecordChange { kind: TASK.into(), name: name(*number), value: Some(value) })
            };
            let changes: Result<Vec<_>> = messages.iter().map(change).collect();
            let written = match changes {
                Ok(changes) => this.table.write_from_reserve(changes).await,
                Err(error) => Err(error),
            };
            let mut state = this.state();
            state.count -= messages.len();
            written?;
            for (number, waiting) in messages {
                state.put(number, waiting);
            }
            Ok(())
        });
        adding.await.map_err(|error| StoreError::Engine(error.to_string()))?
    }

    /// The first messages for a consumer.
    #[must_use]
    pub fn first(&self, key: &str, count: usize) -> Vec<(u64, Waiting)> {
        let state = self.state();
        let waiting = state.waiting.get(key).into_iter().flatten().take(count);
        waiting.map(|(number, waiting)| (*number, waiting.clone())).collect()
    }

    /// Forgets messages: they are delivered, or given up.
    ///
    /// # Errors
    /// The store's; the next start delivers them again.
    pub async fn forget(&self, key: &str, numbers: &[u64]) -> Result<()> {
        {
            let mut state = self.state();
            let all = state.waiting.get_mut(key);
            let gone =
                all.map_or(0, |all| numbers.iter().filter(|number| all.remove(number).is_some()).count());
            state.count -= gone;
        }
        let change = |number: &u64| RecordChange { kind: TASK.into(), name: name(*number), value: None };
        self.table.write(numbers.iter().map(change).collect()).await
    }

    /// Wakes when there is something new for a consumer.
    #[must_use]
    pub fn news(&self, key: &str) -> Arc<Notify> {
        Arc::clone(self.state().news.entry(key.to_owned()).or_default())
    }
}

impl State {
    fn put(&mut self, number: u64, waiting: Waiting) {
        self.next = self.next.max(number + 1);
        self.count += 1;
        if let Some(news) = self.news.get(&waiting.key) {
            news.notify_one();
        }
        self.waiting.entry(waiting.key.clone()).or_default().insert(number, waiting);
    }
}
