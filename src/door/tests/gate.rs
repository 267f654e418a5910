//! Each pair of action and resource that an operation needs is denied in turn, and each time the answer is 403.

use std::collections::BTreeSet;

use http::HeaderMap;

use super::{ACCOUNT, World, element, root_of, user};
use crate::policy::operation::{self, Need, Subject};

/// A request of each operation, with headers. `{v}` is a version of `k`, `{u}` an upload to `k`.
type Sample = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str);

#[rustfmt::skip]
const SAMPLES: &[Sample] = &[
    ("AbortMultipartUpload", "DELETE /bkt/k?uploadId={u}", &[], ""),
    ("CompleteMultipartUpload", "POST /bkt/k?uploadId={u}", &[], "<CompleteMultipartUpload/>"),
    ("CopyObject", "PUT /bkt/new", &[("x-amz-copy-source", "src/s")], ""),
    ("CopyObject", "PUT /bkt/new", &[("x-amz-copy-source", "src/s?versionId=null"), ("x-amz-acl", "bucket-owner-read"), ("x-amz-tagging", "a=b"), ("x-amz-tagging-directive", "REPLACE")], ""),
    ("CreateBucket", "PUT /newb", &[], ""),
    ("CreateBucket", "PUT /newb", &[("x-amz-acl", "public-read"), ("x-amz-bucket-object-lock-enabled", "true"), ("x-amz-object-ownership", "ObjectWriter")], ""),
    ("CreateBucketMetadataTableConfiguration", "POST /bkt?metadataTable", &[], ""),
    ("CreateMultipartUpload", "POST /bkt/k?uploads", &[], ""),
    ("CreateMultipartUpload", "POST /bkt/k?uploads", &[("x-amz-tagging", "a=b"), ("x-amz-grant-read", "uri=http://acs.amazonaws.com/groups/global/AllUsers"), ("x-amz-object-lock-legal-hold", "ON")], ""),
    ("CreateSession", "GET /bkt?session", &[], ""),
    ("DeleteBucket", "DELETE /bkt", &[], ""),
    ("DeleteBucketAnalyticsConfiguration", "DELETE /bkt?analytics&id=1", &[], ""),
    ("DeleteBucketCors", "DELETE /bkt?cors", &[], ""),
    ("DeleteBucketEncryption", "DELETE /bkt?encryption", &[], ""),
    ("DeleteBucketIntelligentTieringConfiguration", "DELETE /bkt?intelligent-tiering&id=1", &[], ""),
    ("DeleteBucketInventoryConfiguration", "DELETE /bkt?inventory&id=1", &[], ""),
    ("DeleteBucketLifecycle", "DELETE /bkt?lifecycle", &[], ""),
    ("DeleteBucketMetadataTableConfiguration", "DELETE /bkt?metadataTable", &[], ""),
    ("DeleteBucketMetricsConfiguration", "DELETE /bkt?metrics&id=1", &[], ""),
    ("DeleteBucketOwnershipControls", "DELETE /bkt?ownershipControls", &[], ""),
    ("DeleteBucketPolicy", "DELETE /bkt?policy", &[], ""),
    ("DeleteBucketReplication", "DELETE /bkt?replication", &[], ""),
    ("DeleteBucketTagging", "DELETE /bkt?tagging", &[], ""),
    ("DeleteBucketWebsite", "DELETE /bkt?website", &[], ""),
    ("DeleteObject", "DELETE /bkt/k", &[], ""),
    ("DeleteObject", "DELETE /bkt/k?versionId={v}", &[("x-amz-bypass-governance-retention", "true")], ""),
    ("DeleteObjectTagging", "DELETE /bkt/k?tagging", &[], ""),
    ("DeleteObjectTagging", "DELETE /bkt/k?tagging&versionId={v}", &[], ""),
    ("DeleteObjects", "POST /bkt?delete", &[], "<Delete><Object><Key>k</Key></Object></Delete>"),
    ("DeleteObjects", "POST /bkt?delete", &[("x-amz-bypass-governance-retention", "true")], "<Delete><Object><Key>k</Key><VersionId>{v}</VersionId></Object></Delete>"),
    ("DeletePublicAccessBlock", "DELETE /bkt?publicAccessBlock", &[], ""),
    ("GetBucketAccelerateConfiguration", "GET /bkt?accelerate", &[], ""),
    ("GetBucketAcl", "GET /bkt?acl", &[], ""),
    ("GetBucketAnalyticsConfiguration", "GET /bkt?analytics&id=1", &[], ""),
    ("GetBucketCors", "GET /bkt?cors", &[], ""),
    ("GetBucketEncryption", "GET /bkt?encryption", &[], ""),
    ("GetBucketIntelligentTieringConfiguration", "GET /bkt?intelligent-tiering&id=1", &[], ""),
    ("GetBucketInventoryConfiguration", "GET /bkt?inventory&id=1", &[], ""),
    ("GetBucketLifecycleConfiguration", "GET /bkt?lifecycle", &[], ""),
    ("GetBucketLocation", "GET /bkt?location", &[], ""),
    ("GetBucketLogging", "GET /bkt?logging", &[], ""),
    ("GetBucketMetadataTableConfiguration", "GET /bkt?metadataTable", &[], ""),
    ("GetBucketMetricsConfiguration", "GET /bkt?metrics&id=1", &[], ""),
    ("GetBucketNotificationConfiguration", "GET /bkt?notification", &[], ""),
    ("GetBucketOwnershipControls", "GET /bkt?ownershipControls", &[], ""),
    ("GetBucketPolicy", "GET /bkt?policy", &[], ""),
    ("GetBucketPolicyStatus", "GET /bkt?policyStatus", &[], ""),
    ("GetBucketReplication", "GET /bkt?replication", &[], ""),
    ("GetBucketRequestPayment", "GET /bkt?requestPayment", &[], ""),
    ("GetBucketTagging", "GET /bkt?tagging", &[], ""),
    ("GetBucketVersioning", "GET /bkt?versioning", &[], ""),
    ("GetBucketWebsite", "GET /bkt?website", &[], ""),
    ("GetObject", "GET /bkt/k", &[], ""),
    ("GetObject", "GET /bkt/k?versionId={v}", &[], ""),
    ("GetObject", "GET /bkt/k?partNumber=1", &[], ""),
    ("GetObject", "GET /bkt/missing", &[], ""),
    ("GetObjectAcl", "GET /bkt/k?acl", &[], ""),
    ("GetObjectAcl", "GET /bkt/k?acl&versionId={v}", &[], ""),
    ("GetObjectAttributes", "GET /bkt/k?attributes", &[("x-amz-object-attributes", "ETag")], ""),
    ("GetObjectAttributes", "GET /bkt/k?attributes&versionId={v}", &[("x-amz-object-attributes", "ETag")], ""),
    ("GetObjectLegalHold", "GET /bkt/k?legal-hold", &[], ""),
    ("GetObjectLockConfiguration", "GET /bkt?object-lock", &[], ""),
    ("GetObjectRetention", "GET /bkt/k?retention", &[], ""),
    ("GetObjectTagging", "GET /bkt/k?tagging", &[], ""),
    ("GetObjectTagging", "GET /bkt/k?tagging&versionId={v}", &[], ""),
    ("GetObjectTorrent", "GET /bkt/k?torrent", &[], ""),
    ("GetPublicAccessBlock", "GET /bkt?publicAccessBlock", &[], ""),
    ("HeadBucket", "HEAD /bkt", &[], ""),
    ("HeadObject", "HEAD /bkt/k", &[], ""),
    ("HeadObject", "HEAD /bkt/k?versionId={v}", &[], ""),
    ("ListBucketAnalyticsConfigurations", "GET /bkt?analytics", &[], ""),
    ("ListBucketIntelligentTieringConfigurations", "GET /bkt?intelligent-tiering", &[], ""),
    ("ListBucketInventoryConfigurations", "GET /bkt?inventory", &[], ""),
    ("ListBucketMetricsConfigurations", "GET /bkt?metrics", &[], ""),
    ("ListBuckets", "GET /", &[], ""),
    ("ListDirectoryBuckets", "GET /?x-id=ListDirectoryBuckets", &[], ""),
    ("ListMultipartUploads", "GET /bkt?uploads", &[], ""),
    ("ListObjectVersions", "GET /bkt?versions", &[], ""),
    ("ListObjects", "GET /bkt", &[], ""),
    ("ListObjectsV2", "GET /bkt?list-type=2", &[], ""),
    ("ListParts", "GET /bkt/k?uploadId={u}", &[], ""),
    ("PostObject", "POST /bkt", &[("content-type", "multipart/form-data; boundary=X")], "--X\r\ncontent-disposition: form-data; name=\"key\"\r\n\r\nk\r\n--X\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\nbody\r\n--X--\r\n"),
    ("PutBucketAccelerateConfiguration", "PUT /bkt?accelerate", &[], ""),
    ("PutBucketAcl", "PUT /bkt?acl", &[("x-amz-acl", "private")], ""),
    ("PutBucketAnalyticsConfiguration", "PUT /bkt?analytics&id=1", &[], ""),
    ("PutBucketCors", "PUT /bkt?cors", &[], ""),
    ("PutBucketEncryption", "PUT /bkt?encryption", &[], ""),
    ("PutBucketIntelligentTieringConfiguration", "PUT /bkt?intelligent-tiering&id=1", &[], ""),
    ("PutBucketInventoryConfiguration", "PUT /bkt?inventory&id=1", &[], ""),
    ("PutBucketLifecycleConfiguration", "PUT /bkt?lifecycle", &[], ""),
    ("PutBucketLogging", "PUT /bkt?logging", &[], ""),
    ("PutBucketMetricsConfiguration", "PUT /bkt?metrics&id=1", &[], ""),
    ("PutBucketNotificationConfiguration", "PUT /bkt?notification", &[], ""),
    ("PutBucketOwnershipControls", "PUT /bkt?ownershipControls", &[], ""),
    ("PutBucketPolicy", "PUT /bkt?policy", &[], "{}"),
    ("PutBucketReplication", "PUT /bkt?replication", &[], ""),
    ("PutBucketRequestPayment", "PUT /bkt?requestPayment", &[], ""),
    ("PutBucketTagging", "PUT /bkt?tagging", &[], "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"),
    ("PutBucketVersioning", "PUT /bkt?versioning", &[], ""),
    ("PutBucketWebsite", "PUT /bkt?website", &[], ""),
    ("PutObject", "PUT /bkt/k", &[], "body"),
    ("PutObject", "PUT /bkt/k", &[("x-amz-acl", "private"), ("x-amz-tagging", "a=b"), ("x-amz-object-lock-mode", "GOVERNANCE"), ("x-amz-object-lock-retain-until-date", "2099-01-01T00:00:00Z"), ("x-amz-object-lock-legal-hold", "ON")], "body"),
    ("PutObjectAcl", "PUT /bkt/k?acl", &[("x-amz-acl", "private")], ""),
    ("PutObjectAcl", "PUT /bkt/k?acl&versionId={v}", &[("x-amz-acl", "private")], ""),
    ("PutObjectLegalHold", "PUT /bkt/k?legal-hold", &[], "<LegalHold><Status>ON</Status></LegalHold>"),
    ("PutObjectLockConfiguration", "PUT /bkt?object-lock", &[], ""),
    ("PutObjectRetention", "PUT /bkt/k?retention", &[], "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2099-01-01T00:00:00Z</RetainUntilDate></Retention>"),
    ("PutObjectRetention", "PUT /bkt/k?retention", &[("x-amz-bypass-governance-retention", "true")], "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2099-01-01T00:00:00Z</RetainUntilDate></Retention>"),
    ("PutObjectTagging", "PUT /bkt/k?tagging", &[], "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"),
    ("PutObjectTagging", "PUT /bkt/k?tagging&versionId={v}", &[], "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"),
    ("PutPublicAccessBlock", "PUT /bkt?publicAccessBlock", &[], ""),
    ("RenameObject", "PUT /src/new?renameObject", &[("x-amz-rename-source", "s")], ""),
    ("RestoreObject", "POST /bkt/k?restore", &[], ""),
    ("SelectObjectContent", "POST /bkt/k?select&select-type=2", &[], ""),
    ("WriteGetObjectResponse", "POST /WriteGetObjectResponse", &[("x-amz-request-route", "r"), ("x-amz-request-token", "t")], ""),
    ("UploadPart", "PUT /bkt/k?uploadId={u}&partNumber=1", &[], "part"),
    ("UploadPartCopy", "PUT /bkt/k?uploadId={u}&partNumber=1", &[("x-amz-copy-source", "src/s?versionId=null")], ""),
];

