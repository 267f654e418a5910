//! A run over a table: a record in, none or one or more out.

use super::{Dialect, Reader, Record};
use crate::stage::HIGH_WATER;
use crate::{Context, Head, Progress, Stage, TransformError};

/// Bytes added to the reader at a time: 64 KiB.
const BLOCK: usize = 64 << 10;

/// What is done with the records of a table.
pub(crate) trait Rows: Send {
    /// Takes a record and appends what becomes of it.
    fn row(&mut self, record: &Record<'_>, output: &mut Vec<u8>) -> Result<(), TransformError>;

    /// The last record was taken.
    fn end(&mut self, _output: &mut Vec<u8>) -> Result<(), TransformError> {
        Ok(())
    }
}

/// Feeds records to [`Rows`].
#[derive(Debug)]
pub(crate) struct TableStage<R> {
    reader: Reader,
    rows: R,
    head: Head,
}

impl<R: Rows> TableStage<R> {
    pub(crate) fn new(dialect: Dialect, context: &Context, rows: R, head: Head) -> Self {
        Self { reader: Reader::new(dialect, &context.limits), rows, head }
    }

    /// Takes records until there is none or the output is full; false when it is full.
    fn take(&mut self, eof: bool, output: &mut Vec<u8>) -> Result<bool, TransformError> {
        while output.len() < HIGH_WATER {
            match self.reader.next(eof)? {
                Some(record) => self.rows.row(&record, output)?,
                None => return Ok(true),
            }
        }
        Ok(false)
    }
}

impl<R: Rows> Stage for TableStage<R> {
    fn write(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, TransformError> {
        let mut taken = 0;
        for block in input.chunks(BLOCK) {
            if !self.take(false, output)? {
                return Ok(taken);
            }
            self.reader.push(block);
            taken += block.len();
        }
        self.take(false, output)?;
        Ok(taken)
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<Progress, TransformError> {
        if !self.take(true, output)? {
            return Ok(Progress::More);
        }
        self.rows.end(output)?;
        Ok(Progress::Done)
    }

    fn head(&self) -> Head {
        self.head.clone()
    }
}
