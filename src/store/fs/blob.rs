//! Body files: their names, how they are written segment by segment, and how they reach their place.
//!
//! A file is the body, then the CRC-64/NVME of each segment of 256 KiB (8 bytes each, little-endian). Where the body is
//! sealed, what follows it is its salt, the tag of its size (16 bytes each), and for each segment the CRC of what is on
//! disk and the tag of its AES-GCM (16 bytes).

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::Shared;
use super::buffers::Buffer;
use super::faults::Step;
use super::gc::Task;
use super::room::Coming;
use super::rows::crc64;
use crate::encryption::cipher::TAG;
use crate::encryption::{BodyCipher, DataKey};
use crate::store::hash::{Digests, Hasher};
use crate::store::{Result, StoreError};

/// Bytes that one CRC covers.
pub(super) const SEGMENT: usize = 256 * 1024;
/// [`SEGMENT`] as a 64-bit number.
pub(super) const SEGMENT_U64: u64 = 256 * 1024;
/// Bytes of a CRC in a file's trailer.
pub(super) const CRC_BYTES: u64 = 8;

/// Names a body file: 128 random bits, never derived from a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct BlobId([u8; 16]);

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl BlobId {
    /// A new one.
    pub(super) fn random() -> io::Result<Self> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self(id))
    }

    pub(super) fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// An id from the form it has in the database.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// An id from a file's name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(name.as_bytes()).ok()?;
        Self::from_bytes(&bytes)
    }

    fn hex(self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

/// Where things are in the data directory.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) root: PathBuf,
}

impl Layout {
    pub(super) fn database(&self) -> PathBuf {
        self.root.join("refract.redb")
    }

    /// Where a new database is made, until it is whole.
    pub(super) fn unfinished_database(&self) -> PathBuf {
        self.root.join("refract.redb.new")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.root.join("LOCK")
    }

    pub(super) fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    pub(super) fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    /// The directory of a body file.
    pub(super) fn blob_dir(&self, id: BlobId) -> PathBuf {
        let [first, ..] = id.0;
        self.root.join("blobs").join(format!("{first:02x}"))
    }

    /// A body file in its place.
    pub(super) fn blob(&self, id: BlobId) -> PathBuf {
        self.blob_dir(id).join(id.hex())
    }

    fn temporary_blob(&self, id: BlobId) -> PathBuf {
        self.root.join("tmp").join(id.hex())
    }
}

/// Flushes a directory's entries.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// A body file that no row refers to yet: it is unlinked when this is dropped.
pub(super) struct BlobFile {
    id: BlobId,
    path: PathBuf,
    shared: Arc<Shared>,
    kept: bool,
}

impl fmt::Debug for BlobFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BlobFile").field(&self.id).finish()
    }
}

impl BlobFile {
    /// Creates a temporary file.
    fn create(shared: Arc<Shared>) -> io::Result<(Self, File)> {
        let id = BlobId::random()?;
        let path = shared.layout.temporary_blob(id);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        Ok((Self { id, path, shared, kept: false }, file))
    }

    pub(super) fn id(&self) -> BlobId {
        self.id
    }

    /// Where it is now.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A row refers to it now, or may: it stays.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }

    /// Flushes the file and moves it to its place, flushed as well. Blocks.
    ///
    /// A failed flush stops the store: the kernel may have dropped the pages, so that a second flush would lie.
    pub(super) fn place(mut self, file: &File) -> Result<Self> {
        let shared = Arc::clone(&self.shared);
        let sync = shared.options.durability == super::Durability::Sync;
        if sync {
            shared
                .faults
                .at(Step::SyncFile)
                .and_then(|()| file.sync_data())
                .map_err(|error| shared.poison(&format!("flush of a body: {error}")))?;
        }
        let dir = shared.layout.blob_dir(self.id);
        let to = shared.layout.blob(self.id);
        shared.faults.at(Step::Rename)?;
        fs::rename(&self.path, &to).map_err(io_error)?;
        self.path = to;
        if sync {
            shared
                .faults
                .at(Step::SyncDir)
                .and_then(|()| sync_dir(&dir))
                .map_err(|error| shared.poison(&format!("flush of a directory: {error}")))?;
        }
        shared.faults.at(Step::Submit)?;
        Ok(self)
    }
}

impl Drop for BlobFile {
    fn drop(&mut self) {
        if !self.kept {
            // Unlinking a large file takes a while: not on this thread, which may serve requests.
            self.shared.gc.send(Task::Unlink(std::mem::take(&mut self.path)));
        }
    }
}

/// Tells a full disk from other failures.
pub(super) fn io_error(error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Io(error),
    }
}

/// Hashes a body and writes it to a temporary file. All its methods block.
#[derive(Debug)]
pub(super) struct BlobWriter {
    // The file is declared before its guard, so that it is closed before it is unlinked.
    file: File,
    blob: BlobFile,
    coming: Coming,
    hasher: Hasher,
    /// What follows the body: for each segment its CRC, and its tag where it is sealed.
    trailer: Vec<u8>,
    cipher: Option<BodyCipher>,
    segments: u64,
}

/// A body that was written to a temporary file.
#[derive(Debug)]
pub(super) struct WrittenBlob {
    pub(super) file: File,
    pub(super) blob: BlobFile,
    pub(super) size: u64,
}

impl BlobWriter {
    /// Begins a file.
    pub(super) fn create(
        shared: Arc<Shared>,
        coming: Coming,
        hasher: Hasher,
        key: Option<&DataKey>,
    ) -> Result<Self> {
        let cipher = key.map(BodyCipher::new).transpose()?;
        let (blob, file) = BlobFile::create(shared).map_err(io_error)?;
        Ok(Self { file, blob, coming, hasher, trailer: Vec::new(), cipher, segments: 0 })
    }

    /// Takes the next segment: a whole one, except in the last call.
    pub(super) fn write(&mut self, segment: &Bytes) -> Result<()> {
        self.coming.ask(segment.len())?;
        // Written first, while the bytes are in the processor's cache.
        self.blob.shared.faults.at(Step::Write).map_err(io_error)?;
        match &self.cipher {
            None => {
                self.file.write_all(segment).map_err(io_error)?;
                self.trailer.extend_from_slice(&crc64(segment).to_le_bytes());
            }
            Some(cipher) => {
                let mut tag = [0; TAG];
                let sealed = Buffer::filled(segment.len(), |bytes| {
                    bytes.copy_from_slice(segment);
                    tag = cipher.seal(self.segments, bytes)?;
                    Ok(())
                })?;
                self.file.write_all(sealed.as_ref()).map_err(io_error)?;
                self.trailer.extend_from_slice(&crc64(sealed.as_ref()).to_le_bytes());
                self.trailer.extend_from_slice(&tag);
            }
        }
        self.segments += 1;
        self.coming.came(segment.len());
        self.hasher.update_beside_others(segment);
        Ok(())
    }

    /// Ends the file.
    pub(super) fn finish(mut self) -> Result<(Digests, WrittenBlob)> {
        let digests = self.hasher.finish();
        let size = digests.size;
        if let Some(cipher) = &self.cipher {
            let head = [cipher.salt(), cipher.size_tag(size)].concat();
            self.file.write_all(&head).map_err(io_error)?;
        }
        self.file.write_all(&self.trailer).map_err(io_error)?;
        Ok((digests, WrittenBlob { file: self.file, blob: self.blob, size }))
    }
}
