//! The process of a worker: started, watched, frozen, and ended with all that it has started.

use std::fs;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child as StdChild, Command, ExitStatus, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::sync::watch;

use super::environment::Variables;
use super::output::Output;

/// Names a worker in the environment of its processes, by which those are found that left its process group.
pub(super) const MARK: &str = "REFRACT_WORKER";

/// A process, which ends with this value.
#[derive(Debug)]
pub(super) struct Child {
    pid: Pid,
    mark: String,
    exited: watch::Receiver<Option<ExitStatus>>,
    /// What it writes.
    pub(super) output: Arc<Output>,
}

impl Child {
    /// Starts a process in a group of its own, with these variables and no others.
    pub(super) fn spawn(
        mut command: Command,
        variables: &Variables,
        directory: &Path,
        mark: &str,
    ) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        command
            .current_dir(directory)
            .env_clear()
            .envs(variables)
            .env(MARK, mark)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .process_group(0);
        let mut child = command.spawn()?;
        // The command holds the pipe's other end.
        drop(command);
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
        Ok(Self { pid, mark: mark.to_owned(), exited, output: Output::read(reader)? })
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
        self.signal(Signal::STOP);
    }

    /// Has them go on.
    pub(super) fn thaw(&self) {
        self.signal(Signal::CONT);
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
        self.kill();
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
