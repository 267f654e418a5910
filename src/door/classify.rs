//! A plane from the signature's scope, then the host, then the path. Paths alone are ambiguous: `2015-03-31` and
//! `v20180820` are legal bucket names. Nothing here is trusted: the signature that claims the scope is verified next.

use std::borrow::Cow;

use http::{HeaderMap, Method, StatusCode, Uri, header, request};

use crate::access_point::Addressed;
use crate::access_point::host::{self, Host};
use crate::control::is_control_path;
use crate::error::ApiError;
use crate::headers::AMZ_ACCOUNT_ID;
use crate::s3::query_pairs;

/// A plane of AWS's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plane {
    /// Buckets and objects, directly, through access points and OLAPs.
    S3,
    /// S3 Control.
    Control,
    /// A function's answer.
    WriteGetObjectResponse,
    /// AWS Lambda.
    Lambda,
    /// IAM.
    Iam,
    /// STS.
    Sts,
}

impl Plane {
    /// Its name in logs and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Control => "s3-control",
            Self::WriteGetObjectResponse => "object-lambda",
            Self::Lambda => "lambda",
            Self::Iam => "iam",
            Self::Sts => "sts",
        }
    }
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classified {
    /// Plane.
    pub plane: Plane,
    /// The credential that the request claims, in header or query.
    pub credential: Option<String>,
    /// The authority that was asked for, port included; empty when there is none.
    pub authority: String,
}

impl Classified {
    /// The service that the signature's scope claims.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.credential.as_deref().and_then(service_of)
    }

    /// The access key id that the request claims.
    #[must_use]
    pub fn access_key_id(&self) -> Option<&str> {
        self.credential.as_deref().and_then(key_of)
    }
}

/// Classifies a request.
///
/// # Errors
/// 400 InvalidRequest when the Host header is unreadable or another than that of an absolute target.
pub fn classify(parts: &request::Parts, domains: &[String]) -> Result<Classified, ApiError> {
    let authority = authority(parts)?;
    let credential = claimed(&parts.headers, &parts.uri).map(Cow::into_owned);
    let path = parts.uri.path();
    let for_account = parts.headers.contains_key(&AMZ_ACCOUNT_ID)
        || matches!(host::parse(&authority, domains), Host::Account(_));
    let plane = match credential.as_deref().and_then(service_of) {
        Some("lambda") => Plane::Lambda,
        Some("iam") => Plane::Iam,
        Some("sts") => Plane::Sts,
        // A token of an identity provider comes unsigned, to the server itself.
        None if is_unsigned_form(parts) => Plane::Sts,
        _ if parts.method == Method::POST && path == "/WriteGetObjectResponse" => {
            Plane::WriteGetObjectResponse
        }
        _ if is_control_path(path) && for_account => Plane::Control,
        _ if parts.headers.contains_key(&AMZ_ACCOUNT_ID)
            && matches!(host::parse(&authority, domains), Host::Account(_)) =>
        {
            Plane::Control
        }
        _ => Plane::S3,
    };
    Ok(Classified { plane, credential, authority })
}

/// Whether a request is a form to `/` without a signature: S3 takes no such form.
fn is_unsigned_form(parts: &request::Parts) -> bool {
    let form = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let form = form.is_some_and(|value| value.trim().starts_with("application/x-www-form-urlencoded"));
    form && parts.method == Method::POST
        && parts.uri.path() == "/"
        && !parts.headers.contains_key(header::AUTHORIZATION)
}

/// Whether a host in an absolute target may be one of ours: by its shape, not by configuration.
#[must_use]
pub fn is_ours(host: Host<'_>, addressed: &Result<Addressed, ApiError>) -> bool {
    match host {
        Host::Own | Host::Account(_) | Host::Point { .. } => true,
        Host::Label(_) => addressed.as_ref().is_ok_and(|found| found.in_host),
        Host::Bare => false,
    }
}

