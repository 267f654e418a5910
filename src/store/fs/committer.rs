//! The committer: one thread that gathers operations into groups and commits each group in one transaction.

use std::collections::HashSet;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use redb::Durability as Redb;
use tokio::sync::oneshot;

use super::blob::{BlobId, sync_dir};
use super::faults::Step;
use super::gc::{Garbage, Task};
use super::room::{Level, Need};
use super::tables::{Outcome, Tx, View};
use super::{Durability, Shared};
use crate::store::{Result, StoreError};

/// Operations in a group, at most: 256 small bodies are 16 MiB.
const GROUP: usize = 256;
/// How long a group waits for as many operations as the last one had. Clients that were answered together come
/// back together; without the wait the first of them would take a flush to itself.
const GATHER: Duration = Duration::from_micros(300);
/// With relaxed durability: how long a change may wait until its flush begins.
const FLUSH_AFTER: Duration = Duration::from_secs(1);
/// Rounds of flushing bodies beside the commits, at most, before those that are left are flushed between two.
const ROUNDS: u8 = 4;
/// So few bodies are flushed between two commits at once.
const FEW: usize = 2;
/// How often the end of a round is looked for while no operation comes.
const POLL: Duration = Duration::from_millis(5);

enum Message {
    Job(Box<dyn Job>),
    Stop,
}

/// An operation in the queue.
trait Job: Send {
    /// Runs it in the group's transaction. An error of its own is its answer; `Err` is fatal for the group.
    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()>;
    /// Whether it changed anything.
    fn changed(&self) -> bool;
    /// What it needs of the disk.
    fn need(&self) -> Need;
    /// Answers: with its own result, or with the failure of its group.
    fn answer(self: Box<Self>, failure: Option<StoreError>);
}

struct Operation<T, F> {
    run: Option<F>,
    need: Need,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T: Send, F: FnOnce(&mut Tx<'_>) -> Result<T> + Send> Job for Operation<T, F> {
    fn apply(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let Some(run) = self.run.take() else { return Ok(()) };
        let result = run(tx);
        let fatal = match &result {
            // The engine may have stopped half-way through a change.
            Err(error @ (StoreError::Engine(_) | StoreError::Io(_))) => {
                Err(StoreError::Engine(error.to_string()))
            }
            _ => Ok(()),
        };
        self.result = Some(result);
        fatal
    }

    fn changed(&self) -> bool {
        matches!(self.result, Some(Ok(_)))
    }

    fn need(&self) -> Need {
        self.need
    }

    fn answer(self: Box<Self>, failure: Option<StoreError>) {
        let result = match (self.result, failure) {
            (Some(Ok(_)) | None, Some(failure)) => Err(failure),
            (Some(result), _) => result,
            (None, None) => Err(StoreError::Engine("the operation did not run".into())),
        };
        // A caller that has gone away does not wait for its answer; the change stands.
        drop(self.reply.send(result));
    }
}

/// The way to the committer.
#[derive(Debug)]
pub(super) struct Committer {
    queue: RwLock<Option<Sender<Message>>>,
}

impl Committer {
    pub(super) fn new() -> (Self, Queue) {
        let (sender, receiver) = mpsc::channel();
        (Self { queue: RwLock::new(Some(sender)) }, Queue(receiver))
    }

    /// Runs an operation that may need more room on disk.
    pub(super) async fn run<T, F>(&self, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.submit(Need::Room, run).await.map_err(|_| stopped())?
    }

    /// Runs an operation that replaces rows, or adds a few that are soon removed: it has a part of the reserve.
    pub(super) async fn run_little<T, F>(&self, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.submit(Need::Little, run).await.map_err(|_| stopped())?
    }

    /// Runs an operation that gives room back: it is let through when the disk is nearly full.
    pub(super) async fn run_freeing<T, F>(&self, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.submit(Need::Nothing, run).await.map_err(|_| stopped())?
    }

    /// As [`run_freeing`](Self::run_freeing), for a thread that may block.
    pub(super) fn run_blocking<T, F>(&self, run: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.submit(Need::Nothing, run).blocking_recv().map_err(|_| stopped())?
    }

    fn submit<T, F>(&self, need: Need, run: F) -> oneshot::Receiver<Result<T>>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Message::Job(Box::new(Operation { run: Some(run), need, result: None, reply }));
        if let Some(queue) = self.queue.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
            // After the end of the thread the job is dropped, and the answer's other end says so.
            drop(queue.send(job));
        }
        answer
    }

    /// Lets the thread end after what is in the queue.
    pub(super) fn stop(&self) {
        if let Some(queue) = self.queue.write().unwrap_or_else(PoisonError::into_inner).take() {
            drop(queue.send(Message::Stop));
        }
    }
}

