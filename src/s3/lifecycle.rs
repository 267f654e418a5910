//! PutBucketLifecycleConfiguration, GetBucketLifecycleConfiguration, DeleteBucketLifecycle, also in the older form
//! with its prefix at the rule, and what rules say in the answers about objects.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use s3s::dto;
use s3s::{S3Request, S3Response, S3Result};

use crate::bucket::lifecycle::{
    And, Expiration, Filter, Lifecycle, MinimumSize, Noncurrent, NoncurrentTransition, Rule, Transition, When,
};
use crate::bucket::malformed;
use crate::error::ApiError;
use crate::lifecycle::{Days, decide};
use crate::store::{Bucket, ObjectInfo, UploadInfo};

use super::{Api, convert};

pub(super) async fn put(
    api: &Api,
    req: S3Request<dto::PutBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<dto::PutBucketLifecycleConfigurationOutput>> {
    let input = req.input;
    let Some(document) = input.lifecycle_configuration else {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "MissingRequestBodyError",
            "Request body is empty: it must hold a LifecycleConfiguration",
        )
        .into());
    };
    let minimum = input.transition_default_minimum_object_size;
    let minimum_size = match minimum.as_ref().map(dto::TransitionDefaultMinimumObjectSize::as_str) {
        None | Some("all_storage_classes_128K") => MinimumSize::AllClasses,
        Some("varies_by_storage_class") => MinimumSize::Varies,
        Some(_) => {
            return Err(ApiError::invalid_argument(
                "x-amz-transition-default-minimum-object-size must be all_storage_classes_128K or \
                 varies_by_storage_class",
            )
            .into());
        }
    };
    let rules = document.rules.into_iter().map(rule_in).collect::<Result<_, _>>()?;
    let mut lifecycle = Lifecycle { rules, minimum_size };
    lifecycle.check(random_id)?;
    api.configure(&input.bucket, move |bucket| {
        bucket.config.lifecycle = Some(lifecycle);
        Ok(())
    })
    .await?;
    Ok(S3Response::new(dto::PutBucketLifecycleConfigurationOutput {
        transition_default_minimum_object_size: Some(minimum_out(minimum_size)),
    }))
}

pub(super) fn get(
    api: &Api,
    input: &dto::GetBucketLifecycleConfigurationInput,
) -> S3Result<S3Response<dto::GetBucketLifecycleConfigurationOutput>> {
    let bucket = api.bucket(&input.bucket)?;
    let Some(lifecycle) = &bucket.config.lifecycle else {
        return Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "NoSuchLifecycleConfiguration",
            "The lifecycle configuration does not exist",
        )
        .with_detail("BucketName", bucket.name.clone())
        .into());
    };
    Ok(S3Response::new(dto::GetBucketLifecycleConfigurationOutput {
        rules: Some(lifecycle.rules.iter().map(rule_out).collect()),
        transition_default_minimum_object_size: Some(minimum_out(lifecycle.minimum_size)),
    }))
}

pub(super) async fn delete(
    api: &Api,
    req: S3Request<dto::DeleteBucketLifecycleInput>,
) -> S3Result<S3Response<dto::DeleteBucketLifecycleOutput>> {
    api.configure(&req.input.bucket, |bucket| {
        bucket.config.lifecycle = None;
        Ok(())
    })
    .await?;
    Ok(S3Response::with_status(dto::DeleteBucketLifecycleOutput {}, StatusCode::NO_CONTENT))
}

/// Value of `x-amz-expiration`: when a current object goes, and by which rule. It speaks of real days, also where
/// the worker's are shorter for tests.
pub(super) fn expiration(bucket: &Bucket, key: &str, info: &ObjectInfo) -> Option<String> {
    let lifecycle = bucket.config.lifecycle.as_ref()?;
    let (date, rule) = decide::expiry(lifecycle, Days::default(), key, info)?;
    let rule = percent_encoding::utf8_percent_encode(rule, percent_encoding::NON_ALPHANUMERIC);
    Some(format!("expiry-date=\"{}\", rule-id=\"{rule}\"", http_date(date)))
}

/// Sets `x-amz-expiration`, where there is anything to say.
pub(super) fn say_expiration(bucket: &Bucket, key: &str, info: &ObjectInfo, headers: &mut HeaderMap) {
    let value = expiration(bucket, key, info);
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
        headers.insert(HeaderName::from_static("x-amz-expiration"), value);
    }
}

