//! The public keys of an issuer: a JSON Web Key Set (RFC 7517).

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde::Deserialize;

use super::token::{Algorithm, Token};

/// Keys of an issuer.
const MOST: usize = 100;

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// Modulus and exponent, big-endian.
    Rsa(Vec<u8>, Vec<u8>),
    /// The uncompressed point of P-256.
    P256(Vec<u8>),
}

/// A key and its id.
#[derive(Debug, Clone)]
pub(super) struct Identified {
    id: Option<String>,
    key: Key,
}

/// The keys of an issuer as of one moment.
#[derive(Debug)]
pub(super) struct KeySet {
    pub(super) keys: Vec<Identified>,
    pub(super) fetched: Timestamp,
}

impl KeySet {
    /// The key of a token. One without an id is of an issuer with one key of its kind.
    pub(super) fn find(&self, token: &Token) -> Option<&Key> {
        let mut fitting = self.keys.iter().filter(|known| {
            matches!(
                (&known.key, token.algorithm),
                (Key::Rsa(..), Algorithm::Rs256) | (Key::P256(_), Algorithm::Es256)
            )
        });
        match &token.key_id {
            Some(id) => fitting.find(|known| known.id.as_ref() == Some(id)).map(|known| &known.key),
            None => {
                let first = fitting.next()?;
                fitting.next().is_none().then_some(&first.key)
            }
        }
    }
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// Reads a key set; keys of other kinds and for other uses are passed over.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Identified>, String> {
    let document: Document =
        serde_json::from_slice(bytes).map_err(|error| format!("the key set: {error}"))?;
    let keys = document.keys.into_iter().take(MOST).filter_map(|jwk| {
        let key = jwk.key()?;
        Some(Identified { id: jwk.kid, key })
    });
    Ok(keys.collect())
}

impl Jwk {
    fn key(&self) -> Option<Key> {
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        let number = |text: &Option<String>| BASE64URL_NOPAD.decode(text.as_ref()?.as_bytes()).ok();
        match self.kty.as_str() {
            "RSA" => Some(Key::Rsa(number(&self.n)?, number(&self.e)?)),
            "EC" if self.crv.as_deref() == Some("P-256") => {
                let (x, y) = (number(&self.x)?, number(&self.y)?);
                (x.len() == 32 && y.len() == 32).then(|| Key::P256([&[4], &x[..], &y[..]].concat()))
            }
            _ => None,
        }
    }
}
