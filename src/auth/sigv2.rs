//! SigV2 in the Authorization header and in the query ("Signing and authenticating REST requests", S3 API reference).

use std::collections::BTreeMap;

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use http::header;
use http::request::Parts;
use jiff::Timestamp;
use sha1::Sha1;
use subtle::ConstantTimeEq;

use super::canonical::{decode, one, query};
use super::errors;
use super::presign::parameter;
use super::sigv4::{any_date, check_skew};
use super::{AuthMethod, AuthOptions, Authenticated, KeyStore, PayloadMode, SigV2, check_key, find_key};
use crate::error::ApiError;
use crate::headers::{AMZ_CONTENT_SHA256, AMZ_DATE, AMZ_SECURITY_TOKEN};

/// Query parameters that are part of the resource that is signed.
const SIGNED: [&str; 37] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
    "website-redirect",
    "append",
];

/// Parameters that choose an operation and that SigV2 does not sign: whoever holds a request could add them.
const REFUSED: [&str; 12] = [
    "attributes",
    "encryption",
    "intelligent-tiering",
    "legal-hold",
    "ownershipControls",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "retention",
    "session",
    "metadataTable",
    "metadataConfiguration",
];

/// Paths that the client may have signed: with the bucket that the host names before it, and, for a bucket itself, with
/// a slash at its end, as boto3 has it whatever it sends.
fn paths(path: &str, bucket: Option<&str>) -> Vec<String> {
    let path = bucket.map_or_else(|| path.to_owned(), |bucket| format!("/{bucket}{path}"));
    let with_slash = path.rfind('/').is_some_and(|at| at == 0 && path.len() > 1).then(|| format!("{path}/"));
    std::iter::once(path).chain(with_slash).collect()
}

/// What is signed. `date` is the Date header or Expires; `path` the encoded path with the bucket.
fn string_to_sign(parts: &Parts, date: &str, path: &str) -> Result<Vec<u8>, ApiError> {
    let raw = parts.uri.query().unwrap_or("");
    let mut amz: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for name in parts.headers.keys().filter(|name| name.as_str().starts_with("x-amz-")) {
        amz.insert(name.as_str().to_owned(), values(parts, name.as_str()).unwrap_or_default());
    }
    let mut resource: Vec<(Vec<u8>, Vec<u8>, bool)> = Vec::new();
    for (pair, name, value) in query(raw) {
        let text = String::from_utf8_lossy(&name).into_owned();
        if REFUSED.contains(&text.as_str()) {
            return Err(errors::denied("SigV2 does not cover this operation. Sign with SigV4."));
        }
        // boto3 moves headers of a presigned request into the query and signs them as headers.
        if text.to_ascii_lowercase().starts_with("x-amz-") {
            if amz.insert(text.to_ascii_lowercase(), decode(value).into_owned()).is_some() {
                return Err(ApiError::invalid_argument(format!("{text} was sent more than once.")));
            }
        } else if SIGNED.contains(&text.as_str()) {
            resource.push((name.into_owned(), decode(value).into_owned(), pair.contains('=')));
        }
    }
    resource.sort();
    let mut out = parts.method.as_str().as_bytes().to_vec();
    for name in ["content-md5", "content-type"] {
        out.push(b'\n');
        match values(parts, name) {
            Some(value) => out.extend_from_slice(&value),
            None => out.extend_from_slice(parameter(raw, name)?.unwrap_or_default().as_bytes()),
        }
    }
    out.extend_from_slice(format!("\n{date}\n").as_bytes());
    for (name, value) in amz {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        out.extend_from_slice(&value);
        out.push(b'\n');
    }
    out.extend_from_slice(path.as_bytes());
    for (index, (name, value, has_value)) in resource.iter().enumerate() {
        out.push(if index == 0 { b'?' } else { b'&' });
        out.extend_from_slice(name);
        if *has_value {
            out.push(b'=');
            out.extend_from_slice(value);
        }
    }
    Ok(out)
}

