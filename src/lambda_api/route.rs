//! From method and path to an operation of the Lambda API.

use http::{Method, Uri};
use percent_encoding::percent_decode_str;

use crate::s3::query_pairs;

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Name of the operation, as AWS has it.
    pub operation: &'static str,
    /// The function, or for tags the ARN of one, or the UUID of a mapping, decoded.
    pub function: String,
    /// What else the path names: an alias, a statement.
    pub item: String,
}

impl Route {
    /// Whether it is about an event source mapping.
    #[must_use]
    pub fn is_mapping(&self) -> bool {
        self.operation.ends_with("EventSourceMapping")
    }
}

/// Operations by method, date and path. `*` stands for a segment: the first is the function, the second the item.
#[rustfmt::skip]
const ROUTES: &[(&str, &str, &str)] = &[
    ("POST", "2015-03-31/functions", "CreateFunction"),
    ("GET", "2015-03-31/functions", "ListFunctions"),
    ("GET", "2015-03-31/functions/*", "GetFunction"),
    ("DELETE", "2015-03-31/functions/*", "DeleteFunction"),
    ("GET", "2015-03-31/functions/*/configuration", "GetFunctionConfiguration"),
    ("PUT", "2015-03-31/functions/*/configuration", "UpdateFunctionConfiguration"),
    ("PUT", "2015-03-31/functions/*/code", "UpdateFunctionCode"),
    ("POST", "2015-03-31/functions/*/invocations", "Invoke"),
    ("POST", "2021-11-15/functions/*/response-streaming-invocations", "InvokeWithResponseStream"),
    ("POST", "2014-11-13/functions/*/invoke-async", "InvokeAsync"),
    ("POST", "2015-03-31/functions/*/versions", "PublishVersion"),
    ("GET", "2015-03-31/functions/*/versions", "ListVersionsByFunction"),
    ("POST", "2015-03-31/functions/*/aliases", "CreateAlias"),
    ("GET", "2015-03-31/functions/*/aliases", "ListAliases"),
    ("GET", "2015-03-31/functions/*/aliases/*", "GetAlias"),
    ("PUT", "2015-03-31/functions/*/aliases/*", "UpdateAlias"),
    ("DELETE", "2015-03-31/functions/*/aliases/*", "DeleteAlias"),
    ("POST", "2015-03-31/functions/*/policy", "AddPermission"),
    ("GET", "2015-03-31/functions/*/policy", "GetPolicy"),
    ("DELETE", "2015-03-31/functions/*/policy/*", "RemovePermission"),
    ("PUT", "2017-10-31/functions/*/concurrency", "PutFunctionConcurrency"),
    ("DELETE", "2017-10-31/functions/*/concurrency", "DeleteFunctionConcurrency"),
    ("GET", "2019-09-30/functions/*/concurrency", "GetFunctionConcurrency"),
    ("PUT", "2019-09-30/functions/*/provisioned-concurrency", "PutProvisionedConcurrencyConfig"),
    ("GET", "2019-09-30/functions/*/provisioned-concurrency", "GetProvisionedConcurrencyConfig"),
    ("DELETE", "2019-09-30/functions/*/provisioned-concurrency", "DeleteProvisionedConcurrencyConfig"),
    ("PUT", "2019-09-25/functions/*/event-invoke-config", "PutFunctionEventInvokeConfig"),
    ("POST", "2019-09-25/functions/*/event-invoke-config", "UpdateFunctionEventInvokeConfig"),
    ("GET", "2019-09-25/functions/*/event-invoke-config", "GetFunctionEventInvokeConfig"),
    ("DELETE", "2019-09-25/functions/*/event-invoke-config", "DeleteFunctionEventInvokeConfig"),
    ("GET", "2019-09-25/functions/*/event-invoke-config/list", "ListFunctionEventInvokeConfigs"),
    ("POST", "2015-03-31/event-source-mappings", "CreateEventSourceMapping"),
    ("GET", "2015-03-31/event-source-mappings", "ListEventSourceMappings"),
    ("GET", "2015-03-31/event-source-mappings/*", "GetEventSourceMapping"),
    ("PUT", "2015-03-31/event-source-mappings/*", "UpdateEventSourceMapping"),
    ("DELETE", "2015-03-31/event-source-mappings/*", "DeleteEventSourceMapping"),
    ("GET", "2016-08-19/account-settings", "GetAccountSettings"),
    ("GET", "2017-03-31/tags/*", "ListTags"),
    ("POST", "2017-03-31/tags/*", "TagResource"),
    ("DELETE", "2017-03-31/tags/*", "UntagResource"),
];

