//! One run under way, and the bytes that go in and out of it. It is counted when its last byte is there, or when
//! nobody waits for it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;

use crate::function::run::RunError;
use crate::store::{ByteStream, Payload};
use crate::telemetry::invocations::{FunctionAsked, Outcome};

use super::Meter;

/// Bytes in and out of one invocation.
#[derive(Debug, Default)]
pub struct Traffic {
    received: AtomicU64,
    sent: AtomicU64,
}

impl Traffic {
    /// The function was given bytes.
    pub fn receive(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The function answered bytes.
    pub fn send(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes so far, in and out.
    #[must_use]
    pub fn both(&self) -> (u64, u64) {
        (self.received.load(Ordering::Relaxed), self.sent.load(Ordering::Relaxed))
    }
}

/// Processor time of one run.
#[derive(Debug, Clone, Default)]
pub struct Cpu(Arc<AtomicU64>);

impl Cpu {
    /// Adds time.
    pub fn add(&self, time: Duration) {
        self.0.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Time so far.
    #[must_use]
    pub fn so_far(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// A run under way.
#[derive(Debug)]
pub struct Measure {
    meter: Arc<Meter>,
    function: String,
    version: String,
    executor: &'static str,
    object_lambda: Option<String>,
    memory_mb: u64,
    started: Instant,
    traffic: Arc<Traffic>,
    cpu: Cpu,
    knows_cpu: bool,
    /// Bytes of the whole answer, where that is known: who has them all does not ask for more.
    whole: Option<u64>,
    outcome: Outcome,
}

impl Measure {
    /// Begins one. `memory_mb` is what the function may have; 0 where that is not counted.
    #[must_use]
    pub fn begin(
        meter: &Arc<Meter>,
        function: &str,
        executor: &'static str,
        object_lambda: Option<&str>,
        memory_mb: u64,
    ) -> Self {
        Self {
            meter: Arc::clone(meter),
            function: function.to_owned(),
            version: String::new(),
            executor,
            object_lambda: object_lambda.map(str::to_owned),
            memory_mb,
            started: Instant::now(),
            traffic: Arc::default(),
            cpu: Cpu::default(),
            knows_cpu: matches!(executor, "builtin" | "wasm"),
            whole: None,
            outcome: Outcome::Abandoned,
        }
    }

    /// With bytes that are counted elsewhere as well.
    #[must_use]
    pub fn with_traffic(mut self, traffic: Arc<Traffic>) -> Self {
        self.traffic = traffic;
        self
    }

    /// With the length of the answer, where that is known.
    #[must_use]
    pub fn with_length(mut self, whole: Option<u64>) -> Self {
        self.whole = whole;
        self
    }

    /// Its bytes.
    #[must_use]
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Its processor time.
    #[must_use]
    pub fn cpu(&self) -> &Cpu {
        &self.cpu
    }

    /// Says which version ran.
    pub fn set_version(&mut self, version: &str) {
        version.clone_into(&mut self.version);
    }

    /// Ends it.
    pub fn end(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }

    /// Counts what the function reads of a body.
    #[must_use]
    pub fn input(&self, input: Payload) -> Payload {
        match input {
            Payload::Bytes(bytes) => {
                self.traffic.receive(bytes.len() as u64);
                Payload::Bytes(bytes)
            }
            Payload::Stream(stream, length) => {
                let traffic = Arc::clone(&self.traffic);
                let counted = stream.inspect(move |item| {
                    if let Ok(bytes) = item {
                        traffic.receive(bytes.len() as u64);
                    }
                });
                Payload::Stream(Box::pin(counted), length)
            }
        }
    }

    /// Counts what the function answers; the run ends with its last byte.
    #[must_use]
    pub fn output(self, output: Payload) -> Payload {
        match output {
            Payload::Bytes(bytes) => {
                self.traffic.send(bytes.len() as u64);
                self.end(Outcome::Answered);
                Payload::Bytes(bytes)
            }
            Payload::Stream(stream, length) => Payload::Stream(self.stream(stream), length),
        }
    }

    /// As [`output`](Self::output), of a stream.
    #[must_use]
    pub fn stream(self, stream: ByteStream) -> ByteStream {
        let counted = futures_util::stream::unfold(Some((stream, self)), |state| async move {
            let (mut stream, measure) = state?;
            match stream.next().await {
                Some(Ok(bytes)) => {
                    measure.traffic.send(bytes.len() as u64);
                    Some((Ok(bytes), Some((stream, measure))))
                }
                Some(Err(error)) => {
                    measure.end(Outcome::Error);
                    Some((Err(error), None))
                }
                None => {
                    measure.end(Outcome::Answered);
                    None
                }
            }
        });
        Box::pin(counted)
    }
}

impl Drop for Measure {
    fn drop(&mut self) {
        let (received, sent) = self.traffic.both();
        let took = self.started.elapsed();
        if self.outcome == Outcome::Abandoned && self.whole == Some(sent) {
            self.outcome = Outcome::Answered;
        }
        self.meter.count(&FunctionAsked {
            function: &self.function,
            version: &self.version,
            executor: self.executor,
            object_lambda: self.object_lambda.as_deref(),
            request_id: "",
            outcome: self.outcome,
            cold_start: false,
            provisioned: false,
            billed_ms: u64::try_from(took.as_micros().div_ceil(1000)).unwrap_or(u64::MAX),
            memory_mb: self.memory_mb,
            init: Duration::ZERO,
            cpu: self.knows_cpu.then(|| self.cpu.so_far()),
            received,
            sent,
        });
    }
}

impl RunError {
    /// What counts of it.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Busy(_) => Outcome::Throttled,
            Self::Input(_) => Outcome::Failed,
            Self::Abandoned => Outcome::Abandoned,
            Self::Transform(_)
            | Self::Stalled
            | Self::Panicked
            | Self::Refused { .. }
            | Self::Failed { .. }
            | Self::Timeout(_) => Outcome::Error,
        }
    }
}
