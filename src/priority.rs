//! Work that may wait: what somebody has sent, and is large, is looked at by threads that stand behind the server's others,
//! so that it holds up nobody else's request.

use std::io;
use std::sync::LazyLock;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

use crate::error::ApiError;

/// Steps of niceness by which they stand behind.
pub const BEHIND: i32 = 10;

/// Time after which it is seen how much was left for those that take what is left of the processors, and the part of what
/// they may have that is too little.
pub const LOOK: Duration = Duration::from_millis(500);
/// See [`LOOK`].
pub const TOO_LITTLE: u32 = 8;

/// Bytes that are looked at here and now: hashing them takes less than a tenth of a millisecond.
const FEW: usize = 64 << 10;

/// Puts this thread behind the others. On Linux the niceness is that of a thread.
pub fn stand_behind() {
    if let Err(error) = rustix::process::nice(BEHIND) {
        tracing::debug!(%error, "a thread whose work may wait has no lower priority");
    }
}

/// Has this thread, for good, take what all others leave of the processors (SCHED_IDLE of sched(7)). Others then go on as
/// if it were not there, which is more than niceness does: a thread that has begun its turn ends it, some milliseconds
/// later, whatever its niceness. It goes on, but hardly, where nothing is left.
///
/// # Errors
/// The kernel's.
#[allow(unsafe_code, reason = "there is no other way to this call, and musl's function for it fails always")]
pub fn take_what_is_left() -> io::Result<()> {
    // SAFETY: all zeros is a value of this struct of numbers.
    let parameters: libc::sched_param = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel reads the parameters, and writes nothing.
    let done =
        unsafe { libc::syscall(libc::SYS_sched_setscheduler, 0, libc::SCHED_IDLE, &raw const parameters) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Keeps a thread, and what it starts, off one of the processors that the server may use, where it may use more than one;
/// or lets it have all of them. A processor that runs what is left over is not taken for idle: it takes over nobody who
/// waits for another one, so somewhere there has to be one that does. Threads may go back on their own account.
///
/// # Errors
/// The kernel's.
pub fn leave_one_free(thread: rustix::process::Pid, free: bool) -> io::Result<()> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let mut processors = sched_getaffinity(None)?;
    let first = (0..CpuSet::MAX_CPU).find(|one| processors.is_set(*one));
    if let Some(first) = first.filter(|_| free && processors.count() > 1) {
        processors.unset(first);
    }
    Ok(sched_setaffinity(Some(thread), &processors)?)
}

/// Threads that stand behind the others, and end when they had nothing to do for ten seconds. One a piece of work would cost
/// more than the work, where that is a package of some hundred kilobytes, and its end interrupts all processors.
static THREADS: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    let mut builder = Builder::new_current_thread();
    builder.thread_name("refract-behind").max_blocking_threads(16).on_thread_start(stand_behind).build()
});

/// Of [`behind`], one at a time: two would keep two processors busy.
static ONE: Semaphore = Semaphore::const_new(1);

/// Does long work on a thread behind the others, after what was asked for before.
///
/// # Errors
/// 500 InternalError where there is no such thread, or the work panics.
pub async fn behind<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    let one = ONE.acquire().await;
    let one = one.map_err(|error| ApiError::internal(format!("work behind the others: {error}")))?;
    // It goes on when nobody waits for it any more, and is the one until then.
    let work = move || {
        let _one = one;
        work()
    };
    on_thread(work).await
}

async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    let threads = THREADS.as_ref();
    let threads = threads.map_err(|error| ApiError::internal(format!("no thread can be had: {error}")))?;
    let done = threads.spawn_blocking(work).await;
    done.map_err(|error| ApiError::internal(format!("work behind the others: {error}")))
}

/// Does work on so many bytes, which is soon done: at once where they are few, otherwise behind the others.
///
/// # Errors
/// As [`behind`].
pub async fn on_bytes<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    if bytes <= FEW { Ok(work()) } else { on_thread(work).await }
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

    #[test]
    fn what_takes_what_is_left_is_idle_to_the_kernel() {
        let policy = std::thread::spawn(|| {
            take_what_is_left().unwrap();
            std::fs::read_to_string("/proc/thread-self/stat").unwrap()
        });
        // The 41st field of proc_pid_stat(5); the name ends with the last parenthesis.
        let stat = policy.join().unwrap();
        let fields = stat.rsplit(')').next().unwrap();
        assert_eq!(fields.split_whitespace().nth(38), Some(libc::SCHED_IDLE.to_string().as_str()));
    }

    #[test]
    fn one_processor_is_left_free_and_taken_again() {
        use rustix::thread::{gettid, sched_getaffinity};

        let all = sched_getaffinity(None).unwrap();
        let (told, tell) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || {
            told.send(gettid()).unwrap();
            ended.recv().unwrap_err();
        });
        let thread = tell.recv().unwrap();
        let processors = || sched_getaffinity(Some(thread)).unwrap();
        leave_one_free(thread, true).unwrap();
        assert_eq!(processors().count(), (all.count() - 1).max(1));
        leave_one_free(thread, false).unwrap();
        assert_eq!(processors(), all);
        drop(end);
        other.join().unwrap();
    }

    #[tokio::test]
    async fn long_work_is_done_one_at_a_time() {
        static AT_ONCE: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let work = || {
            let others = AT_ONCE.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(20));
            AT_ONCE.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
            others
        };
        let all = futures_util::future::join_all((0..4).map(|_| behind(work))).await;
        assert!(all.into_iter().all(|others| others.unwrap() == 0));
    }
}
