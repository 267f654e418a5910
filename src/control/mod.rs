//! The S3 Control plane: access points and Object Lambda access points in REST-XML, as aws-cli and SDKs speak it.
//!
//! - [`route`]: method and path → operation.
//! - [`access_points`], [`object_lambdas`], [`settings`]: one file an operation family.
//! - [`wire`]: the XML that comes in and goes out.
//! - [`error`]: errors in this plane's wire form.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header, request};

use crate::access_point::Registrar;
use crate::access_point::arn::is_account;
use crate::auth::Principal;
use crate::catalog::{PublicAccessBlock, View};
use crate::error::ApiError;
use crate::policy::{self, Asked, Said, Trail};
use crate::xml::Xml;

mod access_points;
pub mod error;
mod object_lambdas;
pub mod route;
mod settings;
mod wire;

pub use route::{Operation, PREFIX, is_control_path};

/// Namespace of all documents of the plane.
const NAMESPACE: &str = "http://awss3control.amazonaws.com/doc/2018-08-20/";
/// Bytes of a request body: a configuration with its policies fits many times.
pub const MAX_BODY: usize = 256 << 10;

/// The plane.
#[derive(Debug, Clone)]
pub struct ControlPlane {
    registrar: Registrar,
}

/// A verified request of the plane.
#[derive(Debug)]
pub struct ControlCall<'a> {
    /// Who asks.
    pub principal: Option<&'a Principal>,
    /// The account in the host name, where there is one.
    pub host_account: Option<&'a str>,
}

impl ControlPlane {
    /// Builds the plane.
    #[must_use]
    pub fn new(registrar: Registrar) -> Self {
        Self { registrar }
    }

    /// Answers a request whose body was collected.
    ///
    /// # Errors
    /// What the operation says; the caller renders it by [`error::response`].
    pub async fn call(
        &self,
        call: ControlCall<'_>,
        parts: &request::Parts,
        body: &Bytes,
    ) -> Result<Response<Body>, ApiError> {
        let operation = route::route(&parts.method, parts.uri.path())?;
        let named = account(call.host_account, parts);
        // Who names none, or none that is one, is told so once it is known that it may do that in its own.
        let own = call.principal.map_or(&*self.registrar.account_id, |caller| &caller.account_id);
        let registrar = self.registrar.of(named.as_deref().unwrap_or(own));
        authorize(&registrar, &call, &operation, parts, body)?;
        named?;
        let query = route::Query::of(parts.uri.query().unwrap_or_default());
        run(&registrar, operation, &query, body).await
    }
}

/// Whether the caller may do it, to the point or the account that it is about.
fn authorize(
    registrar: &Registrar,
    call: &ControlCall<'_>,
    operation: &Operation,
    parts: &request::Parts,
    body: &[u8],
) -> Result<(), ApiError> {
    use Operation as Op;
    let name = operation.name();
    let Some(action) = policy::planes::control(name) else {
        return Err(ApiError::access_denied(format!("{name} is not a known operation")));
    };
    let mut said = Said::default();
    let tags = |tags: wire::TagSet| tags.into_tags().unwrap_or_default().into_iter().collect();
    // A body that cannot be read fails the operation, by the same parser, once it is allowed.
    let resource = match operation {
        Op::CreateAccessPoint(name) => {
            let request = wire::parse::<wire::CreateAccessPoint>(body).ok();
            said.tags = request.and_then(|request| request.tags).map(tags).unwrap_or_default();
            registrar.access_point_arn(name)
        }
        Op::GetAccessPoint(name)
        | Op::DeleteAccessPoint(name)
        | Op::PutAccessPointPolicy(name)
        | Op::GetAccessPointPolicy(name)
        | Op::DeleteAccessPointPolicy(name)
        | Op::GetAccessPointPolicyStatus(name) => registrar.access_point_arn(name),
        Op::CreateAccessPointForObjectLambda(name)
        | Op::GetAccessPointForObjectLambda(name)
        | Op::DeleteAccessPointForObjectLambda(name)
        | Op::PutAccessPointConfigurationForObjectLambda(name)
        | Op::GetAccessPointConfigurationForObjectLambda(name)
        | Op::PutAccessPointPolicyForObjectLambda(name)
        | Op::GetAccessPointPolicyForObjectLambda(name)
        | Op::DeleteAccessPointPolicyForObjectLambda(name)
        | Op::GetAccessPointPolicyStatusForObjectLambda(name) => registrar.object_lambda_arn(name),
        Op::TagResource(arn) => {
            let request = wire::parse::<wire::TagResource>(body).ok();
            said.tags = request.map(|request| tags(request.tags)).unwrap_or_default();
            settings::canonical(registrar, arn)
        }
        Op::UntagResource(arn) => {
            let query = route::Query::of(parts.uri.query().unwrap_or_default());
            said.tag_keys = query.all("tagKeys").map(str::to_owned).collect();
            settings::canonical(registrar, arn)
        }
        Op::ListTagsForResource(arn) => settings::canonical(registrar, arn),
        Op::ListAccessPoints
        | Op::ListAccessPointsForObjectLambda
        | Op::ListAccessPointsForDirectoryBuckets
        | Op::PutAccessPointScope
        | Op::GetAccessPointScope
        | Op::DeleteAccessPointScope
        | Op::PutPublicAccessBlock
        | Op::GetPublicAccessBlock
        | Op::DeletePublicAccessBlock => "*".to_owned(),
    };
    if let Some(trail) = parts.extensions.get::<Trail>() {
        trail.operation(name);
    }
    said.point_arn = resource.starts_with("arn:aws:s3:").then(|| resource.clone());
    let asked = Asked { said: Some(&said), ..Asked::of(&parts.headers, &parts.uri, &parts.extensions) };
    policy::authorize(call.principal, &asked, action, &resource, &registrar.account_id)
}

