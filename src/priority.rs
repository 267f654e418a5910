//! Work that may wait: what somebody has sent, and is large, is looked at by threads that stand behind the server's others,
//! so that it holds up nobody else's request.

use tokio::sync::oneshot;

use crate::error::ApiError;

/// Steps of niceness by which they stand behind.
pub const BEHIND: i32 = 10;

/// Bytes that are looked at here and now: hashing them takes less than a tenth of a millisecond.
const FEW: usize = 64 << 10;

/// Puts this thread behind the others. On Linux the niceness is that of a thread.
pub fn stand_behind() {
    if let Err(error) = rustix::process::nice(BEHIND) {
        tracing::debug!(%error, "a thread whose work may wait has no lower priority");
    }
}

/// Does work on a thread of its own, behind the others.
///
/// # Errors
/// 500 InternalError where no thread can be had, or the work panics.
pub async fn behind<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    let (sender, receiver) = oneshot::channel();
    let thread = std::thread::Builder::new().name("refract-behind".to_owned());
    let started = thread.spawn(move || {
        stand_behind();
        drop(sender.send(work()));
    });
    started.map_err(|error| ApiError::internal(format!("no thread can be had: {error}")))?;
    receiver.await.map_err(|error| ApiError::internal(format!("work behind the others: {error}")))
}

/// Does work on so many bytes: at once where they are few, otherwise [`behind`] the others.
///
/// # Errors
/// As [`behind`].
pub async fn on_bytes<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    if bytes <= FEW { Ok(work()) } else { behind(work).await }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_large_is_done_behind_and_what_is_small_here() {
        let here = std::thread::current().id();
        let place = || (std::thread::current().id(), rustix::process::nice(0).unwrap());
        let (thread, before) = on_bytes(FEW, place).await.unwrap();
        assert_eq!(thread, here);
        let (thread, nice) = on_bytes(FEW + 1, place).await.unwrap();
        assert!(thread != here && nice == (before + BEHIND).min(19), "{before} {nice}");
        assert!(behind(|| panic!("on purpose")).await.is_err_and(|error: ApiError| error.status == 500));
    }
}
