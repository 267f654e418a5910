//! Opening a data directory: the lock, the database, what a crash left behind, the threads.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use redb::{Builder, Database, ReadableTable, WriteTransaction};

use super::backend::Backend;
use super::blob::{Layout, sync_dir};
use super::committer::{self, Committer};
use super::faults::Faults;
use super::pins::Pins;
use super::room::Room;
use super::rows::{ObjectRow, PartRow, VersionRow, decode};
use super::tables::{
    BLOBS, BUCKETS, FORMAT, GC, INLINE, META, OBJECTS, PARTS, RECORDS, UPLOADS, USAGE, VERSIONS, View,
};
use super::{FsOptions, FsStore, Inner, OpenError, Shared, Threads, gc, lock};
use crate::clock::Clock;
use crate::store::{Bucket, Buckets, Result as StoreResult, StoreError, Usage};

/// Key of the layout's version in the `meta` table.
const FORMAT_KEY: &str = "format";
/// Key that stands in the `meta` table once what buckets hold is counted.
const COUNTED_KEY: &str = "usage";
/// Parts in the cache of completed uploads: some 8 MiB.
const CACHED_PARTS: u64 = 40_000;
/// Greatest `inline_limit`: bodies in a group are all in memory.
const INLINE_MAX: usize = 1 << 20;

impl FsStore {
    /// Opens a data directory. Takes milliseconds whatever its size; what a crash left behind is removed beside
    /// the first requests.
    pub fn open(options: FsOptions, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let mut options = options;
        options.inline_limit = options.inline_limit.min(INLINE_MAX);
        let started = SystemTime::now();
        let layout = Layout { root: options.dir.clone() };
        make_dirs(&layout)?;
        let lock = lock::take(&layout.root, &layout.lock())?;
        empty(&layout.temporary())?;
        let path = layout.database();
        let broken = |reason: String| OpenError::Database { path: path.clone(), reason };
        let room = Room::new(layout.root.clone(), options.reserve_bytes);
        let faults = Arc::new(Faults::default());
        let db = database(&layout, &options, &room, &faults)?;
        room.level();
        let (view, buckets, next_inline, left_over) = load(&db).map_err(|error| broken(error.to_string()))?;
        let (gc_queue, tasks) = gc::Queue::new();
        let shared = Arc::new(Shared {
            options,
            clock,
            layout,
            view: ArcSwap::from_pointee(view),
            db,
            buckets: ArcSwap::from_pointee(buckets),
            pins: Pins::default(),
            parts: moka::sync::Cache::builder()
                .max_capacity(CACHED_PARTS)
                .weigher(|_, parts: &super::Parts| parts.weight().max(1))
                .build(),
            gc: gc_queue,
            poison: OnceLock::new(),
            stopping: AtomicBool::new(false),
            faults,
            room,
            _lock: lock,
        });
        let (committer, queue) = Committer::new();
        let inner = Arc::new(Inner {
            shared: Arc::clone(&shared),
            committer: Arc::new(committer),
            threads: Mutex::default(),
        });
        // From here on a failure drops `inner`, which ends the threads that were started.
        let mut threads = Threads::default();
        let started_threads = (|| {
            let own = Arc::clone(&shared);
            threads.committer = Some(spawn("committer", move || committer::run(&own, &queue, next_inline))?);
            let (own, committer) = (Arc::clone(&shared), Arc::clone(&inner.committer));
            threads.others.push(spawn("collector", move || gc::run(&own, &committer, &tasks, &left_over))?);
            let own = Arc::clone(&shared);
            threads.others.push(spawn("sweep", move || sweep(&own, started))?);
            Ok(())
        })();
        *inner.threads.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = threads;
        started_threads.map_err(|source| OpenError::Io { path: shared.layout.root.clone(), source })?;
        Ok(Self { inner })
    }
}

/// Opens the database. A new one has its name only once it is whole, so that a file that is no database is never one
/// that a crash left, but one that something has spoilt.
fn database(
    layout: &Layout,
    options: &FsOptions,
    room: &Room,
    faults: &Arc<Faults>,
) -> Result<Database, OpenError> {
    let (path, unfinished) = (layout.database(), layout.unfinished_database());
    let io = |source| OpenError::Io { path: unfinished.clone(), source };
    let new = !path.exists();
    let at = if new { &unfinished } else { &path };
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
        Ok(()) | Err(_) => {}
    }
    let broken = |reason: String| OpenError::Database { path: at.clone(), reason };
    let backend = Backend::open(at, Arc::clone(&room.ballast), Arc::clone(faults))
        .map_err(|error| broken(error.to_string()))?;
    let db = Builder::new()
        .set_cache_size(options.cache_bytes)
        .create_with_backend(backend)
        .map_err(|error| broken(error.to_string()))?;
    prepare(&db).map_err(|error| broken(error.to_string()))??;
    if new {
        // The database's own flush does not cover its name.
        fs::rename(&unfinished, &path).and_then(|()| sync_dir(&layout.root)).map_err(io)?;
    }
    Ok(db)
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(format!("store-{name}")).spawn(run)
}

fn sweep(shared: &Shared, started: SystemTime) {
    match gc::sweep(shared, started) {
        Ok(0) => {}
        Ok(files) => tracing::info!(files, "removed body files that a crash left without a row"),
        Err(error) => tracing::warn!(%error, "the search for body files without a row ended early"),
    }
}

