//! One verifier for every plane: SigV4, and SigV2 for plain buckets.

use std::sync::Arc;

use http::request::Parts;
use jiff::Timestamp;
use subtle::ConstantTimeEq;

use crate::error::ApiError;

mod canonical;
mod chunked;
mod errors;
mod form;
mod keys;
mod payload;
mod presign;
mod sign;
mod signing_key;
mod sigv2;
mod sigv4;
#[cfg(test)]
mod tests;

pub use canonical::decode as decode_parameter;
pub use chunked::{Trailers, body};
pub use errors::invalid_token;
pub use form::form;
pub use keys::{KeyRecord, KeyStore, Principal, PrincipalKind};
pub use payload::PayloadMode;
pub use presign::strip;
pub use sign::Signer;
pub use signing_key::SigningKeys;
pub use sigv4::{ChunkKey, amz_date as signed_at};

/// The largest body that is collected because its hash is signed but not sent: 16 MiB.
pub const COLLECTED_BODY_LIMIT: usize = 16 << 20;

/// What the place a request goes to allows.
#[derive(Debug, Clone, Default)]
pub struct AuthOptions {
    /// Where SigV2 is taken.
    pub sigv2: SigV2,
    /// The one region a scope may name; any where `None`.
    pub region_strict: Option<String>,
}

/// Where SigV2 is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SigV2 {
    /// In URLs, in the Authorization header and in forms.
    Taken {
        /// The bucket that the host names: part of what is signed.
        bucket_in_host: Option<String>,
    },
    /// In URLs alone: an alias in the path is signed with it.
    Urls,
    /// Nowhere. What the client reads.
    Refused(&'static str),
}

impl SigV2 {
    pub(in crate::auth) const POINTS_REASON: &'static str = "Access points require SigV4. Set \
         signature_version='s3v4' in the client's Config, or s3.signature_version = s3v4 in the AWS configuration file.";
    /// The refusal of points.
    pub const POINTS: Self = Self::Refused(Self::POINTS_REASON);
    /// The refusal of planes that never had it.
    pub const OTHER_PLANE: Self = Self::Refused(
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    );
    /// The refusal of a server where it is switched off.
    pub const OFF: Self = Self::Refused(
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256: SigV2 is switched \
         off here.",
    );
}

impl Default for SigV2 {
    fn default() -> Self {
        Self::Taken { bucket_in_host: None }
    }
}

/// How a request was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMethod {
    /// SigV4 in the Authorization header.
    Header,
    /// SigV4 in the query.
    PresignedV4,
    /// SigV2 in the Authorization header.
    HeaderV2,
    /// SigV2 in the query.
    PresignedV2,
}

/// A request whose signature is right. Its body is checked as [`body`](body()) streams it.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// Who made it.
    pub principal: Arc<Principal>,
    /// How it was signed.
    pub method: AuthMethod,
    /// When, where the signature says so.
    pub at: Option<Timestamp>,
    /// How its body is bound to the signature.
    pub payload: PayloadMode,
    pub(in crate::auth) chunks: Option<ChunkKey>,
}

/// What [`authenticate`] found.
#[derive(Debug)]
pub enum Outcome {
    /// No authentication at all.
    Anonymous,
    /// A right signature.
    Authenticated(Box<Authenticated>),
    /// The hash of the body is signed but not sent: collect the body, to [`COLLECTED_BODY_LIMIT`], and call again
    /// with its SHA-256. Nothing is verified yet but that the key is there.
    NeedsBodyHash,
}

/// Verifies a request. `body_hash` is the SHA-256 of the body, given only after [`Outcome::NeedsBodyHash`].
///
/// # Errors
/// AWS's own, by code: InvalidAccessKeyId, SignatureDoesNotMatch, RequestTimeTooSkewed, AccessDenied (403);
/// AuthorizationHeaderMalformed, AuthorizationQueryParametersError, InvalidArgument, InvalidRequest (400).
pub fn authenticate(
    request: &Parts,
    keys: &dyn KeyStore,
    now: Timestamp,
    options: &AuthOptions,
    body_hash: Option<[u8; 32]>,
) -> Result<Outcome, ApiError> {
    let raw = request.uri.query().unwrap_or("");
    let (v4, v2) = presign::mechanisms(raw);
    let header = canonical::one(&request.headers, &http::header::AUTHORIZATION)?;
    if usize::from(v4) + usize::from(v2) + usize::from(header.is_some()) > 1 {
        return Err(ApiError::invalid_argument(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
             parameter or the Authorization header should be specified",
        ));
    }
    if let Some(credential) = header.and_then(sigv2::credential) {
        return sigv2::by_header(request, credential, keys, now, options)
            .map(|found| Outcome::Authenticated(Box::new(found)));
    }
    if let Some(header) = header {
        return sigv4::by_header(request, header, keys, now, options, body_hash);
    }
    if v4 {
        return sigv4::by_query(request, keys, now, options, body_hash);
    }
    if v2 {
        return sigv2::by_query(request, keys, now, options)
            .map(|found| Outcome::Authenticated(Box::new(found)));
    }
    Ok(Outcome::Anonymous)
}

/// The key that a request names, where it may sign.
fn find_key(keys: &dyn KeyStore, id: &str, token: Option<&str>) -> Result<KeyRecord, ApiError> {
    keys.lookup(id, token)?.filter(|key| key.active).ok_or_else(|| errors::unknown_key(id))
}

/// Checks the token of a temporary key, whose signature is right. A permanent key must come without one.
fn check_key(record: &KeyRecord, token: Option<&str>, now: Timestamp) -> Result<(), ApiError> {
    let right = match (&record.session_token, token) {
        (None, None) => true,
        (Some(expected), Some(given)) => expected.expose().as_bytes().ct_eq(given.as_bytes()).into(),
        _ => false,
    };
    if !right {
        return Err(invalid_token());
    }
    if record.expires.is_some_and(|end| end <= now) {
        return Err(errors::expired_token());
    }
    Ok(())
}
