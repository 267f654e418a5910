//! The admin API and S3 Control: the root's, and whom policies allow.

use super::{ACCOUNT, OTHER, World, root_of, user, user_of};

#[tokio::test]
async fn policies_allow_routes_of_the_admin_api_one_by_one() {
    let world = World::new();
    let lister = user(
        "lister",
        r#"{"Effect":"Allow","Action":"refract:ListFunctions","Resource":"*"},
           {"Effect":"Allow","Action":"refract:*Function","Resource":"arn:aws:refract:us-east-1:000000000000:function/mine-*"}"#,
    );
    let everything = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let body = r#"{"kind":"builtin","transform":"redact","payload":{}}"#;
    world.expect(200, Some(&lister), "GET /_refract/v1/functions", &[], "").await;
    world.expect(201, Some(&lister), "PUT /_refract/v1/functions/mine-a", &[], body).await;
    world.expect(403, Some(&lister), "PUT /_refract/v1/functions/yours", &[], body).await;
    for line in [
        "GET /_refract/v1/keys",
        "POST /_refract/v1/keys",
        "GET /_refract/v1/nowhere",
        "GET /_refract/metrics",
    ] {
        world.expect(403, Some(&lister), line, &[], "{}").await;
        world.expect(403, Some(&user("nobody", "")), line, &[], "{}").await;
        world.expect(403, Some(&user_of(OTHER, "admin", everything)), line, &[], "{}").await;
        world.expect(403, Some(&root_of(OTHER)), line, &[], "{}").await;
        world.expect(403, None, line, &[], "{}").await;
    }
    world.expect(200, Some(&user("admin", everything)), "GET /_refract/v1/keys", &[], "").await;
    world.expect(404, Some(&root_of(ACCOUNT)), "GET /_refract/v1/nowhere", &[], "").await;
}

#[tokio::test]
async fn policies_allow_operations_of_s3_control() {
    let world = World::new();
    let root = root_of(ACCOUNT);
    world.expect(200, Some(&root), "PUT /data", &[], "").await;
    let account = [("x-amz-account-id", ACCOUNT)];
    let maker = user(
        "maker",
        r#"{"Effect":"Allow","Action":"s3:CreateAccessPoint","Resource":"arn:aws:s3:us-east-1:000000000000:accesspoint/team-*",
            "Condition":{"StringEquals":{"s3:DataAccessPointAccount":"000000000000"}}},
           {"Effect":"Allow","Action":"s3:ListAccessPoints","Resource":"*"}"#,
    );
    let body = "<CreateAccessPointRequest><Bucket>data</Bucket></CreateAccessPointRequest>";
    world.expect(200, Some(&maker), "PUT /v20180820/accesspoint/team-a", &account, body).await;
    world.expect(403, Some(&maker), "PUT /v20180820/accesspoint/other", &account, body).await;
    world.expect(200, Some(&maker), "GET /v20180820/accesspoint", &account, "").await;
    for line in [
        "GET /v20180820/accesspoint/team-a",
        "DELETE /v20180820/accesspoint/team-a",
        "PUT /v20180820/accesspoint/team-a/policy",
        "GET /v20180820/accesspointforobjectlambda",
        "PUT /v20180820/configuration/publicAccessBlock",
        "GET /v20180820/configuration/publicAccessBlock",
        "GET /v20180820/tags/arn%3Aaws%3As3%3Aus-east-1%3A000000000000%3Aaccesspoint%2Fteam-a",
        "GET /v20180820/jobs",
    ] {
        world.expect(403, Some(&maker), line, &account, "").await;
    }
    let tagger = user(
        "tagger",
        r#"{"Effect":"Allow","Action":["s3:TagResource","s3:UntagResource"],"Resource":"*",
            "Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]},"Null":{"aws:TagKeys":"false"}}}"#,
    );
    let tags = "/v20180820/tags/arn%3Aaws%3As3%3Aus-east-1%3A000000000000%3Aaccesspoint%2Fteam-a";
    let body = |key: &str| {
        format!(
            "<TagResourceRequest><Tags><Tag><Key>{key}</Key><Value>v</Value></Tag></Tags></TagResourceRequest>"
        )
    };
    world.expect(204, Some(&tagger), &format!("POST {tags}"), &account, &body("team")).await;
    world.expect(403, Some(&tagger), &format!("POST {tags}"), &account, &body("cost")).await;
    world.expect(204, Some(&tagger), &format!("DELETE {tags}?tagKeys=team"), &account, "").await;
    world.expect(403, Some(&tagger), &format!("DELETE {tags}?tagKeys=cost"), &account, "").await;
}
