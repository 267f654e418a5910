//! What happens, each a struct: its `emit` writes the log line and moves the metric.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use http::{Method, StatusCode};

use super::{ActionLabels, Metrics, PlaneLabels, RequestLabels, Word};
use crate::error::ApiError;

/// A request was answered, or its answer was cut short. Target `refract::request`: failures of the server are errors,
/// refusals are told at `info` with their reason, all else at `debug`.
#[derive(Debug)]
pub struct RequestFinished<'a> {
    /// Request id.
    pub id: &'a str,
    /// Plane.
    pub plane: &'static str,
    /// Operation, where it is known.
    pub operation: &'static str,
    /// Who asked.
    pub access_key_id: Option<&'a str>,
    /// Method.
    pub method: &'a Method,
    /// Path as it came, without its query.
    pub path: &'a str,
    /// Status of the answer.
    pub status: StatusCode,
    /// The error that was answered.
    pub error: Option<&'a ApiError>,
    /// Bytes that the client announced.
    pub received: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Time to the answer's head.
    pub to_first_byte: Duration,
    /// Time to its last byte.
    pub took: Duration,
    /// Why the answer is not whole.
    pub cut: Option<&'static str>,
}

impl RequestFinished<'_> {
    /// Writes and counts it.
    pub fn emit(&self, metrics: &Metrics) {
        let plane = Word(self.plane);
        let by_plane = PlaneLabels { plane };
        let status = Word(class(self.status));
        metrics.requests.get_or_create(&RequestLabels { plane, status }).inc();
        metrics.duration.get_or_create(&by_plane).observe(self.took.as_secs_f64());
        metrics.first_byte.get_or_create(&by_plane).observe(self.to_first_byte.as_secs_f64());
        metrics.received.get_or_create(&by_plane).inc_by(self.received);
        metrics.sent.get_or_create(&by_plane).inc_by(self.sent);
        if self.cut.is_some() {
            metrics.cut.get_or_create(&by_plane).inc();
        }
        macro_rules! line {
            ($level:ident, $message:literal) => {
                tracing::$level!(
                    target: "refract::request",
                    id = self.id,
                    plane = self.plane,
                    operation = self.operation,
                    access_key_id = self.access_key_id,
                    method = %self.method,
                    path = self.path,
                    status = self.status.as_u16(),
                    code = self.error.map(|error| &*error.code),
                    reason = self.error.and_then(|error| error.internal.as_deref()),
                    received = self.received,
                    sent = self.sent,
                    micros = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX),
                    cut = self.cut,
                    $message
                )
            };
        }
        match self.status {
            StatusCode::INTERNAL_SERVER_ERROR => line!(error, "request failed"),
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => line!(info, "request refused"),
            _ => line!(debug, "request"),
        }
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

/// No further connection could be accepted.
#[derive(Debug)]
pub struct AcceptFailed<'a> {
    /// Why.
    pub error: &'a std::io::Error,
}

impl AcceptFailed<'_> {
    /// Writes it.
    pub fn emit(&self) {
        tracing::warn!(error = %self.error, "a connection cannot be accepted; trying again");
    }
}

/// A connection ended in error: most often the client's going away.
#[derive(Debug)]
pub struct ConnectionFailed<'a> {
    /// The other end.
    pub peer: SocketAddr,
    /// Why.
    pub error: &'a (dyn Error + 'a),
}

impl ConnectionFailed<'_> {
    /// Writes it.
    pub fn emit(&self) {
        tracing::debug!(peer = %self.peer, error = %self.error, "a connection ended in error");
    }
}

/// The server answers from now on.
#[derive(Debug)]
pub struct Ready<'a> {
    /// Where.
    pub address: &'a str,
    /// Since the process began.
    pub took: Duration,
}

impl Ready<'_> {
    /// Writes it.
    pub fn emit(&self) {
        let millis = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(address = self.address, millis, "ready");
    }
}

/// No more connections are accepted.
#[derive(Debug)]
pub struct Draining {
    /// Time that requests in flight have.
    pub limit: Duration,
}

impl Draining {
    /// Writes it.
    pub fn emit(&self) {
        tracing::info!(seconds = self.limit.as_secs(), "stopping: requests in flight are finished");
    }
}

