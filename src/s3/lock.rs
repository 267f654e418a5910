//! Object lock on the wire: the bucket's configuration, retention and legal hold of objects, and the headers of writes.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use s3s::dto::{
    self, GetObjectLegalHoldInput, GetObjectLegalHoldOutput, GetObjectLockConfigurationInput,
    GetObjectLockConfigurationOutput, GetObjectRetentionInput, GetObjectRetentionOutput, ObjectLockLegalHold,
    ObjectLockRetention, PutObjectLegalHoldInput, PutObjectLegalHoldOutput, PutObjectLockConfigurationInput,
    PutObjectLockConfigurationOutput, PutObjectRetentionInput, PutObjectRetentionOutput,
};
use s3s::{S3Request, S3Response, S3Result};

use crate::bucket::object_lock::{DefaultRetention, Period};
use crate::bucket::{ObjectLock, Versioning};
use crate::error::ApiError;
use crate::policy::operation::bypasses;
use crate::store::{Bucket, Lock, ObjectChange, ObjectInfo, Retention, RetentionMode};

use super::{Api, convert, version};

/// Days that a default retention may last (S3 user guide, "S3 Object Lock": 100 years).
const MAX_DAYS: i32 = 36_500;
/// Years that a default retention may last.
const MAX_YEARS: i32 = 100;

const MODE: &str = "x-amz-object-lock-mode";
const UNTIL: &str = "x-amz-object-lock-retain-until-date";
const HOLD: &str = "x-amz-object-lock-legal-hold";

fn malformed() -> ApiError {
    super::malformed_xml("object lock")
}

fn mode_of(name: &str) -> Option<RetentionMode> {
    match name {
        "GOVERNANCE" => Some(RetentionMode::Governance),
        "COMPLIANCE" => Some(RetentionMode::Compliance),
        _ => None,
    }
}

fn mode_name(mode: RetentionMode) -> &'static str {
    match mode {
        RetentionMode::Governance => "GOVERNANCE",
        RetentionMode::Compliance => "COMPLIANCE",
    }
}

/// 400 InvalidRequest in a bucket without object lock.
fn require_lock(bucket: &Bucket) -> Result<&ObjectLock, ApiError> {
    let missing = || ApiError::invalid_request("Bucket is missing Object Lock Configuration");
    bucket.config.object_lock.as_ref().ok_or_else(missing)
}

/// What forbids to delete an object that is about to be written, as its headers say; where they say nothing of
/// retention, the store takes the bucket's default when it writes.
///
/// # Errors
/// 400 InvalidArgument for half of a retention, an unknown mode or a time that is past; 400 InvalidRequest in a bucket
/// without object lock.
pub(super) fn of_new_object(api: &Api, bucket: &Bucket, headers: &HeaderMap) -> Result<Lock, ApiError> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let (mode, until, hold) = (text(MODE), text(UNTIL), text(HOLD));
    if mode.is_some() || until.is_some() || hold.is_some() {
        require_lock(bucket)?;
    }
    let now = api.clock.now();
    let retention = match (mode, until) {
        (None, None) => None,
        (Some(mode), Some(until)) => {
            let mode = mode_of(mode).ok_or_else(|| {
                ApiError::invalid_argument("Unknown wormMode directive").with_detail("ArgumentName", MODE)
            })?;
            let until = until.parse::<Timestamp>().map_err(|_| {
                ApiError::invalid_argument(format!("{UNTIL} must be a time in the form of ISO 8601"))
            })?;
            if until <= now {
                return Err(ApiError::invalid_argument("The retain until date must be in the future!"));
            }
            Some(Retention { mode, until })
        }
        _ => return Err(ApiError::invalid_argument(format!("{UNTIL} and {MODE} must both be supplied"))),
    };
    let legal_hold = match hold {
        None => None,
        Some("ON") => Some(true),
        Some("OFF") => Some(false),
        Some(_) => return Err(ApiError::invalid_argument("Legal Hold must be either of 'ON' or 'OFF'")),
    };
    Ok(Lock { retention, legal_hold })
}

/// Tells of a lock in the headers of GET and HEAD.
pub(super) fn describe(lock: &Lock, out: &mut HeaderMap) {
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            out.insert(HeaderName::from_static(name), value);
        }
    };
    if let Some(retention) = &lock.retention {
        set(MODE, mode_name(retention.mode));
        set(UNTIL, &format!("{:.3}", retention.until));
    }
    if let Some(held) = lock.legal_hold {
        set(HOLD, if held { "ON" } else { "OFF" });
    }
}

pub(super) fn get_configuration(
    api: &Api,
    input: &GetObjectLockConfigurationInput,
) -> S3Result<S3Response<GetObjectLockConfigurationOutput>> {
    let bucket = api.bucket(&input.bucket)?;
    let lock = bucket.config.object_lock.as_ref().ok_or_else(|| {
        ApiError::new(
            StatusCode::NOT_FOUND,
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
        )
        .with_detail("BucketName", bucket.name.as_str())
    })?;
    let rule = lock.default.as_ref().map(|default| {
        let (days, years) = match default.period {
            Period::Days(days) => (i32::try_from(days).ok(), None),
            Period::Years(years) => (None, i32::try_from(years).ok()),
        };
        let mode = Some(dto::ObjectLockRetentionMode::from_static(mode_name(default.mode)));
        dto::ObjectLockRule { default_retention: Some(dto::DefaultRetention { days, mode, years }) }
    });
    Ok(S3Response::new(GetObjectLockConfigurationOutput {
        object_lock_configuration: Some(dto::ObjectLockConfiguration {
            object_lock_enabled: Some(dto::ObjectLockEnabled::from_static("Enabled")),
            rule,
        }),
    }))
}

