//! The plane over a catalog in memory, as a client speaks to it.

use std::sync::Arc;

use super::*;
use crate::auth::KeyStore;
use crate::catalog::seal::MasterKey;
use crate::catalog::{KeyPair, MemoryCatalog};
use crate::clock::SystemClock;

const ACCOUNT: &str = "111111111111";
const ALLOW: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#;
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}}"#;

fn plane() -> IamPlane {
    let (catalog, clock) = (Arc::new(MemoryCatalog::default()), Arc::new(SystemClock));
    let keys = Keys::new(
        KeyPair::random().unwrap(),
        ACCOUNT.into(),
        catalog.clone(),
        Arc::new(MasterKey::from_bytes(&[7; 32])),
        clock.clone(),
    );
    IamPlane {
        directory: Directory::new(catalog.clone(), clock.clone()),
        keys: Arc::new(keys),
        accounts: Accounts::new(ACCOUNT.into(), "root".into(), "root@localhost".into(), catalog, clock),
        http_hosts: Arc::default(),
    }
}

fn encode(fields: &[(&str, &str)]) -> String {
    let fields = fields.iter().map(|(name, value)| format!("{name}={}", show::encoded(value)));
    fields.collect::<Vec<_>>().join("&")
}

/// The answer of an operation, or the code of its error.
async fn ask(
    plane: &IamPlane,
    principal: &Principal,
    action: &str,
    fields: &[(&str, &str)],
) -> Result<String, String> {
    let body = format!("Action={action}&Version=2010-05-08&{}", encode(fields));
    let form = Form::parse("", body.as_bytes()).unwrap();
    let answer = plane.call(principal, &form, Context::new(), "ID").await;
    let answer = answer.map_err(|error| format!("{} {}", error.status.as_u16(), error.code))?;
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

fn root() -> Principal {
    Principal::root(ACCOUNT, "AK")
}

fn error(code: &str) -> Result<String, String> {
    Err(code.to_owned())
}

#[tokio::test]
async fn users_are_made_shown_listed_and_deleted_as_aws_answers() {
    let (plane, root) = (plane(), root());
    let made = ask(
        &plane,
        &root,
        "CreateUser",
        &[("UserName", "Ada"), ("Path", "/team/"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")],
    )
    .await
    .unwrap();
    assert!(made.contains("<CreateUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><CreateUserResult><User><Path>/team/</Path>"), "{made}");
    assert!(
        made.contains("<Arn>arn:aws:iam::111111111111:user/team/Ada</Arn>") && made.contains("<Key>k</Key>")
    );
    assert_eq!(
        ask(&plane, &root, "CreateUser", &[("UserName", "ada")]).await,
        error("409 EntityAlreadyExists")
    );
    assert_eq!(ask(&plane, &root, "GetUser", &[("UserName", "bob")]).await, error("404 NoSuchEntity"));
    let itself = ask(&plane, &root, "GetUser", &[]).await.unwrap();
    assert!(itself.contains("<Arn>arn:aws:iam::111111111111:root</Arn>"));
    ask(&plane, &root, "CreateUser", &[("UserName", "bob")]).await.unwrap();
    let page = ask(&plane, &root, "ListUsers", &[("MaxItems", "1")]).await.unwrap();
    assert!(page.contains("<UserName>Ada</UserName>") && page.contains("<IsTruncated>true</IsTruncated>"));
    let marker = page.split("<Marker>").nth(1).unwrap().split('<').next().unwrap();
    let next = ask(&plane, &root, "ListUsers", &[("Marker", marker)]).await.unwrap();
    assert!(next.contains("<UserName>bob</UserName>") && !next.contains("Ada"));
    let team = ask(&plane, &root, "ListUsers", &[("PathPrefix", "/team")]).await.unwrap();
    assert!(team.contains("Ada") && !team.contains("bob"));
    ask(&plane, &root, "DeleteUser", &[("UserName", "ADA")]).await.unwrap();
    assert_eq!(ask(&plane, &root, "DeleteUser", &[("UserName", "ada")]).await, error("404 NoSuchEntity"));
    assert_eq!(ask(&plane, &root, "FlyToMoon", &[]).await, error("400 InvalidAction"));
    assert_eq!(ask(&plane, &root, "CreateLoginProfile", &[]).await, error("501 NotImplemented"));
    assert_eq!(ask(&plane, &root, "GetRole", &[]).await, error("400 ValidationError"));
}

#[tokio::test]
async fn a_user_may_what_its_policies_allow_and_no_more() {
    let (plane, root) = (plane(), root());
    ask(&plane, &root, "CreateUser", &[("UserName", "ada")]).await.unwrap();
    let made = ask(&plane, &root, "CreateAccessKey", &[("UserName", "ada")]).await.unwrap();
    let id = made.split("<AccessKeyId>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let ada = || plane.keys.lookup(&id, None).unwrap().unwrap().principal;
    assert_eq!(ask(&plane, &ada(), "GetUser", &[]).await, error("403 AccessDenied"));
    assert_eq!(ask(&plane, &ada(), "FlyToMoon", &[]).await, error("400 InvalidAction"));
    assert_eq!(ask(&plane, &ada(), "CreateLoginProfile", &[]).await, error("403 AccessDenied"));
    let own = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:GetUser","iam:*AccessKey*"],"Resource":"arn:aws:iam::111111111111:user/${aws:username}"}}"#;
    let put = [("UserName", "ada"), ("PolicyName", "Own"), ("PolicyDocument", own)];
    ask(&plane, &root, "PutUserPolicy", &put).await.unwrap();
    assert!(ask(&plane, &ada(), "GetUser", &[]).await.is_ok());
    assert_eq!(ask(&plane, &ada(), "GetUser", &[("UserName", "bob")]).await, error("403 AccessDenied"));
    assert_eq!(ask(&plane, &ada(), "PutUserPolicy", &put).await, error("403 AccessDenied"));
    ask(&plane, &ada(), "CreateAccessKey", &[]).await.unwrap();
    assert_eq!(ask(&plane, &ada(), "CreateAccessKey", &[]).await, error("409 LimitExceeded"));
    let off = [("AccessKeyId", id.as_str()), ("Status", "Inactive")];
    ask(&plane, &root, "UpdateAccessKey", &[("UserName", "ada"), off[0], off[1]]).await.unwrap();
    assert!(!plane.keys.lookup(&id, None).unwrap().unwrap().active);
    assert_eq!(ask(&plane, &root, "UpdateAccessKey", &off).await, error("404 NoSuchEntity"));
}

#[tokio::test]
async fn policies_of_all_kinds_are_put_read_back_and_detached() {
    let (plane, root) = (plane(), root());
    let role = [("RoleName", "Reader"), ("AssumeRolePolicyDocument", TRUST)];
    ask(&plane, &root, "CreateRole", &role).await.unwrap();
    let named = ("RoleName", "Reader");
    let bad = ALLOW.replace("s3:GetObject", "s3:GetObjct");
    let put = |text| [named, ("PolicyName", "P"), ("PolicyDocument", text)];
    assert_eq!(ask(&plane, &root, "PutRolePolicy", &put(&bad)).await, error("400 MalformedPolicyDocument"));
    ask(&plane, &root, "PutRolePolicy", &put(ALLOW)).await.unwrap();
    let shown = ask(&plane, &root, "GetRolePolicy", &[named, ("PolicyName", "P")]).await.unwrap();
    assert!(shown.contains(&format!("<PolicyDocument>{}</PolicyDocument>", show::encoded(ALLOW))));
    let made =
        ask(&plane, &root, "CreatePolicy", &[("PolicyName", "M"), ("PolicyDocument", ALLOW)]).await.unwrap();
    assert!(made.contains("<DefaultVersionId>v1</DefaultVersionId>"));
    let arn = ("PolicyArn", "arn:aws:iam::111111111111:policy/M");
    ask(&plane, &root, "AttachRolePolicy", &[named, arn]).await.unwrap();
    assert_eq!(ask(&plane, &root, "DeletePolicy", &[arn]).await, error("409 DeleteConflict"));
    assert_eq!(
        ask(&plane, &root, "AttachRolePolicy", &[named, ("PolicyArn", "arn:aws:iam::aws:policy/None")]).await,
        error("404 NoSuchEntity")
    );
    let version = [arn, ("PolicyDocument", ALLOW), ("SetAsDefault", "true")];
    ask(&plane, &root, "CreatePolicyVersion", &version).await.unwrap();
    assert_eq!(
        ask(&plane, &root, "DeletePolicyVersion", &[arn, ("VersionId", "v2")]).await,
        error("409 DeleteConflict")
    );
    for _ in 0..3 {
        ask(&plane, &root, "CreatePolicyVersion", &[arn, ("PolicyDocument", ALLOW)]).await.unwrap();
    }
    assert_eq!(ask(&plane, &root, "CreatePolicyVersion", &version).await, error("409 LimitExceeded"));
    let entities = ask(&plane, &root, "ListEntitiesForPolicy", &[arn]).await.unwrap();
    assert!(entities.contains("<RoleName>Reader</RoleName>"));
    assert_eq!(ask(&plane, &root, "DeleteRole", &[named]).await, error("409 DeleteConflict"));
    ask(&plane, &root, "DetachRolePolicy", &[named, arn]).await.unwrap();
    assert_eq!(ask(&plane, &root, "DetachRolePolicy", &[named, arn]).await, error("404 NoSuchEntity"));
    ask(&plane, &root, "DeleteRolePolicy", &[named, ("PolicyName", "P")]).await.unwrap();
    ask(&plane, &root, "DeleteRole", &[named]).await.unwrap();
    let aws = ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess");
    assert_eq!(ask(&plane, &root, "DeletePolicy", &[aws]).await, error("403 AccessDenied"));
    let all = ask(&plane, &root, "ListPolicies", &[]).await.unwrap();
    assert!(all.contains("AmazonS3FullAccess") && all.contains("<PolicyName>M</PolicyName>"));
}

#[tokio::test]
async fn a_boundary_must_be_there_and_bounds() {
    let (plane, root) = (plane(), root());
    let boundary = ("PermissionsBoundary", "arn:aws:iam::111111111111:policy/B");
    let user = ("UserName", "ada");
    assert_eq!(ask(&plane, &root, "CreateUser", &[user, boundary]).await, error("404 NoSuchEntity"));
    ask(&plane, &root, "CreatePolicy", &[("PolicyName", "B"), ("PolicyDocument", ALLOW)]).await.unwrap();
    let made = ask(&plane, &root, "CreateUser", &[user, boundary]).await.unwrap();
    assert!(made.contains("<PermissionsBoundaryArn>arn:aws:iam::111111111111:policy/B<"));
    let admin = ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess");
    ask(&plane, &root, "AttachUserPolicy", &[user, admin]).await.unwrap();
    let pair = plane.keys.create_for_user(ACCOUNT, "ada", String::new()).await.unwrap();
    let ada = || plane.keys.lookup(&pair.access_key_id, None).unwrap().unwrap().principal;
    assert_eq!(ask(&plane, &ada(), "ListUsers", &[]).await, error("403 AccessDenied"));
    ask(&plane, &root, "DeleteUserPermissionsBoundary", &[user]).await.unwrap();
    assert!(ask(&plane, &ada(), "ListUsers", &[]).await.is_ok());
    let simulated = ask(
        &plane,
        &root,
        "SimulatePrincipalPolicy",
        &[
            ("PolicySourceArn", "arn:aws:iam::111111111111:user/ada"),
            ("ActionNames.member.1", "s3:GetObject"),
        ],
    );
    assert!(simulated.await.unwrap().contains("<EvalDecision>allowed</EvalDecision>"));
}

#[tokio::test]
async fn an_account_sees_only_its_own_identities() {
    let (plane, root) = (plane(), root());
    ask(&plane, &root, "CreateUser", &[("UserName", "ada")]).await.unwrap();
    ask(&plane, &root, "CreateGroup", &[("GroupName", "Readers")]).await.unwrap();
    let pair = [("GroupName", "readers"), ("UserName", "ada")];
    ask(&plane, &root, "AddUserToGroup", &pair).await.unwrap();
    let group = ask(&plane, &root, "GetGroup", &[pair[0]]).await.unwrap();
    assert!(group.contains("<UserName>ada</UserName>"));
    let other = Principal::root("222222222222", "AK");
    assert_eq!(ask(&plane, &other, "GetUser", &[("UserName", "ada")]).await, error("404 NoSuchEntity"));
    assert!(!ask(&plane, &other, "ListUsers", &[]).await.unwrap().contains("<UserName>"));
    let summary = ask(&plane, &root, "GetAccountSummary", &[]).await.unwrap();
    assert!(summary.contains("<key>Groups</key><value>1</value>"));
    let details = ask(&plane, &root, "GetAccountAuthorizationDetails", &[]).await.unwrap();
    assert!(details.contains("<GroupList><member>Readers</member></GroupList>"));
    ask(&plane, &root, "RemoveUserFromGroup", &pair).await.unwrap();
    assert_eq!(ask(&plane, &root, "RemoveUserFromGroup", &pair).await, error("404 NoSuchEntity"));
}