/// A server with a bucket `bkt` that has a version of `k` and an upload to it, and a bucket `src` with an object `s`.
async fn world() -> (World, String, String) {
    let (world, root) = (World::new(), root_of(ACCOUNT));
    let root = Some(&root);
    world.expect(200, root, "PUT /bkt", &[("x-amz-bucket-object-lock-enabled", "true")], "").await;
    world.expect(200, root, "PUT /src", &[], "").await;
    world.expect(200, root, "PUT /src/s", &[], "source").await;
    let put = world.expect(200, root, "PUT /bkt/k", &[], "object").await;
    let version = put.headers["x-amz-version-id"].to_str().unwrap().to_owned();
    let begun = world.expect(200, root, "POST /bkt/k?uploads", &[], "").await;
    (world, version, element(&begun.text(), "UploadId"))
}

fn resource(need: &Need, key: &str) -> String {
    if need.action.starts_with("s3-object-lambda:") {
        return format!("arn:aws:s3-object-lambda:us-east-1:{ACCOUNT}:accesspoint/*");
    }
    let on = match need.on {
        Subject::Service if need.action == "s3:CreateBucket" || need.action.contains("Put") => {
            "newb".to_owned()
        }
        Subject::Service => "*".to_owned(),
        Subject::Bucket => "bkt".to_owned(),
        Subject::Source => "src/s".to_owned(),
        Subject::NewObject if key == "src/new" => key.to_owned(),
        Subject::Object | Subject::NewObject | Subject::Upload | Subject::Keys => format!("bkt/{key}"),
    };
    format!("arn:aws:s3:::{on}")
}

