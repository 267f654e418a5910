//! The one source of time, so that tests can move it.

use std::fmt::Debug;

use jiff::Timestamp;

/// Tells the time of day.
pub trait Clock: Debug + Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A time as the standard library has it; times before 1970 become 1970.
#[must_use]
pub fn system_time(time: Timestamp) -> std::time::SystemTime {
    let since = time.duration_since(Timestamp::UNIX_EPOCH);
    std::time::UNIX_EPOCH + std::time::Duration::try_from(since).unwrap_or_default()
}
