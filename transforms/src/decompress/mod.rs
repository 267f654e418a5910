//! `decompress`: undoes gzip, zstd and brotli, within caps that a decompression bomb cannot pass.

mod brotli;
mod gzip;
mod sniff;
#[cfg(feature = "native-codecs")]
#[path = "zstd_native.rs"]
mod zstd;
#[cfg(not(feature = "native-codecs"))]
#[path = "zstd_pure.rs"]
mod zstd;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::stage::HIGH_WATER;
use crate::{Context, Head, Limits, PayloadError, Progress, Stage, Transform, TransformError, payload};

/// Content codings that one object may carry on top of each other.
const CODINGS_MAX: usize = 4;

/// Payload of `decompress`.
///
/// ```json
/// {"plain": "pass"}
/// ```
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Payload {
    /// What to do with an object that is not compressed: `error` (default) or `pass` it through.
    plain: Plain,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Plain {
    #[default]
    Error,
    Pass,
}

/// Builds `decompress`.
///
/// # Errors
/// An unknown field or value.
pub fn build(payload: &Value) -> Result<Arc<dyn Transform>, PayloadError> {
    let Payload { plain } = payload::parse("decompress", payload)?;
    Ok(Arc::new(Decompress { plain }))
}

#[derive(Debug)]
struct Decompress {
    plain: Plain,
}

impl Transform for Decompress {
    fn start(&self, context: &Context) -> Result<Box<dyn Stage>, TransformError> {
        let codings = context.input.codings();
        if codings.is_empty() {
            return Ok(Box::new(sniff::SniffStage::new(context, self.plain == Plain::Pass)));
        }
        if codings.len() > CODINGS_MAX {
            return Err(TransformError::Limit { what: "content codings", limit: CODINGS_MAX as u64 });
        }
        let mut decoders = Vec::new();
        for coding in codings.iter().rev() {
            decoders.push(decoder(coding, &context.limits)?);
        }
        let head = Head { content_encoding: Some(None), ..Head::default() };
        Ok(Box::new(DecodeStage::new(decoders, head)))
    }
}

/// One coding, undone step by step.
trait Decoder: Send {
    /// Takes some of `input` and appends at most about [`STEP`] bytes to `output`; takes 0 only when it has
    /// appended something.
    fn write(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, TransformError>;

    /// The input has ended. Appends what is left, at most about [`STEP`] bytes a call, until it says `Done`.
    fn finish(&mut self, output: &mut Vec<u8>) -> Result<Progress, TransformError>;
}

/// Bytes that a decoder puts out in one step: 64 KiB.
const STEP: usize = 64 << 10;

fn decoder(coding: &str, limits: &Limits) -> Result<Box<dyn Decoder>, TransformError> {
    Ok(match coding {
        "gzip" | "x-gzip" => Box::new(gzip::Gzip::new()),
        "zstd" => Box::new(zstd::Zstd::new(limits)?),
        "br" => Box::new(brotli::Brotli::new()),
        other => {
            return Err(TransformError::BadInput(format!(
                "Content-Encoding {other:?} cannot be undone; known are gzip, zstd and br"
            )));
        }
    })
}

fn corrupt(coding: &str, detail: impl std::fmt::Display) -> TransformError {
    TransformError::BadInput(format!("corrupt or truncated {coding} data: {detail}"))
}

/// Decoders in a row, the outermost coding first.
struct DecodeStage {
    decoders: Vec<Box<dyn Decoder>>,
    /// `between[i]` waits for `decoders[i + 1]`.
    between: Vec<Vec<u8>>,
    finished: usize,
    head: Head,
}

impl DecodeStage {
    fn new(decoders: Vec<Box<dyn Decoder>>, head: Head) -> Self {
        let between = vec![Vec::new(); decoders.len().saturating_sub(1)];
        Self { decoders, between, finished: 0, head }
    }

    /// Empties what waits between decoders from `first` on; false when `output` is full first.
    fn drain(&mut self, first: usize, output: &mut Vec<u8>) -> Result<bool, TransformError> {
        let last = self.decoders.len().saturating_sub(1);
        for i in first.max(1)..=last {
            while let Some(waiting) = self.between.get_mut(i - 1).map(std::mem::take) {
                if waiting.is_empty() {
                    break;
                }
                let full = i == last && output.len() >= HIGH_WATER;
                let taken = if full { 0 } else { self.step(i, &waiting, output)? };
                if let Some(slot) = self.between.get_mut(i - 1) {
                    *slot = waiting;
                    slot.drain(..taken);
                }
                if full || (i < last && !self.drain(i + 1, output)?) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Gives `input` to decoder `i`, whose output goes to the next decoder's queue or to `output`.
    fn step(&mut self, i: usize, input: &[u8], output: &mut Vec<u8>) -> Result<usize, TransformError> {
        let target = self.between.get_mut(i).unwrap_or(output);
        match self.decoders.get_mut(i) {
            Some(decoder) => decoder.write(input, target),
            None => Err(TransformError::Internal("no such decoder".into())),
        }
    }
}

impl Stage for DecodeStage {
    fn write(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, TransformError> {
        let mut taken = 0;
        loop {
            let drained = self.drain(1, output)?;
            let rest = input.get(taken..).unwrap_or_default();
            if !drained || rest.is_empty() || output.len() >= HIGH_WATER {
                return Ok(taken);
            }
            taken += self.step(0, rest, output)?;
        }
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<Progress, TransformError> {
        loop {
            if !self.drain(1, output)? || output.len() >= HIGH_WATER {
                return Ok(Progress::More);
            }
            let i = self.finished;
            let Some(decoder) = self.decoders.get_mut(i) else { return Ok(Progress::Done) };
            let target = self.between.get_mut(i).unwrap_or(output);
            if decoder.finish(target)? == Progress::Done {
                self.finished += 1;
            }
        }
    }

    fn head(&self) -> Head {
        self.head.clone()
    }
}

#[cfg(test)]
mod tests;
