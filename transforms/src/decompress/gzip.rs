//! gzip (RFC 1952), of one member or several.

use std::io::Write;

use flate2::write::GzDecoder;

use super::{Decoder, corrupt};
use crate::{Progress, TransformError};

pub(super) struct Gzip {
    /// The present member; `None` between members.
    member: Option<GzDecoder<Vec<u8>>>,
    any: bool,
}

impl Gzip {
    pub(super) fn new() -> Self {
        Self { member: None, any: false }
    }

    fn end_member(&mut self, output: &mut Vec<u8>) -> Result<(), TransformError> {
        if let Some(member) = self.member.take() {
            let mut rest = member.finish().map_err(|e| corrupt("gzip", e))?;
            output.append(&mut rest);
            self.any = true;
        }
        Ok(())
    }
}

impl Decoder for Gzip {
    fn write(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, TransformError> {
        loop {
            let member = self.member.get_or_insert_with(|| GzDecoder::new(Vec::new()));
            // One call inflates into a buffer of 32 KiB at most, and takes the less of `input` for it.
            let taken = member.write(input).map_err(|e| corrupt("gzip", e))?;
            output.append(member.get_mut());
            if taken > 0 {
                return Ok(taken);
            }
            // Nothing more belongs to this member: its checksum is verified, and the rest is the next member.
            self.end_member(output)?;
        }
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<Progress, TransformError> {
        self.end_member(output)?;
        if self.any { Ok(Progress::Done) } else { Err(corrupt("gzip", "it is empty")) }
    }
}
