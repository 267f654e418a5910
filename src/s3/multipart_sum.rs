//! Checksums of a whole from those of its parts: composite ones hash the digests, CRCs are combined.

use crc_fast::{CrcAlgorithm, checksum, checksum_combine};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::error::ApiError;
use crate::store::ChecksumAlgorithm;

/// A part's digest, big-endian, and its size in bytes.
pub(super) type PartDigest = (Vec<u8>, u64);

/// The digest of the digests, one after the other.
pub(super) fn composite(algorithm: ChecksumAlgorithm, parts: &[PartDigest]) -> Vec<u8> {
    let all: Vec<u8> = parts.iter().flat_map(|(digest, _)| digest.iter().copied()).collect();
    match algorithm {
        ChecksumAlgorithm::Crc32 => be32(checksum(CrcAlgorithm::Crc32IsoHdlc, &all)),
        ChecksumAlgorithm::Crc32c => be32(checksum(CrcAlgorithm::Crc32Iscsi, &all)),
        ChecksumAlgorithm::Crc64Nvme => checksum(CrcAlgorithm::Crc64Nvme, &all).to_be_bytes().to_vec(),
        ChecksumAlgorithm::Sha1 => Sha1::digest(&all).to_vec(),
        ChecksumAlgorithm::Sha256 => Sha256::digest(&all).to_vec(),
    }
}

/// The CRC of all bytes, from the parts' CRCs and sizes.
///
/// # Errors
/// For SHA, which cannot be combined.
pub(super) fn combined(algorithm: ChecksumAlgorithm, parts: &[PartDigest]) -> Result<Vec<u8>, ApiError> {
    let (kind, width) = match algorithm {
        ChecksumAlgorithm::Crc32 => (CrcAlgorithm::Crc32IsoHdlc, 4),
        ChecksumAlgorithm::Crc32c => (CrcAlgorithm::Crc32Iscsi, 4),
        ChecksumAlgorithm::Crc64Nvme => (CrcAlgorithm::Crc64Nvme, 8),
        ChecksumAlgorithm::Sha1 | ChecksumAlgorithm::Sha256 => {
            return Err(ApiError::internal("a SHA of the whole cannot be made of its parts' SHAs"));
        }
    };
    let value = |digest: &[u8]| digest.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    let mut parts = parts.iter();
    let first = parts.next().map_or(0, |(digest, _)| value(digest));
    let whole =
        parts.fold(first, |whole, (digest, size)| checksum_combine(kind, whole, value(digest), *size));
    Ok(if width == 4 { be32(whole) } else { whole.to_be_bytes().to_vec() })
}

/// The low 32 bits, big-endian.
fn be32(crc: u64) -> Vec<u8> {
    let [_, _, _, _, a, b, c, d] = crc.to_be_bytes();
    vec![a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combined_crcs_equal_those_of_the_whole() {
        let whole: Vec<u8> = (0..100_000u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
        let (a, rest) = whole.split_at(33_333);
        let (b, c) = rest.split_at(1);
        for (algorithm, kind) in [
            (ChecksumAlgorithm::Crc32, CrcAlgorithm::Crc32IsoHdlc),
            (ChecksumAlgorithm::Crc32c, CrcAlgorithm::Crc32Iscsi),
            (ChecksumAlgorithm::Crc64Nvme, CrcAlgorithm::Crc64Nvme),
        ] {
            let digest = |bytes: &[u8]| {
                let crc = checksum(kind, bytes);
                if algorithm == ChecksumAlgorithm::Crc64Nvme { crc.to_be_bytes().to_vec() } else { be32(crc) }
            };
            let parts: Vec<_> = [a, b, c].iter().map(|p| (digest(p), p.len() as u64)).collect();
            assert_eq!(combined(algorithm, &parts).unwrap(), digest(&whole), "{algorithm:?}");
        }
        assert!(combined(ChecksumAlgorithm::Sha1, &[]).is_err());
    }
}
