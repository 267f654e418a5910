//! Server access logs: one line for each request to a bucket that is logged, delivered in the background as objects of
//! another bucket (S3 user guide, "Logging requests with server access logging").
//!
//! - [`operation`]: what a request is called in a log.
//! - [`record`]: a line.
//! - [`notes`]: what an operation adds to the lines of its request.
//! - [`begun`]: a request under way, and its lines once it is answered.
//! - [`acted`]: what lifecycle rules did, which no request asked for.
//! - [`inbox`]: lines on their way to the worker.
//! - [`permit`]: whether the service may deliver into a bucket.
//! - [`worker`]: gathers lines, keeps them across a crash, delivers them.

pub mod acted;
pub mod begun;
pub mod inbox;
mod key;
pub mod notes;
pub mod operation;
pub mod permit;
pub mod record;
mod spool;
#[cfg(test)]
mod tests;
pub mod worker;

pub use acted::Acted;
pub use begun::{Answer, Begun};
pub use inbox::Inbox;
pub use notes::{Notes, Part};
pub use worker::{Options, Worker};
