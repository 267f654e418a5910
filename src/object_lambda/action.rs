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
}

impl Action {
    /// The action of a request with this key; `None` for everything that passes to the supporting access point.
    #[must_use]
    pub fn of(parts: &request::Parts, key: Option<&str>) -> Option<Self> {
        const SUBRESOURCES: [&str; 8] =
            ["acl", "attributes", "legal-hold", "retention", "tagging", "torrent", "uploadId", "uploads"];
        key?;
        let query = parts.uri.query().unwrap_or_default();
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
        }
    }

    /// The permission that it needs.
    #[must_use]
    pub fn permission(self, parts: &request::Parts) -> &'static str {
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
    let (mut range, mut part) = (parts.headers.contains_key(header::RANGE), false);
    for (name, _) in query_pairs(parts.uri.query().unwrap_or_default()) {
        range |= name.eq_ignore_ascii_case("range");
        part |= name == "partNumber";
    }
    for (asked, kind) in [(range, "Range"), (part, "PartNumber")] {
        let feature = format!("{}-{kind}", action.name());
        let allowed = lens.configuration.allowed_features.contains(&feature);
        if asked && !allowed {
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
        assert_eq!(Action::of(&parts("GET /?list-type=2"), None), None);
    }
}
