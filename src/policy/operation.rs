//! The closed table of operations. A name that is not here is denied to everybody.

use http::HeaderMap;

use crate::headers::AMZ_COPY_SOURCE;

/// Whether S3 allows an operation through an access point (S3 user guide, "Access point compatibility").
#[must_use]
pub fn is_allowed_through_point(operation: &str) -> bool {
    THROUGH_POINT.binary_search(&operation).is_ok()
}

/// Operations that S3 allows through an access point, sorted.
#[rustfmt::skip]
const THROUGH_POINT: &[&str] = &[
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateMultipartUpload",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjects",
    "GetBucketAcl",
    "GetBucketCors",
    "GetBucketLocation",
    "GetBucketNotificationConfiguration",
    "GetBucketPolicy",
    "GetObject",
    "GetObjectAcl",
    "GetObjectAttributes",
    "GetObjectLegalHold",
    "GetObjectRetention",
    "GetObjectTagging",
    "HeadBucket",
    "HeadObject",
    "ListMultipartUploads",
    "ListObjectVersions",
    "ListObjects",
    "ListObjectsV2",
    "ListParts",
    "PutObject",
    "PutObjectAcl",
    "PutObjectLegalHold",
    "PutObjectRetention",
    "PutObjectTagging",
    "RestoreObject",
    "UploadPart",
    "UploadPartCopy",
];

/// What an operation is done to, which decides what is looked at before it is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The service, or a bucket that is not there yet.
    Service,
    /// A bucket.
    Bucket,
    /// An object that is there: its own ACL and tags count.
    Object,
    /// An object about to be written.
    NewObject,
    /// An upload of an object about to be written.
    Upload,
    /// Keys to delete, each by itself.
    Keys,
    /// The source of a copy.
    Source,
}

/// A permission that a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// Action.
    pub action: &'static str,
    /// What it is done to.
    pub on: Subject,
}