pub(super) async fn put_configuration(
    api: &Api,
    req: S3Request<PutObjectLockConfigurationInput>,
) -> S3Result<S3Response<PutObjectLockConfigurationOutput>> {
    let configuration = req.input.object_lock_configuration.ok_or_else(malformed)?;
    if configuration.object_lock_enabled.as_ref().map(dto::ObjectLockEnabled::as_str) != Some("Enabled") {
        return Err(malformed().into());
    }
    let default = match configuration.rule {
        None => None,
        Some(rule) => Some(default_of(&rule.default_retention.ok_or_else(malformed)?)?),
    };
    api.configure(&req.input.bucket, move |bucket| {
        if bucket.config.versioning != Versioning::Enabled {
            return Err(ApiError::new(
                StatusCode::CONFLICT,
                "InvalidBucketState",
                "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
            ));
        }
        bucket.config.object_lock = Some(ObjectLock { default });
        Ok(())
    })
    .await?;
    Ok(S3Response::new(PutObjectLockConfigurationOutput::default()))
}

fn default_of(default: &dto::DefaultRetention) -> Result<DefaultRetention, ApiError> {
    let mode = default.mode.as_ref().and_then(|mode| mode_of(mode.as_str())).ok_or_else(malformed)?;
    let within = |count: i32, most: i32, unit: &str| {
        u32::try_from(count).ok().filter(|_| (1..=most).contains(&count)).ok_or_else(|| {
            ApiError::new(
                StatusCode::BAD_REQUEST,
                "InvalidRetentionPeriod",
                format!("The default retention period must be 1 to {most} {unit}"),
            )
        })
    };
    let period = match (default.days, default.years) {
        (Some(days), None) => Period::Days(within(days, MAX_DAYS, "days")?),
        (None, Some(years)) => Period::Years(within(years, MAX_YEARS, "years")?),
        _ => return Err(malformed()),
    };
    Ok(DefaultRetention { mode, period })
}

/// The head of an object in a bucket with object lock.
async fn head(api: &Api, bucket: &str, key: &str, version: Option<&str>) -> Result<ObjectInfo, ApiError> {
    require_lock(&*api.bucket(bucket)?)?;
    Ok(api.store.head(bucket, key, version::wanted(version)?).await?)
}

fn not_set() -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "NoSuchObjectLockConfiguration",
        "The specified object does not have a ObjectLock configuration",
    )
}

pub(super) async fn get_retention(
    api: &Api,
    input: GetObjectRetentionInput,
) -> S3Result<S3Response<GetObjectRetentionOutput>> {
    let info = head(api, &input.bucket, &input.key, input.version_id.as_deref()).await?;
    let retention = info.lock.retention.ok_or_else(not_set)?;
    Ok(S3Response::new(GetObjectRetentionOutput {
        retention: Some(ObjectLockRetention {
            mode: Some(dto::ObjectLockRetentionMode::from_static(mode_name(retention.mode))),
            retain_until_date: Some(convert::timestamp(retention.until)),
        }),
    }))
}

pub(super) async fn put_retention(
    api: &Api,
    req: S3Request<PutObjectRetentionInput>,
) -> S3Result<S3Response<PutObjectRetentionOutput>> {
    let bypass_governance = bypasses(&req.headers);
    let input = req.input;
    let bucket = api.bucket(&input.bucket)?;
    require_lock(&bucket)?;
    let asked = input.retention.ok_or_else(malformed)?;
    let retention = match (asked.mode, asked.retain_until_date) {
        // An empty document takes the retention away.
        (None, None) => None,
        (Some(mode), Some(until)) => {
            let mode = mode_of(mode.as_str()).ok_or_else(malformed)?;
            let until = convert::moment(&until).ok_or_else(malformed)?;
            if until <= api.clock.now() {
                let past = "The retain until date must be in the future!";
                return Err(ApiError::invalid_argument(past).into());
            }
            Some(Retention { mode, until })
        }
        _ => return Err(malformed().into()),
    };
    let change = ObjectChange::Retention { retention, bypass_governance };
    let wanted = version::wanted(input.version_id.as_deref())?;
    api.store.update_object(&bucket, &input.key, wanted, change).await.map_err(ApiError::from)?;
    Ok(S3Response::new(PutObjectRetentionOutput::default()))
}

pub(super) async fn get_legal_hold(
    api: &Api,
    input: GetObjectLegalHoldInput,
) -> S3Result<S3Response<GetObjectLegalHoldOutput>> {
    let info = head(api, &input.bucket, &input.key, input.version_id.as_deref()).await?;
    let held = info.lock.legal_hold.ok_or_else(not_set)?;
    let status = dto::ObjectLockLegalHoldStatus::from_static(if held { "ON" } else { "OFF" });
    Ok(S3Response::new(GetObjectLegalHoldOutput {
        legal_hold: Some(ObjectLockLegalHold { status: Some(status) }),
    }))
}

pub(super) async fn put_legal_hold(
    api: &Api,
    req: S3Request<PutObjectLegalHoldInput>,
) -> S3Result<S3Response<PutObjectLegalHoldOutput>> {
    let input = req.input;
    let bucket = api.bucket(&input.bucket)?;
    require_lock(&bucket)?;
    let status = input.legal_hold.and_then(|hold| hold.status).ok_or_else(malformed)?;
    let on = match status.as_str() {
        "ON" => true,
        "OFF" => false,
        _ => return Err(malformed().into()),
    };
    let wanted = version::wanted(input.version_id.as_deref())?;
    let change = ObjectChange::LegalHold(on);
    api.store.update_object(&bucket, &input.key, wanted, change).await.map_err(ApiError::from)?;
    Ok(S3Response::new(PutObjectLegalHoldOutput::default()))
}
