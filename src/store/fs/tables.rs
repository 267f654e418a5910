//! The tables of the database, how the committer opens them for writing, and the view that readers share.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use jiff::Timestamp;
use redb::{
    Database, Key, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable, Table, TableDefinition,
    Value, WriteTransaction,
};

use super::blob::{BlobFile, BlobId};
use super::gc::Garbage;
use super::room::Level;
use super::rows::{ObjectRow, Place, decode, encode};
use crate::store::{Bucket, Buckets, Result, StoreError, Usage};

/// Version of the layout that this code writes. It reads version 1 too, whose rows have no CRC of their keys: each gets
/// one when it is written next.
pub(super) const FORMAT: u64 = 2;

/// Bucket name → bucket.
pub(super) const BUCKETS: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("buckets");
/// Bucket id (8 bytes, big-endian), then the key → head and place of an object.
pub(super) const OBJECTS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("objects");
/// (bucket id, key, place in the order turned round) → what is not the current object: older versions, and every
/// delete marker.
pub(super) const VERSIONS: TableDefinition<'static, (u64, &str, u64), &[u8]> =
    TableDefinition::new("versions");
/// Small bodies, apart from the heads so that a listing never reads one. Ids rise, so that a group of writes
/// touches only the right edge of the tree.
pub(super) const INLINE: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("inline");
/// (bucket id, key, upload id) → upload.
pub(super) const UPLOADS: TableDefinition<'static, (u64, &str, &str), &[u8]> =
    TableDefinition::new("uploads");
/// (upload id, number) → part. Completing an upload leaves its parts here: they are the object's list of bodies.
pub(super) const PARTS: TableDefinition<'static, (&str, u16), &[u8]> = TableDefinition::new("parts");
/// What is to be removed from disk.
pub(super) const GC: TableDefinition<'static, &[u8], ()> = TableDefinition::new("gc");
/// Every body file that a row refers to, or that waits in `gc`: a file without a row here is an orphan.
pub(super) const BLOBS: TableDefinition<'static, &[u8; 16], u64> = TableDefinition::new("blobs");
/// (kind, name) → record.
pub(super) const RECORDS: TableDefinition<'static, (&str, &str), &[u8]> = TableDefinition::new("records");
/// Bucket id → objects, their bytes, bytes of parts of uploads: see [`Usage`].
pub(super) const USAGE: TableDefinition<'static, u64, (u64, u64, u64)> = TableDefinition::new("usage");
/// `format`, `next-bucket` and `usage`.
pub(super) const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");

macro_rules! engine_errors {
    ($($error:ty),*) => {$(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::Engine(error.to_string())
            }
        }
    )*};
}
engine_errors!(
    redb::StorageError,
    redb::TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::SetDurabilityError
);

/// A row of [`USAGE`].
fn usage_of((objects, bytes, upload_bytes): (u64, u64, u64)) -> Usage {
    Usage { objects, bytes, upload_bytes }
}

/// Key of an object in [`OBJECTS`].
pub(super) fn object_key(bucket: u64, key: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + key.len());
    bytes.extend_from_slice(&bucket.to_be_bytes());
    bytes.extend_from_slice(key.as_bytes());
    bytes
}

/// One committed state, with the tables that every read needs already open. Readers share it until the next
/// commit replaces it.
pub(super) struct View {
    pub(super) objects: ReadOnlyTable<&'static [u8], &'static [u8]>,
    pub(super) versions: ReadOnlyTable<(u64, &'static str, u64), &'static [u8]>,
    pub(super) inline: ReadOnlyTable<u64, &'static [u8]>,
    usage: ReadOnlyTable<u64, (u64, u64, u64)>,
    pub(super) txn: ReadTransaction,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("View")
    }
}

impl View {
    /// The state as of now.
    pub(super) fn new(db: &Database) -> Result<Self> {
        let txn = db.begin_read().map_err(StoreError::from)?;
        Ok(Self {
            objects: txn.open_table(OBJECTS)?,
            versions: txn.open_table(VERSIONS)?,
            inline: txn.open_table(INLINE)?,
            usage: txn.open_table(USAGE)?,
            txn,
        })
    }

