//! Whether the logging service may deliver into a bucket: by the bucket's policy, or by a grant to the log delivery
//! group (S3 user guide, "Permissions for log delivery").

use jiff::Timestamp;

use crate::bucket::{Grantee, Ownership, Permission};
use crate::catalog::canonical_id;
use crate::policy::{Context, Labelled, Outcome, Policy, PolicySet, PrincipalView, Request, evaluate};
use crate::store::Bucket;

/// The name that policies know the service by.
pub const SERVICE: &str = "logging.s3.amazonaws.com";

/// A bucket whose requests are logged.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its name.
    pub bucket: &'a str,
    /// Account that owns it.
    pub account: &'a str,
}

/// Whether logs of a bucket may be delivered into `target` under a key that begins with `prefix`.
#[must_use]
pub fn allows(target: &Bucket, key: &str, prefix: &str, source: Source<'_>) -> bool {
    if target.owner != source.account {
        return false;
    }
    let by_policy = match &target.config.policy {
        None => false,
        Some(policy) => {
            // One that cannot be read denies everything.
            let Some(policy) = policy.policy() else { return false };
            match of_policy(policy, target, key, source.bucket, source.account) {
                Outcome::ExplicitDeny => return false,
                Outcome::Allow => true,
                // The prefix alone may stand for what is under it, and an account for its canonical id.
                Outcome::ImplicitDeny => [key, prefix].iter().any(|key| {
                    [source.account, &canonical_id(source.account)].iter().any(|account| {
                        of_policy(policy, target, key, source.bucket, account) == Outcome::Allow
                    })
                }),
            }
        }
    };
    by_policy || by_acl(target)
}

fn by_acl(target: &Bucket) -> bool {
    let has = |wanted| {
        target.config.acl.as_ref().is_some_and(|acl| {
            acl.grants.iter().any(|grant| {
                grant.grantee == Grantee::LogDelivery
                    && (grant.permission == wanted || grant.permission == Permission::FullControl)
            })
        })
    };
    target.config.ownership != Some(Ownership::BucketOwnerEnforced)
        && has(Permission::Write)
        && has(Permission::ReadAcp)
}

fn of_policy(policy: &Policy, target: &Bucket, key: &str, source: &str, account: &str) -> Outcome {
    let now = Timestamp::now();
    let context = Context::new()
        .with("aws:SourceArn", format!("arn:aws:s3:::{source}"))
        .with("aws:SourceAccount", account)
        .with("aws:ResourceAccount", target.owner.as_str())
        .with("s3:ResourceAccount", target.owner.as_str())
        .with("aws:PrincipalIsAWSService", "true")
        .with("aws:PrincipalServiceName", SERVICE)
        .with("aws:SecureTransport", "true")
        .with("aws:CurrentTime", now.to_string())
        .with("aws:EpochTime", now.as_second().to_string());
    let resource = format!("arn:aws:s3:::{}/{key}", target.name);
    let principal = PrincipalView::service(SERVICE);
    let request =
        Request { principal: &principal, action: "s3:PutObject", resource: &resource, context: &context };
    let labelled = [Labelled { label: "the bucket policy", policy }];
    evaluate(&PolicySet { resource: &labelled, ..PolicySet::default() }, &request).effect
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::{Acl, BucketConfig};
    use crate::policy::ResourcePolicy;

    const ACCOUNT: &str = "111122223333";

    fn target(config: BucketConfig) -> Bucket {
        Bucket {
            name: "logs".into(),
            id: 1,
            created: Timestamp::UNIX_EPOCH,
            region: "us-east-1".into(),
            owner: ACCOUNT.into(),
            config,
        }
    }

    fn by_policy(statements: &str) -> bool {
        let text = format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{statements}]}}");
        let config =
            BucketConfig { policy: Some(ResourcePolicy::parse(&text).unwrap()), ..BucketConfig::default() };
        allows(&target(config), "p/2026", "p/", Source { bucket: "b", account: ACCOUNT })
    }

    fn statement(effect: &str, principal: &str, resource: &str, account: &str, arn: &str) -> String {
        format!(
            r#"{{"Effect":"{effect}","Principal":{principal},"Action":"s3:PutObject",
                "Resource":"arn:aws:s3:::logs/{resource}","Condition":{{"ArnLike":{{"aws:SourceArn":"{arn}"}},
                "StringEquals":{{"aws:SourceAccount":"{account}"}}}}}}"#
        )
    }

    #[test]
    fn a_policy_must_name_service_source_and_account() {
        let service = format!(r#"{{"Service":"{SERVICE}"}}"#);
        let arn = "arn:aws:s3:::b";
        assert!(by_policy(&statement("Allow", &service, "p/*", ACCOUNT, arn)));
        assert!(by_policy(&statement("Allow", &service, "p/", ACCOUNT, arn)));
        assert!(by_policy(&statement("Allow", &service, "p/*", &canonical_id(ACCOUNT), arn)));
        assert!(!by_policy(&statement("Allow", &service, "q/*", ACCOUNT, arn)));
        assert!(!by_policy(&statement("Allow", &service, "p/*", "999999999999", arn)));
        assert!(!by_policy(&statement("Allow", &service, "p/*", ACCOUNT, "arn:aws:s3:::c")));
        assert!(!by_policy(&statement("Allow", r#"{"AWS":"*"}"#, "p/*", ACCOUNT, arn)));
        let both = [("Allow", "*"), ("Deny", "p/*")]
            .map(|(effect, resource)| statement(effect, &service, resource, ACCOUNT, arn));
        assert!(!by_policy(&both.join(",")));
    }

    #[test]
    fn the_log_delivery_group_may_where_acls_are_on_and_the_owner_is_the_same() {
        let acl = Acl::canned("log-delivery-write", ACCOUNT, None);
        let on = BucketConfig { acl, ..BucketConfig::default() };
        let source = |account| Source { bucket: "b", account };
        assert!(allows(&target(on.clone()), "k", "", source(ACCOUNT)));
        assert!(!allows(&target(on.clone()), "k", "", source("999999999999")));
        let off = BucketConfig { ownership: Some(Ownership::BucketOwnerEnforced), ..on };
        assert!(!allows(&target(off), "k", "", source(ACCOUNT)));
        assert!(!allows(&target(BucketConfig::default()), "k", "", source(ACCOUNT)));
    }
}
