//! Logs of invocations, the last ones, in memory.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// Bytes of all logs together.
const MAX_BYTES: usize = 32 << 20;
/// Invocations.
const MAX_ENTRIES: usize = 10_000;

/// The log of one invocation.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The invocation's id.
    pub request_id: String,
    /// The id of the S3 request that it served, where there was one.
    pub caller_id: Option<String>,
    /// The function's name.
    pub function: String,
    /// The version that ran.
    pub version: String,
    /// When it ended.
    pub ended: Timestamp,
    /// Whether the function failed.
    pub failed: bool,
    /// What it wrote, between START and REPORT.
    pub text: String,
}

/// The last logs.
#[derive(Debug, Default)]
pub struct Logs(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl Logs {
    /// Keeps one.
    pub fn keep(&self, entry: Entry) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += entry.text.len();
        kept.entries.push_back(entry);
        while kept.bytes > MAX_BYTES || kept.entries.len() > MAX_ENTRIES {
            let Some(old) = kept.entries.pop_front() else { break };
            kept.bytes -= old.text.len();
        }
    }

    /// The last logs of a function, the oldest first; of one request, by its id or its caller's, where one is named.
    #[must_use]
    pub fn find(&self, function: &str, request_id: Option<&str>, limit: usize) -> Vec<Entry> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_meant = |entry: &&Entry| {
            entry.function == function
                && request_id
                    .is_none_or(|id| entry.request_id == id || entry.caller_id.as_deref() == Some(id))
        };
        let mut found: Vec<Entry> = kept.entries.iter().rev().filter(is_meant).take(limit).cloned().collect();
        found.reverse();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, text: String) -> Entry {
        Entry {
            request_id: id.into(),
            caller_id: Some(format!("S3{id}")),
            function: "f".into(),
            version: "1".into(),
            ended: Timestamp::UNIX_EPOCH,
            failed: false,
            text,
        }
    }

    #[test]
    fn the_last_ones_are_kept_and_found_by_either_id() {
        let logs = Logs::default();
        for id in 0..40 {
            logs.keep(entry(&id.to_string(), "x".repeat(1 << 20)));
        }
        assert_eq!(logs.find("f", None, 100).len(), 32);
        assert_eq!(logs.find("f", Some("39"), 9).len(), 1);
        assert_eq!(logs.find("f", Some("S339"), 9).len(), 1);
        assert!(logs.find("f", Some("1"), 9).is_empty() && logs.find("g", None, 9).is_empty());
    }
}