    /// What a bucket holds.
    pub(super) fn usage(&self, bucket: u64) -> Result<Usage> {
        Ok(self.usage.get(bucket)?.map(|row| usage_of(row.value())).unwrap_or_default())
    }

    /// The current object's row.
    pub(super) fn object(&self, bucket: u64, key: &str) -> Result<Option<ObjectRow>> {
        let key = object_key(bucket, key);
        let row = self.objects.get(key.as_slice())?;
        row.map(|row| decode(OBJECTS, &key.as_slice(), row.value())).transpose()
    }
}

/// The bucket that an operation is about: what has its name by the time it runs may be another.
#[derive(Debug, Clone)]
pub(super) struct BucketRef {
    name: String,
    id: u64,
}

impl From<&Bucket> for BucketRef {
    fn from(bucket: &Bucket) -> Self {
        Self { name: bucket.name.clone(), id: bucket.id }
    }
}

/// A table that is opened when it is first needed.
pub(super) struct Slot<'t, K: Key + 'static, V: Value + 'static> {
    txn: &'t WriteTransaction,
    definition: TableDefinition<'static, K, V>,
    table: Option<Table<'t, K, V>>,
}

impl<'t, K: Key + 'static, V: Value + 'static> Slot<'t, K, V> {
    fn new(txn: &'t WriteTransaction, definition: TableDefinition<'static, K, V>) -> Self {
        Self { txn, definition, table: None }
    }

    /// The table.
    pub(super) fn table(&mut self) -> Result<&mut Table<'t, K, V>> {
        Ok(match &mut self.table {
            Some(table) => table,
            none => none.insert(self.txn.open_table(self.definition)?),
        })
    }
}

/// A group's transaction, as the operations in it see it.
///
/// An operation reads and decides first and changes afterwards, so that one that fails leaves nothing in the
/// group's transaction.
pub(super) struct Tx<'t> {
    pub(super) bucket_rows: Slot<'t, &'static str, &'static [u8]>,
    pub(super) objects: Slot<'t, &'static [u8], &'static [u8]>,
    pub(super) versions: Slot<'t, (u64, &'static str, u64), &'static [u8]>,
    pub(super) inline: Slot<'t, u64, &'static [u8]>,
    pub(super) uploads: Slot<'t, (u64, &'static str, &'static str), &'static [u8]>,
    pub(super) parts: Slot<'t, (&'static str, u16), &'static [u8]>,
    pub(super) gc: Slot<'t, &'static [u8], ()>,
    pub(super) blobs: Slot<'t, &'static [u8; 16], u64>,
    pub(super) records: Slot<'t, (&'static str, &'static str), &'static [u8]>,
    pub(super) meta: Slot<'t, &'static str, u64>,
    usage_rows: Slot<'t, u64, (u64, u64, u64)>,
    /// What buckets hold that this group changes, as of this point of it.
    usage: BTreeMap<u64, Usage>,
    /// Buckets as of this point of the group.
    pub(super) buckets: Arc<Buckets>,
    /// Time of the group.
    pub(super) now: Timestamp,
    /// How much is free on the disk.
    pub(super) level: Level,
    /// Next free id in `inline`.
    pub(super) next_inline: u64,
    /// What this group made garbage.
    pub(super) garbage: Vec<Garbage>,
    /// Files that rows of this group refer to.
    pub(super) kept: Vec<BlobFile>,
}

/// What a group leaves to the committer.
pub(super) struct Outcome {
    pub(super) buckets: Arc<Buckets>,
    pub(super) next_inline: u64,
    pub(super) garbage: Vec<Garbage>,
    pub(super) kept: Vec<BlobFile>,
}

impl<'t> Tx<'t> {
    /// Writes what buckets hold now, and closes the tables.
    pub(super) fn finish(mut self) -> Result<Outcome> {
        for (bucket, Usage { objects, bytes, upload_bytes }) in std::mem::take(&mut self.usage) {
            self.usage_rows.table()?.insert(bucket, (objects, bytes, upload_bytes))?;
        }
        Ok(Outcome {
            buckets: self.buckets,
            next_inline: self.next_inline,
            garbage: self.garbage,
            kept: self.kept,
        })
    }

