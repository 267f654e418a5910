//! The function platform: from a resolved version and an event to what the function answers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

use crate::catalog::Catalog;
use crate::catalog::lambda::Version;
use crate::catalog::{FunctionKind, NetworkGrant, View};
use crate::clock::Clock;
use crate::error::ApiError;
use crate::telemetry::invocations::Outcome;

use super::code::CodeStore;
use super::invocation::{FunctionError, Output, uuid};
use super::log::Logs;
use super::manager::{self, AcquireError, Manager};
use super::metering::{Meter, Traffic};
use super::placement::Here;
use super::pool::Limit;
use super::registry::{self, ResolveError, Resolved};
use super::running::Run;
use super::runtime::{Runtime, Spec, StartError};
use super::sandbox::Isolation;
use super::temporary::{Issued, TemporaryKeys};

/// What the platform is made of.
#[derive(Debug)]
pub struct Parts {
    /// Functions.
    pub catalog: Arc<dyn Catalog>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Packages.
    pub code: CodeStore,
    /// Counts what functions use.
    pub meter: Arc<Meter>,
    /// Keys of execution roles.
    pub keys: Arc<TemporaryKeys>,
    /// What runs functions.
    pub runtimes: Vec<Arc<dyn Runtime>>,
    /// What workers may use.
    pub workers: manager::Options,
    /// Invocations at a time of all functions together.
    pub concurrency: u32,
    /// The account of all functions.
    pub account_id: String,
    /// Region of ARNs.
    pub region: String,
    /// Where functions reach this server: `http://127.0.0.1:PORT`.
    pub gateway: String,
}

/// Runs functions.
#[derive(Debug, Clone)]
pub struct Platform(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) parts: Parts,
    pub(super) manager: Manager,
    pub(super) logs: Logs,
    /// Wakes when what is to be kept ready may have changed.
    provisioning: Notify,
}

/// An event for a function.
#[derive(Debug, Clone, Default)]
pub struct Event {
    /// The document.
    pub payload: Bytes,
    /// ClientContext: JSON.
    pub client_context: Option<String>,
    /// The id of the S3 request that it is for.
    pub caller_id: Option<String>,
    /// Id of the invocation; a new one where it is `None`.
    pub request_id: Option<String>,
    /// A key that lasts as long as the invocation.
    pub key: Option<Arc<Issued>>,
    /// The OLAP that it is for.
    pub object_lambda: Option<String>,
    /// What the function reads and answers otherwise than by the event and its return.
    pub traffic: Arc<Traffic>,
}

/// What came of an invocation.
#[derive(Debug)]
pub struct Done {
    /// Its id.
    pub request_id: String,
    /// The version that ran.
    pub version: String,
    /// The answer.
    pub result: Result<Output, FunctionError>,
    /// The end of the log, as far as it was written when the answer came.
    pub log_tail: Vec<u8>,
}

/// Why a function was not run.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InvokeError {
    /// Too many at a time: of this function's own share, or of all.
    #[error("Rate Exceeded.")]
    Throttled {
        /// Whether it was the function's own share.
        reserved: bool,
    },
    /// This server cannot run it; the text says what to do.
    #[error("{0}")]
    Unavailable(String),
    /// The server failed; the text is for the log.
    #[error("{0}")]
    Internal(String),
}

impl InvokeError {
    /// What counts of it.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Throttled { .. } => Outcome::Throttled,
            Self::Unavailable(_) | Self::Internal(_) => Outcome::Failed,
        }
    }
}

