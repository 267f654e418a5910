//! Users, roles and keys by the command line, against a server.

use std::path::Path;

use serde_json::Value;

use crate::support::{Server, refract};

/// What a command prints, as JSON; or what it says where it fails.
fn run(server: &Server, data_dir: &Path, words: &[&str]) -> Result<Value, String> {
    let output = refract()
        .args(words)
        .args(["--endpoint-url", &format!("http://{}", server.address), "--data-dir"])
        .arg(data_dir)
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8(output.stderr).unwrap());
    }
    Ok(serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
}

#[test]
fn users_roles_and_their_keys_are_made_shown_and_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[]);
    let ask = |words: &[&str]| run(&server, dir.path(), words);
    let policy = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    let ada = ask(&["user", "create", "ada", "--policy", policy, "--path", "/team/"]).unwrap();
    assert_eq!(ada["arn"], "arn:aws:iam::000000000000:user/team/ada");
    assert_eq!(ada["policies"][0], policy);
    let refused = ask(&["user", "create", "eve", "--policy", "arn:aws:iam::aws:policy/None"]).unwrap_err();
    assert!(refused.contains("NoSuchEntity") && refused.contains("policy/None"), "{refused}");
    let key = ask(&["key", "create", "--user", "ada"]).unwrap();
    let id = key["access_key_id"].as_str().unwrap();
    assert_eq!(ask(&["user", "show", "ada"]).unwrap()["access_keys"][0], id);
    assert_eq!(ask(&["key", "list"]).unwrap()["keys"][0]["user"], "ada");
    assert!(ask(&["key", "create", "--user", "bob"]).unwrap_err().contains("NoSuchEntity"));
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"000000000000"}}]}"#;
    let role = ask(&["role", "create", "Reader", "--trust", trust, "--max-session", "7200"]).unwrap();
    assert_eq!((&role["max_session"], &role["trust"]["Version"]), (&7200.into(), &"2012-10-17".into()));
    let bad = trust.replace("sts:AssumeRole", "sts:AssumeRol");
    let refused = ask(&["role", "create", "Other", "--trust", &bad]).unwrap_err();
    assert!(refused.contains("MalformedPolicyDocument") && refused.contains("sts:AssumeRol"), "{refused}");
    ask(&["role", "delete", "reader"]).unwrap();
    ask(&["user", "delete", "ADA"]).unwrap();
    assert_eq!(ask(&["user", "list"]).unwrap()["users"], Value::Array(Vec::new()));
    assert_eq!(ask(&["key", "list"]).unwrap()["keys"], Value::Array(Vec::new()));
}
