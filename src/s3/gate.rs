//! The gate of the operations that s3s parses: every one of them passes here before its input is read, and what is
//! unknown is denied.

use http::StatusCode;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::path::S3Path;
use s3s::{S3Result, s3_error};

use crate::auth::Principal;
use crate::error::ApiError;
use crate::policy::operation::{self, Need, Subject};
use crate::policy::{self, Access, Asked, Via};
use crate::store::StoreError;

use super::{Api, acl, get, version};

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
        let extensions = &*cx.extensions_mut();
        let asked = Asked::of(&headers, &uri, extensions);
        let (principal, via) = (extensions.get::<Principal>(), extensions.get::<Via>());
        let call = Call { principal, via, bucket: bucket.as_deref(), key: key.as_deref(), asked };
        Ok(self.0.admit(&operation, &call).await?)
    }
}

/// A request at the gate.
struct Call<'a> {
    principal: Option<&'a Principal>,
    via: Option<&'a Via>,
    bucket: Option<&'a str>,
    key: Option<&'a str>,
    asked: Asked<'a>,
}

impl Api {
    async fn admit(&self, operation: &str, call: &Call<'_>) -> Result<(), ApiError> {
        let unknown = || ApiError::access_denied(format!("{operation} is not a known operation"));
        let name = operation::name_of(operation).ok_or_else(unknown)?;
        if let Some(trail) = call.asked.trail {
            trail.operation(name);
        }
        let named = get::query_pairs(call.asked.query).find(|(name, _)| name == "versionId");
        let named = named.map(|(_, value)| value.into_owned());
        let needs = operation::needs(operation, call.asked.headers, named.is_some()).ok_or_else(unknown)?;
        let (subject, _) = operation::rule(operation).ok_or_else(unknown)?;
        if call.via.is_some() {
            allow_through_point(operation)?;
        }
        if subject == Subject::Service {
            return admit_to_service(operation, call, &needs);
        }
        let bucket = self.bucket(call.bucket.unwrap_or_default())?;
        let access = Access {
            principal: call.principal,
            via: call.via,
            bucket: &bucket,
            key: call.key,
            asked: call.asked,
            accounts: &self.accounts,
        };
        access.check_expected_owner()?;
        // What a copy reads is asked for when its source is found.
        let own = needs.iter().filter(|need| need.on != Subject::Source).map(|need| need.action);
        match subject {
            Subject::Upload if operation == "CreateMultipartUpload" => access.allow_write()?,
            Subject::Bucket | Subject::Upload => own.into_iter().try_for_each(|a| access.allow(a, None))?,
            Subject::NewObject => {
                access.allow_write()?;
                acl::of_new_object(self, &access, call.asked.headers)?;
            }
            // DeleteObjects names its keys in its body: each is asked for there.
            Subject::Keys if call.key.is_none() => allow_any_delete(&access)?,
            Subject::Keys => own.into_iter().try_for_each(|action| access.allow(action, None))?,
            Subject::Object => {
                let wanted = version::wanted(named.as_deref())?;
                match self.store.head(&bucket.name, call.key.unwrap_or_default(), wanted).await {
                    Ok(info) => own.into_iter().try_for_each(|action| access.allow(action, Some(&info)))?,
                    Err(StoreError::NoSuchKey | StoreError::NoSuchVersion | StoreError::DeleteMarker(..)) => {
                        own.into_iter().try_for_each(|action| access.allow_missing(action))?;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            Subject::Service | Subject::Source => return Err(unknown()),
        }
        Ok(())
    }
}

/// Whether an operation may be asked for through an access point.
///
/// # Errors
/// 405 MethodNotAllowed.
pub(super) fn allow_through_point(operation: &str) -> Result<(), ApiError> {
    if operation::is_allowed_through_point(operation) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "MethodNotAllowed",
        format!("{operation} is not allowed through an access point: use the bucket's own name"),
    ))
}

/// Operations on what is nobody's yet: the buckets of the caller, and a bucket to be.
fn admit_to_service(operation: &str, call: &Call<'_>, needs: &[Need]) -> Result<(), ApiError> {
    let Some(principal) = call.principal else {
        // Who has no key has no buckets, and may know that.
        let empty = operation == "ListBuckets";
        return if empty {
            Ok(())
        } else {
            Err(ApiError::access_denied(format!("{operation} by an anonymous caller")))
        };
    };
    let resource = format!("arn:aws:s3:::{}", call.bucket.unwrap_or("*"));
    needs.iter().try_for_each(|need| {
        policy::authorize(Some(principal), &call.asked, need.action, &resource, &principal.account_id)
    })
}

/// Turns away who could delete nothing at all. Callers that policies speak of are asked for each key.
fn allow_any_delete(access: &Access<'_>) -> Result<(), ApiError> {
    let by_policy = access
        .bucket
        .config
        .policy
        .as_ref()
        .is_some_and(|policy: &policy::ResourcePolicy| policy.policy().is_some());
    let own = access.principal.is_some_and(|caller| caller.account_id == access.bucket.owner);
    if own || by_policy || access.via.is_some() { Ok(()) } else { access.allow("s3:DeleteObject", None) }
}

/// Whether one key of several may be deleted, with its version where it names one.
pub(super) fn allow_delete(access: &Access<'_>, version: Option<&str>) -> Result<(), ApiError> {
    let query = version.map(|id| format!("versionId={id}")).unwrap_or_default();
    let access = Access { asked: Asked { query: &query, ..access.asked }, ..*access };
    let needs =
        operation::needs("DeleteObjects", access.asked.headers, version.is_some()).unwrap_or_default();
    needs.iter().try_for_each(|need| access.allow(need.action, None))
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
