//! The signature of a request, and the body behind it.

use axum::body::Body;
use http::request;
use sha2::{Digest, Sha256};

use crate::auth::{
    self, AuthMethod, AuthOptions, COLLECTED_BODY_LIMIT, KeyRecord, KeyStore, Outcome, Trailers,
};
use crate::bodies::Whose;
use crate::context::{App, RequestContext};
use crate::error::ApiError;
use crate::function::temporary::TemporaryKeys;
use crate::headers::AMZ_CONTENT_SHA256;
use crate::lambda_api::MAX_PACKAGE_BODY;
use crate::object_lambda::event::ContentSha256;
use crate::policy::{Origin, Signed};
use crate::priority::on_bytes;

use super::classify::Plane;

/// The keys that may sign a request: those that are kept, and those of functions.
struct AllKeys<'a> {
    permanent: &'a dyn KeyStore,
    temporary: &'a TemporaryKeys,
}

impl KeyStore for AllKeys<'_> {
    fn lookup(&self, access_key_id: &str, token: Option<&str>) -> Result<Option<KeyRecord>, ApiError> {
        match self.temporary.lookup(access_key_id, token)? {
            Some(record) => Ok(Some(record)),
            None => self.permanent.lookup(access_key_id, token),
        }
    }
}

/// Verifies a request: its principal goes into the context, its signature out of the parts, and its body becomes what
/// the client meant, checked as it streams.
///
/// # Errors
/// The verifier's.
pub(super) async fn verify(
    app: &App,
    context: &mut RequestContext,
    found_plane: Plane,
    parts: &mut request::Parts,
    mut body: Body,
    options: &AuthOptions,
) -> Result<(Body, Trailers), ApiError> {
    #[cfg(test)]
    if let Some(caller) = parts.extensions.remove::<super::tests::Caller>() {
        context.principal = caller.0.map(std::sync::Arc::new);
        return Ok((body, Trailers::default()));
    }
    let now = app.clock.now();
    let keys = &AllKeys { permanent: app.keys.as_ref(), temporary: app.lambda.platform.keys() };
    let mut outcome = auth::authenticate(parts, keys, now, options, None)?;
    if matches!(outcome, Outcome::NeedsBodyHash) {
        // The verifier knows the key by now: nothing is held for others. A package is larger than anything else.
        let large = found_plane == Plane::Lambda;
        let limit = if large { MAX_PACKAGE_BODY } else { COLLECTED_BODY_LIMIT };
        let bytes = app.bodies.collect(body, limit, Whose::Claimed).await?;
        let hashed = bytes.clone();
        let hash = on_bytes(bytes.len(), move || Sha256::digest(&hashed).into()).await?;
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
    if let Some(found) = &authenticated
        && let Some(purpose) = app.lambda.platform.keys().use_of(&found.principal.access_key_id)
    {
        purpose.check(found_plane, parts)?;
    }
    let (body, trailers) = auth::body(authenticated.as_deref(), parts, body)?;
    let hash = parts.headers.get(&AMZ_CONTENT_SHA256).and_then(|value| value.to_str().ok());
    if let Some(hash) = hash.map(str::to_owned) {
        parts.extensions.insert(ContentSha256(hash));
    }
    auth::strip(parts);
    if let Some(found) = authenticated.as_deref() {
        let (auth_type, version) = match found.method {
            AuthMethod::Header => ("REST-HEADER", "AWS4-HMAC-SHA256"),
            AuthMethod::PresignedV4 => ("REST-QUERY-STRING", "AWS4-HMAC-SHA256"),
            AuthMethod::HeaderV2 => ("REST-HEADER", "AWS"),
            AuthMethod::PresignedV2 => ("REST-QUERY-STRING", "AWS"),
        };
        let origin = parts.extensions.get::<Origin>().copied().unwrap_or_default();
        let signed = Some(Signed { auth_type, version, at: found.at });
        parts.extensions.insert(Origin { signed, ..origin });
    }
    context.auth = authenticated.as_ref().map(|found| found.method);
    context.principal = authenticated.map(|found| found.principal);
    Ok((body, trailers))
}
