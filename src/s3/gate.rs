//! The gate of the operations that s3s parses: every one of them passes here before its input is read, and what is
//! unknown is denied.

use http::{HeaderMap, StatusCode};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::path::S3Path;
use s3s::{S3Result, s3_error};

use crate::auth::Principal;
use crate::error::ApiError;
use crate::policy::access::of_version;
use crate::policy::operation::{self, Subject};
use crate::policy::{Access, Asked};
use crate::store::StoreError;

use super::{Api, acl, get, version};

/// Marks a request that came through an access point.
#[derive(Debug, Clone, Copy)]
pub(super) struct ThroughPoint;

/// Asks [`Access`] before an operation's input is read.
#[derive(Debug)]
pub(super) struct Gate(pub(super) Api);

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = cx.s3_op().name().to_owned();
        let (bucket, key) = match cx.s3_path() {
            S3Path::Root => (None, None),
            S3Path::Bucket { bucket } => (Some(bucket.to_string()), None),
            S3Path::Object { bucket, key } => (Some(bucket.to_string()), Some(key.to_string())),
        };
        let (headers, uri) = (cx.headers().clone(), cx.uri().clone());
        let extensions = cx.extensions_mut();
        let principal = extensions.get::<Principal>();
        let through_point = extensions.get::<ThroughPoint>().is_some();
        let asked = Asked::of(&headers, &uri, extensions);
        let call = Call { principal, through_point, bucket: bucket.as_deref(), key: key.as_deref(), asked };
        Ok(self.0.admit(&operation, &call).await?)
    }
}

/// A request at the gate.
struct Call<'a> {
    principal: Option<&'a Principal>,
    through_point: bool,
    bucket: Option<&'a str>,
    key: Option<&'a str>,
    asked: Asked<'a>,
}

impl Api {
    async fn admit(&self, operation: &str, call: &Call<'_>) -> Result<(), ApiError> {
        let unknown = || ApiError::access_denied(format!("{operation} is not a known operation"));
        let (subject, actions) = operation::rule(operation).ok_or_else(unknown)?;
        if call.through_point && !operation::is_allowed_through_point(operation) {
            return Err(ApiError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                format!("{operation} is not allowed through an access point: use the bucket's own name"),
            ));
        }
        if subject == Subject::Service {
            return match call.principal {
                Some(_) => Ok(()),
                None if operation == "ListBuckets" => Ok(()),
                None => Err(ApiError::access_denied(format!("{operation} by an anonymous caller"))),
            };
        }
        let bucket = self.bucket(call.bucket.unwrap_or_default())?;
        let access = Access {
            principal: call.principal,
            through_point: call.through_point,
            bucket: &bucket,
            key: call.key,
            asked: call.asked,
            accounts: &self.accounts,
        };
        access.check_expected_owner()?;
        let named = get::query_pairs(call.asked.query).find(|(name, _)| name == "versionId");
        let named = named.map(|(_, value)| value.into_owned());
        match subject {
            Subject::Upload if operation == "CreateMultipartUpload" => access.allow_write()?,
            Subject::Bucket | Subject::Upload => {
                for action in actions {
                    access.allow(action, None)?;
                }
            }
            Subject::NewObject => {
                access.allow_write()?;
                acl::of_new_object(self, &access, call.asked.headers)?;
            }
            Subject::Keys => {
                // DeleteObjects names its keys in its body: each is asked for there.
                if call.key.is_some() {
                    allow_delete(&access, named.is_some(), bypasses(call.asked.headers))?;
                } else if bucket.config.policy.is_none() {
                    access.allow("s3:DeleteObject", None)?;
                }
            }
            Subject::Object => {
                let wanted = version::wanted(named.as_deref())?;
                let key = call.key.unwrap_or_default();
                let actions = actions.iter().map(|a| if named.is_some() { of_version(a) } else { a });
                match self.store.head(&bucket.name, key, wanted).await {
                    Ok(info) => {
                        for action in actions {
                            access.allow(action, Some(&info))?;
                        }
                    }
                    Err(StoreError::NoSuchKey | StoreError::NoSuchVersion | StoreError::DeleteMarker(..)) => {
                        for action in actions {
                            access.allow_missing(action)?;
                        }
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            Subject::Service => {}
        }
        Ok(())
    }
}

/// Whether a request asks to pass over governance mode.
pub(super) fn bypasses(headers: &HeaderMap) -> bool {
    let value = headers.get("x-amz-bypass-governance-retention");
    value.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}

/// Whether a key may be deleted.
pub(super) fn allow_delete(access: &Access<'_>, version: bool, bypass: bool) -> Result<(), ApiError> {
    access.allow(if version { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" }, None)?;
    if bypass { access.allow("s3:BypassGovernanceRetention", None) } else { Ok(()) }
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
