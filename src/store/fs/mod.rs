//! The durable engine: heads and small bodies in redb, larger bodies in one file each.
//!
//! # Layout of a data directory
//! - `refract.redb`: the database (see `tables`).
//! - `blobs/aa/<32 hex digits>`: body files, by random ids (see `blob`).
//! - `tmp/`: bodies being received; emptied at start.
//! - `ballast`: room that is kept for deletes on a full disk.
//! - `LOCK`: held while a process uses the directory; contains its id.
//!
//! # The life of a write
//! temporary file → hash → flush → rename → flush of the directory → commit (flushed) → answer. What a commit
//! replaces is named in the `gc` table by the same commit, and removed after it, once nobody reads it.

use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use redb::Database;

use self::blob::Layout;
use self::committer::Committer;
use self::faults::Faults;
use self::gc::Task;
use self::objects::Parts;
use self::pins::Pins;
use self::room::Room;
use self::tables::View;
use super::*;
use crate::clock::Clock;

mod backend;
mod blob;
mod buckets;
mod buffers;
mod committer;
mod faults;
mod gc;
mod list;
mod lock;
mod objects;
mod open;
mod pins;
mod read;
mod records;
mod room;
mod rows;
mod stage;
mod tables;
#[cfg(test)]
mod tests;
mod uploads;
mod versions;

/// When a write is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// Once it is on stable storage.
    #[default]
    Sync,
    /// Before that: it is flushed within about a second. A crash of the process or the machine loses what was not
    /// flushed, for the engine keeps it in memory until then; what is left is the whole store as of the last flush.
    Relaxed,
}

/// How to open a data directory.
#[derive(Debug, Clone)]
pub struct FsOptions {
    /// The directory; created (mode 0700) if it is not there.
    pub dir: PathBuf,
    /// When a write is answered.
    pub durability: Durability,
    /// Bytes of database pages to keep in memory. Default 16 MiB.
    pub cache_bytes: usize,
    /// Bodies up to this many bytes are kept in the database. Default 64 KiB; at most 1 MiB.
    pub inline_limit: usize,
    /// Bytes to leave free on the disk: below this, writes that need room are refused with
    /// [`StoreError::Full`], as are bodies that would lead there; below half of it, all but deletes. 0 looks at nothing.
    /// Default 64 MiB.
    pub reserve_bytes: u64,
}

impl FsOptions {
    /// The defaults, for a directory.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            durability: Durability::Sync,
            cache_bytes: 16 << 20,
            inline_limit: 64 << 10,
            reserve_bytes: 64 << 20,
        }
    }
}

/// Why a data directory cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process uses it.
    #[error("the data directory {dir} is in use by process {pid}", dir = dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
        /// Its user's process id, as far as it is known.
        pid: String,
    },
    /// A later version wrote it.
    #[error("the data directory has format {found}; this version reads up to {known}")]
    Format {
        /// Format of the directory.
        found: u64,
        /// Greatest format that this version knows.
        known: u64,
    },
    /// A file cannot be used.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database cannot be opened.
    #[error("{path}: {reason}", path = path.display())]
    Database {
        /// The database's file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// What the store's threads and its readers share.
struct Shared {
    options: FsOptions,
    clock: Arc<dyn Clock>,
    layout: Layout,
    view: ArcSwap<View>,
    db: Database,
    buckets: ArcSwap<Buckets>,
    pins: Pins,
    parts: moka::sync::Cache<String, Parts>,
    gc: gc::Queue,
    poison: OnceLock<String>,
    stopping: AtomicBool,
    faults: Arc<Faults>,
    room: Room,
    /// Last, so that the directory is let go of after the database.
    _lock: File,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("dir", &self.options.dir).finish_non_exhaustive()
    }
}

impl Shared {
    /// The last committed state.
    fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// Stops all writes from now on.
    fn poison(&self, why: &str) -> StoreError {
        let why = self.poison.get_or_init(|| {
            tracing::error!(reason = why, "the store stops taking writes until the next start");
            why.to_owned()
        });
        StoreError::Poisoned(why.clone())
    }

    /// Whether writes are taken.
    fn check(&self) -> Result<()> {
        match self.poison.get() {
            Some(why) => Err(StoreError::Poisoned(why.clone())),
            None => Ok(()),
        }
    }

    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// A store in a directory. Clones are the same store; it closes when the last is dropped, which blocks until what
/// was accepted is flushed, or by [`close`](Self::close), which waits for that without blocking.
#[derive(Debug, Clone)]
pub struct FsStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    committer: Arc<Committer>,
    threads: Mutex<Threads>,
}

#[derive(Debug, Default)]
struct Threads {
    committer: Option<JoinHandle<()>>,
    others: Vec<JoinHandle<()>>,
}

impl Inner {
    /// Ends the threads; what is in the queue is committed first.
    fn stop(&self) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.committer.stop();
        // A thread that panicked has said so itself.
        if let Some(committer) = threads.committer.take() {
            drop(committer.join());
        }
        self.shared.gc.send(Task::Stop);
        for thread in threads.others.drain(..) {
            drop(thread.join());
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop();
    }
}

