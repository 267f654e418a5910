//! How a worker's processes come by a processor: by their weight until they have had one for a while, and from then on as
//! one is left over, for who computes long need not do so before others do what takes a moment. Those that find nothing
//! left go on by weight. An init that computes long, which may have all of a processor, and whatever may not last are kept
//! off one of the processors besides (docs/decisions/0006).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::function::sandbox::cgroup::cpu_share;
use crate::priority::{LOOK, TOO_LITTLE};

use super::child::Child;

/// Processor time of an invocation after which it takes what is left.
const SHORT: Duration = Duration::from_millis(50);
/// The same of an init, in which a runtime and its packages are loaded: boto3 takes some 0.45 s.
const SHORT_INIT: Duration = Duration::from_millis(600);
/// How often processor time is looked at while there is something to run.
const TICK: Duration = SHORT;

/// Processor time by weight after which what found too little tries again.
const AGAIN: Duration = Duration::from_millis(500);

/// The share of one worker.
#[derive(Debug)]
pub(super) struct Share {
    /// By which CPU is weighed, in MB.
    memory_mb: u32,
    now: Mutex<Now>,
}

#[derive(Debug)]
struct Now {
    /// Whether there is something to run: an init or an invocation.
    working: bool,
    /// Whether a task looks at it.
    watched: bool,
    /// Whether that is its init.
    init: bool,
    /// Whether it has to show first that it lasts: until then, it takes what is left.
    doubtful: bool,
    /// Whether it is kept off one of the processors.
    apart: bool,
    /// Processor time before what is run now.
    before: Duration,
    turn: Turn,
}

/// How it comes by a processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// By weight, until it has used so much.
    Weighed { until: Duration },
    /// As one is left over, since then, with what it had used by then.
    Leftover { since: Instant, used: Duration },
}

impl Turn {
    fn new(doubtful: bool, until: Duration, now: Instant) -> Self {
        if doubtful { Self::Leftover { since: now, used: Duration::ZERO } } else { Self::Weighed { until } }
    }

    /// What follows, of which there may be more than `least` of a processor in [`LOOK`].
    fn next(self, used: Duration, now: Instant, least: Duration) -> Self {
        match self {
            Self::Weighed { until } if used >= until => Self::Leftover { since: now, used },
            Self::Leftover { since, used: before } if now.duration_since(since) >= LOOK => {
                if used.saturating_sub(before) < least {
                    Self::Weighed { until: used + AGAIN }
                } else {
                    Self::Leftover { since: now, used }
                }
            }
            same => same,
        }
    }

    fn is_leftover(self) -> bool {
        matches!(self, Self::Leftover { .. })
    }
}

impl Now {
    /// Whether it is to be kept off one of the processors from this turn on: an init that has computed long, until its end.
    fn is_apart(&self, turn: Turn) -> bool {
        self.doubtful || (self.init && (self.apart || turn.is_leftover()))
    }
}

