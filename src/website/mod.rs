//! Static websites: GET and HEAD by anybody of what everybody may read, with index pages, redirects and pages for
//! errors, at hosts of their own.

use axum::body::Body;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header, request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::access_point::host::without_port;
use crate::bucket::website::{RoutingRule, Website};
use crate::catalog::Accounts;
use crate::error::ApiError;
use crate::headers::AMZ_WEBSITE_REDIRECT_LOCATION;
use crate::policy::{Access, Asked};
use crate::s3;
use crate::store::{Bucket, StoreError};

mod page;
#[cfg(test)]
mod tests;

/// What stays as it is in the path of a Location.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The bucket of a website's host: `{bucket}.s3-website-{region}.…`, `{bucket}.s3-website.{region}.…`, or
/// `{bucket}.{domain}` for one of `domains`.
#[must_use]
pub fn bucket_of<'a>(authority: &'a str, domains: &[String]) -> Option<&'a str> {
    let host = without_port(authority);
    let by_domain = domains.iter().find_map(|domain| {
        let at = host.len().checked_sub(domain.len())?;
        let (before, end) = (host.get(..at)?, host.get(at..)?);
        before.strip_suffix('.').filter(|_| end.eq_ignore_ascii_case(domain))
    });
    let by_label = || {
        // From the end: a bucket's name may have such a label itself.
        let labels = memchr::memrchr_iter(b'.', host.as_bytes());
        let mut ends =
            labels.filter_map(|at| Some((host.get(..at)?, host.get(at..)?.strip_prefix(".s3-website")?)));
        ends.find(|(_, rest)| rest.starts_with(['-', '.'])).map(|(bucket, _)| bucket)
    };
    by_domain.or_else(by_label).filter(|bucket| !bucket.is_empty())
}

/// The bucket whose website a request asks for, as [`bucket_of`], and the host that names it.
#[must_use]
pub fn addressed(parts: &request::Parts, domains: &[String]) -> Option<(String, String)> {
    let named = || parts.headers.get(header::HOST)?.to_str().ok();
    let authority = parts.uri.authority().map(http::uri::Authority::as_str).or_else(named)?;
    bucket_of(authority, domains).map(|bucket| (bucket.to_owned(), authority.to_owned()))
}

/// One request to a website.
#[derive(Debug)]
pub struct Visit<'a> {
    /// What opens objects.
    pub reader: s3::Reader<'a>,
    /// All accounts.
    pub accounts: &'a Accounts,
    /// Host and port that were asked for.
    pub authority: &'a str,
    /// Id of the request.
    pub request_id: &'a str,
}

/// A page that stands for an error, before it is looked for.
struct Missed {
    error: ApiError,
    key: String,
}

