//! The chain of access point and bucket, within an account and across accounts.

use super::{ACCOUNT, OTHER, World, configuration, document, element, root_of, user, user_of};

const POINT: &str = "arn:aws:s3:us-east-1:000000000000:accesspoint/ap1";

/// A server with a bucket `data`, an object `k` in it, and an access point `ap1` to it; answers its alias.
async fn world(more: &str) -> (World, String) {
    let (world, root) = (World::new(), root_of(ACCOUNT));
    world.expect(200, Some(&root), "PUT /data", &[], "").await;
    world.expect(200, Some(&root), "PUT /data/k", &[], "object").await;
    let alias = world.access_point("ap1", "data", more).await;
    (world, alias)
}

fn allow(action: &str, resource: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}"#)
}

/// What hands the bucket's permissions to the access points of the account.
fn delegation() -> String {
    document(&format!(
        r#"{{"Sid":"Delegate","Effect":"Allow","Principal":{{"AWS":"*"}},"Action":"*",
            "Resource":["arn:aws:s3:::data","arn:aws:s3:::data/*"],
            "Condition":{{"StringEquals":{{"s3:DataAccessPointAccount":"{ACCOUNT}"}}}}}}"#
    ))
}

#[tokio::test]
async fn both_the_point_and_the_bucket_must_allow() {
    let (world, alias) = world("").await;
    let get = format!("GET /{alias}/k");
    let at_point = allow("s3:GetObject", &format!("{POINT}/object/*"));
    let at_bucket = allow("s3:GetObject", "arn:aws:s3:::data/*");
    let (point, bucket) = (user("point", &at_point), user("bucket", &at_bucket));
    let both = user("both", &format!("{at_point},{at_bucket}"));
    world.expect(200, Some(&root_of(ACCOUNT)), &get, &[], "").await;
    world.expect(200, Some(&both), &get, &[], "").await;
    let refused = world.expect(403, Some(&bucket), &get, &[], "").await;
    assert!(
        refused.reason.contains(&format!("no statement allows s3:GetObject on {POINT}/object/k")),
        "{}",
        refused.reason
    );
    assert!(!refused.text().contains("statement"), "the client learns nothing: {}", refused.text());
    let refused = world.expect(403, Some(&point), &get, &[], "").await;
    assert!(refused.reason.contains("on arn:aws:s3:::data/k"), "{}", refused.reason);
    // Creating an access point changes nothing for the bucket's own name.
    world.expect(200, Some(&bucket), "GET /data/k", &[], "").await;
    world.expect(403, Some(&point), "GET /data/k", &[], "").await;
    world.expect(204, Some(&root_of(ACCOUNT)), "PUT /data?policy", &[], &delegation()).await;
    world.expect(200, Some(&point), &get, &[], "").await;
    world.expect(403, Some(&point), "GET /data/k", &[], "").await;
    let deny = document(&format!(
        r#"{{"Sid":"Never","Effect":"Deny","Principal":{{"AWS":"*"}},"Action":"s3:GetObject","Resource":"{POINT}/object/*"}}"#
    ));
    world.point_policy(200, "accesspoint/ap1", &deny).await;
    for who in [&root_of(ACCOUNT), &both, &point] {
        let refused = world.expect(403, Some(who), &get, &[], "").await;
        assert!(refused.reason.contains("'Never') of the policy of access point ap1"), "{}", refused.reason);
    }
}

#[tokio::test]
async fn another_account_needs_its_own_policies_and_those_of_point_and_bucket() {
    let (world, alias) = world("").await;
    let get = format!("GET /{alias}/k");
    let ann = user_of(OTHER, "ann", &allow("s3:GetObject", &format!("{POINT}/object/*")));
    let bob = user_of(OTHER, "bob", "");
    world.expect(403, Some(&ann), &get, &[], "").await;
    let policy = document(&format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":["arn:aws:iam::{OTHER}:user/ann","arn:aws:iam::{OTHER}:user/bob"]}},
            "Action":"s3:GetObject","Resource":"{POINT}/object/*"}}"#
    ));
    world.point_policy(200, "accesspoint/ap1", &policy).await;
    world.expect(403, Some(&ann), &get, &[], "").await;
    world.expect(204, Some(&root_of(ACCOUNT)), "PUT /data?policy", &[], &delegation()).await;
    world.expect(200, Some(&ann), &get, &[], "").await;
    let refused = world.expect(403, Some(&bob), &get, &[], "").await;
    assert!(refused.reason.contains("no identity policy in the caller's own account"), "{}", refused.reason);
    world.expect(403, Some(&ann), "GET /data/k", &[], "").await;
    world.expect(403, Some(&root_of("222222222222")), &get, &[], "").await;
    world.expect(403, None, &get, &[], "").await;
}

