//! What was decided about a request, for the audit log: filled at the gates, read when the answer is known.

use std::sync::{Arc, Mutex, OnceLock};

/// Denials of one request that are kept: one DeleteObjects can be denied for a thousand keys.
const MAX_DENIALS: usize = 20;

/// The trail of one request, as an extension of it.
#[derive(Debug, Clone, Default)]
pub struct Trail(Arc<Marks>);

#[derive(Debug, Default)]
struct Marks {
    operation: OnceLock<&'static str>,
    action: OnceLock<String>,
    allowed: OnceLock<String>,
    denied: Mutex<Vec<String>>,
}

impl Trail {
    /// Names the operation, once it is known.
    pub fn operation(&self, name: &'static str) {
        self.0.operation.get_or_init(|| name);
    }

    /// Names an operation that only its request knows, of IAM or STS.
    pub fn action(&self, name: &str) {
        self.0.action.get_or_init(|| name.to_owned());
    }

    /// That operation, where one was named.
    #[must_use]
    pub fn asked(&self) -> Option<&str> {
        self.0.action.get().map(String::as_str)
    }

    /// Says why a change was allowed; the first reason stays.
    pub fn allowed(&self, why: impl FnOnce() -> String) {
        self.0.allowed.get_or_init(why);
    }

    /// Says of a part of a request that it was denied while the whole goes on.
    pub fn denied(&self, why: &str) {
        if let Ok(mut denied) = self.0.denied.lock()
            && denied.len() < MAX_DENIALS
        {
            denied.push(why.to_owned());
        }
    }

    /// The operation, where one was named.
    #[must_use]
    pub fn named(&self) -> Option<&'static str> {
        self.0.operation.get().copied()
    }

    /// Why a change was allowed.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.0.allowed.get().map(String::as_str)
    }

    /// The parts that were denied.
    #[must_use]
    pub fn denials(&self) -> Vec<String> {
        self.0.denied.lock().map(|denied| denied.clone()).unwrap_or_default()
    }
}
