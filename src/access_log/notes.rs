//! What an operation adds to the log while it runs: whether it took an ACL, and records of its own for what it does to
//! several objects.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::Extensions;

use crate::error::ApiError;
use crate::store::Bucket;

/// The notes of one request, as an extension of it. It is there only where something may be logged.
#[derive(Debug, Default)]
pub struct Notes {
    acl_required: AtomicBool,
    parts: Mutex<Vec<Part>>,
}

/// A record beside that of the request.
#[derive(Debug, Clone)]
pub struct Part {
    /// The bucket that it is about, whose log takes it.
    pub bucket: Arc<Bucket>,
    /// `BATCH.DELETE.OBJECT`, `REST.COPY.OBJECT_GET`.
    pub operation: &'static str,
    /// Key.
    pub key: String,
    /// Version, where one was named.
    pub version_id: Option<String>,
    /// Size of the object.
    pub size: Option<u64>,
    /// Status and code where it failed.
    pub failed: Option<(u16, String)>,
}

impl Part {
    /// Status and code of an error.
    #[must_use]
    pub fn failure(error: &ApiError) -> (u16, String) {
        (error.status.as_u16(), error.code.to_string())
    }
}

impl Notes {
    /// Those of a request.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get::<Arc<Self>>().map(Arc::as_ref)
    }

    /// Notes that an ACL was what allowed something.
    pub fn acl_was_required(&self) {
        self.acl_required.store(true, Ordering::Relaxed);
    }

    /// Adds a record, if its bucket is logged.
    pub fn add(&self, part: Part) {
        if part.bucket.config.logging.is_some() {
            self.parts.lock().unwrap_or_else(PoisonError::into_inner).push(part);
        }
    }

    pub(super) fn acl_required(&self) -> bool {
        self.acl_required.load(Ordering::Relaxed)
    }

    pub(super) fn take(&self) -> Vec<Part> {
        std::mem::take(&mut *self.parts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