fn authority(parts: &request::Parts) -> Result<String, ApiError> {
    let bad = |why: &'static str| ApiError::new(StatusCode::BAD_REQUEST, "InvalidRequest", why);
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let in_header = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().map_err(|_| bad("The Host header is not ASCII text"))?),
        (Some(_), Some(_)) => return Err(bad("The Host header was sent more than once")),
        (None, _) => None,
    };
    match (parts.uri.authority(), in_header) {
        (Some(target), Some(host)) if !same(target.as_str(), host, parts.uri.scheme_str()) => {
            Err(bad("The Host header is another than the host of the request target"))
        }
        (Some(target), _) => Ok(target.as_str().to_owned()),
        (None, host) => Ok(host.unwrap_or_default().to_owned()),
    }
}

fn same(target: &str, host: &str, scheme: Option<&str>) -> bool {
    let default = if scheme == Some("https") { ":443" } else { ":80" };
    let plain = |text: &str| text.strip_suffix(default).unwrap_or(text).to_ascii_lowercase();
    plain(target) == plain(host)
}

fn service_of(credential: &str) -> Option<&str> {
    credential.rsplit('/').nth(1)
}

fn key_of(credential: &str) -> Option<&str> {
    credential.rsplitn(5, '/').nth(4)
}

/// The access key id that a request claims, in header or query.
#[must_use]
pub fn claimed_key(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    key_of(&claimed(headers, uri)?).map(str::to_owned)
}

/// The credential that a request claims.
fn claimed<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<Cow<'a, str>> {
    if let Some(header) = headers.get(header::AUTHORIZATION) {
        let text = header.to_str().ok()?;
        let (_, rest) = text.split_once("Credential=")?;
        return rest.split([',', ' ']).next().map(Cow::from);
    }
    query_pairs(uri.query()?)
        .find(|(name, _)| name.eq_ignore_ascii_case("X-Amz-Credential"))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn plane(line: &str, headers: &[(&str, &str)]) -> Result<Plane, String> {
        let (method, target) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        classify(&parts, &[]).map(|found| found.plane).map_err(|error| error.message.into_owned())
    }

    #[test]
    fn the_scope_goes_before_the_host_and_the_host_before_the_path() {
        let signed = |service: &str| {
            format!(
                "AWS4-HMAC-SHA256 Credential=AK/20261124/us-east-1/{service}/aws4_request, SignedHeaders=host"
            )
        };
        let own = ("host", "127.0.0.1:9000");
        for (line, headers, expected) in [
            ("GET /2015-03-31/functions/", vec![own, ("authorization", "x")], Plane::S3),
            ("GET /v20180820/accesspoint", vec![own], Plane::S3),
            ("GET /v20180820/accesspoint", vec![own, ("x-amz-account-id", "000000000000")], Plane::Control),
            ("GET /v20180820/accesspoint", vec![("host", "000000000000.localhost")], Plane::Control),
            ("GET /k", vec![("host", "000000000000.localhost")], Plane::S3),
            ("POST /WriteGetObjectResponse", vec![("host", "olap.localhost")], Plane::WriteGetObjectResponse),
            (
                "POST /",
                vec![own, ("content-type", "application/x-www-form-urlencoded; charset=utf-8")],
                Plane::Sts,
            ),
            ("POST /b", vec![own, ("content-type", "application/x-www-form-urlencoded")], Plane::S3),
        ] {
            assert_eq!(plane(line, &headers), Ok(expected), "{line}");
        }
        let lambda = signed("lambda");
        assert_eq!(
            plane("GET /2015-03-31/functions/", &[own, ("authorization", &lambda)]),
            Ok(Plane::Lambda)
        );
        assert_eq!(
            plane("GET /b?X-Amz-Credential=AK%2F20261124%2Fr%2Fsts%2Faws4_request", &[own]),
            Ok(Plane::Sts)
        );
    }

    #[test]
    fn a_host_that_contradicts_the_target_is_refused() {
        assert!(plane("GET http://a.local/k", &[("host", "b.local")]).is_err());
        assert_eq!(plane("GET http://a.local:80/k", &[("host", "A.local")]), Ok(Plane::S3));
    }
}
