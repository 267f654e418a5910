//! The collector: a thread that removes what committed transactions made garbage, once nobody reads it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use redb::ReadableTable as _;

use super::Shared;
use super::blob::BlobId;
use super::committer::Committer;
use super::faults::Step;
use super::rows::{PartRow, Place, decode};
use super::tables::{BLOBS, GC, PARTS, Tx, View};
use crate::store::Result;

/// Pieces of garbage that are removed in one transaction.
const BATCH: usize = 512;
/// How long garbage gathers, so that its removal does not cost a flush for each overwrite.
const GATHER: Duration = Duration::from_millis(100);
/// Files that are younger than this are nobody's business: a write may be about to name them.
const ORPHAN_AGE: Duration = Duration::from_secs(3600);

/// Something to remove.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Garbage {
    /// A body file.
    File(BlobId),
    /// All that the parts of an upload hold.
    Upload(String),
}

impl Garbage {
    /// The body file that this is.
    pub(super) fn file(&self) -> Option<BlobId> {
        match self {
            Self::File(id) => Some(*id),
            Self::Upload(_) => None,
        }
    }

    /// Key in the `gc` table.
    pub(super) fn key(&self) -> Vec<u8> {
        match self {
            Self::File(id) => [b"f", id.bytes().as_slice()].concat(),
            Self::Upload(id) => [b"u", id.as_bytes()].concat(),
        }
    }

    /// Reads a key of the `gc` table. A key of a later version is left alone.
    fn from_key(key: &[u8]) -> Option<Self> {
        match key.split_first()? {
            (b'f', id) => BlobId::from_bytes(id).map(Self::File),
            (b'u', id) => String::from_utf8(id.to_vec()).ok().map(Self::Upload),
            _ => None,
        }
    }
}

/// Work for the collector.
#[derive(Debug)]
pub(super) enum Task {
    /// Garbage of a durable transaction.
    Remove(Vec<Garbage>),
    /// A file that no row ever named.
    Unlink(PathBuf),
    /// Stop.
    Stop,
}

/// The way to the collector.
#[derive(Debug)]
pub(super) struct Queue(Mutex<Option<Sender<Task>>>);

impl Queue {
    pub(super) fn new() -> (Self, Receiver<Task>) {
        let (sender, receiver) = mpsc::channel();
        (Self(Mutex::new(Some(sender))), receiver)
    }

    /// Hands work over. Once the collector has stopped, garbage stays in its table for the next start, and a
    /// temporary file goes at once.
    pub(super) fn send(&self, task: Task) {
        let mut sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stop = matches!(task, Task::Stop);
        let refused = match sender.as_ref() {
            Some(queue) => queue.send(task).err().map(|refused| refused.0),
            None => Some(task),
        };
        if stop {
            *sender = None;
        }
        drop(sender);
        if let Some(Task::Unlink(path)) = refused {
            unlink(&path);
        }
    }
}

/// Unlinks a file that may be gone already.
fn unlink(path: &Path) -> bool {
    match fs::remove_file(path) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => {
            tracing::warn!(%error, "a body that is garbage cannot be removed; the next start tries again");
            false
        }
    }
}

/// The collector's thread.
pub(super) fn run(
    shared: &Arc<Shared>,
    committer: &Committer,
    tasks: &Receiver<Task>,
    left_over: &[Garbage],
) {
    remove(shared, committer, left_over);
    while let Ok(task) = tasks.recv() {
        let mut garbage = Vec::new();
        let mut stop = false;
        let deadline = Instant::now() + GATHER;
        let mut next = Some(task);
        while let Some(task) = next {
            match task {
                Task::Remove(more) => garbage.extend(more),
                Task::Unlink(path) => drop(unlink(&path)),
                Task::Stop => stop = true,
            }
            next = if stop || garbage.is_empty() {
                tasks.try_recv().ok()
            } else {
                tasks.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
            };
        }
        if stop {
            return;
        }
        remove(shared, committer, &garbage);
    }
}

/// What an earlier run left in the table. Read before anything is written: with relaxed durability, later rows are
/// not garbage before their flush.
pub(super) fn left_over(view: &View) -> Result<Vec<Garbage>> {
    let table = view.txn.open_table(GC)?;
    let mut garbage = Vec::new();
    for entry in table.range::<&[u8]>(..)? {
        garbage.extend(Garbage::from_key(entry?.0.value()));
    }
    Ok(garbage)
}