impl Platform {
    /// Builds it; nothing is started.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let manager = Manager::new(parts.runtimes.clone(), Arc::new(Here), &parts.workers);
        Self(Arc::new(Inner { parts, manager, logs: Logs::default(), provisioning: Notify::new() }))
    }

    /// Packages.
    #[must_use]
    pub fn code(&self) -> &CodeStore {
        &self.0.parts.code
    }

    /// Where functions reach this server.
    #[must_use]
    pub fn gateway(&self) -> &str {
        &self.0.parts.gateway
    }

    /// The account of all functions.
    #[must_use]
    pub fn account_id(&self) -> &str {
        &self.0.parts.account_id
    }

    /// Region of ARNs.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.0.parts.region
    }

    /// Temporary keys.
    #[must_use]
    pub fn keys(&self) -> &Arc<TemporaryKeys> {
        &self.0.parts.keys
    }

    /// What counts what functions use.
    #[must_use]
    pub fn meter(&self) -> &Arc<Meter> {
        &self.0.parts.meter
    }

    /// Logs of invocations.
    #[must_use]
    pub fn logs(&self) -> &Logs {
        &self.0.logs
    }

    /// The worker manager.
    #[must_use]
    pub fn manager(&self) -> &Manager {
        &self.0.manager
    }

    /// Invocations at a time of all functions together.
    #[must_use]
    pub fn concurrency(&self) -> u32 {
        self.0.parts.concurrency
    }

    /// What holds functions that run as processes, once that is known.
    #[must_use]
    pub fn isolation(&self) -> Option<Isolation> {
        self.0.parts.runtimes.iter().find_map(|runtime| runtime.isolation_now())
    }

    /// Whether this server knows what names itself so: `python3.12`.
    #[must_use]
    pub fn takes(&self, runtime: &str) -> bool {
        self.0.parts.runtimes.iter().any(|one| one.takes(runtime))
    }

    /// The ARN of a function of this server.
    #[must_use]
    pub fn arn(&self, name: &str, qualifier: Option<&str>) -> String {
        let Parts { region, account_id, .. } = &self.0.parts;
        let qualifier = qualifier.map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
        format!("arn:aws:lambda:{region}:{account_id}:function:{name}{qualifier}")
    }

    /// The version that an invocation runs now.
    ///
    /// # Errors
    /// [`ResolveError`].
    pub fn resolve(&self, name: &str, qualifier: Option<&str>) -> Result<Resolved, ResolveError> {
        // Without random bytes the alias's own version runs.
        let draw = getrandom::u32().map_or(1.0, |bits| f64::from(bits) / (f64::from(u32::MAX) + 1.0));
        registry::resolve(&self.0.parts.catalog.snapshot(), name, qualifier, draw)
    }

    /// Ends idle workers when their time has come, and all at the server's end, once `stop` is done.
    pub async fn run(self, mut stop: tokio::sync::watch::Receiver<bool>) {
        for runtime in self.0.parts.runtimes.clone() {
            tokio::spawn(async move { runtime.prepare().await });
        }
        loop {
            self.0.manager.provide(self.wanted());
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(1)) => self.0.manager.reap(),
                () = self.0.provisioning.notified() => {}
                // A sender that is gone stops it as well.
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        self.0.manager.close();
    }

    /// Has the workers that are to be kept ready looked after at once.
    pub fn provision(&self) {
        self.0.provisioning.notify_one();
    }

    /// Which versions are to have how many workers ready.
    fn wanted(&self) -> Vec<(Arc<Spec>, u32)> {
        let view = self.0.parts.catalog.snapshot();
        let mut all = Vec::new();
        for (name, function) in &view.functions {
            let FunctionKind::Lambda(lambda) = &function.kind else { continue };
            let counts = lambda.provisioned.keys().flat_map(|qualifier| lambda.provisioned_of(qualifier));
            let spec = |version| Spec { provisioned: true, ..self.spec(name, version, &function.network) };
            all.extend(counts.map(|(version, count)| (Arc::new(spec(version)), count)));
        }
        all
    }

    fn spec(&self, name: &str, version: &Arc<Version>, network: &Arc<NetworkGrant>) -> Spec {
        let Parts { account_id, region, .. } = &self.0.parts;
        Spec {
            name: name.to_owned(),
            version: Arc::clone(version),
            account_id: account_id.clone(),
            region: region.clone(),
            provisioned: false,
            doubtful: false,
            network: Arc::clone(network),
        }
    }

    /// Runs a function. It runs to its end, whether or not the caller waits.
    ///
    /// # Errors
    /// [`InvokeError`]; that the function failed is an answer.
    pub async fn invoke(&self, target: &Resolved, event: Event) -> Result<Done, InvokeError> {
        let request_id = match event.request_id.clone() {
            Some(id) => id,
            None => uuid().map_err(|error| InvokeError::Internal(error.to_string()))?,
        };
        let spec = Arc::new(self.spec(&target.name, &target.version, &target.network));
        let (sender, mut receiver) = oneshot::channel();
        let run = Run {
            platform: self.clone(),
            invoked_arn: self.arn(&target.name, target.qualifier.as_deref()),
            limit: self.limit(target),
            spec,
            event,
            request_id,
        };
        let mut run = ToItsEnd(Some(Box::pin(run.run(sender))));
        let answer = tokio::select! {
            biased;
            answer = &mut receiver => answer,
            () = &mut run => receiver.await,
        };
        answer.unwrap_or_else(|_| Err(InvokeError::Internal("an invocation was lost".to_owned())))
    }

    fn limit(&self, target: &Resolved) -> Limit {
        match target.reserved_concurrency {
            Some(limit) => Limit::Reserved(limit.saturating_sub(target.provisioned)),
            None => {
                let reserved = reserved(&self.0.parts.catalog.snapshot());
                Limit::Shared(self.0.parts.concurrency.saturating_sub(reserved))
            }
        }
    }
}

