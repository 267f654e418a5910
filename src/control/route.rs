//! Method and path → operation (the `s3control` service model, 2018-08-20).

use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;

use crate::error::ApiError;
use crate::s3::query_pairs;

/// Version prefix of all paths of the plane.
pub const PREFIX: &str = "/v20180820";

/// Whether a path belongs to the plane by its prefix.
#[must_use]
pub fn is_control_path(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with('/'))
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident $(($arg:ident))?),+ $(,)?) => {
        /// An operation of the plane, with the name or ARN in its path.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "named as in the service model")]
        pub enum Operation { $($(#[$doc])* $name $((operations!(@type $arg)))?),+ }

        impl Operation {
            /// Its name in the service model.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name $((operations!(@ignore $arg)))? => stringify!($name)),+ }
            }
        }
    };
    (@type $arg:ident) => { String };
    (@ignore $arg:ident) => { _ };
}

operations! {
    CreateAccessPoint(name),
    GetAccessPoint(name),
    DeleteAccessPoint(name),
    ListAccessPoints,
    PutAccessPointPolicy(name),
    GetAccessPointPolicy(name),
    DeleteAccessPointPolicy(name),
    GetAccessPointPolicyStatus(name),
    PutAccessPointScope,
    GetAccessPointScope,
    DeleteAccessPointScope,
    ListAccessPointsForDirectoryBuckets,
    CreateAccessPointForObjectLambda(name),
    GetAccessPointForObjectLambda(name),
    DeleteAccessPointForObjectLambda(name),
    ListAccessPointsForObjectLambda,
    PutAccessPointConfigurationForObjectLambda(name),
    GetAccessPointConfigurationForObjectLambda(name),
    PutAccessPointPolicyForObjectLambda(name),
    GetAccessPointPolicyForObjectLambda(name),
    DeleteAccessPointPolicyForObjectLambda(name),
    GetAccessPointPolicyStatusForObjectLambda(name),
    PutPublicAccessBlock,
    GetPublicAccessBlock,
    DeletePublicAccessBlock,
    TagResource(arn),
    UntagResource(arn),
    ListTagsForResource(arn),
}

/// Finds the operation of a request. The version prefix may be missing, as behind a host of the plane.
///
/// # Errors
/// 403 AccessDenied for what is not an operation of the plane, as for all unknown operations.
pub fn route(method: &Method, path: &str) -> Result<Operation, ApiError> {
    use Operation as Op;
    let path = path.strip_prefix(PREFIX).unwrap_or(path).trim_matches('/');
    let unknown = || ApiError::access_denied(format!("{method} {path} is no operation of S3 Control"));
    if let Some(arn) = path.strip_prefix("tags/") {
        let arn = decode(arn)?;
        return match *method {
            Method::POST => Ok(Op::TagResource(arn)),
            Method::DELETE => Ok(Op::UntagResource(arn)),
            Method::GET => Ok(Op::ListTagsForResource(arn)),
            _ => Err(unknown()),
        };
    }
    let segments: Vec<&str> = path.split('/').collect();
    let name = || segments.get(1).copied().map_or_else(|| Ok(String::new()), decode);
    let is = |wanted: &Method| method == wanted;
    let (get, put, delete) = (is(&Method::GET), is(&Method::PUT), is(&Method::DELETE));
    Ok(match segments.as_slice() {
        ["accesspoint"] if get => Op::ListAccessPoints,
        ["accesspoint", _] if put => Op::CreateAccessPoint(name()?),
        ["accesspoint", _] if get => Op::GetAccessPoint(name()?),
        ["accesspoint", _] if delete => Op::DeleteAccessPoint(name()?),
        ["accesspoint", _, "policy"] if put => Op::PutAccessPointPolicy(name()?),
        ["accesspoint", _, "policy"] if get => Op::GetAccessPointPolicy(name()?),
        ["accesspoint", _, "policy"] if delete => Op::DeleteAccessPointPolicy(name()?),
        ["accesspoint", _, "policyStatus"] if get => Op::GetAccessPointPolicyStatus(name()?),
        ["accesspoint", _, "scope"] if put => Op::PutAccessPointScope,
        ["accesspoint", _, "scope"] if get => Op::GetAccessPointScope,
        ["accesspoint", _, "scope"] if delete => Op::DeleteAccessPointScope,
        ["accesspointfordirectory"] if get => Op::ListAccessPointsForDirectoryBuckets,
        ["accesspointforobjectlambda"] if get => Op::ListAccessPointsForObjectLambda,
        ["accesspointforobjectlambda", _] if put => Op::CreateAccessPointForObjectLambda(name()?),
        ["accesspointforobjectlambda", _] if get => Op::GetAccessPointForObjectLambda(name()?),
        ["accesspointforobjectlambda", _] if delete => Op::DeleteAccessPointForObjectLambda(name()?),
        ["accesspointforobjectlambda", _, "configuration"] if put => {
            Op::PutAccessPointConfigurationForObjectLambda(name()?)
        }
        ["accesspointforobjectlambda", _, "configuration"] if get => {
            Op::GetAccessPointConfigurationForObjectLambda(name()?)
        }
        ["accesspointforobjectlambda", _, "policy"] if put => {
            Op::PutAccessPointPolicyForObjectLambda(name()?)
        }
        ["accesspointforobjectlambda", _, "policy"] if get => {
            Op::GetAccessPointPolicyForObjectLambda(name()?)
        }
        ["accesspointforobjectlambda", _, "policy"] if delete => {
            Op::DeleteAccessPointPolicyForObjectLambda(name()?)
        }
        ["accesspointforobjectlambda", _, "policyStatus"] if get => {
            Op::GetAccessPointPolicyStatusForObjectLambda(name()?)
        }
        ["configuration", "publicAccessBlock"] if put => Op::PutPublicAccessBlock,
        ["configuration", "publicAccessBlock"] if get => Op::GetPublicAccessBlock,
        ["configuration", "publicAccessBlock"] if delete => Op::DeletePublicAccessBlock,
        _ => return Err(unknown()),
    })
}

fn decode(text: &str) -> Result<String, ApiError> {
    percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| {
        ApiError::new(StatusCode::BAD_REQUEST, "InvalidURI", "The path must be percent-encoded UTF-8")
    })
}

