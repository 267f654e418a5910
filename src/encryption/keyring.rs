//! The keys that seal data keys: the server's own for SSE-S3, named ones for SSE-KMS, the customer's for SSE-C.

use std::sync::Arc;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::catalog::seal::{MasterKey, SealError};
use crate::catalog::{Catalog, Change, KmsKey, View};
use crate::clock::Clock;
use crate::error::ApiError;
use crate::secret::Secret;

use super::{DataKey, Encryption, KEY, Kind};

const NONCE: usize = 12;
/// Named keys of one server.
const MAX_KEYS: usize = 1000;
/// The named key that is always there, as AWS's own of this name.
pub const DEFAULT_KMS_KEY: &str = "alias/aws/s3";

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// No random bytes.
    #[error("no random bytes: {0}")]
    Random(String),
    /// There is no such named key.
    #[error("there is no key {0:?}")]
    NoSuchKey(String),
    /// Another key, another object, or damaged.
    #[error("a data key does not open")]
    Open,
}

/// The server's keys.
#[derive(Debug)]
pub struct Keyring {
    root: DataKey,
    master: Arc<MasterKey>,
    catalog: Arc<dyn Catalog>,
    clock: Arc<dyn Clock>,
}

impl Keyring {
    /// Over a root key for SSE-S3, and the named keys of a catalog, which `master` opens.
    #[must_use]
    pub fn new(
        root: DataKey,
        master: Arc<MasterKey>,
        catalog: Arc<dyn Catalog>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { root, master, catalog, clock }
    }

    /// Makes a named key, if there is none of that name; says whether it is new.
    ///
    /// # Errors
    /// 400 InvalidRequest for a malformed name; 400 LimitExceeded.
    pub async fn create(&self, name: &str) -> Result<bool, ApiError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/');
        if !(1..=128).contains(&name.len()) || !name.bytes().all(plain) {
            return Err(ApiError::invalid_request(
                "A key's name must have 1 to 128 letters, digits, `-`, `_` and `/`",
            ));
        }
        let internal = |error: String| ApiError::internal(error);
        let key = DataKey::random().map_err(|error| internal(error.to_string()))?;
        let text = Secret::new(BASE64.encode(key.bytes()));
        let sealed = self
            .master
            .seal(&record_id(name), &text)
            .map_err(|error: SealError| internal(error.to_string()))?;
        let record = KmsKey { name: name.to_owned(), created: self.clock.now(), sealed };
        let (sender, made) = std::sync::mpsc::sync_channel(1);
        let decide = move |view: &View| {
            let new = !view.kms_keys.contains_key(&record.name);
            if new && view.kms_keys.len() >= MAX_KEYS {
                let message = format!("A server may have {MAX_KEYS} named keys");
                return Err(ApiError::new(http::StatusCode::BAD_REQUEST, "LimitExceeded", message));
            }
            // The receiver waits below, and the channel has room.
            sender.send(new).map_err(|_| ApiError::internal("nobody waits for the decision"))?;
            Ok(if new { vec![Change::PutKmsKey(record)] } else { Vec::new() })
        };
        self.catalog.update(Box::new(decide)).await?;
        made.recv().map_err(|_| internal("the decision on a key was not made".into()))
    }

    /// A new data key for an object, and how the object is encrypted. `place` names the object, so that the sealed key
    /// is of no use for another.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub fn seal(
        &self,
        kind: Kind,
        customer: Option<&DataKey>,
        place: &str,
    ) -> Result<(DataKey, Encryption), KeyringError> {
        let data = DataKey::random()?;
        let encryption = self.seal_key(&data, kind, customer, place)?;
        Ok((data, encryption))
    }

    /// The same data key for an object that gets another place.
    ///
    /// # Errors
    /// [`KeyringError`]: a customer's key is not known here.
    pub fn rebind(&self, encryption: &Encryption, from: &str, to: &str) -> Result<Encryption, KeyringError> {
        let data = self.open(encryption, None, from)?;
        self.seal_key(&data, encryption.kind.clone(), None, to)
    }

    fn seal_key(
        &self,
        data: &DataKey,
        kind: Kind,
        customer: Option<&DataKey>,
        place: &str,
    ) -> Result<Encryption, KeyringError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|error| KeyringError::Random(error.to_string()))?;
        let wrapping = self.wrapping(&kind, customer)?;
        let aad = aad(&kind, place);
        let payload = Payload { msg: data.bytes(), aad: aad.as_bytes() };
        let sealed = wrapping.encrypt(&Nonce::from(nonce), payload).map_err(|_| KeyringError::Open)?;
        let sealed_key = [&nonce[..], &sealed].concat();
        Ok(Encryption { kind, sealed_key })
    }

    /// The data key of an object.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub fn open(
        &self,
        encryption: &Encryption,
        customer: Option<&DataKey>,
        place: &str,
    ) -> Result<DataKey, KeyringError> {
        let (nonce, msg) = encryption.sealed_key.split_first_chunk::<NONCE>().ok_or(KeyringError::Open)?;
        let wrapping = self.wrapping(&encryption.kind, customer)?;
        let aad = aad(&encryption.kind, place);
        let payload = Payload { msg, aad: aad.as_bytes() };
        let data = wrapping
            .decrypt(&Nonce::from(*nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| KeyringError::Open)?;
        let data: [u8; KEY] = data.as_slice().try_into().map_err(|_| KeyringError::Open)?;
        Ok(DataKey::from_bytes(data))
    }

    fn wrapping(&self, kind: &Kind, customer: Option<&DataKey>) -> Result<ChaCha20Poly1305, KeyringError> {
        let key = match (kind, customer) {
            (Kind::S3, _) => self.root.clone(),
            (Kind::Kms { key_id, .. }, _) => self.named(key_id)?,
            (Kind::Customer { .. }, Some(customer)) => customer.clone(),
            (Kind::Customer { .. }, None) => return Err(KeyringError::Open),
        };
        Ok(ChaCha20Poly1305::new(&(*key.bytes()).into()))
    }

    /// A named key: by name, alias or ARN.
    fn named(&self, id: &str) -> Result<DataKey, KeyringError> {
        let resource = if id.starts_with("arn:") { id.splitn(6, ':').nth(5).unwrap_or_default() } else { id };
        if resource == DEFAULT_KMS_KEY || resource == "aws/s3" {
            return Ok(self.root.clone());
        }
        let name =
            resource.strip_prefix("key/").or_else(|| resource.strip_prefix("alias/")).unwrap_or(resource);
        let view = self.catalog.snapshot();
        let record = view.kms_keys.get(name).ok_or_else(|| KeyringError::NoSuchKey(id.to_owned()))?;
        let text = self.master.open(&record_id(name), &record.sealed).map_err(|_| KeyringError::Open)?;
        let bytes =
            BASE64.decode(text.expose().as_bytes()).map(Zeroizing::new).map_err(|_| KeyringError::Open)?;
        bytes.as_slice().try_into().map(DataKey::from_bytes).map_err(|_| KeyringError::Open)
    }

    /// Whether a named key is there.
    ///
    /// # Errors
    /// [`KeyringError::NoSuchKey`].
    pub fn check(&self, id: &str) -> Result<(), KeyringError> {
        self.named(id).map(|_| ())
    }
}