    pub(super) fn new(
        txn: &'t WriteTransaction,
        buckets: Arc<Buckets>,
        now: Timestamp,
        next_inline: u64,
        level: Level,
    ) -> Self {
        Self {
            bucket_rows: Slot::new(txn, BUCKETS),
            objects: Slot::new(txn, OBJECTS),
            versions: Slot::new(txn, VERSIONS),
            inline: Slot::new(txn, INLINE),
            uploads: Slot::new(txn, UPLOADS),
            parts: Slot::new(txn, PARTS),
            gc: Slot::new(txn, GC),
            blobs: Slot::new(txn, BLOBS),
            records: Slot::new(txn, RECORDS),
            meta: Slot::new(txn, META),
            usage_rows: Slot::new(txn, USAGE),
            usage: BTreeMap::new(),
            buckets,
            now,
            level,
            next_inline,
            garbage: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// A bucket as of this point of the group, if it is still the one that is meant.
    pub(super) fn bucket(&self, meant: &BucketRef) -> Result<Arc<Bucket>> {
        let found = self.buckets.get(&meant.name).filter(|found| found.id == meant.id);
        found.cloned().ok_or(StoreError::NoSuchBucket)
    }

    /// What a bucket holds as of this point of the group, to be changed.
    pub(super) fn usage(&mut self, bucket: u64) -> Result<&mut Usage> {
        match self.usage.entry(bucket) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(new) => {
                let row = self.usage_rows.table()?.get(bucket)?.map(|row| usage_of(row.value()));
                Ok(new.insert(row.unwrap_or_default()))
            }
        }
    }

    /// Forgets what a bucket that is deleted held.
    pub(super) fn forget_usage(&mut self, bucket: u64) -> Result<()> {
        self.usage.remove(&bucket);
        self.usage_rows.table()?.remove(bucket)?;
        Ok(())
    }

    /// Whether a bucket's quota allows a change to what it holds.
    pub(super) fn check_quota(&mut self, bucket: &Bucket, change: impl FnOnce(&mut Usage)) -> Result<()> {
        let Some(quota) = bucket.config.quota else { return Ok(()) };
        let before = *self.usage(bucket.id)?;
        let mut after = before;
        change(&mut after);
        quota.allows(&before, &after)
    }

    /// An object's row as of this point of the group.
    pub(super) fn object(&mut self, key: &[u8]) -> Result<Option<ObjectRow>> {
        self.objects.table()?.get(key)?.map(|row| decode(OBJECTS, &key, row.value())).transpose()
    }

    /// Writes an object's row.
    pub(super) fn set_object(&mut self, key: &[u8], row: &ObjectRow) -> Result<()> {
        let row = encode(OBJECTS, &key, row)?;
        self.objects.table()?.insert(key, row.as_slice())?;
        Ok(())
    }

    /// Makes the bytes at a place garbage. A body in a table that no reader can still need goes at once.
    pub(super) fn discard(&mut self, place: Place) -> Result<()> {
        match place {
            Place::Inline { id, .. } => {
                self.inline.table()?.remove(id)?;
                Ok(())
            }
            Place::File { id } => self.condemn(Garbage::File(id)),
            Place::Parts { upload, .. } => self.condemn(Garbage::Upload(upload)),
        }
    }

    /// Writes garbage down, to be removed after the commit.
    pub(super) fn condemn(&mut self, garbage: Garbage) -> Result<()> {
        self.gc.table()?.insert(garbage.key().as_slice(), ())?;
        self.garbage.push(garbage);
        Ok(())
    }

    /// Takes a small body into the table.
    pub(super) fn keep_inline(&mut self, bytes: &[u8], crc: u64) -> Result<Place> {
        let id = self.next_inline;
        self.next_inline += 1;
        self.inline.table()?.insert(id, bytes)?;
        Ok(Place::Inline { id, crc })
    }

    /// Takes a body's file, which is in its place, into the books.
    pub(super) fn keep_file(&mut self, file: BlobFile, size: u64) -> Result<Place> {
        let id: BlobId = file.id();
        self.blobs.table()?.insert(id.bytes(), size)?;
        self.kept.push(file);
        Ok(Place::File { id })
    }
}
