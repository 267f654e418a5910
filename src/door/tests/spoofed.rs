//! Condition keys come from what the server knows. What a client says in a header or a parameter that the operation
//! does not read sets none.

use super::{ACCOUNT, World, root_of, user};

type Headers<'a> = &'a [(&'a str, &'a str)];

async fn world(proxies: &[&str]) -> World {
    let (world, root) = (World::trusting(proxies), root_of(ACCOUNT));
    world.expect(200, Some(&root), "PUT /data", &[], "").await;
    world.expect(200, Some(&root), "PUT /data/k", &[("x-amz-tagging", "team=red")], "object").await;
    world
}

fn only(action: &str, operator: &str, key: &str, value: &str) -> crate::auth::Principal {
    user(
        "ada",
        &format!(
            r#"{{"Effect":"Allow","Action":"{action}","Resource":"*","Condition":{{"{operator}":{{"{key}":"{value}"}}}}}}"#
        ),
    )
}

#[tokio::test]
async fn addresses_come_from_the_connection_or_a_trusted_proxy() {
    let forwarded =
        [("x-forwarded-for", "203.0.113.9"), ("x-real-ip", "203.0.113.9"), ("forwarded", "for=203.0.113.9")];
    let near = only("s3:GetObject", "IpAddress", "aws:SourceIp", "192.0.2.0/24");
    let far = only("s3:GetObject", "IpAddress", "aws:SourceIp", "203.0.113.9/32");
    let direct = world(&[]).await;
    for headers in [&[][..], &forwarded] {
        direct.expect(200, Some(&near), "GET /data/k", headers, "").await;
        direct.expect(403, Some(&far), "GET /data/k", headers, "").await;
    }
    let proxied = world(&["192.0.2.0/24"]).await;
    proxied.expect(200, Some(&far), "GET /data/k", &forwarded, "").await;
    proxied.expect(403, Some(&near), "GET /data/k", &forwarded, "").await;
    let chain = [("x-forwarded-for", "203.0.113.9, 198.51.100.1")];
    proxied.expect(403, Some(&far), "GET /data/k", &chain, "").await;
    let secure = only("s3:GetObject", "Bool", "aws:SecureTransport", "true");
    let https = [("x-forwarded-proto", "https")];
    direct.expect(403, Some(&secure), "GET /data/k", &https, "").await;
    proxied.expect(403, Some(&secure), "GET /data/k", &[], "").await;
    proxied.expect(200, Some(&secure), "GET /data/k", &https, "").await;
}

#[tokio::test]
async fn headers_and_parameters_set_only_the_keys_of_their_operation() {
    let world = world(&[]).await;
    let refused: &[(&str, &str, &str, &str, Headers)] = &[
        ("s3:GetObject", "s3:prefix", "home", "GET /data/k?prefix=home", &[]),
        ("s3:GetObject", "s3:x-amz-copy-source", "data/k", "GET /data/k", &[("x-amz-copy-source", "data/k")]),
        ("s3:GetObject", "s3:x-amz-acl", "private", "GET /data/k", &[("x-amz-acl", "private")]),
        (
            "s3:GetObject",
            "s3:ExistingObjectTag/team",
            "blue",
            "GET /data/k",
            &[("x-amz-tagging", "team=blue")],
        ),
        (
            "s3:GetObject",
            "s3:RequestObjectTag/team",
            "blue",
            "GET /data/k",
            &[("x-amz-tagging", "team=blue")],
        ),
        (
            "s3:GetObject",
            "aws:CalledVia",
            "s3-object-lambda.amazonaws.com",
            "GET /data/k",
            &[
                ("x-amz-called-via", "s3-object-lambda.amazonaws.com"),
                ("aws-calledvia", "s3-object-lambda.amazonaws.com"),
            ],
        ),
        (
            "s3:GetObject",
            "s3:DataAccessPointAccount",
            ACCOUNT,
            "GET /data/k",
            &[("x-amz-data-access-point-account", ACCOUNT), ("x-amz-account-id", ACCOUNT)],
        ),
        (
            "s3:GetObject",
            "aws:PrincipalTag/team",
            "red",
            "GET /data/k",
            &[("x-amz-principal-tag-team", "red")],
        ),
        (
            "s3:GetObject",
            "s3:authType",
            "REST-HEADER",
            "GET /data/k?authType=REST-HEADER",
            &[("x-amz-authtype", "REST-HEADER")],
        ),
        ("s3:GetObject", "aws:username", "bob", "GET /data/k", &[("x-amz-username", "bob")]),
        (
            "s3:ListBucket",
            "s3:prefix",
            "home",
            "GET /data?list-type=2",
            &[("x-amz-prefix", "home"), ("prefix", "home")],
        ),
    ];
    for (action, key, value, line, headers) in refused {
        world.expect(403, Some(&only(action, "StringEquals", key, value)), line, headers, "").await;
    }
    let twice = only("s3:ListBucket", "StringEquals", "s3:prefix", "home");
    world.expect(200, Some(&twice), "GET /data?list-type=2&prefix=home", &[], "").await;
    world.expect(400, Some(&twice), "GET /data?list-type=2&prefix=home&prefix=", &[], "").await;
    world.expect(400, Some(&twice), "GET /data?prefix=&prefix=home", &[], "").await;
}

