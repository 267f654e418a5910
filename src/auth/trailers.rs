//! Trailing headers of a body, there once it was read to its end.

use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;

/// A handle on a body's trailing headers. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Trailers(Arc<Mutex<HeaderMap>>);

impl Trailers {
    /// The trailers so far: empty until the body ended.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what the body's end brought.
    pub fn set(&self, headers: HeaderMap) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = headers;
    }
}
