//! The explanation says what the gates do, and which statement decides.

use serde_json::{Value, json};

use super::{ACCOUNT, World, document, root_of};

async fn explain(world: &World, body: Value) -> Value {
    let root = root_of(ACCOUNT);
    let answer =
        world.expect(200, Some(&root), "POST /_refract/v1/policy/explain", &[], &body.to_string()).await;
    serde_json::from_slice(&answer.body).unwrap()
}

fn allow(action: &str, condition: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Read", "Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition}]})
}

#[tokio::test]
async fn each_gate_is_told_with_the_statement_that_decides() {
    let (world, root) = (World::new(), root_of(ACCOUNT));
    world.expect(200, Some(&root), "PUT /data", &[], "").await;
    world.expect(200, Some(&root), "PUT /data/people.csv", &[("x-amz-tagging", "team=red")], "a@b.c").await;
    let deny = document(
        r#"{"Sid":"NoPlain","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*",
            "Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#,
    );
    world.expect(204, Some(&root), "PUT /data?policy", &[], &deny).await;
    let ask = |principal: &str, context: Value| json!({"principal": principal, "action": "s3:GetObject", "resource": "arn:aws:s3:::data/people.csv", "context": context});
    let arn = format!("arn:aws:iam::{ACCOUNT}:root");
    let answer = explain(&world, ask(&arn, json!({"aws:SecureTransport": true}))).await;
    assert_eq!((&answer["allowed"], answer["gates"].as_array().unwrap().len()), (&json!(true), 1));
    let answer = explain(&world, ask(&arn, json!({}))).await;
    assert_eq!(answer["allowed"], false);
    assert_eq!(answer["gates"][0]["reason"], "denied by statement 1 ('NoPlain') of the bucket policy");
    assert_eq!(answer["gates"][0]["statements"][0]["words"], "statement 1 ('NoPlain') denies it");
    let answer = explain(&world, ask("anonymous", json!({"aws:SecureTransport": "true"}))).await;
    assert!(answer["reason"].as_str().unwrap().contains("no statement allows s3:GetObject"), "{answer}");
    let words = answer["gates"][0]["statements"][0]["words"].as_str().unwrap();
    assert!(words.contains("Bool aws:SecureTransport [\"false\"] does not hold"), "{words}");
    let nobody = format!("arn:aws:iam::{ACCOUNT}:user/nobody");
    let body = ask(&nobody, json!({})).to_string();
    world.expect(404, Some(&root), "POST /_refract/v1/policy/explain", &[], &body).await;
}

#[tokio::test]
async fn policies_that_are_not_stored_can_be_tried_through_the_whole_chain() {
    let (world, root) = (World::new(), root_of(ACCOUNT));
    world.expect(200, Some(&root), "PUT /data", &[], "").await;
    world.expect(200, Some(&root), "PUT /data/k", &[("x-amz-tagging", "team=red")], "x").await;
    world.access_point("ap1", "data", "").await;
    world.lens("redacted", "ap1", "builtin-redact", "{}", &["GetObject"]).await;
    let called = json!({"ForAnyValue:StringEquals": {"aws:CalledVia": "s3-object-lambda.amazonaws.com"}});
    let try_with = |action: &str, resource: &str, identity: Vec<Value>| {
        json!({"principal": format!("arn:aws:iam::{ACCOUNT}:user/new"), "action": action, "resource": resource,
            "simulate": {"identity": identity}})
    };
    let lens = format!("arn:aws:s3-object-lambda:us-east-1:{ACCOUNT}:accesspoint/redacted/object/k");
    let analyst = vec![
        allow("s3-object-lambda:*", &json!({})),
        allow("lambda:InvokeFunction", &called),
        allow("s3:GetObject", &called),
    ];
    let answer = explain(&world, try_with("s3-object-lambda:GetObject", &lens, analyst.clone())).await;
    assert_eq!(answer["allowed"], true, "{answer:#}");
    let gates: Vec<&str> =
        answer["gates"].as_array().unwrap().iter().map(|gate| gate["action"].as_str().unwrap()).collect();
    assert_eq!(
        gates.iter().filter(|action| **action == "s3:GetObject").count(),
        2,
        "point and bucket: {gates:?}"
    );
    let answer = explain(&world, try_with("s3-object-lambda:HeadObject", &lens, analyst.clone())).await;
    assert_eq!(answer["allowed"], false, "HEAD is not transformed: {answer:#}");
    let point = format!("arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/ap1/object/k");
    assert_eq!(explain(&world, try_with("s3:GetObject", &point, analyst)).await["allowed"], false);
    let red = vec![allow("s3:GetObject", &json!({"StringEquals": {"s3:ExistingObjectTag/team": "red"}}))];
    assert_eq!(explain(&world, try_with("s3:GetObject", "arn:aws:s3:::data/k", red)).await["allowed"], true);
    let mut body = try_with(
        "s3:GetObject",
        "arn:aws:s3:::data/k",
        vec![json!({"Statement": {"Effect": "Allow", "Action": "s3:Fly", "Resource": "*"}})],
    );
    let answer =
        world.expect(400, Some(&root), "POST /_refract/v1/policy/explain", &[], &body.to_string()).await;
    assert!(
        answer.text().contains("MalformedPolicy") && answer.text().contains("s3:Fly"),
        "{}",
        answer.text()
    );
    body["simulate"] = json!({"identity": [], "resource": {"Statement": {"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}}});
    let answer = explain(&world, body).await;
    assert_eq!(answer["reason"], "allowed by statement 1 ('Open') of the bucket policy");
}
