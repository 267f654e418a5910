//! The signature of a token.

use super::keys::Key;
use super::token::Token;

/// Whether a token is signed by a key.
#[cfg(feature = "tls")]
pub(super) fn is_signed(token: &Token, key: &Key) -> bool {
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
    };
    let (message, signature) = (token.signed.as_bytes(), token.signature.as_slice());
    match key {
        Key::Rsa(n, e) => {
            let key = RsaPublicKeyComponents { n, e };
            key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
        }
        Key::P256(point) => {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
        }
    }
}

/// A build without TLS has nothing to verify tokens with, and takes none.
#[cfg(not(feature = "tls"))]
pub(super) fn is_signed(_: &Token, _: &Key) -> bool {
    false
}
