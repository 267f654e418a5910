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
    let path = path.strip_prefix("/_refract/")?;
    if path == "metrics" {
        return (method == Method::GET)
            .then(|| AdminAction { action: "refract:GetMetrics", resource: path.into() });
    }
    let path = path.strip_prefix("v1/")?.trim_end_matches('/');
    let (collection, name) = path.split_once('/').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let (name, last) = match name.and_then(|name| name.rsplit_once('/')) {
        Some((name, "preview")) if collection == "functions" => (Some(name), "preview"),
        _ => (name, ""),
    };
    let (_, _, kind, action) = ADMIN.iter().find(|(of, verb, ..)| {
        let wanted = match (method.as_str(), name.is_some(), last) {
            ("GET", false, "") => "list",
            ("GET", true, "") => "get",
            ("POST", true, "preview") => "preview",
            ("POST", _, "") => "post",
            ("PUT", true, "") => "put",
            ("PATCH", true, "") => "patch",
            ("DELETE", true, "") => "delete",
            _ => "",
        };
        *of == collection && *verb == wanted
    })?;
    let name = name.map(|name| percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned());
    Some(AdminAction { action, resource: format!("{kind}/{}", name.as_deref().unwrap_or("*")) })
}

/// Routes of the admin API: collection, verb, kind of the resource, action.
#[rustfmt::skip]
const ADMIN: &[(&str, &str, &str, &str)] = &[
    ("access-points", "delete", "access-point", "refract:DeleteAccessPoint"),
    ("access-points", "get", "access-point", "refract:GetAccessPoint"),
    ("access-points", "list", "access-point", "refract:ListAccessPoints"),
    ("access-points", "put", "access-point", "refract:PutAccessPoint"),
    ("accounts", "delete", "account", "refract:DeleteAccount"),
    ("accounts", "get", "account", "refract:GetAccount"),
    ("accounts", "list", "account", "refract:ListAccounts"),
    ("accounts", "put", "account", "refract:PutAccount"),
    ("functions", "delete", "function", "refract:DeleteFunction"),
    ("functions", "get", "function", "refract:GetFunction"),
    ("functions", "list", "function", "refract:ListFunctions"),
    ("functions", "preview", "function", "refract:PreviewFunction"),
    ("functions", "put", "function", "refract:PutFunction"),
    ("keys", "delete", "key", "refract:DeleteKey"),
    ("keys", "list", "key", "refract:ListKeys"),
    ("keys", "patch", "key", "refract:UpdateKey"),
    ("keys", "post", "key", "refract:CreateKey"),
    ("kms-keys", "list", "kms-key", "refract:ListKmsKeys"),
    ("kms-keys", "put", "kms-key", "refract:PutKmsKey"),
    ("object-lambdas", "delete", "object-lambda", "refract:DeleteObjectLambda"),
    ("object-lambdas", "get", "object-lambda", "refract:GetObjectLambda"),
    ("object-lambdas", "list", "object-lambda", "refract:ListObjectLambdas"),
    ("object-lambdas", "put", "object-lambda", "refract:PutObjectLambda"),
    ("policy", "post", "policy", "refract:ExplainPolicy"),
    ("usage", "get", "usage", "refract:GetUsage"),
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
    fn routes_lead_to_actions() {
        for (method, path, action, resource) in [
            (Method::GET, "metrics", "refract:GetMetrics", "metrics"),
            (Method::GET, "v1/functions", "refract:ListFunctions", "function/*"),
            (Method::PUT, "v1/functions/a", "refract:PutFunction", "function/a"),
            (Method::POST, "v1/functions/a/preview", "refract:PreviewFunction", "function/a"),
            (Method::PUT, "v1/kms-keys/team/a", "refract:PutKmsKey", "kms-key/team/a"),
            (Method::GET, "v1/usage/functions", "refract:GetUsage", "usage/functions"),
            (Method::POST, "v1/policy/explain", "refract:ExplainPolicy", "policy/explain"),
        ] {
            let found = admin(&method, &format!("/_refract/{path}"));
            assert_eq!(found, Some(AdminAction { action, resource: resource.into() }), "{path}");
        }
        for (method, path) in [(Method::PUT, "v1/functions"), (Method::GET, "v1/nope"), (Method::GET, "x")] {
            assert_eq!(admin(&method, &format!("/_refract/{path}")), None, "{path}");
        }
        assert_eq!(
            (control("PutPublicAccessBlock"), control("ListJobs")),
            (Some("s3:PutAccountPublicAccessBlock"), None)
        );
    }
}
