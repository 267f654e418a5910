//! Notifications: events of buckets are recorded before the request that made them is answered, and delivered in the
//! background, at least once, to destinations that the server's settings name.
//!
//! - [`event`]: what happened, and its message.
//! - [`notifier`]: finds who is told, and records it.
//! - [`outbox`]: messages that wait, kept across a crash.
//! - [`consumer`]: the seam: what takes messages; [`webhook`], [`queue_file`] and [`function`] do.
//! - [`queue_reader`]: reads such a file, for functions that consume it.
//! - [`address`]: which addresses a webhook may have.
//! - [`worker`]: delivers, and tries again.

pub mod address;
pub mod consumer;
pub mod event;
pub mod function;
pub mod notifier;
pub mod outbox;
pub mod queue_file;
pub mod queue_reader;
#[cfg(test)]
mod tests;
pub mod webhook;
pub mod worker;

pub use consumer::{Consumer, Consumers, Failure, Message, Options, Target, TargetKind};
pub use event::{Cause, Event, Happened};
pub use notifier::Notifier;
pub use outbox::Outbox;
pub use worker::Worker;
