//! The state of every operation, as the plane itself answers it, and the table of it in `docs/s3-compatibility.md`.

use super::tests::Client;
use crate::policy::operation;

/// What an operation lacks, or is by design. The rest of the table comes from what the plane answers.
const NOTES: &[(&str, &str)] = &[
    ("CompleteMultipartUpload", "The answer comes when all is done, without spaces before it."),
    ("GetObjectTorrent", "Closed at AWS."),
    ("ListDirectoryBuckets", "There are no directory buckets."),
    ("CreateSession", "There are no directory buckets."),
    ("PutBucketEncryption", "Not `aws:kms:dsse`."),
    ("PutBucketNotificationConfiguration", "Not to EventBridge."),
    ("PutBucketRequestPayment", "Kept and read back; nobody is billed."),
    ("PutBucketVersioning", "Not MFA delete."),
    ("PutObject", "Not `aws:kms:dsse`."),
    ("RestoreObject", "Storage classes are labels: nothing is ever away."),
    ("SelectObjectContent", "Closed at AWS. A lens with the `filter` transform does its work."),
];

/// A request for each operation: `{id}` is an upload, and what needs a document is sent without one, for what is not
/// implemented is refused before it is read.
#[rustfmt::skip]
const REQUESTS: &[(&str, &str)] = &[
    ("AbortMultipartUpload", "DELETE /bkt/k?uploadId=x"),
    ("CompleteMultipartUpload", "POST /bkt/k?uploadId=x"),
    ("CopyObject", "PUT /bkt/copy copy"),
    ("CreateBucket", "PUT /other"),
    ("CreateBucketMetadataTableConfiguration", "POST /bkt?metadataTable"),
    ("CreateMultipartUpload", "POST /bkt/k?uploads"),
    ("CreateSession", "GET /bkt?session"),
    ("DeleteBucket", "DELETE /empty"),
    ("DeleteBucketAnalyticsConfiguration", "DELETE /bkt?analytics&id=1"),
    ("DeleteBucketCors", "DELETE /bkt?cors"),
    ("DeleteBucketEncryption", "DELETE /bkt?encryption"),
    ("DeleteBucketIntelligentTieringConfiguration", "DELETE /bkt?intelligent-tiering&id=1"),
    ("DeleteBucketInventoryConfiguration", "DELETE /bkt?inventory&id=1"),
    ("DeleteBucketLifecycle", "DELETE /bkt?lifecycle"),
    ("DeleteBucketMetadataTableConfiguration", "DELETE /bkt?metadataTable"),
    ("DeleteBucketMetricsConfiguration", "DELETE /bkt?metrics&id=1"),
    ("DeleteBucketOwnershipControls", "DELETE /bkt?ownershipControls"),
    ("DeleteBucketPolicy", "DELETE /bkt?policy"),
    ("DeleteBucketReplication", "DELETE /bkt?replication"),
    ("DeleteBucketTagging", "DELETE /bkt?tagging"),
    ("DeleteBucketWebsite", "DELETE /bkt?website"),
    ("DeleteObject", "DELETE /bkt/gone"),
    ("DeleteObjectTagging", "DELETE /bkt/k?tagging"),
    ("DeleteObjects", "POST /bkt?delete"),
    ("DeletePublicAccessBlock", "DELETE /bkt?publicAccessBlock"),
    ("GetBucketAccelerateConfiguration", "GET /bkt?accelerate"),
    ("GetBucketAcl", "GET /bkt?acl"),
    ("GetBucketAnalyticsConfiguration", "GET /bkt?analytics&id=1"),
    ("GetBucketCors", "GET /bkt?cors"),
    ("GetBucketEncryption", "GET /bkt?encryption"),
    ("GetBucketIntelligentTieringConfiguration", "GET /bkt?intelligent-tiering&id=1"),
    ("GetBucketInventoryConfiguration", "GET /bkt?inventory&id=1"),
    ("GetBucketLifecycleConfiguration", "GET /bkt?lifecycle"),
    ("GetBucketLocation", "GET /bkt?location"),
    ("GetBucketLogging", "GET /bkt?logging"),
    ("GetBucketMetadataTableConfiguration", "GET /bkt?metadataTable"),
    ("GetBucketMetricsConfiguration", "GET /bkt?metrics&id=1"),
    ("GetBucketNotificationConfiguration", "GET /bkt?notification"),
    ("GetBucketOwnershipControls", "GET /bkt?ownershipControls"),
    ("GetBucketPolicy", "GET /bkt?policy"),
    ("GetBucketPolicyStatus", "GET /bkt?policyStatus"),
    ("GetBucketReplication", "GET /bkt?replication"),
    ("GetBucketRequestPayment", "GET /bkt?requestPayment"),
    ("GetBucketTagging", "GET /bkt?tagging"),
    ("GetBucketVersioning", "GET /bkt?versioning"),
    ("GetBucketWebsite", "GET /bkt?website"),
    ("GetObject", "GET /bkt/k"),
    ("GetObjectAcl", "GET /bkt/k?acl"),
    ("GetObjectAttributes", "GET /bkt/k?attributes attributes"),
    ("GetObjectLegalHold", "GET /bkt/k?legal-hold"),
    ("GetObjectLockConfiguration", "GET /bkt?object-lock"),
    ("GetObjectRetention", "GET /bkt/k?retention"),
    ("GetObjectTagging", "GET /bkt/k?tagging"),
    ("GetObjectTorrent", "GET /bkt/k?torrent"),
    ("GetPublicAccessBlock", "GET /bkt?publicAccessBlock"),
    ("HeadBucket", "HEAD /bkt"),
    ("HeadObject", "HEAD /bkt/k"),
    ("ListBucketAnalyticsConfigurations", "GET /bkt?analytics"),
    ("ListBucketIntelligentTieringConfigurations", "GET /bkt?intelligent-tiering"),
    ("ListBucketInventoryConfigurations", "GET /bkt?inventory"),
    ("ListBucketMetricsConfigurations", "GET /bkt?metrics"),
    ("ListBuckets", "GET /"),
    ("ListDirectoryBuckets", "GET /?x-id=ListDirectoryBuckets"),
    ("ListMultipartUploads", "GET /bkt?uploads"),
    ("ListObjectVersions", "GET /bkt?versions"),
    ("ListObjects", "GET /bkt"),
    ("ListObjectsV2", "GET /bkt?list-type=2"),
    ("ListParts", "GET /bkt/k?uploadId=x"),
    ("PostObject", "POST /bkt form"),
    ("PutBucketAccelerateConfiguration", "PUT /bkt?accelerate"),
    ("PutBucketAcl", "PUT /bkt?acl"),
    ("PutBucketAnalyticsConfiguration", "PUT /bkt?analytics&id=1"),
    ("PutBucketCors", "PUT /bkt?cors"),
    ("PutBucketEncryption", "PUT /bkt?encryption"),
    ("PutBucketIntelligentTieringConfiguration", "PUT /bkt?intelligent-tiering&id=1"),
    ("PutBucketInventoryConfiguration", "PUT /bkt?inventory&id=1"),
    ("PutBucketLifecycleConfiguration", "PUT /bkt?lifecycle"),
    ("PutBucketLogging", "PUT /bkt?logging"),
    ("PutBucketMetricsConfiguration", "PUT /bkt?metrics&id=1"),
    ("PutBucketNotificationConfiguration", "PUT /bkt?notification"),
    ("PutBucketOwnershipControls", "PUT /bkt?ownershipControls"),
    ("PutBucketPolicy", "PUT /bkt?policy"),
    ("PutBucketReplication", "PUT /bkt?replication"),
    ("PutBucketRequestPayment", "PUT /bkt?requestPayment"),
    ("PutBucketTagging", "PUT /bkt?tagging"),
    ("PutBucketVersioning", "PUT /bkt?versioning"),
    ("PutBucketWebsite", "PUT /bkt?website"),
    ("PutObject", "PUT /bkt/new"),
    ("PutObjectAcl", "PUT /bkt/k?acl"),
    ("PutObjectLegalHold", "PUT /bkt/k?legal-hold"),
    ("PutObjectLockConfiguration", "PUT /bkt?object-lock"),
    ("PutObjectRetention", "PUT /bkt/k?retention"),
    ("PutObjectTagging", "PUT /bkt/k?tagging"),
    ("PutPublicAccessBlock", "PUT /bkt?publicAccessBlock"),
    ("RestoreObject", "POST /bkt/k?restore"),
    ("SelectObjectContent", "POST /bkt/k?select&select-type=2"),
    ("UploadPart", "PUT /bkt/k?partNumber=1&uploadId=x"),
    ("UploadPartCopy", "PUT /bkt/k?partNumber=1&uploadId=x copy"),
    ("WriteGetObjectResponse", "elsewhere"),
];

