//! One invocation under way: a worker, the function's answer, the log, and what it used.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::telemetry::invocations::{FunctionAsked, Outcome};

use super::invocation::{FunctionError, Invocation, Output};
use super::log;
use super::manager::{AcquireError, Lease};
use super::platform::{Done, Event, InvokeError, Platform};
use super::pool::Limit;
use super::runtime::{Spec, StartError};

/// Bytes of a log that Invoke answers with.
const LOG_TAIL: usize = 4 << 10;
/// How long a process may take to come back for its next invocation after it has answered, when its time is over.
const GRACE: Duration = Duration::from_secs(1);

/// One invocation under way.
pub(super) struct Run {
    pub(super) platform: Platform,
    pub(super) spec: Arc<Spec>,
    pub(super) invoked_arn: String,
    pub(super) limit: Limit,
    pub(super) event: Event,
    pub(super) request_id: String,
}

/// What an invocation used.
#[derive(Debug, Default)]
struct Used {
    cold_start: bool,
    provisioned: bool,
    billed: Duration,
    init: Duration,
    cpu: Option<Duration>,
}

/// Answers, with the log.
type Answering<'a> = Box<dyn FnOnce(&Run, Vec<u8>) + Send + 'a>;
type Sender = oneshot::Sender<Result<Done, InvokeError>>;

impl Run {
    pub(super) async fn run(mut self, sender: Sender) {
        self.event.traffic.receive(self.event.payload.len() as u64);
        let lease = match self.platform.0.manager.acquire(&self.spec, self.limit).await {
            Ok(lease) => lease,
            Err(AcquireError::Start(StartError::Init(error))) => {
                let text = format!("{}\n", error.message());
                self.report(&text, true, Duration::ZERO, None, None);
                let used = Used { cold_start: true, ..Used::default() };
                self.count(Outcome::Error, &used);
                let done = self.done(Err(error), text.into_bytes());
                drop(sender.send(Ok(done)));
                return;
            }
            Err(error) => {
                let error = InvokeError::from(error);
                self.count(error.outcome(), &Used::default());
                drop(sender.send(Err(error)));
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
                if let Ok(Output::Whole(bytes)) = &result {
                    self.event.traffic.send(bytes.len() as u64);
                }
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
            self.event.traffic.send(item.as_ref().map_or(0, |bytes| bytes.len() as u64));
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
        let used = Used {
            cold_start: lease.init().is_some(),
            provisioned: lease.is_provisioned(),
            billed: took + lease.init().unwrap_or_default(),
            init: lease.init().unwrap_or_default(),
            cpu: lease.worker().and_then(|worker| worker.take_cpu()),
        };
        self.count(if failed.is_some() { Outcome::Error } else { Outcome::Answered }, &used);
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

    /// Counts the invocation. That is done before it is answered, so that who has read the answer finds it counted.
    fn count(&self, outcome: Outcome, used: &Used) {
        let (received, sent) = self.event.traffic.both();
        let settings = &self.spec.version.settings;
        self.platform.meter().count(&FunctionAsked {
            function: &self.spec.name,
            version: &self.spec.version.version,
            executor: "process",
            object_lambda: self.event.object_lambda.as_deref(),
            request_id: &self.request_id,
            outcome,
            cold_start: used.cold_start,
            provisioned: used.provisioned,
            billed_ms: u64::try_from(used.billed.as_micros().div_ceil(1000)).unwrap_or(u64::MAX),
            memory_mb: settings.memory_mb.into(),
            init: used.init,
            cpu: used.cpu,
            received,
            sent,
        });
    }

    fn done(&self, result: Result<Output, FunctionError>, log_tail: Vec<u8>) -> Done {
        let version = self.spec.version.version.clone();
        Done { request_id: self.request_id.clone(), version, result, log_tail }
    }
}
