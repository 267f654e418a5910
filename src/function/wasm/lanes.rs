//! The threads that functions run on: a lane for those that have just begun, and one, which has what everything else
//! leaves of the processors, for those that have used them for a while. So a function that computes, or loops, does not
//! hold up others. One that finds nothing left goes on in a third, behind the others.
//! Where a run begins, the function's [pace](super::pace) says.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::priority::{LOOK, TOO_LITTLE, stand_behind, take_what_is_left};

use super::pace::Start;

/// Processor time after which a function goes to the slow lane.
pub(super) const SHORT: Duration = Duration::from_millis(20);

/// Nanoseconds that this thread has had of the processor.
fn processor() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).unwrap_or_default()
}

/// The time of one run: how long its turns took, of which the function may have so much, and what they used of the
/// processor, which is less where others use it as well.
#[derive(Debug)]
pub(super) struct Budget {
    start: Instant,
    /// Nanoseconds that all polls took that have ended.
    taken: AtomicU64,
    /// When the poll that is under way began, in nanoseconds since `start`.
    since: AtomicU64,
    /// Nanoseconds of the processor in all polls that have ended.
    processor: AtomicU64,
    /// What the thread had had of the processor when the poll that is under way began.
    processor_since: AtomicU64,
    limit: Duration,
}

impl Budget {
    pub(super) fn new(limit: Duration) -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            taken: AtomicU64::new(0),
            since: AtomicU64::new(0),
            processor: AtomicU64::new(0),
            processor_since: AtomicU64::new(0),
            limit,
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn poll<T>(&self, poll: impl FnOnce() -> T) -> T {
        let (since, had) = (self.now(), processor());
        self.since.store(since, Ordering::Relaxed);
        self.processor_since.store(had, Ordering::Relaxed);
        let outcome = poll();
        self.taken.fetch_add(self.now().saturating_sub(since), Ordering::Relaxed);
        self.processor.fetch_add(processor().saturating_sub(had), Ordering::Relaxed);
        outcome
    }

    /// Time of polls that have ended.
    fn taken(&self) -> Duration {
        Duration::from_nanos(self.taken.load(Ordering::Relaxed))
    }

    /// Processor time of polls that have ended.
    pub(super) fn used(&self) -> Duration {
        Duration::from_nanos(self.processor.load(Ordering::Relaxed))
    }

    /// Processor time so far; to be asked from inside a poll, on its thread.
    pub(super) fn spent(&self) -> Duration {
        let poll = processor().saturating_sub(self.processor_since.load(Ordering::Relaxed));
        self.used() + Duration::from_nanos(poll)
    }

    /// Whether the limit is reached; to be asked from inside a poll.
    pub(super) fn is_over(&self) -> bool {
        let poll = self.now().saturating_sub(self.since.load(Ordering::Relaxed));
        Duration::from_nanos(self.taken.load(Ordering::Relaxed) + poll) >= self.limit
    }

    /// The limit.
    pub(super) fn limit(&self) -> Duration {
        self.limit
    }
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A run on its way through one lane; ready with the rest of it when it is to change.
struct Lap {
    work: Option<Work>,
    budget: Arc<Budget>,
    lane: Lane,
}

#[derive(Debug, Clone, Copy)]
enum Lane {
    /// Until it is long.
    Fast,
    /// Until nothing is left for it. Time of its turns, and of the processor in them, when that was last seen.
    Slow { taken: Duration, used: Duration },
    /// To its end.
    Last,
}

impl Lane {
    fn slow(budget: &Budget) -> Self {
        Self::Slow { taken: budget.taken(), used: budget.used() }
    }