/// The last request is answered, or the time is up.
#[derive(Debug)]
pub struct Drained {
    /// Whether all were answered.
    pub clean: bool,
}

impl Drained {
    /// Writes it.
    pub fn emit(&self) {
        if self.clean {
            tracing::info!("stopped: every request was answered");
        } else {
            tracing::warn!("stopped: time was up before every request was answered");
        }
    }
}

/// A new certificate is in use.
#[derive(Debug)]
pub struct CertificateReloaded<'a> {
    /// Its file.
    pub certificate: &'a Path,
}

impl CertificateReloaded<'_> {
    /// Writes it.
    pub fn emit(&self) {
        tracing::info!(certificate = %self.certificate.display(), "the certificate was read again");
    }
}

/// The files of certificate and key changed and cannot be used.
#[derive(Debug)]
pub struct CertificateKept<'a> {
    /// Why.
    pub error: &'a (dyn Error + 'a),
}

impl CertificateKept<'_> {
    /// Writes it.
    pub fn emit(&self) {
        tracing::warn!(error = %self.error, "the new certificate cannot be used; the old one stays");
    }
}

/// A setting that means nothing.
#[derive(Debug)]
pub struct SettingIgnored<'a> {
    /// What is wrong with it.
    pub reason: &'a str,
}

impl SettingIgnored<'_> {
    /// Writes it.
    pub fn emit(&self) {
        tracing::warn!(reason = self.reason, "a setting is ignored");
    }
}

/// A lifecycle rule did something to an object or an upload. Target `refract::lifecycle`, at `debug`.
#[derive(Debug)]
pub struct LifecycleActed<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// The key.
    pub key: &'a str,
    /// Id of the rule.
    pub rule: &'a str,
    /// What it did: `expire`, `remove-marker`, `remove-noncurrent`, `transition`, `abort-upload`; `locked` and
    /// `passed-over` where it could not.
    pub action: &'static str,
}

impl LifecycleActed<'_> {
    /// Writes and counts it.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.lifecycle.get_or_create(&ActionLabels { action: Word(self.action) }).inc();
        tracing::debug!(
            target: "refract::lifecycle",
            bucket = self.bucket,
            key = self.key,
            rule = self.rule,
            action = self.action,
            "a lifecycle rule acted"
        );
    }
}

/// The lifecycle rules of a bucket could not be carried out to the end; the next pass tries again.
#[derive(Debug)]
pub struct LifecycleFailed<'a> {
    /// The bucket; empty where it is not about one.
    pub bucket: &'a str,
    /// Why.
    pub error: &'a (dyn Error + 'a),
}

impl LifecycleFailed<'_> {
    /// Writes and counts it.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.lifecycle.get_or_create(&ActionLabels { action: Word("failed") }).inc();
        tracing::warn!(target: "refract::lifecycle", bucket = self.bucket, error = %self.error, "lifecycle rules stopped");
    }
}

/// An access log was delivered.
#[derive(Debug)]
pub struct AccessLogDelivered<'a> {
    /// The bucket that is logged.
    pub bucket: &'a str,
    /// The bucket that took it.
    pub target: &'a str,
    /// Its key there.
    pub key: &'a str,
}

impl AccessLogDelivered<'_> {
    /// Writes and counts it.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.access_logs.get_or_create(&ActionLabels { action: Word("delivered") }).inc();
        let Self { bucket, target, key } = self;
        tracing::debug!(target: "refract::access_log", bucket, to = target, key, "an access log was delivered");
    }
}

/// An access log could not be kept or delivered; it is tried again.
#[derive(Debug)]
pub struct AccessLogFailed<'a> {
    /// The bucket that is logged; empty where it is not about one.
    pub bucket: &'a str,
    /// Why.
    pub error: &'a ApiError,
}

impl AccessLogFailed<'_> {
    /// Writes and counts it.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.access_logs.get_or_create(&ActionLabels { action: Word("failed") }).inc();
        let (bucket, reason) = (self.bucket, self.error.internal.as_deref());
        tracing::warn!(target: "refract::access_log", bucket, error = %self.error, reason, "an access log is held up");
    }
}

