//! Work that may wait: what somebody has sent, and is large, is looked at by threads that stand behind the server's others,
//! so that it holds up nobody else's request.

use std::io;

use tokio::sync::oneshot;

use crate::error::ApiError;

/// Steps of niceness by which they stand behind.
pub const BEHIND: i32 = 10;

/// Bytes that are looked at here and now: hashing them takes less than a tenth of a millisecond.
const FEW: usize = 64 << 10;

/// Nanoseconds of one turn of what stands behind: the least that Linux takes.
const TURN: u64 = 100_000;

/// Puts this thread behind the others. On Linux the niceness is that of a thread.
pub fn stand_behind() {
    be_nicer(BEHIND);
}

/// Has this thread, which works for somebody who waits, give way to those that answer requests.
pub fn step_back() {
    be_nicer(BEHIND / 2);
}

fn be_nicer(steps: i32) {
    let behind = rustix::process::nice(steps).map_err(io::Error::from);
    if let Err(error) = behind.and_then(|_| take_short_turns()) {
        tracing::debug!(%error, "a thread whose work may wait has no lower priority");
    }
}

/// Has this thread, and what it starts, take short turns on the processor. Whatever its weight, Linux lets a thread end the
/// turn that it has begun before another that has woken may go on, and a turn is some milliseconds long; from version 6.12
/// on a thread may ask for shorter ones. Before that, this does nothing.
///
/// # Errors
/// The kernel's.
#[allow(unsafe_code, reason = "there is no other way to this call")]
pub fn take_short_turns() -> io::Result<()> {
    let attributes = SchedulingAttributes {
        size: ATTRIBUTES,
        flags: KEEP_POLICY,
        nice: rustix::process::nice(0)?,
        runtime: TURN,
        ..SchedulingAttributes::default()
    };
    // SAFETY: the kernel reads as many bytes as `size` says, and writes none.
    let done = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// SCHED_FLAG_KEEP_POLICY: whoever starts the server may have chosen another than the usual one.
const KEEP_POLICY: u64 = 0x08;

/// Length in bytes of what the kernel is told, SCHED_ATTR_SIZE_VER0.
const ATTRIBUTES: u32 = 48;

/// `struct sched_attr` of sched_setattr(2), as it first was.
#[derive(Debug, Default)]
#[repr(C)]
struct SchedulingAttributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
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

    fn is_new_kernel() -> bool {
        let release = rustix::system::uname().release().to_string_lossy().into_owned();
        let mut numbers = release.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
        (numbers.next(), numbers.next()) >= (Some(6), Some(12))
    }

    #[test]
    fn attributes_are_as_long_as_they_say() {
        assert_eq!(size_of::<SchedulingAttributes>(), ATTRIBUTES as usize);
    }

    #[tokio::test]
    async fn what_is_large_is_done_behind_and_what_is_small_here() {
        let here = std::thread::current().id();
        let place = || (std::thread::current().id(), rustix::process::nice(0).unwrap());
        let (thread, before) = on_bytes(FEW, place).await.unwrap();
        assert_eq!(thread, here);
        let (thread, nice) = on_bytes(FEW + 1, place).await.unwrap();
        assert!(thread != here && nice == (before + BEHIND).min(19), "{before} {nice}");
        let turn = behind(|| std::fs::read_to_string("/proc/thread-self/sched")).await.unwrap();
        // Not every kernel shows it, and older ones have no turns of one's own.
        if let Some(line) =
            turn.ok().and_then(|all| Some(all.lines().find(|l| l.starts_with("se.slice"))?.to_owned()))
            && is_new_kernel()
        {
            assert_eq!(line.rsplit(' ').next().unwrap(), TURN.to_string());
        }
        assert!(behind(|| panic!("on purpose")).await.is_err_and(|error: ApiError| error.status == 500));
    }
}
