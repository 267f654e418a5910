//! What a bucket holds, and what it may hold at most.

use serde::{Deserialize, Serialize};

use super::{Result, StoreError};

/// What a bucket holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Objects, every version counted; delete markers are none.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of the parts of uploads that are not completed.
    pub upload_bytes: u64,
}

/// What a bucket may hold at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quota {
    /// Bytes of objects and of parts of uploads.
    pub max_bytes: Option<u64>,
    /// Objects, every version counted.
    pub max_objects: Option<u64>,
}

impl Usage {
    /// What objects and parts take.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.bytes.saturating_add(self.upload_bytes)
    }

    pub(in crate::store) fn add_object(&mut self, size: u64) {
        self.objects = self.objects.saturating_add(1);
        self.bytes = self.bytes.saturating_add(size);
    }

    pub(in crate::store) fn remove_object(&mut self, size: u64) {
        self.objects = self.objects.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(size);
    }

    pub(in crate::store) fn add_part(&mut self, size: u64) {
        self.upload_bytes = self.upload_bytes.saturating_add(size);
    }

    pub(in crate::store) fn remove_parts(&mut self, size: u64) {
        self.upload_bytes = self.upload_bytes.saturating_sub(size);
    }
}

impl Quota {
    /// Whether a change may be made: one that leads above a limit may not, unless it takes nothing more than before.
    ///
    /// # Errors
    /// [`StoreError::QuotaExceeded`].
    pub fn allows(&self, before: &Usage, after: &Usage) -> Result<()> {
        let exceeds = |limit: Option<u64>, before: u64, after: u64| {
            limit.is_some_and(|limit| after > limit) && after > before
        };
        if exceeds(self.max_bytes, before.total_bytes(), after.total_bytes())
            || exceeds(self.max_objects, before.objects, after.objects)
        {
            return Err(StoreError::QuotaExceeded);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_grows_above_a_limit_is_refused() {
        let quota = Quota { max_bytes: Some(10), max_objects: Some(2) };
        let usage = |objects, bytes, upload_bytes| Usage { objects, bytes, upload_bytes };
        let allows = |before, after| quota.allows(&before, &after).is_ok();
        assert!(allows(usage(0, 0, 0), usage(1, 10, 0)));
        assert!(!allows(usage(0, 0, 0), usage(1, 11, 0)) && !allows(usage(1, 5, 0), usage(1, 5, 6)));
        assert!(!allows(usage(2, 2, 0), usage(3, 3, 0)));
        assert!(allows(usage(5, 50, 0), usage(5, 49, 0)) && !allows(usage(5, 50, 0), usage(5, 51, 0)));
        assert!(Quota::default().allows(&usage(0, 0, 0), &usage(9, u64::MAX, 9)).is_ok());
    }
}
