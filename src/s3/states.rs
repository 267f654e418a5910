//! The state of every operation, as the plane itself answers it, and the table of it in `docs/s3-compatibility.md`.

use md5::{Digest, Md5};

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
    ("RenameObject", "In every bucket without versions, where AWS has it for directory buckets."),
    ("RestoreObject", "Storage classes are labels: nothing is ever away."),
    ("SelectObjectContent", "Closed at AWS. A lens with the `filter` transform does its work."),
];

/// A request for each operation.
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
    ("PutBucketAcl", "PUT /bkt?acl acl"),
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
    ("PutObjectAcl", "PUT /bkt/k?acl acl"),
    ("PutObjectLegalHold", "PUT /bkt/k?legal-hold"),
    ("PutObjectLockConfiguration", "PUT /bkt?object-lock"),
    ("PutObjectRetention", "PUT /bkt/k?retention"),
    ("PutObjectTagging", "PUT /bkt/k?tagging"),
    ("PutPublicAccessBlock", "PUT /bkt?publicAccessBlock"),
    ("RenameObject", "PUT /plain/new?renameObject rename"),
    ("RestoreObject", "POST /bkt/k?restore"),
    ("SelectObjectContent", "POST /bkt/k?select&select-type=2"),
    ("UploadPart", "PUT /bkt/k?partNumber=1&uploadId=x"),
    ("UploadPartCopy", "PUT /bkt/k?partNumber=1&uploadId=x copy"),
    ("WriteGetObjectResponse", "elsewhere"),
];

/// Documents of those that need one.
#[rustfmt::skip]
const DOCUMENTS: &[(&str, &str)] = &[
    ("CompleteMultipartUpload", r#"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"#),
    ("CreateBucketMetadataTableConfiguration", r#"<MetadataTableConfiguration><S3TablesDestination><TableBucketArn>arn:aws:s3tables:us-east-1:000000000000:bucket/t</TableBucketArn><TableName>t</TableName></S3TablesDestination></MetadataTableConfiguration>"#),
    ("DeleteObjects", r#"<Delete><Object><Key>gone</Key></Object></Delete>"#),
    ("PutBucketAccelerateConfiguration", r#"<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>"#),
    ("PutBucketAnalyticsConfiguration", r#"<AnalyticsConfiguration><Id>1</Id><StorageClassAnalysis/></AnalyticsConfiguration>"#),
    ("PutBucketCors", r#"<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>"#),
    ("PutBucketEncryption", r#"<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"#),
    ("PutBucketIntelligentTieringConfiguration", r#"<IntelligentTieringConfiguration><Id>1</Id><Status>Enabled</Status><Tiering><AccessTier>ARCHIVE_ACCESS</AccessTier><Days>90</Days></Tiering></IntelligentTieringConfiguration>"#),
    ("PutBucketInventoryConfiguration", r#"<InventoryConfiguration><Id>1</Id><IsEnabled>true</IsEnabled><IncludedObjectVersions>All</IncludedObjectVersions><Schedule><Frequency>Daily</Frequency></Schedule><Destination><S3BucketDestination><Bucket>arn:aws:s3:::bkt</Bucket><Format>CSV</Format></S3BucketDestination></Destination></InventoryConfiguration>"#),
    ("PutBucketLifecycleConfiguration", r#"<LifecycleConfiguration><Rule><ID>1</ID><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>"#),
    ("PutBucketLogging", r#"<BucketLoggingStatus/>"#),
    ("PutBucketMetricsConfiguration", r#"<MetricsConfiguration><Id>1</Id></MetricsConfiguration>"#),
    ("PutBucketNotificationConfiguration", r#"<NotificationConfiguration/>"#),
    ("PutBucketOwnershipControls", r#"<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>"#),
    ("PutBucketPolicy", r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::bkt/x"}]}"#),
    ("PutBucketReplication", r#"<ReplicationConfiguration><Role>arn:aws:iam::000000000000:role/r</Role><Rule><Status>Enabled</Status><Destination><Bucket>arn:aws:s3:::bkt</Bucket></Destination></Rule></ReplicationConfiguration>"#),
    ("PutBucketRequestPayment", r#"<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>"#),
    ("PutBucketTagging", r#"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"#),
    ("PutBucketVersioning", r#"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"#),
    ("PutBucketWebsite", r#"<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>"#),
    ("PutObjectLegalHold", r#"<LegalHold><Status>ON</Status></LegalHold>"#),
    ("PutObjectLockConfiguration", r#"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"#),
    ("PutObjectRetention", r#"<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2099-01-01T00:00:00Z</RetainUntilDate></Retention>"#),
    ("PutObjectTagging", r#"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"#),
    ("PutPublicAccessBlock", r#"<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>"#),
    ("RestoreObject", r#"<RestoreRequest><Days>1</Days></RestoreRequest>"#),
    ("SelectObjectContent", r#"<SelectObjectContentRequest><Expression>SELECT 1</Expression><ExpressionType>SQL</ExpressionType><InputSerialization><CSV/></InputSerialization><OutputSerialization><CSV/></OutputSerialization></SelectObjectContentRequest>"#),
];

const BEGIN: &str =
    "<!-- operations: made by the test `the_table_of_operations_is_what_the_plane_answers` -->\n";
/// A browser's upload. It is signed by nobody: its caller is.
const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nf\r\n--b\r\nContent-Disposition: form-data; \
                    name=\"file\"\r\n\r\nx\r\n--b--\r\n";
const END: &str = "<!-- end of operations -->";

fn headers(kind: &str) -> Vec<(&'static str, &'static str)> {
    match kind {
        "copy" => vec![("x-amz-copy-source", "/bkt/k")],
        "rename" => vec![("x-amz-rename-source", "k")],
        "attributes" => vec![("x-amz-object-attributes", "ETag")],
        "acl" => vec![("x-amz-acl", "private")],
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
    // Locks need a bucket that was made for them.
    client.expect(200, "PUT /bkt", &[("x-amz-bucket-object-lock-enabled", "true")], "").await;
    for line in ["PUT /empty", "PUT /bkt/k", "PUT /plain", "PUT /plain/k"] {
        client.expect(200, line, &[], "").await;
    }
    let (line, kind) = match request.split(' ').collect::<Vec<_>>()[..] {
        [method, target, kind] => (format!("{method} {target}"), kind),
        _ => (request.to_owned(), ""),
    };
    let document = DOCUMENTS.iter().find(|(name, _)| *name == operation).map_or("", |(_, document)| document);
    let document = if kind == "form" { FORM } else { document };
    let md5 = data_encoding::BASE64.encode(&Md5::digest(document));
    let mut sent = headers(kind);
    sent.push(("content-md5", &md5));
    let answer = client.send(&line, &sent, document).await;
    let (status, text) = (answer.status().as_u16(), String::from_utf8_lossy(answer.body()).into_owned());
    if status == 501 {
        return "501";
    }
    // What is not there may be said; that the request is wrong may not, for then it says nothing of the operation.
    let says = status < 300 || text.contains("<Code>NoSuch") || text.contains("NotFoundError</Code>");
    match note {
        _ if !says => {
            println!("{operation}: {status} {text}");
            "Unknown"
        }
        Some(_) => "Partial",
        None => "Complete",
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
    assert!(!table.contains("Unknown"), "a request of REQUESTS is not good enough, as printed");
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