/// The action of an operation that names a version.
#[must_use]
pub fn of_version(action: &'static str) -> &'static str {
    match action {
        "s3:GetObject" => "s3:GetObjectVersion",
        "s3:GetObjectAcl" => "s3:GetObjectVersionAcl",
        "s3:GetObjectAttributes" => "s3:GetObjectVersionAttributes",
        "s3:GetObjectTagging" => "s3:GetObjectVersionTagging",
        "s3:GetObjectTorrent" => "s3:GetObjectVersionTorrent",
        "s3:PutObjectAcl" => "s3:PutObjectVersionAcl",
        "s3:PutObjectTagging" => "s3:PutObjectVersionTagging",
        "s3:DeleteObjectTagging" => "s3:DeleteObjectVersionTagging",
        "s3:DeleteObject" => "s3:DeleteObjectVersion",
        other => other,
    }
}

/// The same where a version is named.
#[must_use]
pub fn of_version_if(named: bool, action: &'static str) -> &'static str {
    if named { of_version(action) } else { action }
}

/// What comes with the write of an object, by the beginning of the header that asks for it.
const WITH_WRITE: [(&str, &str); 6] = [
    ("x-amz-acl", "s3:PutObjectAcl"),
    ("x-amz-grant-", "s3:PutObjectAcl"),
    ("x-amz-object-lock-legal-hold", "s3:PutObjectLegalHold"),
    ("x-amz-object-lock-mode", "s3:PutObjectRetention"),
    ("x-amz-object-lock-retain-until-date", "s3:PutObjectRetention"),
    ("x-amz-tagging", "s3:PutObjectTagging"),
];

/// The same for a new bucket.
const WITH_BUCKET: [(&str, &str); 5] = [
    ("x-amz-acl", "s3:PutBucketAcl"),
    ("x-amz-bucket-object-lock-enabled", "s3:PutBucketObjectLockConfiguration"),
    ("x-amz-bucket-object-lock-enabled", "s3:PutBucketVersioning"),
    ("x-amz-grant-", "s3:PutBucketAcl"),
    ("x-amz-object-ownership", "s3:PutBucketOwnershipControls"),
];

fn by_headers(table: &[(&str, &'static str)], headers: &HeaderMap) -> Vec<&'static str> {
    let mut actions = Vec::new();
    for (header, action) in table {
        // One that ends in a hyphen is the beginning of several; `x-amz-tagging-directive` is not `x-amz-tagging`.
        let asks = |name: &str| name == *header || (header.ends_with('-') && name.starts_with(header));
        if !actions.contains(action) && headers.keys().any(|name| asks(name.as_str())) {
            actions.push(*action);
        }
    }
    actions
}

/// The actions that come with the write of an object.
#[must_use]
pub fn with_write(headers: &HeaderMap) -> Vec<&'static str> {
    by_headers(&WITH_WRITE, headers)
}

/// Whether a request asks to pass over governance mode.
#[must_use]
pub fn bypasses(headers: &HeaderMap) -> bool {
    let value = headers.get("x-amz-bypass-governance-retention");
    value.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}

/// The action that reads the source of a copy.
#[must_use]
pub fn of_source(versioned: bool) -> &'static str {
    if versioned { "s3:GetObjectVersion" } else { "s3:GetObject" }
}

/// All that a request of the S3 plane needs, whatever is there; `None` for an operation that is not known. Of the keys
/// of DeleteObjects each needs it. Where the source of a copy has tags that go along, they need to be read and put too.
#[must_use]
pub fn needs(operation: &str, headers: &HeaderMap, versioned: bool) -> Option<Vec<Need>> {
    let (subject, actions) = rule(operation)?;
    let named = versioned && matches!(subject, Subject::Object | Subject::Keys);
    let mut needs: Vec<Need> = actions
        .iter()
        .map(|action| Need { action: if named { of_version(action) } else { action }, on: subject })
        .collect();
    let mut also = |action, on| needs.push(Need { action, on });
    match operation {
        "CreateBucket" => {
            by_headers(&WITH_BUCKET, headers).into_iter().for_each(|action| also(action, subject));
        }
        "PutObject" | "PostObject" | "CopyObject" | "CreateMultipartUpload" => {
            with_write(headers).into_iter().for_each(|action| also(action, subject));
        }
        "DeleteObject" | "DeleteObjects" | "PutObjectRetention" if bypasses(headers) => {
            also("s3:BypassGovernanceRetention", subject);
        }
        _ => {}
    }
    if matches!(operation, "CopyObject" | "UploadPartCopy") {
        let source = headers.get(&AMZ_COPY_SOURCE).map(http::HeaderValue::as_bytes).unwrap_or_default();
        let versioned = source.windows(11).any(|bytes| bytes == b"?versionId=");
        also(of_source(versioned), Subject::Source);
    }
    if operation == "RenameObject" {
        also("s3:GetObject", Subject::Source);
        also("s3:DeleteObject", Subject::Source);
    }
    Some(needs)
}

/// Whether an action changes how a bucket is configured.
#[must_use]
pub fn is_change(action: &str) -> bool {
    let name = action.split_once(':').map_or(action, |(_, name)| name);
    let reads = name.starts_with("Get") || name.starts_with("List");
    !reads && (action == "s3:CreateBucket" || !action.starts_with("s3:") || is_of_bucket(action))
}

/// Whether an operation changes how something is configured, and so belongs into the audit log.
#[must_use]
pub fn changes_configuration(operation: &str) -> bool {
    match rule(operation) {
        Some((Subject::Bucket | Subject::Service, actions)) => actions.iter().any(|action| is_change(action)),
        Some(_) => false,
        None => !["Get", "List", "Head", "Describe"].iter().any(|verb| operation.starts_with(verb)),
    }
}

/// The name of a known operation of the S3 plane, as it stands in the table.
#[must_use]
pub fn name_of(operation: &str) -> Option<&'static str> {
    let at = S3.binary_search_by_key(&operation, |(name, ..)| name).ok()?;
    S3.get(at).map(|(name, ..)| *name)
}

/// All operations of the S3 plane, sorted.
pub fn all() -> impl Iterator<Item = &'static str> {
    S3.iter().map(|(name, ..)| *name)
}

/// The subject and the actions of an operation of the S3 plane, all of which it needs; `None` for one that is not
/// known.
#[must_use]
pub fn rule(operation: &str) -> Option<(Subject, &'static [&'static str])> {
    let at = S3.binary_search_by_key(&operation, |(name, ..)| name).ok()?;
    S3.get(at).map(|(_, subject, actions)| (*subject, *actions))
}

