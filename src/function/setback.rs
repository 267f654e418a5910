//! Workers that come to nothing, one after the other. A start takes some hundred milliseconds of the processor and locks
//! of the whole kernel, so that a version that does nothing but die would hold up everybody else's requests by being
//! started again at once. Its next start waits, the longer the oftener.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::pool::{Books, Key, Todo};
use super::runtime::Spec;

/// In a row that may come to nothing before a start waits: a function whose process ends now and then is not slower.
const FREE: u32 = 3;
/// The first wait, which doubles, and the longest.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);
/// Time after the last one, after which they are forgotten.
const MEMORY: Duration = Duration::from_secs(600);

/// How the last workers of one version ended.
#[derive(Debug, Default)]
pub(super) struct Setbacks {
    in_a_row: u32,
    waits: bool,
    last: Option<Instant>,
}

impl Setbacks {
    /// A worker has run an invocation and can run another one.
    pub(super) fn end(&mut self) {
        self.in_a_row = 0;
    }

    /// A worker did not come up, or was lost with its invocation. Answers the wait that begins with it, if one does.
    pub(super) fn note(&mut self, now: Instant) -> Option<Duration> {
        self.last = Some(now);
        self.in_a_row = self.in_a_row.saturating_add(1);
        let over = self.in_a_row.checked_sub(FREE + 1)?;
        if std::mem::replace(&mut self.waits, true) {
            return None;
        }
        Some(FIRST.saturating_mul(1 << over.min(16)).min(LONGEST))
    }

    /// The wait is over.
    pub(super) fn resume(&mut self) {
        self.waits = false;
    }

    /// Whether no worker is to be started now.
    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    /// Whether the next worker is started alone, and behind others.
    pub(super) fn is_doubtful(&self) -> bool {
        self.in_a_row > FREE
    }

    /// Whether there is nothing to remember.
    pub(super) fn is_clear(&self) -> bool {
        self.in_a_row == 0 && !self.waits
    }

    /// Forgets them when they are long ago.
    pub(super) fn fade(&mut self, now: Instant) {
        if self.last.is_some_and(|last| now.duration_since(last) >= MEMORY) {
            self.end();
        }
    }
}

impl Books {
    /// A worker has come to nothing.
    pub(super) fn set_back(&mut self, key: &Key, now: Instant) -> Vec<Todo> {
        let Some(pool) = self.pools.get_mut(key) else { return Vec::new() };
        let Some(wait) = pool.setbacks.note(now) else { return Vec::new() };
        let (function, wait_ms) = (&key.name, wait.as_millis());
        tracing::warn!(function, version = %key.version, wait_ms, "workers end one after the other; the next start waits");
        vec![Todo::Resume(key.clone(), wait)]
    }

    /// The wait of a version is over.
    pub(super) fn resume(&mut self, key: &Key, now: Instant) -> Vec<Todo> {
        if let Some(pool) = self.pools.get_mut(key) {
            pool.setbacks.resume();
        }
        let mut todo = self.pump(key);
        todo.extend(self.refill(key, now));
        todo
    }

    /// What is to be started of a version: behind others, where its last workers came to nothing.
    pub(super) fn to_start(&self, key: &Key, spec: Arc<Spec>) -> Arc<Spec> {
        match self.pools.get(key) {
            Some(pool) if pool.setbacks.is_doubtful() => {
                Arc::new(Spec { doubtful: true, ..Spec::clone(&spec) })
            }
            _ => spec,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_end_with_a_worker_that_lasts() {
        let (mut setbacks, now) = (Setbacks::default(), Instant::now());
        for _ in 0..FREE {
            assert_eq!(setbacks.note(now), None);
        }
        assert!(!setbacks.waits() && !setbacks.is_doubtful() && !setbacks.is_clear());
        let mut waits = Vec::new();
        for _ in 0..7 {
            waits.push(setbacks.note(now).unwrap().as_millis());
            // Another one that was lost meanwhile makes it no longer.
            assert!(setbacks.waits() && setbacks.note(now).is_none());
            setbacks.in_a_row -= 1;
            setbacks.resume();
        }
        assert_eq!(waits, [100, 200, 400, 800, 1600, 2000, 2000]);
        setbacks.in_a_row = u32::MAX;
        assert_eq!(setbacks.note(now), Some(LONGEST));
        setbacks.resume();
        setbacks.fade(now + MEMORY / 2);
        assert!(setbacks.is_doubtful());
        setbacks.fade(now + MEMORY);
        assert!(setbacks.note(now).is_none() && !setbacks.waits() && !setbacks.is_doubtful());
        setbacks.end();
        assert!(setbacks.is_clear());
    }
}
