//! Refract's own routes under `/_refract/`: health needs no key, the rest a signature or the admin token.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{HeaderValue, Method, Request, Response, StatusCode, header, request};
use subtle::ConstantTimeEq;
use tower::ServiceExt;

use crate::admin::error::response;
use crate::auth::{AuthOptions, Principal, PrincipalKind, SigV2};
use crate::bodies::Whose;
use crate::context::{App, RequestContext};
use crate::error::ApiError;
use crate::policy::{self, Asked, Origin, Trail};

use super::classify::Plane;
use super::{Failed, verify};

/// Bytes of a request to the admin API.
const MAX_BODY: usize = 1 << 20;
/// Bytes of a request that may bring code: a component of 64 MiB in base64, and some more.
const MAX_CODE_BODY: usize = 88 << 20;

/// Answers a request under `/_refract/`.
pub(super) async fn handle(
    app: &Arc<App>,
    router: &Router,
    context: &mut RequestContext,
    request: Request<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    match admit(app, context, parts, body).await {
        Ok(request) => match router.clone().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        },
        Err(error) => {
            let mut answer = response(&error, &context.id);
            answer.extensions_mut().insert(Failed(error));
            answer
        }
    }
}

/// What anybody may read: it says nothing of what is stored.
fn is_open(path: &str) -> bool {
    path.starts_with("/_refract/health/") || path == "/_refract/v1/openapi.json"
}

async fn admit(
    app: &Arc<App>,
    context: &mut RequestContext,
    mut parts: request::Parts,
    body: Body,
) -> Result<Request<Body>, ApiError> {
    context.operation = "Admin";
    parts.extensions.insert(RequestId(context.id.clone()));
    if is_open(parts.uri.path()) {
        return Ok(Request::from_parts(parts, Body::empty()));
    }
    if let Some(token) = bearer(&parts) {
        let token = token.to_owned();
        let known = app
            .admin_token
            .as_ref()
            .is_some_and(|known| bool::from(known.expose().as_bytes().ct_eq(token.as_bytes())));
        if !known {
            return Err(ApiError::new(
                StatusCode::UNAUTHORIZED,
                "InvalidToken",
                "The bearer token is not the admin token; set it by REFRACT_ADMIN_TOKEN where the server starts",
            ));
        }
        parts.headers.remove(header::AUTHORIZATION);
        context.principal = Some(Arc::new(Principal::root(&app.registrar.account_id, "admin-token")));
        return authorized(app, context, parts, body).await;
    }
    let options = AuthOptions { sigv2: SigV2::OTHER_PLANE, ..app.auth.clone() };
    let (body, _) = verify::verify(app, context, Plane::S3, &mut parts, body, &options).await?;
    let key = context.principal.as_deref().map(|principal| &principal.access_key_id);
    if key.is_some_and(|id| app.lambda.platform.keys().use_of(id).is_some()) {
        return Err(ApiError::access_denied("the admin API by a key of a function"));
    }
    if context.principal.is_none() && parts.uri.path() == "/_refract/metrics" && is_loopback(&parts) {
        return Ok(Request::from_parts(parts, Body::empty()));
    }
    authorized(app, context, parts, body).await
}

/// Collects the body of a request, once its sender may ask at all.
async fn authorized(
    app: &App,
    context: &RequestContext,
    mut parts: request::Parts,
    body: Body,
) -> Result<Request<Body>, ApiError> {
    permit(app, context, &parts).map_err(|mut error| {
        if context.principal.is_none() {
            error.message =
                "Access Denied. Sign the request (SigV4, any service name), or send `Authorization: \
                             Bearer` with the admin token."
                    .into();
        }
        error
    })?;
    if let Some(principal) = &context.principal {
        parts.extensions.insert(Principal::clone(principal));
    }
    let code = parts.method == Method::PUT && parts.uri.path().starts_with("/_refract/v1/functions/");
    let limit = if code { MAX_CODE_BODY } else { MAX_BODY };
    // Who has the admin token is nobody else's principal, and is let in all the same.
    let bytes = app.bodies.collect(body, limit, Whose::Verified).await?;
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// Whether the caller may do this: the root of the root account, and whom its policies allow the action of the route.
fn permit(app: &App, context: &RequestContext, parts: &request::Parts) -> Result<(), ApiError> {
    let (method, path) = (&parts.method, parts.uri.path());
    let owner = app.registrar.account_id.as_str();
    let known = policy::planes::admin(method, path);
    let (action, resource) =
        known.map_or(("refract:*", "*".to_owned()), |known| (known.action, known.resource));
    if let Some(trail) = parts.extensions.get::<Trail>() {
        trail.operation(action);
    }
    let caller = context.principal.as_deref();
    if action == "refract:*" && caller.is_some_and(|caller| caller.kind != PrincipalKind::Root) {
        return Err(ApiError::access_denied(format!("{method} {path} is no route that a policy can allow")));
    }
    let arn = format!("arn:aws:refract:{}:{owner}:{resource}", app.registrar.region);
    policy::authorize(caller, &Asked::of(&parts.headers, &parts.uri, &parts.extensions), action, &arn, owner)
}

fn bearer(parts: &request::Parts) -> Option<&str> {
    let text = parts.headers.get(header::AUTHORIZATION).map(HeaderValue::to_str)?.ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A scraper on the same machine may read the metrics, which name no bucket and no key.
fn is_loopback(parts: &request::Parts) -> bool {
    let from_function =
        parts.extensions.get::<crate::server::Connection>().is_some_and(|from| from.from_function);
    let origin = parts.extensions.get::<Origin>().copied().unwrap_or_default();
    // A function comes from there as well, and is not one who runs the machine.
    !from_function && origin.client.is_some_and(|client: IpAddr| client.is_loopback())
}

/// The id of a request, for the answers of the admin API.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);
