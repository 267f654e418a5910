//! The function platform: from a resolved version and an event to what the function answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::catalog::Catalog;
use crate::catalog::{FunctionKind, View};
use crate::clock::Clock;
use crate::error::ApiError;

use super::code::CodeStore;
use super::invocation::{FunctionError, Invocation, Output, uuid};
use super::log::{self, Logs};
use super::manager::{self, AcquireError, Lease, Manager};
use super::placement::Here;
use super::pool::Limit;
use super::registry::{self, ResolveError, Resolved};
use super::runtime::{Runtime, Spec, StartError};
use super::sandbox::Isolation;
use super::temporary::{Issued, TemporaryKeys};

/// Bytes of a log that Invoke answers with.
const LOG_TAIL: usize = 4 << 10;
/// How long a process may take to come back for its next invocation after it has answered, when its time is over.
const GRACE: Duration = Duration::from_secs(1);

/// What the platform is made of.
#[derive(Debug)]
pub struct Parts {
    /// Functions.
    pub catalog: Arc<dyn Catalog>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Packages.
    pub code: CodeStore,
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
pub struct Platform(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: Parts,
    manager: Manager,
    logs: Logs,
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

impl Platform {
    /// Builds it; nothing is started.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let manager = Manager::new(parts.runtimes.clone(), Arc::new(Here), &parts.workers);
        Self(Arc::new(Inner { parts, manager, logs: Logs::default() }))
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
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(1)) => self.0.manager.reap(),
                // A sender that is gone stops it as well.
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        self.0.manager.close();
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
        let Parts { account_id, region, .. } = &self.0.parts;
        let spec = Arc::new(Spec {
            name: target.name.clone(),
            version: Arc::clone(&target.version),
            account_id: account_id.clone(),
            region: region.clone(),
        });
        let (sender, receiver) = oneshot::channel();
        let run = Run {
            platform: self.clone(),
            invoked_arn: self.arn(&target.name, target.qualifier.as_deref()),
            limit: self.limit(target),
            spec,
            event,
            request_id,
        };
        tokio::spawn(run.run(sender));
        receiver.await.unwrap_or_else(|_| Err(InvokeError::Internal("an invocation was lost".to_owned())))
    }

    fn limit(&self, target: &Resolved) -> Limit {
        match target.reserved_concurrency {
            Some(limit) => Limit::Reserved(limit),
            None => {
                let reserved = reserved(&self.0.parts.catalog.snapshot());
                Limit::Shared(self.0.parts.concurrency.saturating_sub(reserved))
            }
        }
    }
}