#[tokio::test]
async fn policies_are_read_when_they_are_put() {
    let (world, _) = world("").await;
    let statement = |action: &str, resource: &str, principal: &str| {
        document(&format!(
            r#"{{"Effect":"Allow","Principal":{principal},"Action":"{action}","Resource":"{resource}"}}"#
        ))
    };
    let root = format!(r#"{{"AWS":"{ACCOUNT}"}}"#);
    for (policy, fault) in [
        (statement("s3:GetObjekt", POINT, &root), "s3:GetObjekt"),
        (statement("s3:GetObject", "arn:aws:s3:::data/*", &root), "arn:aws:s3:::data/*"),
        (statement("s3:GetObject", &format!("{POINT}2/object/*"), &root), "accesspoint/ap12"),
        (statement("s3:GetObject", POINT, r#"{"AWS":"nobody"}"#), "nobody"),
        ("{".to_owned(), "JSON"),
    ] {
        let answer = world.point_policy(400, "accesspoint/ap1", &policy).await;
        assert!(answer.contains("MalformedPolicy") && answer.contains(fault), "{fault}: {answer}");
    }
    let public = statement("s3:GetObject", &format!("{POINT}/object/*"), r#""*""#);
    world.point_policy(403, "accesspoint/ap1", &public).await;
    world.point_policy(200, "accesspoint/ap1", &statement("s3:GetObject", "*", &root)).await;
    let status = world.control(200, "GET /accesspoint/ap1/policyStatus", "X", "").await;
    assert!(status.contains("<IsPublic>false</IsPublic>"), "{status}");
}

#[tokio::test]
async fn a_public_policy_of_a_point_is_restricted_to_its_account() {
    let block = |restrict: bool| {
        format!(
            "<PublicAccessBlockConfiguration><BlockPublicAcls>false</BlockPublicAcls><IgnorePublicAcls>false\
             </IgnorePublicAcls><BlockPublicPolicy>false</BlockPublicPolicy><RestrictPublicBuckets>{restrict}\
             </RestrictPublicBuckets></PublicAccessBlockConfiguration>"
        )
    };
    let public = document(&format!(
        r#"{{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"{POINT}/object/*"}}"#
    ));
    let ann = user_of(OTHER, "ann", &allow("s3:*", "*"));
    let own = user("own", "");
    for (restrict, status) in [(true, 403), (false, 200)] {
        let (world, alias) = world(&block(restrict)).await;
        world.point_policy(200, "accesspoint/ap1", &public).await;
        world.expect(204, Some(&root_of(ACCOUNT)), "PUT /data?policy", &[], &delegation()).await;
        world.expect(status, Some(&ann), &format!("GET /{alias}/k"), &[], "").await;
        world.expect(200, Some(&own), &format!("GET /{alias}/k"), &[], "").await;
        let answer = world.control(200, "GET /accesspoint/ap1/policyStatus", "X", "").await;
        assert!(answer.contains(&format!("<IsPublic>{}</IsPublic>", !restrict)), "{answer}");
        world
            .control(
                200,
                "PUT /configuration/publicAccessBlock",
                "PublicAccessBlockConfiguration",
                "<RestrictPublicBuckets>true</RestrictPublicBuckets>",
            )
            .await;
        world.expect(403, Some(&ann), &format!("GET /{alias}/k"), &[], "").await;
    }
}

#[tokio::test]
async fn conditions_see_the_point_and_copies_pass_its_gate() {
    let (world, alias) = world("").await;
    let only = format!(
        r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{{"ArnEquals":{{"s3:DataAccessPointArn":"{POINT}"}}}}}}"#
    );
    let ann = user("ann", &only);
    world.expect(200, Some(&ann), &format!("GET /{alias}/k"), &[], "").await;
    world.expect(403, Some(&ann), "GET /data/k", &[], "").await;
    let list = format!(
        r#"{{"Effect":"Allow","Action":"s3:ListBucket","Resource":["{POINT}","arn:aws:s3:::data"],
            "Condition":{{"StringLike":{{"s3:prefix":"home/*"}}}}}}"#
    );
    let bob = user("bob", &list);
    world.expect(200, Some(&bob), &format!("GET /{alias}?list-type=2&prefix=home/"), &[], "").await;
    world.expect(403, Some(&bob), &format!("GET /{alias}?list-type=2"), &[], "").await;
    let copier = |more: &str| {
        user(
            "copier",
            &format!(
                "{},{}{more}",
                allow("s3:PutObject", "arn:aws:s3:::data/*"),
                allow("s3:GetObject", "arn:aws:s3:::data/*")
            ),
        )
    };
    let source = format!("{POINT}/object/k");
    for source in [source.as_str(), &format!("{alias}/k")] {
        let headers = [("x-amz-copy-source", source)];
        world.expect(403, Some(&copier("")), "PUT /data/copy", &headers, "").await;
        let more = format!(",{}", allow("s3:GetObject", &format!("{POINT}/object/k")));
        world.expect(200, Some(&copier(&more)), "PUT /data/copy", &headers, "").await;
    }
}

