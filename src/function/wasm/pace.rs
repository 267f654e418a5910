//! What a function's last runs say of the next one: where it begins, and when a failure is told.
//!
//! It begins on the thread of the request after a short one, which costs no change of threads, and behind everything else
//! after nothing but long ones. Where a function fails each time, its failures are [held back](HoldBack), until a run
//! succeeds.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::lanes::SHORT;
use crate::function::holdback::HoldBack;

/// Processor time of a run after which the next one of the function begins on the thread of its request.
const BRIEF: Duration = Duration::from_micros(250);

/// Long runs in a row after which a function is taken for one that always is long, and failures in a row after which it is
/// taken for one that always fails. Behind the others a run may have to wait where the processor is in demand, which is
/// not for one long run to bring about.
const HABIT: u32 = 8;

/// How a function's last runs went.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Processor time of the last one, in nanoseconds; nought before the first.
    last: AtomicU64,
    /// How many in a row were long.
    long: AtomicU32,
    /// How many in a row failed.
    failed: AtomicU32,
    failures: HoldBack,
}

/// Where a run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// On the thread of its request.
    Here,
    /// On the lane of those that have just begun.
    Fast,
    /// Behind everything else.
    Slow,
}

/// How a run ended, as far as it says something of the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With an answer of the function's, be it a refusal.
    Answered,
    /// By the function's fault: it trapped, or had no memory left.
    Failed,
    /// Otherwise: its time was over, or the object could not be read, or nobody read the answer.
    Other,
}

impl Pace {
    /// Notes what a run has used. What one that was not answered will do the next time, it does not say. Answers for how
    /// long it is to be held back that the run has ended.
    pub(super) fn note(&self, spent: Duration, end: End) -> Duration {
        let brief = if end == End::Answered { spent } else { spent.max(BRIEF) };
        self.last.store(u64::try_from(brief.as_nanos()).unwrap_or(u64::MAX).max(1), Ordering::Relaxed);
        count(&self.long, spent >= SHORT);
        match end {
            End::Failed if count(&self.failed, true) > HABIT => self.failures.wait(Instant::now()),
            End::Answered => {
                count(&self.failed, false);
                Duration::ZERO
            }
            End::Failed | End::Other => Duration::ZERO,
        }
    }

    /// Where the next one begins.
    pub(super) fn start(&self) -> Start {
        match Duration::from_nanos(self.last.load(Ordering::Relaxed)) {
            last if (Duration::from_nanos(1)..BRIEF).contains(&last) => Start::Here,
            _ if self.long.load(Ordering::Relaxed) >= HABIT => Start::Slow,
            _ => Start::Fast,
        }
    }
}

/// One more in a row, or none any more. Runs that end at the same time may be counted as one.
fn count(row: &AtomicU32, more: bool) -> u32 {
    let now = if more { row.load(Ordering::Relaxed).saturating_add(1) } else { 0 };
    row.store(now, Ordering::Relaxed);
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_run_begins_the_last_ones_say() {
        let pace = Pace::default();
        assert_eq!(pace.start(), Start::Fast);
        let one = |spent| (1, spent);
        for ((times, spent), start) in [
            (one(Duration::ZERO), Start::Here),
            (one(BRIEF), Start::Fast),
            ((HABIT - 1, SHORT), Start::Fast),
            (one(SHORT), Start::Slow),
            (one(BRIEF / 2), Start::Here),
            (one(SHORT), Start::Fast),
        ] {
            (0..times).for_each(|_| assert!(pace.note(spent, End::Answered).is_zero()));
            assert_eq!(pace.start(), start, "{times} times {spent:?}");
        }
        for end in [End::Failed, End::Other] {
            pace.note(BRIEF / 2, End::Answered);
            pace.note(BRIEF / 2, end);
            assert_eq!(pace.start(), Start::Fast);
        }
    }

    #[test]
    fn what_always_fails_is_told_later_until_one_succeeds() {
        let pace = Pace::default();
        let failed = || pace.note(Duration::ZERO, End::Failed);
        for _ in 0..2 {
            for _ in 0..HABIT {
                assert_eq!(failed(), Duration::ZERO);
                // This says nothing of the function.
                assert_eq!(pace.note(Duration::ZERO, End::Other), Duration::ZERO);
            }
            for _ in 0..3 {
                assert!(!failed().is_zero());
            }
            assert_eq!(pace.note(Duration::ZERO, End::Answered), Duration::ZERO);
        }
    }
}