impl Visit<'_> {
    /// Answers a request; an error is a page too, and comes beside it for the log.
    pub async fn answer(&self, bucket: &str, parts: &request::Parts) -> (Response<Body>, Option<ApiError>) {
        let (mut answer, error) = match self.find(bucket, parts).await {
            Ok(answer) => (answer, None),
            Err(missed) => {
                let custom = self.error_document(bucket, parts, &missed.error).await;
                let answer = custom.unwrap_or_else(|| page::of(&missed.error, &missed.key, self.request_id));
                (answer, Some(missed.error))
            }
        };
        if parts.method == Method::HEAD {
            *answer.body_mut() = Body::empty();
        }
        (answer, error)
    }

    async fn find(&self, bucket: &str, parts: &request::Parts) -> Result<Response<Body>, Missed> {
        let raw = parts.uri.path().strip_prefix('/').unwrap_or_default();
        let asked = percent_decode_str(raw).decode_utf8_lossy().into_owned();
        let missed = |error: ApiError| Missed { error, key: asked.clone() };
        if parts.method != Method::GET && parts.method != Method::HEAD {
            return Err(missed(not_allowed(&parts.method)));
        }
        let bucket = self.bucket(bucket).map_err(missed)?;
        let website = bucket.config.website.as_ref().ok_or_else(|| missed(s3::no_website(&bucket.name)))?;
        if let Some(all) = &website.redirect_all {
            let scheme = all.protocol.as_deref().unwrap_or_else(|| scheme(parts));
            let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
            return redirect(StatusCode::MOVED_PERMANENTLY, &format!("{scheme}://{}{target}", all.host))
                .map_err(missed);
        }
        if let Some(rule) = rule(website, &asked, None) {
            return self.follow(rule, &asked, parts).map_err(missed);
        }
        let index = website.index.as_deref().unwrap_or_default();
        let is_folder = asked.is_empty() || asked.ends_with('/');
        let key = if is_folder { format!("{asked}{index}") } else { asked.clone() };
        let error = match self.read(&bucket, &key, parts).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let absent = matches!(error.status, StatusCode::NOT_FOUND | StatusCode::FORBIDDEN);
        if absent && !is_folder && self.read(&bucket, &format!("{asked}/{index}"), parts).await.is_ok() {
            let location = format!("/{}/", utf8_percent_encode(&asked, PATH));
            return redirect(StatusCode::FOUND, &location).map_err(missed);
        }
        match rule(website, &asked, Some(error.status)) {
            Some(rule) => self.follow(rule, &asked, parts).map_err(missed),
            None => Err(Missed { error, key }),
        }
    }

    fn bucket(&self, name: &str) -> Result<std::sync::Arc<Bucket>, ApiError> {
        let found = self.reader.store.buckets().get(name).cloned();
        found.ok_or_else(|| {
            ApiError::from(StoreError::NoSuchBucket).with_detail("BucketName", name.to_owned())
        })
    }

    /// Reads an object as everybody may.
    async fn read(
        &self,
        bucket: &Bucket,
        key: &str,
        parts: &request::Parts,
    ) -> Result<Response<Body>, ApiError> {
        s3::keys::check(key)?;
        let mut parts = parts.clone();
        // A query means nothing here: it is the pages' own.
        parts.uri = http::Uri::from_static("/");
        let access = Access {
            principal: None,
            via: None,
            bucket,
            key: Some(key),
            asked: Asked::of(&parts.headers, &parts.uri, &parts.extensions),
            accounts: self.accounts,
        };
        let mut answer = s3::get_object(self.reader, &access, key, &parts).await?;
        match answer.headers_mut().remove(AMZ_WEBSITE_REDIRECT_LOCATION) {
            None => Ok(answer),
            Some(location) => {
                let mut answer = Response::new(Body::empty());
                *answer.status_mut() = StatusCode::MOVED_PERMANENTLY;
                answer.headers_mut().insert(header::LOCATION, location);
                Ok(answer)
            }
        }
    }

    /// The bucket's own page for an error, with the status of the error.
    async fn error_document(
        &self,
        bucket: &str,
        parts: &request::Parts,
        error: &ApiError,
    ) -> Option<Response<Body>> {
        if !error.status.is_client_error() || error.status == StatusCode::METHOD_NOT_ALLOWED {
            return None;
        }
        let bucket = self.bucket(bucket).ok()?;
        let key = bucket.config.website.as_ref()?.error.clone()?;
        let mut parts = parts.clone();
        parts.headers.clear();
        let mut answer = self.read(&bucket, &key, &parts).await.ok()?;
        if answer.status().is_success() {
            *answer.status_mut() = error.status;
        }
        Some(answer)
    }

    fn follow(
        &self,
        rule: &RoutingRule,
        key: &str,
        parts: &request::Parts,
    ) -> Result<Response<Body>, ApiError> {
        let to = &rule.redirect;
        let prefix = rule.key_prefix.as_deref().unwrap_or_default();
        let key = match (&to.replace_key, &to.replace_prefix) {
            (Some(whole), _) => whole.clone(),
            (None, Some(start)) => format!("{start}{}", key.strip_prefix(prefix).unwrap_or(key)),
            (None, None) => key.to_owned(),
        };
        let scheme = to.protocol.as_deref().unwrap_or_else(|| scheme(parts));
        let host = to.host.as_deref().unwrap_or(self.authority);
        let code = to.code.and_then(|code| StatusCode::from_u16(code).ok());
        let location = format!("{scheme}://{host}/{}", utf8_percent_encode(&key, PATH));
        redirect(code.unwrap_or(StatusCode::MOVED_PERMANENTLY), &location)
    }
}

/// The first rule that is about a key, and about an error or not about any.
fn rule<'w>(website: &'w Website, key: &str, status: Option<StatusCode>) -> Option<&'w RoutingRule> {
    website.rules.iter().find(|rule| {
        rule.error_code == status.map(|status| status.as_u16())
            && rule.key_prefix.as_ref().is_none_or(|prefix| key.starts_with(prefix.as_str()))
    })
}

fn scheme(parts: &request::Parts) -> &'static str {
    let tls = parts
        .extensions
        .get::<crate::server::Connection>()
        .is_some_and(|connection| connection.tls.is_some());
    if tls { "https" } else { "http" }
}

fn redirect(status: StatusCode, location: &str) -> Result<Response<Body>, ApiError> {
    let location = HeaderValue::from_str(location)
        .map_err(|_| ApiError::invalid_request("The redirect leads to what no header can carry"))?;
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::LOCATION, location);
    answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    Ok(answer)
}

fn not_allowed(method: &Method) -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
    )
    .with_detail("Method", method.to_string())
    .with_header(HeaderName::from_static("allow"), HeaderValue::from_static("GET, HEAD"))
}
