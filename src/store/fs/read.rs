//! Reading bodies: each segment is checked before its bytes go out.
//!
//! What the page cache holds is read on the task itself, a segment at a time; once it misses, the rest is read on
//! the blocking pool, 512 KiB at a time and one piece ahead. A read holds at most 1 MiB.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use tokio::task::JoinHandle;

use super::Shared;
use super::blob::{BlobId, CRC_BYTES, SEGMENT_U64};
use super::buffers::Buffer;
use super::pins::Pin;
use super::rows::crc64;
use crate::encryption::cipher::{SALT, TAG};
use crate::encryption::{BodyCipher, DataKey};
use crate::store::{BodyError, ObjectData, Payload};

/// Segments that one task of the blocking pool reads.
const AHEAD: u64 = 2;
/// CRCs that are read at a time: one page of them covers 128 MiB.
const WINDOW: u64 = 512;

/// Where bytes come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// Memory, with the CRC of all of it.
    Bytes(Bytes, u64),
    /// The `inline` table: id and CRC.
    Inline(u64, u64),
    /// A body file and its size.
    File(BlobId, u64),
    /// An open body file and its size.
    Open(Arc<File>, u64),
}

/// A range of a source.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) source: Source,
    /// Size of all of the source.
    pub(super) size: u64,
    pub(super) range: Range<u64>,
}

/// Bytes of one version of an object: its sources and their sizes, in order.
#[derive(Debug)]
pub(super) struct Data {
    pub(super) shared: Arc<Shared>,
    /// Size of the object: what its sources must have together.
    pub(super) size: u64,
    pub(super) sources: Arc<[(Source, u64)]>,
    pub(super) pin: Option<Pin>,
}

impl ObjectData for Data {
    fn read(self: Box<Self>, range: Range<u64>, key: Option<DataKey>) -> Payload {
        let mut pieces = Vec::new();
        let mut start = 0;
        for (source, size) in self.sources.iter() {
            let end = start + size;
            let within = range.start.max(start)..range.end.min(end);
            if within.start < within.end {
                let range = within.start - start..within.end - start;
                pieces.push(Piece { source: source.clone(), size: *size, range });
            }
            start = end;
        }
        if start != self.size || range.end > self.size {
            tracing::error!(size = self.size, found = start, "a stored body has not the size of its object");
            let failed = BodyError::Read(mismatch().to_string());
            let length = range.end.saturating_sub(range.start);
            return Payload::Stream(Box::pin(futures_util::stream::iter([Err(failed)])), Some(length));
        }
        stream(pieces, Some((self.shared, self.pin)), key)
    }
}

/// The bytes of pieces, one after the other. `held` is kept until the end.
pub(super) fn stream(
    pieces: Vec<Piece>,
    held: Option<(Arc<Shared>, Option<Pin>)>,
    key: Option<DataKey>,
) -> Payload {
    if pieces.is_empty() {
        return Payload::Bytes(Bytes::new());
    }
    let length = pieces.iter().map(|piece| piece.range.end - piece.range.start).sum();
    if let [Piece { source: Source::Bytes(bytes, crc), size, range }] = pieces.as_slice()
        && let Ok(bytes) = open_small(bytes, (*crc, *size), key.as_ref())
    {
        return Payload::Bytes(slice(&bytes, range));
    }
    let reader = Reader { pieces: pieces.into(), current: None, held, key };
    let stream = futures_util::stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        match reader.next().await {
            Ok(Some(bytes)) => Some((Ok(bytes), Some(reader))),
            Ok(None) => None,
            Err(error) => {
                tracing::error!(%error, "a stored body cannot be read");
                Some((Err(BodyError::Read(error.to_string())), None))
            }
        }
    });
    Payload::Stream(Box::pin(stream), Some(length))
}

fn slice(bytes: &Bytes, range: &Range<u64>) -> Bytes {
    let bound = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(bytes.len());
    bytes.slice(bound(range.start)..bound(range.end))
}

fn mismatch() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "stored bytes do not match their checksum")
}

/// A small body, checked and opened. What is longer than the body is sealed, and needs the key.
fn open_small(bytes: &Bytes, (crc, size): (u64, u64), key: Option<&DataKey>) -> io::Result<Bytes> {
    let more = if key.is_some() { TAG + SALT } else { 0 };
    if crc64(bytes) != crc || bytes.len() as u64 != size + more as u64 {
        return Err(mismatch());
    }
    let Some(key) = key else { return Ok(bytes.clone()) };
    let (rest, salt) = bytes.split_last_chunk::<SALT>().ok_or_else(mismatch)?;
    let (sealed, tag) = rest.split_last_chunk::<TAG>().ok_or_else(mismatch)?;
    let mut opened = sealed.to_vec();
    BodyCipher::with_salt(key, *salt).open(0, &mut opened, tag)?;
    Ok(opened.into())
}