/// Whether an action is about a bucket, not about an object in it.
#[must_use]
pub fn is_of_bucket(action: &str) -> bool {
    S3.iter().any(|(_, subject, actions)| *subject == Subject::Bucket && actions.contains(&action))
}

/// Operations of the S3 plane, sorted, with their actions (Service Authorization Reference, "Actions, resources, and
/// condition keys for Amazon S3").
#[rustfmt::skip]
const S3: &[(&str, Subject, &[&str])] = &[
    ("AbortMultipartUpload", Subject::Upload, &["s3:AbortMultipartUpload"]),
    ("CompleteMultipartUpload", Subject::Upload, &["s3:PutObject"]),
    ("CopyObject", Subject::NewObject, &["s3:PutObject"]),
    ("CreateBucket", Subject::Service, &["s3:CreateBucket"]),
    ("CreateBucketMetadataTableConfiguration", Subject::Bucket, &["s3:CreateBucketMetadataTableConfiguration"]),
    ("CreateMultipartUpload", Subject::Upload, &["s3:PutObject"]),
    ("CreateSession", Subject::Bucket, &["s3express:CreateSession"]),
    ("DeleteBucket", Subject::Bucket, &["s3:DeleteBucket"]),
    ("DeleteBucketAnalyticsConfiguration", Subject::Bucket, &["s3:PutAnalyticsConfiguration"]),
    ("DeleteBucketCors", Subject::Bucket, &["s3:PutBucketCORS"]),
    ("DeleteBucketEncryption", Subject::Bucket, &["s3:PutEncryptionConfiguration"]),
    ("DeleteBucketIntelligentTieringConfiguration", Subject::Bucket, &["s3:PutIntelligentTieringConfiguration"]),
    ("DeleteBucketInventoryConfiguration", Subject::Bucket, &["s3:PutInventoryConfiguration"]),
    ("DeleteBucketLifecycle", Subject::Bucket, &["s3:PutLifecycleConfiguration"]),
    ("DeleteBucketMetadataTableConfiguration", Subject::Bucket, &["s3:DeleteBucketMetadataTableConfiguration"]),
    ("DeleteBucketMetricsConfiguration", Subject::Bucket, &["s3:PutMetricsConfiguration"]),
    ("DeleteBucketOwnershipControls", Subject::Bucket, &["s3:PutBucketOwnershipControls"]),
    ("DeleteBucketPolicy", Subject::Bucket, &["s3:DeleteBucketPolicy"]),
    ("DeleteBucketReplication", Subject::Bucket, &["s3:PutReplicationConfiguration"]),
    ("DeleteBucketTagging", Subject::Bucket, &["s3:PutBucketTagging"]),
    ("DeleteBucketWebsite", Subject::Bucket, &["s3:DeleteBucketWebsite"]),
    ("DeleteObject", Subject::Keys, &["s3:DeleteObject"]),
    ("DeleteObjectTagging", Subject::Object, &["s3:DeleteObjectTagging"]),
    ("DeleteObjects", Subject::Keys, &["s3:DeleteObject"]),
    ("DeletePublicAccessBlock", Subject::Bucket, &["s3:PutBucketPublicAccessBlock"]),
    ("GetBucketAccelerateConfiguration", Subject::Bucket, &["s3:GetAccelerateConfiguration"]),
    ("GetBucketAcl", Subject::Bucket, &["s3:GetBucketAcl"]),
    ("GetBucketAnalyticsConfiguration", Subject::Bucket, &["s3:GetAnalyticsConfiguration"]),
    ("GetBucketCors", Subject::Bucket, &["s3:GetBucketCORS"]),
    ("GetBucketEncryption", Subject::Bucket, &["s3:GetEncryptionConfiguration"]),
    ("GetBucketIntelligentTieringConfiguration", Subject::Bucket, &["s3:GetIntelligentTieringConfiguration"]),
    ("GetBucketInventoryConfiguration", Subject::Bucket, &["s3:GetInventoryConfiguration"]),
    ("GetBucketLifecycleConfiguration", Subject::Bucket, &["s3:GetLifecycleConfiguration"]),
    ("GetBucketLocation", Subject::Bucket, &["s3:GetBucketLocation"]),
    ("GetBucketLogging", Subject::Bucket, &["s3:GetBucketLogging"]),
    ("GetBucketMetadataTableConfiguration", Subject::Bucket, &["s3:GetBucketMetadataTableConfiguration"]),
    ("GetBucketMetricsConfiguration", Subject::Bucket, &["s3:GetMetricsConfiguration"]),
    ("GetBucketNotificationConfiguration", Subject::Bucket, &["s3:GetBucketNotification"]),
    ("GetBucketOwnershipControls", Subject::Bucket, &["s3:GetBucketOwnershipControls"]),
    ("GetBucketPolicy", Subject::Bucket, &["s3:GetBucketPolicy"]),
    ("GetBucketPolicyStatus", Subject::Bucket, &["s3:GetBucketPolicyStatus"]),
    ("GetBucketReplication", Subject::Bucket, &["s3:GetReplicationConfiguration"]),
    ("GetBucketRequestPayment", Subject::Bucket, &["s3:GetBucketRequestPayment"]),
    ("GetBucketTagging", Subject::Bucket, &["s3:GetBucketTagging"]),
    ("GetBucketVersioning", Subject::Bucket, &["s3:GetBucketVersioning"]),
    ("GetBucketWebsite", Subject::Bucket, &["s3:GetBucketWebsite"]),
    ("GetObject", Subject::Object, &["s3:GetObject"]),
    ("GetObjectAcl", Subject::Object, &["s3:GetObjectAcl"]),
    ("GetObjectAttributes", Subject::Object, &["s3:GetObject", "s3:GetObjectAttributes"]),
    ("GetObjectLegalHold", Subject::Object, &["s3:GetObjectLegalHold"]),
    ("GetObjectLockConfiguration", Subject::Bucket, &["s3:GetBucketObjectLockConfiguration"]),
    ("GetObjectRetention", Subject::Object, &["s3:GetObjectRetention"]),
    ("GetObjectTagging", Subject::Object, &["s3:GetObjectTagging"]),
    ("GetObjectTorrent", Subject::Object, &["s3:GetObjectTorrent"]),
    ("GetPublicAccessBlock", Subject::Bucket, &["s3:GetBucketPublicAccessBlock"]),
    ("HeadBucket", Subject::Bucket, &["s3:ListBucket"]),
    ("HeadObject", Subject::Object, &["s3:GetObject"]),
    ("ListBucketAnalyticsConfigurations", Subject::Bucket, &["s3:GetAnalyticsConfiguration"]),
    ("ListBucketIntelligentTieringConfigurations", Subject::Bucket, &["s3:GetIntelligentTieringConfiguration"]),
    ("ListBucketInventoryConfigurations", Subject::Bucket, &["s3:GetInventoryConfiguration"]),
    ("ListBucketMetricsConfigurations", Subject::Bucket, &["s3:GetMetricsConfiguration"]),
    ("ListBuckets", Subject::Service, &["s3:ListAllMyBuckets"]),
    ("ListDirectoryBuckets", Subject::Service, &["s3express:ListAllMyDirectoryBuckets"]),
    ("ListMultipartUploads", Subject::Bucket, &["s3:ListBucketMultipartUploads"]),
    ("ListObjectVersions", Subject::Bucket, &["s3:ListBucketVersions"]),
    ("ListObjects", Subject::Bucket, &["s3:ListBucket"]),
    ("ListObjectsV2", Subject::Bucket, &["s3:ListBucket"]),
    ("ListParts", Subject::Upload, &["s3:ListMultipartUploadParts"]),
    ("PostObject", Subject::NewObject, &["s3:PutObject"]),
    ("PutBucketAccelerateConfiguration", Subject::Bucket, &["s3:PutAccelerateConfiguration"]),
    ("PutBucketAcl", Subject::Bucket, &["s3:PutBucketAcl"]),
    ("PutBucketAnalyticsConfiguration", Subject::Bucket, &["s3:PutAnalyticsConfiguration"]),
    ("PutBucketCors", Subject::Bucket, &["s3:PutBucketCORS"]),
    ("PutBucketEncryption", Subject::Bucket, &["s3:PutEncryptionConfiguration"]),
    ("PutBucketIntelligentTieringConfiguration", Subject::Bucket, &["s3:PutIntelligentTieringConfiguration"]),
    ("PutBucketInventoryConfiguration", Subject::Bucket, &["s3:PutInventoryConfiguration"]),
    ("PutBucketLifecycleConfiguration", Subject::Bucket, &["s3:PutLifecycleConfiguration"]),
    ("PutBucketLogging", Subject::Bucket, &["s3:PutBucketLogging"]),
    ("PutBucketMetricsConfiguration", Subject::Bucket, &["s3:PutMetricsConfiguration"]),
    ("PutBucketNotificationConfiguration", Subject::Bucket, &["s3:PutBucketNotification"]),
    ("PutBucketOwnershipControls", Subject::Bucket, &["s3:PutBucketOwnershipControls"]),
    ("PutBucketPolicy", Subject::Bucket, &["s3:PutBucketPolicy"]),
    ("PutBucketReplication", Subject::Bucket, &["s3:PutReplicationConfiguration"]),
    ("PutBucketRequestPayment", Subject::Bucket, &["s3:PutBucketRequestPayment"]),
    ("PutBucketTagging", Subject::Bucket, &["s3:PutBucketTagging"]),
    ("PutBucketVersioning", Subject::Bucket, &["s3:PutBucketVersioning"]),
    ("PutBucketWebsite", Subject::Bucket, &["s3:PutBucketWebsite"]),
    ("PutObject", Subject::NewObject, &["s3:PutObject"]),
    ("PutObjectAcl", Subject::Object, &["s3:PutObjectAcl"]),
    ("PutObjectLegalHold", Subject::Object, &["s3:PutObjectLegalHold"]),
    ("PutObjectLockConfiguration", Subject::Bucket, &["s3:PutBucketObjectLockConfiguration"]),
    ("PutObjectRetention", Subject::Object, &["s3:PutObjectRetention"]),
    ("PutObjectTagging", Subject::Object, &["s3:PutObjectTagging"]),
    ("PutPublicAccessBlock", Subject::Bucket, &["s3:PutBucketPublicAccessBlock"]),
    ("RenameObject", Subject::NewObject, &["s3:PutObject"]),
    ("RestoreObject", Subject::Object, &["s3:RestoreObject"]),
    ("SelectObjectContent", Subject::Object, &["s3:GetObject"]),
    ("UploadPart", Subject::Upload, &["s3:PutObject"]),
    ("UploadPartCopy", Subject::Upload, &["s3:PutObject"]),
    ("WriteGetObjectResponse", Subject::Service, &["s3-object-lambda:WriteGetObjectResponse"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_closed() {
        assert!(THROUGH_POINT.is_sorted());
        assert!(S3.is_sorted_by_key(|(name, ..)| *name));
        assert!(S3.iter().all(|(_, _, actions)| !actions.is_empty()));
        assert!(THROUGH_POINT.iter().all(|operation| rule(operation).is_some()));
        assert!(rule("GetObject").is_some());
        assert!(["getobject", "", "ListenBucketNotification"].iter().all(|name| rule(name).is_none()));
    }
}
