//! Requests that are spelt so that a policy would look at something else than what they act on.

use super::{ACCOUNT, OTHER, World, document, root_of, user};

const LAMBDA: (&str, &str) =
    ("authorization", "AWS4-HMAC-SHA256 Credential=AKUSER/20260101/us-east-1/lambda/aws4_request");

#[tokio::test]
async fn the_policy_of_a_bucket_is_its_owners_whatever_it_allows() {
    let (world, root) = (World::new(), root_of(ACCOUNT));
    world.expect(200, Some(&root), "PUT /data", &[], "").await;
    world.expect(204, Some(&root), "DELETE /data?publicAccessBlock", &[], "").await;
    let all = r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::data","arn:aws:s3:::data/*"]}"#;
    let open = document(all);
    world.expect(204, Some(&root), "PUT /data?policy", &[], &open).await;
    world.expect(200, Some(&root_of(OTHER)), "PUT /data/k", &[], "theirs").await;
    for line in ["GET /data?policy", "PUT /data?policy", "DELETE /data?policy"] {
        let other = world.expect(405, Some(&root_of(OTHER)), line, &[], &open).await;
        assert!(other.text().contains("MethodNotAllowed"), "{}", other.text());
        world.expect(403, None, line, &[], &open).await;
    }
    world.expect(200, Some(&user("ann", "")), "GET /data?policy", &[], "").await;
    // Who is not even allowed learns no more than that.
    world.expect(204, Some(&root), "DELETE /data?policy", &[], "").await;
    world.expect(403, Some(&root_of(OTHER)), "GET /data?policy", &[], "").await;
}

#[tokio::test]
async fn tags_of_a_point_are_asked_for_by_its_one_arn() {
    let world = World::new();
    world.expect(200, Some(&root_of(ACCOUNT)), "PUT /data", &[], "").await;
    world.access_point("ap1", "data", "").await;
    let canonical = format!("arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/ap1");
    let ann = user(
        "ann",
        &format!(
            r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*"}},{{"Effect":"Deny","Action":"s3:*","Resource":"{canonical}"}}"#
        ),
    );
    for arn in [canonical, format!("arn:x:s3:anywhere:{ACCOUNT}:accesspoint:ap1")] {
        let arn = percent_encoding::utf8_percent_encode(&arn, percent_encoding::NON_ALPHANUMERIC);
        let line = format!("GET /v20180820/tags/{arn}");
        let account = [("x-amz-account-id", ACCOUNT)];
        world.expect(200, Some(&root_of(ACCOUNT)), &line, &account, "").await;
        world.expect(403, Some(&ann), &line, &account, "").await;
    }
}

#[tokio::test]
async fn a_qualifier_does_not_lead_past_a_statement_about_the_function() {
    let world = World::new();
    let function = format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:f");
    let ann = user(
        "ann",
        &format!(
            r#"{{"Effect":"Allow","Action":"lambda:*","Resource":"*"}},
               {{"Effect":"Deny","Action":["lambda:Update*","lambda:Put*"],"Resource":"{function}"}}"#
        ),
    );
    for (line, action) in [
        ("PUT /2015-03-31/functions/f/configuration", "lambda:UpdateFunctionConfiguration"),
        ("PUT /2017-10-31/functions/f/concurrency", "lambda:PutFunctionConcurrency"),
        ("PUT /2015-03-31/functions/f/aliases/prod", "lambda:UpdateAlias"),
    ] {
        for query in ["", "?Qualifier=%24LATEST", "?Qualifier=dev"] {
            let refused = world.expect(403, Some(&ann), &format!("{line}{query}"), &[LAMBDA], "{}").await;
            assert!(refused.reason.contains(action), "{line}{query}: {}", refused.reason);
        }
    }
    // Where the operation is about the version, the statement must be as well: there is no such function to delete.
    world.expect(404, Some(&ann), "GET /2015-03-31/functions/f?Qualifier=dev", &[LAMBDA], "").await;
}

#[tokio::test]
async fn a_lens_reads_the_version_that_was_allowed() {
    let (world, root) = (World::new(), root_of(ACCOUNT));
    world.expect(200, Some(&root), "PUT /data", &[], "").await;
    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    world.expect(200, Some(&root), "PUT /data?versioning", &[], enabled).await;
    let first = world.expect(200, Some(&root), "PUT /data/k", &[], "first").await;
    world.expect(200, Some(&root), "PUT /data/k", &[], "second").await;
    let version = first.headers["x-amz-version-id"].to_str().unwrap().to_owned();
    world.access_point("ap1", "data", "").await;
    let alias = world.lens("lens", "ap1", "builtin-identity", "", &["GetObject", "HeadObject"]).await;
    let named = format!("GET /{alias}/k?versionId={version}");
    assert_eq!(world.expect(200, Some(&root), &named, &[], "").await.text(), "first");
    assert_eq!(world.expect(200, Some(&root), &format!("GET /{alias}/k"), &[], "").await.text(), "second");
    world.expect(400, Some(&root), &format!("GET /{alias}/k?versionId=nothing"), &[], "").await;
    // Whoever may read the current version alone is not given another, and the other way round.
    let current = user(
        "current",
        r#"{"Effect":"Allow","Action":["s3:GetObject","s3-object-lambda:*","lambda:*"],"Resource":"*"}"#,
    );
    world.expect(200, Some(&current), &format!("GET /{alias}/k"), &[], "").await;
    world.expect(403, Some(&current), &named, &[], "").await;
    let old = user(
        "old",
        r#"{"Effect":"Allow","Action":["s3:GetObjectVersion","s3-object-lambda:*","lambda:*"],"Resource":"*"}"#,
    );
    world.expect(403, Some(&old), &format!("GET /{alias}/k"), &[], "").await;
    world.expect(200, Some(&old), &named, &[], "").await;
}
