//! Who may make, change and call a function, and with which role.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{ACCOUNT, Answer, OTHER, World, root_of, user, user_of};
use crate::auth::Principal;
use crate::function::package::tests::zip;

const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";
const ROLE: &str = "arn:aws:iam::000000000000:role/r";
/// What leads a request to the Lambda plane; who asks is said otherwise here.
const SCOPE: (&str, &str) = (
    "authorization",
    "AWS4-HMAC-SHA256 Credential=AK/20261124/us-east-1/lambda/aws4_request, SignedHeaders=host",
);

fn allow(action: &str, resource: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}"#)
}

/// What lets somebody pass a role to Lambda and nothing else.
fn pass(role: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Action":"iam:PassRole","Resource":"{role}",
            "Condition":{{"StringEquals":{{"iam:PassedToService":"lambda.amazonaws.com"}}}}}}"#
    )
}

fn document(name: &str, role: &str) -> Value {
    let code = BASE64.encode(&zip(&[("app.py", b"def handler(event, context): return 1")]));
    json!({ "FunctionName": name, "Role": role, "Runtime": "python3.12", "Handler": "app.handler",
        "Code": { "ZipFile": code } })
}

impl World {
    async fn lambda(&self, status: u16, who: &Principal, line: &str, body: &Value) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let line = format!("{method} /2015-03-31/functions{path}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.expect(status, Some(who), &line, &[SCOPE], &body).await
    }

    /// Makes a role that a service may assume.
    async fn role(&self, name: &str, service: &str) {
        let trust = json!({ "Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": service } } });
        let line = format!("PUT /_refract/v1/accounts/root/roles/{name}");
        let body = json!({ "trust": trust }).to_string();
        self.expect(200, Some(&root_of(ACCOUNT)), &line, &[], &body).await;
    }

    async fn invoke(&self, status: u16, who: &Principal, function: &str) -> Answer {
        let line = format!("POST /2015-03-31/functions/{function}/invocations");
        self.expect(status, Some(who), &line, &[SCOPE, ("x-amz-invocation-type", "DryRun")], "{}").await
    }
}

#[tokio::test]
async fn a_role_is_passed_by_who_may_to_whom_it_trusts() {
    let world = World::new();
    let create = allow("lambda:CreateFunction", FUNCTION);
    let maker = user("maker", &format!("{create},{}", pass(ROLE)));
    let message = "The role defined for the function cannot be assumed by Lambda.";
    // Who may not pass it does not learn whether it is there.
    let refused = world.lambda(403, &user("other", &create), "POST ", &document("f", ROLE)).await;
    let why = format!("iam:PassRole by arn:aws:iam::{ACCOUNT}:user/other on {ROLE}");
    assert!(refused.reason.contains(&why), "{}", refused.reason);
    let refused = world.lambda(400, &maker, "POST ", &document("f", ROLE)).await.text();
    assert!(refused.contains("InvalidParameterValueException") && refused.contains(message), "{refused}");
    world.role("r", "ec2.amazonaws.com").await;
    let refused = world.lambda(400, &maker, "POST ", &document("f", ROLE)).await.text();
    assert!(refused.contains(message), "{refused}");
    world.role("r", "lambda.amazonaws.com").await;
    let elsewhere = ROLE.replace(ACCOUNT, OTHER);
    let refused = world.lambda(403, &root_of(ACCOUNT), "POST ", &document("f", &elsewhere)).await.text();
    assert!(refused.contains("Cross-account pass role"), "{refused}");
    // It is decided on the very function.
    let refused = world.lambda(403, &maker, "POST ", &document("g", ROLE)).await;
    assert!(refused.reason.contains("function:g"), "{}", refused.reason);
    world.lambda(403, &maker, "POST ", &json!({ "Role": ROLE })).await;
    world.lambda(201, &maker, "POST ", &document("f", ROLE)).await;
    // A change of anything but the role passes none.
    let update = allow("lambda:UpdateFunctionConfiguration", FUNCTION);
    let (changer, line) = (user("changer", &update), "PUT /f/configuration");
    world.lambda(200, &changer, line, &json!({ "Timeout": 9 })).await;
    world.lambda(403, &changer, line, &json!({ "Role": ROLE })).await;
    let changer = user("changer", &format!("{update},{}", pass("arn:aws:iam::*:role/*")));
    let absent = json!({ "Role": format!("{ROLE}2") });
    let refused = world.lambda(400, &changer, line, &absent).await.text();
    assert!(refused.contains(message), "{refused}");
    world.lambda(200, &changer, line, &json!({ "Role": ROLE })).await;
    assert!(world.audit().contains("iam:PassRole"), "{}", world.audit());
}

