//! The analyst reads `people.csv` only redacted, the auditor in full, the public a thumbnail; and the ways round the lens
//! are closed to the analyst.
//!
//! What policies say of all that is tested here, in process; `tests/it/story.rs` has the eleven ways over HTTP, with
//! signatures and with a function that runs code: called by hand, its output token replayed, its input URL misused.

use super::{ACCOUNT, World, root_of, user};
use crate::auth::Principal;
use crate::policy;

const PEOPLE: &str = include_str!("../../../data/samples/people.csv");
const PHOTO: &[u8] = include_bytes!("../../../data/samples/photo.jpg");
const LOGO: &[u8] = include_bytes!("../../../data/samples/logo.png");
const REDACTED: &str = include_str!("../../../data/samples/people.redacted.csv");

struct Story {
    world: World,
    /// Alias of the access point.
    point: String,
    /// Alias of the lens that redacts GET.
    lens: String,
    /// Alias of the lens that redacts GET and HEAD.
    heads: String,
    /// Alias of the lens that shows a thumbnail.
    thumbnail: String,
    analyst: Principal,
    auditor: Principal,
    visitor: Principal,
    version: String,
}

/// What lets a caller through a lens only.
fn through(lens: &str, function: &str, key: &str) -> String {
    let called =
        r#""Condition":{"ForAnyValue:StringEquals":{"aws:CalledVia":"s3-object-lambda.amazonaws.com"}}"#;
    format!(
        r#"{{"Sid":"Lens","Effect":"Allow","Action":"s3-object-lambda:GetObject",
             "Resource":"arn:aws:s3-object-lambda:us-east-1:{ACCOUNT}:accesspoint/{lens}*"}},
           {{"Sid":"Function","Effect":"Allow","Action":"lambda:InvokeFunction",
             "Resource":"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function}:$LATEST",{called}}},
           {{"Sid":"Data","Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],
             "Resource":["arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/ap1/object/{key}",
                         "arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/ap1","arn:aws:s3:::data","arn:aws:s3:::data/{key}"],{called}}}"#
    )
}

async fn story() -> Story {
    let (world, root) = (World::new(), root_of(ACCOUNT));
    let root = Some(&root);
    for bucket in ["data", "mine"] {
        world.expect(200, root, &format!("PUT /{bucket}"), &[], "").await;
    }
    let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    world.expect(200, root, "PUT /data?versioning", &[], on).await;
    let put = world.expect(200, root, "PUT /data/people.csv", &[("content-type", "text/csv")], PEOPLE).await;
    let version = put.headers["x-amz-version-id"].to_str().unwrap().to_owned();
    world.expect(200, root, "PUT /data/other.csv", &[("content-type", "text/csv")], PEOPLE).await;
    for (key, bytes) in [("photo.jpg", PHOTO), ("logo.png", LOGO)] {
        let answer = world.send(root, &format!("PUT /data/{key}"), &[], bytes).await;
        assert_eq!(answer.status, 200);
    }
    let point = world.access_point("ap1", "data", "").await;
    let lens = world.lens("redacted", "ap1", "builtin-redact", "{}", &["GetObject"]).await;
    let heads =
        world.lens("redacted-heads", "ap1", "builtin-redact", "{}", &["GetObject", "HeadObject"]).await;
    let size = r#"{"width":32,"height":32}"#;
    let thumbnail =
        world.lens("thumbnail", "ap1", "builtin-resize", size, &["GetObject", "HeadObject"]).await;
    let mine =
        r#",{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::mine","arn:aws:s3:::mine/*"]}"#;
    let analyst = user("analyst", &(through("redacted", "builtin-redact", "people.csv") + mine));
    let auditor = user(
        "auditor",
        r#"{"Effect":"Allow","Action":"s3:GetObject*","Resource":"arn:aws:s3:::data/people.csv"}"#,
    );
    let visitor = user("visitor", &through("thumbnail", "builtin-resize", "photo.jpg"));
    Story { world, point, lens, heads, thumbnail, analyst, auditor, visitor, version }
}

