//! What comes into the audit log, and what never does.

use super::{ACCOUNT, World, document, root_of, user};

#[tokio::test]
async fn changes_and_denials_are_told_with_what_decided() {
    let (world, root) = (World::new(), root_of(ACCOUNT));
    world.expect(200, Some(&root), "PUT /data", &[], "").await;
    world.expect(200, Some(&root), "PUT /data/k", &[], "object").await;
    let admin = user("admin", r#"{"Sid":"All","Effect":"Allow","Action":"s3:*","Resource":"*"}"#);
    let policy = document(
        r#"{"Sid":"NoBob","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::000000000000:user/bob"},"Action":"s3:*","Resource":"arn:aws:s3:::data/*"}"#,
    );
    world.expect(204, Some(&admin), "PUT /data?policy", &[], &policy).await;
    let bob = user("bob", r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#);
    world
        .expect(403, Some(&bob), "GET /data/k?X-Secret=hunter2", &[("authorization-x", "hunter2")], "")
        .await;
    world
        .expect(200, Some(&bob), "POST /data?delete", &[], "<Delete><Object><Key>k</Key></Object></Delete>")
        .await;
    world.expect(403, None, "GET /data/k", &[], "").await;
    world.expect(200, Some(&root), "GET /data/k", &[], "").await;
    world.access_point("ap1", "data", "").await;
    let body = r#"{"description":"for the app"}"#;
    let key = world.expect(201, Some(&root), "POST /_refract/v1/keys", &[], body).await.text();
    let lines: Vec<serde_json::Value> =
        world.audit().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shown: Vec<String> = lines
        .iter()
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
            let who = text("principal").rsplit(':').next().unwrap().to_owned();
            format!(
                "{} {who} {} {} | {}",
                text("event"),
                text("operation"),
                line["status"],
                text("decided_by")
            )
        })
        .collect();
    let found =
        |wanted: &str| assert!(shown.iter().any(|line| line.contains(wanted)), "{wanted} in {shown:#?}");
    found("change root CreateBucket 200 | the root of an account may do everything in it");
    found(
        "change user/admin PutBucketPolicy 204 | allowed by statement 1 ('All') of the policy of user admin",
    );
    found("denied user/bob GetObject 403 | s3:GetObject by arn:aws:iam::000000000000:user/bob");
    found("denied by statement 1 ('NoBob') of the bucket policy");
    found("denied user/bob DeleteObjects 200 | s3:DeleteObject by");
    found("denied anonymous GetObject 403");
    found("change root CreateAccessPoint 200");
    found("change root refract:CreateKey 201");
    assert_eq!(lines.len(), 7, "reads and writes of data are no changes: {shown:#?}");
    assert!(
        lines.iter().all(|line| line["client"] == "192.0.2.7" && line["id"].as_str().unwrap().len() == 16)
    );
    let secret = serde_json::from_str::<serde_json::Value>(&key).unwrap()["secret_access_key"]
        .as_str()
        .unwrap()
        .to_owned();
    let root_secret = world.app.keys.root().secret.expose().to_owned();
    for secret in [secret.as_str(), &root_secret, "hunter2"] {
        assert!(!world.audit().contains(secret), "a secret in the audit log");
    }
}