struct Reader {
    pieces: VecDeque<Piece>,
    current: Option<FileReader>,
    held: Option<(Arc<Shared>, Option<Pin>)>,
    key: Option<DataKey>,
}

impl Reader {
    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(file) = &mut self.current {
                if let Some(bytes) = file.next().await? {
                    return Ok(Some(bytes));
                }
                self.current = None;
            }
            let Some(Piece { source, size, range }) = self.pieces.pop_front() else { return Ok(None) };
            let (file, size) = match source {
                Source::Bytes(bytes, crc) => {
                    return Ok(Some(slice(&open_small(&bytes, (crc, size), self.key.as_ref())?, &range)));
                }
                Source::Inline(id, crc) => return Ok(Some(slice(&self.inline(id, (crc, size))?, &range))),
                Source::Open(file, size) => (file, size),
                Source::File(id, size) => {
                    let (shared, _) = self.held.as_ref().ok_or_else(|| io::Error::other("no store"))?;
                    let path = shared.layout.blob(id);
                    // Looking up two names is cheaper than a change of threads.
                    (Arc::new(File::open(path)?), size)
                }
            };
            self.current = Some(FileReader::new(file, size, range, self.key.clone()));
        }
    }

    /// A small part of an object, from the table.
    fn inline(&self, id: u64, check: (u64, u64)) -> io::Result<Bytes> {
        let (shared, _) = self.held.as_ref().ok_or_else(|| io::Error::other("no store"))?;
        let view = shared.view();
        let row = view.inline.get(id).map_err(|error| io::Error::other(error.to_string()))?;
        let row = row.ok_or_else(mismatch)?;
        open_small(&Bytes::copy_from_slice(row.value()), check, self.key.as_ref())
    }
}

/// Reads a range of one file.
struct FileReader {
    state: State,
    /// First byte that has not gone out.
    at: u64,
    end: u64,
    /// Checked segments that have not gone out: what follows a short piece of read-ahead.
    ahead: Option<JoinHandle<(Segments, io::Result<VecDeque<Bytes>>)>>,
    /// Those that were read, the first of which holds `at`.
    ready: VecDeque<Bytes>,
    /// First byte that the next read takes.
    next: u64,
}

enum State {
    /// The page cache has had everything so far.
    Cached(Segments),
    /// It has not; the segments are here while no read-ahead is under way.
    Missed(Option<Segments>),
}

impl FileReader {
    fn new(file: Arc<File>, size: u64, range: Range<u64>, key: Option<DataKey>) -> Self {
        let seal = key.map_or(Seal::None, Seal::Key);
        let segments = Segments { file, size, first: 0, marks: Vec::new(), seal };
        Self {
            state: State::Cached(segments),
            at: range.start,
            end: range.end,
            ahead: None,
            ready: VecDeque::new(),
            next: range.start,
        }
    }

    /// Segments that the next read takes, as numbers.
    fn plan(&self, most: u64) -> Range<u64> {
        let first = self.next / SEGMENT_U64;
        first..self.end.div_ceil(SEGMENT_U64).min(first + most)
    }

    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.at >= self.end {
            return Ok(None);
        }
        let number = self.at / SEGMENT_U64;
        let bytes = match &mut self.state {
            State::Cached(segments) => match segments.read(number, pread_cached) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let segments = segments.clone();
                    self.next = self.at;
                    self.state = State::Missed(Some(segments));
                    self.read_ahead().await?
                }
                Err(error) => return Err(error),
            },
            State::Missed(_) => self.read_ahead().await?,
        };
        let offset = number * SEGMENT_U64;
        let out = slice(&bytes, &(self.at - offset..self.end - offset));
        if out.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += out.len() as u64;
        Ok(Some(out))
    }

    /// The next segment: one that was read, or else it waits for the read under way, or begins one, and begins the
    /// one after it.
    async fn read_ahead(&mut self) -> io::Result<Bytes> {
        if let Some(bytes) = self.ready.pop_front() {
            return Ok(bytes);
        }
        if self.ahead.is_none() {
            // The first read is short, so that its bytes go out early.
            self.begin(1);
        }
        let Some(handle) = self.ahead.take() else { return Err(io::Error::other("no read under way")) };
        let (segments, bytes) = handle.await.map_err(io::Error::other)?;
        self.state = State::Missed(Some(segments));
        self.ready = bytes?;
        self.begin(AHEAD);
        self.ready.pop_front().ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn begin(&mut self, most: u64) {
        if self.next >= self.end {
            return;
        }
        let plan = self.plan(most);
        let State::Missed(free) = &mut self.state else { return };
        let Some(mut segments) = free.take() else { return };
        self.next = plan.end * SEGMENT_U64;
        self.ahead = Some(tokio::task::spawn_blocking(move || {
            let bytes = plan.map(|number| segments.read(number, File::read_exact_at)).collect();
            (segments, bytes)
        }));
    }
}

