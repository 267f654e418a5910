//! Listings through a built-in, for callers who may look through it only.

use super::{ACCOUNT, World, root_of, user};

const CALLED: &str =
    r#""Condition":{"ForAnyValue:StringEquals":{"aws:CalledVia":"s3-object-lambda.amazonaws.com"}}"#;
const ALL: [&str; 4] = ["GetObject", "HeadObject", "ListObjects", "ListObjectsV2"];

/// Statements that let somebody through a lens and no other way.
fn through(lens: &str, function: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Action":"s3-object-lambda:*",
             "Resource":"arn:aws:s3-object-lambda:us-east-1:{ACCOUNT}:accesspoint/{lens}*"}},
           {{"Effect":"Allow","Action":"lambda:InvokeFunction",
             "Resource":"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function}",{CALLED}}},
           {{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"*",{CALLED}}}"#
    )
}

async fn world() -> World {
    let (world, root) = (World::new(), root_of(ACCOUNT));
    world.expect(200, Some(&root), "PUT /data", &[], "").await;
    for (key, text) in [("a/people.txt", "ann@example.org wrote"), ("b.txt", "nothing"), ("logo.png", "-")] {
        world
            .expect(200, Some(&root), &format!("PUT /data/{key}"), &[("content-type", "text/plain")], text)
            .await;
    }
    world.access_point("ap1", "data", "").await;
    world
}

#[tokio::test]
async fn a_built_in_lists_what_it_makes_of_the_objects() {
    let world = world().await;
    // In place of each match a word, so that sizes differ.
    let lens = world.lens("view", "ap1", "builtin-redact", r#"{"mode":"replace"}"#, &ALL).await;
    let analyst = user("analyst", &through("view", "builtin-redact"));
    let analyst = Some(&analyst);
    let stored = world.expect(200, Some(&root_of(ACCOUNT)), "HEAD /data/a/people.txt", &[], "").await;
    let stored = stored.headers["etag"].to_str().unwrap().trim_matches('"').to_owned();
    let list =
        async |query: &str| world.expect(200, analyst, &format!("GET /{lens}{query}"), &[], "").await.text();
    let before = list("?list-type=2&prefix=a/").await;
    assert!(before.contains("<Key>a/people.txt</Key>") && !before.contains(&stored), "{before}");
    assert!(before.contains("<Size>21</Size>") && before.contains("<Name>data</Name>"), "{before}");
    let head = world.expect(200, analyst, &format!("HEAD /{lens}/a/people.txt"), &[], "").await;
    let etag = head.headers["etag"].to_str().unwrap().trim_matches('"');
    assert!(etag.ends_with("-olap") && before.contains(etag), "{etag}: {before}");
    // Once a result is kept, its size is known.
    let size = head.headers["content-length"].to_str().unwrap();
    assert_ne!(size, "21");
    for query in ["?list-type=2&prefix=a/", "?prefix=a/"] {
        let after = list(query).await;
        assert!(after.contains(&format!("<Size>{size}</Size>")) && after.contains(etag), "{after}");
    }
    let folded = list("?list-type=2&delimiter=/").await;
    assert!(folded.contains("<Prefix>a/</Prefix>") && folded.contains("<Key>b.txt</Key>"), "{folded}");
    // Neither parameters of a listing nor another way open more.
    world.expect(403, analyst, "GET /data?list-type=2", &[], "").await;
    world.expect(403, analyst, &format!("GET /{lens}?versions"), &[], "").await;
    let narrow = user(
        "narrow",
        &format!(
            "{},{{\"Effect\":\"Deny\",\"Action\":\"s3:ListBucket\",\"Resource\":\"*\",\"Condition\":{{\"StringNotLike\":{{\"s3:prefix\":\"a/*\"}}}}}}",
            through("view", "builtin-redact")
        ),
    );
    world.expect(200, Some(&narrow), &format!("GET /{lens}?list-type=2&prefix=a/"), &[], "").await;
    world.expect(403, Some(&narrow), &format!("GET /{lens}?list-type=2"), &[], "").await;
}

#[tokio::test]
async fn an_etag_that_depends_on_more_is_not_shown() {
    let world = world().await;
    let payload = r#"{"image":"logo.png"}"#;
    let lens = world.lens("marked", "ap1", "builtin-watermark", payload, &ALL).await;
    let caller = user("ada", &through("marked", "builtin-watermark"));
    let list = world.expect(200, Some(&caller), &format!("GET /{lens}?list-type=2"), &[], "").await.text();
    assert!(list.contains("<Key>b.txt</Key>") && !list.contains("<ETag>"), "{list}");
    // The identity shows objects as they are.
    let plain = world.lens("plain", "ap1", "builtin-identity", "{}", &ALL).await;
    let list = world.expect(200, Some(&root_of(ACCOUNT)), &format!("GET /{plain}"), &[], "").await.text();
    assert!(list.contains("<ETag>") && !list.contains("-olap"), "{list}");
}
