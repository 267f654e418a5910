//! The door: which plane is this request for? classify → authenticate → dispatch.
//!
//! - [`classify`]: a plane from the signature's scope, then the host, then the path.
//! - [`verify`]: the signature, and the body behind it.
//! - [`admin`]: Refract's own routes under `/_refract/`.

use std::sync::Arc;

use axum::body::Body;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header, request};

use crate::access_log::Begun;
use crate::access_point::{Addressed, Target, target};
use crate::auth::{self, SigV2, Trailers};
use crate::bodies::Whose;
use crate::context::{App, RequestContext};
use crate::control::{self, ControlCall};
use crate::error::ApiError;
use crate::function::temporary::{POINT_PARAMETER, Use};
use crate::headers::{AMZ_ID_2, AMZ_REQUEST_ID};
use crate::lambda_api::{self, LambdaCall};
use crate::object_lambda::{Action, LensCall, Turn};
use crate::policy::{Access, Asked, Origin, Via};
use crate::query::{self, Form};
use crate::s3::{self, S3Call, ShownBy};
use crate::server::Connection;
use crate::store::{Buckets, StoreError};
use crate::website::{self, Visit};

pub mod admin;
mod audit;
pub mod classify;
#[cfg(test)]
mod tests;
mod verify;

use classify::Classified;
pub use classify::Plane;

/// The door of one server.
#[derive(Debug, Clone)]
pub struct Door {
    app: Arc<App>,
    admin: axum::Router,
}

impl Door {
    /// Opens the door to an app.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { admin: crate::admin::router(Arc::clone(&app)), app }
    }

    /// Says that the server takes no new connections.
    pub fn drain(&self) {
        self.app.drain();
    }

    /// Answers a request, whatever it is.
    pub async fn handle(&self, mut request: Request<Body>) -> Response<Body> {
        let app = &self.app;
        let mut context = app.request();
        let connection = request.extensions().get::<Connection>().copied();
        let origin = Origin::of(connection.as_ref(), request.headers(), &app.trusted_proxies);
        context.client = origin.client;
        request.extensions_mut().insert(origin);
        let head = (request.method().clone(), request.uri().path().to_owned());
        request.extensions_mut().insert(context.trail.clone());
        let mut answer = if is_own_route(request.uri().path()) && !is_signed_read(app, &request) {
            context.plane = "admin";
            admin::handle(app, &self.admin, &mut context, request).await
        } else {
            aws(app, &mut context, request).await
        };
        if let Some(name) = context.trail.named() {
            context.operation = name;
        }
        audit::note(app, &context, &head, &answer);
        let headers = answer.headers_mut();
        if let Ok(id) = HeaderValue::from_str(&context.id) {
            headers.insert(AMZ_ID_2, id.clone());
            headers.insert(AMZ_REQUEST_ID, id);
        }
        if let Some(cors) = context.cors.take() {
            headers.extend(*cors);
        }
        headers.insert(header::SERVER, HeaderValue::from_static("Refract"));
        answer.extensions_mut().insert(Finished(context));
        answer
    }
}

/// The context of a request that was answered, as an extension of the answer, for the request log.
#[derive(Debug, Clone)]
pub struct Finished(pub RequestContext);

/// The error of an answer, as an extension of it, for the request log.
#[derive(Debug, Clone)]
pub struct Failed(pub ApiError);

fn is_own_route(path: &str) -> bool {
    path == "/_refract" || path.starts_with("/_refract/")
}

/// Whether a request uses a URL that was made for a function: its path is a key, whatever it looks like.
fn is_signed_read(app: &App, request: &Request<Body>) -> bool {
    let Some(query) = request.uri().query() else { return false };
    let point = s3::query_pairs(query).any(|(name, _)| name == POINT_PARAMETER);
    let key = || classify::claimed_key(request.headers(), request.uri());
    point && key().is_some_and(|key| signed_read(app, &key).is_some())
}

/// The read that a key was made for, where it was made for a function's URL.
fn signed_read(app: &App, access_key_id: &str) -> Option<Arc<Use>> {
    let purpose = app.lambda.platform.keys().use_of(access_key_id)?;
    matches!(*purpose, Use::Read { .. }).then_some(purpose)
}