/// When an upload that is not finished is aborted, and by which rule.
pub(super) fn abort_of(
    bucket: &Bucket,
    key: &str,
    upload: &UploadInfo,
) -> (Option<dto::Timestamp>, Option<String>) {
    let lifecycle = bucket.config.lifecycle.as_ref();
    let due = lifecycle.and_then(|rules| decide::upload(rules, Days::default(), key, upload.initiated));
    due.map(|(date, rule)| (convert::timestamp(date), rule.to_owned())).unzip()
}

fn http_date(time: Timestamp) -> String {
    httpdate::fmt_http_date(crate::clock::system_time(time))
}

/// A random id, as for a rule that was given none.
pub(super) fn random_id() -> Result<String, ApiError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(data_encoding::HEXLOWER.encode(&bytes))
}

fn minimum_out(minimum: MinimumSize) -> dto::TransitionDefaultMinimumObjectSize {
    dto::TransitionDefaultMinimumObjectSize::from_static(match minimum {
        MinimumSize::AllClasses => dto::TransitionDefaultMinimumObjectSize::ALL_STORAGE_CLASSES_128K,
        MinimumSize::Varies => dto::TransitionDefaultMinimumObjectSize::VARIES_BY_STORAGE_CLASS,
    })
}

/// A number of days or versions; one below zero is refused as zero would be.
fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn size(bytes: i64) -> Result<u64, ApiError> {
    u64::try_from(bytes).map_err(|_| ApiError::invalid_argument("An object's size is not negative"))
}

fn rule_in(rule: dto::LifecycleRule) -> Result<Rule, ApiError> {
    let enabled = match rule.status.as_str() {
        "Enabled" => true,
        "Disabled" => false,
        other => return Err(malformed(format!("Status {other}"))),
    };
    let noncurrent = rule.noncurrent_version_expiration.map(|expiration| {
        let days = expiration.noncurrent_days.ok_or_else(|| malformed("NoncurrentDays is missing"))?;
        let keep = expiration.newer_noncurrent_versions.map(count);
        Ok::<_, ApiError>(Noncurrent { days: count(days), keep })
    });
    let abort = rule.abort_incomplete_multipart_upload.map(|abort| {
        abort.days_after_initiation.map(count).ok_or_else(|| malformed("DaysAfterInitiation is missing"))
    });
    let transitions = rule.transitions.unwrap_or_default().into_iter().map(transition_in);
    let noncurrent_transitions = rule.noncurrent_version_transitions.unwrap_or_default();
    let noncurrent_transitions = noncurrent_transitions.into_iter().map(|transition| {
        let days = transition.noncurrent_days.ok_or_else(|| malformed("NoncurrentDays is missing"))?;
        Ok::<_, ApiError>(NoncurrentTransition {
            days: count(days),
            keep: transition.newer_noncurrent_versions.map(count),
            class: class_in(transition.storage_class)?,
        })
    });
    Ok(Rule {
        id: rule.id.unwrap_or_default(),
        enabled,
        prefix: rule.prefix,
        filter: rule.filter.map(filter_in).transpose()?,
        expiration: rule.expiration.map(expiration_in).transpose()?,
        noncurrent: noncurrent.transpose()?,
        abort_days: abort.transpose()?,
        transitions: transitions.collect::<Result<_, _>>()?,
        noncurrent_transitions: noncurrent_transitions.collect::<Result<_, _>>()?,
    })
}

fn class_in(class: Option<dto::TransitionStorageClass>) -> Result<String, ApiError> {
    class.map(|class| class.as_str().to_owned()).ok_or_else(|| malformed("StorageClass is missing"))
}

fn date_in(date: &dto::Timestamp) -> Result<Timestamp, ApiError> {
    let unreadable = || ApiError::invalid_argument("'Date' must be at midnight GMT");
    let mut text = Vec::new();
    date.format(dto::TimestampFormat::DateTime, &mut text).map_err(|_| unreadable())?;
    std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).ok_or_else(unreadable)
}

fn transition_in(transition: dto::Transition) -> Result<Transition, ApiError> {
    let when = match (transition.days, transition.date) {
        (Some(days), None) => When::Days(
            u32::try_from(days)
                .map_err(|_| ApiError::invalid_argument("'Days' in Transition action must be nonnegative"))?,
        ),
        (None, Some(date)) => When::Date(date_in(&date)?),
        _ => return Err(malformed("a Transition has either Days or Date")),
    };
    Ok(Transition { when, class: class_in(transition.storage_class)? })
}

fn expiration_in(expiration: dto::LifecycleExpiration) -> Result<Expiration, ApiError> {
    match (expiration.days, expiration.date, expiration.expired_object_delete_marker) {
        (Some(days), None, None) => Ok(Expiration::Days(count(days))),
        (None, Some(date), None) => Ok(Expiration::Date(date_in(&date)?)),
        (None, None, Some(removes)) => Ok(Expiration::Marker(removes)),
        _ => Err(malformed("an Expiration has one of Days, Date and ExpiredObjectDeleteMarker")),
    }
}

