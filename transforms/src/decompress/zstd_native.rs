//! zstd (RFC 8878) by libzstd, of one frame or several.

use zstd::stream::raw::{DParameter, Decoder as Raw, Operation};

use super::{Decoder, STEP, corrupt};
use crate::{Limits, Progress, TransformError};

pub(super) struct Zstd {
    raw: Raw<'static>,
    scratch: Vec<u8>,
    /// Whether the last frame is complete.
    at_boundary: bool,
    any: bool,
}

impl Zstd {
    pub(super) fn new(limits: &Limits) -> Result<Self, TransformError> {
        let internal = |e: std::io::Error| TransformError::Internal(format!("zstd: {e}"));
        let mut raw = Raw::new().map_err(internal)?;
        // A frame's header says how much memory its window takes: the largest power of two within the cap.
        let window = limits.buffered_bytes.max(1 << 10).ilog2().min(27);
        raw.set_parameter(DParameter::WindowLogMax(window)).map_err(internal)?;
        Ok(Self { raw, scratch: vec![0; STEP], at_boundary: true, any: false })
    }

    fn step(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(usize, usize), TransformError> {
        let status = self.raw.run_on_buffers(input, &mut self.scratch).map_err(|e| corrupt("zstd", e))?;
        self.any |= status.bytes_read > 0;
        // 0 says that a frame ended and is out; a hint for the next frame's header says the same for nothing read.
        if status.bytes_read > 0 || status.bytes_written > 0 {
            self.at_boundary = status.remaining == 0;
        }
        output.extend_from_slice(self.scratch.get(..status.bytes_written).unwrap_or_default());
        Ok((status.bytes_read, status.bytes_written))
    }
}

impl Decoder for Zstd {
    fn write(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, TransformError> {
        Ok(self.step(input, output)?.0)
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<Progress, TransformError> {
        if !self.at_boundary {
            // Output may wait inside although all input was taken.
            let (_, written) = self.step(&[], output)?;
            if written > 0 {
                return Ok(Progress::More);
            }
        }
        if self.at_boundary && self.any { Ok(Progress::Done) } else { Err(corrupt("zstd", "it ends early")) }
    }
}
