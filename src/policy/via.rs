//! The points that a request passes on its way to a bucket.

use std::sync::Arc;

use crate::access_point::{PointKind, Target, point_arn};
use crate::catalog::{AccessPoint, ObjectLambda};

/// The name by which S3 Object Lambda calls other services: `aws:CalledVia`.
pub const OBJECT_LAMBDA: &str = "s3-object-lambda.amazonaws.com";

/// An Object Lambda access point with its ARN.
#[derive(Debug, Clone)]
pub struct Lens {
    /// The OLAP.
    pub point: Arc<ObjectLambda>,
    /// Its ARN.
    pub arn: String,
}

/// An access point on the way to a bucket, and the OLAP before it.
#[derive(Debug, Clone)]
pub struct Via {
    /// The access point.
    pub point: Arc<AccessPoint>,
    /// Its ARN.
    pub arn: String,
    /// The OLAP that passes the request on as it came.
    pub lens: Option<Lens>,
    /// Whether a transform of an OLAP makes the request: then `aws:CalledVia` says so.
    pub transforms: bool,
}

impl Via {
    /// Through an access point.
    #[must_use]
    pub fn access_point(point: Arc<AccessPoint>, region: &str) -> Self {
        let arn = point_arn(PointKind::AccessPoint, region, &point.account_id, &point.name);
        Self { point, arn, lens: None, transforms: false }
    }

    /// Through what a request addresses; nothing for a bucket by its own name.
    #[must_use]
    pub fn of(target: &Target, region: &str) -> Option<Self> {
        match target {
            Target::Service | Target::Bucket(_) => None,
            Target::AccessPoint(point) => Some(Self::access_point(Arc::clone(point), region)),
            Target::ObjectLambda(lens, supporting) => {
                let arn = point_arn(PointKind::ObjectLambda, region, &lens.account_id, &lens.name);
                let lens = Some(Lens { point: Arc::clone(lens), arn });
                Some(Self { lens, ..Self::access_point(Arc::clone(supporting), region) })
            }
        }
    }

    /// The way that a transform of the OLAP takes, once the OLAP itself has let the caller in.
    #[must_use]
    pub fn of_transform(&self) -> Self {
        Self { lens: None, transforms: true, ..self.clone() }
    }
}
