//! The people of the story, their policies, and what they look at: made by the APIs that clients use.

use std::path::Path;

use refract::catalog::KeyPair;
use serde_json::{Value, json};

use crate::client::Person;
use crate::support::{Server, zipped};

pub(crate) const ACCOUNT: &str = "000000000000";
pub(crate) const PEOPLE: &str = include_str!("../../../data/samples/people.csv");
pub(crate) const REDACTED: &str = include_str!("../../../data/samples/people.redacted.csv");
pub(crate) const PHOTO: &[u8] = include_bytes!("../../../data/samples/photo.jpg");
/// The functions: what a handler has to know, and the handlers.
const HANDLERS: &str = include_str!("handlers.py");
/// What lets somebody in through a lens alone.
const CALLED: &str =
    r#""Condition":{"ForAnyValue:StringEquals":{"aws:CalledVia":"s3-object-lambda.amazonaws.com"}}"#;

/// A server with everybody in it.
pub(crate) struct Story {
    pub(crate) root: Person,
    pub(crate) analyst: Person,
    pub(crate) auditor: Person,
    pub(crate) visitor: Person,
    /// Alias of the access point.
    pub(crate) point: String,
    /// Alias of the lens that redacts GET.
    pub(crate) redacted: String,
    /// Alias of the lens that redacts GET by a function that runs code.
    pub(crate) masked: String,
    /// Alias of the lens whose function hands over what it was given.
    pub(crate) leaking: String,
    /// Alias of the lens that shows a thumbnail.
    pub(crate) thumbnail: String,
    /// The version of `people.csv`.
    pub(crate) version: String,
    pub(crate) server: Server,
    _dir: tempfile::TempDir,
}

fn policy(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

/// Statements that let somebody through these lenses, to this key, and no other way.
fn through(lenses: &[&str], functions: &[&str], key: &str) -> String {
    let each = |names: &[&str], form: &dyn Fn(&str) -> String| {
        names.iter().map(|name| format!("\"{}\"", form(name))).collect::<Vec<_>>().join(",")
    };
    let lens = |name: &str| format!("arn:aws:s3-object-lambda:us-east-1:{ACCOUNT}:accesspoint/{name}*");
    let function = |name: &str| format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}*");
    let (lenses, functions) = (each(lenses, &lens), each(functions, &function));
    format!(
        r#"{{"Effect":"Allow","Action":"s3-object-lambda:GetObject","Resource":[{lenses}]}},
           {{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":[{functions}],{CALLED}}},
           {{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],
             "Resource":["arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/ap1/object/{key}",
                         "arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/ap1","arn:aws:s3:::data","arn:aws:s3:::data/{key}"],{CALLED}}}"#
    )
}

/// The text of an element of a document.
pub(crate) fn element(xml: &str, name: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split_once(&format!("</{name}>")).unwrap().0.to_owned()
}

impl Story {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Full isolation where the host has it.
        let server = Server::start(dir.path(), &["--allow-weak-isolation", "--object-lambda-seconds", "30"]);
        let root = root_of(&server, dir.path());
        for bucket in ["data", "mine", "handover", "public"] {
            root.expect(200, &format!("PUT /{bucket}"), "");
        }
        let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        root.expect(200, "PUT /data?versioning", on);
        let put = root.expect(200, "PUT /data/people.csv", PEOPLE);
        let version = put.headers["x-amz-version-id"].to_str().unwrap().to_owned();
        root.expect(200, "PUT /data/other.csv", PEOPLE);
        root.expect(200, "PUT /data/photo.jpg", PHOTO);
        let role = role(&root);
        for name in ["mask", "leak"] {
            function(&root, name, &role);
        }
        let point = admin(&root, "PUT /access-points/ap1", &json!({ "bucket": "data" }));
        let lens = |name: &str, function: &str, payload: Value, actions: &[&str]| {
            let spec = json!({ "access_point": "ap1", "function": function, "payload": payload,
                "actions": actions, "allowed_features": [] });
            text(&admin(&root, &format!("PUT /object-lambdas/{name}"), &spec), "alias")
        };
        let size = json!({ "width": 32, "height": 32 });
        let mine =
            r#",{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::mine","arn:aws:s3:::mine/*"]}"#;
        let analyst =
            through(&["redacted", "masked", "leaking"], &["builtin-redact", "mask", "leak"], "people.csv");
        let auditor =
            r#"{"Effect":"Allow","Action":"s3:GetObject*","Resource":"arn:aws:s3:::data/people.csv"}"#;
        let visitor = through(&["thumbnail"], &["builtin-resize"], "photo.jpg");
        Self {
            analyst: person(&root, &server, "analyst", &(analyst + mine)),
            auditor: person(&root, &server, "auditor", auditor),
            visitor: person(&root, &server, "visitor", &visitor),
            point: text(&point, "alias"),
            redacted: lens("redacted", "builtin-redact", json!({}), &["GetObject"]),
            masked: lens("masked", "mask", json!({}), &["GetObject"]),
            leaking: lens("leaking", "leak", json!({}), &["GetObject"]),
            thumbnail: lens("thumbnail", "builtin-resize", size, &["GetObject", "HeadObject"]),
            version,
            root,
            server,
            _dir: dir,
        }
    }
}