/// Invocations at a time that are some function's own.
#[must_use]
pub fn reserved(view: &View) -> u32 {
    let reserved = view.functions.values().filter_map(|function| match &function.kind {
        FunctionKind::Lambda(lambda) => lambda.reserved_concurrency,
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

/// One invocation under way.
struct Run {
    platform: Platform,
    spec: Arc<Spec>,
    invoked_arn: String,
    limit: Limit,
    event: Event,
    request_id: String,
}

/// Answers, with the log.
type Answering<'a> = Box<dyn FnOnce(&Run, Vec<u8>) + Send + 'a>;
type Sender = oneshot::Sender<Result<Done, InvokeError>>;

impl Run {
    async fn run(mut self, sender: Sender) {
        let lease = match self.platform.0.manager.acquire(&self.spec, self.limit).await {
            Ok(lease) => lease,
            Err(AcquireError::Start(StartError::Init(error))) => {
                let text = format!("{}\n", error.message());
                self.report(&text, true, Duration::ZERO, None, None);
                let done = self.done(Err(error), text.into_bytes());
                drop(sender.send(Ok(done)));
                return;
            }
            Err(error) => {
                drop(sender.send(Err(error.into())));
                return;
            }
        };
        let Some(worker) = lease.worker().cloned() else { return };
        let limit = self.spec.timeout();
        let started = Instant::now();
        let deadline = started + limit;
        let until = self.platform.0.parts.clock.now().as_millisecond();
        let invocation = Invocation {
            request_id: self.request_id.clone(),
            event: std::mem::take(&mut self.event.payload),
            invoked_arn: self.invoked_arn.clone(),
            client_context: self.event.client_context.take(),
            deadline,
            deadline_ms: until.saturating_add(i64::try_from(limit.as_millis()).unwrap_or(i64::MAX)),
        };
        let answer = tokio::time::timeout(limit, worker.invoke(&invocation)).await;
        let result = match answer {
            Ok(result) => result,
            Err(_) => {
                worker.kill();
                Err(FunctionError::timed_out(&self.request_id, limit))
            }
        };
        match result {
            Ok(Output::Stream(source)) => {
                let (items, stream) = mpsc::channel(4);
                let done = self.done(Ok(Output::Stream(stream)), Vec::new());
                drop(sender.send(Ok(done)));
                let failed = self.pass(source, items, deadline).await;
                if failed.as_ref().is_some_and(|error| error.timed_out) {
                    worker.kill();
                }
                self.finish(lease, started, failed.as_ref(), deadline, None).await;
            }
            result => {
                let failed = result.as_ref().err().cloned();
                let answer = |run: &Run, log: Vec<u8>| drop(sender.send(Ok(run.done(result, log))));
                self.finish(lease, started, failed.as_ref(), deadline, Some(Box::new(answer))).await;
            }
        }
    }

    /// Passes a streamed answer on until its end, an error, or the deadline.
    async fn pass(
        &self,
        mut source: mpsc::Receiver<Result<Bytes, FunctionError>>,
        items: mpsc::Sender<Result<Bytes, FunctionError>>,
        deadline: Instant,
    ) -> Option<FunctionError> {
        let end = tokio::time::Instant::from_std(deadline);
        loop {
            let item = match tokio::time::timeout_at(end, source.recv()).await {
                Ok(Some(item)) => item,
                Ok(None) => return None,
                Err(_) => Err(FunctionError::timed_out(&self.request_id, self.spec.timeout())),
            };
            let failed = item.as_ref().err().cloned();
            // A caller that has gone away does not stop the function.
            drop(tokio::time::timeout_at(end, items.send(item)).await);
            if failed.is_some() {
                return failed;
            }
        }
    }

    async fn finish(
        &self,
        lease: Lease,
        started: Instant,
        failed: Option<&FunctionError>,
        deadline: Instant,
        answer: Option<Answering<'_>>,
    ) {
        let took = started.elapsed();
        let log = lease.worker().map(|worker| worker.take_log()).unwrap_or_default();
        let mut text = String::new();
        if log.dropped > 0 {
            text.push_str(&format!("[{} bytes before this were not kept]\n", log.dropped));
        }
        text.push_str(&String::from_utf8_lossy(&log.text));
        if failed.is_some_and(|error| error.timed_out || error.kind == "Runtime.ExitError") {
            text.push_str(&format!("{}\n", failed.map(FunctionError::message).unwrap_or_default()));
        }
        let memory = lease.worker().and_then(|worker| worker.peak_memory());
        let log = self.report(&text, failed.is_some(), took, lease.init(), memory);
        if let Some(answer) = answer {
            let tail = log.as_bytes();
            answer(self, tail.get(tail.len().saturating_sub(LOG_TAIL)..).unwrap_or(tail).to_vec());
        }
        // A worker whose function did not answer in time, or is gone, is of no more use.
        let over = failed.is_some_and(|error| error.timed_out || error.kind == "Runtime.ExitError");
        if !over {
            let end = deadline.max(Instant::now() + GRACE);
            drop(tokio::time::timeout_at(end.into(), lease.settle()).await);
        }
    }

    /// Writes the log of the invocation, and answers it.
    fn report(
        &self,
        text: &str,
        failed: bool,
        took: Duration,
        init: Option<Duration>,
        memory: Option<u64>,
    ) -> String {
        let settings = &self.spec.version.settings;
        let (id, version) = (&self.request_id, &self.spec.version.version);
        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        let billed = ms(took + init.unwrap_or_default()).ceil();
        let mut whole = format!(
            "START RequestId: {id} Version: {version}\n{text}{gap}END RequestId: {id}\nREPORT RequestId: {id}\t\
             Duration: {:.2} ms\tBilled Duration: {billed:.0} ms\tMemory Size: {} MB",
            ms(took),
            settings.memory_mb,
        );
        if let Some(bytes) = memory {
            whole.push_str(&format!("\tMax Memory Used: {} MB", bytes.div_ceil(1 << 20)));
        }
        if let Some(init) = init {
            whole.push_str(&format!("\tInit Duration: {:.2} ms", ms(init)));
        }
        whole.push('\n');
        self.platform.0.logs.keep(log::Entry {
            request_id: id.clone(),
            caller_id: self.event.caller_id.clone(),
            function: self.spec.name.clone(),
            version: version.clone(),
            ended: self.platform.0.parts.clock.now(),
            failed,
            text: whole.clone(),
        });
        whole
    }

    fn done(&self, result: Result<Output, FunctionError>, log_tail: Vec<u8>) -> Done {
        let version = self.spec.version.version.clone();
        Done { request_id: self.request_id.clone(), version, result, log_tail }
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
