//! Room on the disk: what is free, what bodies on their way have announced, and what is kept for the database.
//!
//! Below the reserve, what needs room is refused. Bodies count as taken from the moment they are announced, so that they
//! cannot use the reserve up between the question and the write; the rest of the reserve is for what gives room back.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

use super::Shared;
use crate::store::{Result, StoreError};

/// Size of the ballast, at most.
const BALLAST: u64 = 8 << 20;

/// How much is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Less than half of the reserve: only what gives room back goes on.
    Least,
    /// Less than the reserve: what needs only a little goes on as well.
    Little,
    /// All goes on.
    Enough,
}

/// What an operation needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// It gives room back.
    Nothing,
    /// It replaces rows, or adds a few that are soon removed.
    Little,
    /// It adds something that stays.
    Room,
}

impl Level {
    /// Whether there is room for an operation.
    pub(super) fn admits(self, need: Need) -> bool {
        match need {
            Need::Nothing => true,
            Need::Little => self >= Self::Little,
            Need::Room => self == Self::Enough,
        }
    }
}

/// The disk that the store is on.
#[derive(Debug)]
pub(super) struct Room {
    root: PathBuf,
    reserve: u64,
    /// Bytes that bodies on their way have announced and not written yet.
    announced: AtomicU64,
    pub(super) ballast: Arc<Ballast>,
    /// What tests pretend to be free.
    #[cfg(test)]
    pub(super) pretended: std::sync::Mutex<Option<u64>>,
}

impl Room {
    pub(super) fn new(root: PathBuf, reserve: u64) -> Self {
        let ballast = Arc::new(Ballast::new(root.join("ballast"), (reserve / 8).min(BALLAST)));
        Self {
            root,
            reserve,
            announced: AtomicU64::new(0),
            ballast,
            #[cfg(test)]
            pretended: std::sync::Mutex::default(),
        }
    }

    /// Bytes that are free; as many as can be where that is not to be looked at, or cannot be told.
    fn free(&self) -> u64 {
        #[cfg(test)]
        if let Some(free) = *self.pretended.lock().unwrap() {
            return free;
        }
        if self.reserve == 0 {
            return u64::MAX;
        }
        statvfs(&self.root).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// How much is free now. Once there is enough, the ballast is taken in again.
    pub(super) fn level(&self) -> Level {
        let free = self.free();
        if free >= self.reserve.saturating_mul(2) {
            self.ballast.take();
        }
        match free {
            free if free >= self.reserve => Level::Enough,
            free if free >= self.reserve / 2 => Level::Little,
            _ => Level::Least,
        }
    }

    /// Whether so many bytes can be taken without touching the reserve.
    fn has(&self, bytes: u64) -> bool {
        self.free() >= self.reserve.saturating_add(bytes)
    }
}

/// A body on its way, and what is to come of it.
#[derive(Debug)]
pub(super) struct Coming {
    shared: Arc<Shared>,
    left: u64,
}

impl Coming {
    /// Announces a body of so many bytes, or of nobody knows how many (0). [`StoreError::Full`] where it does not fit
    /// beside those that are on their way.
    pub(super) fn announce(shared: &Arc<Shared>, length: u64) -> Result<Self> {
        let room = &shared.room;
        let others = room.announced.fetch_add(length, Ordering::Relaxed);
        let coming = Self { shared: Arc::clone(shared), left: length };
        if room.has(others.saturating_add(length)) { Ok(coming) } else { Err(StoreError::Full) }
    }

    /// Asks for room for the next bytes: those that were announced have theirs.
    pub(super) fn ask(&self, bytes: usize) -> Result<()> {
        let room = &self.shared.room;
        let bytes = bytes as u64;
        let others = if bytes <= self.left { 0 } else { room.announced.load(Ordering::Relaxed) };
        if room.has(bytes.saturating_add(others)) { Ok(()) } else { Err(StoreError::Full) }
    }

    /// Bytes that were announced are on the disk.
    pub(super) fn came(&mut self, bytes: usize) {
        let came = self.left.min(bytes as u64);
        self.left -= came;
        self.shared.room.announced.fetch_sub(came, Ordering::Relaxed);
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.shared.room.announced.fetch_sub(self.left, Ordering::Relaxed);
    }
}

/// A file that only takes room. It is given up when the disk is full all the same, in the midst of a commit: a write of
/// the database that fails would stop the store, and with it the deletes that make room.
#[derive(Debug)]
pub(super) struct Ballast {
    path: PathBuf,
    size: u64,
    held: AtomicBool,
}

impl Ballast {
    fn new(path: PathBuf, size: u64) -> Self {
        Self { path, size, held: AtomicBool::new(false) }
    }

    /// Takes the room, unless it is taken. Without it the store works as well, but for a disk that is full.
    pub(super) fn take(&self) {
        if self.size == 0 || self.held.swap(true, Ordering::Relaxed) {
            return;
        }
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&self.path);
        let taken = file.and_then(|file| Ok(fallocate(file, FallocateFlags::empty(), 0, self.size)?));
        if let Err(error) = taken {
            tracing::debug!(%error, "no room can be kept for the database");
        }
    }

    /// Gives the room back; says whether there was any.
    pub(super) fn give_up(&self) -> bool {
        self.held.swap(false, Ordering::Relaxed) && fs::remove_file(&self.path).is_ok()
    }
}
