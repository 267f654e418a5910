//! Lines on their way from requests, which must not wait, to the worker.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::store::Bucket;

/// Bytes of lines that wait, at most; further ones are lost, and counted.
const MAX_BYTES: usize = 64 << 20;

/// A line of the log of a bucket.
#[derive(Debug, Clone)]
pub struct Line {
    /// The bucket as it was when the request came; it is logged.
    pub bucket: Arc<Bucket>,
    /// When the request came.
    pub time: Timestamp,
    /// The line, with its end.
    pub text: String,
}

/// Takes lines.
#[derive(Debug, Default)]
pub struct Inbox(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<Line>,
    bytes: usize,
    lost: u64,
}

impl Inbox {
    /// Takes a line, if there is room.
    pub fn add(&self, line: Line) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.bytes + line.text.len() > MAX_BYTES {
            waiting.lost += 1;
            return;
        }
        waiting.bytes += line.text.len();
        waiting.lines.push(line);
    }

    /// All lines so far, and how many found no room.
    pub(crate) fn take(&self) -> (Vec<Line>, u64) {
        let Waiting { lines, lost, .. } =
            std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        (lines, lost)
    }
}
