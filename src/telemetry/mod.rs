//! Events as structs: one `emit` is the log line and the metric.

use std::fmt::Write as _;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

pub mod audit;
pub mod egress;
pub mod events;
pub mod invocations;
mod log;
mod series;

pub use audit::{Audit, AuditOptions, AuditTo};
pub use log::{LogFormat, init};

/// A label that is one of our own words: never the name of a bucket or a key, which would be as many as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Word(pub &'static str);

impl EncodeLabelValue for Word {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        encoder.write_str(self.0)
    }
}

/// What requests are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// Which plane answered: `s3`, `object-lambda`, `control`, `admin`.
    pub plane: Word,
    /// Class of the status: `2xx`.
    pub status: Word,
}

/// What durations and bytes are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PlaneLabels {
    /// Which plane answered.
    pub plane: Word,
}

/// What background work is counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ActionLabels {
    /// What was done.
    pub action: Word,
}

/// All metrics. Their names stand here and nowhere else; `docs/metrics.md` lists them.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Requests answered.
    pub requests: Family<RequestLabels, Counter>,
    /// Answers that were cut short.
    pub cut: Family<PlaneLabels, Counter>,
    /// Seconds from a request's head to the last byte of its answer.
    pub duration: Family<PlaneLabels, Histogram>,
    /// Seconds from a request's head to the head of its answer.
    pub first_byte: Family<PlaneLabels, Histogram>,
    /// Bytes of request bodies, as the clients announced them.
    pub received: Family<PlaneLabels, Counter>,
    /// Bytes of answers' bodies.
    pub sent: Family<PlaneLabels, Counter>,
    /// Open connections.
    pub connections: Gauge<i64, std::sync::atomic::AtomicI64>,
    /// What lifecycle rules did.
    pub lifecycle: Family<ActionLabels, Counter>,
    /// What became of notifications.
    pub notifications: Family<ActionLabels, Counter>,
    /// What became of access logs.
    pub access_logs: Family<ActionLabels, Counter>,
    /// What became of events for functions.
    pub function_events: Family<ActionLabels, Counter>,
    /// What became of messages that functions consume.
    pub function_messages: Family<ActionLabels, Counter>,
    /// Invocations of functions.
    pub functions: invocations::FunctionMetrics,
    /// Connections of functions.
    pub egress: egress::EgressMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("refract");
        // 0.1 ms to 52 s.
        let histogram = || Histogram::new(exponential_buckets(0.0001, 3.0, 13));
        let metrics = Self {
            requests: Family::default(),
            cut: Family::default(),
            duration: Family::new_with_constructor(histogram),
            first_byte: Family::new_with_constructor(histogram),
            received: Family::default(),
            sent: Family::default(),
            connections: Gauge::default(),
            lifecycle: Family::default(),
            access_logs: Family::default(),
            notifications: Family::default(),
            function_events: Family::default(),
            function_messages: Family::default(),
            functions: invocations::FunctionMetrics::default(),
            egress: egress::EgressMetrics::default(),
            registry: Registry::default(),
        };
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Version of the server", build);
        registry.register("requests", "Requests answered", metrics.requests.clone());
        registry.register("requests_cut", "Answers that ended before their last byte", metrics.cut.clone());
        let (help, unit) = ("Time from a request's head to the last byte of its answer", Unit::Seconds);
        registry.register_with_unit("request_duration", help, unit, metrics.duration.clone());
        let (help, unit) = ("Time from a request's head to the head of its answer", Unit::Seconds);
        registry.register_with_unit("request_first_byte", help, unit, metrics.first_byte.clone());
        let help = "Bytes of request bodies, as announced";
        registry.register_with_unit("received", help, Unit::Bytes, metrics.received.clone());
        registry.register_with_unit("sent", "Bytes of answers' bodies", Unit::Bytes, metrics.sent.clone());
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register("lifecycle_actions", "What lifecycle rules did", metrics.lifecycle.clone());
        registry.register("access_logs", "What became of access logs", metrics.access_logs.clone());
        registry.register("notifications", "What became of notifications", metrics.notifications.clone());
        let help = "What became of events for functions";
        registry.register("function_events", help, metrics.function_events.clone());
        let help = "What became of messages that functions consume";
        registry.register("function_messages", help, metrics.function_messages.clone());
        metrics.functions.register(&mut registry);
        metrics.egress.register(&mut registry);
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// The metrics in OpenMetrics' text form.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            text.clear();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_documented() {
        let metrics = Metrics::default();
        events::RequestFinished {
            id: "",
            plane: "s3",
            operation: "GetObject",
            access_key_id: None,
            method: &http::Method::GET,
            path: "/b/k",
            status: http::StatusCode::OK,
            error: None,
            received: 0,
            sent: 1,
            to_first_byte: std::time::Duration::ZERO,
            took: std::time::Duration::ZERO,
            cut: Some("the client went away"),
        }
        .emit(&metrics);
        events::LifecycleActed { bucket: "b", key: "k", rule: "r", action: "expire" }.emit(&metrics);
        events::NotificationsDelivered { target: "t", count: 1 }.emit(&metrics);
        events::AccessLogDelivered { bucket: "b", target: "l", key: "k" }.emit(&metrics);
        events::FunctionEvent { function: "f", id: "i", action: "accepted", reason: None }.emit(&metrics);
        events::FunctionBatch { function: "f", mapping: "m", action: "delivered", count: 1 }.emit(&metrics);
        invocations::FunctionAsked {
            function: "f",
            version: "1",
            executor: "process",
            object_lambda: Some("l"),
            request_id: "r",
            outcome: invocations::Outcome::Answered,
            cold_start: true,
            provisioned: false,
            billed_ms: 1,
            memory_mb: 128,
            init: std::time::Duration::ZERO,
            cpu: None,
            received: 1,
            sent: 1,
        }
        .emit(&metrics);
        let text = metrics.render();
        let documented = include_str!("../../docs/metrics.md");
        let mut names = 0;
        for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let name = line.split(' ').next().unwrap();
            assert!(documented.contains(&format!("`{name}")), "docs/metrics.md lacks {name}");
            names += 1;
        }
        assert_eq!(names, 22);
    }
}