#[tokio::test]
async fn each_sees_their_own_lens() {
    let Story { world, lens, thumbnail, analyst, auditor, visitor, .. } = story().await;
    let redacted = world.expect(200, Some(&analyst), &format!("GET /{lens}/people.csv"), &[], "").await;
    assert_eq!(redacted.text(), REDACTED);
    let whole = world.expect(200, Some(&auditor), "GET /data/people.csv", &[], "").await;
    assert_eq!(whole.text(), PEOPLE);
    world.expect(403, Some(&auditor), &format!("GET /{lens}/people.csv"), &[], "").await;
    let small = world.expect(200, Some(&visitor), &format!("GET /{thumbnail}/photo.jpg"), &[], "").await;
    assert!(small.body.len() < PHOTO.len() / 4, "{} bytes of {}", small.body.len(), PHOTO.len());
    for line in [
        "GET /data/photo.jpg".to_owned(),
        format!("GET /{lens}/people.csv"),
        format!("GET /{thumbnail}/logo.png"),
    ] {
        world.expect(403, Some(&visitor), &line, &[], "").await;
    }
    // Without a key there is no way in at all: the public comes with URLs that the visitor's key has signed.
    for line in [
        format!("GET /{thumbnail}/photo.jpg"),
        "GET /data/people.csv".into(),
        format!("GET /{lens}/people.csv"),
    ] {
        world.expect(403, None, &line, &[], "").await;
    }
}

#[tokio::test]
async fn the_ways_round_the_lens_are_closed() {
    let Story { world, point, lens, analyst, version, .. } = story().await;
    let a = Some(&analyst);
    let refused = async |line: &str, headers: &[(&str, &str)]| {
        let answer = world.expect(403, a, line, headers, "").await;
        assert!(!answer.text().contains('@'), "{line} shows something");
    };
    // 1: the bucket's own name. 2: the access point. 3, a URL, is a matter of signatures: see `tests/it/story.rs`.
    refused("GET /data/people.csv", &[]).await;
    refused(&format!("GET /{point}/people.csv"), &[]).await;
    // 4: a version.
    for name in ["data", &point, &lens] {
        refused(&format!("GET /{name}/people.csv?versionId={version}"), &[]).await;
    }
    // 5: the source of a copy, by every name that it has.
    for source in [
        "data/people.csv".to_owned(),
        format!("{point}/people.csv"),
        format!("arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/ap1/object/people.csv"),
        format!("data/people.csv?versionId={version}"),
    ] {
        refused("PUT /mine/stolen", &[("x-amz-copy-source", &source)]).await;
    }
    let upload = world.expect(200, a, "POST /mine/stolen?uploads", &[], "").await;
    let upload = super::element(&upload.text(), "UploadId");
    let part = format!("PUT /mine/stolen?uploadId={upload}&partNumber=1");
    refused(&part, &[("x-amz-copy-source", "data/people.csv")]).await;
    let lens_source = format!("{lens}/people.csv");
    let answer = world.send(a, "PUT /mine/stolen", &[("x-amz-copy-source", &lens_source)], "").await;
    assert!(answer.status >= 400, "an OLAP is no source of a copy: {}", answer.status);
    // 6: a part, or a range, which the lens does not offer.
    for name in ["data", &point] {
        refused(&format!("GET /{name}/people.csv?partNumber=1"), &[]).await;
        refused(&format!("GET /{name}/people.csv"), &[("range", "bytes=0-9")]).await;
    }
    world.expect(501, a, &format!("GET /{lens}/people.csv?partNumber=1"), &[], "").await;
    // 7: a listing. 8: HEAD, which this lens passes on as it came.
    for name in ["data", &point, &lens] {
        refused(&format!("GET /{name}?list-type=2"), &[]).await;
        refused(&format!("GET /{name}"), &[]).await;
        refused(&format!("GET /{name}?versions"), &[]).await;
        refused(&format!("HEAD /{name}/people.csv"), &[]).await;
        refused(
            &format!("GET /{name}/people.csv?attributes"),
            &[("x-amz-object-attributes", "ETag,ObjectSize")],
        )
        .await;
        refused(&format!("GET /{name}/people.csv?tagging"), &[]).await;
        refused(&format!("GET /{name}/people.csv?acl"), &[]).await;
    }
    refused(&format!("GET /{lens}/other.csv"), &[]).await;
    // 9: the function called by hand, as far as a policy may say: only the lens may call it.
    let function = format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:builtin-redact:$LATEST");
    let (parts, ()) = http::Request::new(()).into_parts();
    let asked = policy::Asked::of(&parts.headers, &parts.uri, &parts.extensions);
    policy::authorize(a, &asked, "lambda:InvokeFunction", &function, ACCOUNT).unwrap_err();
    // 10: an answer of the function's, which only the function's role may give.
    refused("POST /WriteGetObjectResponse", &[("x-amz-request-route", "r"), ("x-amz-request-token", "t")])
        .await;
    // And the admin API's preview, which shows both sides.
    let preview = r#"{"bucket":"data","key":"people.csv"}"#;
    world.expect(403, a, "POST /_refract/v1/functions/builtin-redact/preview", &[], preview).await;
}

