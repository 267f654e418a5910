//! Whether a function lets a service invoke it: by its resource policy, and by nothing else.

use jiff::Timestamp;

use crate::catalog::View;
use crate::lambda_api::name::FunctionName;
use crate::policy::{Context, Labelled, PolicySet, PrincipalView, Request, evaluate};

use super::registry;

/// A service that invokes a function, and what for.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The service's name: `s3.amazonaws.com`.
    pub service: &'a str,
    /// ARN of what it acts for.
    pub arn: &'a str,
    /// Account that owns that.
    pub account_id: &'a str,
}

/// Checks that a function is there, and that its policy lets a service invoke it.
///
/// # Errors
/// Why not.
pub fn allows(view: &View, named: &FunctionName, arn: &str, source: &Source<'_>) -> Result<(), String> {
    let qualifier = named.qualifier.as_deref();
    registry::resolve(view, &named.name, qualifier, 1.0).map_err(|why| format!("{arn}: {why}"))?;
    let refused = || format!("Not authorized to invoke function [{arn}]");
    let lambda = registry::lambda(view, &named.name).map_err(|_| refused())?;
    // One that cannot be read allows nothing.
    let policy = lambda.policy_of(qualifier).flatten().ok_or_else(refused)?;
    let now = Timestamp::now();
    let context = Context::new()
        .with("aws:SourceArn", source.arn)
        .with("aws:SourceAccount", source.account_id)
        .with("aws:PrincipalIsAWSService", "true")
        .with("aws:PrincipalServiceName", source.service)
        .with("aws:SecureTransport", "true")
        .with("aws:CurrentTime", now.to_string())
        .with("aws:EpochTime", now.as_second().to_string());
    let principal = PrincipalView::service(source.service);
    let request =
        Request { principal: &principal, action: "lambda:InvokeFunction", resource: arn, context: &context };
    let labelled = [Labelled { label: "the function's policy", policy }];
    let decision = evaluate(&PolicySet { resource: &labelled, ..PolicySet::default() }, &request);
    if decision.is_allowed() { Ok(()) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalog::lambda::ResourcePolicy;
    use crate::function::registry::tests::{function, view};

    #[test]
    fn a_service_needs_a_statement_for_it_and_its_source() {
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
        let named = FunctionName::parse(arn, None, "000000000000").unwrap();
        let asks = |statement: serde_json::Value, bucket: &str| {
            let mut function = function();
            let mut policy = ResourcePolicy::default();
            // What cannot be read is not taken, so that there is no statement.
            policy.add(statement).ok();
            function.policies.insert(String::new(), policy);
            let source = Source {
                service: "s3.amazonaws.com",
                arn: &format!("arn:aws:s3:::{bucket}"),
                account_id: "000000000000",
            };
            allows(&view(function), &named, arn, &source)
        };
        let statement = |service: &str| {
            json!({
                "Sid": "s", "Effect": "Allow", "Principal": { "Service": service },
                "Action": "lambda:InvokeFunction", "Resource": arn,
                "Condition": { "ArnLike": { "AWS:SourceArn": "arn:aws:s3:::b" } },
            })
        };
        assert_eq!(asks(statement("s3.amazonaws.com"), "b"), Ok(()));
        assert!(asks(statement("s3.amazonaws.com"), "c").unwrap_err().contains("Not authorized"));
        assert!(asks(statement("sns.amazonaws.com"), "b").is_err());
        assert!(asks(json!({ "nonsense": 1 }), "b").is_err());
    }
}
