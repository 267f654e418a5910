//! The Lambda plane: AWS Lambda's API (REST-JSON), over the function platform.
//!
//! - [`route`]: method and path → operation; [`name`]: how a request names a function.
//! - `authorize`: who may, by policies of callers and of functions, and who may pass which role.
//! - `wire`: the documents; `checks`: their rules; [`error`]: errors as Lambda words them.
//! - One file a family of operations: `functions`, `versions`, `aliases`, `permissions`, `concurrency`,
//!   `provisioned`, `events`, `event_sources`, `tags`, and `invoke`.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header, request};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::auth::Principal;
use crate::bodies::{Bodies, Whose};
use crate::catalog::{Accounts, Catalog, Change, Function, FunctionKind, LambdaFunction, View};
use crate::clock::Clock;
use crate::encryption::Keyring;
use crate::error::ApiError;
use crate::function::Platform;
use crate::function::invocation::uuid;
use crate::function::polling::Polling;
use crate::function::registry::{self, ResolveError};
use crate::policy::{self, Trail};
use crate::priority::on_bytes;
use crate::s3;
use crate::store::Store;

mod aliases;
mod authorize;
mod checks;
mod concurrency;
pub mod error;
mod event_sources;
mod events;
mod functions;
mod invoke;
pub mod name;
mod permissions;
mod provisioned;
pub mod route;
mod tags;
mod versions;
mod wire;

use error::{invalid, not_found};
use name::FunctionName;
use route::Route;

/// Bytes of a request that carries a package: 50 MiB in base64, and the rest of the document.
pub const MAX_PACKAGE_BODY: usize = 70 << 20;
/// Bytes of an event.
const MAX_EVENT: usize = 6 << 20;
/// Bytes of any other request.
const MAX_BODY: usize = 1 << 20;

/// The plane.
#[derive(Debug, Clone)]
pub struct LambdaPlane {
    /// What functions run on.
    pub platform: Platform,
    /// Functions.
    pub catalog: Arc<dyn Catalog>,
    /// Objects that packages may be taken from.
    pub store: Arc<dyn Store>,
    /// All accounts.
    pub accounts: Accounts,
    /// Keys of encrypted objects.
    pub keyring: Arc<Keyring>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The account of all functions.
    pub account_id: String,
    /// Delivers events.
    pub events: crate::function::events::Events,
    /// What is held of request bodies.
    pub bodies: Bodies,
    /// Serves event source mappings.
    pub polling: Polling,
}

/// A verified request.
#[derive(Debug)]
pub struct LambdaCall<'a> {
    /// Who asks.
    pub principal: Option<&'a Principal>,
    /// The request's id.
    pub request_id: &'a str,
}

/// A request on its way to its operation.
struct Call<'a> {
    route: Route,
    parts: &'a request::Parts,
    principal: Option<&'a Principal>,
    body: Bytes,
}

impl Call<'_> {
    /// The document of the request; one that is absent is empty.
    fn document<D: DeserializeOwned + Default>(&self) -> Result<D, ApiError> {
        document(&self.body)
    }

    /// As [`document`](Self::document), for one that may hold a package.
    async fn large_document<D: DeserializeOwned + Default + Send + 'static>(&self) -> Result<D, ApiError> {
        let body = self.body.clone();
        on_bytes(body.len(), move || document(&body)).await?
    }

    /// The value of a query parameter.
    fn query(&self, wanted: &str) -> Option<String> {
        s3::query_pairs(self.parts.uri.query().unwrap_or_default())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    }

    fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The largest page that is asked for, and where it begins.
    fn page(&self, most: usize) -> (usize, Option<String>) {
        let size = self.query("MaxItems").and_then(|text| text.parse().ok()).filter(|n| *n > 0);
        (size.unwrap_or(most).min(most), self.query("Marker").filter(|marker| !marker.is_empty()))
    }
}

type Answer = Result<Response<Body>, ApiError>;