pub(super) fn sign(secret: &str, text: &[u8]) -> Result<[u8; 20], ApiError> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes())
        .map_err(|error| ApiError::internal(format!("hmac: {error}")))?;
    mac.update(text);
    Ok(mac.finalize().into_bytes().into())
}

/// A header's values, trimmed and joined by commas. Unlike SigV4, it keeps runs of spaces.
fn values(parts: &Parts, name: &str) -> Option<Vec<u8>> {
    let all: Vec<&[u8]> =
        parts.headers.get_all(name).iter().map(|value| value.as_bytes().trim_ascii()).collect();
    (!all.is_empty()).then(|| all.join(&b','))
}

/// What a request claims, wherever it says so.
struct Claim<'a> {
    method: AuthMethod,
    id: &'a str,
    signature: &'a str,
    date: &'a str,
    token: Option<&'a str>,
    bucket: Option<&'a str>,
}

/// The credential of an Authorization header of SigV2.
pub(super) fn credential(header: &str) -> Option<&str> {
    match header.split_once(' ') {
        Some(("AWS", rest)) => Some(rest.trim()),
        _ => (header == "AWS").then_some(""),
    }
}

pub(super) fn by_header(
    parts: &Parts,
    credential: &str,
    keys: &dyn KeyStore,
    now: Timestamp,
    options: &AuthOptions,
) -> Result<Authenticated, ApiError> {
    let bucket = match &options.sigv2 {
        SigV2::Taken { bucket_in_host } => bucket_in_host.as_deref(),
        SigV2::Urls => return Err(ApiError::invalid_request(SigV2::POINTS_REASON)),
        SigV2::Refused(reason) => return Err(ApiError::invalid_request(*reason)),
    };
    let Some((id, signature)) = credential.split_once(':').filter(|(id, _)| !id.is_empty()) else {
        return Err(ApiError::invalid_argument(
            "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature",
        ));
    };
    let amz_date = one(&parts.headers, &AMZ_DATE)?;
    let date = one(&parts.headers, &header::DATE)?;
    let at = amz_date.or(date).and_then(any_date).ok_or_else(errors::no_date)?;
    check_skew(at, now)?;
    // Where x-amz-date is there, it is signed among its like, and Date is not.
    let date = if amz_date.is_some() { "" } else { date.unwrap_or_default() };
    let token = one(&parts.headers, &AMZ_SECURITY_TOKEN)?;
    verify(parts, &Claim { method: AuthMethod::HeaderV2, id, signature, date, token, bucket }, keys, now)
}

pub(super) fn by_query(
    parts: &Parts,
    keys: &dyn KeyStore,
    now: Timestamp,
    options: &AuthOptions,
) -> Result<Authenticated, ApiError> {
    let bucket = match &options.sigv2 {
        SigV2::Taken { bucket_in_host } => bucket_in_host.as_deref(),
        SigV2::Urls => None,
        SigV2::Refused(reason) => return Err(ApiError::invalid_request(*reason)),
    };
    let raw = parts.uri.query().unwrap_or("");
    let (Some(id), Some(signature), Some(expires)) =
        (parameter(raw, "AWSAccessKeyId")?, parameter(raw, "Signature")?, parameter(raw, "Expires")?)
    else {
        return Err(errors::denied(
            "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
        ));
    };
    let until: i64 = expires
        .parse()
        .map_err(|_| errors::denied("Invalid date (should be seconds since epoch) in Expires."))?;
    if until < now.as_second() {
        return Err(errors::denied("Request has expired"));
    }
    let token = match parameter(raw, "x-amz-security-token")? {
        Some(token) => Some(token),
        None => one(&parts.headers, &AMZ_SECURITY_TOKEN)?.map(str::to_owned),
    };
    let (id, signature, date, token) = (&*id, &*signature, &*expires, token.as_deref());
    verify(parts, &Claim { method: AuthMethod::PresignedV2, id, signature, date, token, bucket }, keys, now)
}

