//! A bound on series: names come from what users make, and each has its series for as long as the server runs.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Stands for the names that have no series of their own.
pub(super) const OTHER: &str = "(other)";

/// The names that have series of their own: the first `MOST`.
#[derive(Debug, Default)]
pub(super) struct Known<N, const MOST: usize>(Mutex<HashSet<N>>);

impl<N: Eq + Hash, const MOST: usize> Known<N, MOST> {
    /// Whether a name has series of its own, from now on if it is new and there is room.
    pub(super) fn admits(&self, name: N) -> bool {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.contains(&name) || names.len() < MOST && names.insert(name)
    }
}
