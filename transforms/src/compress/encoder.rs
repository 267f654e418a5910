//! The three encoders behind one push interface; zstd in C or, without `native-codecs`, in Rust.

use std::io::Write;

use super::Algorithm;
use crate::TransformError;

/// Window of brotli, as a power of two: 4 MiB, its usual default.
const BROTLI_WINDOW: u32 = 22;

/// An encoder that writes into memory.
pub(super) enum Encoder {
    Gzip(Box<flate2::write::GzEncoder<Vec<u8>>>),
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    #[cfg(feature = "native-codecs")]
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    #[cfg(not(feature = "native-codecs"))]
    Zstd(pure::Encoder),
    Finished,
}

impl Encoder {
    pub(super) fn new(algorithm: Algorithm, level: u32) -> Result<Self, TransformError> {
        Ok(match algorithm {
            // The header carries no time and no name, so that equal input gives equal output.
            Algorithm::Gzip => {
                let encoder = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::new(level));
                Self::Gzip(Box::new(encoder))
            }
            Algorithm::Brotli => {
                Self::Brotli(Box::new(brotli::CompressorWriter::new(Vec::new(), 4096, level, BROTLI_WINDOW)))
            }
            #[cfg(feature = "native-codecs")]
            Algorithm::Zstd => {
                let level = i32::try_from(level).unwrap_or(i32::MAX);
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), level).map_err(internal)?;
                encoder.include_checksum(true).map_err(internal)?;
                Self::Zstd(encoder)
            }
            #[cfg(not(feature = "native-codecs"))]
            Algorithm::Zstd => Self::Zstd(pure::Encoder::default()),
        })
    }

    /// Takes all of `input` and appends what is ready to `output`.
    pub(super) fn write(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(), TransformError> {
        match self {
            Self::Gzip(e) => {
                e.write_all(input).map_err(internal)?;
                output.append(e.get_mut());
            }
            Self::Brotli(e) => {
                e.write_all(input).map_err(internal)?;
                output.append(e.get_mut());
            }
            #[cfg(feature = "native-codecs")]
            Self::Zstd(e) => {
                e.write_all(input).map_err(internal)?;
                output.append(e.get_mut());
            }
            #[cfg(not(feature = "native-codecs"))]
            Self::Zstd(e) => e.write(input, output),
            Self::Finished => return Err(TransformError::Internal("written to after the end".into())),
        }
        Ok(())
    }

    /// Appends the rest to `output`.
    pub(super) fn finish(&mut self, output: &mut Vec<u8>) -> Result<(), TransformError> {
        let mut rest = match std::mem::replace(self, Self::Finished) {
            Self::Gzip(e) => e.finish().map_err(internal)?,
            Self::Brotli(e) => e.into_inner(),
            #[cfg(feature = "native-codecs")]
            Self::Zstd(e) => e.finish().map_err(internal)?,
            #[cfg(not(feature = "native-codecs"))]
            Self::Zstd(mut e) => e.finish(),
            Self::Finished => Vec::new(),
        };
        output.append(&mut rest);
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn internal(e: std::io::Error) -> TransformError {
    TransformError::Internal(format!("compressor: {e}"))
}

#[cfg(not(feature = "native-codecs"))]
mod pure {
    //! zstd in Rust: a frame for each MiB of input, for its encoder wants the whole of a frame's input. Frames one
    //! after another are one zstd stream (RFC 8878 section 3). It has one level, near zstd's 1.

    use ruzstd::encoding::{CompressionLevel, compress};

    const FRAME: usize = 1 << 20;

    #[derive(Default)]
    pub(in crate::compress) struct Encoder {
        buffer: Vec<u8>,
        any: bool,
    }

    impl Encoder {
        pub(super) fn write(&mut self, mut input: &[u8], output: &mut Vec<u8>) {
            while !input.is_empty() {
                let (now, later) = input.split_at(input.len().min(FRAME - self.buffer.len()));
                self.buffer.extend_from_slice(now);
                input = later;
                if self.buffer.len() == FRAME {
                    self.frame(output);
                }
            }
        }

        pub(super) fn finish(&mut self) -> Vec<u8> {
            let mut output = Vec::new();
            if !self.any || !self.buffer.is_empty() {
                self.frame(&mut output);
            }
            output
        }

        fn frame(&mut self, output: &mut Vec<u8>) {
            compress(self.buffer.as_slice(), output, CompressionLevel::Fastest);
            self.buffer.clear();
            self.any = true;
        }
    }
}
