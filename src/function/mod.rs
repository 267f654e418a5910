//! Functions: what stands behind an Object Lambda access point.
//!
//! - [`builtin`]: the built-in transforms as functions, by reserved name or registered with a payload.
//! - [`run`]: one run of a transform over one object, stepwise on the blocking pool.
//! - [`wasm`]: functions that are Wasm components.

pub mod builtin;
pub mod run;
#[cfg(feature = "wasm")]
pub mod wasm;
#[cfg(not(feature = "wasm"))]
#[path = "wasm_absent.rs"]
pub mod wasm;

pub use builtin::{Functions, Lookup, PrepareError, Prepared, check};
pub use run::{RunError, Runner};
