//! How a request's body is bound to its signature: the values of `x-amz-content-sha256`.

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::error::ApiError;

/// SHA-256 of nothing.
pub(super) const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What is known of the body before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadMode {
    /// Its SHA-256.
    Sha256([u8; 32]),
    /// Nothing: `UNSIGNED-PAYLOAD`.
    Unsigned,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`: every chunk is signed.
    SignedChunks,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`: every chunk and the trailer are signed.
    SignedChunksTrailer,
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`: chunks and a trailer, unsigned.
    UnsignedChunksTrailer,
}

impl PayloadMode {
    /// Reads a value of `x-amz-content-sha256`. Errors: 400 InvalidArgument.
    pub fn parse(value: &str) -> Result<Self, ApiError> {
        match value {
            "UNSIGNED-PAYLOAD" => return Ok(Self::Unsigned),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => return Ok(Self::SignedChunks),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => return Ok(Self::SignedChunksTrailer),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => return Ok(Self::UnsignedChunksTrailer),
            _ => {}
        }
        HEXLOWER_PERMISSIVE
            .decode(value.as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self::Sha256)
            .ok_or_else(|| {
                ApiError::invalid_argument(
                    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, \
                     STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-UNSIGNED-PAYLOAD-TRAILER, or a valid \
                     sha256 value.",
                )
            })
    }

    /// Whether the body is framed in `aws-chunked`.
    #[must_use]
    pub fn is_chunked(self) -> bool {
        matches!(self, Self::SignedChunks | Self::SignedChunksTrailer | Self::UnsignedChunksTrailer)
    }
}
