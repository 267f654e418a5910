//! What a visitor sees.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;

use super::*;
use crate::bucket::website::{Redirect, RedirectAll};
use crate::bucket::{Acl, BucketConfig, Grant, Grantee, Permission};
use crate::clock::SystemClock;
use crate::encryption::{DataKey, Keyring};
use crate::store::memory::MemoryStore;
use crate::store::{NewBucket, NewObject, ObjectHeaders, Payload, StageOptions, Store, WriteCondition};

const OWNER: &str = "000000000000";

struct Site {
    store: MemoryStore,
    accounts: Accounts,
    keyring: Keyring,
}

impl Site {
    async fn new(website: Option<Website>) -> Self {
        let store = MemoryStore::new(Arc::new(SystemClock));
        let everybody = Grant { grantee: Grantee::AllUsers, permission: Permission::Read };
        let mut acl = Acl::private(OWNER);
        acl.grants.push(everybody);
        let config = BucketConfig { website, acl: Some(acl.clone()), ..BucketConfig::default() };
        let bucket = NewBucket { name: "www".into(), owner: OWNER.into(), config, ..NewBucket::default() };
        store.create_bucket(bucket).await.unwrap();
        let site = Self {
            store,
            accounts: Accounts::new(
                OWNER.into(),
                "root".into(),
                "root@localhost".into(),
                Arc::new(crate::catalog::MemoryCatalog::default()),
                Arc::new(SystemClock),
            ),
            keyring: Keyring::new(
                DataKey::from_bytes([1; 32]),
                Arc::new(crate::catalog::seal::MasterKey::from_bytes(&[2; 32])),
                Arc::new(crate::catalog::MemoryCatalog::default()),
                Arc::new(SystemClock),
            ),
        };
        for key in ["index.html", "docs/index.html", "404.html", "old/x"] {
            site.put(key, NewObject { acl: Some(acl.clone()), ..NewObject::default() }).await;
        }
        site.put("secret", NewObject::default()).await;
        let headers = ObjectHeaders { website_redirect: Some("/new".into()), ..ObjectHeaders::default() };
        site.put("moved", NewObject { headers, acl: Some(acl), ..NewObject::default() }).await;
        site
    }

    async fn put(&self, key: &str, object: NewObject) {
        let body = Payload::Bytes(Bytes::from(key.to_owned()));
        let staged = self.store.stage(body, StageOptions::default()).await.unwrap();
        self.store
            .put(&self.store.bucket("www").unwrap(), key, staged, object, WriteCondition::Always)
            .await
            .unwrap();
    }

    /// Status, Location and body.
    async fn get(&self, line: &str) -> (u16, String, String) {
        let (method, target) = line.split_once(' ').unwrap();
        let (parts, ()) = Request::builder().method(method).uri(target).body(()).unwrap().into_parts();
        let visit = Visit {
            reader: s3::Reader { store: &self.store, keyring: &self.keyring },
            accounts: &self.accounts,
            authority: "www.site",
            request_id: "R",
        };
        let (answer, _) = visit.answer("www", &parts).await;
        let location = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 9999).await.unwrap();
        (status, location.unwrap_or_default(), String::from_utf8(body.to_vec()).unwrap())
    }
}

fn website() -> Website {
    Website { index: Some("index.html".into()), ..Website::default() }
}

#[tokio::test]
async fn pages_folders_and_redirects() {
    let site = Site::new(Some(website())).await;
    for (line, status, location, body) in [
        ("GET /", 200, "", "index.html"),
        ("HEAD /", 200, "", ""),
        ("GET /docs/?v=1", 200, "", "docs/index.html"),
        ("GET /docs", 302, "/docs/", ""),
        ("GET /moved", 301, "/new", ""),
    ] {
        assert_eq!(site.get(line).await, (status, location.to_owned(), body.to_owned()), "{line}");
    }
    let (status, _, body) = site.get("GET /%3Cscript%3E").await;
    assert!(status == 404 && body.contains("<li>Key: &lt;script&gt;</li>"), "{body}");
    assert_eq!(site.get("GET /secret").await.0, 403);
    assert_eq!(site.get("PUT /index.html").await.0, 405);
}

#[tokio::test]
async fn rules_before_and_after_and_the_error_document() {
    let before = RoutingRule {
        key_prefix: Some("old/".into()),
        redirect: Redirect { replace_prefix: Some("new/".into()), ..Redirect::default() },
        ..RoutingRule::default()
    };
    let after = RoutingRule {
        key_prefix: Some("gone".into()),
        error_code: Some(404),
        redirect: Redirect {
            host: Some("example.com".into()),
            code: Some(307),
            protocol: Some("https".into()),
            ..Redirect::default()
        },
    };
    let rules = vec![before, after];
    let site = Site::new(Some(Website { rules, error: Some("404.html".into()), ..website() })).await;
    assert_eq!(site.get("GET /old/x").await.1, "http://www.site/new/x");
    let (status, location, _) = site.get("GET /gone/a%20b").await;
    assert_eq!((status, &*location), (307, "https://example.com/gone/a%20b"));
    assert_eq!(site.get("GET /nothing").await, (404, String::new(), "404.html".into()));
    let all = RedirectAll { host: "example.com".into(), protocol: None };
    let site = Site::new(Some(Website { redirect_all: Some(all), ..Website::default() })).await;
    assert_eq!(site.get("GET /a?b=c").await.1, "http://example.com/a?b=c");
    assert!(Site::new(None).await.get("GET /").await.2.contains("NoSuchWebsiteConfiguration"));
}

#[test]
fn hosts_name_buckets() {
    let domains = ["site.example".to_owned()];
    for (host, bucket) in [
        ("www.s3-website-us-east-1.amazonaws.com", Some("www")),
        ("a.b.s3-website.eu-central-1.amazonaws.com:80", Some("a.b")),
        ("a.s3-website.b.s3-website-us-east-1.amazonaws.com", Some("a.s3-website.b")),
        ("shop.site.example:9000", Some("shop")),
        ("site.example", None),
        ("127.0.0.1:9000", None),
        ("s3-website-us-east-1.amazonaws.com", None),
    ] {
        assert_eq!(bucket_of(host, &domains), bucket, "{host}");
    }
}

#[test]
fn bad_documents_are_refused() {
    let with =
        |redirect| Website { rules: vec![RoutingRule { redirect, ..RoutingRule::default() }], ..website() };
    let code = |code| with(Redirect { code: Some(code), ..Redirect::default() });
    for bad in [
        Website::default(),
        Website { index: Some("a/b".into()), ..Website::default() },
        with(Redirect::default()),
        code(200),
        code(300),
        with(Redirect { host: Some("a\r\nb".into()), ..Redirect::default() }),
        with(Redirect { protocol: Some("ftp".into()), ..Redirect::default() }),
    ] {
        assert!(bad.check().is_err(), "{bad:?}");
    }
    assert!(code(302).check().is_ok());
}
