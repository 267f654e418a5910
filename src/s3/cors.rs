//! CORS on the wire: the bucket's configuration, preflight requests, and the headers of answers to other origins.

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use s3s::dto::{
    CORSRule, DeleteBucketCorsInput, DeleteBucketCorsOutput, GetBucketCorsInput, GetBucketCorsOutput,
    PutBucketCorsInput, PutBucketCorsOutput,
};
use s3s::{S3Request, S3Response, S3Result};

use crate::bucket::cors::{Cors, MAX_RULES, METHODS, Rule};
use crate::error::ApiError;
use crate::store::Bucket;

use super::Api;

pub(super) fn get(api: &Api, input: &GetBucketCorsInput) -> S3Result<S3Response<GetBucketCorsOutput>> {
    let bucket = api.bucket(&input.bucket)?;
    let cors = bucket.config.cors.as_ref().ok_or_else(|| {
        ApiError::new(
            StatusCode::NOT_FOUND,
            "NoSuchCORSConfiguration",
            "The CORS configuration does not exist",
        )
        .with_detail("BucketName", bucket.name.as_str())
    })?;
    let some = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
    let rules = cors.rules.iter().map(|rule| CORSRule {
        allowed_headers: some(&rule.headers),
        allowed_methods: rule.methods.clone(),
        allowed_origins: rule.origins.clone(),
        expose_headers: some(&rule.expose),
        id: rule.id.clone(),
        max_age_seconds: rule.max_age.and_then(|seconds| i32::try_from(seconds).ok()),
    });
    Ok(S3Response::new(GetBucketCorsOutput { cors_rules: Some(rules.collect()) }))
}

pub(super) async fn put(
    api: &Api,
    req: S3Request<PutBucketCorsInput>,
) -> S3Result<S3Response<PutBucketCorsOutput>> {
    let given = req.input.cors_configuration.cors_rules;
    if given.is_empty() || given.len() > MAX_RULES {
        return Err(super::malformed_xml(format!("1 to {MAX_RULES} CORS rules, not {}", given.len())).into());
    }
    let rules = given.into_iter().map(rule_of).collect::<Result<_, _>>()?;
    api.configure(&req.input.bucket, move |bucket| {
        bucket.config.cors = Some(Cors { rules });
        Ok(())
    })
    .await?;
    Ok(S3Response::new(PutBucketCorsOutput::default()))
}

fn rule_of(given: CORSRule) -> Result<Rule, ApiError> {
    let rule = Rule {
        id: given.id,
        origins: given.allowed_origins,
        methods: given.allowed_methods,
        headers: given.allowed_headers.unwrap_or_default(),
        expose: given.expose_headers.unwrap_or_default(),
        max_age: given.max_age_seconds.and_then(|seconds| u32::try_from(seconds).ok()),
    };
    if rule.origins.is_empty() || rule.methods.is_empty() {
        return Err(super::malformed_xml("a CORS rule needs AllowedOrigin and AllowedMethod"));
    }
    if let Some(method) = rule.methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
        return Err(ApiError::invalid_request(format!(
            "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
        )));
    }
    for (name, list) in [("AllowedOrigin", &rule.origins), ("AllowedHeader", &rule.headers)] {
        if let Some(bad) = list.iter().find(|pattern| pattern.matches('*').count() > 1) {
            return Err(ApiError::invalid_request(format!(
                "{name} \"{bad}\" can not have more than one wildcard."
            )));
        }
    }
    if let Some(bad) = rule.expose.iter().find(|name| HeaderName::try_from(name.as_str()).is_err()) {
        return Err(ApiError::invalid_request(format!(
            "ExposeHeader \"{bad}\" contains an invalid character or a wildcard."
        )));
    }
    if rule.id.as_ref().is_some_and(|id| id.chars().count() > 255) {
        return Err(ApiError::invalid_request("The ID of a CORS rule may have at most 255 characters"));
    }
    Ok(rule)
}

pub(super) async fn delete(
    api: &Api,
    input: DeleteBucketCorsInput,
) -> S3Result<S3Response<DeleteBucketCorsOutput>> {
    api.configure(&input.bucket, |bucket| {
        bucket.config.cors = None;
        Ok(())
    })
    .await?;
    Ok(S3Response::with_status(DeleteBucketCorsOutput::default(), StatusCode::NO_CONTENT))
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The headers that an answer to a request from another origin gets; none where no rule lets it in.
#[must_use]
pub fn headers_for(bucket: &Bucket, method: &Method, request: &HeaderMap) -> HeaderMap {
    let mut out = HeaderMap::new();
    let (Some(cors), Some(origin)) = (&bucket.config.cors, text(request, &header::ORIGIN)) else {
        return out;
    };
    // A cache must keep apart what is answered to one origin and to another, let in or not.
    const VARY: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
    out.insert(header::VARY, HeaderValue::from_static(VARY));
    let method = text(request, &header::ACCESS_CONTROL_REQUEST_METHOD).unwrap_or(method.as_str());
    if let Some(rule) = cors.find(origin, method, &[]) {
        describe(rule, origin, &[], &mut out);
    }
    out
}

/// Answers a preflight request. It comes without credentials and says nothing of what is stored.
///
/// # Errors
/// 400 where it is not one; 403 AccessForbidden where no rule lets it in.
pub fn preflight(bucket: Option<&Bucket>, request: &HeaderMap) -> Result<Response<Body>, ApiError> {
    let bad = |message| ApiError::new(StatusCode::BAD_REQUEST, "BadRequest", message);
    let forbidden = |message| ApiError::new(StatusCode::FORBIDDEN, "AccessForbidden", message);
    let origin = text(request, &header::ORIGIN)
        .ok_or_else(|| bad("Insufficient information. Origin request header needed."))?;
    let method = text(request, &header::ACCESS_CONTROL_REQUEST_METHOD)
        .filter(|method| METHODS.contains(method))
        .ok_or_else(|| {
            bad("Invalid Access-Control-Request-Method: it must be GET, PUT, HEAD, POST or DELETE")
        })?;
    let cors = bucket.and_then(|bucket| bucket.config.cors.as_ref());
    let cors = cors.ok_or_else(|| forbidden("CORSResponse: CORS is not enabled for this bucket."))?;
    let asked: Vec<&str> = text(request, &header::ACCESS_CONTROL_REQUEST_HEADERS)
        .into_iter()
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    let rule = cors.find(origin, method, &asked).ok_or_else(|| {
        forbidden(
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request \
             method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the \
             resource's CORS spec.",
        )
    })?;
    let mut answer = Response::new(Body::empty());
    describe(rule, origin, &asked, answer.headers_mut());
    Ok(answer)
}

fn describe(rule: &Rule, origin: &str, asked: &[&str], out: &mut HeaderMap) {
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            out.insert(name, value);
        }
    };
    let anybody = rule.origins.iter().any(|pattern| pattern == "*");
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, if anybody { "*" } else { origin });
    if !anybody {
        set(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    set(header::ACCESS_CONTROL_ALLOW_METHODS, &rule.methods.join(", "));
    if !asked.is_empty() {
        set(header::ACCESS_CONTROL_ALLOW_HEADERS, &asked.join(", ").to_ascii_lowercase());
    }
    if !rule.expose.is_empty() {
        set(header::ACCESS_CONTROL_EXPOSE_HEADERS, &rule.expose.join(", "));
    }
    if let Some(seconds) = rule.max_age {
        set(header::ACCESS_CONTROL_MAX_AGE, &seconds.to_string());
    }
    set(header::VARY, "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
}