#[tokio::test]
async fn a_bucket_of_another_account_opens_to_its_own_callers_only() {
    let world = World::new();
    let (root, other) = (root_of(ACCOUNT), root_of(OTHER));
    world.expect(200, Some(&other), "PUT /theirs", &[], "").await;
    world.expect(200, Some(&other), "PUT /theirs/k", &[], "theirs").await;
    // Anybody may point at it; nothing opens by that.
    let account = format!("<BucketAccountId>{OTHER}</BucketAccountId>");
    let alias = world.access_point("ap1", "theirs", &account).await;
    world.expect(403, Some(&root), &format!("GET /{alias}/k"), &[], "").await;
    world.expect(403, Some(&root), "GET /theirs/k", &[], "").await;
    let policy = delegation().replace("arn:aws:s3:::data", "arn:aws:s3:::theirs");
    world.expect(204, Some(&other), "PUT /theirs?policy", &[], &policy).await;
    world.expect(200, Some(&root), &format!("GET /{alias}/k"), &[], "").await;
    let ann = user("ann", &allow("s3:GetObject", &format!("{POINT}/object/*")));
    world.expect(200, Some(&ann), &format!("GET /{alias}/k"), &[], "").await;
    world.expect(403, Some(&user("bob", "")), &format!("GET /{alias}/k"), &[], "").await;
    world.expect(403, Some(&root), "GET /theirs/k", &[], "").await;
}

#[tokio::test]
async fn acls_grant_like_policies_of_the_resource() {
    let world = World::new();
    let (root, other) = (root_of(ACCOUNT), root_of(OTHER));
    world.expect(200, Some(&root), "PUT /data", &[], "").await;
    world.expect(200, Some(&root), "PUT /data/public", &[("x-amz-acl", "public-read")], "p").await;
    world.expect(200, Some(&root), "PUT /data/private", &[], "p").await;
    let (own, theirs) = (user("own", ""), user_of(OTHER, "theirs", ""));
    let reader = user_of(OTHER, "reader", &allow("s3:GetObject", "*"));
    for (who, status) in
        [(None, 200), (Some(&own), 200), (Some(&other), 200), (Some(&theirs), 403), (Some(&reader), 200)]
    {
        world.expect(status, who, "GET /data/public", &[], "").await;
        world.expect(403, who.filter(|_| true), "GET /data/private", &[], "").await;
    }
    // What another account owns is that account's: its user needs policies of its own, the bucket's owner a grant.
    world.expect(200, Some(&root), "PUT /data?acl", &[("x-amz-acl", "public-read-write")], "").await;
    world.expect(200, Some(&other), "PUT /data/given", &[], "x").await;
    world.expect(200, Some(&other), "GET /data/given", &[], "").await;
    world.expect(403, Some(&root), "GET /data/given", &[], "").await;
    world.expect(403, Some(&theirs), "GET /data/given", &[], "").await;
    world.expect(200, Some(&reader), "GET /data/given", &[], "").await;
    world.expect(403, Some(&theirs), "PUT /data/other", &[], "x").await;
}

const THEIRS: &str = "arn:aws:s3:us-east-1:111111111111:accesspoint/ap1";

