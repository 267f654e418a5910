//! The worker manager's books: who waits, who runs, who is warm. Nothing here starts or ends anything; what is to be
//! done is answered as [`Todo`]s, which the manager does when it has let go of the books.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::catalog::NetworkGrant;

use super::manager::{AcquireError, Options};
use super::provision::Provision;
use super::runtime::{Spec, StartError, Worker};
use super::setback::Setbacks;

/// Workers that are started at a time for one version, once one of them has been ready.
const PARALLEL_STARTS: usize = 4;

/// A version of a function, as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) revision: String,
    /// What its sandbox leads out to, which is settled when that is made.
    network: Arc<NetworkGrant>,
}

impl Key {
    pub(super) fn of(spec: &Spec) -> Self {
        let version = &spec.version;
        Self {
            name: spec.name.clone(),
            version: version.version.clone(),
            revision: version.revision_id.clone(),
            network: Arc::clone(&spec.network),
        }
    }
}

/// How many invocations a function may have at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Its own share.
    Reserved(u32),
    /// What all functions without one share.
    Shared(u32),
}

/// What a worker counts among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Footing {
    /// Its function's own share.
    Own,
    /// What functions share.
    Shared,
    /// Those that are kept ready.
    Provisioned,
}

impl Limit {
    fn footing(self) -> Footing {
        match self {
            Self::Reserved(_) => Footing::Own,
            Self::Shared(_) => Footing::Shared,
        }
    }
}

/// A started worker in the books.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) worker: Arc<dyn Worker>,
    pub(super) spec: Arc<Spec>,
    /// Invocations so far.
    pub(super) uses: u32,
    /// How long its start took, until its first invocation.
    pub(super) init: Option<Duration>,
    pub(super) since: Instant,
    pub(super) footing: Footing,
}

impl Entry {
    pub(super) fn is_provisioned(&self) -> bool {
        self.footing == Footing::Provisioned
    }
}

pub(super) type Reply = oneshot::Sender<Result<Entry, AcquireError>>;

/// What the manager is to do.
#[derive(Debug)]
pub(super) enum Todo {
    /// Hand a worker to who waits for it.
    Grant(Reply, Box<Entry>),
    /// Say that there is none.
    Refuse(Reply, AcquireError),
    /// Start one.
    Start(Key, Arc<Spec>, Footing),
    /// End one.
    End(Box<Entry>),
    /// After a time, see whether one is to be started.
    Resume(Key, Duration),
}

#[derive(Debug)]
pub(super) struct Pool {
    spec: Arc<Spec>,
    limit: Limit,
    /// The one that was used last is the last.
    pub(super) idle: Vec<Entry>,
    waiting: VecDeque<Reply>,
    starting: usize,
    /// Workers that run an invocation.
    busy: usize,
    /// Whether those are to end with it.
    retired: bool,
    proven: bool,
    pub(super) setbacks: Setbacks,
}

impl Pool {
    pub(super) fn new(spec: &Arc<Spec>, limit: Limit) -> Self {
        Self {
            spec: Arc::clone(spec),
            limit,
            idle: Vec::new(),
            waiting: VecDeque::new(),
            starting: 0,
            busy: 0,
            retired: false,
            proven: false,
            setbacks: Setbacks::default(),
        }
    }
}

/// The books.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) pools: HashMap<Key, Pool>,
    /// Workers that run or are being started, by function, but for those that are kept ready.
    running: HashMap<String, u32>,
    shared_running: u32,
    /// Workers of those that are kept ready that run.
    provisioned_running: u32,
    /// What is kept ready.
    pub(super) provisions: HashMap<Key, Provision>,
    /// Memory of all workers, in MB.
    pub(super) used_mb: u64,
    pub(super) closed: bool,
    pub(super) options: Options,
}

pub(super) fn memory(spec: &Spec) -> u64 {
    spec.version.settings.memory_mb.into()
}

impl Books {
    pub(super) fn new(options: Options) -> Self {
        Self {
            pools: HashMap::new(),
            running: HashMap::new(),
            shared_running: 0,
            provisioned_running: 0,
            provisions: HashMap::new(),
            used_mb: 0,
            closed: false,
            options,
        }
    }

