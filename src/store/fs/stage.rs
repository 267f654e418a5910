//! Taking a body: small ones stay in memory, larger ones go to a temporary file, hashed and written beside the
//! task that receives them.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::task::JoinHandle;

use super::Shared;
use super::blob::{BlobFile, BlobWriter, WrittenBlob};
use super::buffers::Buffer;
use super::read::{Piece, Source, stream};
use super::room::Coming;
use super::rows::{Place, crc64};
use super::tables::Tx;
use crate::encryption::{BodyCipher, DataKey};
use crate::store::hash::{Digests, Hasher};
use crate::store::{ByteStream, Payload, Result, StageOptions, Staged, StoreError};

/// Where staged bytes are.
#[derive(Debug)]
enum Held {
    /// In memory, as they will be kept, with their CRC; and the key that they are sealed with.
    Memory(Bytes, u64, Option<DataKey>),
    /// In a temporary file.
    File(WrittenBlob, Option<DataKey>),
}

/// Staged bytes in the form that the committer takes.
#[derive(Debug)]
pub(super) enum Body {
    /// A small body.
    Inline(Bytes, u64),
    /// A file in its place, and its size.
    File(BlobFile, u64),
}

impl Body {
    /// Writes the body into a group's transaction.
    pub(super) fn write(self, tx: &mut Tx<'_>) -> Result<Place> {
        match self {
            Self::Inline(bytes, crc) => tx.keep_inline(&bytes, crc),
            Self::File(file, size) => tx.keep_file(file, size),
        }
    }
}

fn staged(digests: Digests, held: Held) -> Staged {
    Staged {
        size: digests.size,
        md5: digests.md5,
        crc64nvme: digests.crc64nvme,
        checksum: digests.checksum,
        blob: Box::new(held),
    }
}

fn foreign() -> StoreError {
    StoreError::Engine("staged by another store".into())
}

/// Takes a body.
pub(super) async fn stage(shared: &Arc<Shared>, body: Payload, options: StageOptions) -> Result<Staged> {
    shared.check()?;
    let limit = shared.options.inline_limit;
    let hasher = Hasher::new(options.checksum);
    let announced = match &body {
        Payload::Bytes(bytes) => Some(bytes.len() as u64),
        Payload::Stream(_, length) => *length,
    };
    // What stays in memory is asked about when it is committed.
    let large = announced.filter(|length| *length > limit as u64);
    let coming = large.map(|length| Coming::announce(shared, length)).transpose()?;
    let (head, rest) = match body {
        Payload::Bytes(bytes) if bytes.len() <= limit => (bytes, None),
        Payload::Bytes(bytes) => {
            let once: ByteStream = Box::pin(futures_util::stream::once(async move { Ok(bytes) }));
            (Bytes::new(), Some(once))
        }
        Payload::Stream(mut stream, _) => {
            let (head, more) = take_head(&mut stream, limit).await?;
            (head, more.then_some(stream))
        }
    };
    let Some(rest) = rest else { return hold(hasher, head, options.key) };
    let coming = match coming {
        Some(coming) => coming,
        None => Coming::announce(shared, 0)?,
    };
    spill(Arc::clone(shared), coming, hasher, head, rest, options.key).await
}

fn hold(mut hasher: Hasher, bytes: Bytes, key: Option<DataKey>) -> Result<Staged> {
    hasher.update(&bytes);
    let digests = hasher.finish();
    let (bytes, crc) = match &key {
        None => (bytes, digests.crc64nvme),
        Some(key) => {
            let sealed = seal_small(key, &bytes)?;
            let crc = crc64(&sealed);
            (sealed, crc)
        }
    };
    Ok(staged(digests, Held::Memory(bytes, crc, key)))
}

/// A small body as it is kept where it is sealed: its bytes, their tag, its salt.
fn seal_small(key: &DataKey, bytes: &[u8]) -> Result<Bytes> {
    let cipher = BodyCipher::new(key)?;
    let mut sealed = bytes.to_vec();
    let tag = cipher.seal(0, &mut sealed)?;
    sealed.extend_from_slice(&tag);
    sealed.extend_from_slice(&cipher.salt());
    Ok(sealed.into())
}

