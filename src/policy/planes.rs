//! The closed tables of the planes beside S3: S3 Control, Lambda and the admin API.

use http::Method;

/// The action of an operation of S3 Control; `None` for one that is not known.
#[must_use]
pub fn control(operation: &str) -> Option<&'static str> {
    let at = CONTROL.binary_search_by_key(&operation, |(name, _)| name).ok()?;
    CONTROL.get(at).map(|(_, action)| *action)
}

/// Operations of S3 Control, sorted, with their actions.
#[rustfmt::skip]
const CONTROL: &[(&str, &str)] = &[
    ("CreateAccessPoint", "s3:CreateAccessPoint"),
    ("CreateAccessPointForObjectLambda", "s3:CreateAccessPointForObjectLambda"),
    ("DeleteAccessPoint", "s3:DeleteAccessPoint"),
    ("DeleteAccessPointForObjectLambda", "s3:DeleteAccessPointForObjectLambda"),
    ("DeleteAccessPointPolicy", "s3:DeleteAccessPointPolicy"),
    ("DeleteAccessPointPolicyForObjectLambda", "s3:DeleteAccessPointPolicyForObjectLambda"),
    ("DeleteAccessPointScope", "s3:DeleteAccessPointScope"),
    ("DeletePublicAccessBlock", "s3:PutAccountPublicAccessBlock"),
    ("GetAccessPoint", "s3:GetAccessPoint"),
    ("GetAccessPointConfigurationForObjectLambda", "s3:GetAccessPointConfigurationForObjectLambda"),
    ("GetAccessPointForObjectLambda", "s3:GetAccessPointForObjectLambda"),
    ("GetAccessPointPolicy", "s3:GetAccessPointPolicy"),
    ("GetAccessPointPolicyForObjectLambda", "s3:GetAccessPointPolicyForObjectLambda"),
    ("GetAccessPointPolicyStatus", "s3:GetAccessPointPolicyStatus"),
    ("GetAccessPointPolicyStatusForObjectLambda", "s3:GetAccessPointPolicyStatusForObjectLambda"),
    ("GetAccessPointScope", "s3:GetAccessPointScope"),
    ("GetPublicAccessBlock", "s3:GetAccountPublicAccessBlock"),
    ("ListAccessPoints", "s3:ListAccessPoints"),
    ("ListAccessPointsForDirectoryBuckets", "s3express:ListAccessPointsForDirectoryBuckets"),
    ("ListAccessPointsForObjectLambda", "s3:ListAccessPointsForObjectLambda"),
    ("ListTagsForResource", "s3:ListTagsForResource"),
    ("PutAccessPointConfigurationForObjectLambda", "s3:PutAccessPointConfigurationForObjectLambda"),
    ("PutAccessPointPolicy", "s3:PutAccessPointPolicy"),
    ("PutAccessPointPolicyForObjectLambda", "s3:PutAccessPointPolicyForObjectLambda"),
    ("PutAccessPointScope", "s3:PutAccessPointScope"),
    ("PutPublicAccessBlock", "s3:PutAccountPublicAccessBlock"),
    ("TagResource", "s3:TagResource"),
    ("UntagResource", "s3:UntagResource"),
];

/// The action of an operation of the Lambda plane; `None` for one that is not known.
#[must_use]
pub fn lambda(operation: &str) -> Option<&'static str> {
    let at = LAMBDA.binary_search_by_key(&operation, |(name, _)| name).ok()?;
    LAMBDA.get(at).map(|(_, action)| *action)
}

