//! What is the same with and without the feature `wasm`: how components are configured, and why one cannot be used.

use std::path::PathBuf;
use std::time::Duration;

use super::network::Network;

/// How components are kept and run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connects functions to what they were granted.
    pub network: Network,
    /// The data directory.
    pub data_dir: PathBuf,
    /// Keys the MAC of machine code on disk.
    pub key: [u8; 32],
    /// Instances at a time.
    pub instances: u32,
    /// Threads that run them.
    pub threads: usize,
    /// Threads that run those that have been computing for a while.
    pub long_threads: usize,
    /// Longest time of the compiler.
    pub compile_timeout: Duration,
    /// How long a request waits for an instance.
    pub queue: Duration,
}

/// Why a component cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ComponentError {
    /// It is none, or none that can run here.
    #[error("{0}")]
    Refused(String),
    /// It is being compiled for this version of the server.
    #[error("the component is being compiled; try again in a moment")]
    Compiling,
    /// The server failed.
    #[error("{0}")]
    Internal(String),
}
