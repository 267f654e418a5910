//! AES-256-GCM over segments: each has its number as nonce under a key of the body's own, so that no segment can take
//! the place of another, of the same body or of another's.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::DataKey;

/// Bytes of a tag.
pub const TAG: usize = 16;
/// Bytes of a body's salt, which makes its key.
pub const SALT: usize = 16;

/// Seals and opens the segments of one body.
pub struct BodyCipher {
    aead: aead::Aead,
    mac: Hmac<Sha256>,
    salt: [u8; SALT],
}

impl fmt::Debug for BodyCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyCipher(…)")
    }
}

impl BodyCipher {
    /// For a new body: its salt is random, so that the parts of an object share a data key and no key stream.
    ///
    /// # Errors
    /// No random bytes.
    pub fn new(key: &DataKey) -> std::io::Result<Self> {
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt).map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Self::with_salt(key, salt))
    }

    /// For a body that has this salt.
    #[must_use]
    pub fn with_salt(key: &DataKey, salt: [u8; SALT]) -> Self {
        let derive = |label: &[u8]| -> [u8; 32] {
            // A 32-byte key always fits HMAC.
            let mut mac = keyed(key.bytes());
            mac.update(label);
            mac.update(&salt);
            mac.finalize().into_bytes().into()
        };
        Self { aead: aead::Aead::new(&derive(b"refract body")), mac: keyed(&derive(b"refract size")), salt }
    }

    /// The body's salt.
    #[must_use]
    pub fn salt(&self) -> [u8; SALT] {
        self.salt
    }

    /// Seals a segment in place and answers its tag.
    ///
    /// # Errors
    /// The segment is too long for AES-GCM, which it never is.
    pub fn seal(&self, number: u64, bytes: &mut [u8]) -> std::io::Result<[u8; TAG]> {
        self.aead
            .seal(nonce(number), bytes)
            .ok_or_else(|| std::io::Error::other("a segment cannot be sealed"))
    }

    /// Opens a segment in place.
    ///
    /// # Errors
    /// It is not what was sealed: another key, or a byte has changed.
    pub fn open(&self, number: u64, bytes: &mut [u8], tag: &[u8; TAG]) -> std::io::Result<()> {
        self.aead.open(nonce(number), bytes, tag).ok_or_else(|| {
            std::io::Error::new(std::io::ErrorKind::InvalidData, "stored bytes do not open under their key")
        })
    }

    /// Vouches for the body's size, so that none of its last segments can be cut off.
    #[must_use]
    pub fn size_tag(&self, size: u64) -> [u8; TAG] {
        let mut mac = self.mac.clone();
        mac.update(&size.to_be_bytes());
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        full.first_chunk().copied().unwrap_or_default()
    }
}

pub(crate) fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    // HMAC fills a key up to its block with zeros.
    let mut block = [0; 64];
    if let Some(head) = block.first_chunk_mut() {
        *head = *key;
    }
    Hmac::new(&block.into())
}

fn nonce(number: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    if let Some(tail) = nonce.last_chunk_mut() {
        *tail = number.to_be_bytes();
    }
    nonce
}

#[cfg(feature = "native-crypto")]
mod aead {
    //! By ring. AWS-LC is faster where a processor has AVX-512 (12 GB/s against 8) and slower by more where it has not
    //! (2.3 against 5.5); ring is here for TLS as well.
    use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};

    use super::TAG;

    pub(super) struct Aead(Option<LessSafeKey>);

    impl Aead {
        pub(super) fn new(key: &[u8; 32]) -> Self {
            Self(UnboundKey::new(&AES_256_GCM, key).ok().map(LessSafeKey::new))
        }

        pub(super) fn seal(&self, nonce: [u8; 12], bytes: &mut [u8]) -> Option<[u8; TAG]> {
            let nonce = Nonce::assume_unique_for_key(nonce);
            let tag = self.0.as_ref()?.seal_in_place_separate_tag(nonce, Aad::empty(), bytes).ok()?;
            tag.as_ref().try_into().ok()
        }

        pub(super) fn open(&self, nonce: [u8; 12], bytes: &mut [u8], tag: &[u8; TAG]) -> Option<()> {
            let nonce = Nonce::assume_unique_for_key(nonce);
            let tag = Tag::from(*tag);
            self.0.as_ref()?.open_in_place_separate_tag(nonce, Aad::empty(), tag, bytes, 0..).ok().map(|_| ())
        }
    }
}

#[cfg(not(feature = "native-crypto"))]
mod aead {
    //! In Rust.
    use aes_gcm::aead::AeadInOut;
    use aes_gcm::{Aes256Gcm, KeyInit};

    use super::TAG;

    pub(super) struct Aead(Aes256Gcm);

    impl Aead {
        pub(super) fn new(key: &[u8; 32]) -> Self {
            Self(Aes256Gcm::new(key.into()))
        }

        pub(super) fn seal(&self, nonce: [u8; 12], bytes: &mut [u8]) -> Option<[u8; TAG]> {
            self.0.encrypt_inout_detached(&nonce.into(), b"", bytes.into()).ok().map(Into::into)
        }

        pub(super) fn open(&self, nonce: [u8; 12], bytes: &mut [u8], tag: &[u8; TAG]) -> Option<()> {
            self.0.decrypt_inout_detached(&nonce.into(), b"", bytes.into(), tag.into()).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_opens_only_as_it_was_sealed() {
        let key = DataKey::from_bytes([7; 32]);
        let cipher = BodyCipher::new(&key).unwrap();
        let plain: Vec<u8> = (0..=250).cycle().take(1000).collect();
        let mut sealed = plain.clone();
        let tag = cipher.seal(3, &mut sealed).unwrap();
        assert_ne!(sealed, plain);
        let open = |cipher: &BodyCipher, number, sealed: &[u8], tag: &[u8; TAG]| {
            let mut bytes = sealed.to_vec();
            cipher.open(number, &mut bytes, tag).map(|()| bytes).ok()
        };
        let again = BodyCipher::with_salt(&key, cipher.salt());
        assert_eq!(open(&again, 3, &sealed, &tag), Some(plain));
        assert_eq!(open(&again, 4, &sealed, &tag), None);
        assert_eq!(open(&BodyCipher::new(&key).unwrap(), 3, &sealed, &tag), None, "another body");
        let other = BodyCipher::with_salt(&DataKey::from_bytes([8; 32]), cipher.salt());
        assert_eq!(open(&other, 3, &sealed, &tag), None, "another key");
        for at in [0, 500, 999] {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert_eq!(open(&again, 3, &bad, &tag), None);
        }
        assert_eq!(cipher.size_tag(5), again.size_tag(5));
        assert_ne!(cipher.size_tag(5), cipher.size_tag(6));
    }

    /// Both implementations are AES-256-GCM: test case 14 of the GCM specification, but for the derived key.
    #[test]
    fn it_is_the_aes_gcm_of_the_standard() {
        let mut zeros = [0; 16];
        let tag = aead::Aead::new(&[0; 32]).seal([0; 12], &mut zeros).unwrap();
        assert_eq!(data_encoding::HEXLOWER.encode(&zeros), "cea7403d4d606b6e074ec5d3baf39d18");
        assert_eq!(data_encoding::HEXLOWER.encode(&tag), "d0d1c8a799996bf0265b98b5d48ab919");
    }
}
