//! Signatures of browser forms: the policy document is what is signed (S3 API reference, "Browser-based uploads using
//! POST").

use std::sync::Arc;

use data_encoding::BASE64;
use jiff::Timestamp;
use subtle::ConstantTimeEq;

use super::signing_key::SigningKey;
use super::sigv4::{ALGORITHM, amz_date};
use super::{AuthOptions, KeyStore, Principal, SigV2, check_key, errors, find_key, sigv2};
use crate::error::ApiError;

/// Verifies a form. `field` finds a field by its name in lower case. `None` is an anonymous form, which has no policy.
///
/// # Errors
/// 403 InvalidAccessKeyId, SignatureDoesNotMatch; 400 InvalidArgument for a form that is signed in part.
pub fn form<'f>(
    field: impl Fn(&str) -> Option<&'f str>,
    keys: &dyn KeyStore,
    now: Timestamp,
    options: &AuthOptions,
) -> Result<Option<Arc<Principal>>, ApiError> {
    let missing = |name: &str| {
        ApiError::invalid_argument(format!(
            "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the \
             fields."
        ))
    };
    let is_v4 =
        ["x-amz-algorithm", "x-amz-credential", "x-amz-signature"].iter().any(|name| field(name).is_some());
    let is_v2 = field("awsaccesskeyid").is_some() || field("signature").is_some();
    let Some(policy) = field("policy") else {
        return if is_v4 || is_v2 { Err(missing("policy")) } else { Ok(None) };
    };
    if is_v4 && is_v2 {
        return Err(ApiError::invalid_argument("Only one auth mechanism allowed"));
    }
    let require = |name: &'static str| field(name).ok_or_else(|| missing(name));
    let token = field("x-amz-security-token");
    if !is_v4 {
        if let SigV2::Refused(reason) = options.sigv2 {
            return Err(ApiError::invalid_request(reason));
        }
        let id = field("awsaccesskeyid").ok_or_else(|| missing("AWSAccessKeyId"))?;
        let signature = require("signature")?;
        let record = find_key(keys, id, token)?;
        let expected = sigv2::sign(record.secret.expose(), policy.as_bytes())?;
        let given = BASE64.decode(signature.as_bytes()).unwrap_or_default();
        if !bool::from(expected.as_slice().ct_eq(&given)) {
            return Err(errors::signature_mismatch());
        }
        check_key(&record, token, now)?;
        return Ok(Some(record.principal));
    }
    if require("x-amz-algorithm")? != ALGORITHM {
        return Err(ApiError::invalid_argument("x-amz-algorithm must be AWS4-HMAC-SHA256"));
    }
    let (credential, signature) = (require("x-amz-credential")?, require("x-amz-signature")?);
    let at = amz_date(require("x-amz-date")?)
        .ok_or_else(|| ApiError::invalid_argument("x-amz-date must have the form yyyyMMdd'T'HHmmss'Z'"))?;
    let mut parts = credential.rsplitn(5, '/');
    let (Some("aws4_request"), Some(service), Some(region), Some(date), Some(id)) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(ApiError::invalid_argument(
            "x-amz-credential must have the form <YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request",
        ));
    };
    if at.strftime("%Y%m%d").to_string() != date {
        return Err(ApiError::invalid_argument("The date of x-amz-credential is not that of x-amz-date"));
    }
    if options.region_strict.as_ref().is_some_and(|expected| expected != region) {
        return Err(ApiError::invalid_argument(format!(
            "The region '{region}' of x-amz-credential is wrong"
        )));
    }
    // A signing key is good for its day and the six that follow, as for a presigned URL.
    if now.duration_since(at).as_secs() > super::sigv4::MAX_EXPIRES {
        return Err(errors::denied("Request has expired"));
    }
    let record = find_key(keys, id, token)?;
    if !SigningKey::derive(&record.secret, at, region, service).verify(policy.as_bytes(), signature) {
        return Err(errors::signature_mismatch());
    }
    check_key(&record, token, now)?;
    Ok(Some(record.principal))
}