#[tokio::test]
async fn a_functions_own_policy_lets_others_in_where_both_sides_allow() {
    let (world, root) = (World::new(), root_of(ACCOUNT));
    world.role("r", "lambda.amazonaws.com").await;
    world.lambda(201, &root, "POST ", &document("f", ROLE)).await;
    let ann = user_of(OTHER, "ann", &allow("lambda:InvokeFunction", &format!("{FUNCTION}*")));
    let (bob, own) = (user_of(OTHER, "bob", ""), user("own", ""));
    for who in [&ann, &bob, &own] {
        world.invoke(403, who, FUNCTION).await;
    }
    let add = |id: &str, principal: &str| json!({ "StatementId": id, "Action": "lambda:InvokeFunction", "Principal": principal });
    world.lambda(201, &root, "POST /f/policy", &add("other", OTHER)).await;
    world.invoke(204, &ann, FUNCTION).await;
    let refused = world.invoke(403, &bob, FUNCTION).await;
    assert!(refused.reason.contains("no identity policy in the caller's own account"), "{}", refused.reason);
    // By a name alone it is a function of the caller's own account.
    world.invoke(403, &ann, "f").await;
    world.invoke(403, &own, FUNCTION).await;
    // In one account either side is enough; the account alone leaves it to the identity's policies.
    world.lambda(201, &root, "POST /f/policy", &add("account", ACCOUNT)).await;
    world.invoke(403, &own, FUNCTION).await;
    world.lambda(201, &root, "POST /f/policy", &add("own", &own.arn)).await;
    world.invoke(204, &own, "f").await;
    // What it says of invocations says nothing of the rest, and a service is not a user.
    world.lambda(403, &ann, &format!("GET /{FUNCTION}/configuration"), &Value::Null).await;
    world.lambda(201, &root, "POST /f/policy", &add("s3", "s3.amazonaws.com")).await;
    // A version has a policy of its own.
    world.lambda(201, &root, "POST /f/versions", &json!({})).await;
    world.invoke(403, &ann, &format!("{FUNCTION}:1")).await;
    world.lambda(201, &root, "POST /f/policy?Qualifier=1", &add("one", &ann.arn)).await;
    world.invoke(204, &ann, &format!("{FUNCTION}:1")).await;
    world.lambda(204, &root, "DELETE /f/policy/other", &Value::Null).await;
    world.invoke(403, &ann, FUNCTION).await;
    let fly = json!({ "StatementId": "x", "Action": "lambda:Fly", "Principal": OTHER });
    let refused = world.lambda(400, &root, "POST /f/policy", &fly).await.text();
    assert!(refused.contains("lambda:Fly"), "{refused}");
}

#[tokio::test]
async fn a_lens_asks_the_functions_own_policy_too() {
    let (world, root) = (World::new(), root_of(ACCOUNT));
    world.expect(200, Some(&root), "PUT /data", &[], "").await;
    world.role("r", "lambda.amazonaws.com").await;
    world.lambda(201, &root, "POST ", &document("f", ROLE)).await;
    world.access_point("ap1", "data", "").await;
    world.lens("lens", "ap1", "f", "{}", &["GetObject"]).await;
    let open = |resource: &str, inside: &str, action: &str| {
        super::document(&format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"{OTHER}"}},"Action":"{action}","Resource":["{resource}","{resource}{inside}"]}}"#
        ))
    };
    let lens = format!("arn:aws:s3-object-lambda:us-east-1:{ACCOUNT}:accesspoint/lens");
    let point = format!("arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/ap1");
    let policy = open(&lens, "/object/*", "s3-object-lambda:*");
    world.point_policy(200, "accesspointforobjectlambda/lens", &policy).await;
    world.point_policy(200, "accesspoint/ap1", &open(&point, "/object/*", "s3:*")).await;
    let policy = open("arn:aws:s3:::data", "/*", "s3:*");
    world.expect(204, Some(&root), "PUT /data?policy", &[], &policy).await;
    let all = json!({ "Version": "2012-10-17",
        "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } });
    let ask = json!({ "principal": format!("arn:aws:iam::{OTHER}:user/ann"),
        "action": "s3-object-lambda:GetObject", "resource": format!("{lens}/object/k"),
        "simulate": { "identity": [all] } });
    let explain = async || -> Value {
        let line = "POST /_refract/v1/policy/explain";
        let answer = world.expect(200, Some(&root), line, &[], &ask.to_string()).await;
        serde_json::from_slice(&answer.body).unwrap()
    };
    let refused = explain().await;
    assert!(refused["reason"].as_str().unwrap().contains("lambda:InvokeFunction"), "{refused:#}");
    let add = json!({ "StatementId": "other", "Action": "lambda:InvokeFunction", "Principal": OTHER });
    world.lambda(201, &root, "POST /f/policy", &add).await;
    let allowed = explain().await;
    assert_eq!(allowed["allowed"], true, "{allowed:#}");
}