/// A server with a bucket `data` of one account, an object `k` in it, and an access point `ap1` of another to it;
/// answers its alias.
async fn theirs() -> (World, String) {
    let (world, ours, theirs) = (World::new(), root_of(ACCOUNT), root_of(OTHER));
    world.expect(200, Some(&ours), "PUT /data", &[], "").await;
    world.expect(200, Some(&ours), "PUT /data/k", &[("content-type", "text/plain")], "a@example.org").await;
    let make = async |status: u16, account: &str| {
        let inside = format!("<Bucket>data</Bucket>{account}");
        let line = "PUT /accesspoint/ap1";
        world.control_as(status, &theirs, line, "CreateAccessPointRequest", &inside).await
    };
    // Who points at a bucket of another account must say whose it is.
    make(403, "").await;
    make(403, "<BucketAccountId>222222222222</BucketAccountId>").await;
    let made = make(200, &format!("<BucketAccountId>{ACCOUNT}</BucketAccountId>")).await;
    assert_eq!(element(&made, "AccessPointArn"), THEIRS);
    let alias = element(&made, "Alias");
    (world, alias)
}

#[tokio::test]
async fn a_point_of_another_account_opens_what_the_bucket_hands_to_it() {
    let (world, alias) = theirs().await;
    let (ours, theirs) = (root_of(ACCOUNT), root_of(OTHER));
    let get = format!("GET /{alias}/k");
    let refused = world.expect(403, Some(&theirs), &get, &[], "").await;
    assert!(refused.reason.contains("arn:aws:s3:::data/k"), "{}", refused.reason);
    let hand = |key: &str, value: &str| {
        document(&format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"*"}},"Action":"*","Resource":["arn:aws:s3:::data","arn:aws:s3:::data/*"],
                "Condition":{{"StringEquals":{{"{key}":"{value}"}}}}}}"#
        ))
    };
    for (key, value, status) in [
        ("s3:DataAccessPointAccount", ACCOUNT, 403),
        ("s3:DataAccessPointArn", POINT, 403),
        ("s3:DataAccessPointArn", THEIRS, 200),
        ("s3:DataAccessPointAccount", OTHER, 200),
    ] {
        world.expect(204, Some(&ours), "PUT /data?policy", &[], &hand(key, value)).await;
        world.expect(status, Some(&theirs), &get, &[], "").await;
        world.expect(403, Some(&theirs), "GET /data/k", &[], "").await;
    }
    let ann = user_of(OTHER, "ann", &allow("s3:GetObject", &format!("{THEIRS}/object/*")));
    world.expect(200, Some(&ann), &get, &[], "").await;
    world.expect(403, Some(&user_of(OTHER, "bob", "")), &get, &[], "").await;
    // The bucket's own account is another one at the point.
    world.expect(403, Some(&ours), &get, &[], "").await;
    let policy = document(&format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"s3:GetObject","Resource":"{THEIRS}/object/*"}},
           {{"Sid":"Never","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"{THEIRS}/object/secret"}}"#
    ));
    let inside = format!("<Policy>{}</Policy>", quick_xml::escape::escape(&policy));
    let line = "PUT /accesspoint/ap1/policy";
    world.control_as(200, &theirs, line, "PutAccessPointPolicyRequest", &inside).await;
    world.expect(200, Some(&ours), &get, &[], "").await;
    world.expect(403, Some(&ann), &format!("GET /{alias}/secret"), &[], "").await;
    // The account's block counts at its own points.
    let block = "<RestrictPublicBuckets>true</RestrictPublicBuckets>";
    let line = "PUT /configuration/publicAccessBlock";
    world.control_as(200, &theirs, line, "PublicAccessBlockConfiguration", block).await;
    world.control(404, "GET /configuration/publicAccessBlock", "X", "").await;
}