/// Lines of an access log were lost.
#[derive(Debug)]
pub struct AccessLogLost<'a> {
    /// The bucket that is logged; empty where it is not about one.
    pub bucket: &'a str,
    /// How many.
    pub lines: u64,
    /// Why.
    pub reason: &'a str,
}

impl AccessLogLost<'_> {
    /// Writes and counts it.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.access_logs.get_or_create(&ActionLabels { action: Word("lost") }).inc();
        let Self { bucket, lines, reason } = self;
        tracing::warn!(target: "refract::access_log", bucket, lines, reason, "lines of an access log were lost");
    }
}

/// Notifications were taken by their target.
#[derive(Debug)]
pub struct NotificationsDelivered<'a> {
    /// The target.
    pub target: &'a str,
    /// How many.
    pub count: usize,
}

impl NotificationsDelivered<'_> {
    /// Writes and counts it.
    pub fn emit(&self, metrics: &Metrics) {
        let count = self.count as u64;
        metrics.notifications.get_or_create(&ActionLabels { action: Word("delivered") }).inc_by(count);
        tracing::debug!(target: "refract::notification", to = self.target, count, "notifications were delivered");
    }
}

/// A target did not take notifications; they are tried again.
#[derive(Debug)]
pub struct NotificationFailed<'a> {
    /// The target.
    pub target: &'a str,
    /// Why.
    pub reason: &'a str,
}

impl NotificationFailed<'_> {
    /// Writes and counts it.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.notifications.get_or_create(&ActionLabels { action: Word("failed") }).inc();
        let Self { target, reason } = self;
        tracing::warn!(target: "refract::notification", to = target, reason, "a notification is held up");
    }
}

/// Notifications were given up.
#[derive(Debug)]
pub struct NotificationDropped<'a> {
    /// The bucket; empty where it is not known any more.
    pub bucket: &'a str,
    /// The target; empty where it is about several.
    pub target: &'a str,
    /// How many.
    pub count: usize,
    /// Why.
    pub reason: &'a str,
}

impl NotificationDropped<'_> {
    /// Writes and counts it.
    pub fn emit(&self, metrics: &Metrics) {
        let count = self.count as u64;
        metrics.notifications.get_or_create(&ActionLabels { action: Word("dropped") }).inc_by(count);
        let Self { bucket, target, reason, .. } = self;
        tracing::error!(target: "refract::notification", bucket, to = target, count, reason, "notifications were dropped");
    }
}

/// An event for a function was taken, tried, or given up.
#[derive(Debug)]
pub struct FunctionEvent<'a> {
    /// The function's name.
    pub function: &'a str,
    /// The event's id.
    pub id: &'a str,
    /// What became of it: `accepted`, `refused`, `failed` and tried again, `delivered`, `dropped`.
    pub action: &'static str,
    /// Why, where there is something to say.
    pub reason: Option<&'a str>,
}

impl FunctionEvent<'_> {
    /// Writes and counts it.
    pub fn emit(&self, metrics: &Metrics) {
        let Self { function, id, action, reason } = self;
        metrics.function_events.get_or_create(&ActionLabels { action: Word(self.action) }).inc();
        if matches!(self.action, "dropped" | "refused") {
            tracing::warn!(target: "refract::function", function, id, action, reason, "an event was not delivered");
        } else {
            tracing::debug!(target: "refract::function", function, id, action, reason, "an event");
        }
    }
}

/// Something came of messages that a function consumes.
#[derive(Debug)]
pub struct FunctionBatch<'a> {
    /// The function's name.
    pub function: &'a str,
    /// UUID of the event source mapping.
    pub mapping: &'a str,
    /// What: `delivered`, `filtered` and passed by, `failed` and tried again, `moved` to the destination of failures,
    /// `dropped`.
    pub action: &'static str,
    /// How many.
    pub count: usize,
}

impl FunctionBatch<'_> {
    /// Writes and counts it.
    pub fn emit(&self, metrics: &Metrics) {
        let Self { function, mapping, action, count } = self;
        let labels = ActionLabels { action: Word(self.action) };
        metrics.function_messages.get_or_create(&labels).inc_by(self.count as u64);
        if self.action == "dropped" {
            tracing::error!(target: "refract::function", function, mapping, count, "messages were given up");
        } else {
            tracing::debug!(target: "refract::function", function, mapping, action, count, "messages");
        }
    }
}
