//! Object lock: the retention that new objects get.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::store::{Retention, RetentionMode};

/// Object lock of a bucket that has it on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectLock {
    /// What new objects get that say nothing.
    pub default: Option<DefaultRetention>,
}

/// The retention of new objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultRetention {
    /// How strictly.
    pub mode: RetentionMode,
    /// For how long.
    pub period: Period,
}

/// How long a retention lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Period {
    /// Days, 1 to 36,500.
    Days(u32),
    /// Years of 365 days, 1 to 100.
    Years(u32),
}

impl DefaultRetention {
    /// The retention of an object that is written at `now`.
    #[must_use]
    pub fn from(&self, now: Timestamp) -> Retention {
        let days = match self.period {
            Period::Days(days) => i64::from(days),
            Period::Years(years) => i64::from(years) * 365,
        };
        let until = now.saturating_add(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MAX);
        Retention { mode: self.mode, until }
    }
}