/// Operations of the Lambda plane, sorted, with their actions.
#[rustfmt::skip]
const LAMBDA: &[(&str, &str)] = &[
    ("AddPermission", "lambda:AddPermission"),
    ("CreateAlias", "lambda:CreateAlias"),
    ("CreateEventSourceMapping", "lambda:CreateEventSourceMapping"),
    ("CreateFunction", "lambda:CreateFunction"),
    ("DeleteAlias", "lambda:DeleteAlias"),
    ("DeleteEventSourceMapping", "lambda:DeleteEventSourceMapping"),
    ("DeleteFunction", "lambda:DeleteFunction"),
    ("DeleteFunctionConcurrency", "lambda:DeleteFunctionConcurrency"),
    ("DeleteFunctionEventInvokeConfig", "lambda:DeleteFunctionEventInvokeConfig"),
    ("DeleteProvisionedConcurrencyConfig", "lambda:DeleteProvisionedConcurrencyConfig"),
    ("GetAccountSettings", "lambda:GetAccountSettings"),
    ("GetAlias", "lambda:GetAlias"),
    ("GetEventSourceMapping", "lambda:GetEventSourceMapping"),
    ("GetFunction", "lambda:GetFunction"),
    ("GetFunctionConcurrency", "lambda:GetFunctionConcurrency"),
    ("GetFunctionConfiguration", "lambda:GetFunctionConfiguration"),
    ("GetFunctionEventInvokeConfig", "lambda:GetFunctionEventInvokeConfig"),
    ("GetPolicy", "lambda:GetPolicy"),
    ("GetProvisionedConcurrencyConfig", "lambda:GetProvisionedConcurrencyConfig"),
    ("Invoke", "lambda:InvokeFunction"),
    ("InvokeAsync", "lambda:InvokeAsync"),
    ("InvokeWithResponseStream", "lambda:InvokeFunction"),
    ("ListAliases", "lambda:ListAliases"),
    ("ListEventSourceMappings", "lambda:ListEventSourceMappings"),
    ("ListFunctionEventInvokeConfigs", "lambda:ListFunctionEventInvokeConfigs"),
    ("ListFunctions", "lambda:ListFunctions"),
    ("ListProvisionedConcurrencyConfigs", "lambda:ListProvisionedConcurrencyConfigs"),
    ("ListTags", "lambda:ListTags"),
    ("ListVersionsByFunction", "lambda:ListVersionsByFunction"),
    ("PublishVersion", "lambda:PublishVersion"),
    ("PutFunctionConcurrency", "lambda:PutFunctionConcurrency"),
    ("PutFunctionEventInvokeConfig", "lambda:PutFunctionEventInvokeConfig"),
    ("PutProvisionedConcurrencyConfig", "lambda:PutProvisionedConcurrencyConfig"),
    ("RemovePermission", "lambda:RemovePermission"),
    ("TagResource", "lambda:TagResource"),
    ("UntagResource", "lambda:UntagResource"),
    ("UpdateAlias", "lambda:UpdateAlias"),
    ("UpdateEventSourceMapping", "lambda:UpdateEventSourceMapping"),
    ("UpdateFunctionCode", "lambda:UpdateFunctionCode"),
    ("UpdateFunctionConfiguration", "lambda:UpdateFunctionConfiguration"),
    ("UpdateFunctionEventInvokeConfig", "lambda:UpdateFunctionEventInvokeConfig"),
];

/// A request of the admin API as policies see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminAction {
    /// Action: `refract:PutFunction`.
    pub action: &'static str,
    /// What stands in the resource's place of its ARN: `function/resize`.
    pub resource: String,
}

/// The action of a request of the admin API; `None` for a route that is not known, which is the root's alone.
#[must_use]
pub fn admin(method: &Method, path: &str) -> Option<AdminAction> {
    let path = path.strip_prefix("/_refract/")?.trim_end_matches('/');
    ADMIN.iter().filter(|(verb, ..)| *verb == method.as_str()).find_map(|(_, route, resource, action)| {
        let mut resource = (*resource).to_owned();
        for (name, value) in named(route, path)? {
            let value = percent_encoding::percent_decode_str(&value).decode_utf8_lossy();
            resource = resource.replace(&format!("{{{name}}}"), &value);
        }
        Some(AdminAction { action, resource })
    })
}

/// What a path has in the places of a route, which are as the router's: `{name}` is a segment, `{*name}` all that is
/// left. `None` where it is another route's.
fn named(route: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let (mut found, mut given) = (Vec::new(), path.split('/'));
    for wanted in route.split('/') {
        let first = given.next().filter(|segment| !segment.is_empty())?;
        let Some(name) = wanted.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            if wanted != first {
                return None;
            }
            continue;
        };
        match name.strip_prefix('*') {
            Some(name) => {
                let rest: Vec<&str> = std::iter::once(first).chain(given.by_ref()).collect();
                found.push((name, rest.join("/")));
            }
            None => found.push((name, first.to_owned())),
        }
    }
    given.next().is_none().then_some(found)
}