/// Makes the directories, all of them now and flushed: a body's own flush covers the directory it is in, not that
/// one's name.
fn make_dirs(layout: &Layout) -> Result<(), OpenError> {
    let make = |dir: &Path| DirBuilder::new().recursive(true).mode(0o700).create(dir);
    let failed = |dir: &Path| {
        let path = dir.to_owned();
        move |source| OpenError::Io { path, source }
    };
    // Those that are made now: the name of each stands in the directory above it.
    let new: Vec<&Path> = layout.root.ancestors().take_while(|dir| !dir.exists()).collect();
    for dir in [layout.root.clone(), layout.temporary(), layout.blobs()] {
        make(&dir).map_err(failed(&dir))?;
    }
    for dir in new.iter().filter_map(|dir| dir.parent()) {
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        sync_dir(dir).map_err(failed(dir))?;
    }
    let blobs = layout.blobs();
    for first in 0..=u8::MAX {
        let dir = blobs.join(format!("{first:02x}"));
        if !dir.is_dir() {
            make(&dir).map_err(failed(&dir))?;
        }
    }
    for dir in [&blobs, &layout.root] {
        sync_dir(dir).map_err(failed(dir))?;
    }
    Ok(())
}

/// Removes what is in a directory. Nobody else uses it: this process holds the lock.
fn empty(dir: &Path) -> Result<(), OpenError> {
    let remove = || {
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        File::open(dir)?.sync_all()
    };
    remove().map_err(|source| OpenError::Io { path: dir.to_owned(), source })
}

/// Checks the version and, in a new database, creates the tables.
fn prepare(db: &Database) -> StoreResult<Result<(), OpenError>> {
    let mut txn = db.begin_write()?;
    txn.set_quick_repair(true);
    let found = txn.open_table(META)?.get(FORMAT_KEY)?.map(|found| found.value());
    let counted = txn.open_table(META)?.get(COUNTED_KEY)?.is_some();
    match found {
        Some(FORMAT) if counted => {
            txn.abort()?;
        }
        Some(1..=FORMAT) => {
            txn.open_table(META)?.insert(FORMAT_KEY, FORMAT)?;
            if !counted {
                count(&txn)?;
            }
            txn.commit()?;
        }
        Some(found) => {
            txn.abort()?;
            return Ok(Err(OpenError::Format { found, known: FORMAT }));
        }
        None => {
            txn.open_table(META)?.insert(FORMAT_KEY, FORMAT)?;
            txn.open_table(BUCKETS)?;
            txn.open_table(OBJECTS)?;
            txn.open_table(VERSIONS)?;
            txn.open_table(INLINE)?;
            txn.open_table(UPLOADS)?;
            txn.open_table(PARTS)?;
            txn.open_table(GC)?;
            txn.open_table(BLOBS)?;
            txn.open_table(RECORDS)?;
            count(&txn)?;
            txn.commit()?;
        }
    }
    Ok(Ok(()))
}

/// Counts what each bucket holds: once, in a directory that was written before that was kept.
fn count(txn: &WriteTransaction) -> StoreResult<()> {
    let mut found: BTreeMap<u64, Usage> = BTreeMap::new();
    for entry in txn.open_table(OBJECTS)?.range::<&[u8]>(..)? {
        let (key, row) = entry?;
        let Some((bucket, _)) = key.value().split_first_chunk() else { continue };
        let row: ObjectRow = decode(OBJECTS, &key.value(), row.value())?;
        found.entry(u64::from_be_bytes(*bucket)).or_default().add_object(row.info.size);
    }
    for entry in txn.open_table(VERSIONS)?.range::<(u64, &str, u64)>(..)? {
        let (key, row) = entry?;
        if let VersionRow::Object(row) = decode(VERSIONS, &key.value(), row.value())? {
            found.entry(key.value().0).or_default().add_object(row.info.size);
        }
    }
    let parts = txn.open_table(PARTS)?;
    for entry in txn.open_table(UPLOADS)?.range::<(u64, &str, &str)>(..)? {
        let key = entry?.0;
        let (bucket, _, upload) = key.value();
        for entry in parts.range((upload, 0)..=(upload, u16::MAX))? {
            let (key, row) = entry?;
            let part: PartRow = decode(PARTS, &key.value(), row.value())?;
            found.entry(bucket).or_default().add_part(part.info.size);
        }
    }
    let mut table = txn.open_table(USAGE)?;
    for (bucket, Usage { objects, bytes, upload_bytes }) in found {
        table.insert(bucket, (objects, bytes, upload_bytes))?;
    }
    txn.open_table(META)?.insert(COUNTED_KEY, 1)?;
    Ok(())
}

/// What is kept in memory: the view, the buckets, the next free id of `inline`; and what is left to remove.
fn load(db: &Database) -> StoreResult<(View, Buckets, u64, Vec<gc::Garbage>)> {
    let view = View::new(db)?;
    let mut buckets = Buckets::new();
    for entry in view.txn.open_table(BUCKETS)?.range::<&str>(..)? {
        let (name, row) = entry?;
        let bucket: Bucket = decode(BUCKETS, &name.value(), row.value())?;
        if bucket.name != name.value() {
            return Err(StoreError::Corrupt("a bucket has another's name".into()));
        }
        buckets.insert(bucket.name.clone(), Arc::new(bucket));
    }
    let next = view.inline.last()?.map_or(1, |(id, _)| id.value() + 1);
    let left_over = gc::left_over(&view)?;
    Ok((view, buckets, next, left_over))
}