/// A request to one of AWS's planes.
async fn aws(app: &App, context: &mut RequestContext, request: Request<Body>) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let (method, resource) = (parts.method.clone(), parts.uri.path().to_owned());
    if let Some((bucket, authority)) = website::addressed(&parts, &app.website_domains) {
        (context.plane, context.operation) = ("website", "GetObject");
        context.logged = app
            .store
            .buckets()
            .get(&bucket)
            .and_then(|bucket| Begun::of_website(&app.access_log, bucket, &mut parts, app.clock.now()));
        let visit = Visit {
            reader: s3::Reader { store: app.store.as_ref(), keyring: &app.keyring },
            accounts: &app.accounts,
            authority: &authority,
            request_id: &context.id,
        };
        let (mut answer, error) = Box::pin(visit.answer(&bucket, &parts)).await;
        if let Some(error) = error {
            answer.extensions_mut().insert(Failed(error));
        }
        return answer;
    }
    let classified = if method == Method::CONNECT {
        // Its target is a host and a port, which nothing below would understand.
        Err(not_a_proxy())
    } else {
        classify::classify(&parts, &app.domains)
    };
    let (plane, result) = match classified {
        Err(error) => (Plane::S3, Err(error)),
        Ok(found) => {
            context.plane = found.plane.name();
            (found.plane, Box::pin(dispatch(app, context, &found, parts, body)).await)
        }
    };
    result.unwrap_or_else(|error| {
        let mut answer = match plane {
            Plane::S3 | Plane::WriteGetObjectResponse => {
                s3::error::response(&error, &method, &resource, &context.id)
            }
            Plane::Control => control::error::response(&error, &method, &context.id),
            Plane::Lambda => lambda_api::error::response(&error),
            Plane::Iam | Plane::Sts => query::answer::error(&error, &context.id),
        };
        answer.extensions_mut().insert(Failed(error));
        answer
    })
}

