//! Buffers of one segment, used again. Left to the allocator, those of many requests and threads end up spread over
//! its arenas, and resident memory grows to twice what is in use.

use std::io;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::blob::SEGMENT;

/// Buffers begin at a page. What the page cache holds is copied from the start of a page, and some processors copy at a
/// sixth of their rate to a place a few bytes further into its own page, which is where the allocator's header ends.
const PAGE: usize = 4_096;

/// Free buffers that are kept: 8 MiB of them.
const KEPT: usize = 32;

static FREE: Mutex<Vec<Box<[u8]>>> = Mutex::new(Vec::new());

/// Up to [`SEGMENT`] bytes. Goes back to the free ones when it is dropped.
#[derive(Debug)]
pub(super) struct Buffer {
    /// A segment, and what lies before the first page in it.
    bytes: Box<[u8]>,
    start: usize,
    len: usize,
}

impl Buffer {
    /// An empty one.
    pub(super) fn new() -> Self {
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let bytes = free.unwrap_or_else(|| vec![0; SEGMENT + PAGE].into());
        let start = bytes.as_ptr().align_offset(PAGE).min(PAGE);
        Self { bytes, start, len: 0 }
    }

    /// One with `len` bytes, [`SEGMENT`] at most, that `read` writes: all of them, or it fails.
    pub(super) fn filled(len: usize, read: impl FnOnce(&mut [u8]) -> io::Result<()>) -> io::Result<Self> {
        let mut buffer = Self::new();
        read(buffer.all().get_mut(..len).ok_or(io::ErrorKind::InvalidInput)?)?;
        buffer.len = len;
        Ok(buffer)
    }

    /// All of the segment, used or not.
    fn all(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..self.start + SEGMENT).unwrap_or_default()
    }

    pub(super) fn is_full(&self) -> bool {
        self.len == SEGMENT
    }

    /// Moves bytes from the front of `from` into what is free here.
    pub(super) fn take_from(&mut self, from: &mut Bytes) {
        let len = self.len;
        let free = self.all().get_mut(len..).unwrap_or_default();
        let bytes = from.split_to(free.len().min(from.len()));
        if let Some(free) = free.get_mut(..bytes.len()) {
            free.copy_from_slice(&bytes);
        }
        self.len += bytes.len();
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(self.start..self.start + self.len).unwrap_or_default()
    }
}

impl From<Buffer> for Bytes {
    fn from(buffer: Buffer) -> Self {
        Self::from_owner(buffer)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEPT && !bytes.is_empty() {
            free.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_do_not_fit_stay() {
        let mut buffer = Buffer::new();
        let mut from = Bytes::from_static(b"abc");
        buffer.take_from(&mut from);
        assert!(from.is_empty());
        assert_eq!(buffer.as_ref(), b"abc");
        let mut more = Bytes::from(vec![7; SEGMENT]);
        buffer.take_from(&mut more);
        assert!(buffer.is_full());
        assert_eq!(more.len(), 3);
        buffer.take_from(&mut more);
        assert_eq!(more.len(), 3);
        assert_eq!(buffer.as_ref().len(), SEGMENT);
        assert_eq!(buffer.as_ref().last(), Some(&7));
    }

    #[test]
    fn buffers_begin_at_a_page() {
        let buffers: Vec<Buffer> = (0..3).map(|_| Buffer::filled(SEGMENT, |_| Ok(())).unwrap()).collect();
        assert!(buffers.iter().all(|buffer| buffer.as_ref().as_ptr().addr().is_multiple_of(PAGE)));
    }

    #[test]
    fn a_used_buffer_begins_empty() {
        let used = Buffer::filled(5, |bytes| {
            bytes.fill(9);
            Ok(())
        });
        assert_eq!(used.unwrap().as_ref(), [9; 5]);
        assert!(Buffer::new().as_ref().is_empty());
        assert!(Buffer::filled(SEGMENT + 1, |_| Ok(())).is_err());
    }
}
