//! Whether a write keeps what was there.

use serde::{Deserialize, Serialize};

/// The versioning state of a bucket (S3 user guide, "How S3 Versioning works"). From `Off` there is no way back to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    /// Never enabled: a write replaces what was there.
    #[default]
    Off,
    /// Each write makes a version, each delete a marker.
    Enabled,
    /// A write replaces the null version; the others stay.
    Suspended,
}

impl Versioning {
    /// Whether objects may have versions, and answers name them.
    #[must_use]
    pub fn is_known(self) -> bool {
        self != Self::Off
    }
}