    /// Somebody wants a worker.
    pub(super) fn ask(&mut self, spec: &Arc<Spec>, limit: Limit, reply: Reply) -> Vec<Todo> {
        let key = Key::of(spec);
        let full = match limit {
            Limit::Reserved(0) if !self.provisions.contains_key(&key) => Some(AcquireError::Reserved),
            _ if self.closed => Some(AcquireError::Closing),
            _ if memory(spec) > self.options.memory_mb => Some(AcquireError::Budget(self.options.memory_mb)),
            _ => None,
        };
        if let Some(why) = full {
            return vec![Todo::Refuse(reply, why)];
        }
        let mut todo = self.retire_others(&key);
        let pool = self.pools.entry(key.clone()).or_insert_with(|| Pool::new(spec, limit));
        (pool.limit, pool.retired) = (limit, false);
        pool.waiting.push_back(reply);
        todo.extend(self.pump(&key));
        // Those that a start is under way for are not the queue.
        if let Some(pool) = self.pools.get_mut(&key)
            && pool.waiting.len() > self.options.queue + pool.starting
            && let Some(last) = pool.waiting.pop_back()
        {
            let why = match limit {
                Limit::Reserved(_) => AcquireError::Reserved,
                Limit::Shared(_) => AcquireError::Busy,
            };
            todo.push(Todo::Refuse(last, why));
        }
        todo
    }

    /// A start has ended well.
    pub(super) fn started(&mut self, key: &Key, entry: Entry) -> Vec<Todo> {
        if entry.is_provisioned() {
            return self.provided(key, entry);
        }
        let Some(pool) = self.pools.get_mut(key).filter(|_| !self.closed) else {
            self.forget(&entry.spec, entry.footing);
            return vec![Todo::End(Box::new(entry))];
        };
        pool.starting -= 1;
        pool.proven = true;
        while let Some(reply) = pool.waiting.pop_front() {
            if !reply.is_closed() {
                pool.busy += 1;
                let mut todo = vec![Todo::Grant(reply, Box::new(entry))];
                todo.extend(self.pump(key));
                return todo;
            }
        }
        let spec = Arc::clone(&entry.spec);
        self.stop_running(&spec.name, entry.footing);
        if let Some(pool) = self.pools.get_mut(key) {
            pool.idle.push(entry);
        }
        self.pump_all()
    }

    /// A start has failed: the first who waits learns why.
    pub(super) fn failed(
        &mut self,
        key: &Key,
        spec: &Spec,
        footing: Footing,
        why: &AcquireError,
        now: Instant,
    ) -> Vec<Todo> {
        if footing == Footing::Provisioned {
            return self.not_provided(key, spec, why, now);
        }
        self.forget(spec, footing);
        let mut todo = match why {
            // Nothing was started.
            AcquireError::Start(StartError::Unavailable(_)) => Vec::new(),
            _ => self.set_back(key, now),
        };
        if let Some(pool) = self.pools.get_mut(key) {
            pool.starting -= 1;
            // Where the next start waits, so many have failed that nobody is made to wait for another.
            let all = pool.setbacks.waits();
            while let Some(reply) = pool.waiting.pop_front() {
                if !reply.is_closed() {
                    todo.push(Todo::Refuse(reply, why.clone()));
                    if !all {
                        break;
                    }
                }
            }
        }
        todo.extend(self.pump_all());
        todo
    }

    /// A worker comes back; `fit` says whether it can be used again.
    pub(super) fn returned(&mut self, mut entry: Entry, fit: bool, now: Instant) -> Vec<Todo> {
        let key = Key::of(&entry.spec);
        let footing = entry.footing;
        let keep = fit
            && !self.closed
            && entry.uses < self.options.max_uses
            && (footing != Footing::Provisioned || self.is_wanted(&key));
        let mut todo = if fit { Vec::new() } else { self.set_back(&key, now) };
        if let Some(pool) = self.pools.get_mut(&key) {
            pool.busy -= 1;
            // One that was never used says nothing.
            if fit && entry.uses > 0 {
                pool.setbacks.end();
            }
        }
        match self.pools.get_mut(&key).filter(|pool| keep && !pool.retired) {
            Some(pool) => {
                entry.since = now;
                let name = entry.spec.name.clone();
                pool.idle.push(entry);
                self.stop_running(&name, footing);
            }
            None => {
                self.forget(&entry.spec, footing);
                if footing == Footing::Provisioned {
                    todo.extend(self.lost(&key, now));
                }
                todo.push(Todo::End(Box::new(entry)));
            }
        }
        todo.extend(self.pump_all());
        todo
    }

