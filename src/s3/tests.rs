//! The plane over the memory store: what a client sees, operation by operation.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};

use super::*;
use crate::clock::SystemClock;
use crate::store::memory::MemoryStore;

#[derive(Debug)]
struct BucketsOnly;

impl Names for BucketsOnly {
    fn source(&self, source: &SourceName<'_>) -> Result<Place, ApiError> {
        match source {
            SourceName::Bucket(name) => Ok(Place { bucket: (*name).to_owned(), via: None }),
            SourceName::AccessPoint { .. } => Err(ApiError::invalid_request("no access points here")),
        }
    }

    fn may_create_bucket(&self, _: &str) -> Result<(), ApiError> {
        Ok(())
    }

    fn may_delete_bucket(&self, _: &str) -> Result<(), ApiError> {
        Ok(())
    }
}

struct Nobody;

impl crate::auth::KeyStore for Nobody {
    fn lookup(&self, _: &str, _: Option<&str>) -> Result<Option<crate::auth::KeyRecord>, ApiError> {
        Ok(None)
    }
}

pub(super) struct Client {
    plane: S3Plane,
    principal: Option<Principal>,
}

impl Client {
    pub(super) fn new() -> Self {
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let plane = S3Plane::new(Api {
            store: store.clone(),
            accounts: Accounts::new(
                "000000000000".into(),
                "root".into(),
                "root@localhost".into(),
                Arc::new(crate::catalog::MemoryCatalog::default()),
                Arc::new(SystemClock),
            ),
            clock: Arc::new(SystemClock),
            keyring: Arc::new(Keyring::new(
                crate::encryption::DataKey::from_bytes([1; 32]),
                Arc::new(crate::catalog::seal::MasterKey::from_bytes(&[2; 32])),
                Arc::new(crate::catalog::MemoryCatalog::default()),
                Arc::new(SystemClock),
            )),
            region: "us-east-1".into(),
            names: Arc::new(BucketsOnly),
            notifier: Notifier::new(
                Arc::new(crate::notification::Outbox::open(store, jiff::Timestamp::now()).unwrap()),
                Arc::default(),
                Arc::new(SystemClock),
                Arc::default(),
            ),
            bodies: Bodies::new(64 << 20),
        });
        let principal = Principal::root("000000000000", "AK");
        Self { plane, principal: Some(principal) }
    }

