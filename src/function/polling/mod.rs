//! Functions that consume queues in files: event source mappings.
//!
//! - [`batch`]: messages as an event, and what the function says of them.
//! - [`filter`]: which messages are for the function.
//! - [`places`]: how far each mapping has come, kept across a restart.
//! - [`poller`]: one mapping at work.
//!
//! A batch is read, handed to the function until it succeeds or is given up, and then passed. At least once: the place
//! is kept once a batch is done.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::catalog::lambda::EventSource;
use crate::catalog::{Catalog, FunctionKind, View};
use crate::clock::Clock;
use crate::notification::Notifier;
use crate::telemetry::Metrics;

use super::events::Events;
use super::platform::Platform;

pub mod batch;
pub mod filter;
pub mod places;
mod poller;

use places::Places;

/// How often mappings are looked after that nobody has changed.
const LOOK: Duration = Duration::from_secs(5);

/// What mappings are served with.
#[derive(Debug)]
pub struct Parts {
    /// What functions run on.
    pub platform: Platform,
    /// Where mappings are.
    pub catalog: Arc<dyn Catalog>,
    /// Delivers what failed to functions.
    pub events: Events,
    /// Knows queues.
    pub notifier: Notifier,
    /// How far each has come.
    pub places: Places,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Time before a batch is tried again, which doubles.
    pub retry_after: Duration,
}

/// Serves all mappings.
#[derive(Debug, Clone)]
pub struct Polling(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: Parts,
    changed: Notify,
    /// What came of the last batch, by mapping.
    results: Mutex<HashMap<String, &'static str>>,
}

/// A mapping as it is now: its function's name, and itself.
#[must_use]
pub fn find<'v>(view: &'v View, uuid: &str) -> Option<(&'v str, &'v EventSource)> {
    all(view).find(|(_, of, _)| *of == uuid).map(|(function, _, source)| (function, source))
}

/// All mappings: function, UUID, mapping.
pub fn all(view: &View) -> impl Iterator<Item = (&str, &str, &EventSource)> {
    view.functions.iter().flat_map(|(name, function)| {
        let sources = match &function.kind {
            FunctionKind::Lambda(lambda) => Some(&lambda.event_sources),
            FunctionKind::Builtin { .. }
            | FunctionKind::Wasm(_)
            | FunctionKind::Webhook(_)
            | FunctionKind::Aws(_) => None,
        };
        sources.into_iter().flatten().map(|(uuid, source)| (name.as_str(), uuid.as_str(), source))
    })
}

impl Polling {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner { parts, changed: Notify::new(), results: Mutex::default() }))
    }

    /// Has the mappings looked after at once.
    pub fn changed(&self) {
        self.0.changed.notify_one();
    }

    /// Whether something can be consumed by this ARN.
    #[must_use]
    pub fn knows(&self, arn: &str) -> bool {
        self.0.parts.notifier.queue_file(arn).is_some()
    }

    /// What came of a mapping's last batch.
    #[must_use]
    pub fn result(&self, uuid: &str) -> &'static str {
        let results = self.0.results.lock().unwrap_or_else(PoisonError::into_inner);
        results.get(uuid).copied().unwrap_or("No records processed")
    }

    fn note(&self, uuid: &str, result: &'static str) {
        let mut results = self.0.results.lock().unwrap_or_else(PoisonError::into_inner);
        results.insert(uuid.to_owned(), result);
    }

    /// Serves mappings until it is dropped; what is under way then comes again.
    pub async fn run(self) {
        let mut running: BTreeMap<String, tokio::task::AbortHandle> = BTreeMap::new();
        let mut tasks = JoinSet::new();
        loop {
            let view = self.0.parts.catalog.snapshot();
            running.retain(|_, task| !task.is_finished());
            for (_, uuid, source) in all(&view) {
                if source.enabled && !running.contains_key(uuid) {
                    let poller = poller::Poller::new(self.clone(), uuid.to_owned());
                    running.insert(uuid.to_owned(), tasks.spawn(poller.run()));
                }
            }
            let there: Vec<&str> = all(&view).map(|(_, uuid, _)| uuid).collect();
            self.0.parts.places.keep(|uuid| there.contains(&uuid) || running.contains_key(uuid)).await;
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.0.changed.notified() => {}
                // One has ended, for its mapping was changed.
                Some(_) = tasks.join_next() => {}
            }
        }
    }
}
