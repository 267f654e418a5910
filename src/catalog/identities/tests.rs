//! Identities over a catalog.

use std::sync::Arc;

use super::directory::find_policy;
use super::*;
use crate::catalog::seal::MasterKey;
use crate::catalog::{Change, KeyPair, Keys, MemoryCatalog, RecordsCatalog, Tags};
use crate::clock::SystemClock;

const ACCOUNT: &str = "111111111111";
const ALLOW: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#;
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}}"#;

fn directory() -> Directory {
    Directory::new(Arc::new(MemoryCatalog::default()), Arc::new(SystemClock))
}

async fn with_user(directory: &Directory, name: &str) {
    let user = directory.new_user(ACCOUNT, name, "/", Tags::new()).unwrap();
    directory.create(user, |_| Ok(())).await.unwrap();
}

#[tokio::test]
async fn names_are_taken_whatever_their_case() {
    let directory = directory();
    with_user(&directory, "Ada").await;
    let again = directory.new_user(ACCOUNT, "ADA", "/", Tags::new()).unwrap();
    assert_eq!(directory.create(again, |_| Ok(())).await.unwrap_err().code, "EntityAlreadyExists");
    assert_eq!(directory.get::<User>(ACCOUNT, "ada").unwrap().name, "Ada");
    assert_eq!(directory.get::<User>("222222222222", "ada").unwrap_err().code, "NoSuchEntity");
    for (name, path) in [("", "/"), ("a/b", "/"), ("a", "x/"), ("a", "/x"), ("a", "//")] {
        assert_eq!(directory.new_user(ACCOUNT, name, path, Tags::new()).unwrap_err().code, "ValidationError");
    }
}

#[tokio::test]
async fn what_bounds_a_user_follows_every_change() {
    let directory = directory();
    with_user(&directory, "ada").await;
    let labels = |directory: &Directory| -> Vec<String> {
        let view = directory.view();
        let user = directory.get::<User>(ACCOUNT, "ada").unwrap();
        let identity = assemble::user(&view, &user).unwrap();
        identity.policies.iter().map(|attached| attached.label.to_string()).collect()
    };
    assert!(labels(&directory).is_empty());
    let put =
        |_: &crate::catalog::View, user: &mut User| user.policies.put_inline(Holder::User, "Read", ALLOW);
    directory.edit(ACCOUNT, "ada", put).await.unwrap();
    let group = directory.new_group(ACCOUNT, "Readers", "/").unwrap();
    directory.create(group, |_| Ok(())).await.unwrap();
    let s3 = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    directory.edit(ACCOUNT, "readers", |_, group: &mut Group| group.policies.attach(s3)).await.unwrap();
    let join = |_: &crate::catalog::View, user: &mut User| {
        user.groups.insert("readers".into());
        Ok(())
    };
    directory.edit(ACCOUNT, "ada", join).await.unwrap();
    let both = ["the inline policy Read of user ada", "the policy AmazonS3ReadOnlyAccess of group Readers"];
    assert_eq!(labels(&directory), both);
    directory.update_group(ACCOUNT, "readers", Some("Writers"), None).await.unwrap();
    assert_eq!(labels(&directory)[1], "the policy AmazonS3ReadOnlyAccess of group Writers");
    assert_eq!(directory.delete::<Group>(ACCOUNT, "writers").await.unwrap_err().code, "DeleteConflict");
    assert_eq!(directory.delete::<User>(ACCOUNT, "ada").await.unwrap_err().code, "DeleteConflict");
}