/// The account that a request is about: its header names it, or its host.
fn account(in_host: Option<&str>, parts: &request::Parts) -> Result<String, ApiError> {
    let in_header = parts.headers.get("x-amz-account-id").map(HeaderValue::to_str);
    let in_header = in_header
        .transpose()
        .map_err(|_| ApiError::invalid_request("x-amz-account-id must be an account id of 12 digits"))?;
    let Some(account) = in_header.or(in_host) else {
        return Err(ApiError::invalid_request("Missing required header for this request: x-amz-account-id"));
    };
    if !is_account(account) {
        return Err(ApiError::invalid_request("x-amz-account-id must be an account id of 12 digits"));
    }
    if in_host.is_some_and(|host| host != account) {
        return Err(ApiError::invalid_request(
            "The account in x-amz-account-id is another than that in the host name",
        ));
    }
    Ok(account.to_owned())
}

async fn run(
    registrar: &Registrar,
    operation: Operation,
    query: &route::Query,
    body: &Bytes,
) -> Result<Response<Body>, ApiError> {
    use Operation as Op;
    match &operation {
        Op::CreateAccessPoint(name) => access_points::create(registrar, name, body).await,
        Op::GetAccessPoint(name) => access_points::get(registrar, name),
        Op::DeleteAccessPoint(name) => access_points::delete(registrar, name).await,
        Op::ListAccessPoints => access_points::list(registrar, query),
        Op::PutAccessPointPolicy(name) => access_points::put_policy(registrar, name, body).await,
        Op::GetAccessPointPolicy(name) => access_points::get_policy(registrar, name),
        Op::DeleteAccessPointPolicy(name) => access_points::delete_policy(registrar, name).await,
        Op::GetAccessPointPolicyStatus(name) => access_points::policy_status(registrar, name),
        Op::CreateAccessPointForObjectLambda(name) => object_lambdas::create(registrar, name, body).await,
        Op::GetAccessPointForObjectLambda(name) => object_lambdas::get(registrar, name),
        Op::DeleteAccessPointForObjectLambda(name) => object_lambdas::delete(registrar, name).await,
        Op::ListAccessPointsForObjectLambda => object_lambdas::list(registrar, query),
        Op::PutAccessPointConfigurationForObjectLambda(name) => {
            object_lambdas::put_configuration(registrar, name, body).await
        }
        Op::GetAccessPointConfigurationForObjectLambda(name) => {
            object_lambdas::get_configuration(registrar, name)
        }
        Op::PutAccessPointPolicyForObjectLambda(name) => {
            object_lambdas::put_policy(registrar, name, body).await
        }
        Op::GetAccessPointPolicyForObjectLambda(name) => object_lambdas::get_policy(registrar, name),
        Op::DeleteAccessPointPolicyForObjectLambda(name) => {
            object_lambdas::delete_policy(registrar, name).await
        }
        Op::GetAccessPointPolicyStatusForObjectLambda(name) => object_lambdas::policy_status(registrar, name),
        Op::PutPublicAccessBlock => settings::put_public_access_block(registrar, body).await,
        Op::GetPublicAccessBlock => settings::get_public_access_block(registrar),
        Op::DeletePublicAccessBlock => settings::delete_public_access_block(registrar).await,
        Op::TagResource(arn) => settings::tag(registrar, arn, body).await,
        Op::UntagResource(arn) => settings::untag(registrar, arn, query).await,
        Op::ListTagsForResource(arn) => settings::list_tags(registrar, arn),
        Op::PutAccessPointScope
        | Op::GetAccessPointScope
        | Op::DeleteAccessPointScope
        | Op::ListAccessPointsForDirectoryBuckets => Err(ApiError::not_implemented(format!(
            "{} belongs to directory buckets, which Refract does not have",
            operation.name()
        ))),
    }
}

/// All points as of now.
fn view(registrar: &Registrar) -> Arc<View> {
    registrar.catalog.snapshot()
}

/// 200 with a document.
fn document(root: &str, inside: impl FnOnce(&mut Xml)) -> Response<Body> {
    let mut xml = Xml::default();
    xml.root(root, NAMESPACE, inside);
    let mut answer = Response::new(Body::from(xml.into_string()));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    answer
}

/// 200 without a body.
fn done() -> Response<Body> {
    Response::new(Body::empty())
}

/// 204.
fn no_content() -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

fn write_block(xml: &mut Xml, block: PublicAccessBlock) {
    xml.element("PublicAccessBlockConfiguration", |xml| write_switches(xml, block));
}

fn write_switches(xml: &mut Xml, block: PublicAccessBlock) {
    let switch = |on: bool| if on { "true" } else { "false" };
    xml.text("BlockPublicAcls", switch(block.block_public_acls))
        .text("IgnorePublicAcls", switch(block.ignore_public_acls))
        .text("BlockPublicPolicy", switch(block.block_public_policy))
        .text("RestrictPublicBuckets", switch(block.restrict_public_buckets));
}

/// 404 for a policy that was not set.
fn no_policy(name: &str) -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "NoSuchAccessPointPolicy",
        "The specified accesspoint policy does not exist",
    )
    .with_detail("AccessPointName", name)
}

/// What the public is kept from at a point: by its own block or by the account's.
fn block_of(registrar: &Registrar, own: PublicAccessBlock) -> PublicAccessBlock {
    let account = view(registrar).account_blocks.get(&registrar.account_id).copied();
    account.map_or(own, |account| own.and(account))
}

/// Whether a policy makes a point public.
fn write_policy_status(xml: &mut Xml, public: bool) {
    xml.element("PolicyStatus", |xml| {
        xml.text("IsPublic", if public { "true" } else { "false" });
    });
}