fn record_id(name: &str) -> String {
    format!("kms-key/{name}")
}

/// What a sealed data key is bound to: the kind of its key, the encryption context, and the object.
fn aad(kind: &Kind, place: &str) -> String {
    match kind {
        Kind::S3 => format!("s3\n\n{place}"),
        Kind::Kms { context, .. } => format!("kms\n{}\n{place}", context.as_deref().unwrap_or_default()),
        Kind::Customer { .. } => format!("customer\n\n{place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::MemoryCatalog;
    use crate::clock::SystemClock;

    #[tokio::test]
    async fn data_keys_open_only_where_they_belong() {
        let keyring = Keyring::new(
            DataKey::from_bytes([1; 32]),
            Arc::new(MasterKey::from_bytes(&[2; 32])),
            Arc::new(MemoryCatalog::default()),
            Arc::new(SystemClock),
        );
        assert!(keyring.create("k1").await.unwrap() && !keyring.create("k1").await.unwrap());
        assert_eq!(keyring.create("no good").await.unwrap_err().code, "InvalidRequest");
        let kms = |id: &str, context: Option<&str>| Kind::Kms {
            key_id: id.into(),
            context: context.map(Into::into),
        };
        let (mine, other) = (DataKey::from_bytes([3; 32]), DataKey::from_bytes([4; 32]));
        for kind in [
            Kind::S3,
            kms("k1", None),
            kms("arn:aws:kms:us-east-1:000000000000:key/k1", Some("e30=")),
            kms("alias/aws/s3", None),
            Kind::Customer { key_md5: "x".into() },
        ] {
            let (key, encryption) = keyring.seal(kind.clone(), Some(&mine), "1/a").unwrap();
            assert_eq!(
                keyring.open(&encryption, Some(&mine), "1/a").unwrap().bytes(),
                key.bytes(),
                "{kind:?}"
            );
            assert!(matches!(keyring.open(&encryption, Some(&mine), "1/b"), Err(KeyringError::Open)));
            let moved = keyring.rebind(&encryption, "1/a", "1/b");
            assert_eq!(moved.is_err(), matches!(kind, Kind::Customer { .. }), "{kind:?}");
            if let Ok(moved) = moved {
                assert_eq!(keyring.open(&moved, None, "1/b").unwrap().bytes(), key.bytes());
                assert!(matches!(keyring.open(&moved, None, "1/a"), Err(KeyringError::Open)));
            }
            if matches!(kind, Kind::Customer { .. }) {
                assert!(keyring.open(&encryption, Some(&other), "1/a").is_err());
                assert!(keyring.open(&encryption, None, "1/a").is_err());
            }
        }
        assert!(matches!(keyring.seal(kms("k2", None), None, "p"), Err(KeyringError::NoSuchKey(_))));
    }
}
