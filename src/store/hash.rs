//! Digests of a body as it streams: MD5 and CRC-64/NVME always, one more where it is asked for.

use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest as Crc};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::ChecksumAlgorithm;
use super::md5::Md5;

/// Hashes bytes as they come.
#[derive(Debug)]
pub(super) struct Hasher {
    md5: Md5,
    crc64nvme: Crc,
    more: Option<(ChecksumAlgorithm, More)>,
    size: u64,
}

#[derive(Debug)]
enum More {
    Crc(Box<Crc>, usize),
    Sha1(Sha1),
    Sha256(Sha256),
    /// The CRC-64 that is computed anyway.
    Same,
}

/// Digests of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// Number of bytes.
    pub size: u64,
    /// MD5.
    pub md5: [u8; 16],
    /// CRC-64/NVME.
    pub crc64nvme: u64,
    /// The digest asked for, big-endian.
    pub checksum: Option<(ChecksumAlgorithm, Vec<u8>)>,
}

impl Digests {
    /// Of bytes in memory.
    #[must_use]
    pub fn of(bytes: &[u8], more: Option<ChecksumAlgorithm>) -> Self {
        let mut hasher = Hasher::new(more);
        hasher.update(bytes);
        hasher.finish()
    }
}

impl Hasher {
    /// A hasher for MD5, CRC-64/NVME and, where given, one more kind.
    pub(super) fn new(more: Option<ChecksumAlgorithm>) -> Self {
        let more = more.map(|algorithm| {
            let hasher = match algorithm {
                ChecksumAlgorithm::Crc32 => More::Crc(Box::new(Crc::new(CrcAlgorithm::Crc32IsoHdlc)), 4),
                ChecksumAlgorithm::Crc32c => More::Crc(Box::new(Crc::new(CrcAlgorithm::Crc32Iscsi)), 4),
                ChecksumAlgorithm::Crc64Nvme => More::Same,
                ChecksumAlgorithm::Sha1 => More::Sha1(Sha1::new()),
                ChecksumAlgorithm::Sha256 => More::Sha256(Sha256::new()),
            };
            (algorithm, hasher)
        });
        Self { md5: Md5::new(), crc64nvme: Crc::new(CrcAlgorithm::Crc64Nvme), more, size: 0 }
    }

    /// Takes the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.others(bytes);
    }

    /// Takes the next bytes of a large body on a thread that may block; their MD5 is computed beside that of others.
    pub(super) fn update_beside_others(&mut self, bytes: &Bytes) {
        self.md5.update_beside_others(bytes);
        self.others(bytes);
    }

    fn others(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.crc64nvme.update(bytes);
        match &mut self.more {
            Some((_, More::Crc(crc, _))) => crc.update(bytes),
            Some((_, More::Sha1(sha))) => sha.update(bytes),
            Some((_, More::Sha256(sha))) => sha.update(bytes),
            Some((_, More::Same)) | None => {}
        }
    }

    /// The digests of all that came.
    pub(super) fn finish(self) -> Digests {
        let crc64nvme = self.crc64nvme.finalize();
        let checksum = self.more.map(|(algorithm, more)| {
            let digest = match more {
                More::Crc(crc, width) => {
                    let bytes = crc.finalize().to_be_bytes();
                    bytes.get(bytes.len() - width..).unwrap_or_default().to_vec()
                }
                More::Sha1(sha) => sha.finalize().to_vec(),
                More::Sha256(sha) => sha.finalize().to_vec(),
                More::Same => crc64nvme.to_be_bytes().to_vec(),
            };
            (algorithm, digest)
        });
        Digests { size: self.size, md5: self.md5.finalize(), crc64nvme, checksum }
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64, HEXLOWER};

    use super::*;

    /// The check values of the CRC catalogue and of the hash standards, for "123456789".
    #[test]
    fn check_values() {
        let digest = |algorithm| {
            let mut hasher = Hasher::new(Some(algorithm));
            hasher.update(b"1234");
            hasher.update(b"56789");
            hasher.finish()
        };
        let hex = |algorithm| HEXLOWER.encode(&digest(algorithm).checksum.unwrap().1);
        assert_eq!(hex(ChecksumAlgorithm::Crc32), "cbf43926");
        assert_eq!(hex(ChecksumAlgorithm::Crc32c), "e3069283");
        assert_eq!(hex(ChecksumAlgorithm::Crc64Nvme), "ae8b14860a799888");
        assert_eq!(hex(ChecksumAlgorithm::Sha1), "f7c3bc1d808e04732adf679965ccc34ca7ae3441");
        let all = digest(ChecksumAlgorithm::Sha256);
        assert_eq!(all.size, 9);
        assert_eq!(HEXLOWER.encode(&all.md5), "25f9e794323b453885f5181f1b624d0b");
        assert_eq!(BASE64.encode(&all.checksum.unwrap().1), "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=");
    }
}