impl Share {
    /// Of processes that have just been started, and are in their init. Those that are doubtful take what is left already,
    /// and are kept off one of the processors.
    pub(super) fn new(child: &Arc<Child>, memory_mb: u32, doubtful: bool) -> Arc<Self> {
        let turn = Turn::new(doubtful, SHORT_INIT, Instant::now());
        let now = Now {
            working: false,
            watched: false,
            init: true,
            doubtful,
            apart: doubtful,
            before: Duration::ZERO,
            turn,
        };
        let share = Arc::new(Self { memory_mb, now: Mutex::new(now) });
        share.watch(&mut share.now(), child);
        share
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The init is over.
    pub(super) fn end_init(&self, child: &Child) {
        let mut now = self.now();
        now.init = false;
        now.before = child.cpu_time().unwrap_or_default();
        self.rest(&mut now, child);
    }

    /// An invocation begins.
    pub(super) fn begin(self: &Arc<Self>, child: &Arc<Child>) {
        let mut now = self.now();
        // That of the init is told of together with the first invocation.
        now.before = now.before.max(child.told_cpu());
        let turn = Turn::new(now.doubtful, SHORT, Instant::now());
        self.take(&mut now, turn, child);
        self.watch(&mut now, child);
    }

    /// An invocation is over, and the worker has come back for the next one.
    pub(super) fn end(&self, child: &Child) {
        let mut now = self.now();
        now.doubtful = false;
        self.rest(&mut now, child);
    }

    fn rest(&self, now: &mut Now, child: &Child) {
        now.working = false;
        self.take(now, Turn::new(now.doubtful, SHORT, Instant::now()), child);
    }

    fn take(&self, now: &mut Now, turn: Turn, child: &Child) {
        let apart = now.is_apart(turn);
        if std::mem::replace(&mut now.apart, apart) != apart {
            child.leave_one_free(apart);
        }
        if std::mem::replace(&mut now.turn, turn).is_leftover() != turn.is_leftover() {
            child.set_idle(turn.is_leftover(), self.memory_mb);
        }
    }

    /// Looks at the processor time from now on, as long as there is something to run.
    fn watch(self: &Arc<Self>, now: &mut Now, child: &Arc<Child>) {
        now.working = true;
        if std::mem::replace(&mut now.watched, true) {
            return;
        }
        let (share, child) = (Arc::clone(self), Arc::downgrade(child));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(TICK).await;
                match child.upgrade() {
                    Some(child) if share.look(&child) => {}
                    _ => return,
                }
            }
        });
    }

    /// Whether there is more to look at.
    fn look(&self, child: &Child) -> bool {
        let mut now = self.now();
        let total = if now.working { child.cpu_time() } else { None };
        // Without a control group nothing can be done.
        let Some(total) = total else {
            now.watched = false;
            return false;
        };
        let used = total.saturating_sub(now.before);
        let turn = now.turn.next(used, Instant::now(), least(self.memory_mb));
        self.take(&mut now, turn, child);
        true
    }
}

/// Processor time in [`LOOK`] below which it is too little.
fn least(memory_mb: u32) -> Duration {
    let whole = u64::try_from(LOOK.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(cpu_share(whole, memory_mb).min(whole)) / TOO_LITTLE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_computes_long_takes_what_is_left_unless_that_is_nothing() {
        let (start, ms) = (Instant::now(), Duration::from_millis);
        let least = least(128);
        assert_eq!(least.as_millis(), 4);
        let leftover = |since: u64, used| Turn::Leftover { since: start + ms(since), used: ms(used) };
        let weighed = |until| Turn::Weighed { until: ms(until) };
        let mut turn = Turn::new(false, SHORT, start);
        for (at, used, follows) in [
            (50, 10, weighed(50)),
            // It waits for others, and computes then.
            (900, 49, weighed(50)),
            (950, 52, leftover(950, 52)),
            (1_400, 53, leftover(950, 52)),
            // Something is left of the processors.
            (1_450, 60, leftover(1_450, 60)),
            // Next to nothing is.
            (1_950, 62, weighed(562)),
            (8_000, 500, weighed(562)),
            (9_000, 570, leftover(9_000, 570)),
        ] {
            turn = turn.next(ms(used), start + ms(at), least);
            assert_eq!(turn, follows, "after {at} ms");
        }
        assert_eq!(Turn::new(true, SHORT, start), leftover(0, 0));
    }

    #[test]
    fn what_may_not_last_and_long_inits_leave_one_processor_free() {
        let weighed = Turn::Weighed { until: SHORT };
        let leftover = Turn::Leftover { since: Instant::now(), used: SHORT };
        let now = |init, doubtful, apart| Now {
            working: true,
            watched: true,
            init,
            doubtful,
            apart,
            before: Duration::ZERO,
            turn: weighed,
        };
        for (init, doubtful, apart, turn, follows) in [
            (true, false, false, weighed, false),
            (true, false, false, leftover, true),
            // It found too little to go on.
            (true, false, true, weighed, true),
            (false, false, true, weighed, false),
            (false, false, false, leftover, false),
            (false, true, true, weighed, true),
        ] {
            let found = now(init, doubtful, apart).is_apart(turn);
            assert_eq!(found, follows, "{init} {doubtful} {apart} {turn:?}");
        }
    }
}
