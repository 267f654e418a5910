//! Functions: what stands behind an Object Lambda access point.
//!
//! Built-in ones run in the server:
//! - [`builtin`]: the built-in transforms as functions, by reserved name or registered with a payload.
//! - [`run`]: one run of a transform over one object, stepwise on the blocking pool.
//! - [`wasm`]: Wasm components, in the server.
//! - [`webhook`], [`aws`]: those that another server runs.
//!
//! Those that run code pass through these files, from an event to an answer:
//! - [`platform`]: what is called, by the Lambda API and by Object Lambda; `running`: one invocation.
//! - [`registry`]: from name and qualifier to the version that runs.
//! - [`manager`], with its books in `pool`, `provision` and `setback`: a warm worker, a new one, or the queue;
//!   [`placement`] says where.
//! - [`runtime`]: the seam. Behind it, one folder or file a runtime: [`process`], held by [`sandbox`].
//! - [`invocation`], [`log`]: what goes in and comes out; [`events`]: what is delivered later, and tried again.
//! - [`polling`]: functions that consume queues; [`permission`]: whether a service may invoke a function.
//! - [`metering`]: what all functions used, whatever runs them; [`network`]: what they may connect to.
//!
//! Beside them: [`package`] and [`code`], the deployment packages; [`temporary`], keys that last as long as a worker;
//! `holdback`, failures that are told one after the other.

pub mod aws;
pub mod builtin;
pub mod code;
mod components;
pub mod events;
mod holdback;
pub mod invocation;
pub mod log;
pub mod manager;
pub mod metering;
pub mod network;
pub mod package;
pub mod permission;
pub mod placement;
pub mod platform;
pub mod polling;
mod pool;
pub mod process;
mod provision;
pub mod registry;
pub mod role;
pub mod run;
mod running;
pub mod runtime;
pub mod sandbox;
mod setback;
pub mod temporary;
#[cfg(feature = "wasm")]
pub mod wasm;
#[cfg(not(feature = "wasm"))]
#[path = "wasm_absent.rs"]
pub mod wasm;
pub mod webhook;
#[cfg(feature = "tls")]
mod webhook_tls;

pub use builtin::{Functions, Lookup, PrepareError, Prepared, check};
pub use platform::Platform;
pub use run::{RunError, Runner};