    /// Whether a run is to leave it.
    fn is_over(&mut self, budget: &Budget) -> bool {
        match self {
            Self::Fast => budget.used() >= SHORT,
            Self::Last => false,
            Self::Slow { taken, used } => {
                let (turns, had) =
                    (budget.taken().saturating_sub(*taken), budget.used().saturating_sub(*used));
                if turns < LOOK {
                    return false;
                }
                *self = Self::slow(budget);
                had * TOO_LITTLE < turns
            }
        }
    }
}

impl Future for Lap {
    type Output = Option<Work>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Work>> {
        let this = &mut *self;
        let Some(work) = &mut this.work else { return Poll::Ready(None) };
        match this.budget.poll(|| work.as_mut().poll(context)) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending if this.lane.is_over(&this.budget) => Poll::Ready(this.work.take()),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// The threads.
#[derive(Debug)]
pub(super) struct Lanes {
    fast: Option<Runtime>,
    slow: Option<Runtime>,
    last: Option<Runtime>,
}

impl Lanes {
    /// `threads` for each lane, and `long` for the one that has what is left.
    ///
    /// # Errors
    /// No threads can be had.
    pub(super) fn start(threads: usize, long: usize) -> io::Result<Self> {
        let lane = |name: &str, threads: usize| {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(threads.max(1)).thread_name(name).enable_time();
            builder
        };
        let idle = || {
            if let Err(error) = take_what_is_left() {
                tracing::debug!(%error, "a thread that is to take what is left of the processors is as others are");
                stand_behind();
            }
        };
        // Between the beginning of a small answer and its end a thread behind others would lose its turn, and the answer
        // its length.
        let fast = lane("refract-wasm", threads).build()?;
        let slow = lane("refract-wasm-long", long).on_thread_start(idle).build()?;
        let last = lane("refract-wasm-last", threads).on_thread_start(stand_behind).build()?;
        Ok(Self { fast: Some(fast), slow: Some(slow), last: Some(last) })
    }

    /// Starts a run. A first turn on this thread is ended by the clock of the engine after two ticks.
    pub(super) fn spawn(
        &self,
        budget: &Arc<Budget>,
        start: Start,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let (Some(fast), Some(slow), Some(last)) = (&self.fast, &self.slow, &self.last) else { return };
        let (slow, last): (Handle, Handle) = (slow.handle().clone(), last.handle().clone());
        let mut lap = Lap { work: Some(Box::pin(work)), budget: Arc::clone(budget), lane: Lane::Fast };
        if start == Start::Here {
            // Whatever it waits for, the lane asks for it again at once.
            match Pin::new(&mut lap).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(None) => return,
                Poll::Ready(rest) => lap.work = rest,
                Poll::Pending => {}
            }
        }
        let go_slow = move |mut lap: Lap| async move {
            lap.lane = Lane::slow(&lap.budget);
            if let Some(rest) = (&mut lap).await {
                (lap.work, lap.lane) = (Some(rest), Lane::Last);
                last.spawn(lap);
            }
        };
        if start == Start::Slow {
            slow.spawn(go_slow(lap));
            return;
        }
        fast.spawn(async move {
            if let Some(rest) = (&mut lap).await {
                lap.work = Some(rest);
                slow.spawn(go_slow(lap));
            }
        });
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        for lane in [self.fast.take(), self.slow.take(), self.last.take()].into_iter().flatten() {
            lane.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::UnboundedReceiver;

    use super::*;

    async fn gather(mut names: UnboundedReceiver<String>) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(name) = names.recv().await {
            seen.push(name);
        }
        seen
    }

    #[tokio::test]
    async fn what_runs_long_changes_lanes_and_does_not_come_back() {
        let lanes = Lanes::start(1, 1).unwrap();
        let budget = Budget::new(Duration::from_secs(60));
        let (sender, names) = tokio::sync::mpsc::unbounded_channel();
        lanes.spawn(&budget, Start::Fast, async move {
            for _ in 0..4 {
                let name = std::thread::current().name().unwrap().to_owned();
                sender.send(name).unwrap();
                // A thread that sleeps uses nothing.
                std::thread::sleep(SHORT);
                let began = processor();
                while processor() - began < u64::try_from(SHORT.as_nanos()).unwrap() {}
                tokio::task::yield_now().await;
            }
        });
        let seen = gather(names).await;
        assert_eq!(seen[..2], ["refract-wasm", "refract-wasm-long"]);
        // Where others have the processor meanwhile, it may be told to go on in the last one.
        assert!(seen[2..].iter().all(|name| name != "refract-wasm"), "{seen:?}");
        assert!(budget.used() >= 3 * SHORT && !budget.is_over());
    }

    #[tokio::test]
    async fn what_finds_nothing_left_changes_lanes_again() {
        let lanes = Lanes::start(1, 1).unwrap();
        let budget = Budget::new(Duration::from_secs(60));
        let (sender, names) = tokio::sync::mpsc::unbounded_channel();
        lanes.spawn(&budget, Start::Slow, async move {
            for _ in 0..8 {
                sender.send(std::thread::current().name().unwrap().to_owned()).unwrap();
                // As if others had the processor.
                std::thread::sleep(LOOK / 5);
                tokio::task::yield_now().await;
            }
        });
        let seen = gather(names).await;
        assert_eq!(seen.iter().filter(|name| *name == "refract-wasm-long").count(), 5, "{seen:?}");
        assert_eq!(seen.last().unwrap(), "refract-wasm-last");
    }

    #[tokio::test]
    async fn what_is_always_long_begins_behind() {
        let lanes = Lanes::start(1, 1).unwrap();
        let (sender, name) = tokio::sync::oneshot::channel();
        let budget = Budget::new(Duration::from_secs(60));
        lanes.spawn(&budget, Start::Slow, async move {
            sender.send(std::thread::current().name().unwrap().to_owned()).unwrap();
        });
        assert_eq!(name.await.unwrap(), "refract-wasm-long");
    }

    #[tokio::test]
    async fn a_first_turn_is_taken_here_and_no_other() {
        let lanes = Lanes::start(1, 1).unwrap();
        let budget = Budget::new(Duration::from_secs(60));
        let here = std::thread::current().id();
        let (sender, mut threads) = tokio::sync::mpsc::unbounded_channel();
        let brief = sender.clone();
        lanes.spawn(&budget, Start::Here, async move { brief.send(std::thread::current().id()).unwrap() });
        assert_eq!(threads.try_recv(), Ok(here));
        lanes.spawn(&budget, Start::Here, async move {
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
