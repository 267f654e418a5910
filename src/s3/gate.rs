//! The gate of the operations that s3s parses: every one of them passes here, and what is unknown is denied.

use http::StatusCode;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

use crate::auth::Principal;
use crate::error::ApiError;
use crate::policy;

/// Marks a request that came through an access point.
#[derive(Debug, Clone, Copy)]
pub(super) struct ThroughPoint;

/// Asks [`policy`] before an operation's input is read.
#[derive(Debug)]
pub(super) struct Gate;

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = cx.s3_op().name().to_owned();
        let extensions = cx.extensions_mut();
        policy::authorize(extensions.get::<Principal>(), &operation)?;
        let through_point = extensions.get::<ThroughPoint>().is_some();
        if through_point && !policy::operation::is_allowed_through_point(&operation) {
            return Err(ApiError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                format!("{operation} is not allowed through an access point: use the bucket's own name"),
            )
            .into());
        }
        Ok(())
    }
}

/// Requests are verified by [`crate::auth`] before they reach s3s and come without a signature; s3s runs its access
/// check only if it has an `S3Auth`, so it gets one that knows nobody.
#[derive(Debug)]
pub(super) struct KnowsNobody;

#[async_trait::async_trait]
impl S3Auth for KnowsNobody {
    async fn get_secret_key(&self, _access_key: &str) -> S3Result<SecretKey> {
        Err(s3_error!(AccessDenied))
    }
}