impl FsStore {
    /// Closes the store: what was accepted is committed and flushed, and later writes fail. The directory is free
    /// for another process once the last clone and the last open object are dropped.
    pub async fn close(&self) {
        let inner = Arc::clone(&self.inner);
        drop(tokio::task::spawn_blocking(move || inner.stop()).await);
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    fn committer(&self) -> &Committer {
        &self.inner.committer
    }
}

#[async_trait]
impl Store for FsStore {
    fn buckets(&self) -> Arc<Buckets> {
        self.shared().buckets.load_full()
    }

    fn bucket(&self, name: &str) -> Result<Arc<Bucket>> {
        self.shared().buckets.load().get(name).cloned().ok_or(StoreError::NoSuchBucket)
    }

    fn usage(&self, bucket: &str) -> Result<Usage> {
        let bucket = self.bucket(bucket)?;
        self.shared().view().usage(bucket.id)
    }

    async fn create_bucket(&self, new: NewBucket) -> Result<Arc<Bucket>> {
        self.do_create_bucket(new).await
    }

    async fn update_bucket(&self, bucket: &Bucket, change: BucketChange) -> Result<Arc<Bucket>> {
        self.do_update_bucket(bucket, change).await
    }

    async fn delete_bucket(&self, bucket: &Bucket) -> Result<()> {
        self.do_delete_bucket(bucket).await
    }

    async fn stage(&self, body: Payload, options: StageOptions) -> Result<Staged> {
        stage::stage(self.shared(), body, options).await
    }

    async fn read_staged(&self, staged: &Staged, range: Range<u64>) -> Result<Payload> {
        stage::read_staged(staged, range).await
    }

    async fn put(
        &self,
        bucket: &Bucket,
        key: &str,
        staged: Staged,
        object: NewObject,
        condition: WriteCondition,
    ) -> Result<ObjectInfo> {
        self.do_put(bucket, key, staged, object, condition).await
    }

    async fn open(&self, bucket: &str, key: &str, version: VersionRef) -> Result<Object> {
        self.do_open(bucket, key, version).await
    }

    async fn head(&self, bucket: &str, key: &str, version: VersionRef) -> Result<ObjectInfo> {
        let bucket = self.bucket(bucket)?;
        Ok(self.shared().view().version(&bucket, key, version)?.info)
    }

    async fn delete(&self, bucket: &Bucket, keys: Vec<DeleteKey>) -> Result<Vec<Result<Deleted>>> {
        self.do_delete(bucket, keys).await
    }

    async fn update_object(
        &self,
        bucket: &Bucket,
        key: &str,
        version: VersionRef,
        change: ObjectChange,
    ) -> Result<ObjectInfo> {
        self.do_update_object(bucket, key, version, change).await
    }

    async fn rename(&self, bucket: &Bucket, rename: Rename) -> Result<ObjectInfo> {
        self.do_rename(bucket, rename).await
    }

    async fn list(&self, bucket: &str, query: ListQuery) -> Result<ListPage> {
        self.do_list(bucket, query).await
    }

    async fn list_versions(&self, bucket: &str, query: ListVersionsQuery) -> Result<ListVersionsPage> {
        self.do_list_versions(bucket, query).await
    }

    async fn create_upload(&self, bucket: &Bucket, key: &str, upload: NewUpload) -> Result<UploadInfo> {
        self.do_create_upload(bucket, key, upload).await
    }

    async fn upload(&self, bucket: &str, key: &str, upload_id: &str) -> Result<UploadInfo> {
        self.do_upload(bucket, key, upload_id)
    }

    async fn put_part(
        &self,
        bucket: &Bucket,
        key: &str,
        upload_id: &str,
        number: u16,
        staged: Staged,
    ) -> Result<PartInfo> {
        self.do_put_part(bucket, key, upload_id, number, staged).await
    }

    async fn list_parts(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        after: u16,
        limit: usize,
    ) -> Result<(Vec<PartInfo>, bool)> {
        self.do_list_parts(bucket, key, upload_id, after, limit)
    }

    async fn complete_upload(
        &self,
        bucket: &Bucket,
        key: &str,
        upload_id: &str,
        parts: Vec<PartRef>,
        object: CompletedObject,
        condition: WriteCondition,
    ) -> Result<ObjectInfo> {
        self.do_complete_upload(bucket, key, upload_id, parts, object, condition).await
    }

    async fn completed_upload(&self, bucket: &str, key: &str, upload_id: &str) -> Result<ObjectInfo> {
        self.do_completed_upload(bucket, key, upload_id)
    }

    async fn abort_upload(&self, bucket: &Bucket, key: &str, upload_id: &str) -> Result<()> {
        self.do_abort_upload(bucket, key, upload_id).await
    }

    async fn list_uploads(&self, bucket: &str, query: ListUploadsQuery) -> Result<ListUploadsPage> {
        self.do_list_uploads(bucket, query).await
    }
}
