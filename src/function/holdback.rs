//! Failures that are told one after the other. What fails at once can be asked for again at once, and each time costs more
//! than the request: whoever waits for the answer waits longer, which holds up nobody else.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time between two of them.
const APART: Duration = Duration::from_millis(100);

/// The longest wait, for there may be many at a time.
const LONGEST: Duration = Duration::from_secs(2);

/// Failures of one kind.
#[derive(Debug, Default)]
pub(super) struct HoldBack {
    /// When the last one is told.
    last: Mutex<Option<Instant>>,
}

impl HoldBack {
    /// How long one of now is held back: until 100 ms after the one before and for that long at least, 2 s at most.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let told = (last.unwrap_or(now).max(now) + APART).min(now + LONGEST);
        *last = Some(told);
        told - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_one_after_the_other() {
        let (hold_back, now) = (HoldBack::default(), Instant::now());
        let waits = |at: Duration, times: usize| -> Vec<u128> {
            (0..times).map(|_| hold_back.wait(now + at).as_millis()).collect()
        };
        assert_eq!(waits(Duration::ZERO, 3), [100, 200, 300]);
        assert_eq!(waits(Duration::from_millis(250), 1), [150]);
        assert_eq!(waits(Duration::from_secs(1), 1), [100]);
        assert_eq!(waits(Duration::from_secs(9), 22)[18..], [1900, 2000, 2000, 2000]);
    }
}