impl LambdaPlane {
    /// Answers a request.
    ///
    /// # Errors
    /// The operation's; [`error::response`] renders them.
    pub async fn call(&self, call: LambdaCall<'_>, parts: &request::Parts, body: Body) -> Answer {
        let route = route::route(&parts.method, &parts.uri);
        let operation = route.as_ref().map_or("UnknownOperation", |route| route.operation);
        let (Some(route), Some(action)) = (route, policy::planes::lambda(operation)) else {
            return Err(ApiError::access_denied("an operation of Lambda that is not known"));
        };
        if let Some(trail) = parts.extensions.get::<Trail>() {
            trail.operation(operation);
        }
        let limit = match operation {
            "CreateFunction" | "UpdateFunctionCode" => MAX_PACKAGE_BODY,
            "Invoke" | "InvokeWithResponseStream" | "InvokeAsync" => MAX_EVENT,
            _ => MAX_BODY,
        };
        let whose = Whose::of(call.principal);
        let collect = async |body| {
            self.bodies.collect(body, limit, whose).await.map_err(|error| too_large(error, limit))
        };
        // What CreateFunction is about stands in its body; only who has a key comes this far.
        let (named, body) = if operation == "CreateFunction" {
            let body = collect(body).await?;
            let read = body.clone();
            (on_bytes(body.len(), move || authorize::new_function(&read)).await?, Err(body))
        } else {
            (route.function.clone(), Ok(body))
        };
        self.authorize(&call, parts, (&route, action), &named)?;
        let body = match body {
            Ok(body) => collect(body).await?,
            Err(collected) => collected,
        };
        let call = Call { route, parts, principal: call.principal, body };
        match operation {
            "CreateFunction" => Box::pin(functions::create(self, &call)).await,
            "ListFunctions" => functions::list(self, &call),
            "GetFunction" => functions::get(self, &call),
            "GetFunctionConfiguration" => functions::get_configuration(self, &call),
            "UpdateFunctionConfiguration" => functions::update_configuration(self, &call).await,
            "UpdateFunctionCode" => Box::pin(functions::update_code(self, &call)).await,
            "DeleteFunction" => functions::delete(self, &call).await,
            "PublishVersion" => versions::publish(self, &call).await,
            "ListVersionsByFunction" => versions::list(self, &call),
            "CreateAlias" => aliases::create(self, &call).await,
            "UpdateAlias" => aliases::update(self, &call).await,
            "GetAlias" => aliases::get(self, &call),
            "ListAliases" => aliases::list(self, &call),
            "DeleteAlias" => aliases::delete(self, &call).await,
            "AddPermission" => permissions::add(self, &call).await,
            "RemovePermission" => permissions::remove(self, &call).await,
            "GetPolicy" => permissions::get(self, &call),
            "PutFunctionConcurrency" => concurrency::put(self, &call).await,
            "GetFunctionConcurrency" => concurrency::get(self, &call),
            "DeleteFunctionConcurrency" => concurrency::delete(self, &call).await,
            "PutProvisionedConcurrencyConfig" => provisioned::put(self, &call).await,
            "GetProvisionedConcurrencyConfig" => provisioned::get(self, &call),
            "ListProvisionedConcurrencyConfigs" => provisioned::list(self, &call),
            "DeleteProvisionedConcurrencyConfig" => provisioned::delete(self, &call).await,
            "GetAccountSettings" => concurrency::account(self),
            "PutFunctionEventInvokeConfig" => events::put(self, &call, false).await,
            "UpdateFunctionEventInvokeConfig" => events::put(self, &call, true).await,
            "GetFunctionEventInvokeConfig" => events::get(self, &call),
            "DeleteFunctionEventInvokeConfig" => events::delete(self, &call).await,
            "ListFunctionEventInvokeConfigs" => events::list(self, &call),
            "CreateEventSourceMapping" => event_sources::create(self, &call).await,
            "GetEventSourceMapping" => event_sources::get(self, &call),
            "ListEventSourceMappings" => event_sources::list(self, &call),
            "UpdateEventSourceMapping" => event_sources::update(self, &call).await,
            "DeleteEventSourceMapping" => event_sources::delete(self, &call).await,
            "ListTags" => tags::list(self, &call),
            "TagResource" => tags::add(self, &call).await,
            "UntagResource" => tags::remove(self, &call).await,
            "Invoke" => invoke::invoke(self, &call).await,
            "InvokeAsync" => invoke::invoke_async(self, &call).await,
            "InvokeWithResponseStream" => invoke::stream(self, &call).await,
            other => Err(ApiError::not_implemented(format!("{other} is not implemented"))),
        }
    }