#[tokio::test]
async fn a_head_through_the_lens_tells_of_the_result() {
    let Story { world, heads, analyst, .. } = story().await;
    let head = world.expect(200, Some(&analyst), &format!("HEAD /{heads}/people.csv"), &[], "").await;
    let get = world.expect(200, Some(&analyst), &format!("GET /{heads}/people.csv"), &[], "").await;
    assert_eq!(head.headers["content-length"], REDACTED.len().to_string());
    assert_eq!(head.headers["etag"], get.headers["etag"]);
}

#[tokio::test]
async fn every_link_of_the_chain_is_needed() {
    let Story { world, lens, .. } = story().await;
    let get = format!("GET /{lens}/people.csv");
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    world.expect(200, Some(&user("all", all)), &get, &[], "").await;
    for (action, resource) in [
        (
            "s3-object-lambda:GetObject",
            format!("arn:aws:s3-object-lambda:us-east-1:{ACCOUNT}:accesspoint/redacted"),
        ),
        (
            "s3-object-lambda:GetObject",
            format!("arn:aws:s3-object-lambda:us-east-1:{ACCOUNT}:accesspoint/redacted/object/*"),
        ),
        (
            "lambda:InvokeFunction",
            format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:builtin-redact:$LATEST"),
        ),
        ("lambda:InvokeFunction", format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:builtin-redact")),
        ("s3:GetObject", format!("arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/ap1/object/people.csv")),
        ("s3:GetObject", "arn:aws:s3:::data/people.csv".to_owned()),
    ] {
        let statements = format!(r#"{all},{{"Effect":"Deny","Action":"{action}","Resource":"{resource}"}}"#);
        let refused = world.expect(403, Some(&user("some", &statements)), &get, &[], "").await;
        assert!(refused.reason.contains(action), "{}", refused.reason);
    }
    // The lens's own policy may let in whom no identity policy does, and keeps out whom it will.
    let statements = through("nowhere", "builtin-redact", "people.csv");
    let bob = user("bob", &statements);
    world.expect(403, Some(&bob), &get, &[], "").await;
    let arn = format!("arn:aws:s3-object-lambda:us-east-1:{ACCOUNT}:accesspoint/redacted");
    let policy = super::document(&format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"{}"}},"Action":"s3-object-lambda:GetObject","Resource":"{arn}"}}"#,
        bob.arn
    ));
    world.point_policy(200, "accesspointforobjectlambda/redacted", &policy).await;
    world.expect(200, Some(&bob), &get, &[], "").await;
    let policy = super::document(&format!(
        r#"{{"Effect":"Deny","Principal":"*","Action":"s3-object-lambda:*","Resource":"{arn}",
             "Condition":{{"NumericLessThan":{{"s3-object-lambda:TlsVersion":"1.2"}}}}}},
           {{"Sid":"Tls","Effect":"Deny","Principal":"*","Action":"s3-object-lambda:*","Resource":"{arn}",
             "Condition":{{"Null":{{"s3-object-lambda:TlsVersion":"true"}}}}}}"#
    ));
    world.point_policy(200, "accesspointforobjectlambda/redacted", &policy).await;
    let refused = world.expect(403, Some(&root_of(ACCOUNT)), &get, &[], "").await;
    assert!(
        refused.reason.contains("'Tls') of the policy of Object Lambda access point redacted"),
        "{}",
        refused.reason
    );
}

#[tokio::test]
async fn what_a_transform_reads_besides_is_read_with_the_callers_permission() {
    let Story { world, .. } = story().await;
    let payload = r#"{"image":"logo.png","position":"north-west","opacity":0.8}"#;
    let marked = world.lens("marked", "ap1", "builtin-watermark", payload, &["GetObject"]).await;
    let get = format!("GET /{marked}/photo.jpg");
    let without = user("ada", &through("marked", "builtin-watermark", "photo.jpg"));
    let refused = world.expect(403, Some(&without), &get, &[], "").await;
    assert!(refused.reason.contains("logo.png"), "{}", refused.reason);
    world.expect(200, Some(&user("ada", &through("marked", "builtin-watermark", "*"))), &get, &[], "").await;
}
