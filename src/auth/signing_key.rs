//! The keys that SigV4 derives from a secret for a day, a region and a service ("Create a signed AWS API request", AWS
//! General Reference).

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use aws_sigv4::sign::v4::generate_signing_key;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// A key that signatures are checked with.
#[derive(Clone)]
pub(super) struct SigningKey(Zeroizing<[u8; 32]>);

impl SigningKey {
    /// The key of a secret for the day of a moment, a region and a service.
    pub(super) fn derive(secret: &Secret, at: Timestamp, region: &str, service: &str) -> Self {
        let time = UNIX_EPOCH + Duration::from_secs(u64::try_from(at.as_second()).unwrap_or_default());
        let mut key = Zeroizing::new([0; 32]);
        let derived = generate_signing_key(secret.expose(), time, region, service);
        key.iter_mut().zip(derived.as_ref()).for_each(|(to, from)| *to = *from);
        Self(key)
    }

    /// Whether a signature, 64 hexadecimal digits in lower case, is that of a text. Compares in constant time.
    pub(super) fn verify(&self, text: &[u8], signature: &str) -> bool {
        let mut given = [0; 32];
        if signature.len() != 64 || HEXLOWER.decode_mut(signature.as_bytes(), &mut given).is_err() {
            return false;
        }
        self.mac(text).is_some_and(|mac| mac.verify_slice(&given).is_ok())
    }

    /// The signature of a text, in lower case.
    pub(super) fn sign(&self, text: &[u8]) -> String {
        self.mac(text).map(|mac| HEXLOWER.encode(&mac.finalize().into_bytes())).unwrap_or_default()
    }

    /// `None` never: HMAC takes keys of any length.
    fn mac(&self, text: &[u8]) -> Option<Hmac<Sha256>> {
        Some(Hmac::new_from_slice(&*self.0).ok()?.chain_update(text))
    }
}

/// Keys that were derived from one secret lately, and with which something was signed right.
#[derive(Default)]
pub struct SigningKeys(Mutex<Vec<(String, SigningKey)>>);

impl SigningKeys {
    /// How many scopes are remembered: a day's end, and clients of more than one service.
    const MOST: usize = 4;

    /// The key for a scope, `YYYYMMDD/REGION/SERVICE/aws4_request`.
    pub(super) fn get(&self, scope: &str) -> Option<SigningKey> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(of, _)| of == scope).map(|(_, key)| key.clone())
    }

    /// Remembers a key in the place of the oldest.
    pub(super) fn keep(&self, scope: &str, key: &SigningKey) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.iter().any(|(of, _)| of == scope) {
            return;
        }
        if kept.len() == Self::MOST {
            kept.remove(0);
        }
        kept.push((scope.to_owned(), key.clone()));
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeys(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_scopes_are_remembered_each_once() {
        let (keys, secret) = (SigningKeys::default(), Secret::new("s"));
        let key = SigningKey::derive(&secret, Timestamp::UNIX_EPOCH, "r", "s3");
        for scope in ["a", "b", "b", "c", "d", "e"] {
            keys.keep(scope, &key);
        }
        let known = ["a", "b", "c", "d", "e"].map(|scope| keys.get(scope).is_some());
        assert_eq!(known, [false, true, true, true, true]);
    }

    #[test]
    fn a_signature_is_taken_in_its_one_spelling() {
        // "Examples of how to derive a signing key for Signature Version 4", AWS General Reference.
        let secret = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let at = "2015-08-30T12:36:00Z".parse().unwrap();
        let key = SigningKey::derive(&secret, at, "us-east-1", "iam");
        let expected = "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9";
        assert_eq!(HEXLOWER.encode(&*key.0), expected);
        let right = aws_sigv4::sign::v4::calculate_signature(*key.0, b"text");
        assert!(key.verify(b"text", &right) && !key.verify(b"test", &right));
        for wrong in [right.to_uppercase(), format!("{right}00"), String::new(), "0".repeat(64)] {
            assert!(!key.verify(b"text", &wrong), "{wrong}");
        }
    }
}
