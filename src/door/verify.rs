//! The signature of a request, and the body behind it.

use axum::body::Body;
use http::request;
use sha2::{Digest, Sha256};

use crate::auth::{self, AuthMethod, AuthOptions, COLLECTED_BODY_LIMIT, Outcome, Trailers};
use crate::context::{App, RequestContext};
use crate::error::ApiError;
use crate::policy::{Origin, Signed};
use crate::s3;

/// Verifies a request: its principal goes into the context, its signature out of the parts, and its body becomes what
/// the client meant, checked as it streams.
///
/// # Errors
/// The verifier's.
pub(super) async fn verify(
    app: &App,
    context: &mut RequestContext,
    parts: &mut request::Parts,
    mut body: Body,
    options: &AuthOptions,
) -> Result<(Body, Trailers), ApiError> {
    #[cfg(test)]
    if let Some(caller) = parts.extensions.remove::<super::tests::Caller>() {
        context.principal = caller.0;
        return Ok((body, Trailers::default()));
    }
    let now = app.clock.now();
    let keys = app.keys.as_ref();
    let mut outcome = auth::authenticate(parts, keys, now, options, None)?;
    if matches!(outcome, Outcome::NeedsBodyHash) {
        let bytes = s3::collect(body, COLLECTED_BODY_LIMIT).await?;
        let hash: [u8; 32] = Sha256::digest(&bytes).into();
        outcome = auth::authenticate(parts, keys, now, options, Some(hash))?;
        body = Body::from(bytes);
    }
    let authenticated = match outcome {
        Outcome::Anonymous => None,
        Outcome::Authenticated(found) => Some(found),
        Outcome::NeedsBodyHash => {
            return Err(ApiError::internal("the verifier asked for the hash of the body twice"));
        }
    };
    let (body, trailers) = auth::body(authenticated.as_deref(), parts, body)?;
    auth::strip(parts);
    if let Some(found) = authenticated.as_deref() {
        let (auth_type, version) = match found.method {
            AuthMethod::Header => ("REST-HEADER", "AWS4-HMAC-SHA256"),
            AuthMethod::PresignedV4 => ("REST-QUERY-STRING", "AWS4-HMAC-SHA256"),
            AuthMethod::PresignedV2 => ("REST-QUERY-STRING", "AWS"),
        };
        let origin = parts.extensions.get::<Origin>().copied().unwrap_or_default();
        let signed = Some(Signed { auth_type, version, at: found.at });
        parts.extensions.insert(Origin { signed, ..origin });
    }
    context.principal = authenticated.map(|found| found.principal);
    Ok((body, trailers))
}
