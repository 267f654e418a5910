//! One SigV4 verifier for every plane.

use std::borrow::Cow;

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
mod sigv2;
mod sigv4;
#[cfg(test)]
mod tests;

pub use chunked::{Trailers, body};
pub use errors::invalid_token;
pub use form::form;
pub use keys::{KeyRecord, KeyStore, Principal, PrincipalKind};
pub use payload::PayloadMode;
pub use presign::strip;
pub use sigv4::{ChunkKey, Scope, amz_date as signed_at};

/// The largest body that is collected because its hash is signed but not sent: 16 MiB.
pub const COLLECTED_BODY_LIMIT: usize = 16 << 20;

/// What the place a request goes to allows.
#[derive(Debug, Clone)]
pub struct AuthOptions {
    /// Whether SigV2 presigned requests are taken.
    pub sigv2_allowed: bool,
    /// What the client reads where they are not.
    pub sigv2_reason: Cow<'static, str>,
    /// The one region a scope may name; any where `None`.
    pub region_strict: Option<String>,
}

impl Default for AuthOptions {
    fn default() -> Self {
        Self {
            sigv2_allowed: true,
            sigv2_reason: Cow::Borrowed(
                "Access points require SigV4. Set signature_version='s3v4' in the client's Config, or \
                 s3.signature_version = s3v4 in the AWS configuration file.",
            ),
            region_strict: None,
        }
    }
}

/// How a request was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMethod {
    /// SigV4 in the Authorization header.
    Header,
    /// SigV4 in the query.
    PresignedV4,
    /// SigV2 in the query.
    PresignedV2,
}

/// A request whose signature is right. Its body is checked as [`body`](body()) streams it.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// Who made it.
    pub principal: Principal,
    /// Scope of the credential; none for SigV2.
    pub scope: Option<Scope>,
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
    /// with its SHA-256. Nothing is verified yet.
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
    let (v4, v2) = (presign::has_v4(raw), presign::has_v2(raw));
    let header = canonical::one(&request.headers, "authorization")?;
    if usize::from(v4) + usize::from(v2) + usize::from(header.is_some()) > 1 {
        return Err(ApiError::invalid_argument(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
             parameter or the Authorization header should be specified",
        ));
    }
    if let Some(header) = header {
        return sigv4::by_header(request, header, keys, now, options, body_hash);
    }
    if v4 {
        return sigv4::by_query(request, keys, now, options, body_hash);
    }
    if v2 {
        return sigv2::authenticate(request, keys, now, options)
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
        return Err(errors::invalid_token());
    }
    if record.expires.is_some_and(|end| end <= now) {
        return Err(errors::expired_token());
    }
    Ok(())
}
