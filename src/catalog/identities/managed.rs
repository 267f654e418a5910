//! The managed policies that every account has, with AWS's names, ARNs and permissions.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;

use super::document::{Document, DocumentKind};
use super::records::{ManagedPolicy, PolicyVersion};

/// The account of these policies, in their ARNs.
pub const ACCOUNT: &str = "aws";

/// Path, name, description and document of each.
const POLICIES: [(&str, &str, &str, &str); 7] = [
    (
        "/",
        "AdministratorAccess",
        "Provides full access to all services and resources.",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
    ),
    (
        "/",
        "AmazonS3FullAccess",
        "Provides full access to all buckets.",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","s3-object-lambda:*"],"Resource":"*"}]}"#,
    ),
    (
        "/",
        "AmazonS3ReadOnlyAccess",
        "Provides read only access to all buckets.",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*","s3:Describe*","s3-object-lambda:Get*","s3-object-lambda:List*"],"Resource":"*"}]}"#,
    ),
    (
        "/service-role/",
        "AmazonS3ObjectLambdaExecutionRolePolicy",
        "Provides functions access to interact with S3 Object Lambda, and to write logs.",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents","s3-object-lambda:WriteGetObjectResponse"],"Resource":"*"}]}"#,
    ),
    (
        "/service-role/",
        "AWSLambdaBasicExecutionRole",
        "Provides write permissions to logs.",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}"#,
    ),
    (
        "/",
        "IAMFullAccess",
        "Provides full access to identities.",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*"],"Resource":"*"}]}"#,
    ),
    (
        "/",
        "IAMReadOnlyAccess",
        "Provides read only access to identities.",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GenerateCredentialReport","iam:GenerateServiceLastAccessedDetails","iam:Get*","iam:List*","iam:SimulateCustomPolicy","iam:SimulatePrincipalPolicy"],"Resource":"*"}]}"#,
    ),
];

static ALL: LazyLock<BTreeMap<String, Arc<ManagedPolicy>>> = LazyLock::new(|| {
    let policies = POLICIES.iter().enumerate().filter_map(|(index, (path, name, description, text))| {
        let created = Timestamp::UNIX_EPOCH;
        let document = Document::parse(text, DocumentKind::Managed).ok()?;
        let policy = ManagedPolicy {
            account_id: ACCOUNT.to_owned(),
            name: (*name).to_owned(),
            path: (*path).to_owned(),
            id: format!("ANPAREFRACT{index:010}"),
            description: (*description).to_owned(),
            created,
            updated: created,
            versions: vec![PolicyVersion { number: 1, created, document }],
            default_version: 1,
            next_version: 2,
            tags: BTreeMap::new(),
        };
        Some((policy.arn(), Arc::new(policy)))
    });
    policies.collect()
});

/// The policy of an ARN, where every account has it.
#[must_use]
pub fn get(arn: &str) -> Option<Arc<ManagedPolicy>> {
    ALL.get(arn).cloned()
}

/// All of them, by ARN.
pub fn all<'a>() -> impl Iterator<Item = &'a Arc<ManagedPolicy>> {
    ALL.values()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_is_read() {
        assert_eq!(all().count(), POLICIES.len());
        let role = "arn:aws:iam::aws:policy/service-role/AmazonS3ObjectLambdaExecutionRolePolicy";
        assert_eq!(get(role).unwrap().default().unwrap().number, 1);
    }
}
