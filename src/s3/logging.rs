//! PutBucketLogging, GetBucketLogging. Logs are delivered by [`crate::access_log`].

use http::{HeaderValue, StatusCode, header};
use s3s::dto;
use s3s::{S3Request, S3Response, S3Result};

use crate::access_log::permit::{self, Source};
use crate::bucket::logging::{DateSource, KeyFormat, Logging};
use crate::bucket::{Grant, Ownership, Permission, malformed};
use crate::error::ApiError;
use crate::store::Bucket;

use super::{Api, acl};

pub(super) fn get(
    api: &Api,
    input: &dto::GetBucketLoggingInput,
) -> S3Result<S3Response<dto::GetBucketLoggingOutput>> {
    let bucket = api.bucket(&input.bucket)?;
    let logging = bucket.config.logging.as_ref();
    let mut response = S3Response::new(dto::GetBucketLoggingOutput {
        logging_enabled: logging.map(|logging| shown(api, logging)),
    });
    let changed = logging.map(|logging| crate::clock::system_time(logging.changed));
    if let Some(changed) = changed.and_then(|at| HeaderValue::try_from(httpdate::fmt_http_date(at)).ok()) {
        response.headers.insert(header::LAST_MODIFIED, changed);
    }
    Ok(response)
}

pub(super) async fn put(
    api: &Api,
    req: S3Request<dto::PutBucketLoggingInput>,
) -> S3Result<S3Response<dto::PutBucketLoggingOutput>> {
    let source = api.bucket(&req.input.bucket)?;
    let logging = match req.input.bucket_logging_status.logging_enabled {
        None => None,
        Some(document) => {
            let logging = read(api, document)?;
            logging.check()?;
            check_target(api, &logging, &source)?;
            Some(logging)
        }
    };
    api.configure(&source.name, move |bucket| {
        bucket.config.logging = match (logging, bucket.config.logging.take()) {
            (Some(new), Some(old)) if new.says_the_same(&old) => Some(old),
            (new, _) => new,
        };
        Ok(())
    })
    .await?;
    Ok(S3Response::new(dto::PutBucketLoggingOutput {}))
}

fn unfit(message: &'static str, target: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "InvalidTargetBucketForLogging", message)
        .with_detail("TargetBucket", target)
}

/// Whether the target can take the logs of a bucket.
fn check_target(api: &Api, logging: &Logging, source: &Bucket) -> Result<(), ApiError> {
    let name = logging.target.as_str();
    let absent = || unfit("The target bucket for logging does not exist", name);
    let target = api.bucket(name).map_err(|_| absent())?;
    if target.owner != source.owner {
        return Err(unfit(
            "The owner for the bucket to be logged and the target bucket must be the same.",
            name,
        ));
    }
    if target.region != source.region {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "CrossLocationLoggingProhibitted",
            "Cross-location logging not allowed. Buckets in one geographic location cannot log information to a \
             bucket in another location.",
        ));
    }
    if target.config.requester_pays {
        return Err(unfit("The target bucket for logging must not have Requester Pays enabled", name));
    }
    if target.config.object_lock.as_ref().is_some_and(|lock| lock.default.is_some()) {
        return Err(unfit("The target bucket for logging must not have a default retention period", name));
    }
    let enforced = target.config.ownership == Some(Ownership::BucketOwnerEnforced);
    if enforced && !logging.grants.is_empty() {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "AccessControlListNotSupported",
            "The bucket does not allow ACLs",
        )
        .with_detail("TargetBucket", name));
    }
    // A key such as a delivery will have.
    let key = format!("{}2026-01-01-00-00-00-0000000000000000", logging.prefix);
    let from = Source { bucket: &source.name, account: &source.owner };
    if permit::allows(&target, &key, &logging.prefix, from) {
        return Ok(());
    }
    let service = permit::SERVICE;
    let message = format!(
        "Access Denied: the target bucket's policy must let {service} put objects under the prefix, or its ACL must \
         grant WRITE and READ_ACP to the log delivery group"
    );
    Err(ApiError::new(StatusCode::FORBIDDEN, "AccessDenied", message).with_detail("TargetBucket", name))
}

fn read(api: &Api, document: dto::LoggingEnabled) -> Result<Logging, ApiError> {
    let mut grants = Vec::new();
    for grant in document.target_grants.unwrap_or_default() {
        let grantee = grant.grantee.ok_or_else(|| malformed("a Grant without a Grantee"))?;
        let permission = grant.permission.as_ref().and_then(|name| Permission::of(name.as_str()));
        let permission = permission.ok_or_else(|| malformed("a Grant without a Permission"))?;
        grants.push(Grant { grantee: acl::grantee_of(api, grantee)?, permission });
    }
    Ok(Logging {
        target: document.target_bucket,
        prefix: document.target_prefix,
        key_format: document.target_object_key_format.as_ref().map(key_format).transpose()?,
        grants,
        changed: api.clock.now(),
    })
}

fn key_format(format: &dto::TargetObjectKeyFormat) -> Result<KeyFormat, ApiError> {
    match (&format.simple_prefix, &format.partitioned_prefix) {
        (Some(_), None) => Ok(KeyFormat::Simple),
        (None, Some(partitioned)) => {
            let source = match &partitioned.partition_date_source {
                None => Some(DateSource::DeliveryTime),
                Some(named) => DateSource::NAMES
                    .into_iter()
                    .find(|(_, name)| *name == named.as_str())
                    .map(|(source, _)| source),
            };
            source
                .map(KeyFormat::Partitioned)
                .ok_or_else(|| malformed("PartitionDateSource is EventTime or DeliveryTime"))
        }
        _ => Err(malformed("TargetObjectKeyFormat has one of SimplePrefix and PartitionedPrefix")),
    }
}

fn shown(api: &Api, logging: &Logging) -> dto::LoggingEnabled {
    let format = logging.key_format.map(|format| match format {
        KeyFormat::Simple => dto::TargetObjectKeyFormat {
            simple_prefix: Some(dto::SimplePrefix::default()),
            partitioned_prefix: None,
        },
        KeyFormat::Partitioned(source) => {
            let known = DateSource::NAMES.iter().find(|(known, _)| *known == source);
            let named = known.map(|(_, name)| dto::PartitionDateSource::from_static(name));
            dto::TargetObjectKeyFormat {
                simple_prefix: None,
                partitioned_prefix: Some(dto::PartitionedPrefix { partition_date_source: named }),
            }
        }
    });
    let grants = logging.grants.iter().map(|grant| dto::TargetGrant {
        grantee: Some(acl::shown_grantee(api, &grant.grantee)),
        permission: Some(dto::BucketLogsPermission::from_static(grant.permission.name())),
    });
    let grants: Vec<_> = grants.collect();
    dto::LoggingEnabled {
        target_bucket: logging.target.clone(),
        target_grants: (!grants.is_empty()).then_some(grants),
        target_object_key_format: format,
        target_prefix: logging.prefix.clone(),
    }
}