fn tag_in(tag: dto::Tag) -> Result<(String, String), ApiError> {
    let key = tag.key.ok_or_else(|| malformed("a Tag has no Key"))?;
    Ok((key, tag.value.unwrap_or_default()))
}

fn filter_in(filter: dto::LifecycleRuleFilter) -> Result<Filter, ApiError> {
    let and = filter.and.map(|and| {
        let mut tags = crate::store::Tags::new();
        for tag in and.tags.unwrap_or_default() {
            let (key, value) = tag_in(tag)?;
            if tags.insert(key, value).is_some() {
                return Err(ApiError::invalid_request("Duplicate Tag Keys are not allowed."));
            }
        }
        Ok(And {
            prefix: and.prefix,
            tags,
            larger_than: and.object_size_greater_than.map(size).transpose()?,
            smaller_than: and.object_size_less_than.map(size).transpose()?,
        })
    });
    Ok(Filter {
        prefix: filter.prefix,
        tag: filter.tag.map(tag_in).transpose()?,
        larger_than: filter.object_size_greater_than.map(size).transpose()?,
        smaller_than: filter.object_size_less_than.map(size).transpose()?,
        and: and.transpose()?,
    })
}

fn rule_out(rule: &Rule) -> dto::LifecycleRule {
    let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let status = if rule.enabled { dto::ExpirationStatus::ENABLED } else { dto::ExpirationStatus::DISABLED };
    let class = |class: &String| Some(dto::TransitionStorageClass::from(class.clone()));
    let transitions = rule.transitions.iter().map(|transition| {
        let (days, date) = match transition.when {
            When::Days(days) => (Some(number(days)), None),
            When::Date(date) => (None, Some(convert::timestamp(date))),
        };
        dto::Transition { days, date, storage_class: class(&transition.class) }
    });
    let noncurrent = rule.noncurrent_transitions.iter().map(|transition| dto::NoncurrentVersionTransition {
        noncurrent_days: Some(number(transition.days)),
        newer_noncurrent_versions: transition.keep.map(number),
        storage_class: class(&transition.class),
    });
    let (transitions, noncurrent): (Vec<_>, Vec<_>) = (transitions.collect(), noncurrent.collect());
    dto::LifecycleRule {
        abort_incomplete_multipart_upload: rule
            .abort_days
            .map(|days| dto::AbortIncompleteMultipartUpload { days_after_initiation: Some(number(days)) }),
        expiration: rule.expiration.as_ref().map(|expiration| match expiration {
            Expiration::Days(days) => {
                dto::LifecycleExpiration { days: Some(number(*days)), ..Default::default() }
            }
            Expiration::Date(date) => {
                dto::LifecycleExpiration { date: Some(convert::timestamp(*date)), ..Default::default() }
            }
            Expiration::Marker(removes) => dto::LifecycleExpiration {
                expired_object_delete_marker: Some(*removes),
                ..Default::default()
            },
        }),
        filter: rule.filter.as_ref().map(filter_out),
        id: Some(rule.id.clone()),
        noncurrent_version_expiration: rule.noncurrent.map(|Noncurrent { days, keep }| {
            dto::NoncurrentVersionExpiration {
                noncurrent_days: Some(number(days)),
                newer_noncurrent_versions: keep.map(number),
            }
        }),
        noncurrent_version_transitions: (!noncurrent.is_empty()).then_some(noncurrent),
        prefix: rule.prefix.clone(),
        status: dto::ExpirationStatus::from_static(status),
        transitions: (!transitions.is_empty()).then_some(transitions),
    }
}

fn filter_out(filter: &Filter) -> dto::LifecycleRuleFilter {
    let tag = |key: &String, value: &String| dto::Tag { key: Some(key.clone()), value: Some(value.clone()) };
    dto::LifecycleRuleFilter {
        and: filter.and.as_ref().map(|and| dto::LifecycleRuleAndOperator {
            object_size_greater_than: and.larger_than.map(convert::size),
            object_size_less_than: and.smaller_than.map(convert::size),
            prefix: and.prefix.clone(),
            tags: (!and.tags.is_empty()).then(|| and.tags.iter().map(|(k, v)| tag(k, v)).collect()),
        }),
        object_size_greater_than: filter.larger_than.map(convert::size),
        object_size_less_than: filter.smaller_than.map(convert::size),
        prefix: filter.prefix.clone(),
        tag: filter.tag.as_ref().map(|(key, value)| tag(key, value)),
    }
}
