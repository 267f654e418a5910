//! Why a run of a function ended before its end, in the words of the server.

use std::time::Duration;

use wasmtime::Store;

use super::host::Host;
use crate::function::RunError;
use crate::store::BodyError;

/// A reason of the host's own, which travels through wasmtime as the cause of a trap.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Stop {
    /// The object could not be read.
    #[error("{0}")]
    Input(BodyError),
    /// The output is too long.
    #[error("the output reached its cap")]
    OutputCap,
    /// Its time is over.
    #[error("it ran for {} seconds", .0.as_secs_f64())]
    Deadline(Duration),
}

/// What becomes of a trap: the client learns what kind it was, the log the rest.
pub(super) fn explain(error: &wasmtime::Error, store: &Store<Host>, output_cap: RunError) -> RunError {
    match error.downcast_ref::<Stop>() {
        Some(Stop::Input(error)) => return RunError::Input(error.clone()),
        Some(Stop::OutputCap) => return output_cap,
        Some(Stop::Deadline(limit)) => return RunError::Timeout(*limit),
        None => {}
    }
    if let Some(full) = error.downcast_ref::<wasmtime::PoolConcurrencyLimitError>() {
        return RunError::Busy(full.to_string());
    }
    let host = store.data();
    let message = if host.is_out_of_memory() {
        "The function ran out of memory".to_owned()
    } else if let Some(trap) = error.downcast_ref::<wasmtime::Trap>() {
        format!("The function failed: {trap}")
    } else if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
        format!("The function failed: it exited with code {}", exit.0)
    } else {
        "The function failed".to_owned()
    };
    RunError::Failed { message, internal: format!("{error:#}; it printed: {}", host.printed()) }
}
