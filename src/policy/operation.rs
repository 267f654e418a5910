//! The closed table of operations. A name that is not here is denied to everybody.

/// Whether an operation is known, implemented or not.
#[must_use]
pub fn is_known(operation: &str) -> bool {
    rule(operation).is_some()
        || S3_CONTROL.binary_search(&operation).is_ok()
        || ADMIN.binary_search(&operation).is_ok()
        || LAMBDA.binary_search(&operation).is_ok()
}

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
    ("RestoreObject", Subject::Object, &["s3:RestoreObject"]),
    ("SelectObjectContent", Subject::Object, &["s3:GetObject"]),
    ("UploadPart", Subject::Upload, &["s3:PutObject"]),
    ("UploadPartCopy", Subject::Upload, &["s3:PutObject"]),
    ("WriteGetObjectResponse", Subject::Service, &["s3-object-lambda:WriteGetObjectResponse"]),
];

/// Operations of the S3 Control plane, sorted.
const S3_CONTROL: &[&str] = &[
    "CreateAccessPoint",
    "CreateAccessPointForObjectLambda",
    "DeleteAccessPoint",
    "DeleteAccessPointForObjectLambda",
    "DeleteAccessPointPolicy",
    "DeleteAccessPointPolicyForObjectLambda",
    "DeleteAccessPointScope",
    "DeletePublicAccessBlock",
    "GetAccessPoint",
    "GetAccessPointConfigurationForObjectLambda",
    "GetAccessPointForObjectLambda",
    "GetAccessPointPolicy",
    "GetAccessPointPolicyForObjectLambda",
    "GetAccessPointPolicyStatus",
    "GetAccessPointPolicyStatusForObjectLambda",
    "GetAccessPointScope",
    "GetPublicAccessBlock",
    "ListAccessPoints",
    "ListAccessPointsForDirectoryBuckets",
    "ListAccessPointsForObjectLambda",
    "ListTagsForResource",
    "PutAccessPointConfigurationForObjectLambda",
    "PutAccessPointPolicy",
    "PutAccessPointPolicyForObjectLambda",
    "PutAccessPointScope",
    "PutPublicAccessBlock",
    "TagResource",
    "UntagResource",
];

/// Operations of the admin API, sorted.
const ADMIN: &[&str] = &["Admin"];

/// Operations of the Lambda plane, sorted.
const LAMBDA: &[&str] = &[
    "AddPermission",
    "CreateAlias",
    "CreateFunction",
    "DeleteAlias",
    "DeleteFunction",
    "DeleteFunctionConcurrency",
    "DeleteFunctionEventInvokeConfig",
    "GetAccountSettings",
    "GetAlias",
    "GetFunction",
    "GetFunctionConcurrency",
    "GetFunctionConfiguration",
    "GetFunctionEventInvokeConfig",
    "GetPolicy",
    "Invoke",
    "InvokeAsync",
    "InvokeWithResponseStream",
    "ListAliases",
    "ListFunctionEventInvokeConfigs",
    "ListFunctions",
    "ListTags",
    "ListVersionsByFunction",
    "PublishVersion",
    "PutFunctionConcurrency",
    "PutFunctionEventInvokeConfig",
    "RemovePermission",
    "TagResource",
    "UntagResource",
    "UpdateAlias",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
    "UpdateFunctionEventInvokeConfig",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_closed() {
        for table in [S3_CONTROL, ADMIN, LAMBDA, THROUGH_POINT] {
            assert!(table.is_sorted());
        }
        assert!(S3.is_sorted_by_key(|(name, ..)| *name));
        assert!(S3.iter().all(|(_, _, actions)| !actions.is_empty()));
        assert!(THROUGH_POINT.iter().all(|operation| rule(operation).is_some()));
        assert!(is_known("GetObject") && is_known("CreateAccessPoint"));
        assert!(!is_known("getobject") && !is_known("") && !is_known("ListenBucketNotification"));
    }
}