#[tokio::test]
async fn every_pair_of_every_operation_is_needed() {
    let mut seen = BTreeSet::new();
    let (mut pairs, mut failures) = (0, Vec::new());
    for (name, line, headers, body) in SAMPLES {
        seen.insert(*name);
        let (world, version, upload) = world().await;
        let fill = |text: &str| text.replace("{v}", &version).replace("{u}", &upload);
        let (line, body) = (fill(line), fill(body));
        let (_, target) = line.split_once(' ').unwrap();
        let key = target.trim_start_matches("/bkt/").split('?').next().unwrap();
        let key = match target {
            _ if target.starts_with("/bkt/") => key,
            _ if target.starts_with("/src/new") => "src/new",
            _ => "k",
        };
        let mut map = HeaderMap::new();
        headers.iter().for_each(|(name, value)| drop(map.insert(*name, value.parse().unwrap())));
        let versioned = line.contains("versionId") || body.contains("VersionId");
        let needs = operation::needs(name, &map, versioned).unwrap();
        for need in &needs {
            let (action, resource) = (need.action, resource(need, key));
            let allow = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
            for statements in [
                format!(r#"{allow},{{"Effect":"Deny","Action":"{action}","Resource":"{resource}"}}"#),
                format!(r#"{allow},{{"Effect":"Deny","Action":"{action}","Resource":"*"}}"#),
                format!(r#"{{"Effect":"Allow","NotAction":"{action}","Resource":"*"}}"#),
            ] {
                pairs += 1;
                let caller = user("ada", &statements);
                let answer = world.send(Some(&caller), &line, headers, body.clone()).await;
                let refused = match *name {
                    // Each key has an answer of its own.
                    "DeleteObjects" => answer.text().contains("<Code>AccessDenied</Code>"),
                    _ => answer.status == 403,
                };
                if !refused {
                    failures.push(format!(
                        "{name} without {action} on {resource}: {} {}",
                        answer.status,
                        answer.text()
                    ));
                }
            }
        }
        let all = user("ada", r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
        let answer = world.send(Some(&all), &line, headers, body.clone()).await;
        if answer.status == 403 || answer.text().contains("AccessDenied") {
            failures.push(format!("{name} with everything: {}", answer.reason));
        }
        let nothing = user("bob", "");
        let answer = world.send(Some(&nothing), &line, headers, body).await;
        let deletes = *name == "DeleteObjects" && answer.text().contains("<Code>AccessDenied</Code>");
        if answer.status != 403 && !deletes {
            failures.push(format!("{name} with nothing: {} {}", answer.status, answer.text()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let missing: Vec<_> = operation::all().filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "operations without a sample: {missing:?}");
    println!("{} operations, {pairs} denials of {} requests", seen.len(), SAMPLES.len());
    assert!(pairs > 350, "{pairs}");
}

/// What the table says of the operations that need several permissions, written down once more.
#[test]
fn the_table_says_what_s3_says() {
    let of = |name: &str, headers: &[(&str, &str)], versioned| {
        let mut map = HeaderMap::new();
        headers.iter().for_each(|(name, value)| {
            drop(map.insert(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap()));
        });
        let needs = operation::needs(name, &map, versioned).unwrap();
        needs
            .iter()
            .map(|need| need.action.trim_start_matches("s3:").to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let source = ("x-amz-copy-source", "b/k?versionId=1");
    assert_eq!(of("CopyObject", &[("x-amz-copy-source", "b/k")], false), "PutObject GetObject");
    assert_eq!(
        of("CopyObject", &[source, ("x-amz-tagging", "a=b"), ("x-amz-grant-read", "id=x")], false),
        "PutObject PutObjectAcl PutObjectTagging GetObjectVersion"
    );
    assert_eq!(of("UploadPartCopy", &[source], false), "PutObject GetObjectVersion");
    assert_eq!(of("GetObjectAttributes", &[], true), "GetObjectVersion GetObjectVersionAttributes");
    let bypass = [("x-amz-bypass-governance-retention", "TRUE")];
    assert_eq!(of("DeleteObject", &bypass, true), "DeleteObjectVersion BypassGovernanceRetention");
    assert_eq!(of("PutObjectRetention", &bypass, false), "PutObjectRetention BypassGovernanceRetention");
    assert_eq!(of("PutObject", &[("x-amz-tagging-directive", "COPY")], false), "PutObject");
}

#[tokio::test]
async fn tags_that_go_along_with_a_copy_are_read_and_put() {
    let (world, ..) = world().await;
    world.expect(200, Some(&root_of(ACCOUNT)), "PUT /src/t", &[("x-amz-tagging", "team=red")], "x").await;
    let headers = [("x-amz-copy-source", "src/t")];
    let allow = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    for denied in ["s3:GetObjectTagging", "s3:PutObjectTagging"] {
        let caller =
            user("ada", &format!(r#"{allow},{{"Effect":"Deny","Action":"{denied}","Resource":"*"}}"#));
        world.expect(403, Some(&caller), "PUT /bkt/copy", &headers, "").await;
        let replace = [headers[0], ("x-amz-tagging-directive", "REPLACE")];
        world.expect(200, Some(&caller), "PUT /bkt/copy", &replace, "").await;
    }
    world.expect(200, Some(&user("ada", allow)), "PUT /bkt/copy", &headers, "").await;
}

#[tokio::test]
async fn tags_of_a_form_need_their_own_permission() {
    let (world, ..) = world().await;
    let allow = r#"{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"s3:PutObjectTagging","Resource":"*"}"#;
    let caller = user("ada", allow);
    let form = |tags: &str| {
        let field = |name: &str, value: &str| {
            format!("--X\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        format!(
            "{}{}{}--X--\r\n",
            field("key", "f"),
            if tags.is_empty() { String::new() } else { field("tagging", tags) },
            field("file", "x")
        )
    };
    let headers = [("content-type", "multipart/form-data; boundary=X")];
    world.expect(204, Some(&caller), "POST /bkt", &headers, &form("")).await;
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    world.expect(403, Some(&caller), "POST /bkt", &headers, &form(tags)).await;
}
