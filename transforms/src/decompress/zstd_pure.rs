//! zstd (RFC 8878) in Rust, of one frame or several.

use ruzstd::decoding::FrameDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

use super::{Decoder, STEP, corrupt};
use crate::{Limits, Progress, TransformError};

/// Longest frame header, magic number included (RFC 8878 section 3.1.1.1).
const HEADER_MAX: usize = 18;

/// Longest block with its header and the checksum that may follow: 128 KiB and some.
const BLOCK_MAX: usize = (128 << 10) + 16;

pub(super) struct Zstd {
    frame: FrameDecoder,
    /// Input that is not yet a whole header or block.
    pending: Vec<u8>,
    scratch: Vec<u8>,
    state: State,
    any: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Between,
    Frame,
    /// Bytes of a skippable frame yet to come.
    Skip(usize),
}

impl Zstd {
    #[expect(clippy::unnecessary_wraps, reason = "the C decoder's constructor can fail")]
    pub(super) fn new(limits: &Limits) -> Result<Self, TransformError> {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(limits.buffered_bytes);
        let scratch = vec![0; STEP];
        Ok(Self { frame, pending: Vec::new(), scratch, state: State::Between, any: false })
    }

    /// Does one step with what is pending; false when it needs more input.
    fn step(&mut self, eof: bool, output: &mut Vec<u8>) -> Result<bool, TransformError> {
        match self.state {
            State::Skip(0) => self.state = State::Between,
            State::Skip(left) => {
                let now = left.min(self.pending.len());
                self.pending.drain(..now);
                self.state = State::Skip(left - now);
                return Ok(now > 0);
            }
            State::Between => {
                if self.pending.is_empty() || (self.pending.len() < HEADER_MAX && !eof) {
                    return Ok(false);
                }
                let mut rest = self.pending.as_slice();
                match self.frame.reset(&mut rest) {
                    Ok(()) => self.state = State::Frame,
                    Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                        length,
                        ..
                    })) => {
                        let length = usize::try_from(length).map_err(|e| corrupt("zstd", e))?;
                        self.state = State::Skip(length);
                    }
                    Err(e) => return Err(corrupt("zstd", e)),
                }
                let used = self.pending.len() - rest.len();
                self.pending.drain(..used);
                self.any = true;
            }
            State::Frame => return self.block(eof, output),
        }
        Ok(true)
    }

    fn block(&mut self, eof: bool, output: &mut Vec<u8>) -> Result<bool, TransformError> {
        // Fewer than four bytes may be a part of the checksum, which the decoder does not expect in parts. At the
        // end of input three are a last, empty block of a frame without checksum.
        let given: &[u8] = match self.pending.len() {
            4.. => &self.pending,
            3 if eof => &self.pending,
            _ => &[],
        };
        let (read, written) =
            self.frame.decode_from_to(given, &mut self.scratch).map_err(|e| corrupt("zstd", e))?;
        if read > given.len() {
            // It waits for the frame's checksum, of which some bytes are still to come.
            return if eof { Err(corrupt("zstd", "it ends early")) } else { Ok(false) };
        }
        self.pending.drain(..read);
        output.extend_from_slice(self.scratch.get(..written).unwrap_or_default());
        if self.frame.is_finished() && self.frame.can_collect() == 0 {
            if let Some(stated) = self.frame.get_checksum_from_data()
                && self.frame.get_calculated_checksum().is_some_and(|found| found != stated)
            {
                return Err(corrupt("zstd", "its checksum does not match"));
            }
            self.state = State::Between;
            return Ok(true);
        }
        Ok(read > 0 || written > 0)
    }
}

impl Decoder for Zstd {
    fn write(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, TransformError> {
        let before = output.len();
        while self.step(false, output)? {
            if output.len() > before {
                return Ok(0);
            }
        }
        let taken = input.len().min(BLOCK_MAX.saturating_sub(self.pending.len()).max(1));
        self.pending.extend_from_slice(input.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<Progress, TransformError> {
        let before = output.len();
        while self.step(true, output)? {
            if output.len() > before {
                return Ok(Progress::More);
            }
        }
        if self.state == State::Between && self.pending.is_empty() && self.any {
            Ok(Progress::Done)
        } else {
            Err(corrupt("zstd", "it ends early"))
        }
    }
}