/// Work that becomes a task of its own when it is dropped before its end. Until then it is done where it is waited for,
/// which costs no change of threads.
struct ToItsEnd(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Future for ToItsEnd {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(work) = &mut self.0 {
            std::task::ready!(work.as_mut().poll(context));
            self.0 = None;
        }
        Poll::Ready(())
    }
}

impl Drop for ToItsEnd {
    fn drop(&mut self) {
        // Without a runtime the server has ended.
        if let (Some(rest), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(rest);
        }
    }
}

/// Invocations at a time that are some function's own.
#[must_use]
pub fn reserved(view: &View) -> u32 {
    let reserved = view.functions.values().filter_map(|function| match &function.kind {
        FunctionKind::Lambda(lambda) => Some(lambda.own_concurrency()),
        FunctionKind::Builtin { .. }
        | FunctionKind::Wasm(_)
        | FunctionKind::Webhook(_)
        | FunctionKind::Aws(_) => None,
    });
    reserved.sum()
}

impl From<AcquireError> for InvokeError {
    fn from(error: AcquireError) -> Self {
        match error {
            AcquireError::Reserved => Self::Throttled { reserved: true },
            AcquireError::Busy | AcquireError::Closing => Self::Throttled { reserved: false },
            AcquireError::Budget(_) => Self::Unavailable(error.to_string()),
            AcquireError::Start(StartError::Unavailable(why)) => Self::Unavailable(why),
            AcquireError::Start(why) => Self::Internal(why.to_string()),
        }
    }
}

/// Collects an answer.
///
/// # Errors
/// What the function said at the end of a stream.
pub async fn collect(output: Output, limit: usize) -> Result<Bytes, FunctionError> {
    match output {
        Output::Whole(bytes) => Ok(bytes),
        Output::Stream(mut stream) => {
            let mut all = bytes::BytesMut::new();
            while let Some(item) = stream.recv().await {
                let chunk = item?;
                if all.len() + chunk.len() > limit {
                    let why = format!("The streamed answer has more than {limit} bytes");
                    return Err(FunctionError::found("Function.ResponseSizeTooLarge", &why));
                }
                all.extend_from_slice(&chunk);
            }
            Ok(all.freeze())
        }
    }
}

impl From<InvokeError> for ApiError {
    /// As Invoke answers.
    fn from(error: InvokeError) -> Self {
        match error {
            InvokeError::Throttled { reserved } => {
                Self::new(http::StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", "Rate Exceeded.")
                    .with_detail(
                        "Reason",
                        if reserved {
                            "ReservedFunctionConcurrentInvocationLimitExceeded"
                        } else {
                            "ConcurrentInvocationLimitExceeded"
                        },
                    )
                    .with_header(http::header::RETRY_AFTER, http::HeaderValue::from_static("1"))
            }
            InvokeError::Unavailable(why) => {
                Self::new(http::StatusCode::BAD_GATEWAY, "InvalidRuntimeException", why)
            }
            InvokeError::Internal(why) => Self::new(
                http::StatusCode::INTERNAL_SERVER_ERROR,
                "ServiceException",
                "An error occurred while the function was started.",
            )
            .with_internal(why),
        }
    }
}
