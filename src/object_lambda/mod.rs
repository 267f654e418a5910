//! Object Lambda: GET, HEAD and LIST through a function.
//!
//! One request runs through the files in this order:
//! - [`action`]: which action of the OLAP a request is, and whether it may ask for a part.
//! - [`code`]: for a function that runs code: its [`ticket`] and [`event`], and what it answers, by [`mod@write`] or by
//!   what it [`returned`].
//! - [`source`]: the stored object and the resources, opened with the caller's permission.
//! - [`result`]: what the function makes of it, streamed, or kept so that lengths and ranges can be answered.
//! - [`listed`]: a listing of what a built-in makes of the objects.
//! - [`error`]: what AWS answers when a function fails.
//!
//! [`preview`] runs a function over one object for the admin API.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Response, request};

use crate::access_point::FunctionArn;
use crate::catalog::lambda::LATEST;
use crate::catalog::{Accounts, Catalog, FunctionKind, ObjectLambda, Transformation, View};
use crate::clock::Clock;
use crate::encryption::Keyring;
use crate::error::ApiError;
use crate::function::aws::Remote;
use crate::function::builtin::PREFIX;
use crate::function::metering::Measure;
use crate::function::registry;
use crate::function::wasm::Components;
use crate::function::webhook::Webhooks;
use crate::function::{Functions, Platform, Prepared, Runner};
use crate::policy::{Access, FunctionForm, Via};
use crate::s3::{self, Read, query_pairs};
use crate::store::Store;
use crate::telemetry::invocations::Outcome;

pub mod action;
pub mod code;
pub mod error;
pub mod event;
pub mod listed;
pub mod preview;
mod remote;
pub mod result;
pub mod returned;
pub mod source;
pub mod ticket;
mod webhook;
pub mod write;

pub use action::Action;
use result::Results;
use source::Source;
pub(crate) use source::collect;

/// The plane.
#[derive(Debug, Clone)]
pub struct ObjectLambdaPlane {
    store: Arc<dyn Store>,
    catalog: Arc<dyn Catalog>,
    functions: Arc<Functions>,
    runner: Runner,
    results: Results,
    limits: refract_transforms::Limits,
    accounts: Accounts,
    keyring: Arc<Keyring>,
    platform: Platform,
    webhooks: Webhooks,
    remote: Remote,
    tickets: ticket::Tickets,
    clock: Arc<dyn Clock>,
    region: String,
    limit: Duration,
}

/// A verified request for an object through an OLAP.
#[derive(Debug)]
pub struct LensCall<'a> {
    /// Who asks, and for the bucket behind the access point that supports it.
    pub access: Access<'a>,
    /// The OLAP; `None` for a preview.
    pub lens: Option<&'a ObjectLambda>,
    /// Decoded key; empty for a listing.
    pub key: &'a str,
    /// The request's id.
    pub request_id: &'a str,
}

/// What becomes of a request for an OLAP.
#[derive(Debug)]
pub enum Turn {
    /// It is answered.
    Answered(Response<Body>),
    /// It passes to the supporting access point as it came.
    Pass,
    /// It is a listing of the supporting access point that a transform asks for, and shows what the transform makes of
    /// the objects.
    List(listed::Listed),
}

/// How a policy may name a function: as the OLAP names it, and with the version that runs.
pub(crate) fn function_forms<'a>(view: &'a View, arn: &str) -> Vec<FunctionForm<'a>> {
    let Some(found) = FunctionArn::parse(arn) else {
        return vec![FunctionForm { arn: arn.to_owned(), policy: None }];
    };
    let lambda = registry::lambda(view, &found.name).ok();
    let form = |arn: String, qualifier: Option<&str>| FunctionForm {
        arn,
        policy: lambda.and_then(|lambda| lambda.policy_of(qualifier)),
    };
    match found.qualifier.as_deref() {
        None => vec![form(format!("{arn}:{LATEST}"), Some(LATEST)), form(arn.to_owned(), None)],
        qualifier => vec![form(arn.to_owned(), qualifier)],
    }
}

/// What the plane is made of.
#[derive(Debug)]
pub struct Options {
    /// Bytes on disk for results that were kept.
    pub result_cache: u64,
    /// Transform steps at once.
    pub parallel: usize,
    /// Caps of each run.
    pub limits: refract_transforms::Limits,
    /// Time in which a function that runs code must have answered.
    pub limit: Duration,
    /// What runs Wasm components.
    pub components: Components,
    /// What asks webhooks.
    pub webhooks: Webhooks,
    /// What invokes functions that run elsewhere.
    pub remote: Remote,
}

