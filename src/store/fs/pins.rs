//! Which bodies are being read, so that garbage waits for its readers.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Shared;
use super::gc::{Garbage, Task};

/// Counts of readers.
#[derive(Debug, Default)]
pub(super) struct Pins(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    readers: HashMap<Garbage, usize>,
    /// Garbage whose readers have not gone yet.
    waiting: HashSet<Garbage>,
}

impl Pins {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks whether something may be removed now. If not, it comes back through the collector's queue when its
    /// last reader has gone.
    pub(super) fn may_remove(&self, garbage: &Garbage) -> bool {
        let mut state = self.state();
        if state.readers.contains_key(garbage) {
            state.waiting.insert(garbage.clone());
            return false;
        }
        true
    }
}

/// Holds a body: it is not removed while this lives.
#[derive(Debug)]
pub(super) struct Pin {
    shared: Arc<Shared>,
    what: Garbage,
}

impl Pin {
    /// Pins a body. The caller looks again afterwards whether a row still refers to it: before that moment it may
    /// have been removed.
    pub(super) fn new(shared: &Arc<Shared>, what: Garbage) -> Self {
        *shared.pins.state().readers.entry(what.clone()).or_default() += 1;
        Self { shared: Arc::clone(shared), what }
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut state = self.shared.pins.state();
        if let Some(count) = state.readers.get_mut(&self.what) {
            *count -= 1;
            if *count > 0 {
                return;
            }
        }
        state.readers.remove(&self.what);
        if state.waiting.remove(&self.what) {
            drop(state);
            self.shared.gc.send(Task::Remove(vec![self.what.clone()]));
        }
    }
}