    /// Whether a start is under way for a version.
    pub(super) fn is_starting(&self, key: &Key) -> bool {
        self.pools.get(key).is_some_and(|pool| pool.starting > 0)
    }

    /// Ends what has been idle for too long, and forgets pools that are empty.
    pub(super) fn reap(&mut self, now: Instant) -> Vec<Todo> {
        let keep_alive = self.options.keep_alive;
        self.pools.values_mut().for_each(|pool| pool.setbacks.fade(now));
        self.take_idle(|_, entry| !entry.is_provisioned() && now.duration_since(entry.since) >= keep_alive)
    }

    /// Ends the idle workers of a function.
    pub(super) fn retire(&mut self, name: &str) -> Vec<Todo> {
        for (_, pool) in self.pools.iter_mut().filter(|(key, _)| key.name == name) {
            (pool.retired, pool.setbacks) = (true, Setbacks::default());
        }
        self.take_idle(|key, entry| key.name == name && !entry.is_provisioned())
    }

    /// Refuses all that wait and ends all that is idle.
    pub(super) fn close(&mut self) -> Vec<Todo> {
        self.closed = true;
        let mut todo = Vec::new();
        for pool in self.pools.values_mut() {
            todo.extend(pool.waiting.drain(..).map(|reply| Todo::Refuse(reply, AcquireError::Closing)));
        }
        todo.extend(self.take_idle(|_, _| true));
        todo
    }

    /// Workers that are warm, running or starting, and their memory.
    pub(super) fn usage(&self) -> (usize, u32, u64) {
        let idle = self.pools.values().map(|pool| pool.idle.len()).sum();
        let busy = self.running.values().sum::<u32>() + self.provisioned_running;
        (idle, busy, self.used_mb)
    }

    /// Idle workers of older revisions of the same version.
    fn retire_others(&mut self, key: &Key) -> Vec<Todo> {
        if self.pools.contains_key(key) {
            return Vec::new();
        }
        let is_older = |other: &Key| {
            other.name == key.name && other.version == key.version && other.revision != key.revision
        };
        for (_, pool) in self.pools.iter_mut().filter(|(other, _)| is_older(other)) {
            (pool.retired, pool.setbacks) = (true, Setbacks::default());
        }
        self.take_idle(|other, _| is_older(other))
    }

    pub(super) fn take_idle(&mut self, mut ends: impl FnMut(&Key, &Entry) -> bool) -> Vec<Todo> {
        let mut todo = Vec::new();
        let mut freed = 0;
        for (key, pool) in &mut self.pools {
            for entry in pool.idle.extract_if(.., |entry| ends(key, entry)) {
                freed += memory(&entry.spec);
                if entry.is_provisioned()
                    && let Some(provision) = self.provisions.get_mut(key)
                {
                    provision.live -= 1;
                }
                todo.push(Todo::End(Box::new(entry)));
            }
        }
        self.used_mb -= freed;
        self.pools.retain(|_, pool| {
            let is_empty = pool.idle.is_empty() && pool.waiting.is_empty();
            !(is_empty && pool.starting == 0 && pool.busy == 0 && pool.setbacks.is_clear())
        });
        todo
    }

    fn may_run(&self, name: &str, limit: Limit) -> bool {
        match limit {
            Limit::Reserved(limit) => self.running.get(name).copied().unwrap_or(0) < limit,
            Limit::Shared(limit) => self.shared_running < limit,
        }
    }

    fn run(&mut self, name: &str, footing: Footing) {
        if footing == Footing::Provisioned {
            self.provisioned_running += 1;
            return;
        }
        *self.running.entry(name.to_owned()).or_default() += 1;
        self.shared_running += u32::from(footing == Footing::Shared);
    }

