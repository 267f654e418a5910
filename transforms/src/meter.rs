//! The wrapper that holds every stage to `output_bytes` and `ratio`, whatever the stage itself does.

use std::sync::Arc;

use crate::{Context, Head, Limits, Progress, Stage, Transform, TransformError};

/// Output in bytes below which the ratio of output to input is not looked at: 16 MiB.
const RATIO_FROM: u64 = 16 << 20;

/// A transform whose runs are metered.
#[derive(Debug)]
pub(crate) struct Metered(pub(crate) Arc<dyn Transform>);

impl Transform for Metered {
    fn resources(&self) -> Vec<String> {
        self.0.resources()
    }

    fn is_identity(&self) -> bool {
        self.0.is_identity()
    }

    fn varies_by_caller(&self) -> bool {
        self.0.varies_by_caller()
    }

    fn is_light(&self) -> bool {
        self.0.is_light()
    }

    fn start(&self, context: &Context) -> Result<Box<dyn Stage>, TransformError> {
        let meter = Meter { limits: context.limits, consumed: 0, produced: 0 };
        Ok(Box::new(MeteredStage { inner: self.0.start(context)?, meter }))
    }
}

struct MeteredStage {
    inner: Box<dyn Stage>,
    meter: Meter,
}

impl Stage for MeteredStage {
    fn write(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, TransformError> {
        let before = output.len();
        let taken = self.inner.write(input, output)?;
        self.meter.count(taken, output.len().saturating_sub(before))?;
        Ok(taken)
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<Progress, TransformError> {
        let before = output.len();
        let progress = self.inner.finish(output)?;
        self.meter.count(0, output.len().saturating_sub(before))?;
        Ok(progress)
    }

    fn head(&self) -> Head {
        self.inner.head()
    }
}

struct Meter {
    limits: Limits,
    consumed: u64,
    produced: u64,
}

impl Meter {
    fn count(&mut self, consumed: usize, produced: usize) -> Result<(), TransformError> {
        self.consumed = self.consumed.saturating_add(consumed as u64);
        self.produced = self.produced.saturating_add(produced as u64);
        if self.produced > self.limits.output_bytes {
            return Err(TransformError::Limit { what: "output bytes", limit: self.limits.output_bytes });
        }
        if self.produced > RATIO_FROM && self.produced > self.consumed.saturating_mul(self.limits.ratio) {
            return Err(TransformError::Limit {
                what: "output bytes for each input byte",
                limit: self.limits.ratio,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(output_bytes: u64, ratio: u64) -> Meter {
        Meter { limits: Limits { output_bytes, ratio, ..Limits::default() }, consumed: 0, produced: 0 }
    }

    #[test]
    fn output_bytes_are_capped_exactly() {
        let mut m = meter(10, 1);
        assert_eq!(m.count(1, 10), Ok(()));
        assert_eq!(m.count(1, 1), Err(TransformError::Limit { what: "output bytes", limit: 10 }));
    }

    #[test]
    fn the_ratio_counts_only_past_16_mib() {
        let mut m = meter(u64::MAX, 2);
        assert_eq!(m.count(1, 16 << 20), Ok(()));
        assert!(m.count(0, 1).is_err());
        let mut m = meter(u64::MAX, 2);
        assert_eq!(m.count(16 << 20, 32 << 20), Ok(()));
        assert!(m.count(0, 1).is_err());
    }
}