fn verify(
    parts: &Parts,
    claim: &Claim<'_>,
    keys: &dyn KeyStore,
    now: Timestamp,
) -> Result<Authenticated, ApiError> {
    let payload = match one(&parts.headers, &AMZ_CONTENT_SHA256)? {
        Some(value) => PayloadMode::parse(value)?,
        None => PayloadMode::Unsigned,
    };
    if payload.is_chunked() {
        return Err(ApiError::invalid_request(
            "A SigV2 request cannot have a STREAMING x-amz-content-sha256.",
        ));
    }
    let record = find_key(keys, claim.id, claim.token)?;
    let given = BASE64.decode(claim.signature.as_bytes()).unwrap_or_default();
    let mut right = false;
    for path in paths(parts.uri.path(), claim.bucket) {
        let expected = sign(record.secret.expose(), &string_to_sign(parts, claim.date, &path)?)?;
        right |= bool::from(expected.as_slice().ct_eq(&given));
    }
    if !right {
        return Err(errors::signature_mismatch());
    }
    check_key(&record, claim.token, now)?;
    Ok(Authenticated { principal: record.principal, method: claim.method, at: None, payload, chunks: None })
}

#[cfg(test)]
mod tests {
    use super::super::{KeyRecord, Principal};
    use super::*;
    use crate::secret::Secret;

    const ID: &str = "AKIAIOSFODNN7EXAMPLE";

    struct Documented;

    impl KeyStore for Documented {
        fn lookup(&self, id: &str, _: Option<&str>) -> Result<Option<KeyRecord>, ApiError> {
            Ok((id == ID).then(|| KeyRecord {
                secret: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                principal: std::sync::Arc::new(Principal::root("123456789012", id)),
                active: true,
                session_token: None,
                expires: None,
                signing: None,
            }))
        }
    }

