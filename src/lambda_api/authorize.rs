//! Who may do what with a function: its caller's policies and its own; and who may give it which role.

use http::{StatusCode, request};
use serde::Deserialize;

use crate::error::ApiError;
use crate::function::role::{self, NOT_ASSUMED, SERVICE};
use crate::policy::{self, Asked, Labelled};
use crate::query::base_context;
use crate::s3;

use super::error::invalid;
use super::name::FunctionName;
use super::route::Route;
use super::{Call, LambdaCall, LambdaPlane, event_sources, route};

/// The name of the function that CreateFunction is about; `*` where it cannot be read, which fails the operation once
/// it is allowed.
pub(super) fn new_function(body: &[u8]) -> String {
    #[derive(Default, Deserialize)]
    struct Named {
        #[serde(rename = "FunctionName")]
        function_name: Option<String>,
    }
    let named: Named = serde_json::from_slice(body).unwrap_or_default();
    named.function_name.unwrap_or_else(|| "*".to_owned())
}

impl LambdaPlane {
    /// Whether the caller may do an operation, which has this action, with the function that a request names: by its own
    /// policies, and by that of the function, version or alias. Operations of mappings are about the mapping.
    ///
    /// # Errors
    /// 403 AccessDenied; 400 for a name that is none.
    pub(super) fn authorize(
        &self,
        call: &LambdaCall<'_>,
        parts: &request::Parts,
        (route, action): (&Route, &str),
        function: &str,
    ) -> Result<(), ApiError> {
        let asked = Asked::of(&parts.headers, &parts.uri, &parts.extensions);
        let plain =
            |resource: &str| policy::authorize(call.principal, &asked, action, resource, &self.account_id);
        if function.is_empty() {
            return plain("*");
        }
        if route.is_mapping() {
            return plain(&event_sources::mapping_arn(self, function));
        }
        if function == "*" {
            return plain(&self.arn("*", None));
        }
        let qualifier = s3::query_pairs(parts.uri.query().unwrap_or_default())
            .find(|(name, _)| name == "Qualifier")
            .map(|(_, value)| value.into_owned());
        let named = FunctionName::parse(function, qualifier.as_deref(), &self.account_id)?;
        let other = call.principal.is_some_and(|caller| caller.account_id != self.account_id);
        if other && !function.contains(&format!("{}:function:", self.account_id)) {
            return Err(ApiError::access_denied(format!(
                "{function} without its account is a function of the caller's own, and those are not here"
            )));
        }
        let view = self.catalog.snapshot();
        // Only where the operation acts on what is qualified: elsewhere it must not lead past a statement about the
        // function.
        let qualifier = named.qualifier.as_deref().filter(|_| route::acts_on_versions(route.operation));
        let own = self.find(&view, &named.name).ok().and_then(|found| found.policy_of(qualifier));
        if own == Some(None) && action.starts_with("lambda:Invoke") {
            return Err(ApiError::access_denied(format!("the policy of {} cannot be read", named.name)));
        }
        let label = format!("the policy of function {}", named.name);
        let policies: Vec<_> =
            own.flatten().into_iter().map(|policy| Labelled { label: &label, policy }).collect();
        let resource = self.arn(&named.name, qualifier);
        let target = policy::Target { resource: &resource, owner: &self.account_id, policies: &policies };
        policy::authorize_on(call.principal, &asked, action, target)
    }

    /// Whether the caller may pass a role to a function, and Lambda assume it.
    ///
    /// # Errors
    /// 403 AccessDenied; 400 InvalidParameterValueException.
    pub(super) fn check_role(&self, call: &Call<'_>, role: &str, function: &str) -> Result<(), ApiError> {
        let caller = call.principal.ok_or_else(|| ApiError::access_denied("an anonymous caller"))?;
        if role.split(':').nth(4) != Some(&self.account_id) {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "AccessDeniedException",
                "Cross-account pass role is not allowed.",
            ));
        }
        let (view, now) = (self.catalog.snapshot(), self.clock.now());
        let arn = self.arn(function, None);
        let parts = call.parts;
        let mut context = base_context(&Asked::of(&parts.headers, &parts.uri, &parts.extensions), now)
            .with("iam:PassedToService", SERVICE)
            .with("iam:AssociatedResourceArn", arn.as_str());
        for (key, value) in view.identities.role(role).into_iter().flat_map(|role| &role.tags) {
            context.set(&format!("iam:ResourceTag/{key}"), value.as_str());
            context.set(&format!("aws:ResourceTag/{key}"), value.as_str());
        }
        policy::authorize_action(caller, "iam:PassRole", role, context)?;
        match role::assumable(&view, role, &arn, now) {
            Ok(_) => Ok(()),
            Err(why) => Err(invalid(NOT_ASSUMED).with_internal(why.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_function_is_named_by_its_body() {
        assert_eq!(new_function(br#"{"Code":{"ZipFile":"UEsD"},"FunctionName":"f"}"#), "f");
        for body in [&b"{}"[..], b"", b"{\"FunctionName\":1}", b"["] {
            assert_eq!(new_function(body), "*");
        }
    }
}
