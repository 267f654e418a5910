//! The seam between the worker manager and what runs code: one implementation a kind of runtime.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::catalog::NetworkGrant;
use crate::catalog::lambda::Version;

use super::invocation::{FunctionError, Invocation, Output};
use super::sandbox::Isolation;

/// What a worker runs: one version of one function.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The function's name.
    pub name: String,
    /// The version.
    pub version: Arc<Version>,
    /// Account, 12 digits.
    pub account_id: String,
    /// Region of its ARN.
    pub region: String,
    /// Whether it is started beforehand, to be kept ready.
    pub provisioned: bool,
    /// Whether its last workers came to nothing: until one lasts, they take what others leave of the processors.
    pub doubtful: bool,
    /// What it may connect to beside this server.
    pub network: Arc<NetworkGrant>,
}

impl Spec {
    /// The ARN of the function, without a version.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:lambda:{}:{}:function:{}", self.region, self.account_id, self.name)
    }

    /// The longest invocation.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.version.settings.timeout_seconds.into())
    }
}

/// Why a worker cannot be started.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StartError {
    /// The function failed before it was ready.
    #[error(transparent)]
    Init(FunctionError),
    /// This server has not what it needs; the text says what to do.
    #[error("{0}")]
    Unavailable(String),
    /// The server failed; the text is for the log.
    #[error("{0}")]
    Internal(String),
}

/// Runs functions of one kind.
#[async_trait]
pub trait Runtime: Send + Sync + std::fmt::Debug + 'static {
    /// Whether it runs what names itself so: `python3.12`.
    fn takes(&self, runtime: &str) -> bool;

    /// Finds out beforehand what the first start would otherwise wait for.
    async fn prepare(&self) {}

    /// What holds its functions, once that is known; `None` where nothing needs to.
    fn isolation_now(&self) -> Option<Isolation> {
        None
    }

    /// Starts a worker and waits until it is ready.
    ///
    /// # Errors
    /// [`StartError`].
    async fn start(&self, spec: &Arc<Spec>) -> Result<Arc<dyn Worker>, StartError>;
}

/// A started function, which runs one invocation at a time. It ends when it is dropped.
#[async_trait]
pub trait Worker: Send + Sync + std::fmt::Debug + 'static {
    /// Runs an invocation, as far as its answer's first byte. The caller watches the time.
    ///
    /// # Errors
    /// What the function says or what became of it.
    async fn invoke(&self, invocation: &Invocation) -> Result<Output, FunctionError>;

    /// Waits until it is ready for another invocation, and freezes it until then. `false`: it is of no more use.
    async fn settle(&self) -> bool;

    /// Ends it with all that it has started.
    fn kill(&self);

    /// What it has written since this was last asked.
    fn take_log(&self) -> Log;

    /// Processor time that it used since this was last asked, where that is known. The first is that of its start too.
    fn take_cpu(&self) -> Option<Duration> {
        None
    }

    /// Memory that it used at most so far, where that is known, in bytes.
    fn peak_memory(&self) -> Option<u64> {
        None
    }
}

/// Lines that a function wrote.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// The last of them.
    pub text: Vec<u8>,
    /// Bytes before those, which were not kept.
    pub dropped: u64,
}
