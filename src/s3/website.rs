//! PutBucketWebsite, GetBucketWebsite, DeleteBucketWebsite. Pages are served by [`crate::website`].

use http::StatusCode;
use s3s::dto;
use s3s::{S3Request, S3Response, S3Result};

use crate::bucket::malformed;
use crate::bucket::website::{Redirect, RedirectAll, RoutingRule, Website};
use crate::error::ApiError;

use super::Api;

pub(super) async fn put(
    api: &Api,
    req: S3Request<dto::PutBucketWebsiteInput>,
) -> S3Result<S3Response<dto::PutBucketWebsiteOutput>> {
    let document = req.input.website_configuration;
    let rules = document.routing_rules.unwrap_or_default().into_iter().map(rule_in);
    let website = Website {
        index: document.index_document.map(|index| index.suffix),
        error: document.error_document.map(|error| error.key),
        redirect_all: document.redirect_all_requests_to.map(|all| RedirectAll {
            host: all.host_name,
            protocol: all.protocol.map(|protocol| protocol.as_str().to_owned()),
        }),
        rules: rules.collect::<Result<_, _>>()?,
    };
    website.check()?;
    api.configure(&req.input.bucket, move |bucket| {
        bucket.config.website = Some(website);
        Ok(())
    })
    .await?;
    Ok(S3Response::new(dto::PutBucketWebsiteOutput {}))
}

pub(super) fn get(
    api: &Api,
    input: &dto::GetBucketWebsiteInput,
) -> S3Result<S3Response<dto::GetBucketWebsiteOutput>> {
    let bucket = api.bucket(&input.bucket)?;
    let website = bucket.config.website.as_ref().ok_or_else(|| missing(&bucket.name))?;
    let rules: Vec<_> = website.rules.iter().map(rule_out).collect();
    Ok(S3Response::new(dto::GetBucketWebsiteOutput {
        error_document: website.error.clone().map(|key| dto::ErrorDocument { key }),
        index_document: website.index.clone().map(|suffix| dto::IndexDocument { suffix }),
        redirect_all_requests_to: website.redirect_all.clone().map(|all| dto::RedirectAllRequestsTo {
            host_name: all.host,
            protocol: all.protocol.map(dto::Protocol::from),
        }),
        routing_rules: (!rules.is_empty()).then_some(rules),
    }))
}

pub(super) async fn delete(
    api: &Api,
    req: S3Request<dto::DeleteBucketWebsiteInput>,
) -> S3Result<S3Response<dto::DeleteBucketWebsiteOutput>> {
    api.configure(&req.input.bucket, |bucket| {
        bucket.config.website = None;
        Ok(())
    })
    .await?;
    Ok(S3Response::with_status(dto::DeleteBucketWebsiteOutput {}, StatusCode::NO_CONTENT))
}

/// 404 for a bucket that is no website.
pub(crate) fn missing(bucket: &str) -> ApiError {
    let message = "The specified bucket does not have a website configuration";
    ApiError::new(StatusCode::NOT_FOUND, "NoSuchWebsiteConfiguration", message)
        .with_detail("BucketName", bucket.to_owned())
}

fn code(text: &str) -> Result<u16, ApiError> {
    text.parse().map_err(|_| malformed(format!("{text} is no status")))
}

fn rule_in(rule: dto::RoutingRule) -> Result<RoutingRule, ApiError> {
    let condition = rule.condition.unwrap_or_default();
    Ok(RoutingRule {
        key_prefix: condition.key_prefix_equals,
        error_code: condition.http_error_code_returned_equals.as_deref().map(code).transpose()?,
        redirect: Redirect {
            host: rule.redirect.host_name,
            protocol: rule.redirect.protocol.map(|protocol| protocol.as_str().to_owned()),
            code: rule.redirect.http_redirect_code.as_deref().map(code).transpose()?,
            replace_key: rule.redirect.replace_key_with,
            replace_prefix: rule.redirect.replace_key_prefix_with,
        },
    })
}

fn rule_out(rule: &RoutingRule) -> dto::RoutingRule {
    let RoutingRule { key_prefix, error_code, redirect } = rule.clone();
    let conditional = key_prefix.is_some() || error_code.is_some();
    dto::RoutingRule {
        condition: conditional.then(|| dto::Condition {
            http_error_code_returned_equals: error_code.map(|code| code.to_string()),
            key_prefix_equals: key_prefix,
        }),
        redirect: dto::Redirect {
            host_name: redirect.host,
            http_redirect_code: redirect.code.map(|code| code.to_string()),
            protocol: redirect.protocol.map(dto::Protocol::from),
            replace_key_prefix_with: redirect.replace_prefix,
            replace_key_with: redirect.replace_key,
        },
    }
}
