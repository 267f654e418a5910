//! brotli (RFC 7932).

use brotli::enc::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};

use super::{Decoder, STEP, corrupt};
use crate::{Progress, TransformError};

pub(super) struct Brotli {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    scratch: Vec<u8>,
    total: usize,
    ended: bool,
}

impl Brotli {
    pub(super) fn new() -> Self {
        let alloc = StandardAlloc::default;
        // `strict` refuses the windows beyond 16 MiB that RFC 7932 does not have.
        let state = Box::new(BrotliState::new_strict(alloc(), alloc(), alloc()));
        Self { state, scratch: vec![0; STEP], total: 0, ended: false }
    }

    fn step(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(usize, BrotliResult), TransformError> {
        let (mut available_in, mut taken) = (input.len(), 0);
        let (mut available_out, mut written) = (self.scratch.len(), 0);
        let result = BrotliDecompressStream(
            &mut available_in,
            &mut taken,
            input,
            &mut available_out,
            &mut written,
            &mut self.scratch,
            &mut self.total,
            &mut self.state,
        );
        output.extend_from_slice(self.scratch.get(..written).unwrap_or_default());
        match result {
            BrotliResult::ResultFailure => Err(corrupt("brotli", "it does not decode")),
            BrotliResult::ResultSuccess => {
                self.ended = true;
                Ok((taken, result))
            }
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => Ok((taken, result)),
        }
    }
}

impl Decoder for Brotli {
    fn write(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, TransformError> {
        if self.ended {
            return Err(corrupt("brotli", "bytes follow its end"));
        }
        Ok(self.step(input, output)?.0)
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<Progress, TransformError> {
        if self.ended {
            return Ok(Progress::Done);
        }
        match self.step(&[], output)?.1 {
            BrotliResult::ResultSuccess => Ok(Progress::Done),
            BrotliResult::NeedsMoreOutput => Ok(Progress::More),
            _ => Err(corrupt("brotli", "it ends early")),
        }
    }
}
