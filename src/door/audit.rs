//! What of a request belongs into the audit log: changes of configuration that were made, and denials.

use axum::body::Body;
use http::{Method, Response, StatusCode};

use crate::context::{App, RequestContext};
use crate::policy::operation;
use crate::telemetry::audit::{AuditEvent, AuditRecord};

use super::Failed;

/// Operations of STS and of the admin API that change nothing and yet hand out something.
const HANDS_OUT: [&str; 2] = ["GetFederationToken", "GetSessionToken"];

/// Writes what happened, if it belongs there.
pub(super) fn note(app: &App, context: &RequestContext, head: &(Method, String), answer: &Response<Body>) {
    let (method, path) = head;
    let error = answer.extensions().get::<Failed>().map(|failed| &failed.0);
    let status = answer.status();
    let operation = context.trail.asked().unwrap_or(context.operation);
    let record = |event, decided_by: Option<&str>| {
        let caller = context.principal.as_deref();
        app.audit.write(&AuditRecord {
            time: app.clock.now().to_string(),
            event,
            id: &context.id,
            principal: caller.map_or("anonymous", |caller| caller.arn.as_str()),
            account: caller.map(|caller| caller.account_id.as_str()),
            access_key_id: caller.map(|caller| caller.access_key_id.as_str()),
            client: context.client.map(|client| client.to_string()),
            plane: context.plane,
            operation,
            method: method.as_str(),
            path,
            status: status.as_u16(),
            code: error.map(|error| &*error.code),
            decided_by,
        });
    };
    if status == StatusCode::FORBIDDEN || status == StatusCode::UNAUTHORIZED {
        record(AuditEvent::Denied, error.and_then(|error| error.internal.as_deref()));
        return;
    }
    for part in context.trail.denials() {
        record(AuditEvent::Denied, Some(&part));
    }
    let done = status.is_success() || status.is_redirection();
    if done && context.principal.is_some() && is_change(context.plane, operation, method) {
        record(AuditEvent::Change, context.trail.reason());
    }
}

/// Whether an operation changes how something is configured, or hands out credentials.
fn is_change(plane: &str, operation: &str, method: &Method) -> bool {
    match plane {
        "s3" => operation::rule(operation).is_some() && operation::changes_configuration(operation),
        "admin" => {
            let reads = operation == "refract:PreviewFunction" || operation == "refract:ExplainPolicy";
            *method != Method::GET && *method != Method::HEAD && !reads
        }
        "s3-control" | "iam" | "sts" | "lambda" => {
            HANDS_OUT.contains(&operation)
                || (operation != "Invoke" && operation::changes_configuration(operation))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_from_reads_and_from_data() {
        let put = Method::PUT;
        for (plane, operation, expected) in [
            ("s3", "PutBucketPolicy", true),
            ("s3", "CreateBucket", true),
            ("s3", "DeleteBucketCors", true),
            ("s3", "GetBucketPolicy", false),
            ("s3", "ListBuckets", false),
            ("s3", "PutObject", false),
            ("s3", "HeadBucket", false),
            ("s3", "", false),
            ("s3-control", "CreateAccessPoint", true),
            ("s3-control", "ListAccessPoints", false),
            ("iam", "PutUserPolicy", true),
            ("iam", "GetUser", false),
            ("sts", "AssumeRole", true),
            ("sts", "GetSessionToken", true),
            ("sts", "GetCallerIdentity", false),
            ("admin", "refract:PutFunction", true),
            ("admin", "refract:PreviewFunction", false),
            ("object-lambda", "GetObject", false),
        ] {
            assert_eq!(is_change(plane, operation, &put), expected, "{plane} {operation}");
        }
        assert!(!is_change("admin", "refract:ListKeys", &Method::GET));
    }
}
