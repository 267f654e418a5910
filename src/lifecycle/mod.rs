//! What becomes of objects with time: rules are decided on without I/O, and carried out in the background.
//!
//! - [`days`]: when a number of days is over.
//! - [`decide`]: which rule says what of one version or upload.
//! - [`worker`]: walks the buckets that have rules and does what they say.
//! - `place`: where the worker stopped, across restarts.

pub mod days;
pub mod decide;
mod place;
#[cfg(test)]
mod tests;
pub mod worker;

pub use days::Days;
pub use worker::{Options, Worker};
