//! Where a worker is started. One server has one answer; a cluster will have another.

use super::runtime::Spec;

/// A place for a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In this server.
    Here,
}

/// Decides where workers are started.
pub trait Placement: Send + Sync + std::fmt::Debug + 'static {
    /// The place for a new worker.
    fn place(&self, spec: &Spec) -> Place;
}

/// Everything in this server.
#[derive(Debug, Clone, Copy, Default)]
pub struct Here;

impl Placement for Here {
    fn place(&self, _: &Spec) -> Place {
        Place::Here
    }
}
