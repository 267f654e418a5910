//! The threads that functions run on: a lane for those that have just begun, and one, behind everything else, for
//! those that have used the processor for a while. So a function that computes, or loops, does not hold up others.
//! A function whose last run was short has its first turn on the thread of the request, which costs no change of threads.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::priority::stand_behind;

/// Processor time after which a function goes to the slow lane.
const SHORT: Duration = Duration::from_millis(20);

/// Processor time of a run after which the next one of the function begins on the thread of its request.
const BRIEF: Duration = Duration::from_millis(1);

/// Processor time of one run: what was used, and how much may be.
#[derive(Debug)]
pub(super) struct Budget {
    start: Instant,
    /// Nanoseconds of all polls that have ended.
    used: AtomicU64,
    /// When the poll that is under way began, in nanoseconds since `start`.
    since: AtomicU64,
    limit: Duration,
}

impl Budget {
    pub(super) fn new(limit: Duration) -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), used: AtomicU64::new(0), since: AtomicU64::new(0), limit })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn poll<T>(&self, poll: impl FnOnce() -> T) -> T {
        let since = self.now();
        self.since.store(since, Ordering::Relaxed);
        let outcome = poll();
        self.used.fetch_add(self.now().saturating_sub(since), Ordering::Relaxed);
        outcome
    }

    /// Time used by polls that have ended.
    pub(super) fn used(&self) -> Duration {
        Duration::from_nanos(self.used.load(Ordering::Relaxed))
    }

    /// Time used so far; to be asked from inside a poll.
    pub(super) fn spent(&self) -> Duration {
        let poll = self.now().saturating_sub(self.since.load(Ordering::Relaxed));
        self.used() + Duration::from_nanos(poll)
    }

    /// Whether the limit is reached; to be asked from inside a poll.
    pub(super) fn is_over(&self) -> bool {
        self.spent() >= self.limit
    }

    /// Whether this was a short run; to be asked from inside its last poll.
    pub(super) fn is_brief(&self) -> bool {
        self.spent() < BRIEF
    }

    /// The limit.
    pub(super) fn limit(&self) -> Duration {
        self.limit
    }
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A run on its way through one lane; ready with the rest of it once it is long.
struct Lap {
    work: Option<Work>,
    budget: Arc<Budget>,
    patience: Duration,
}

impl Future for Lap {
    type Output = Option<Work>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Work>> {
        let this = &mut *self;
        let Some(work) = &mut this.work else { return Poll::Ready(None) };
        match this.budget.poll(|| work.as_mut().poll(context)) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending if this.budget.used() >= this.patience => Poll::Ready(this.work.take()),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// The threads.
#[derive(Debug)]
pub(super) struct Lanes {
    fast: Option<Runtime>,
    slow: Option<Runtime>,
}

impl Lanes {
    /// `threads` for each lane.
    ///
    /// # Errors
    /// No threads can be had.
    pub(super) fn start(threads: usize) -> io::Result<Self> {
        let lane = |name: &str| {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(threads.max(1)).thread_name(name).enable_time();
            builder
        };
        let fast = lane("refract-wasm").build()?;
        let slow = lane("refract-wasm-long").on_thread_start(stand_behind).build()?;
        Ok(Self { fast: Some(fast), slow: Some(slow) })
    }

    /// Starts a run; `here` has its first turn on this thread, which the clock of the engine ends after two ticks.
    pub(super) fn spawn(
        &self,
        budget: &Arc<Budget>,
        here: bool,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let (Some(fast), Some(slow)) = (&self.fast, &self.slow) else { return };
        let slow: Handle = slow.handle().clone();
        let mut lap = Lap { work: Some(Box::pin(work)), budget: Arc::clone(budget), patience: SHORT };
        if here {
            // Whatever it waits for, the lane asks for it again at once.
            match Pin::new(&mut lap).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(None) => return,
                Poll::Ready(rest) => lap.work = rest,
                Poll::Pending => {}
            }
        }
        fast.spawn(async move {
            if let Some(rest) = (&mut lap).await {
                (lap.work, lap.patience) = (Some(rest), Duration::MAX);
                slow.spawn(lap);
            }
        });
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        for lane in [self.fast.take(), self.slow.take()].into_iter().flatten() {
            lane.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_runs_long_changes_lanes_and_ends_there() {
        let lanes = Lanes::start(1).unwrap();
        let budget = Budget::new(Duration::from_secs(60));
        let (sender, mut names) = tokio::sync::mpsc::unbounded_channel();
        lanes.spawn(&budget, false, async move {
            for _ in 0..4 {
                let name = std::thread::current().name().unwrap().to_owned();
                sender.send(name).unwrap();
                std::thread::sleep(SHORT);
                tokio::task::yield_now().await;
            }
        });
        let mut seen = Vec::new();
        while let Some(name) = names.recv().await {
            seen.push(name);
        }
        assert_eq!(seen.first().unwrap(), "refract-wasm");
        assert_eq!(seen.last().unwrap(), "refract-wasm-long");
        assert!(budget.used() >= 3 * SHORT && !budget.is_over());
    }

    #[tokio::test]
    async fn a_first_turn_is_taken_here_and_no_other() {
        let lanes = Lanes::start(1).unwrap();
        let budget = Budget::new(Duration::from_secs(60));
        let here = std::thread::current().id();
        let (sender, mut threads) = tokio::sync::mpsc::unbounded_channel();
        let brief = sender.clone();
        lanes.spawn(&budget, true, async move { brief.send(std::thread::current().id()).unwrap() });
        assert_eq!(threads.try_recv(), Ok(here));
        lanes.spawn(&budget, true, async move {
            for _ in 0..3 {
                sender.send(std::thread::current().id()).unwrap();
                tokio::task::yield_now().await;
            }
        });
        assert_eq!(threads.try_recv(), Ok(here));
        for _ in 0..2 {
            assert_ne!(threads.recv().await.unwrap(), here);
        }
    }
}