/// Whether an operation acts on the version or alias that `Qualifier` or the ARN names; the others act on the function.
#[must_use]
pub fn acts_on_versions(operation: &str) -> bool {
    matches!(
        operation,
        "GetFunction"
            | "GetFunctionConfiguration"
            | "DeleteFunction"
            | "Invoke"
            | "InvokeAsync"
            | "InvokeWithResponseStream"
            | "AddPermission"
            | "RemovePermission"
            | "GetPolicy"
            | "PutFunctionEventInvokeConfig"
            | "UpdateFunctionEventInvokeConfig"
            | "GetFunctionEventInvokeConfig"
            | "DeleteFunctionEventInvokeConfig"
            | "PutProvisionedConcurrencyConfig"
            | "GetProvisionedConcurrencyConfig"
            | "DeleteProvisionedConcurrencyConfig"
    )
}

/// The route of a request; `None` for an operation that is not known here.
#[must_use]
pub fn route(method: &Method, uri: &Uri) -> Option<Route> {
    let mut route = by_path(method, uri.path())?;
    let query = uri.query().unwrap_or_default();
    // One path, two operations.
    if route.operation == "GetProvisionedConcurrencyConfig"
        && query_pairs(query).any(|(name, value)| name == "List" && value == "ALL")
    {
        route.operation = "ListProvisionedConcurrencyConfigs";
    }
    Some(route)
}

fn by_path(method: &Method, path: &str) -> Option<Route> {
    // aws-cli 2.9 ends the path of ListFunctions with a slash.
    let path = path.strip_prefix('/')?.trim_end_matches('/');
    let segments: Vec<&str> = path.split('/').collect();
    ROUTES.iter().find_map(|(verb, pattern, operation)| {
        if *verb != method.as_str() {
            return None;
        }
        let pattern: Vec<&str> = pattern.split('/').collect();
        // The ARN of a tagged resource may come with its colons or slashes as they are.
        let greedy = pattern.get(1) == Some(&"tags") && segments.len() > pattern.len();
        if pattern.len() != segments.len() && !greedy {
            return None;
        }
        let mut named = Vec::new();
        for (at, (expected, given)) in pattern.iter().zip(&segments).enumerate() {
            if *expected == "*" {
                let rest = if greedy { segments.get(at..)?.join("/") } else { (*given).to_owned() };
                named.push(percent_decode_str(&rest).decode_utf8().ok()?.into_owned());
            } else if expected != given {
                return None;
            }
        }
        let mut named = named.into_iter();
        let (function, item) = (named.next().unwrap_or_default(), named.next().unwrap_or_default());
        Some(Route { operation, function, item })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_find_their_operation() {
        let of = |line: &str| {
            let (method, path) = line.split_once(' ').unwrap();
            route(&method.parse().unwrap(), &path.parse().unwrap())
                .map(|found| (found.operation, found.function, found.item))
        };
        let found =
            |operation, function: &str, item: &str| Some((operation, function.to_owned(), item.to_owned()));
        assert_eq!(of("GET /2015-03-31/functions/"), found("ListFunctions", "", ""));
        assert_eq!(of("GET /2015-03-31/functions"), found("ListFunctions", "", ""));
        assert_eq!(
            of("GET /2015-03-31/functions/arn%3Aaws%3Alambda%3Ar%3Aa%3Afunction%3Af"),
            found("GetFunction", "arn:aws:lambda:r:a:function:f", "")
        );
        assert_eq!(of("DELETE /2015-03-31/functions/f/policy/s1"), found("RemovePermission", "f", "s1"));
        assert_eq!(of("POST /2017-03-31/tags/arn%3Ax"), found("TagResource", "arn:x", ""));
        assert_eq!(of("GET /2015-03-31/functions/f/nothing"), None);
        assert_eq!(of("PATCH /2015-03-31/functions"), None);
        assert_eq!(of("POST /2015-03-31/event-source-mappings/"), found("CreateEventSourceMapping", "", ""));
        assert_eq!(of("PUT /2015-03-31/event-source-mappings/u"), found("UpdateEventSourceMapping", "u", ""));
        let path = "GET /2019-09-30/functions/f/provisioned-concurrency";
        assert_eq!(of(&format!("{path}?Qualifier=1")), found("GetProvisionedConcurrencyConfig", "f", ""));
        assert_eq!(of(&format!("{path}?List=ALL")), found("ListProvisionedConcurrencyConfigs", "f", ""));
    }

    #[test]
    fn every_operation_is_known_to_the_policies() {
        for (_, _, operation) in ROUTES {
            assert!(crate::policy::planes::lambda(operation).is_some(), "{operation}");
        }
    }
}
