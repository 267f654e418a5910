//! Caps that every transform obeys, so that a small object can never cost much memory, time or output.

/// Caps for one run of one transform. A value that is reached ends the run with
/// [`TransformError::Limit`](crate::TransformError::Limit).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that a transform which needs the whole object (images, look-up tables) may hold. Default 64 MiB.
    pub buffered_bytes: u64,
    /// Pixels of a decoded image, width × height × frames. Default 100 million.
    pub pixels: u64,
    /// Bytes that a run may put out. Default 64 GiB.
    pub output_bytes: u64,
    /// Output bytes for each input byte, once the output is past 16 MiB. Default 200.
    pub ratio: u64,
    /// Bytes of one line or record of text formats. Default 4 MiB.
    pub record_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            buffered_bytes: 64 << 20,
            pixels: 100_000_000,
            output_bytes: 64 << 30,
            ratio: 200,
            record_bytes: 4 << 20,
        }
    }
}