const BEGIN: &str =
    "<!-- operations: made by the test `the_table_of_operations_is_what_the_plane_answers` -->\n";
const END: &str = "<!-- end of operations -->";

fn headers(kind: &str) -> Vec<(&'static str, &'static str)> {
    match kind {
        "copy" => vec![("x-amz-copy-source", "/bkt/k")],
        "attributes" => vec![("x-amz-object-attributes", "ETag")],
        "form" => vec![("content-type", "multipart/form-data; boundary=b")],
        _ => Vec::new(),
    }
}

/// The state of one operation, by what root is answered.
async fn state(operation: &str, request: &str) -> &'static str {
    let note = NOTES.iter().find(|(name, _)| *name == operation);
    if request == "elsewhere" {
        return "Object Lambda";
    }
    let client = Client::new();
    for line in ["PUT /bkt", "PUT /empty", "PUT /bkt/k"] {
        client.expect(200, line, &[], "").await;
    }
    let (line, kind) = match request.split(' ').collect::<Vec<_>>()[..] {
        [method, target, kind] => (format!("{method} {target}"), kind),
        _ => (request.to_owned(), ""),
    };
    let answer = client.send(&line, &headers(kind), "").await;
    let status = answer.status().as_u16();
    assert_ne!(status, 500, "{operation}: {}", String::from_utf8_lossy(answer.body()));
    match (status, note) {
        (501, _) => "501",
        (_, Some(_)) => "Partial",
        (_, None) => "Complete",
    }
}

#[tokio::test]
async fn the_table_of_operations_is_what_the_plane_answers() {
    let named: Vec<&str> = REQUESTS.iter().map(|(name, _)| *name).collect();
    assert_eq!(named, operation::all().collect::<Vec<_>>(), "REQUESTS names every operation, in order");
    let mut table = String::from("| Operation | State | Note |\n|---|---|---|\n");
    for (name, request) in REQUESTS {
        let note = NOTES.iter().find(|(noted, _)| noted == name).map_or("", |(_, note)| note);
        let state = state(name, request).await;
        table.push_str(&format!("| {name} | {state} | {note} |\n"));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/s3-compatibility.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    if std::env::var_os("REFRACT_UPDATE_GOLDEN").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(
        found, table,
        "docs/s3-compatibility.md is stale: REFRACT_UPDATE_GOLDEN=1 cargo nextest run the_table_of_operations"
    );
}