fn stopped() -> StoreError {
    StoreError::Engine("the store is closed".into())
}

/// The committer's end of the queue.
#[derive(Debug)]
pub(super) struct Queue(Receiver<Message>);

/// What the thread knows between groups.
struct State<'s> {
    shared: &'s Arc<Shared>,
    next_inline: u64,
    /// Operations in the last group.
    last: usize,
    /// With relaxed durability: since when a change waits for its flush.
    dirty: Option<Instant>,
    /// With relaxed durability: files and garbage of commits that are not flushed yet. Old bodies must not go
    /// before the commit that replaced them is on disk, nor a row be flushed before its body.
    unflushed: Vec<BlobId>,
    garbage: Vec<Garbage>,
    /// With relaxed durability: the round of flushing bodies that is under way, and its number.
    round: Option<(Receiver<Result<()>>, u8)>,
}

/// The committer's thread. `next_inline` is the first free id in the `inline` table.
pub(super) fn run(shared: &Arc<Shared>, queue: &Queue, next_inline: u64) {
    let mut state = State {
        shared,
        next_inline,
        last: 0,
        dirty: None,
        unflushed: Vec::new(),
        garbage: Vec::new(),
        round: None,
    };
    loop {
        let first = match (&state.round, state.dirty) {
            (Some(_), _) => queue.0.recv_timeout(POLL),
            (None, Some(since)) => queue.0.recv_timeout(FLUSH_AFTER.saturating_sub(since.elapsed())),
            (None, None) => queue.0.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let mut stop = false;
        match first {
            Ok(Message::Job(job)) => {
                let (group, end) = state.gather(job, queue);
                stop = end;
                state.commit(group);
            }
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => stop = true,
            Err(RecvTimeoutError::Timeout) => {}
        }
        state.go_on_flushing();
        if stop {
            state.flush();
            return;
        }
    }
}

impl State<'_> {
    /// Gathers a group behind its first operation; says whether the queue ends.
    fn gather(&mut self, first: Box<dyn Job>, queue: &Queue) -> (Vec<Box<dyn Job>>, bool) {
        let mut group = vec![first];
        let patience = if self.last > 1 && self.shared.options.durability == Durability::Sync {
            GATHER
        } else {
            Duration::ZERO
        };
        let start = Instant::now();
        while group.len() < GROUP {
            let next = match queue.0.try_recv() {
                Ok(next) => Ok(next),
                Err(_) if group.len() < self.last => {
                    queue.0.recv_timeout(patience.saturating_sub(start.elapsed()))
                }
                Err(_) => break,
            };
            match next {
                Ok(Message::Job(job)) => group.push(job),
                Ok(Message::Stop) => return (group, true),
                Err(_) => break,
            }
        }
        self.last = group.len();
        (group, false)
    }

    /// Commits a group and answers it.
    fn commit(&mut self, mut group: Vec<Box<dyn Job>>) {
        if let Err(error) = self.shared.check() {
            return answer_all(group, Some(&error));
        }
        let level = self.shared.room.level();
        if level < Level::Enough {
            let (admitted, refused): (Vec<_>, Vec<_>) =
                group.into_iter().partition(|job| level.admits(job.need()));
            answer_all(refused, Some(&StoreError::Full));
            group = admitted;
        }
        if group.is_empty() {
            return;
        }
        let failure = self.apply(&mut group, level).err().map(|error| self.shared.poison(&error.to_string()));
        answer_all(group, failure.as_ref());
    }

    fn apply(&mut self, group: &mut [Box<dyn Job>], level: Level) -> Result<()> {
        let shared = self.shared;
        let mut txn = shared.db.begin_write()?;
        let sync = shared.options.durability == Durability::Sync;
        if sync {
            // Opening after a crash would walk the whole database without this.
            txn.set_quick_repair(true);
        } else {
            txn.set_durability(Redb::None)?;
        }
        let before = shared.buckets.load_full();
        let mut tx = Tx::new(&txn, Arc::clone(&before), shared.clock.now(), self.next_inline, level);
        for job in group.iter_mut() {
            job.apply(&mut tx)?;
        }
        let Outcome { buckets, next_inline, garbage, kept } = tx.finish()?;
        if !group.iter().any(|job| job.changed()) {
            return Ok(txn.abort()?);
        }
        let committed = shared
            .faults
            .at(Step::Commit)
            .map_err(StoreError::from)
            .and_then(|()| txn.commit().map_err(StoreError::from));
        // Also after a failed commit, which may be on disk all the same: the next start finds out.
        let files: Vec<BlobId> = kept.iter().map(super::blob::BlobFile::id).collect();
        kept.into_iter().for_each(super::blob::BlobFile::keep);
        committed?;
        shared.faults.at(Step::Committed)?;
        self.next_inline = next_inline;
        shared.view.store(Arc::new(View::new(&shared.db)?));
        if !Arc::ptr_eq(&before, &buckets) {
            shared.buckets.store(buckets);
        }
        if sync {
            if !garbage.is_empty() {
                shared.gc.send(Task::Remove(garbage));
            }
        } else {
            self.dirty.get_or_insert_with(Instant::now);
            self.unflushed.extend(files);
            self.garbage.extend(garbage);
        }
        Ok(())
    }

    /// Begins to flush when it is time, and ends it when few bodies are left. Bodies are flushed beside the commits:
    /// a flush of all that a second brings would hold every writer up.
    fn go_on_flushing(&mut self) {
        let next = match &self.round {
            None if self.dirty.is_some_and(|since| since.elapsed() >= FLUSH_AFTER) => 1,
            None => return,
            Some((round, number)) => match round.try_recv() {
                Err(mpsc::TryRecvError::Empty) => return,
                Err(mpsc::TryRecvError::Disconnected) => return self.failed(&"a thread has died"),
                Ok(Err(error)) => return self.failed(&error),
                Ok(Ok(())) => number + 1,
            },
        };
        self.round = None;
        if self.unflushed.len() <= FEW || next > ROUNDS {
            return self.flush();
        }
        let (shared, bodies) = (Arc::clone(self.shared), self.take_bodies());
        let (sender, receiver) = mpsc::channel();
        self.round = Some((receiver, next));
        let begun = std::thread::Builder::new().name("refract-flush".into()).spawn(move || {
            // Nobody waits for it once the store is closed.
            drop(sender.send(flush_bodies(&shared, &bodies)));
        });
        if let Err(error) = begun {
            self.failed(&error);
        }
    }

    /// Makes all commits so far durable.
    fn flush(&mut self) {
        if let Some((round, _)) = self.round.take() {
            match round.recv() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return self.failed(&error),
                Err(error) => return self.failed(&error),
            }
        }
        if self.dirty.take().is_none() || self.shared.check().is_err() {
            return;
        }
        let bodies = self.take_bodies();
        if let Err(error) = flush_bodies(self.shared, &bodies).and_then(|()| self.flush_rows()) {
            return self.failed(&error);
        }
        let garbage = std::mem::take(&mut self.garbage);
        if !garbage.is_empty() {
            self.shared.gc.send(Task::Remove(garbage));
        }
    }

    fn failed(&mut self, error: &dyn std::fmt::Display) {
        self.round = None;
        self.dirty = None;
        self.shared.poison(&format!("flush: {error}"));
    }

    /// Bodies to flush. One that was replaced since has no row when the rows are flushed.
    fn take_bodies(&mut self) -> Vec<BlobId> {
        let mut bodies = std::mem::take(&mut self.unflushed);
        let replaced: HashSet<BlobId> = self.garbage.iter().filter_map(Garbage::file).collect();
        bodies.retain(|id| !replaced.contains(id));
        bodies
    }

    fn flush_rows(&self) -> Result<()> {
        self.shared.faults.at(Step::Commit)?;
        let mut txn = self.shared.db.begin_write()?;
        txn.set_quick_repair(true);
        Ok(txn.commit()?)
    }
}

/// Flushes bodies and the directories that they are in.
fn flush_bodies(shared: &Shared, bodies: &[BlobId]) -> Result<()> {
    let mut dirs: Vec<_> = bodies.iter().map(|id| shared.layout.blob_dir(*id)).collect();
    for id in bodies {
        // One that was replaced since stays until the rows are flushed: only then its garbage is handed over.
        std::fs::File::open(shared.layout.blob(*id))?.sync_data()?;
    }
    dirs.sort_unstable();
    dirs.dedup();
    if !dirs.is_empty() {
        dirs.push(shared.layout.blobs());
    }
    dirs.iter().try_for_each(|dir| Ok(sync_dir(dir)?))
}

/// Answers operations, with a failure of their group where there is one.
fn answer_all(group: Vec<Box<dyn Job>>, failure: Option<&StoreError>) {
    for job in group {
        job.answer(failure.map(|failure| match failure {
            StoreError::Full => StoreError::Full,
            StoreError::Poisoned(why) => StoreError::Poisoned(why.clone()),
            other => StoreError::Engine(other.to_string()),
        }));
    }
}