/// Receives up to more than `limit` bytes; says whether it stopped for the limit.
async fn take_head(stream: &mut ByteStream, limit: usize) -> Result<(Bytes, bool)> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        if chunk.is_empty() {
            continue;
        }
        // A body of one piece, as most small ones are, is not copied.
        if first.is_empty() && all.is_empty() {
            first = chunk;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&chunk);
        }
        if first.len() + all.len() > limit {
            return Ok((if all.is_empty() { first } else { all.freeze() }, true));
        }
    }
    Ok((if all.is_empty() { first } else { all.freeze() }, false))
}

/// A worker that gives back the writer. Two buffers exist for each upload: one being received, one being written.
type Worker = JoinHandle<Result<BlobWriter>>;

async fn joined<T>(handle: JoinHandle<Result<T>>) -> Result<T> {
    handle.await.map_err(|error| StoreError::Engine(error.to_string()))?
}

fn work(mut writer: BlobWriter, buffer: Buffer) -> Worker {
    tokio::task::spawn_blocking(move || {
        writer.write(&buffer.into())?;
        Ok(writer)
    })
}

/// Writes a body to a temporary file.
async fn spill(
    shared: Arc<Shared>,
    coming: Coming,
    hasher: Hasher,
    head: Bytes,
    mut rest: ByteStream,
    key: Option<DataKey>,
) -> Result<Staged> {
    let seals = key.clone();
    let mut worker: Worker =
        tokio::task::spawn_blocking(move || BlobWriter::create(shared, coming, hasher, seals.as_ref()));
    let mut filling = Buffer::new();
    let mut next = Some(head);
    while let Some(mut chunk) = next {
        while !chunk.is_empty() {
            filling.take_from(&mut chunk);
            if filling.is_full() {
                let writer = joined(worker).await?;
                worker = work(writer, std::mem::replace(&mut filling, Buffer::new()));
            }
        }
        next = rest.next().await.transpose()?;
    }
    let mut writer = joined(worker).await?;
    let done = tokio::task::spawn_blocking(move || {
        if !filling.as_ref().is_empty() {
            writer.write(&filling.into())?;
        }
        writer.finish()
    });
    let (digests, written) = joined(done).await?;
    Ok(staged(digests, Held::File(written, key)))
}

/// Makes staged bytes ready for the committer: a file is flushed and moved to its place.
pub(super) async fn settle(shared: &Arc<Shared>, staged: Staged) -> Result<Body> {
    shared.check()?;
    let held = staged.blob.downcast::<Held>().map_err(|_| foreign())?;
    match *held {
        Held::Memory(bytes, crc, _) => Ok(Body::Inline(bytes, crc)),
        Held::File(WrittenBlob { file, blob, size }, _) => {
            joined(tokio::task::spawn_blocking(move || Ok(Body::File(blob.place(&file)?, size)))).await
        }
    }
}

/// Reads bytes that were staged.
pub(super) async fn read_staged(staged: &Staged, range: Range<u64>) -> Result<Payload> {
    let (source, key) = match staged.blob.downcast_ref::<Held>().ok_or_else(foreign)? {
        Held::Memory(bytes, crc, key) => (Source::Bytes(bytes.clone(), *crc), key),
        Held::File(written, key) => {
            // Opened anew and now, so that the bytes stay readable whatever becomes of the file.
            let path = written.blob.path().to_owned();
            let file = joined(tokio::task::spawn_blocking(move || Ok(std::fs::File::open(path)?))).await?;
            (Source::Open(Arc::new(file), written.size), key)
        }
    };
    let size = staged.size;
    let range = range.start.min(size)..range.end.min(size);
    Ok(stream(vec![Piece { source, size, range }], None, key.clone()))
}