#[tokio::test]
async fn each_account_has_its_own_points() {
    let (world, alias) = theirs().await;
    let (ours, theirs) = (root_of(ACCOUNT), root_of(OTHER));
    let own = world.access_point("ap1", "data", "").await;
    assert_ne!(own, alias);
    world.expect(200, Some(&ours), &format!("GET /{own}/k"), &[], "").await;
    let list = world.control(200, "GET /accesspoint?bucket=data", "X", "").await;
    assert!(list.contains(POINT) && !list.contains(THEIRS), "{list}");
    let list = world.control_as(200, &theirs, "GET /accesspoint", "X", "").await;
    assert!(list.contains(THEIRS) && !list.contains(POINT), "{list}");
    assert_eq!(element(&list, "BucketAccountId"), ACCOUNT);
    // Nobody acts in another account's name.
    for who in [&theirs, &user_of(OTHER, "ann", &allow("*", "*"))] {
        for line in ["GET /accesspoint/ap1", "DELETE /accesspoint/ap1", "GET /accesspoint"] {
            let line = line.replace(' ', " /v20180820");
            world.expect(403, Some(who), &line, &[("x-amz-account-id", ACCOUNT)], "").await;
        }
    }
    let admin = world.expect(200, Some(&ours), "GET /_refract/v1/access-points", &[], "").await.text();
    assert!(admin.contains(POINT) && !admin.contains(THEIRS), "{admin}");
    world.control(204, "DELETE /accesspoint/ap1", "X", "").await;
    world.control_as(200, &theirs, "GET /accesspoint/ap1", "X", "").await;
    // Their point does not hold up the bucket's end, and opens nothing of what another account calls so.
    world.expect(204, Some(&ours), "DELETE /data/k", &[], "").await;
    world.expect(204, Some(&ours), "DELETE /data", &[], "").await;
    world.expect(404, Some(&theirs), &format!("GET /{alias}/k"), &[], "").await;
    let third = root_of("222222222222");
    world.expect(200, Some(&third), "PUT /data", &[], "").await;
    world.expect(200, Some(&third), "PUT /data/k", &[], "third").await;
    let open = document(
        r#"{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"s3:*","Resource":"arn:aws:s3:::data/*"}"#,
    );
    world.expect(204, Some(&third), "PUT /data?policy", &[], &open).await;
    world.expect(200, Some(&theirs), "GET /data/k", &[], "").await;
    let refused = world.expect(403, Some(&theirs), &format!("GET /{alias}/k"), &[], "").await;
    assert!(refused.reason.contains("another account's"), "{}", refused.reason);
}

#[tokio::test]
async fn a_lens_of_another_account_has_built_ins_and_may_read_through_any_point() {
    let (world, _) = theirs().await;
    let (ours, theirs) = (root_of(ACCOUNT), root_of(OTHER));
    let function = |account: &str, name: &str| format!("arn:aws:lambda:us-east-1:{account}:function:{name}");
    let make = async |status: u16, name: &str, point: &str, function: &str| {
        let inside = configuration(point, function, "{}", &["GetObject"]);
        let line = format!("PUT /accesspointforobjectlambda/{name}");
        world.control_as(status, &theirs, &line, "CreateAccessPointForObjectLambdaRequest", &inside).await
    };
    let redact = function(OTHER, "builtin-redact");
    for (name, why) in
        [(function(OTHER, "f"), "has no functions here"), (function(ACCOUNT, "f"), "FunctionArn")]
    {
        let refused = make(400, "lens", THEIRS, &name).await;
        assert!(refused.contains(why), "{refused}");
    }
    let own = element(&make(200, "lens", THEIRS, &redact).await, "Value");
    let policy = delegation().replace(ACCOUNT, OTHER);
    world.expect(204, Some(&ours), "PUT /data?policy", &[], &policy).await;
    let seen = world.expect(200, Some(&theirs), &format!("GET /{own}/k"), &[], "").await.text();
    assert_eq!(seen, "*************");
    // The supporting access point may be another account's, which has to let the caller in.
    make(404, "far", &format!("{POINT}0"), &redact).await;
    world.access_point("ap1", "data", "").await;
    let far = element(&make(200, "far", POINT, &redact).await, "Value");
    let get = format!("GET /{far}/k");
    world.expect(403, Some(&theirs), &get, &[], "").await;
    let policy = document(&format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"{OTHER}"}},"Action":"s3:GetObject","Resource":"{POINT}/object/*",
            "Condition":{{"ForAnyValue:StringEquals":{{"aws:CalledVia":"s3-object-lambda.amazonaws.com"}}}}}}"#
    ));
    world.point_policy(200, "accesspoint/ap1", &policy).await;
    world.expect(204, Some(&ours), "PUT /data?policy", &[], &delegation()).await;
    assert_eq!(world.expect(200, Some(&theirs), &get, &[], "").await.text(), "*************");
}