fn root_of(server: &Server, data_dir: &Path) -> Person {
    let (pair, _) = KeyPair::load_or_create(&data_dir.join("root-credentials.toml")).unwrap();
    Person::new(server.address, &pair.access_key_id, pair.secret.expose())
}

fn text(document: &Value, field: &str) -> String {
    document.get(field).and_then(Value::as_str).unwrap_or_else(|| panic!("no {field}: {document}")).to_owned()
}

/// Asks the admin API.
fn admin(root: &Person, line: &str, body: &Value) -> Value {
    let (method, path) = line.split_once(' ').unwrap();
    let line = format!("{method} /_refract/v1{path}");
    let answer =
        root.send("s3", &line, &[("content-type", "application/json")], body.to_string().into_bytes());
    assert!(answer.status < 300, "{line}: {}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// Asks IAM.
fn iam(root: &Person, action: &str, fields: &[(&str, &str)]) -> String {
    let mut form = format!("Action={action}&Version=2010-05-08");
    for (name, value) in fields {
        let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
        form.push_str(&format!("&{name}={value}"));
    }
    let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let answer = root.send("iam", "POST /", &headers, form.into_bytes());
    assert_eq!(answer.status, 200, "{action}: {}", answer.text());
    answer.text()
}

/// A user with a policy and a key.
fn person(root: &Person, server: &Server, name: &str, statements: &str) -> Person {
    iam(root, "CreateUser", &[("UserName", name)]);
    let document = policy(statements);
    let fields = [("UserName", name), ("PolicyName", "story"), ("PolicyDocument", &document)];
    iam(root, "PutUserPolicy", &fields);
    let key = iam(root, "CreateAccessKey", &[("UserName", name)]);
    Person::new(server.address, &element(&key, "AccessKeyId"), &element(&key, "SecretAccessKey"))
}

/// The role of the functions: it may answer, and read and write what it hands over.
fn role(root: &Person) -> String {
    let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}}"#;
    let made = iam(root, "CreateRole", &[("RoleName", "lenses"), ("AssumeRolePolicyDocument", trust)]);
    let managed = "arn:aws:iam::aws:policy/service-role/AmazonS3ObjectLambdaExecutionRolePolicy";
    iam(root, "AttachRolePolicy", &[("RoleName", "lenses"), ("PolicyArn", managed)]);
    let own = policy(
        r#"{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::handover/*"}"#,
    );
    iam(root, "PutRolePolicy", &[("RoleName", "lenses"), ("PolicyName", "own"), ("PolicyDocument", &own)]);
    element(&made, "Arn")
}

/// A function of `handlers.py`, by the name of its handler.
fn function(root: &Person, name: &str, role: &str) {
    let document = json!({
        "FunctionName": name, "Role": role, "Runtime": "python3.12", "Handler": format!("app.{name}"),
        "Timeout": 25, "MemorySize": 1769, "Code": { "ZipFile": zipped(HANDLERS) },
    });
    let answer = root.send("lambda", "POST /2015-03-31/functions", &[], document.to_string().into_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
}
