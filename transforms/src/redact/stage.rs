//! A run of `redact`: how much of the text is held back until its matches are certain.
//!
//! Whether and where a match begins at a position is decided by a bounded number of bytes before and after it. A run
//! therefore settles only the positions that have as many bytes after them (or the end of the input), and keeps
//! enough of what it has put out to look back. So the answer is the same however the input is cut.

use std::sync::Arc;

use regex_automata::meta::Cache;

use super::finder::{AHEAD, Finder};
use super::text::BEHIND;
use super::{Config, Label};
use crate::stage::HIGH_WATER;
use crate::{Head, Progress, Stage, TransformError};

/// Bytes that are gathered before the next pass, so that small writes do not repeat the look ahead: 32 KiB.
const GATHER: usize = 32 << 10;

/// Bytes after a match that a pattern may look at (`\b` before a letter beyond ASCII).
const LOOK: usize = 8;

pub(super) struct RedactStage {
    config: Arc<Config>,
    /// A cache of the payload's patterns, given back at the end.
    cache: Option<Cache>,
    /// Text: [`BEHIND`] bytes that are out already, then what is not.
    buf: Vec<u8>,
    /// Where in `buf` the text begins that is not out yet.
    cursor: usize,
    /// Bytes after a position that decide about it.
    ahead: usize,
    gather: usize,
    begun: bool,
}

impl RedactStage {
    pub(super) fn new(config: Arc<Config>) -> Self {
        Self::gathering(config, GATHER)
    }

    /// With a pass at least whenever `gather` bytes have come in; for tests of what is held back.
    pub(super) fn gathering(config: Arc<Config>, gather: usize) -> Self {
        let longest = config.custom.as_ref().map_or(0, |c| c.longest() + LOOK);
        let cache = config.custom.as_ref().map(super::custom::Custom::take_cache);
        let ahead = AHEAD.max(longest);
        Self { config, cache, buf: Vec::new(), cursor: 0, ahead, gather, begun: false }
    }

    fn pass(&mut self, eof: bool, output: &mut Vec<u8>) -> Result<(), TransformError> {
        if !self.begun && (eof || self.buf.len() >= 4) {
            refuse_utf16(&self.buf)?;
            self.begun = true;
        }
        let buf = self.buf.as_slice();
        let limit = if eof { buf.len() } else { buf.len().saturating_sub(self.ahead) };
        let mut finder = Finder::new(buf, self.config.kinds);
        let mut patterns = Patterns { next: None, searched: false };
        while self.cursor < limit {
            let pattern = match (&self.config.custom, &mut self.cache) {
                (Some(custom), Some(cache)) => {
                    patterns.next(self.cursor, |from| custom.find(cache, buf, from)).filter(|f| f.0 < limit)
                }
                _ => None,
            };
            let until = pattern.map_or(limit, |(start, ..)| start + 1);
            let kind = finder.next(self.cursor, until);
            let (start, end, label) = match (kind, pattern) {
                // Of two that begin together the longer one wins, and the payload's own pattern if they are equal.
                (Some((s, e, kind)), Some((ps, pe, _))) if s < ps || e > pe => (s, e, Label::Kind(kind)),
                (_, Some((s, e, pattern))) => (s, e, Label::Pattern(pattern)),
                (Some((s, e, kind)), None) => (s, e, Label::Kind(kind)),
                (None, None) => break,
            };
            output.extend_from_slice(buf.get(self.cursor..start).unwrap_or_default());
            self.config.replace(label, buf.get(start..end).unwrap_or_default(), output);
            self.cursor = end;
        }
        output.extend_from_slice(buf.get(self.cursor..limit).unwrap_or_default());
        self.cursor = self.cursor.max(limit);
        let done = self.cursor.saturating_sub(BEHIND);
        self.buf.drain(..done);
        self.cursor -= done;
        Ok(())
    }
}

/// The next match of the payload's patterns, searched for once and kept until it is passed.
struct Patterns {
    next: Option<super::custom::Found>,
    searched: bool,
}

impl Patterns {
    fn next(
        &mut self,
        from: usize,
        find: impl FnOnce(usize) -> Option<super::custom::Found>,
    ) -> Option<super::custom::Found> {
        if !self.searched || self.next.is_some_and(|(start, ..)| start < from) {
            self.next = find(from);
            self.searched = true;
        }
        self.next
    }
}

/// UTF-16 text would pass unread. It shows itself by its byte order mark and by the zero of a Latin letter.
fn refuse_utf16(first: &[u8]) -> Result<(), TransformError> {
    if matches!(first, [0xff, 0xfe, _, 0, ..] | [0xfe, 0xff, 0, ..]) {
        let text = "the object is UTF-16 text, which is not searched: store it as UTF-8";
        return Err(TransformError::BadInput(text.into()));
    }
    Ok(())
}

impl Stage for RedactStage {
    fn write(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, TransformError> {
        let mut taken = 0;
        for piece in input.chunks(GATHER) {
            if output.len() >= HIGH_WATER {
                break;
            }
            self.buf.extend_from_slice(piece);
            taken += piece.len();
            if self.buf.len() - self.cursor >= self.ahead + self.gather {
                self.pass(false, output)?;
            }
        }
        Ok(taken)
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<Progress, TransformError> {
        self.pass(true, output)?;
        Ok(Progress::Done)
    }

    fn head(&self) -> Head {
        Head::default()
    }
}

impl Drop for RedactStage {
    fn drop(&mut self) {
        if let (Some(custom), Some(cache)) = (&self.config.custom, self.cache.take()) {
            custom.give_cache(cache);
        }
    }
}
