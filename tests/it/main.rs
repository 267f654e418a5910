//! The integration tests: one binary, a module a behaviour.
#![allow(clippy::unwrap_used, clippy::panic, reason = "what helps a test may fail it")]

mod client;
mod code;
mod differential;
mod heads;
mod identities;
mod idle;
mod process;
mod remote;
mod story;
mod support;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "wasm")]
mod wasm;
mod webhook;
#[cfg(feature = "tls")]
mod webhook_tls;