    fn parts(line: &str, headers: &[(&str, &str)]) -> Parts {
        let (method, target) = line.split_once(' ').unwrap();
        let mut request = http::Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    /// By header, at the second at which the examples were signed.
    fn check(line: &str, headers: &[(&str, &str)], credential: &str, sigv2: SigV2) -> Result<(), ApiError> {
        let now = "2007-03-27T19:36:42Z".parse().unwrap();
        let options = AuthOptions { sigv2, region_strict: None };
        by_header(&parts(line, headers), credential, &Documented, now, &options).map(|_| ())
    }

    /// The credential of a path as it is sent.
    fn signed(line: &str, headers: &[(&str, &str)], date: &str) -> String {
        let parts = parts(line, headers);
        let text = string_to_sign(&parts, date, parts.uri.path()).unwrap();
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        format!("{ID}:{}", BASE64.encode(&sign(secret, &text).unwrap()))
    }

    /// The presigned example of the S3 documentation.
    #[test]
    fn documented_url() {
        let parts = parts(
            "GET /awsexamplebucket1/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1175139620",
            &[],
        );
        let text = string_to_sign(&parts, "1175139620", parts.uri.path()).unwrap();
        assert_eq!(text, b"GET\n\n\n1175139620\n/awsexamplebucket1/photos/puppy.jpg");
    }

    /// The examples of the S3 documentation whose bucket stands in the host name, with their published signatures.
    #[test]
    fn documented_headers() {
        for (line, time, kind, signature) in [
            ("GET /photos/puppy.jpg", "19:36:42", "", "qgk2+6Sv9/oM7G3qLEjTH1a1l1g="),
            ("PUT /photos/puppy.jpg", "21:15:45", "image/jpeg", "iqRzw+ileNPu1fhspnRs8nOjjIA="),
            ("GET /?prefix=photos&max-keys=50&marker=puppy", "19:42:41", "", "m0WP8eCtspQl5Ahe6L1SozdX9YA="),
        ] {
            let date = format!("Tue, 27 Mar 2007 {time} +0000");
            let mut headers = vec![("date", date.as_str())];
            headers.extend((!kind.is_empty()).then_some(("content-type", kind)));
            let now = format!("2007-03-27T{time}Z").parse().unwrap();
            let check = |bucket: &str| {
                let bucket_in_host = Some(bucket.to_owned());
                let options = AuthOptions { sigv2: SigV2::Taken { bucket_in_host }, region_strict: None };
                let credential = format!("{ID}:{signature}");
                by_header(&parts(line, &headers), &credential, &Documented, now, &options)
            };
            assert_eq!(check("awsexamplebucket1").unwrap().method, AuthMethod::HeaderV2, "{line}");
            assert_eq!(check("another").unwrap_err().code, "SignatureDoesNotMatch", "{line}");
        }
    }

    #[test]
    fn a_bucket_may_be_signed_with_a_slash_at_its_end() {
        assert_eq!(paths("/b", None), ["/b", "/b/"]);
        assert_eq!(paths("/b/", None), ["/b/"]);
        assert_eq!(paths("/", None), ["/"]);
        assert_eq!(paths("/", Some("b")), ["/b/"]);
        assert_eq!(paths("/b/k", None), ["/b/k"]);
        assert_eq!(paths("/k", Some("b")), ["/b/k"]);
    }

    #[test]
    fn spaces_within_a_value_and_repeated_headers_are_signed_as_they_are() {
        let headers =
            [("date", "Tue, 27 Mar 2007 19:36:42 GMT"), ("x-amz-meta-a", "b  c"), ("x-amz-meta-a", "d")];
        let text = string_to_sign(&parts("PUT /b/k?acl&prefix=x&uploadId=1", &headers), "D", "/b/k").unwrap();
        assert_eq!(text, b"PUT\n\n\nD\nx-amz-meta-a:b  c,d\n/b/k?acl&uploadId=1");
    }

    #[test]
    fn what_is_refused_says_why() {
        let taken = SigV2::default;
        let now = ("date", "Tue, 27 Mar 2007 19:36:42 GMT");
        let good = signed("GET /b/k", &[now], now.1);
        check("GET /b/k", &[now], &good, taken()).unwrap();
        let code = |line: &str, headers: &[(&str, &str)], credential: &str, sigv2| {
            check(line, headers, credential, sigv2).unwrap_err().code.into_owned()
        };
        assert_eq!(code("GET /b/k", &[now], "HAHAHA", taken()), "InvalidArgument");
        assert_eq!(code("GET /b/k", &[], &good, taken()), "AccessDenied");
        assert_eq!(code("GET /b/k", &[("x-amz-date", "Bad Date"), now], &good, taken()), "AccessDenied");
        let before_epoch = [("x-amz-date", "Tue, 07 Jul 1950 21:53:04 GMT")];
        assert_eq!(code("GET /b/k", &before_epoch, &good, taken()), "AccessDenied");
        let later = [("x-amz-date", "Tue, 07 Jul 2030 21:53:04 GMT")];
        assert_eq!(code("GET /b/k", &later, &good, taken()), "RequestTimeTooSkewed");
        assert_eq!(code("PUT /b/k", &[now], &good, taken()), "SignatureDoesNotMatch");
        assert_eq!(code("GET /b/k?retention", &[now], &good, taken()), "AccessDenied");
        assert_eq!(code("GET /b/k", &[now], &good.replace(ID, "AKIA0"), taken()), "InvalidAccessKeyId");
        let streaming = [now, ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")];
        assert_eq!(code("PUT /b/k", &streaming, &good, taken()), "InvalidRequest");
        for refused in [SigV2::Urls, SigV2::POINTS, SigV2::OFF] {
            assert_eq!(code("GET /b/k", &[now], &good, refused), "InvalidRequest");
        }
    }
}