    /// The function that the path names.
    fn named(&self, call: &Call<'_>) -> Result<FunctionName, ApiError> {
        FunctionName::parse(&call.route.function, call.query("Qualifier").as_deref(), &self.account_id)
    }

    fn arn(&self, name: &str, qualifier: Option<&str>) -> String {
        self.platform.arn(name, qualifier)
    }

    fn find<'v>(&self, view: &'v View, name: &str) -> Result<&'v LambdaFunction, ApiError> {
        registry::lambda(view, name).map_err(|why| self.unresolved(name, None, why))
    }

    /// What a caller reads who names what is not there.
    fn unresolved(&self, name: &str, qualifier: Option<&str>, why: ResolveError) -> ApiError {
        match why {
            ResolveError::NoFunction | ResolveError::NoQualifier => {
                not_found(format!("Function not found: {}", self.arn(name, qualifier)))
            }
            ResolveError::Builtin => invalid(format!("{name}: {why}")),
        }
    }

    /// Changes a function, all or nothing, and answers what `change` does.
    async fn edit<T: Send + 'static>(
        &self,
        name: &str,
        change: impl FnOnce(&View, &mut LambdaFunction) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (sender, mut receiver) = oneshot::channel();
        let (name, plane, now) = (name.to_owned(), self.clone(), self.clock.now());
        let decide = move |view: &View| {
            let mut lambda = plane.find(view, &name)?.clone();
            let record = view.functions.get(&name).ok_or_else(|| not_found("Function not found"))?;
            let answer = change(view, &mut lambda)?;
            let function = Function {
                kind: FunctionKind::Lambda(Box::new(lambda)),
                updated: now,
                revision: record.revision + 1,
                ..Function::clone(record)
            };
            drop(sender.send(answer));
            Ok(vec![Change::PutFunction(function)])
        };
        self.catalog.update(Box::new(decide)).await?;
        receiver.try_recv().map_err(|_| ApiError::internal("the catalog did not ask for the change"))
    }
}

fn document<D: DeserializeOwned + Default>(body: &[u8]) -> Result<D, ApiError> {
    if body.is_empty() {
        return Ok(D::default());
    }
    serde_json::from_slice(body).map_err(|error| {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {error}"),
        )
    })
}

fn too_large(error: ApiError, limit: usize) -> ApiError {
    if error.code != "MaxMessageLengthExceeded" {
        return error;
    }
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "RequestTooLargeException",
        format!("Request must be smaller than {limit} bytes"),
    )
}

/// A new revision id.
fn revision() -> Result<String, ApiError> {
    uuid().map_err(|error| ApiError::internal(format!("no random bytes: {error}")))
}

/// Whether what is there is what the caller has seen.
fn check_revision(expected: Option<&str>, present: &str) -> Result<(), ApiError> {
    match expected {
        Some(expected) if expected != present => Err(ApiError::new(
            StatusCode::PRECONDITION_FAILED,
            "PreconditionFailedException",
            "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to \
             retrieve the latest RevisionId",
        )),
        _ => Ok(()),
    }
}

fn json(status: StatusCode, document: &Value) -> Response<Body> {
    let mut answer = Response::new(Body::from(document.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn no_content() -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

/// A page of what has names in order, and the name at which the next one begins.
fn page<T>(
    items: impl Iterator<Item = (String, T)>,
    size: usize,
    marker: Option<&str>,
) -> (Vec<T>, Option<String>) {
    let mut items = items.skip_while(|(name, _)| marker.is_some_and(|marker| name.as_str() < marker));
    let page = items.by_ref().take(size).map(|(_, item)| item).collect();
    (page, items.next().map(|(name, _)| name))
}
