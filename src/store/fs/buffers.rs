//! Buffers of one segment, used again. Left to the allocator, those of many requests and threads end up spread over
//! its arenas, and resident memory grows to twice what is in use.

use std::io;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::blob::SEGMENT;

/// Free buffers that are kept: 8 MiB of them.
const KEPT: usize = 32;

static FREE: Mutex<Vec<Box<[u8]>>> = Mutex::new(Vec::new());

/// Up to [`SEGMENT`] bytes. Goes back to the free ones when it is dropped.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Box<[u8]>,
    len: usize,
}

impl Buffer {
    /// An empty one.
    pub(super) fn new() -> Self {
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self { bytes: free.unwrap_or_else(|| vec![0; SEGMENT].into()), len: 0 }
    }

    /// One with `len` bytes, [`SEGMENT`] at most, that `read` writes: all of them, or it fails.
    pub(super) fn filled(len: usize, read: impl FnOnce(&mut [u8]) -> io::Result<()>) -> io::Result<Self> {
        let mut buffer = Self::new();
        read(buffer.bytes.get_mut(..len).ok_or(io::ErrorKind::InvalidInput)?)?;
        buffer.len = len;
        Ok(buffer)
    }

    pub(super) fn is_full(&self) -> bool {
        self.len == self.bytes.len()
    }

    /// Moves bytes from the front of `from` into what is free here.
    pub(super) fn take_from(&mut self, from: &mut Bytes) {
        let free = self.bytes.get_mut(self.len..).unwrap_or_default();
        let bytes = from.split_to(free.len().min(from.len()));
        if let Some(free) = free.get_mut(..bytes.len()) {
            free.copy_from_slice(&bytes);
        }
        self.len += bytes.len();
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
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
