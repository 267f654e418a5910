//! The gate of the operations that s3s parses: every one of them passes here, and what is unknown is denied.

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

use crate::auth::Principal;
use crate::policy;

/// Asks [`policy`] before an operation's input is read.
#[derive(Debug)]
pub(super) struct Gate;

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = cx.s3_op().name().to_owned();
        let principal = cx.extensions_mut().get::<Principal>();
        policy::authorize(principal, &operation).map_err(Into::into)
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
