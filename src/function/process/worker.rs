//! One process as a worker: what the manager sees of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::function::invocation::{FunctionError, Invocation, Output};
use crate::function::runtime::{Log, StartError, Worker};
use crate::function::temporary::Issued;

use super::api::{RuntimeApi, Stage};
use super::child::{self, Child, Scratch};
use super::internal;
use super::share::Share;

/// Connections of one function's process; it needs one.
const MAX_CONNECTIONS: usize = 16;

pub(super) async fn accept(listener: TcpListener, api: Arc<RuntimeApi>) {
    let places = Arc::new(tokio::sync::Semaphore::new(MAX_CONNECTIONS));
    let mut serving = tokio::task::JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let api = Arc::clone(&api);
        serving.spawn(async move {
            api.serve(stream).await;
            drop(place);
        });
        while serving.try_join_next().is_some() {}
    }
}

/// How long a worker that has nothing to do is left as it is: freezing one and having it go on takes longer than a short
/// invocation, and the next one may be on its way.
const REST: Duration = Duration::from_millis(5);

/// Whether a worker's processes are stopped.
#[derive(Debug, Default)]
pub(super) struct Rest {
    frozen: bool,
    invocations: u64,
}

/// One process.
#[derive(Debug)]
pub(super) struct ProcessWorker {
    pub(super) child: Arc<Child>,
    pub(super) rest: Arc<Mutex<Rest>>,
    pub(super) api: Arc<RuntimeApi>,
    pub(super) serving: Vec<AbortHandle>,
    pub(super) share: Arc<Share>,
    pub(super) _key: Issued,
    pub(super) _scratch: Scratch,
}

impl ProcessWorker {
    /// Waits until the function is past its init.
    pub(super) async fn ready(&self, limit: Duration) -> Result<(), StartError> {
        let mut stage = self.api.stage();
        let reached = stage.wait_for(|stage| *stage != Stage::Starting);
        let reached = tokio::select! {
            biased;
            reached = reached => reached.map_err(internal)?.clone(),
            status = self.child.exited() => {
                let error = FunctionError::found("Runtime.ExitError", &child::describe(status));
                return Err(StartError::Init(self.explained(error)));
            }
            () = tokio::time::sleep(limit) => {
                let why = format!("Init timed out after {:.2} seconds", limit.as_secs_f64());
                return Err(StartError::Init(FunctionError::found("Sandbox.Timedout", &why)));
            }
        };
        match reached {
            Stage::InitFailed(error) => Err(StartError::Init(error)),
            Stage::Starting | Stage::Waiting | Stage::Running => {
                self.share.end_init(&self.child);
                Ok(())
            }
        }
    }

    /// Has its processes go on for another invocation.
    fn wake(&self) {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        rest.invocations += 1;
        if std::mem::take(&mut rest.frozen) {
            self.child.thaw();
        }
        drop(rest);
        self.share.begin(&self.child);
    }

    /// Stops its processes, unless there is another invocation soon.
    fn put_to_rest(&self) {
        let (rest, child) = (Arc::clone(&self.rest), Arc::downgrade(&self.child));
        let last = rest.lock().unwrap_or_else(PoisonError::into_inner).invocations;
        tokio::spawn(async move {
            tokio::time::sleep(REST).await;
            let mut rest = rest.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(child) = child.upgrade()
                && rest.invocations == last
                && !rest.frozen
            {
                child.freeze();
                rest.frozen = true;
            }
        });
    }

    /// What a process wrote before it ended at once says more than its exit code, to the log.
    fn explained(&self, error: FunctionError) -> FunctionError {
        let log = self.child.output.take();
        tracing::warn!(output = %String::from_utf8_lossy(&log.text), "a function's process ended before it was ready");
        error
    }
}

#[async_trait]
impl Worker for ProcessWorker {
    async fn invoke(&self, invocation: &Invocation) -> Result<Output, FunctionError> {
        let answer = self.api.offer(invocation.clone());
        self.wake();
        tokio::select! {
            biased;
            answer = answer => answer.unwrap_or_else(|_| {
                Err(FunctionError::found("Runtime.Unknown", "The runtime's answer was lost"))
            }),
            status = self.child.exited() => {
                let why = format!("RequestId: {} Error: {}", invocation.request_id, child::describe(status));
                Err(FunctionError::found("Runtime.ExitError", &why))
            }
        }
    }

    async fn settle(&self) -> bool {
        let mut stage = self.api.stage();
        let ready = tokio::select! {
            biased;
            waits = stage.wait_for(|stage| *stage == Stage::Waiting) => waits.is_ok(),
            _ = self.child.exited() => false,
        };
        if ready {
            self.share.end(&self.child);
            self.put_to_rest();
        }
        ready
    }

    fn kill(&self) {
        self.child.kill();
    }

    fn take_log(&self) -> Log {
        self.child.output.take()
    }

    fn take_cpu(&self) -> Option<Duration> {
        self.child.take_cpu()
    }

    fn peak_memory(&self) -> Option<u64> {
        self.child.peak_memory()
    }
}

impl Drop for ProcessWorker {
    fn drop(&mut self) {
        self.serving.iter().for_each(AbortHandle::abort);
    }
}
