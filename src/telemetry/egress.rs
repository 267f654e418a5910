//! Connections that functions make to what is granted them: one event, which is the log line and the metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};

use super::series::{Known, OTHER};
use super::{Metrics, Word};

/// Functions that have series of their own; what comes later counts under [`OTHER`].
const MOST_SERIES: usize = 1_000;
/// Refusals a second that are warned of; a function could fill the log with them.
const WARNINGS: u64 = 10;

/// What came of a function's wish to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reached {
    /// It is connected.
    Connected,
    /// It is not granted.
    Refused,
    /// It is granted, and cannot be reached.
    Failed,
}

impl Reached {
    fn word(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

impl EncodeLabelValue for Reached {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&self.word(), encoder)
    }
}

/// What connections are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct EgressLabels {
    /// The function's name.
    pub function: String,
    /// What came of it.
    pub outcome: Reached,
}

/// What bytes are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct EgressBytes {
    /// The function's name.
    pub function: String,
    /// `out` or `in`, as the function sees it.
    pub direction: Word,
}

/// The metrics of functions' connections.
#[derive(Debug)]
pub struct EgressMetrics {
    connections: Family<EgressLabels, Counter>,
    bytes: Family<EgressBytes, Counter>,
    known: Known<String, MOST_SERIES>,
    start: Instant,
    /// Warnings of a second: the second, and how many.
    warned: [AtomicU64; 2],
}

impl Default for EgressMetrics {
    fn default() -> Self {
        Self {
            connections: Family::default(),
            bytes: Family::default(),
            known: Known::default(),
            start: Instant::now(),
            warned: Default::default(),
        }
    }
}

impl EgressMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Connections that functions asked for beside those to this server, by outcome";
        registry.register("function_connections", help, self.connections.clone());
        let help = "Bytes of connections that functions made, as they see them";
        registry.register_with_unit("function_network", help, Unit::Bytes, self.bytes.clone());
    }

    fn label(&self, function: &str) -> String {
        let name = function.to_owned();
        if self.known.admits(name.clone()) { name } else { OTHER.to_owned() }
    }

    /// Counters of the bytes that a function sends and receives.
    #[must_use]
    pub fn bytes(&self, function: &str) -> [Counter; 2] {
        let function = self.label(function);
        ["out", "in"].map(|direction| {
            let labels = EgressBytes { function: function.clone(), direction: Word(direction) };
            self.bytes.get_or_create(&labels).clone()
        })
    }

    /// Whether one more warning is not too many.
    fn may_warn(&self) -> bool {
        let [second, count] = &self.warned;
        let now = self.start.elapsed().as_secs();
        if second.swap(now, Ordering::Relaxed) != now {
            count.store(0, Ordering::Relaxed);
        }
        count.fetch_add(1, Ordering::Relaxed) < WARNINGS
    }
}

/// A function wanted to connect. Target `refract::function`; at `debug`, and at `warn` where it was refused.
#[derive(Debug, Clone)]
pub struct Egress<'a> {
    /// The function's name.
    pub function: &'a str,
    /// Where to: a name or an address, and a port.
    pub destination: &'a str,
    /// What came of it.
    pub outcome: Reached,
    /// Why, where it is not connected.
    pub why: &'a str,
}

impl Egress<'_> {
    /// Writes and counts it.
    pub fn emit(&self, metrics: &Metrics) {
        let all = &metrics.egress;
        let labels = EgressLabels { function: all.label(self.function), outcome: self.outcome };
        all.connections.get_or_create(&labels).inc();
        let Self { function, destination, why, .. } = *self;
        let outcome = self.outcome.word();
        if self.outcome == Reached::Refused && all.may_warn() {
            tracing::warn!(target: "refract::function", function, destination, outcome, why,
                "a function may not connect there");
        } else {
            tracing::debug!(target: "refract::function", function, destination, outcome, why, "connection");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_and_bytes_are_counted_in_a_bounded_number_of_series() {
        let metrics = Metrics::default();
        for n in 0..MOST_SERIES + 7 {
            let function = format!("f{n}");
            let event =
                Egress { function: &function, destination: "a:1", outcome: Reached::Refused, why: "no" };
            event.emit(&metrics);
            let [out, into] = metrics.egress.bytes(&function);
            out.inc_by(3);
            into.inc_by(4);
        }
        let text = metrics.render();
        for line in [
            "refract_function_connections_total{function=\"f1\",outcome=\"refused\"} 1",
            "refract_function_connections_total{function=\"(other)\",outcome=\"refused\"} 7",
            "refract_function_network_bytes_total{function=\"f1\",direction=\"out\"} 3",
            "refract_function_network_bytes_total{function=\"(other)\",direction=\"in\"} 28",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n{text}");
        }
        assert!(!metrics.egress.may_warn());
    }
}
