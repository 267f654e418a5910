//! One invocation: what a function is given, and what it answers.

use std::time::{Duration, Instant};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde_json::json;
use tokio::sync::mpsc;

/// Bytes of an answer that is not streamed (Lambda quotas, "Invocation payload").
pub const MAX_PAYLOAD: usize = 6 * 1024 * 1024 + 100;

/// What a function is given.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Its id, a UUID.
    pub request_id: String,
    /// The event: JSON.
    pub event: Bytes,
    /// The ARN by which the function was called.
    pub invoked_arn: String,
    /// The caller's ClientContext: JSON.
    pub client_context: Option<String>,
    /// When the function's time is over.
    pub deadline: Instant,
    /// The same in milliseconds since 1970, as the runtime is told.
    pub deadline_ms: i64,
}

/// A function's answer.
#[derive(Debug)]
pub enum Output {
    /// All of it.
    Whole(Bytes),
    /// As it comes. An error is the last item.
    Stream(mpsc::Receiver<Result<Bytes, FunctionError>>),
}

/// The function failed: what Lambda answers with `X-Amz-Function-Error`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct FunctionError {
    /// Why, as a word: `Runtime.ExitError`.
    pub kind: String,
    /// The document that the caller reads.
    pub payload: Bytes,
    /// Whether its time was over.
    pub timed_out: bool,
}

impl FunctionError {
    /// One that the function itself reported.
    #[must_use]
    pub fn reported(kind: impl Into<String>, payload: Bytes) -> Self {
        Self { kind: kind.into(), payload, timed_out: false }
    }

    /// One that the platform found.
    #[must_use]
    pub fn found(kind: &str, message: &str) -> Self {
        let payload = json!({ "errorType": kind, "errorMessage": message }).to_string();
        Self { kind: kind.to_owned(), payload: payload.into(), timed_out: false }
    }

    /// Its time was over.
    #[must_use]
    pub fn timed_out(request_id: &str, limit: Duration) -> Self {
        let message =
            format!("RequestId: {request_id} Error: Task timed out after {:.2} seconds", limit.as_secs_f64());
        Self { timed_out: true, ..Self::found("Sandbox.Timedout", &message) }
    }

    /// The message that the function gave, for people.
    #[must_use]
    pub fn message(&self) -> String {
        serde_json::from_slice::<serde_json::Value>(&self.payload)
            .ok()
            .and_then(|document| Some(document.get("errorMessage")?.as_str()?.to_owned()))
            .unwrap_or_default()
    }
}

/// A random UUID (RFC 9562, version 4).
///
/// # Errors
/// No random bytes.
pub fn uuid() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    let bits = (u128::from_be_bytes(bytes) & !(0xF000 << 64 | 0xC000 << 48)) | 0x4000 << 64 | 0x8000 << 48;
    let hex = HEXLOWER.encode(&bits.to_be_bytes());
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    Ok([part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_random_uuids() {
        let id = uuid().unwrap();
        assert_eq!((id.len(), id.chars().nth(14)), (36, Some('4')));
        assert!("89ab".contains(id.chars().nth(19).unwrap()), "{id}");
        assert_ne!(id, uuid().unwrap());
    }

    #[test]
    fn a_timeout_reads_as_awss() {
        let error = FunctionError::timed_out("r1", Duration::from_millis(3_004));
        assert_eq!(error.message(), "RequestId: r1 Error: Task timed out after 3.00 seconds");
        assert_eq!(error.kind, "Sandbox.Timedout");
    }
}
