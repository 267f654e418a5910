//! Which action of an OLAP a request is, and whether it may ask for a part of the object.

use http::{HeaderMap, Method, header, request};

use crate::catalog::{ObjectLambda, Transformation};
use crate::error::ApiError;
use crate::s3::query_pairs;

/// An action that an OLAP can transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// GetObject.
    GetObject,
    /// HeadObject.
    HeadObject,
    /// ListObjects.
    ListObjects,
    /// ListObjectsV2.
    ListObjectsV2,
}

/// What a GET of a bucket is about where it is no listing.
const OF_BUCKET: [&str; 27] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metadataConfiguration",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "session",
    "tagging",
    "uploads",
    "versioning",
    "versions",
    "website",
];

impl Action {
    /// The action of a request with this key; `None` for everything that passes to the supporting access point.
    #[must_use]
    pub fn of(parts: &request::Parts, key: Option<&str>) -> Option<Self> {
        const SUBRESOURCES: [&str; 8] =
            ["acl", "attributes", "legal-hold", "retention", "tagging", "torrent", "uploadId", "uploads"];
        let query = parts.uri.query().unwrap_or_default();
        if key.is_none() {
            let other = query_pairs(query).any(|(name, _)| OF_BUCKET.contains(&name.as_ref()));
            if parts.method != Method::GET || other {
                return None;
            }
            let v2 = query_pairs(query).any(|(name, value)| name == "list-type" && value == "2");
            return Some(if v2 { Self::ListObjectsV2 } else { Self::ListObjects });
        }
        if query_pairs(query).any(|(name, _)| SUBRESOURCES.contains(&name.as_ref())) {
            return None;
        }
        match parts.method {
            Method::GET => Some(Self::GetObject),
            Method::HEAD => Some(Self::HeadObject),
            _ => None,
        }
    }

    /// Its name, in Actions and to the gate.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::ListObjects => "ListObjects",
            Self::ListObjectsV2 => "ListObjectsV2",
        }
    }

    /// The field of the event that holds its context.
    #[must_use]
    pub fn context(self) -> &'static str {
        match self {
            Self::GetObject => "getObjectContext",
            Self::HeadObject => "headObjectContext",
            Self::ListObjects => "listObjectsContext",
            Self::ListObjectsV2 => "listObjectsV2Context",
        }
    }

    /// The permission that it needs.
    #[must_use]
    pub fn permission(self, parts: &request::Parts) -> &'static str {
        if matches!(self, Self::ListObjects | Self::ListObjectsV2) {
            return "s3:ListBucket";
        }
        let query = parts.uri.query().unwrap_or_default();
        crate::policy::operation::of_source(query_pairs(query).any(|(name, _)| name == "versionId"))
    }

    /// What the OLAP does with it.
    #[must_use]
    pub fn transformation(self, lens: &ObjectLambda) -> Option<&Transformation> {
        let mut all = lens.configuration.transformations.iter();
        all.find(|one| one.actions.iter().any(|action| action == self.name()))
    }
}

/// Refuses Range and partNumber, in header or query, unless the OLAP allows them (S3 user guide, "Working with Range
/// and partNumber headers").
///
/// # Errors
/// 501 NotImplemented.
pub fn check_partial(lens: &ObjectLambda, action: Action, parts: &request::Parts) -> Result<(), ApiError> {
    if matches!(action, Action::ListObjects | Action::ListObjectsV2) {
        return Ok(());
    }
    let (mut range, mut part) = (parts.headers.contains_key(header::RANGE), false);
    for (name, _) in query_pairs(parts.uri.query().unwrap_or_default()) {
        range |= name.eq_ignore_ascii_case("range");
        part |= name == "partNumber";
    }
    for (asked, kind) in [(range, "Range"), (part, "PartNumber")] {
        if !asked {
            continue;
        }
        let feature = format!("{}-{kind}", action.name());
        if !lens.configuration.allowed_features.contains(&feature) {
            return Err(ApiError::not_implemented(format!(
                "A header or query parameter you provided implies functionality that is not implemented: this Object \
                 Lambda access point does not allow {kind}. Add {feature} to its AllowedFeatures, or ask for the \
                 whole object."
            )));
        }
    }
    Ok(())
}

/// Refuses a key of the caller's own for the encryption, which a function could not use.
///
/// # Errors
/// 400 InvalidRequest.
pub fn refuse_customer_keys(headers: &HeaderMap) -> Result<(), ApiError> {
    if headers.keys().any(|name| name.as_str().starts_with("x-amz-server-side-encryption-customer-")) {
        return Err(ApiError::invalid_request(
            "Server-side encryption with customer-provided keys is not supported through an Object Lambda access point",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(line: &str) -> request::Parts {
        let (method, target) = line.split_once(' ').unwrap();
        Request::builder().method(method).uri(target).body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_plain_reads_are_actions() {
        let of = |line: &str| Action::of(&parts(line), Some("k"));
        assert_eq!(of("GET /k?width=3"), Some(Action::GetObject));
        assert_eq!(of("HEAD /k"), Some(Action::HeadObject));
        for line in ["GET /k?tagging", "GET /k?acl=", "PUT /k", "GET /k?uploadId=x", "DELETE /k"] {
            assert_eq!(of(line), None, "{line}");
        }
        let of_bucket = |line: &str| Action::of(&parts(line), None);
        assert_eq!(of_bucket("GET /?list-type=2&prefix=acl"), Some(Action::ListObjectsV2));
        assert_eq!(of_bucket("GET /?prefix=a"), Some(Action::ListObjects));
        for line in ["GET /?versions", "GET /?location", "HEAD /", "PUT /", "POST /?delete"] {
            assert_eq!(of_bucket(line), None, "{line}");
        }
    }
}
