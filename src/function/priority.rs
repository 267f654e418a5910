//! Threads whose work may wait: they stand behind the server's others.

/// Steps of niceness by which they stand behind.
pub(super) const BEHIND: i32 = 10;

/// Puts this thread behind the others. On Linux the niceness is that of a thread.
pub(super) fn stand_behind() {
    if let Err(error) = rustix::process::nice(BEHIND) {
        tracing::debug!(%error, "a thread whose work may wait has no lower priority");
    }
}