async fn dispatch(
    app: &App,
    context: &mut RequestContext,
    found: &Classified,
    mut parts: request::Parts,
    body: Body,
) -> Result<Response<Body>, ApiError> {
    let view = app.catalog.snapshot();
    let buckets = app.store.buckets();
    let authority = found.authority.clone();
    let host = crate::access_point::host::parse(&authority, &app.domains);
    // Resolved before the signature is verified, for a point in the host name rules SigV2 out; what it says is not
    // told to a caller who is not let in.
    let signed_read = found.access_key_id().and_then(|key| signed_read(app, key));
    let addressed = match signed_read.as_deref() {
        Some(Use::Read { access_point, .. }) => target::in_point(access_point, parts.uri.path(), &view),
        Some(Use::Function { .. }) | None => {
            target::resolve(host, parts.uri.path(), found.service(), &view, &buckets)
        }
    };
    if found.plane == Plane::S3 {
        parts.extensions.insert(admin::RequestId(context.id.clone()));
        context.logged = begin_log(app, addressed.as_ref().ok(), &buckets, &mut parts);
    }
    if found.plane == Plane::S3
        && (parts.headers.contains_key(header::ORIGIN) || parts.method == Method::OPTIONS)
    {
        let bucket = addressed.as_ref().ok().and_then(|found| buckets.get(found.target.bucket()?));
        if parts.method == Method::OPTIONS {
            return s3::cors::preflight(bucket.map(Arc::as_ref), &parts.headers);
        }
        let cors = bucket.map(|bucket| s3::cors::headers_for(bucket, &parts.method, &parts.headers));
        context.cors = cors.filter(|headers| !headers.is_empty()).map(Box::new);
    }
    let sigv2 = sigv2_at(&app.auth.sigv2, found.plane, &addressed);
    let options = auth::AuthOptions { sigv2, ..app.auth.clone() };
    let (body, trailers) = verify::verify(app, context, found.plane, &mut parts, body, &options).await?;
    if signed_read.is_some() {
        let key = context.principal.as_deref().map(|caller| caller.access_key_id.as_str());
        context.traffic = key.and_then(|key| app.lambda.platform.keys().traffic_of(key));
        drop_point(&mut parts)?;
    }
    if context.principal.is_none() {
        // In proxy mode the wrong client would otherwise read of a policy of ours about a host that is not.
        if is_absolute(&parts) && !classify::is_ours(host, &addressed) {
            return Err(not_a_proxy());
        }
        // Buckets may be shared with everybody; nothing else is.
        let bucket =
            addressed.as_ref().is_ok_and(|found| matches!(found.target, Target::Bucket(_) | Target::Service));
        // The bearer of a token of an identity provider has no key yet.
        if found.plane != Plane::Sts && (found.plane != Plane::S3 || !bucket) {
            return Err(ApiError::access_denied("an anonymous caller"));
        }
    }
    match found.plane {
        Plane::S3 => Box::pin(s3(app, context, addressed?, parts, body, &trailers)).await,
        Plane::Control => {
            context.operation = "S3Control";
            let whose = Whose::of(context.principal.as_deref());
            let bytes = app.bodies.collect(body, control::MAX_BODY, whose).await?;
            let host_account = match host {
                crate::access_point::host::Host::Account(account) => Some(account),
                _ => None,
            };
            let call = ControlCall { principal: context.principal.as_deref(), host_account };
            app.control.call(call, &parts, &bytes).await
        }
        Plane::WriteGetObjectResponse => {
            // Whatever the token is, who may answer for no lens learns nothing of it.
            let lens = app.object_lambda.answered(&parts);
            crate::policy::authorize(
                context.principal.as_deref(),
                &Asked::of(&parts.headers, &parts.uri, &parts.extensions),
                "s3-object-lambda:WriteGetObjectResponse",
                &lens.unwrap_or_else(|| app.registrar.object_lambda_arn("*")),
                &app.registrar.account_id,
            )?;
            context.operation = "WriteGetObjectResponse";
            app.object_lambda.answer(context.principal.as_deref(), &parts, body).await
        }
        Plane::Lambda => {
            context.operation = "Lambda";
            let call = LambdaCall { principal: context.principal.as_deref(), request_id: &context.id };
            Box::pin(app.lambda.call(call, &parts, body)).await
        }
        Plane::Iam | Plane::Sts => Box::pin(query(app, context, found.plane, parts, body)).await,
    }
}

/// IAM and STS.
async fn query(
    app: &App,
    context: &mut RequestContext,
    plane: Plane,
    parts: request::Parts,
    body: Body,
) -> Result<Response<Body>, ApiError> {
    context.operation = if plane == Plane::Iam { "IAM" } else { "STS" };
    let whose = Whose::of(context.principal.as_deref());
    let bytes = app.bodies.collect(body, query::MAX_BODY, whose).await?;
    let form = Form::parse(parts.uri.query().unwrap_or_default(), &bytes)?;
    let action = form.get("Action").unwrap_or_default();
    if crate::policy::is_action(if plane == Plane::Iam { "iam" } else { "sts" }, action) {
        context.trail.action(action);
    }
    let asked = Asked::of(&parts.headers, &parts.uri, &parts.extensions);
    let keys = query::base_context(&asked, app.clock.now());
    match (plane, &context.principal) {
        (Plane::Iam, Some(principal)) => app.iam.call(principal, &form, keys, &context.id).await,
        (Plane::Iam, None) => Err(ApiError::access_denied("IAM without a signature")),
        (_, principal) => app.sts.call(principal.as_deref(), &form, keys, &context.id).await,
    }
}

/// Where SigV2 is taken: for plain buckets, and in URLs for an alias in the path, which is signed there.
fn sigv2_at(configured: &SigV2, plane: Plane, addressed: &Result<Addressed, ApiError>) -> SigV2 {
    if let SigV2::Refused(_) = configured {
        return configured.clone();
    }
    match addressed {
        _ if plane != Plane::S3 => SigV2::OTHER_PLANE,
        Ok(Addressed { target: Target::Bucket(name), in_host, .. }) => {
            SigV2::Taken { bucket_in_host: in_host.then(|| name.clone()) }
        }
        Ok(Addressed { target: Target::Service, .. }) => SigV2::Taken { bucket_in_host: None },
        Ok(Addressed { in_host: false, .. }) => SigV2::Urls,
        Ok(_) | Err(_) => SigV2::POINTS,
    }
}

