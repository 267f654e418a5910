//! The process of a worker: started, watched, frozen, and ended with all that it has started.

use std::fs;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child as StdChild, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::sync::watch;

use crate::function::sandbox::cgroup::Group;
use crate::priority::stand_behind;

use super::output::Output;

/// Names a worker in the environment of its processes, by which those are found that left its process group.
pub(super) const MARK: &str = "REFRACT_WORKER";

/// Between two looks at processes that were killed, at first and at last: a minute passes until then.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LAST_PAUSE: Duration = Duration::from_secs(20);

/// A process, which ends with this value.
#[derive(Debug)]
pub(super) struct Child {
    pid: Pid,
    mark: String,
    exited: watch::Receiver<Option<ExitStatus>>,
    /// Its limits.
    group: Option<Arc<Group>>,
    /// Processor time that was told of, in microseconds.
    told_cpu: AtomicU64,
    /// Whether its group is being ended.
    ending: AtomicBool,
    /// What it writes.
    pub(super) output: Arc<Output>,
}

impl Child {
    /// Starts a process, its output in a pipe, in a group of processes and, where there is one, a control group.
    pub(super) fn spawn(command: &mut Command, mark: &str, group: Option<Group>) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        command.env(MARK, mark).stdout(writer.try_clone()?).stderr(writer).process_group(0);
        let mut child = command.spawn()?;
        if let Some(group) = &group
            && let Err(error) = group.add(child.id())
        {
            child.kill()?;
            child.wait()?;
            return Err(error);
        }
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let Some(pid) = pid else {
            child.kill()?;
            return Err(io::Error::other("the process has no id"));
        };
        let (sender, exited) = watch::channel(None);
        let waiter = std::thread::Builder::new().name("function-wait".to_owned()).stack_size(64 << 10);
        if let Err(error) = waiter.spawn(move || wait(child, &sender)) {
            kill_process_group(pid, Signal::KILL).ok();
            return Err(error);
        }
        Ok(Self {
            pid,
            mark: mark.to_owned(),
            exited,
            group: group.map(Arc::new),
            told_cpu: AtomicU64::new(0),
            ending: AtomicBool::new(false),
            output: Output::read(reader)?,
        })
    }

    /// Waits until it has ended.
    pub(super) async fn exited(&self) -> ExitStatus {
        let mut exited = self.exited.clone();
        match exited.wait_for(Option::is_some).await.map(|status| *status) {
            Ok(Some(status)) => status,
            // Whoever waited for it is gone, which happens at the server's end alone.
            Ok(None) | Err(_) => ExitStatus::from_raw(9),
        }
    }

    fn is_over(&self) -> bool {
        self.exited.borrow().is_some()
    }

    /// Stops all its processes; they take no time until [`thaw`](Self::thaw).
    pub(super) fn freeze(&self) {
        if self.group.as_ref().is_none_or(|group| group.freeze(true).is_err()) {
            self.signal(Signal::STOP);
        }
    }

    /// Has them go on.
    pub(super) fn thaw(&self) {
        if self.group.as_ref().is_none_or(|group| group.freeze(false).is_err()) {
            self.signal(Signal::CONT);
        }
    }

    /// Limits its CPU in proportion to its memory.
    pub(super) fn limit_cpu(&self, memory_mb: u32) {
        if let Some(group) = &self.group {
            group.limit_cpu(memory_mb);
        }
    }

    /// Has it take what others leave of the processors, or compete for them by its memory again.
    pub(super) fn set_idle(&self, idle: bool, memory_mb: u32) {
        if let Some(group) = &self.group {
            group.set_idle(idle, memory_mb);
        }
    }

    /// Keeps it off one of the processors, or lets it have all of them again.
    pub(super) fn leave_one_free(&self, free: bool) {
        if let Some(group) = &self.group {
            group.leave_one_free(free);
        }
    }

    /// The most memory that it had so far, where that is counted.
    pub(super) fn peak_memory(&self) -> Option<u64> {
        self.group.as_ref()?.peak_memory()
    }

    /// Processor time that it used so far, where that is counted.
    pub(super) fn cpu_time(&self) -> Option<Duration> {
        self.group.as_ref()?.cpu_time()
    }

    /// Processor time that was told of.
    pub(super) fn told_cpu(&self) -> Duration {
        Duration::from_micros(self.told_cpu.load(Ordering::Relaxed))
    }

    /// Processor time that it used since this was last asked, where that is counted.
    pub(super) fn take_cpu(&self) -> Option<Duration> {
        let now = u64::try_from(self.cpu_time()?.as_micros()).ok()?;
        Some(Duration::from_micros(now.saturating_sub(self.told_cpu.swap(now, Ordering::Relaxed))))
    }

    fn signal(&self, signal: Signal) {
        if !self.is_over() {
            // It may have ended just now.
            kill_process_group(self.pid, signal).ok();
        }
    }

    /// Ends it and all that it has started.
    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
        if let Some(group) = &self.group {
            if !self.ending.swap(true, Ordering::Relaxed) {
                see_to_the_end(group);
            }
            return;
        }
        let mark = format!("{MARK}={}", self.mark);
        // Those that left the group. One that is starting another while this looks is found the next time.
        for _ in 0..8 {
            let found = marked(&mark);
            if found.is_empty() {
                return;
            }
            for pid in &found {
                kill_process(*pid, Signal::STOP).ok();
            }
            for pid in &found {
                kill_process(*pid, Signal::KILL).ok();
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let Some(group) = self.group.take() else { return self.kill() };
        self.signal(Signal::KILL);
        if !self.ending.load(Ordering::Relaxed) {
            // At once: the server may be ending as well.
            group.end();
        }
        see_to_the_end(&group);
    }
}

/// Ends all of a group on a thread of its own, which then lets go of it: a thousand processes are not killed in a moment,
/// and die in their own time.
fn see_to_the_end(group: &Arc<Group>) {
    let ending = Arc::clone(group);
    let end = move || {
        stand_behind();
        let mut pause = FIRST_PAUSE;
        while !ending.end() && pause < LAST_PAUSE {
            std::thread::sleep(pause);
            pause = pause.mul_f64(1.5);
        }
    };
    let thread = std::thread::Builder::new().name("function-end".to_owned()).stack_size(64 << 10);
    if let Err(error) = thread.spawn(end) {
        tracing::warn!(%error, "no thread can be had to see to the end of a function's processes");
        group.end();
    }
}

/// On a thread of its own: a process cannot be waited for otherwise without a handler for all children.
fn wait(mut child: StdChild, sender: &watch::Sender<Option<ExitStatus>>) {
    let status = child.wait().unwrap_or_else(|error| {
        tracing::error!(%error, "a function's process cannot be waited for");
        ExitStatus::from_raw(9)
    });
    sender.send_replace(Some(status));
}

/// Processes with this in their environment.
fn marked(mark: &str) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        let Some(pid) = pid else { continue };
        let Ok(environment) = fs::read(entry.path().join("environ")) else { continue };
        if environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()) {
            found.push(pid);
        }
    }
    found
}

/// Why a process ended, as Lambda words it.
pub(super) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
        // The sandbox's outer process says so of the inner one.
        (Some(137), _) => "Runtime exited with error: signal: killed".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(9)) => "Runtime exited with error: signal: killed".to_owned(),
        (None, Some(signal)) => format!("Runtime exited with error: signal: {signal}"),
        (None, None) => "Runtime exited".to_owned(),
    }
}

/// The directory of a worker, which goes with it.
#[derive(Debug)]
pub(super) struct Scratch(pub(super) PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(directory = %self.0.display(), %error, "a function's directory stays behind");
        }
    }
}