#[tokio::test]
async fn a_policy_is_checked_when_it_is_put() {
    let directory = directory();
    with_user(&directory, "ada").await;
    let bad = ALLOW.replace("s3:GetObject", "s3:GetObjct");
    let put =
        move |_: &crate::catalog::View, user: &mut User| user.policies.put_inline(Holder::User, "P", &bad);
    let error = directory.edit(ACCOUNT, "ada", put).await.unwrap_err();
    assert_eq!(error.code, "MalformedPolicyDocument");
    assert!(error.message.contains("s3:GetObjct"), "{}", error.message);
    let long = ALLOW.replace("\"*\"", &format!("\"arn:aws:s3:::{}\"", "x".repeat(3_000)));
    let put =
        move |_: &crate::catalog::View, user: &mut User| user.policies.put_inline(Holder::User, "P", &long);
    assert_eq!(directory.edit(ACCOUNT, "ada", put).await.unwrap_err().code, "LimitExceeded");
    assert_eq!(directory.new_role(ACCOUNT, "r", "/", ALLOW).unwrap_err().code, "MalformedPolicyDocument");
}

#[tokio::test]
async fn a_renamed_user_keeps_its_keys_and_a_key_of_a_user_is_the_user() {
    let catalog = Arc::new(MemoryCatalog::default());
    let clock = Arc::new(SystemClock);
    let directory = Directory::new(catalog.clone(), clock.clone());
    let master = Arc::new(MasterKey::from_bytes(&[7; 32]));
    let keys = Keys::new(KeyPair::random().unwrap(), ACCOUNT.into(), catalog, master, clock);
    with_user(&directory, "ada").await;
    let pair = keys.create_for_user(ACCOUNT, "ada", String::new()).await.unwrap();
    keys.create_for_user(ACCOUNT, "ADA", String::new()).await.unwrap();
    assert_eq!(keys.create_for_user(ACCOUNT, "ada", String::new()).await.unwrap_err().code, "LimitExceeded");
    assert_eq!(keys.create_for_user(ACCOUNT, "bob", String::new()).await.unwrap_err().code, "NoSuchEntity");
    directory.update_user(ACCOUNT, "ada", Some("Eve"), Some("/team/")).await.unwrap();
    let principal =
        crate::auth::KeyStore::lookup(&keys, &pair.access_key_id, None).unwrap().unwrap().principal;
    assert_eq!(principal.arn, "arn:aws:iam::111111111111:user/team/Eve");
    assert_eq!(principal.user_name.as_deref(), Some("Eve"));
    assert!(principal.principal_id.starts_with("AIDA"));
    assert_eq!(directory.delete::<User>(ACCOUNT, "eve").await.unwrap_err().code, "DeleteConflict");
}

#[tokio::test]
async fn identities_outlive_the_process() {
    let table = Arc::new(crate::store::memory::MemoryStore::new(Arc::new(SystemClock)));
    let catalog = Arc::new(RecordsCatalog::open(Arc::clone(&table)).unwrap());
    let directory = Directory::new(catalog.clone(), Arc::new(SystemClock));
    with_user(&directory, "ada").await;
    directory
        .create(directory.new_role(ACCOUNT, "Reader", "/team/", TRUST).unwrap(), |_| Ok(()))
        .await
        .unwrap();
    directory.create(directory.new_policy(ACCOUNT, "P", "/", ALLOW).unwrap(), |_| Ok(())).await.unwrap();
    directory.create(directory.new_provider(ACCOUNT, "https://idp.example.com/x"), |_| Ok(())).await.unwrap();
    let again = RecordsCatalog::open(table).unwrap();
    assert_eq!(crate::catalog::Catalog::snapshot(&again), directory.view());
    let view = directory.view();
    assert!(find_policy(&view, ACCOUNT, "arn:aws:iam::111111111111:policy/P").is_ok());
    assert!(find_policy(&view, "222222222222", "arn:aws:iam::111111111111:policy/P").is_err());
    let gone = view.identities.of_account(ACCOUNT);
    assert_eq!(gone.len(), 4);
    let changes = gone.into_iter().map(|(kind, key)| Change::DeleteIdentity(kind, key)).collect();
    crate::catalog::Catalog::update(&again, Box::new(|_| Ok(changes))).await.unwrap();
    assert_eq!(crate::catalog::Catalog::snapshot(&again).identities, Identities::default());
}
