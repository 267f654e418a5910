//! The master key, and sealing of stored secrets with it: ChaCha20-Poly1305, random nonce, record id as
//! associated data.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::Mac;
use zeroize::Zeroizing;

use super::secret_file;
use crate::secret::Secret;

const NONCE: usize = 12;

/// Why a key or a sealed secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key file cannot be read or made.
    #[error("master key file {0}: {1}")]
    Io(String, std::io::Error),
    /// Others than its owner may read the key file.
    #[error("master key file {0} has mode {1:04o}; it must not be open to group or others (0600)")]
    Permissions(String, u32),
    /// Not 64 hexadecimal digits.
    #[error("master key file {0} must hold 64 hexadecimal digits")]
    Malformed(String),
    /// No random bytes.
    #[error("no random bytes: {0}")]
    Random(String),
    /// Sealed under another key or for another record, or damaged.
    #[error("a sealed secret does not open: wrong master key, or damaged")]
    Open,
}

/// The key that seals stored secrets.
pub struct MasterKey(ChaCha20Poly1305, Root);

/// What other keys are derived from.
struct Root(Zeroizing<[u8; 32]>);

impl Root {
    fn derive(&self, label: &str) -> [u8; 32] {
        // HKDF-Expand (RFC 5869) of one block, for the key is uniform already.
        let mut mac = crate::encryption::cipher::keyed(&self.0);
        mac.update(label.as_bytes());
        mac.update(&[1]);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl MasterKey {
    /// From 32 bytes.
    #[must_use]
    pub fn from_bytes(key: &[u8; 32]) -> Self {
        Self(ChaCha20Poly1305::new(&(*key).into()), Root(Zeroizing::new(*key)))
    }

    /// A key for another use, derived from this one: whoever has it learns nothing of this one.
    #[must_use]
    pub fn derive(&self, label: &str) -> [u8; 32] {
        self.1.derive(label)
    }

    /// Reads the key file, or makes it with mode 0600 if it is not there, and syncs it.
    pub fn load_or_create(path: &Path) -> Result<Self, SealError> {
        let shown = || path.display().to_string();
        let io = |error| SealError::Io(shown(), error);
        if !path.exists() {
            let mut key = Zeroizing::new([0_u8; 32]);
            getrandom::fill(&mut *key).map_err(|error| SealError::Random(error.to_string()))?;
            let text = Zeroizing::new(HEXLOWER_PERMISSIVE.encode(&*key));
            if secret_file::create(path, text.as_bytes()).map_err(io)? {
                return Ok(Self::from_bytes(&key));
            }
        }
        let file = File::open(path).map_err(io)?;
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(SealError::Permissions(shown(), mode));
        }
        let mut text = Zeroizing::new(String::new());
        file.take(256).read_to_string(&mut text).map_err(io)?;
        let bytes = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| SealError::Malformed(shown()))?;
        let key: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| SealError::Malformed(shown()))?;
        Ok(Self::from_bytes(key))
    }

    /// Seals a secret for the record `id`: nonce, then ciphertext and tag.
    pub fn seal(&self, id: &str, secret: &Secret) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0_u8; NONCE];
        getrandom::fill(&mut nonce).map_err(|error| SealError::Random(error.to_string()))?;
        let payload = Payload { msg: secret.expose().as_bytes(), aad: id.as_bytes() };
        let sealed = self.0.encrypt(&Nonce::from(nonce), payload).map_err(|_| SealError::Open)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what [`seal`](Self::seal) made for the same record.
    pub fn open(&self, id: &str, sealed: &[u8]) -> Result<Secret, SealError> {
        let (nonce, msg) = sealed.split_first_chunk::<NONCE>().ok_or(SealError::Open)?;
        let payload = Payload { msg, aad: id.as_bytes() };
        let plain = self.0.decrypt(&Nonce::from(*nonce), payload).map_err(|_| SealError::Open)?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| SealError::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seals_for_one_record_and_keeps_the_key_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        let sealed = MasterKey::load_or_create(&path).unwrap().seal("AK1", &Secret::new("s3cret")).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let key = MasterKey::load_or_create(&path).unwrap();
        assert_eq!(key.open("AK1", &sealed).unwrap().expose(), "s3cret");
        assert!(key.open("AK2", &sealed).is_err());
        assert!(key.open("AK1", &sealed[..5]).is_err());
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        assert!(matches!(MasterKey::load_or_create(&path), Err(SealError::Permissions(_, 0o640))));
    }
}