/// Removes garbage: first from the disk, then from the books.
fn remove(shared: &Arc<Shared>, committer: &Committer, garbage: &[Garbage]) {
    for batch in garbage.chunks(BATCH) {
        let mut removed = Vec::with_capacity(batch.len());
        for garbage in batch.iter().filter(|garbage| shared.pins.may_remove(garbage)) {
            if shared.faults.at(Step::Unlink).is_err() {
                return;
            }
            match garbage {
                Garbage::File(id) if unlink(&shared.layout.blob(*id)) => removed.push(garbage.clone()),
                Garbage::File(_) => {}
                Garbage::Upload(id) => match remove_parts(shared, committer, id) {
                    Ok(true) => removed.push(garbage.clone()),
                    Ok(false) => {}
                    Err(error) => tracing::warn!(%error, "parts that are garbage cannot be removed"),
                },
            }
        }
        if removed.is_empty() {
            continue;
        }
        if shared.faults.at(Step::Unlinked).is_err() {
            return;
        }
        let forgotten = committer.run_blocking(move |tx| {
            for garbage in removed {
                tx.gc.table()?.remove(garbage.key().as_slice())?;
                if let Garbage::File(id) = garbage {
                    tx.blobs.table()?.remove(id.bytes())?;
                }
            }
            Ok(())
        });
        if let Err(error) = forgotten {
            tracing::debug!(%error, "removed garbage stays in its table until the next start");
            return;
        }
    }
}

/// Removes the parts of an upload, some at a time; says whether all are gone.
fn remove_parts(shared: &Arc<Shared>, committer: &Committer, upload: &str) -> Result<bool> {
    loop {
        let table = shared.view().txn.open_table(PARTS)?;
        let mut parts: Vec<(u16, Option<Place>)> = Vec::new();
        for entry in table.range((upload, 0)..=(upload, u16::MAX))?.take(BATCH) {
            let (key, row) = entry?;
            // A row that cannot be read names nothing; its file, if it has one, is left as it is.
            let place = decode::<_, _, PartRow>(PARTS, &key.value(), row.value()).ok().map(|row| row.place);
            parts.push((key.value().1, place));
        }
        drop(table);
        if parts.is_empty() {
            return Ok(true);
        }
        for (_, place) in &parts {
            if let Some(Place::File { id }) = place
                && !unlink(&shared.layout.blob(*id))
            {
                return Ok(false);
            }
        }
        let upload = upload.to_owned();
        committer.run_blocking(move |tx| {
            for (number, place) in parts {
                tx.parts.table()?.remove((upload.as_str(), number))?;
                forget(tx, place.as_ref())?;
            }
            Ok(())
        })?;
    }
}

fn forget(tx: &mut Tx<'_>, place: Option<&Place>) -> Result<()> {
    match place {
        Some(Place::File { id }) => {
            tx.blobs.table()?.remove(id.bytes())?;
        }
        Some(Place::Inline { id, .. }) => {
            tx.inline.table()?.remove(*id)?;
        }
        Some(Place::Parts { .. }) | None => {}
    }
    Ok(())
}

/// Unlinks body files that no row names and that are older than an hour as of the start: they were in place when
/// a crash came before their commit. Runs beside everything else.
pub(super) fn sweep(shared: &Shared, started: SystemTime) -> io::Result<u64> {
    let Some(newest) = started.checked_sub(ORPHAN_AGE) else { return Ok(0) };
    let mut orphans = Vec::new();
    for dir in fs::read_dir(shared.layout.blobs())? {
        let dir = dir?.path();
        if !dir.is_dir() {
            continue;
        }
        for entry in fs::read_dir(dir)? {
            if shared.stopping() {
                return Ok(0);
            }
            let entry = entry?;
            let Some(id) = entry.file_name().to_str().and_then(BlobId::from_name) else { continue };
            // A name that is gone was garbage, which has its own way out.
            let Ok(modified) = entry.metadata().and_then(|metadata| metadata.modified()) else { continue };
            if modified >= newest
                || is_named(shared, id).map_err(|error| io::Error::other(error.to_string()))?
            {
                continue;
            }
            orphans.push(entry.path());
        }
    }
    // A row whose id was damaged names no file, and leaves the file that it meant without a name: that is no orphan.
    if !orphans.is_empty()
        && let Some(id) = without_file(shared).map_err(|error| io::Error::other(error.to_string()))?
    {
        return Err(io::Error::other(format!(
            "the database names body {id:?}, which has no file: no file is taken for an orphan until that is put right"
        )));
    }
    let gone = orphans.iter().filter(|path| !shared.stopping() && unlink(path));
    Ok(gone.count() as u64)
}

/// A body that the database names and that has no file.
fn without_file(shared: &Shared) -> Result<Option<BlobId>> {
    for row in shared.view().txn.open_table(BLOBS)?.iter()? {
        let Some(id) = BlobId::from_bytes(row?.0.value()) else { continue };
        // One that was deleted since the view was taken has no row any more.
        if !shared.layout.blob(id).exists() && is_named(shared, id)? {
            return Ok(Some(id));
        }
        if shared.stopping() {
            break;
        }
    }
    Ok(None)
}

fn is_named(shared: &Shared, id: BlobId) -> Result<bool> {
    Ok(shared.view().txn.open_table(BLOBS)?.get(id.bytes())?.is_some())
}