/// Routes of the admin API, as the router has them: method, route, resource, action.
#[rustfmt::skip]
const ADMIN: &[(&str, &str, &str, &str)] = &[
    ("GET", "metrics", "metrics", "refract:GetMetrics"),
    ("GET", "v1/access-points", "access-point/*", "refract:ListAccessPoints"),
    ("GET", "v1/access-points/{name}", "access-point/{name}", "refract:GetAccessPoint"),
    ("PUT", "v1/access-points/{name}", "access-point/{name}", "refract:PutAccessPoint"),
    ("DELETE", "v1/access-points/{name}", "access-point/{name}", "refract:DeleteAccessPoint"),
    ("GET", "v1/accounts", "account/*", "refract:ListAccounts"),
    ("GET", "v1/accounts/{id}", "account/{id}", "refract:GetAccount"),
    ("PUT", "v1/accounts/{id}", "account/{id}", "refract:PutAccount"),
    ("DELETE", "v1/accounts/{id}", "account/{id}", "refract:DeleteAccount"),
    ("GET", "v1/accounts/{account}/users", "user/{account}/*", "refract:ListUsers"),
    ("GET", "v1/accounts/{account}/users/{name}", "user/{account}/{name}", "refract:GetUser"),
    ("PUT", "v1/accounts/{account}/users/{name}", "user/{account}/{name}", "refract:PutUser"),
    ("DELETE", "v1/accounts/{account}/users/{name}", "user/{account}/{name}", "refract:DeleteUser"),
    ("GET", "v1/accounts/{account}/roles", "role/{account}/*", "refract:ListRoles"),
    ("GET", "v1/accounts/{account}/roles/{name}", "role/{account}/{name}", "refract:GetRole"),
    ("PUT", "v1/accounts/{account}/roles/{name}", "role/{account}/{name}", "refract:PutRole"),
    ("DELETE", "v1/accounts/{account}/roles/{name}", "role/{account}/{name}", "refract:DeleteRole"),
    ("GET", "v1/buckets", "bucket/*", "refract:ListBuckets"),
    ("GET", "v1/buckets/{name}", "bucket/{name}", "refract:GetBucket"),
    ("PUT", "v1/buckets/{name}/quota", "bucket/{name}", "refract:PutBucketQuota"),
    ("DELETE", "v1/buckets/{name}/quota", "bucket/{name}", "refract:DeleteBucketQuota"),
    ("GET", "v1/function-platform", "function-platform", "refract:GetFunctionPlatform"),
    ("GET", "v1/functions", "function/*", "refract:ListFunctions"),
    ("GET", "v1/functions/{name}", "function/{name}", "refract:GetFunction"),
    ("PUT", "v1/functions/{name}", "function/{name}", "refract:PutFunction"),
    ("DELETE", "v1/functions/{name}", "function/{name}", "refract:DeleteFunction"),
    ("GET", "v1/functions/{name}/logs", "function/{name}", "refract:GetFunctionLogs"),
    ("GET", "v1/functions/{name}/network", "function/{name}", "refract:GetFunctionNetwork"),
    ("PUT", "v1/functions/{name}/network", "function/{name}", "refract:PutFunctionNetwork"),
    ("DELETE", "v1/functions/{name}/network", "function/{name}", "refract:DeleteFunctionNetwork"),
    ("POST", "v1/functions/{name}/preview", "function/{name}", "refract:PreviewFunction"),
    ("GET", "v1/keys", "key/*", "refract:ListKeys"),
    ("POST", "v1/keys", "key/*", "refract:CreateKey"),
    ("PATCH", "v1/keys/{id}", "key/{id}", "refract:UpdateKey"),
    ("DELETE", "v1/keys/{id}", "key/{id}", "refract:DeleteKey"),
    ("GET", "v1/kms-keys", "kms-key/*", "refract:ListKmsKeys"),
    ("PUT", "v1/kms-keys/{*name}", "kms-key/{name}", "refract:PutKmsKey"),
    ("GET", "v1/object-lambdas", "object-lambda/*", "refract:ListObjectLambdas"),
    ("GET", "v1/object-lambdas/{name}", "object-lambda/{name}", "refract:GetObjectLambda"),
    ("PUT", "v1/object-lambdas/{name}", "object-lambda/{name}", "refract:PutObjectLambda"),
    ("DELETE", "v1/object-lambdas/{name}", "object-lambda/{name}", "refract:DeleteObjectLambda"),
    ("POST", "v1/policy/explain", "policy/explain", "refract:ExplainPolicy"),
    ("GET", "v1/usage/functions", "usage/functions", "refract:GetUsage"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Policy, PolicyKind};

    #[test]
    fn every_action_can_be_named_in_a_policy() {
        assert!(CONTROL.is_sorted_by_key(|(name, _)| *name) && LAMBDA.is_sorted_by_key(|(name, _)| *name));
        let all = CONTROL
            .iter()
            .chain(LAMBDA)
            .map(|(_, action)| *action)
            .chain(ADMIN.iter().map(|(.., action)| *action));
        for action in all {
            let text = format!(r#"{{"Statement":{{"Effect":"Allow","Action":"{action}","Resource":"*"}}}}"#);
            Policy::parse(&text, PolicyKind::Identity).unwrap();
        }
    }

    #[test]
    fn every_route_of_the_api_has_its_own_row() {
        let document: serde_json::Value =
            serde_json::from_str(include_str!("../../docs/openapi.json")).unwrap();
        let mut known = 0;
        for (path, operations) in document["paths"].as_object().unwrap() {
            for method in operations.as_object().unwrap().keys() {
                let method = method.to_ascii_uppercase();
                let open = path.starts_with("/_refract/health/") || path == "/_refract/v1/openapi.json";
                // The rest of a path is written as a name in the document.
                let route = path.trim_start_matches("/_refract/").to_owned();
                let same = |(verb, of, ..): &&(&str, &str, &str, &str)| {
                    *verb == method && of.replace("{*", "{") == route
                };
                let rows = ADMIN.iter().filter(same).count();
                assert_eq!(rows, usize::from(!open), "{method} {path}");
                known += rows;
            }
        }
        // The metrics are no part of the document.
        assert_eq!(known + 1, ADMIN.len(), "rows that are no routes");
    }

    #[test]
    fn routes_lead_to_actions() {
        for (method, path, action, resource) in [
            (Method::GET, "metrics", "refract:GetMetrics", "metrics"),
            (Method::GET, "v1/functions", "refract:ListFunctions", "function/*"),
            (Method::PUT, "v1/functions/a", "refract:PutFunction", "function/a"),
            (Method::POST, "v1/functions/a/preview", "refract:PreviewFunction", "function/a"),
            (Method::PUT, "v1/functions/a/network", "refract:PutFunctionNetwork", "function/a"),
            (Method::PUT, "v1/kms-keys/team/a", "refract:PutKmsKey", "kms-key/team/a"),
            (Method::GET, "v1/usage/functions", "refract:GetUsage", "usage/functions"),
            (Method::POST, "v1/policy/explain", "refract:ExplainPolicy", "policy/explain"),
            (Method::PUT, "v1/accounts/1", "refract:PutAccount", "account/1"),
            (Method::PUT, "v1/accounts/1/users/a", "refract:PutUser", "user/1/a"),
            (Method::DELETE, "v1/accounts/1/roles/a", "refract:DeleteRole", "role/1/a"),
            (Method::PUT, "v1/accounts/1%2Fusers%2Fa", "refract:PutAccount", "account/1/users/a"),
            (Method::PUT, "v1/buckets/b/quota", "refract:PutBucketQuota", "bucket/b"),
        ] {
            let found = admin(&method, &format!("/_refract/{path}"));
            assert_eq!(found, Some(AdminAction { action, resource: resource.into() }), "{path}");
        }
        for (method, path) in [
            (Method::PUT, "v1/functions"),
            (Method::GET, "v1/nope"),
            (Method::GET, "x"),
            (Method::PUT, "v1/accounts/1/users"),
            (Method::PUT, "v1/accounts/1/users/a/b"),
            (Method::GET, "v1/functions/a/b"),
            (Method::PUT, "v1/accounts//users/a"),
            (Method::GET, "v1"),
        ] {
            assert_eq!(admin(&method, &format!("/_refract/{path}")), None, "{path}");
        }
        assert_eq!(
            (control("PutPublicAccessBlock"), control("ListJobs")),
            (Some("s3:PutAccountPublicAccessBlock"), None)
        );
    }
}
