//! The worker manager: finds a warm worker for an invocation, starts one, or has the invocation wait.
//!
//! - A worker runs one invocation at a time, of one version of one function, and is never used for another.
//! - The one that was used last is used first, so that those too many become idle and end.
//! - The first worker of a version is started alone: were it not to come up, a crowd would start as many in vain.
//! - A version whose workers end one after the other is started again after a while (`setback`).
//! - The budget is memory. Who does not fit waits in a bounded queue; idle workers of others make room.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::placement::{Place, Placement};
use super::pool::{Books, Entry, Footing, Key, Limit, Todo};
pub use super::provision::Ready;
use super::runtime::{Runtime, Spec, StartError, Worker};

/// What the manager may use.
#[derive(Debug, Clone)]
pub struct Options {
    /// Memory of all workers, in MB.
    pub memory_mb: u64,
    /// Invocations that wait for a version.
    pub queue: usize,
    /// How long they wait.
    pub wait: Duration,
    /// How long a worker is kept without an invocation.
    pub keep_alive: Duration,
    /// Invocations after which a worker is not used again.
    pub max_uses: u32,
}

/// Why there is no worker.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AcquireError {
    /// The function's own share of invocations is taken.
    #[error("the function's reserved concurrency is used up")]
    Reserved,
    /// All that the account may have are taken, or no memory is left.
    #[error("all workers are busy")]
    Busy,
    /// The function needs more memory than all workers together may have.
    #[error("the function's MemorySize is above the {0} MB that all functions of this server may use")]
    Budget(u64),
    /// The server ends.
    #[error("the server is shutting down")]
    Closing,
    /// It could not be started.
    #[error(transparent)]
    Start(StartError),
}

/// Finds and starts workers.
#[derive(Debug, Clone)]
pub struct Manager(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    runtimes: Vec<Arc<dyn Runtime>>,
    placement: Arc<dyn Placement>,
    wait: Duration,
    books: Mutex<Books>,
}

impl Manager {
    /// Over runtimes, of which the first that takes a function runs it.
    #[must_use]
    pub fn new(runtimes: Vec<Arc<dyn Runtime>>, placement: Arc<dyn Placement>, options: &Options) -> Self {
        let books = Mutex::new(Books::new(options.clone()));
        Self(Arc::new(Shared { runtimes, placement, wait: options.wait, books }))
    }

    /// A worker for one invocation.
    ///
    /// # Errors
    /// [`AcquireError`].
    pub async fn acquire(&self, spec: &Arc<Spec>, limit: Limit) -> Result<Lease, AcquireError> {
        let (reply, mut answer) = oneshot::channel();
        let todo = self.books().ask(spec, limit, reply);
        self.act(todo);
        let key = Key::of(spec);
        loop {
            match tokio::time::timeout(self.0.wait, &mut answer).await {
                Ok(Ok(Ok(entry))) => return Ok(Lease { entry: Some(entry), manager: self.clone() }),
                Ok(Ok(Err(why))) => return Err(why),
                Ok(Err(_)) => return Err(AcquireError::Closing),
                // A start takes what it takes; it has a limit of its own.
                Err(_) if self.books().is_starting(&key) => {}
                Err(_) => {
                    return Err(match limit {
                        Limit::Reserved(_) => AcquireError::Reserved,
                        Limit::Shared(_) => AcquireError::Busy,
                    });
                }
            }
        }
    }

    /// Ends the idle workers of a function, which was changed or deleted.
    pub fn retire(&self, name: &str) {
        let todo = self.books().retire(name);
        self.act(todo);
    }

    /// Says which versions are to have how many workers ready, and starts what is missing; to be called now and then.
    pub fn provide(&self, wanted: Vec<(Arc<Spec>, u32)>) {
        let todo = self.books().provide(wanted, Instant::now());
        self.act(todo);
    }

    /// What is ready of a version, where something is to be.
    #[must_use]
    pub fn ready(&self, name: &str, version: &str) -> Option<Ready> {
        self.books().ready(name, version)
    }

    /// Ends what has been idle for too long; to be called now and then.
    pub fn reap(&self) {
        let todo = self.books().reap(Instant::now());
        self.act(todo);
    }

    /// Refuses all that wait, ends all that is idle, and what runs when it is done.
    pub fn close(&self) {
        let todo = self.books().close();
        self.act(todo);
    }

    /// Idle workers, busy ones, and the memory of both in MB.
    #[must_use]
    pub fn usage(&self) -> (usize, u32, u64) {
        self.books().usage()
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn act(&self, todo: Vec<Todo>) {
        for one in todo {
            match one {
                Todo::Grant(reply, entry) => {
                    if let Err(Ok(entry)) = reply.send(Ok(*entry)) {
                        // Whoever waited has gone away.
                        self.give_back(entry, true);
                    }
                }
                Todo::Refuse(reply, why) => drop(reply.send(Err(why))),
                Todo::End(entry) => entry.worker.kill(),
                Todo::Resume(key, wait) => {
                    let manager = self.clone();
                    tokio::spawn(async move {
                        tokio::time::sleep(wait).await;
                        let todo = manager.books().resume(&key, Instant::now());
                        manager.act(todo);
                    });
                }
                Todo::Start(key, spec, footing) => {
                    let manager = self.clone();
                    tokio::spawn(async move { manager.start(key, spec, footing).await });
                }
            }
        }
    }

    async fn start(&self, key: Key, spec: Arc<Spec>, footing: Footing) {
        let Place::Here = self.0.placement.place(&spec);
        let began = Instant::now();
        let runtime = self.0.runtimes.iter().find(|one| one.takes(&spec.version.settings.runtime));
        let started = match runtime {
            Some(runtime) => runtime.start(&spec).await,
            None => Err(StartError::Unavailable(format!(
                "no runtime of this server takes {}",
                spec.version.settings.runtime
            ))),
        };
        let todo = match started {
            Ok(worker) => {
                let entry = Entry {
                    worker,
                    spec,
                    uses: 0,
                    init: (footing != Footing::Provisioned).then(|| began.elapsed()),
                    since: Instant::now(),
                    footing,
                };
                self.books().started(&key, entry)
            }
            Err(why) => self.books().failed(&key, &spec, footing, &AcquireError::Start(why), Instant::now()),
        };
        self.act(todo);
    }

    fn give_back(&self, entry: Entry, fit: bool) {
        let todo = self.books().returned(entry, fit, Instant::now());
        self.act(todo);
    }
}

/// A worker for one invocation. One that is dropped instead of given back is ended.
#[derive(Debug)]
pub struct Lease {
    entry: Option<Entry>,
    manager: Manager,
}

impl Lease {
    /// The worker.
    #[must_use]
    pub fn worker(&self) -> Option<&Arc<dyn Worker>> {
        self.entry.as_ref().map(|entry| &entry.worker)
    }

    /// How long its start took, if this is its first invocation.
    #[must_use]
    pub fn init(&self) -> Option<Duration> {
        self.entry.as_ref().and_then(|entry| entry.init)
    }

    /// Whether it was kept ready.
    #[must_use]
    pub fn is_provisioned(&self) -> bool {
        self.entry.as_ref().is_some_and(|entry| entry.footing == Footing::Provisioned)
    }

    /// Gives it back once it is ready for another invocation.
    pub async fn settle(mut self) {
        let fit = match self.worker() {
            Some(worker) => worker.settle().await,
            None => false,
        };
        if let Some(mut entry) = self.entry.take() {
            entry.uses += 1;
            entry.init = None;
            self.manager.give_back(entry, fit);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.manager.give_back(entry, false);
        }
    }
}

#[cfg(test)]
mod tests;