/// Reads what the page cache holds; [`io::ErrorKind::WouldBlock`] if it does not hold all of it.
fn pread_cached(file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        let offset = at + done as u64;
        match preadv2(file, &mut [IoSliceMut::new(rest)], offset, ReadWriteFlags::NOWAIT) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => done += read,
            Err(Errno::INTR) => {}
            // Some file systems cannot tell.
            Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether a body is sealed, and by what.
#[derive(Clone)]
enum Seal {
    None,
    /// By this key; the file has the salt.
    Key(DataKey),
    Cipher(Arc<BodyCipher>),
}

/// What the trailer has for a segment.
#[derive(Clone, Copy)]
enum Mark {
    /// The CRC of what is on disk.
    Crc(u64),
    /// The tag that it opens with.
    Tag([u8; TAG]),
}

/// A body file, read by whole segments.
#[derive(Clone)]
struct Segments {
    file: Arc<File>,
    size: u64,
    /// Number of the segment that the first of `marks` belongs to.
    first: u64,
    marks: Vec<Mark>,
    seal: Seal,
}

impl Segments {
    /// Reads a segment, checks it, and opens it where it is sealed. Blocks as far as `pread` does.
    fn read(
        &mut self,
        number: u64,
        pread: impl Fn(&File, &mut [u8], u64) -> io::Result<()>,
    ) -> io::Result<Bytes> {
        let start = number * SEGMENT_U64;
        let length = self.size.saturating_sub(start).min(SEGMENT_U64);
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let cipher = self.cipher(&pread)?;
        let mark = self.mark(number, &pread)?;
        let file = &self.file;
        let buffer = Buffer::filled(length, |bytes| {
            pread(file, bytes, start)?;
            match (&cipher, mark) {
                (None, Mark::Crc(crc)) if crc == crc64(bytes) => Ok(()),
                // The tag says more than a CRC would.
                (Some(cipher), Mark::Tag(tag)) => cipher.open(number, bytes, &tag),
                _ => Err(mismatch()),
            }
        })?;
        Ok(buffer.into())
    }

    /// What opens the segments. The file must be as long as it was sealed.
    fn cipher(
        &mut self,
        pread: &impl Fn(&File, &mut [u8], u64) -> io::Result<()>,
    ) -> io::Result<Option<Arc<BodyCipher>>> {
        let key = match &self.seal {
            Seal::None => return Ok(None),
            Seal::Cipher(cipher) => return Ok(Some(Arc::clone(cipher))),
            Seal::Key(key) => key,
        };
        let mut head = [0; SALT + TAG];
        pread(&self.file, &mut head, self.size)?;
        let (salt, size_tag) = head.split_first_chunk().ok_or_else(mismatch)?;
        let cipher = BodyCipher::with_salt(key, *salt);
        if cipher.size_tag(self.size) != *size_tag {
            return Err(mismatch());
        }
        let cipher = Arc::new(cipher);
        self.seal = Seal::Cipher(Arc::clone(&cipher));
        Ok(Some(cipher))
    }

    /// What the trailer has for a segment.
    fn mark(
        &mut self,
        number: u64,
        pread: &impl Fn(&File, &mut [u8], u64) -> io::Result<()>,
    ) -> io::Result<Mark> {
        let held = |this: &Self| {
            let index = usize::try_from(number.checked_sub(this.first)?).ok()?;
            this.marks.get(index).copied()
        };
        if let Some(mark) = held(self) {
            return Ok(mark);
        }
        let (head, width) = match self.seal {
            Seal::None => (0, CRC_BYTES),
            Seal::Key(_) | Seal::Cipher(_) => ((SALT + TAG) as u64, CRC_BYTES + TAG as u64),
        };
        let count = self.size.div_ceil(SEGMENT_U64).saturating_sub(number).min(WINDOW);
        let length = usize::try_from(count * width).map_err(io::Error::other)?;
        let mut buffer = vec![0; length];
        pread(&self.file, &mut buffer, self.size + head + number * width)?;
        self.first = number;
        self.marks = if head == 0 {
            buffer.as_chunks().0.iter().map(|crc| Mark::Crc(u64::from_le_bytes(*crc))).collect()
        } else {
            const WIDTH: usize = 8 + TAG;
            let (entries, _) = buffer.as_chunks::<WIDTH>();
            entries.iter().filter_map(|entry| entry.last_chunk().copied().map(Mark::Tag)).collect()
        };
        held(self).ok_or_else(mismatch)
    }
}