impl ObjectLambdaPlane {
    /// Builds the plane.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        catalog: Arc<dyn Catalog>,
        accounts: Accounts,
        keyring: Arc<Keyring>,
        platform: Platform,
        clock: Arc<dyn Clock>,
        options: &Options,
    ) -> Self {
        Self {
            results: Results::new(Arc::clone(&store), options.result_cache),
            runner: Runner::new(options.parallel).with_components(options.components.clone()),
            limits: options.limits,
            functions: Arc::default(),
            tickets: ticket::Tickets::default(),
            region: platform.region().to_owned(),
            limit: options.limit,
            webhooks: options.webhooks.clone(),
            remote: options.remote.clone(),
            platform,
            clock,
            accounts,
            keyring,
            store,
            catalog,
        }
    }

    /// Begins to count a run of a function.
    fn measure(&self, prepared: &Prepared, lens: Option<&ObjectLambda>) -> Measure {
        let (executor, memory_mb) = prepared.executor();
        let lens = lens.map(|lens| lens.name.as_str());
        Measure::begin(self.platform.meter(), prepared.function(), executor, lens, memory_mb)
    }

    /// What opens objects.
    fn reader(&self) -> s3::Reader<'_> {
        s3::Reader { store: self.store.as_ref(), keyring: &self.keyring }
    }

    /// Answers a request if the OLAP transforms its action, or says how it goes on to the supporting access point.
    ///
    /// # Errors
    /// What the object, the function or the configuration says.
    pub async fn call(
        &self,
        call: &LensCall<'_>,
        action: Action,
        parts: &request::Parts,
    ) -> Result<Turn, ApiError> {
        let Some(lens) = call.lens else { return Ok(Turn::Pass) };
        let Some(transformation) = action.transformation(lens) else {
            // Passed on as it came: the supporting access point and the bucket see no `aws:CalledVia`.
            call.access.allow_lens(action.permission(parts))?;
            action::check_partial(lens, action, parts)?;
            action::refuse_customer_keys(&parts.headers)?;
            return Ok(Turn::Pass);
        };
        {
            let view = self.catalog.snapshot();
            let functions = function_forms(&view, &transformation.function_arn);
            call.access.allow_transform(action.permission(parts), &functions)?;
        }
        if let Some(arn) = FunctionArn::parse(&transformation.function_arn)
            && arn.account_id != self.platform.account_id()
            && !arn.name.starts_with(PREFIX)
        {
            // A function of the same name is another account's.
            return Err(error::not_found(&transformation.function_arn));
        }
        action::check_partial(lens, action, parts)?;
        action::refuse_customer_keys(&parts.headers)?;
        let is_list = matches!(action, Action::ListObjects | Action::ListObjectsV2);
        if !is_list {
            s3::keys::check(call.key)?;
        }
        let via = call.access.via.map(Via::of_transform);
        let access = Access { via: via.as_ref(), ..call.access };
        let call = &LensCall { access, ..*call };
        if let Some(function) = self.elsewhere(transformation) {
            let asked = (lens, action);
            match &function.kind {
                FunctionKind::Webhook(webhook) => {
                    let run = self.run_webhook(call, asked, transformation, (&function, webhook), parts);
                    return Box::pin(run).await.map(Turn::Answered);
                }
                FunctionKind::Aws(aws) => {
                    let run = self.run_remote(call, asked, transformation, (&function, aws), parts);
                    return Box::pin(run).await.map(Turn::Answered);
                }
                FunctionKind::Builtin { .. } | FunctionKind::Wasm(_) | FunctionKind::Lambda(_) => {}
            }
        }
        if let Some(function) = self.code(transformation)? {
            let run = self.run_code(call, (lens, action), transformation, &function, parts);
            return Box::pin(run).await.map(Turn::Answered);
        }
        if is_list {
            // A listing's parameters are its own, and override nothing.
            let payload = transformation.payload.as_deref();
            let prepared =
                self.functions.prepare(&self.catalog.snapshot(), &transformation.function_arn, payload);
            let prepared = prepared.map_err(|why| error::configuration(&why))?;
            return Ok(Turn::List(listed::Listed::new(prepared, self.results.clone())));
        }
        Box::pin(self.transform(call, transformation, parts)).await.map(Turn::Answered)
    }

    async fn transform(
        &self,
        call: &LensCall<'_>,
        transformation: &Transformation,
        parts: &request::Parts,
    ) -> Result<Response<Body>, ApiError> {
        let prepared = self.prepare(&self.catalog.snapshot(), transformation, parts)?;
        if prepared.work.is_identity() {
            let measure = self.measure(&prepared, call.lens);
            let answer = s3::get_object(self.reader(), &call.access, call.key, parts).await;
            measure.end(if answer.is_ok() { Outcome::Answered } else { Outcome::Failed });
            return answer;
        }
        let read = Read::of(parts)?;
        let source = Source::open(self.reader(), call, &prepared, parts, self.limits).await?;
        let info = source.derived_info(&prepared);
        if let Some(answer) = read.settle(&info)? {
            return Ok(answer);
        }
        if let Some(kept) = self.results.get(&info.etag).await {
            return self.results.answer(&kept, &read, info).await;
        }
        if read.head_only || read.is_partial() {
            let etag = info.etag.clone();
            let measure = || self.measure(&prepared, call.lens);
            let make = result::make(self.store.as_ref(), &self.runner, &prepared, source, measure);
            let kept = self.results.get_or_make(etag, Box::pin(make)).await?;
            return self.results.answer(&kept, &read, info).await;
        }
        let measure = || self.measure(&prepared, call.lens);
        result::stream((&self.runner, measure), &prepared, source, &read, info).await
    }

    fn prepare(
        &self,
        view: &View,
        transformation: &Transformation,
        parts: &request::Parts,
    ) -> Result<Arc<Prepared>, ApiError> {
        let payload = transformation.payload.as_deref();
        let prepared = self
            .functions
            .prepare(view, &transformation.function_arn, payload)
            .map_err(|why| error::configuration(&why))?;
        let query = parts.uri.query().unwrap_or_default();
        if query.is_empty() {
            return Ok(prepared);
        }
        let query: Vec<(String, String)> =
            query_pairs(query).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        match prepared.overridden(&query) {
            Ok(None) => Ok(prepared),
            Ok(Some(overridden)) => Ok(Arc::new(overridden)),
            Err(why) => Err(error::overridden(&why)),
        }
    }
}
