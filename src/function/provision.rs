//! Provisioned concurrency in the worker manager's books: workers that are kept ready for a version, past their init.
//! They are used first, are never idle for too long, and make no room for others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::manager::AcquireError;
use super::pool::{Books, Entry, Key, Limit, Pool, Todo, memory};
use super::runtime::{Spec, StartError};

/// Workers that are started at a time for one version, once one of them has been ready.
const PARALLEL_STARTS: u32 = 4;
/// Time before a start that failed is tried again, which doubles, and the longest.
const RETRY: Duration = Duration::from_secs(2);
const LONGEST_RETRY: Duration = Duration::from_secs(300);

/// What is kept ready for a version.
#[derive(Debug)]
pub(super) struct Provision {
    spec: Arc<Spec>,
    wanted: u32,
    /// Workers that are past their init, idle or not.
    pub(super) live: u32,
    starting: u32,
    failed: Option<Failed>,
    failures: u32,
}

#[derive(Debug)]
struct Failed {
    why: String,
    again: Instant,
}

/// What is ready of a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ready {
    /// Workers that are to be.
    pub wanted: u32,
    /// Workers that are past their init.
    pub live: u32,
    /// Why the last start failed, where it did.
    pub failed: Option<String>,
}

impl Books {
    /// Which versions are to have how many workers ready; whatever else was kept ready is not any more.
    pub(super) fn provide(&mut self, wanted: Vec<(Arc<Spec>, u32)>, now: Instant) -> Vec<Todo> {
        for provision in self.provisions.values_mut() {
            provision.wanted = 0;
        }
        for (spec, count) in wanted {
            let key = Key::of(&spec);
            let provision = self.provisions.entry(key).or_insert_with(|| Provision {
                spec,
                wanted: 0,
                live: 0,
                starting: 0,
                failed: None,
                failures: 0,
            });
            provision.wanted += count;
        }
        let mut surplus: Vec<(Key, u32)> = self
            .provisions
            .iter()
            .filter(|(_, provision)| provision.live > provision.wanted)
            .map(|(key, provision)| (key.clone(), provision.live - provision.wanted))
            .collect();
        let mut todo = if surplus.is_empty() {
            Vec::new()
        } else {
            self.take_idle(|key, entry| {
                let left = surplus.iter_mut().find(|(of, left)| of == key && *left > 0);
                match left.filter(|_| entry.is_provisioned()) {
                    Some((_, left)) => {
                        *left -= 1;
                        true
                    }
                    None => false,
                }
            })
        };
        self.provisions.retain(|_, provision| provision.wanted + provision.live + provision.starting > 0);
        let keys: Vec<Key> = self.provisions.keys().cloned().collect();
        for key in keys {
            todo.extend(self.refill(&key, now));
        }
        todo
    }

    /// Starts what is missing.
    pub(super) fn refill(&mut self, key: &Key, now: Instant) -> Vec<Todo> {
        let mut todo = Vec::new();
        if self.pools.get(key).is_some_and(|pool| pool.setbacks.waits()) {
            return todo;
        }
        while let Some(provision) = self.provisions.get_mut(key) {
            let at_once = if provision.live > 0 { PARALLEL_STARTS } else { 1 };
            let waits = provision.failed.as_ref().is_some_and(|failed| now < failed.again);
            let missing = provision.live + provision.starting < provision.wanted;
            if self.closed || !missing || waits || provision.starting >= at_once {
                break;
            }
            let spec = Arc::clone(&provision.spec);
            if !self.make_room(key, &spec, &mut todo) {
                let why =
                    format!("The memory of this server's workers, {} MB, is used up", self.options.memory_mb);
                self.put_off(key, why, now);
                break;
            }
            if let Some(provision) = self.provisions.get_mut(key) {
                provision.starting += 1;
            }
            let spec = self.to_start(key, spec);
            todo.push(Todo::Start(key.clone(), spec, super::pool::Footing::Provisioned));
        }
        todo
    }

    fn put_off(&mut self, key: &Key, why: String, now: Instant) {
        let Some(provision) = self.provisions.get_mut(key) else { return };
        let wait = RETRY.saturating_mul(1 << provision.failures.min(16)).min(LONGEST_RETRY);
        provision.failures += 1;
        tracing::warn!(function = %key.name, version = %key.version, why, "a worker cannot be kept ready");
        provision.failed = Some(Failed { why, again: now + wait });
    }

    /// A worker that is to be kept ready has started.
    pub(super) fn provided(&mut self, key: &Key, entry: Entry) -> Vec<Todo> {
        let now = entry.since;
        let closed = self.closed;
        let wanted = match self.provisions.get_mut(key) {
            Some(provision) => {
                provision.starting -= 1;
                (provision.failed, provision.failures) = (None, 0);
                let wanted = !closed && provision.live < provision.wanted;
                provision.live += u32::from(wanted);
                wanted
            }
            None => false,
        };
        if !wanted {
            self.used_mb -= memory(&entry.spec);
            return vec![Todo::End(Box::new(entry))];
        }
        // Until somebody asks, nobody waits under any limit. What is started for those who wait is not kept ready.
        let spec = Arc::new(Spec { provisioned: false, ..Spec::clone(&entry.spec) });
        let pool = self.pools.entry(key.clone()).or_insert_with(|| Pool::new(&spec, Limit::Shared(0)));
        pool.idle.push(entry);
        let mut todo = self.pump(key);
        todo.extend(self.refill(key, now));
        todo
    }

    /// A worker that is to be kept ready has failed to start.
    pub(super) fn not_provided(
        &mut self,
        key: &Key,
        spec: &Spec,
        why: &AcquireError,
        now: Instant,
    ) -> Vec<Todo> {
        self.used_mb -= memory(spec);
        if let Some(provision) = self.provisions.get_mut(key) {
            provision.starting -= 1;
        }
        let why = match why {
            AcquireError::Start(StartError::Init(error)) => {
                format!("FUNCTION_ERROR_INIT_FAILURE: {}", error.message())
            }
            AcquireError::Start(StartError::Internal(_)) => "The server failed; its log says why".to_owned(),
            other => other.to_string(),
        };
        self.put_off(key, why, now);
        self.pump_all()
    }

    /// Whether a worker that was kept ready is to be kept on.
    pub(super) fn is_wanted(&self, key: &Key) -> bool {
        self.provisions.get(key).is_some_and(|provision| provision.live <= provision.wanted)
    }

    /// A worker that was kept ready is gone; another one takes its place.
    pub(super) fn lost(&mut self, key: &Key, now: Instant) -> Vec<Todo> {
        if let Some(provision) = self.provisions.get_mut(key) {
            provision.live -= 1;
        }
        self.refill(key, now)
    }

    /// What is ready of a version.
    pub(super) fn ready(&self, name: &str, version: &str) -> Option<Ready> {
        let mut found = self
            .provisions
            .iter()
            .filter(|(key, provision)| key.name == name && key.version == version && provision.wanted > 0);
        let (_, provision) = found.next()?;
        Some(Ready {
            wanted: provision.wanted,
            live: provision.live,
            failed: provision.failed.as_ref().map(|failed| failed.why.clone()),
        })
    }
}
