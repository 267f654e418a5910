//! Invocations of functions, whatever runs them: one event, which is the log line and the metrics of functions.

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};

use super::series::{Known, OTHER};
use super::{Metrics, Word};

/// Pairs of a function and an OLAP that have series of their own; what comes later counts under [`OTHER`].
const MOST_SERIES: usize = 2_000;

/// What came of a request for a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It ran and answered.
    Answered,
    /// It ran and failed, or its time was over.
    Error,
    /// It ran, and whoever asked went away before the end.
    Abandoned,
    /// It was not run: too many at a time.
    Throttled,
    /// It was not run: the server, or what it needs, could not.
    Failed,
}

impl Outcome {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Error => "error",
            Self::Abandoned => "abandoned",
            Self::Throttled => "throttled",
            Self::Failed => "failed",
        }
    }

    /// Whether the function ran.
    #[must_use]
    pub fn ran(self) -> bool {
        matches!(self, Self::Answered | Self::Error | Self::Abandoned)
    }
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&self.word(), encoder)
    }
}

/// What functions are counted by. Names of functions and OLAPs are what administrators make, and capped.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FunctionLabels {
    /// The function's name.
    pub function: String,
    /// What runs it: `builtin`, `wasm`, `process`, `webhook`, `aws`.
    pub executor: Word,
    /// The OLAP through which it was asked; empty where there was none.
    pub object_lambda: String,
}

/// What requests are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabels {
    /// The function's name.
    pub function: String,
    /// What runs it.
    pub executor: Word,
    /// The OLAP.
    pub object_lambda: String,
    /// What came of it.
    pub outcome: Outcome,
}

type Seconds = Family<FunctionLabels, Counter<f64, std::sync::atomic::AtomicU64>>;

/// The metrics of functions.
#[derive(Debug, Default)]
pub struct FunctionMetrics {
    requests: Family<OutcomeLabels, Counter>,
    cold_starts: Family<FunctionLabels, Counter>,
    provisioned: Family<FunctionLabels, Counter>,
    billed: Seconds,
    memory: Seconds,
    init: Seconds,
    cpu: Seconds,
    received: Family<FunctionLabels, Counter>,
    sent: Family<FunctionLabels, Counter>,
    known: Known<(String, String), MOST_SERIES>,
}

impl FunctionMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("function_requests", "Requests for functions, by outcome", self.requests.clone());
        let help = "Invocations that waited for the start of a worker";
        registry.register("function_cold_starts", help, self.cold_starts.clone());
        let help = "Invocations that a provisioned worker served";
        registry.register("function_provisioned_invocations", help, self.provisioned.clone());
        let help = "Billed duration of invocations";
        registry.register_with_unit("function_billed", help, Unit::Seconds, self.billed.clone());
        let (help, unit) =
            ("Billed duration times configured memory", Unit::Other("gigabyte_seconds".to_owned()));
        registry.register_with_unit("function_memory", help, unit, self.memory.clone());
        let help = "Time that the starts of workers took";
        registry.register_with_unit("function_init", help, Unit::Seconds, self.init.clone());
        let help = "Processor time, where it is known";
        registry.register_with_unit("function_cpu", help, Unit::Seconds, self.cpu.clone());
        let help = "Bytes that functions were given: events, and the objects they read";
        registry.register_with_unit("function_received", help, Unit::Bytes, self.received.clone());
        let help = "Bytes that functions answered";
        registry.register_with_unit("function_sent", help, Unit::Bytes, self.sent.clone());
    }

    fn labels(&self, event: &FunctionAsked<'_>) -> FunctionLabels {
        let lens = event.object_lambda.unwrap_or_default();
        let pair = (event.function.to_owned(), lens.to_owned());
        let executor = Word(event.executor);
        if self.known.admits(pair.clone()) {
            return FunctionLabels { function: pair.0, executor, object_lambda: pair.1 };
        }
        FunctionLabels { function: OTHER.to_owned(), executor, object_lambda: OTHER.to_owned() }
    }
}

/// A function was asked for, and ran or did not. Target `refract::function`, at `debug`.
#[derive(Debug, Clone)]
pub struct FunctionAsked<'a> {
    /// The function's name.
    pub function: &'a str,
    /// The version that ran; empty where there are none.
    pub version: &'a str,
    /// What runs it.
    pub executor: &'static str,
    /// The OLAP through which it was asked.
    pub object_lambda: Option<&'a str>,
    /// Id of the invocation, where it has one.
    pub request_id: &'a str,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether it waited for the start of a worker.
    pub cold_start: bool,
    /// Whether a provisioned worker served it.
    pub provisioned: bool,
    /// Billed duration, whole milliseconds.
    pub billed_ms: u64,
    /// Configured memory, in MB.
    pub memory_mb: u64,
    /// How long the start of its worker took.
    pub init: Duration,
    /// Processor time, where it is known.
    pub cpu: Option<Duration>,
    /// Bytes that it was given.
    pub received: u64,
    /// Bytes that it answered.
    pub sent: u64,
}

impl FunctionAsked<'_> {
    /// Writes and counts it.
    pub fn emit(&self, metrics: &Metrics) {
        let all = &metrics.functions;
        let labels = all.labels(self);
        let FunctionLabels { function, executor, object_lambda } = labels.clone();
        all.requests
            .get_or_create(&OutcomeLabels { function, executor, object_lambda, outcome: self.outcome })
            .inc();
        if self.outcome.ran() {
            let billed = Duration::from_millis(self.billed_ms).as_secs_f64();
            all.cold_starts.get_or_create(&labels).inc_by(u64::from(self.cold_start));
            all.provisioned.get_or_create(&labels).inc_by(u64::from(self.provisioned));
            all.billed.get_or_create(&labels).inc_by(billed);
            let gigabytes = f64::from(u32::try_from(self.memory_mb).unwrap_or(u32::MAX)) / 1024.0;
            all.memory.get_or_create(&labels).inc_by(billed * gigabytes);
            all.init.get_or_create(&labels).inc_by(self.init.as_secs_f64());
            all.cpu.get_or_create(&labels).inc_by(self.cpu.unwrap_or_default().as_secs_f64());
            all.received.get_or_create(&labels).inc_by(self.received);
            all.sent.get_or_create(&labels).inc_by(self.sent);
        }
        tracing::debug!(
            target: "refract::function",
            function = self.function,
            version = self.version,
            executor = self.executor,
            object_lambda = self.object_lambda,
            request_id = self.request_id,
            outcome = self.outcome.word(),
            cold_start = self.cold_start,
            billed_ms = self.billed_ms,
            received = self.received,
            sent = self.sent,
            "function"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_series_is_bounded() {
        let metrics = Metrics::default();
        for n in 0..MOST_SERIES + 50 {
            let function = format!("f{n}");
            FunctionAsked {
                function: &function,
                version: "1",
                executor: "builtin",
                object_lambda: None,
                request_id: "",
                outcome: Outcome::Answered,
                cold_start: false,
                provisioned: false,
                billed_ms: 2,
                memory_mb: 512,
                init: Duration::ZERO,
                cpu: None,
                received: 1,
                sent: 1,
            }
            .emit(&metrics);
        }
        let text = metrics.render();
        let requests =
            text.lines().filter(|line| line.starts_with("refract_function_requests_total{")).count();
        assert_eq!(requests, MOST_SERIES + 1);
        let other = text.lines().find(|line| line.contains("function=\"(other)\"")).unwrap();
        assert!(other.ends_with(" 50"), "{other}");
        assert!(text.contains("refract_function_memory_gigabyte_seconds_total{function=\"f1\""), "{text}");
    }
}
