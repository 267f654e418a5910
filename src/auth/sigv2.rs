//! Presigned SigV2 ("Signing and authenticating REST requests", S3 API reference), for path-style requests.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use jiff::Timestamp;
use sha1::Sha1;
use subtle::ConstantTimeEq;

use super::canonical::{header, query};
use super::errors;
use super::presign::parameter;
use super::{AuthMethod, AuthOptions, Authenticated, KeyStore, PayloadMode, check_key, find_key};
use crate::error::ApiError;

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

/// Parameters that choose an operation and that SigV2 does not sign: whoever holds a URL could add them.
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

fn string_to_sign(parts: &Parts, expires: &str) -> Result<Vec<u8>, ApiError> {
    let raw = parts.uri.query().unwrap_or("");
    let mut amz: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for name in parts.headers.keys().filter(|name| name.as_str().starts_with("x-amz-")) {
        amz.insert(name.as_str().to_owned(), header(parts, name.as_str()).unwrap_or_default());
    }
    let mut resource: Vec<(Vec<u8>, Vec<u8>, bool)> = Vec::new();
    for (pair, name, value) in query(raw) {
        let text = String::from_utf8_lossy(&name).into_owned();
        if REFUSED.contains(&text.as_str()) {
            return Err(errors::denied(
                "A SigV2 presigned URL does not cover this operation. Sign with SigV4.",
            ));
        }
        // boto3 moves headers of a presigned request into the query and signs them as headers.
        if text.to_ascii_lowercase().starts_with("x-amz-") {
            if amz.insert(text.to_ascii_lowercase(), value).is_some() {
                return Err(ApiError::invalid_argument(format!("{text} was sent more than once.")));
            }
        } else if SIGNED.contains(&text.as_str()) {
            resource.push((name, value, pair.contains('=')));
        }
    }
    resource.sort();
    let mut out = parts.method.as_str().as_bytes().to_vec();
    for name in ["content-md5", "content-type"] {
        out.push(b'\n');
        match header(parts, name) {
            Some(value) => out.extend_from_slice(&value),
            None => out.extend_from_slice(parameter(raw, name)?.unwrap_or_default().as_bytes()),
        }
    }
    out.extend_from_slice(format!("\n{expires}\n").as_bytes());
    for (name, value) in amz {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        out.extend_from_slice(&value);
        out.push(b'\n');
    }
    out.extend_from_slice(parts.uri.path().as_bytes());
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

pub(super) fn authenticate(
    parts: &Parts,
    keys: &dyn KeyStore,
    now: Timestamp,
    options: &AuthOptions,
) -> Result<Authenticated, ApiError> {
    if !options.sigv2_allowed {
        return Err(ApiError::invalid_request(options.sigv2_reason.clone()));
    }
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
    let streaming =
        parts.headers.get("x-amz-content-sha256").is_some_and(|v| v.as_bytes().starts_with(b"STREAMING"));
    if streaming {
        return Err(ApiError::invalid_request(
            "A SigV2 request cannot have a STREAMING x-amz-content-sha256.",
        ));
    }
    if until < now.as_second() {
        return Err(errors::denied("Request has expired"));
    }
    let token = match parameter(raw, "x-amz-security-token")? {
        Some(token) => Some(token),
        None => super::canonical::one(&parts.headers, "x-amz-security-token")?.map(str::to_owned),
    };
    let record = find_key(keys, &id, token.as_deref())?;
    let expected = sign(record.secret.expose(), &string_to_sign(parts, &expires)?)?;
    let given = BASE64.decode(signature.as_bytes()).unwrap_or_default();
    if !bool::from(expected.as_slice().ct_eq(&given)) {
        return Err(errors::signature_mismatch());
    }
    check_key(&record, token.as_deref(), now)?;
    let payload = match super::canonical::one(&parts.headers, "x-amz-content-sha256")? {
        Some(value) => PayloadMode::parse(value)?,
        None => PayloadMode::Unsigned,
    };
    Ok(Authenticated {
        principal: record.principal,
        scope: None,
        method: AuthMethod::PresignedV2,
        at: None,
        payload,
        chunks: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The presigned example of the S3 documentation.
    #[test]
    fn documented_example() {
        let (parts, ()) = http::Request::get(
            "/awsexamplebucket1/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1175139620",
        )
        .body(())
        .unwrap()
        .into_parts();
        let text = string_to_sign(&parts, "1175139620").unwrap();
        assert_eq!(text, b"GET\n\n\n1175139620\n/awsexamplebucket1/photos/puppy.jpg");
        let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let header = b"GET\n\n\nTue, 27 Mar 2007 19:36:42 +0000\n/johnsmith/photos/puppy.jpg";
        assert_eq!(BASE64.encode(&sign(key, header).unwrap()), "bWq2s1WEIj+Ydj0vQ697zp+IXMU=");
    }
}
