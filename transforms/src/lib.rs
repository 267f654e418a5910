//! Transforms of object bodies: what a lens does to the bytes that pass through it.
//!
//! This crate knows nothing of HTTP, S3 or async. A [`Transform`] is a parsed, checked configuration; its
//! [`start`](Transform::start) makes a [`Stage`], a push-driven machine without I/O in the manner of zlib: the
//! caller feeds slices, collects output, and may stop between any two calls. The server runs stages on a
//! blocking pool; tests run them with [`run`].
//!
//! # Layout
//! - [`stage`]: the `Transform`, `Stage` and `Context` contract, and the `run` helper.
//! - [`registry`]: name and JSON payload → `Transform`; per-request overrides.
//! - [`limits`]: caps on pixels, bytes and ratio; `meter` holds every stage to them.
//! - [`error`]: what can go wrong, by whose fault it is.
//! - `payload`: JSON → a checked struct, with errors that name the field.
//! - `table`: CSV and JSON lines as records, for `convert`, `filter` and `augment`.
//! - one file (or folder) for each transform.

pub mod augment;
pub mod compress;
pub mod convert;
pub mod decompress;
pub mod error;
pub mod filter;
pub mod identity;
pub mod image;
pub mod limits;
mod meter;
mod payload;
pub mod pipeline;
pub mod redact;
pub mod registry;
pub mod stage;
mod table;
#[cfg(test)]
mod testing;

pub use error::{PayloadError, TransformError};
pub use limits::Limits;
pub use registry::{build, builtin_names, with_overrides};
pub use stage::{Context, Head, Identity, Input, Progress, Stage, Transform, run};