/// Decoded query parameters.
#[derive(Debug)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query.
    #[must_use]
    pub fn of(query: &str) -> Self {
        Self(query_pairs(query).map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The first value of a parameter, when it is not empty.
    #[must_use]
    pub fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next().filter(|value| !value.is_empty())
    }

    /// All values of a parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// One page of `all` (sorted by name): what follows `nextToken`, at most `maxResults` (default and most 1,000), and
    /// the next token. The token is the last name of the page before.
    ///
    /// # Errors
    /// 400 InvalidRequest for a maxResults out of range.
    pub fn page<T>(
        &self,
        all: impl Iterator<Item = T>,
        name: impl Fn(&T) -> String,
    ) -> Result<(Vec<T>, Option<String>), ApiError> {
        let limit = match self.get("maxResults") {
            None => 1_000,
            Some(text) => text.parse().ok().filter(|n| (1..=1_000).contains(n)).ok_or_else(|| {
                ApiError::invalid_request(format!("maxResults must be 1 to 1000; it is {text:?}"))
            })?,
        };
        let after = self.get("nextToken");
        let mut rest = all.filter(|item| after.is_none_or(|after| name(item).as_str() > after));
        let page: Vec<T> = rest.by_ref().take(limit).collect();
        let next = rest.next().and(page.last()).map(name);
        Ok((page, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::planes;

    #[test]
    fn paths_lead_to_operations_that_the_gate_knows() {
        for (method, path, name) in [
            (Method::PUT, "/v20180820/accesspoint/ap1", "CreateAccessPoint"),
            (Method::GET, "/v20180820/accesspoint", "ListAccessPoints"),
            (Method::GET, "/v20180820/accesspoint/", "ListAccessPoints"),
            (Method::GET, "/accesspoint/ap1/policyStatus", "GetAccessPointPolicyStatus"),
            (
                Method::PUT,
                "/v20180820/accesspointforobjectlambda/o/configuration",
                "PutAccessPointConfigurationForObjectLambda",
            ),
            (Method::DELETE, "/v20180820/configuration/publicAccessBlock", "DeletePublicAccessBlock"),
        ] {
            let operation = route(&method, path).unwrap();
            assert_eq!(operation.name(), name);
            assert!(planes::control(name).is_some(), "{name}");
        }
        assert_eq!(
            route(&Method::POST, "/v20180820/tags/arn%3Aaws%3As3%3Ar%3A1%3Aaccesspoint/ap1").unwrap(),
            Operation::TagResource("arn:aws:s3:r:1:accesspoint/ap1".into())
        );
        for (method, path) in [(Method::POST, "/v20180820/accesspoint/a"), (Method::GET, "/v20180820/jobs")] {
            assert_eq!(route(&method, path).unwrap_err().code, "AccessDenied");
        }
    }

    #[test]
    fn pages_follow_each_other() {
        let all = ["a", "b", "c"];
        let page = |query: &str| Query::of(query).page(all.iter(), |n| (**n).to_owned()).unwrap();
        assert_eq!(page("maxResults=2"), (vec![&"a", &"b"], Some("b".into())));
        assert_eq!(page("maxResults=2&nextToken=b"), (vec![&"c"], None));
        assert!(Query::of("maxResults=0").page(all.iter(), |n| (**n).to_owned()).is_err());
    }
}