    fn stop_running(&mut self, name: &str, footing: Footing) {
        if footing == Footing::Provisioned {
            self.provisioned_running -= 1;
            return;
        }
        if let Some(count) = self.running.get_mut(name) {
            *count -= 1;
            if *count == 0 {
                self.running.remove(name);
            }
        }
        self.shared_running -= u32::from(footing == Footing::Shared);
    }

    fn forget(&mut self, spec: &Spec, footing: Footing) {
        self.used_mb -= memory(spec);
        self.stop_running(&spec.name, footing);
    }

    pub(super) fn pump_all(&mut self) -> Vec<Todo> {
        let waiting: Vec<Key> = self
            .pools
            .iter()
            .filter(|(_, pool)| !pool.waiting.is_empty())
            .map(|(key, _)| key.clone())
            .collect();
        waiting.iter().flat_map(|key| self.pump(key)).collect()
    }

    /// Gives what there is to those who wait.
    pub(super) fn pump(&mut self, key: &Key) -> Vec<Todo> {
        let mut todo = Vec::new();
        loop {
            let Some(pool) = self.pools.get_mut(key) else { return todo };
            while pool.waiting.front().is_some_and(Reply::is_closed) {
                pool.waiting.pop_front();
            }
            if pool.waiting.is_empty() {
                return todo;
            }
            if let Some(at) = pool.idle.iter().rposition(Entry::is_provisioned)
                && let Some(reply) = pool.waiting.pop_front()
            {
                let entry = pool.idle.remove(at);
                pool.busy += 1;
                self.run(&key.name, Footing::Provisioned);
                todo.push(Todo::Grant(reply, Box::new(entry)));
                continue;
            }
            let (limit, spec) = (pool.limit, Arc::clone(&pool.spec));
            let footing = limit.footing();
            let at_once = if pool.proven && !pool.setbacks.is_doubtful() { PARALLEL_STARTS } else { 1 };
            let wants_start = !pool.setbacks.waits() && pool.starting < at_once.min(pool.waiting.len());
            let has_idle = !pool.idle.is_empty();
            if !(has_idle || wants_start) || !self.may_run(&key.name, limit) {
                return todo;
            }
            if has_idle {
                let Some(pool) = self.pools.get_mut(key) else { return todo };
                if let (Some(mut entry), Some(reply)) = (pool.idle.pop(), pool.waiting.pop_front()) {
                    pool.busy += 1;
                    entry.footing = footing;
                    self.run(&key.name, footing);
                    todo.push(Todo::Grant(reply, Box::new(entry)));
                }
                continue;
            }
            if !self.make_room(key, &spec, &mut todo) {
                return todo;
            }
            self.run(&key.name, footing);
            if let Some(pool) = self.pools.get_mut(key) {
                pool.starting += 1;
            }
            todo.push(Todo::Start(key.clone(), self.to_start(key, spec), footing));
        }
    }

    /// Sets memory for a worker aside, for which idle ones of others may have to go. `false`: there is none.
    pub(super) fn make_room(&mut self, key: &Key, spec: &Spec, todo: &mut Vec<Todo>) -> bool {
        while self.used_mb + memory(spec) > self.options.memory_mb {
            match self.evict(key) {
                Some(end) => todo.push(end),
                None => return false,
            }
        }
        self.used_mb += memory(spec);
        true
    }

    /// Makes room: the worker that has been idle the longest goes.
    fn evict(&mut self, spared: &Key) -> Option<Todo> {
        let oldest = self
            .pools
            .iter()
            .filter(|(key, _)| *key != spared)
            .filter_map(|(key, pool)| {
                let at = pool.idle.iter().position(|entry| !entry.is_provisioned())?;
                Some((pool.idle.get(at)?.since, key.clone(), at))
            })
            .min_by_key(|(since, ..)| *since)?;
        let entry = self.pools.get_mut(&oldest.1)?.idle.remove(oldest.2);
        self.used_mb -= memory(&entry.spec);
        Some(Todo::End(Box::new(entry)))
    }
}
