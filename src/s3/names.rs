//! What the plane asks of access points: they share their names with buckets.

use crate::error::ApiError;
use crate::policy::Via;

use super::copy::SourceName;

/// Where the source of a copy is.
#[derive(Debug, Clone)]
pub struct Place {
    /// The bucket's own name.
    pub bucket: String,
    /// The access point that names it.
    pub via: Option<Via>,
}

/// What access points have to say about the names of buckets.
pub trait Names: Send + Sync + std::fmt::Debug {
    /// The bucket behind the source of a copy, and how it is reached.
    ///
    /// # Errors
    /// 400 InvalidRequest for an Object Lambda access point, which cannot be a source; 404 for an access point that
    /// is not there.
    fn source(&self, source: &SourceName<'_>) -> Result<Place, ApiError>;

    /// Whether a bucket may take a name.
    ///
    /// # Errors
    /// 400 InvalidBucketName for one that would be taken for a point's.
    fn may_create_bucket(&self, name: &str) -> Result<(), ApiError>;

    /// Whether a bucket may go.
    ///
    /// # Errors
    /// 409 BucketHasAccessPointsAttached.
    fn may_delete_bucket(&self, name: &str) -> Result<(), ApiError>;
}