/// What the access log will say of a request, where something may be logged.
fn begin_log(
    app: &App,
    addressed: Option<&Addressed>,
    buckets: &Buckets,
    parts: &mut request::Parts,
) -> Option<Arc<Begun>> {
    let Addressed { target, key, .. } = addressed?;
    let bucket = buckets.get(target.bucket()?)?;
    let point = match target {
        Target::AccessPoint(point) | Target::ObjectLambda(_, point) => {
            Some(app.registrar.of(&point.account_id).access_point_arn(&point.name))
        }
        Target::Bucket(_) | Target::Service => None,
    };
    Begun::of(&app.access_log, bucket, key.as_deref(), point, parts, app.clock.now())
}

/// The plain S3 plane, by way of the function when the target is an OLAP and the action one that it transforms.
async fn s3(
    app: &App,
    context: &mut RequestContext,
    addressed: Addressed,
    mut parts: request::Parts,
    body: Body,
    trailers: &Trailers,
) -> Result<Response<Body>, ApiError> {
    let Addressed { target, key, .. } = addressed;
    let mut via = Via::of(&target, &app.registrar.region);
    if let Target::ObjectLambda(lens, supporting) = &target
        && let Some(action) = Action::of(&parts, key.as_deref())
    {
        (context.plane, context.operation) = ("object-lambda", action.name());
        let bucket = app.store.buckets().get(&supporting.bucket).cloned().ok_or(StoreError::NoSuchBucket)?;
        let access = Access {
            principal: context.principal.as_deref(),
            via: via.as_ref(),
            bucket: &bucket,
            key: key.as_deref(),
            asked: Asked::of(&parts.headers, &parts.uri, &parts.extensions),
            accounts: &app.accounts,
        };
        let key = key.as_deref().unwrap_or_default();
        let call = LensCall { access, lens: Some(lens), key, request_id: &context.id };
        match Box::pin(app.object_lambda.call(&call, action, &parts)).await? {
            Turn::Answered(answer) => return Ok(answer),
            Turn::Pass => {}
            Turn::List(listed) => {
                via = via.as_ref().map(Via::of_transform);
                parts.extensions.insert(ShownBy(Arc::new(listed)));
            }
        }
    }
    let call = S3Call {
        principal: context.principal.as_deref(),
        bucket: target.bucket(),
        key: key.as_deref(),
        via,
        trailers,
        signers: s3::Signers { keys: app.keys.as_ref(), options: &app.auth },
    };
    app.s3.call(call, parts, body).await
}

/// Takes the access point out of the query of a URL that was made for a function, once its signature was verified.
fn drop_point(parts: &mut request::Parts) -> Result<(), ApiError> {
    let query = parts.uri.query().unwrap_or_default();
    let is_point = |pair: &&str| pair.split('=').next().is_some_and(|name| name == POINT_PARAMETER);
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_point(pair)).collect();
    let target = format!("{}?{}", parts.uri.path(), kept.join("&"));
    let mut uri = parts.uri.clone().into_parts();
    let bad = |error: http::Error| ApiError::internal(format!("the URL of an input: {error}"));
    uri.path_and_query =
        Some(target.trim_end_matches('?').parse().map_err(|error| bad(http::Error::from(error)))?);
    parts.uri = http::Uri::from_parts(uri).map_err(|error| bad(http::Error::from(error)))?;
    Ok(())
}

/// Whether the request line had an absolute target, as a client sends it to a proxy. In HTTP/2 every one has.
fn is_absolute(parts: &request::Parts) -> bool {
    parts.version <= Version::HTTP_11 && parts.uri.authority().is_some()
}

fn not_a_proxy() -> ApiError {
    ApiError::new(
        StatusCode::FORBIDDEN,
        "AccessDenied",
        "Refract answers for its own buckets and access points and never forwards a request to another host. If it \
         is set as http_proxy for the sake of access point names, set no_proxy for the hosts that it does not serve.",
    )
}