    pub(super) async fn send(
        &self,
        line: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Response<Bytes> {
        let (method, target) = line.split_once(' ').unwrap();
        let body: Bytes = body.into();
        let mut request = Request::builder().method(method).uri(target).header("content-length", body.len());
        if let Some(map) = request.headers_mut() {
            for (name, value) in headers {
                map.insert(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
            }
        }
        let (mut parts, body) = request.body(Body::from(body)).unwrap().into_parts();
        let path = percent_encoding::percent_decode_str(parts.uri.path()).decode_utf8().unwrap().into_owned();
        let (bucket, key) =
            path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
        let (body, trailers) = crate::auth::body(None, &mut parts, body).unwrap();
        let call = S3Call {
            principal: self.principal.as_ref(),
            bucket: Some(bucket).filter(|b| !b.is_empty()),
            key: Some(key).filter(|k| !k.is_empty()),
            via: None,
            trailers: &trailers,
            signers: Signers { keys: &Nobody, options: &crate::auth::AuthOptions::default() },
        };
        let method = parts.method.clone();
        let answer = match self.plane.call(call, parts, body).await {
            Ok(answer) => answer,
            Err(error) => error::response(&error, &method, &path, "R"),
        };
        let (head, body) = answer.into_parts();
        Response::from_parts(head, axum::body::to_bytes(body, usize::MAX).await.unwrap())
    }

    /// Sends, expects a status, answers the body as text.
    pub(super) async fn expect(
        &self,
        status: u16,
        line: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> String {
        let answer = self.send(line, headers, body.to_owned()).await;
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        assert_eq!(answer.status().as_u16(), status, "{line}: {text}");
        text
    }
}

pub(super) fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split_once(&format!("</{name}>")).unwrap().0
}

#[tokio::test]
async fn objects_go_in_and_come_out_with_their_head() {
    let c = Client::new();
    c.expect(200, "PUT /photos", &[], "").await;
    let sent = [("content-type", "text/plain"), ("x-amz-meta-camera", "K1"), ("cache-control", "no-store")];
    let put = c.send("PUT /photos/a%20b.txt", &sent, "hello").await;
    assert_eq!(put.headers()["etag"], "\"5d41402abc4b2a76b9719d911017c592\"");
    let got = c.send("GET /photos/a%20b.txt", &[("x-amz-checksum-mode", "ENABLED")], "").await;
    assert_eq!(got.body(), "hello");
    for (name, value) in sent {
        assert_eq!(got.headers()[name], value);
    }
    assert_eq!(got.headers()["content-length"], "5");
    assert!(got.headers().contains_key("x-amz-checksum-crc64nvme"));
    let head = c.send("HEAD /photos/a%20b.txt", &[], "").await;
    assert_eq!((head.status().as_u16(), head.body().len()), (200, 0));
    assert_eq!(head.headers()["content-length"], "5");
    let part = c.send("GET /photos/a%20b.txt?response-content-type=x/y", &[("range", "bytes=1-2")], "").await;
    assert_eq!((part.status().as_u16(), &part.body()[..]), (206, &b"el"[..]));
    assert_eq!(part.headers()["content-range"], "bytes 1-2/5");
    assert_eq!(part.headers()["content-type"], "x/y");
    c.expect(416, "GET /photos/a%20b.txt", &[("range", "bytes=9-")], "").await;
    c.expect(304, "GET /photos/a%20b.txt", &[("if-none-match", "\"5d41402abc4b2a76b9719d911017c592\"")], "")
        .await;
    c.expect(412, "GET /photos/a%20b.txt", &[("if-match", "\"x\"")], "").await;
    c.expect(204, "DELETE /photos/a%20b.txt", &[], "").await;
    let gone = c.expect(404, "GET /photos/a%20b.txt", &[], "").await;
    assert_eq!(element(&gone, "Code"), "NoSuchKey");
    c.expect(204, "DELETE /photos", &[], "").await;
    assert_eq!(element(&c.expect(404, "GET /photos/x", &[], "").await, "Code"), "NoSuchBucket");
}

#[tokio::test]
async fn a_wrong_digest_stores_nothing() {
    let c = Client::new();
    c.expect(200, "PUT /bkt", &[], "").await;
    for header in [("content-md5", "AAAAAAAAAAAAAAAAAAAAAA=="), ("x-amz-checksum-crc32", "AAAAAA==")] {
        let text = c.expect(400, "PUT /bkt/k", &[header], "hello").await;
        assert_eq!(element(&text, "Code"), "BadDigest");
    }
    c.expect(200, "PUT /bkt/ok", &[("x-amz-checksum-crc32", "NhCmhg==")], "hello").await;
    c.expect(404, "GET /bkt/k", &[], "").await;
    c.expect(400, "PUT /bkt/k", &[("content-length", "9")], "hello").await;
    c.expect(404, "GET /bkt/k", &[], "").await;
    let xml = "<Delete><Object><Key>ok</Key></Object></Delete>";
    for header in [("content-md5", "AAAAAAAAAAAAAAAAAAAAAA=="), ("x-amz-checksum-crc32", "AAAAAA==")] {
        let text = c.expect(400, "POST /bkt?delete", &[header], xml).await;
        assert_eq!(element(&text, "Code"), "BadDigest");
    }
    c.expect(200, "GET /bkt/ok", &[], "").await;
}

#[tokio::test]
async fn a_checksum_in_the_trailer_is_checked_once_the_body_is_there() {
    let c = Client::new();
    c.expect(200, "PUT /b1x", &[], "").await;
    let made = c.expect(200, "POST /b1x/parts?uploads", &[("x-amz-checksum-algorithm", "CRC32")], "").await;
    let part = format!("PUT /b1x/parts?partNumber=1&uploadId={}", element(&made, "UploadId"));
    for (line, stored) in [("PUT /b1x/k", true), (part.as_str(), false)] {
        for (sum, status) in [("hYfYZQ==", 200), ("AAAAAA==", 400)] {
            let framed = format!("5\r\nabcde\r\n0\r\nx-amz-checksum-crc32:{sum}\r\n\r\n");
            let headers = [
                ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
                ("x-amz-decoded-content-length", "5"),
                ("x-amz-trailer", "x-amz-checksum-crc32"),
                ("content-encoding", "aws-chunked"),
            ];
            c.expect(status, line, &headers, &framed).await;
        }
        if stored {
            assert_eq!(c.expect(200, "GET /b1x/k", &[], "").await, "abcde");
        }
    }
}

#[tokio::test]
async fn conditional_writes_are_decided_by_the_store() {
    let c = Client::new();
    c.expect(200, "PUT /bkt", &[], "").await;
    c.expect(200, "PUT /bkt/k", &[("if-none-match", "*")], "1").await;
    c.expect(412, "PUT /bkt/k", &[("if-none-match", "*")], "2").await;
    c.expect(412, "PUT /bkt/k", &[("if-match", "\"x\"")], "2").await;
    c.expect(200, "PUT /bkt/k", &[("if-match", "\"c4ca4238a0b923820dcc509a6f75849b\"")], "2").await;
    c.expect(404, "PUT /bkt/none", &[("if-match", "\"x\"")], "2").await;
    assert_eq!(c.expect(200, "GET /bkt/k", &[], "").await, "2");
}

#[tokio::test]
async fn listings_page_and_roll_up() {
    let c = Client::new();
    c.expect(200, "PUT /bkt", &[], "").await;
    for key in ["a", "d/1", "d/2", "e/f/1", "z"] {
        c.expect(200, &format!("PUT /bkt/{key}"), &[], key).await;
    }
    let text = c.expect(200, "GET /bkt?list-type=2&delimiter=%2F&max-keys=2", &[], "").await;
    assert_eq!((element(&text, "KeyCount"), element(&text, "IsTruncated")), ("2", "true"));
    assert!(text.contains("<Key>a</Key>") && text.contains("<Prefix>d/</Prefix>"), "{text}");
    let token = element(&text, "NextContinuationToken");
    let text =
        c.expect(200, &format!("GET /bkt?list-type=2&delimiter=/&continuation-token={token}"), &[], "").await;
    assert!(
        text.contains("<Prefix>e/</Prefix>") && text.contains("<Key>z</Key>") && !text.contains("d/"),
        "{text}"
    );
    let text = c.expect(200, "GET /bkt?prefix=d/&marker=d/1", &[], "").await;
    assert!(text.contains("<Key>d/2</Key>") && !text.contains("<Key>d/1</Key>"), "{text}");
    c.expect(200, "PUT /bkt/%01", &[], "").await;
    let text = c.expect(200, "GET /bkt?list-type=2&encoding-type=url&max-keys=1", &[], "").await;
    assert_eq!(element(&text, "Key"), "%01");
    c.expect(400, "GET /bkt?list-type=2&max-keys=-1", &[], "").await;
    c.expect(400, "GET /bkt?list-type=2&continuation-token=%21", &[], "").await;
    c.expect(409, "DELETE /bkt", &[], "").await;
}

#[tokio::test]
async fn many_are_deleted_at_once() {
    let c = Client::new();
    c.expect(200, "PUT /bkt", &[], "").await;
    c.expect(200, "PUT /bkt/x", &[], "1").await;
    let xml = "<Delete><Object><Key>x</Key></Object><Object><Key>never</Key></Object></Delete>";
    let text = c.expect(200, "POST /bkt?delete", &[], xml).await;
    assert!(
        text.contains("<Key>x</Key>") && text.contains("<Key>never</Key>") && !text.contains("<Error>"),
        "{text}"
    );
    c.expect(404, "GET /bkt/x", &[], "").await;
    c.expect(400, "POST /bkt?delete", &[], "<Delete><Object>").await;
}

#[tokio::test]
async fn copies_keep_or_replace_the_head() {
    let c = Client::new();
    c.expect(200, "PUT /bkt", &[], "").await;
    c.expect(200, "PUT /bkt/s", &[("x-amz-meta-a", "1"), ("x-amz-tagging", "t=1")], "bytes").await;
    c.expect(200, "PUT /bkt/d", &[("x-amz-copy-source", "/bkt/s")], "").await;
    let copy = c.send("GET /bkt/d", &[], "").await;
    assert_eq!((&copy.body()[..], copy.headers()["x-amz-meta-a"].as_bytes()), (&b"bytes"[..], &b"1"[..]));
    assert_eq!(copy.headers()["x-amz-tagging-count"], "1");
    let replace =
        [("x-amz-copy-source", "/bkt/s"), ("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-z", "2")];
    c.expect(200, "PUT /bkt/s", &replace, "").await;
    let copy = c.send("GET /bkt/s", &[], "").await;
    assert!(!copy.headers().contains_key("x-amz-meta-a"));
    assert_eq!(copy.headers()["x-amz-meta-z"], "2");
    c.expect(400, "PUT /bkt/s", &[("x-amz-copy-source", "/bkt/s")], "").await;
    c.expect(404, "PUT /bkt/d", &[("x-amz-copy-source", "/bkt/none")], "").await;
    let unless = [("x-amz-copy-source", "/bkt/s"), ("x-amz-copy-source-if-match", "\"x\"")];
    c.expect(412, "PUT /bkt/d", &unless, "").await;
}

#[tokio::test]
async fn tags_are_put_got_and_deleted() {
    let c = Client::new();
    c.expect(200, "PUT /bkt", &[], "").await;
    c.expect(200, "PUT /bkt/k", &[], "1").await;
    let xml = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
    c.expect(200, "PUT /bkt/k?tagging", &[], xml).await;
    let text = c.expect(200, "GET /bkt/k?tagging", &[], "").await;
    assert!(text.contains("<Key>a</Key><Value>1</Value>"), "{text}");
    c.expect(204, "DELETE /bkt/k?tagging", &[], "").await;
    assert!(!c.expect(200, "GET /bkt/k?tagging", &[], "").await.contains("<Tag>"));
}

#[tokio::test]
async fn a_multipart_upload_becomes_an_object() {
    let c = Client::new();
    c.expect(200, "PUT /bkt", &[], "").await;
    let text = c.expect(200, "POST /bkt/big?uploads", &[("content-type", "x/y")], "").await;
    let id = element(&text, "UploadId").to_owned();
    let first = vec![b'a'; 5 << 20];
    let mut etags = Vec::new();
    for (number, body) in [(1, first.clone()), (2, b"tail".to_vec())] {
        let answer = c.send(&format!("PUT /bkt/big?partNumber={number}&uploadId={id}"), &[], body).await;
        assert_eq!(answer.status(), 200);
        etags.push(answer.headers()["etag"].to_str().unwrap().to_owned());
    }
    let text = c.expect(200, &format!("GET /bkt/big?uploadId={id}&max-parts=1"), &[], "").await;
    assert_eq!((element(&text, "IsTruncated"), element(&text, "NextPartNumberMarker")), ("true", "1"));
    assert!(c.expect(200, "GET /bkt?uploads", &[], "").await.contains(&id));
    let list = |numbers: &[usize]| {
        let parts: String = numbers
            .iter()
            .map(|n| format!("<Part><PartNumber>{n}</PartNumber><ETag>{}</ETag></Part>", etags[n - 1]))
            .collect();
        format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
    };
    let target = format!("POST /bkt/big?uploadId={id}");
    assert_eq!(element(&c.expect(400, &target, &[], &list(&[2, 1])).await, "Code"), "InvalidPartOrder");
    let missing = "<CompleteMultipartUpload><Part><PartNumber>7</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>";
    assert_eq!(element(&c.expect(400, &target, &[], missing).await, "Code"), "InvalidPart");
    let text = c.expect(200, &target, &[], &list(&[1, 2])).await;
    assert!(element(&text, "ETag").contains("-2"), "{text}");
    // Who missed the answer and completes again is told the same; who completes it otherwise is not.
    assert!(element(&c.expect(200, &target, &[], &list(&[1, 2])).await, "ETag").contains("-2"));
    c.expect(404, &target, &[], &list(&[1])).await;
    let got = c.send("GET /bkt/big", &[], "").await;
    assert_eq!(got.body().len(), first.len() + 4);
    assert_eq!(got.headers()["content-type"], "x/y");
    let tail = c.send("GET /bkt/big?partNumber=2", &[], "").await;
    assert_eq!((tail.status().as_u16(), &tail.body()[..]), (206, &b"tail"[..]));
    assert_eq!(tail.headers()["x-amz-mp-parts-count"], "2");
    c.expect(416, "GET /bkt/big?partNumber=3", &[], "").await;
    c.expect(400, "GET /bkt/big?partNumber=0", &[], "").await;
    let attributes = [("x-amz-object-attributes", "ETag,ObjectSize,ObjectParts,Checksum")];
    let text = c.expect(200, "GET /bkt/big?attributes", &attributes, "").await;
    assert_eq!(element(&text, "ObjectSize"), (first.len() + 4).to_string());
    assert_eq!(element(&text, "ChecksumType"), "FULL_OBJECT");
}

#[tokio::test]
async fn who_has_no_key_gets_in_nowhere() {
    let mut c = Client::new();
    c.expect(200, "PUT /bkt", &[], "").await;
    c.principal = None;
    for line in [
        "GET /bkt/k",
        "PUT /bkt/k",
        "GET /bkt",
        "DELETE /bkt",
        "GET /bkt?acl",
        "PUT /bkt?versioning",
        "POST /bkt?delete",
    ] {
        let text = c.expect(403, line, &[], "").await;
        assert_eq!(element(&text, "Code"), "AccessDenied", "{line}");
    }
}

#[tokio::test]
async fn what_comes_later_says_so() {
    let c = Client::new();
    c.expect(200, "PUT /bkt", &[], "").await;
    for line in ["GET /bkt?analytics&id=1", "GET /bkt?replication"] {
        let text = c.expect(501, line, &[], "").await;
        assert_eq!(element(&text, "Code"), "NotImplemented");
        assert!(element(&text, "Message").contains("not implemented"), "{text}");
    }
    c.expect(501, "PUT /bkt/k", &[("x-amz-server-side-encryption", "aws:kms:dsse")], "1").await;
}

#[tokio::test]
async fn bad_keys_are_refused_by_name() {
    let c = Client::new();
    c.expect(200, "PUT /bkt", &[], "").await;
    let long = "k".repeat(1025);
    assert_eq!(
        element(&c.expect(400, &format!("PUT /bkt/{long}"), &[], "1").await, "Code"),
        "KeyTooLongError"
    );
    let text = c.expect(400, "PUT /bkt/a%00b", &[], "1").await;
    assert!(element(&text, "Message").contains("NUL"), "{text}");
    c.expect(200, "PUT /bkt/%2E%2E/%2E%2E/etc/passwd", &[], "data").await;
    assert_eq!(c.expect(200, "GET /bkt/%2E%2E/%2E%2E/etc/passwd", &[], "").await, "data");
}

#[tokio::test]
async fn a_lifecycle_comes_back_as_it_was_put_and_tells_when_objects_go() {
    let c = Client::new();
    c.expect(200, "PUT /bkt", &[], "").await;
    let text = c.expect(404, "GET /bkt?lifecycle", &[], "").await;
    assert_eq!(element(&text, "Code"), "NoSuchLifecycleConfiguration");
    c.expect(204, "DELETE /bkt?lifecycle", &[], "").await;
    let document =
        |rule: &str| format!("<LifecycleConfiguration><Rule>{rule}</Rule></LifecycleConfiguration>");
    let rules = "<ID>r 1</ID><Prefix>tmp/</Prefix><Status>Enabled</Status><Expiration><Days>2</Days></Expiration>\
                 <AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation>\
                 </AbortIncompleteMultipartUpload>";
    c.expect(200, "PUT /bkt?lifecycle", &[], &document(rules)).await;
    let text = c.expect(200, "GET /bkt?lifecycle", &[], "").await;
    assert!(text.contains("<Prefix>tmp/</Prefix>") && text.contains("<Days>2</Days>"), "{text}");
    let put = c.send("PUT /bkt/tmp/a", &[], "1").await;
    let told = put.headers()["x-amz-expiration"].to_str().unwrap().to_owned();
    assert!(told.starts_with("expiry-date=\"") && told.ends_with(" GMT\", rule-id=\"r%201\""), "{told}");
    assert_eq!(c.send("HEAD /bkt/tmp/a", &[], "").await.headers()["x-amz-expiration"], *told);
    assert!(!c.send("PUT /bkt/b", &[], "1").await.headers().contains_key("x-amz-expiration"));
    let begun = c.send("POST /bkt/tmp/u?uploads", &[], "").await;
    assert!(begun.headers().contains_key("x-amz-abort-date"));
    for (bad, code) in [
        ("<Prefix/><Status>enabled</Status><Expiration><Days>1</Days></Expiration>", "MalformedXML"),
        ("<Prefix/><Status>Enabled</Status><Expiration><Days>0</Days></Expiration>", "InvalidArgument"),
        ("<Prefix/><Status>Enabled</Status>", "InvalidRequest"),
    ] {
        let text = c.expect(400, "PUT /bkt?lifecycle", &[], &document(bad)).await;
        assert_eq!(element(&text, "Code"), code);
    }
    c.expect(204, "DELETE /bkt?lifecycle", &[], "").await;
    c.expect(404, "GET /bkt?lifecycle", &[], "").await;
}

#[tokio::test]
async fn a_website_comes_back_as_it_was_put() {
    let c = Client::new();
    c.expect(200, "PUT /bkt", &[], "").await;
    c.expect(404, "GET /bkt?website", &[], "").await;
    let body = "<WebsiteConfiguration><IndexDocument><Suffix>i.html</Suffix></IndexDocument><RoutingRules>\
                <RoutingRule><Condition><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition>\
                <Redirect><ReplaceKeyWith>sorry</ReplaceKeyWith></Redirect></RoutingRule></RoutingRules>\
                </WebsiteConfiguration>";
    c.expect(200, "PUT /bkt?website", &[], body).await;
    let text = c.expect(200, "GET /bkt?website", &[], "").await;
    assert_eq!(element(&text, "Suffix"), "i.html");
    assert_eq!(element(&text, "HttpErrorCodeReturnedEquals"), "404");
    c.expect(204, "DELETE /bkt?website", &[], "").await;
    c.expect(404, "GET /bkt?website", &[], "").await;
}

#[tokio::test]
async fn an_upload_with_checksums_and_a_customers_key_is_completed_with_that_key() {
    let c = Client::new();
    c.expect(200, "PUT /b1x", &[], "").await;
    let key = |key: &'static str, md5: &'static str| {
        [
            ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
            ("x-amz-server-side-encryption-customer-key", key),
            ("x-amz-server-side-encryption-customer-key-md5", md5),
        ]
    };
    let right = key("pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=", "DWygnHRtgiJ77HCm+1rvHw==");
    let wrong = key("6b+WOZ1T3cqZMxgThRcXAQBrS5mXKdDUphvpxptl9/4=", "arxBvwY2V4SiOne6yppVPQ==");
    for (with_checksum, without_key) in [(true, 400), (false, 200)] {
        let mut headers = right.to_vec();
        headers.extend(with_checksum.then_some(("x-amz-checksum-algorithm", "CRC32")));
        let made = c.expect(200, "POST /b1x/k?uploads", &headers, "").await;
        let id = element(&made, "UploadId").to_owned();
        let part = c.send(&format!("PUT /b1x/k?partNumber=1&uploadId={id}"), &right, "hello").await;
        let etag = part.headers()["etag"].to_str().unwrap().to_owned();
        let line = format!("POST /b1x/k?uploadId={id}");
        let document = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
        );
        c.expect(400, &line, &wrong, &document).await;
        c.expect(without_key, &line, &[], &document).await;
        c.expect(200, &line, &right, &document).await;
        assert_eq!(c.expect(200, "GET /b1x/k", &right, "").await, "hello");
    }
}