#[tokio::test]
async fn keys_say_what_is_asked_for() {
    let world = world(&[]).await;
    let tags = |team: &str| {
        format!("<Tagging><TagSet><Tag><Key>team</Key><Value>{team}</Value></Tag></TagSet></Tagging>")
    };
    let put = "PUT /data/new";
    let rows: &[(&str, &str, &str, &str, Headers, Headers)] = &[
        ("s3:GetObject", "s3:ExistingObjectTag/team", "red", "GET /data/k", &[], &[]),
        (
            "s3:*",
            "s3:RequestObjectTag/team",
            "red",
            put,
            &[("x-amz-tagging", "team=red")],
            &[("x-amz-tagging", "team=blue")],
        ),
        (
            "s3:*",
            "s3:x-amz-acl",
            "private",
            put,
            &[("x-amz-acl", "private")],
            &[("x-amz-acl", "bucket-owner-read")],
        ),
        ("s3:PutObject", "s3:if-none-match", "*", put, &[("if-none-match", "*")], &[]),
        (
            "s3:PutObject",
            "s3:x-amz-storage-class",
            "STANDARD_IA",
            put,
            &[("x-amz-storage-class", "STANDARD_IA")],
            &[("x-amz-storage-class", "STANDARD")],
        ),
        ("s3:*", "s3:x-amz-copy-source", "data/k", "PUT /data/copy", &[], &[]),
    ];
    for (action, key, value, line, right, wrong) in rows {
        let caller = only(action, "StringEquals", key, value);
        if *key == "s3:x-amz-copy-source" {
            // The source is read by an action that has no such key.
            let reader = user(
                "ada",
                &format!(
                    r#"{{"Effect":"Allow","Action":["s3:GetObject","s3:GetObjectTagging"],"Resource":"*"}},{{"Effect":"Allow","Action":["s3:PutObject","s3:PutObjectTagging"],"Resource":"*","Condition":{{"StringEquals":{{"{key}":"{value}"}}}}}}"#
                ),
            );
            world.expect(200, Some(&reader), line, &[("x-amz-copy-source", "/data/k")], "").await;
            world.expect(403, Some(&reader), line, &[("x-amz-copy-source", "data/other")], "").await;
            continue;
        }
        world.expect(200, Some(&caller), line, right, "").await;
        if line.starts_with("PUT") {
            world.expect(403, Some(&caller), line, wrong, "").await;
            world.expect(204, Some(&root_of(ACCOUNT)), "DELETE /data/new", &[], "").await;
        }
    }
    let red = only("s3:PutObjectTagging", "StringEquals", "s3:RequestObjectTag/team", "red");
    world.expect(200, Some(&red), "PUT /data/k?tagging", &[], &tags("red")).await;
    world.expect(403, Some(&red), "PUT /data/k?tagging", &[], &tags("blue")).await;
    world
        .expect(403, Some(&red), "PUT /data/k?tagging", &[("x-amz-tagging", "team=red")], &tags("blue"))
        .await;
    let west = only("s3:CreateBucket", "StringEquals", "s3:locationconstraint", "us-west-2");
    let body = |region: &str| {
        format!(
            "<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        )
    };
    world.expect(200, Some(&west), "PUT /western", &[], &body("us-west-2")).await;
    world.expect(403, Some(&west), "PUT /eastern", &[], &body("eu-west-1")).await;
    world.expect(403, Some(&west), "PUT /nowhere", &[], "").await;
}
