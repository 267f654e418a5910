//! The plane over a catalog in memory: sessions of every kind, as a client asks for them.

use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::auth::{KeyStore, PrincipalKind};
use crate::catalog::identities::{Role, User};
use crate::catalog::seal::MasterKey;
use crate::catalog::{KeyPair, MemoryCatalog, Tags};
use crate::clock::SystemClock;

const ACCOUNT: &str = "111111111111";
const ROLE: &str = "arn:aws:iam::111111111111:role/Reader";

fn plane() -> StsPlane {
    let (catalog, clock) = (Arc::new(MemoryCatalog::default()), Arc::new(SystemClock));
    let keys = Keys::new(
        KeyPair::random().unwrap(),
        ACCOUNT.into(),
        catalog.clone(),
        Arc::new(MasterKey::from_bytes(&[7; 32])),
        clock.clone(),
    );
    StsPlane {
        directory: Directory::new(catalog.clone(), clock.clone()),
        keys: Arc::new(keys),
        accounts: Accounts::new(ACCOUNT.into(), "root".into(), "root@localhost".into(), catalog, clock),
        oidc: oidc::Oidc::new(Arc::default(), false),
    }
}

async fn ask(plane: &StsPlane, principal: Option<&Principal>, query: &str) -> Result<String, String> {
    let form = Form::parse(query, b"").unwrap();
    let answer = plane.call(principal, &form, Context::new(), "ID").await;
    let answer = answer.map_err(|error| format!("{} {}", error.status.as_u16(), error.code))?;
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

fn error(code: &str) -> Result<String, String> {
    Err(code.to_owned())
}

fn field<'a>(answer: &'a str, name: &str) -> &'a str {
    answer.split(&format!("<{name}>")).nth(1).unwrap().split('<').next().unwrap()
}

/// Who the credentials of an answer are.
fn bearer(plane: &StsPlane, answer: &str) -> Principal {
    let token = field(answer, "SessionToken");
    Arc::unwrap_or_clone(
        plane.keys.lookup(field(answer, "AccessKeyId"), Some(token)).unwrap().unwrap().principal,
    )
}

async fn with_role(plane: &StsPlane, principal: &str, condition: &str) {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Principal":{principal}{condition}}}}}"#
    );
    let role = plane.directory.new_role(ACCOUNT, "Reader", "/", &trust).unwrap();
    plane.directory.create(role, |_| Ok(())).await.unwrap();
}

async fn user(plane: &StsPlane, name: &str, policy: Option<&str>) -> Principal {
    let mut user = plane.directory.new_user(ACCOUNT, name, "/", Tags::new()).unwrap();
    if let Some(text) = policy {
        user.policies.put_inline(crate::catalog::identities::Holder::User, "P", text).unwrap();
    }
    plane.directory.create(user, |_| Ok(())).await.unwrap();
    let pair = plane.keys.create_for_user(ACCOUNT, name, String::new()).await.unwrap();
    Arc::unwrap_or_clone(plane.keys.lookup(&pair.access_key_id, None).unwrap().unwrap().principal)
}

const ASSUME: &str = "Action=AssumeRole&RoleArn=arn:aws:iam::111111111111:role/Reader&RoleSessionName=s1";

#[tokio::test]
async fn a_role_is_assumed_by_whom_its_trust_policy_names() {
    let plane = plane();
    let ada = user(&plane, "ada", None).await;
    let bob = user(&plane, "bob", None).await;
    assert_eq!(ask(&plane, Some(&ada), ASSUME).await, error("403 AccessDenied"));
    with_role(&plane, r#"{"AWS":"arn:aws:iam::111111111111:user/ada"}"#, "").await;
    let answer = ask(&plane, Some(&ada), ASSUME).await.unwrap();
    let session = bearer(&plane, &answer);
    assert_eq!(session.kind, PrincipalKind::AssumedRole);
    assert_eq!(session.arn, "arn:aws:sts::111111111111:assumed-role/Reader/s1");
    assert_eq!(field(&answer, "AssumedRoleId"), session.principal_id);
    assert!(field(&answer, "AccessKeyId").starts_with("ASIA"));
    assert_eq!(ask(&plane, Some(&bob), ASSUME).await, error("403 AccessDenied"));
    // The account's root may do everything but this.
    assert_eq!(ask(&plane, Some(&Principal::root(ACCOUNT, "AK")), ASSUME).await, error("403 AccessDenied"));
    let told = ask(&plane, Some(&session), "Action=GetCallerIdentity").await.unwrap();
    assert_eq!(field(&told, "Arn"), session.arn);
    for (more, code) in [
        ("&DurationSeconds=7200", "400 ValidationError"),
        ("&DurationSeconds=60", "400 ValidationError"),
        ("&Policy={}", "400 MalformedPolicyDocument"),
        ("&PolicyArns.member.1.arn=arn:aws:iam::aws:policy/None", "400 ValidationError"),
        ("&TransitiveTagKeys.member.1=x", "400 ValidationError"),
    ] {
        assert_eq!(ask(&plane, Some(&ada), &format!("{ASSUME}{more}")).await, error(code), "{more}");
    }
    assert_eq!(ask(&plane, None, ASSUME).await, error("403 MissingAuthenticationToken"));
    plane.directory.delete::<Role>(ACCOUNT, "reader").await.unwrap();
    let token = field(&answer, "SessionToken");
    assert!(plane.keys.lookup(field(&answer, "AccessKeyId"), Some(token)).is_err());
}

#[tokio::test]
async fn a_trust_policy_that_names_the_account_leaves_it_to_the_users_policies() {
    let plane = plane();
    let allow = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"{ROLE}"}}}}"#
    );
    let (ada, bob) = (user(&plane, "ada", Some(&allow)).await, user(&plane, "bob", None).await);
    with_role(
        &plane,
        r#"{"AWS":"111111111111"}"#,
        r#","Condition":{"StringEquals":{"sts:ExternalId":"42"}}"#,
    )
    .await;
    let root = Principal::root(ACCOUNT, "AK");
    let right = format!("{ASSUME}&ExternalId=42");
    assert!(ask(&plane, Some(&ada), &right).await.is_ok());
    assert!(ask(&plane, Some(&root), &right).await.is_ok());
    assert_eq!(ask(&plane, Some(&bob), &right).await, error("403 AccessDenied"));
    assert_eq!(ask(&plane, Some(&ada), ASSUME).await, error("403 AccessDenied"));
    assert_eq!(ask(&plane, Some(&root), &format!("{ASSUME}&ExternalId=43")).await, error("403 AccessDenied"));
}

#[tokio::test]
async fn tags_and_the_source_identity_stay_with_a_session_and_those_it_makes() {
    let plane = plane();
    let ada = user(&plane, "ada", None).await;
    with_role(&plane, r#"{"AWS":"*"}"#, "").await;
    let tagged = format!(
        "{ASSUME}&Tags.member.1.Key=team&Tags.member.1.Value=red&TransitiveTagKeys.member.1=team&SourceIdentity=ada"
    );
    let session = bearer(&plane, &ask(&plane, Some(&ada), &tagged).await.unwrap());
    assert_eq!(session.identity.tags.get("team").map(String::as_str), Some("red"));
    let chained = bearer(&plane, &ask(&plane, Some(&session), ASSUME).await.unwrap());
    assert_eq!(chained.identity.tags.get("team").map(String::as_str), Some("red"));
    assert!(chained.identity.keys.contains(&("aws:SourceIdentity".into(), vec!["ada".into()])));
    let other = format!("{ASSUME}&SourceIdentity=eve");
    assert_eq!(ask(&plane, Some(&session), &other).await, error("403 AccessDenied"));
    let retagged = format!("{ASSUME}&Tags.member.1.Key=team&Tags.member.1.Value=blue");
    assert_eq!(ask(&plane, Some(&session), &retagged).await, error("400 ValidationError"));
}

#[tokio::test]
async fn sessions_of_users_are_the_user_within_limits() {
    let plane = plane();
    let all = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let ada = user(&plane, "ada", Some(all)).await;
    let answer = ask(&plane, Some(&ada), "Action=GetSessionToken&DurationSeconds=900").await.unwrap();
    let session = bearer(&plane, &answer);
    assert_eq!((session.kind, &session.arn), (PrincipalKind::User, &ada.arn));
    let ends: Timestamp = field(&answer, "Expiration").parse().unwrap();
    assert!((890..=900).contains(&ends.duration_since(Timestamp::now()).as_secs()));
    assert_eq!(ask(&plane, Some(&session), "Action=GetSessionToken").await, error("403 AccessDenied"));
    let policy =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#;
    let encoded = percent_encoding::utf8_percent_encode(policy, percent_encoding::NON_ALPHANUMERIC);
    let federated =
        ask(&plane, Some(&ada), &format!("Action=GetFederationToken&Name=guest&Policy={encoded}")).await;
    let guest = bearer(&plane, &federated.unwrap());
    assert_eq!(guest.arn, "arn:aws:sts::111111111111:federated-user/guest");
    let may = |action| policy::authorize_action(&guest, action, "*", Context::new()).is_ok();
    assert!(may("s3:GetObject") && !may("s3:PutObject"));
    assert_eq!(ask(&plane, Some(&guest), ASSUME).await, error("403 AccessDenied"));
    let user = plane.directory.get::<User>(ACCOUNT, "ada").unwrap();
    assert_eq!(guest.identity.issuer.as_ref().unwrap().principal_id, user.id);
    let id = &ada.access_key_id;
    let info = ask(&plane, Some(&ada), &format!("Action=GetAccessKeyInfo&AccessKeyId={id}")).await.unwrap();
    assert_eq!(field(&info, "Account"), ACCOUNT);
}

#[cfg(feature = "tls")]
mod web_identity {
    //! Tokens of an issuer that this test is itself.

    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use data_encoding::BASE64URL_NOPAD;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use serde_json::{Value, json};

    use super::*;

    struct Issuer {
        url: String,
        key: EcdsaKeyPair,
        random: SystemRandom,
    }

    /// Answers every request for the configuration and the keys, until the test ends.
    fn issuer() -> Issuer {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/realm", listener.local_addr().unwrap());
        let point = &key.public_key().as_ref()[1..];
        let (x, y) = (BASE64URL_NOPAD.encode(&point[..32]), BASE64URL_NOPAD.encode(&point[32..]));
        let keys =
            json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "k1", "use": "sig", "x": x, "y": y}]});
        let configuration = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = vec![0; 4096];
                let read = stream.read(&mut request).unwrap();
                let wants_keys = String::from_utf8_lossy(&request[..read]).starts_with("GET /realm/keys");
                let body = if wants_keys { keys.to_string() } else { configuration.to_string() };
                let length = body.len();
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
            }
        });
        Issuer { url, key, random }
    }

    fn another() -> Issuer {
        issuer()
    }

    impl Issuer {
        fn token(&self, claims: &Value) -> String {
            let header = json!({"alg": "ES256", "kid": "k1", "typ": "JWT"});
            let [header, claims] =
                [&header, claims].map(|part| BASE64URL_NOPAD.encode(part.to_string().as_bytes()));
            let signed = format!("{header}.{claims}");
            let signature = self.key.sign(&self.random, signed.as_bytes()).unwrap();
            format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
        }

        fn claims(&self) -> Value {
            let now = Timestamp::now().as_second();
            json!({"iss": self.url, "sub": "ada@example.com", "aud": "app", "exp": now + 300, "nbf": now - 5,
                "https://aws.amazon.com/tags": {"principal_tags": {"team": ["red"]}}})
        }
    }

    async fn trusting(issuer: &Issuer, client_ids: &[&str]) -> StsPlane {
        let plane = StsPlane { oidc: oidc::Oidc::new(Arc::new(["127.0.0.1".to_owned()]), false), ..plane() };
        let mut provider = plane.directory.new_provider(ACCOUNT, &issuer.url);
        provider.client_ids = client_ids.iter().map(|id| (*id).to_owned()).collect();
        let (arn, name) = (provider.arn(), provider.name().to_owned());
        plane.directory.create(provider, |_| Ok(())).await.unwrap();
        let trust = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
            "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"], "Principal": {"Federated": arn},
            "Condition": {"StringEquals": {format!("{name}:sub"): "ada@example.com"}}}});
        let role = plane.directory.new_role(ACCOUNT, "Reader", "/", &trust.to_string()).unwrap();
        plane.directory.create(role, |_| Ok(())).await.unwrap();
        plane
    }

    fn query(token: &str) -> String {
        format!(
            "Action=AssumeRoleWithWebIdentity&RoleArn={ROLE}&RoleSessionName=web&WebIdentityToken={token}"
        )
    }

    #[tokio::test]
    async fn a_token_of_a_known_issuer_opens_the_role_that_trusts_it() {
        let issuer = issuer();
        let plane = trusting(&issuer, &["app"]).await;
        let answer = ask(&plane, None, &query(&issuer.token(&issuer.claims()))).await.unwrap();
        let session = bearer(&plane, &answer);
        assert_eq!(session.arn, "arn:aws:sts::111111111111:assumed-role/Reader/web");
        assert_eq!(field(&answer, "SubjectFromWebIdentityToken"), "ada@example.com");
        assert_eq!(session.identity.tags.get("team").map(String::as_str), Some("red"));
        assert!(session.identity.keys.iter().any(|(key, _)| key.ends_with("/realm:sub")));
    }

    #[tokio::test]
    async fn tokens_with_anything_wrong_open_nothing() {
        let issuer = issuer();
        let plane = trusting(&issuer, &["app"]).await;
        let with = |name: &str, value: Value| {
            let mut claims = issuer.claims();
            claims[name] = value;
            issuer.token(&claims)
        };
        let now = Timestamp::now().as_second();
        let good = issuer.token(&issuer.claims());
        let other = another();
        let forged = {
            let mut claims = other.claims();
            claims["iss"] = json!(issuer.url);
            other.token(&claims)
        };
        let (signed, _) = good.rsplit_once('.').unwrap();
        let none =
            format!("{}.{}.", BASE64URL_NOPAD.encode(br#"{"alg":"none"}"#), good.split('.').nth(1).unwrap());
        for (what, token, code) in [
            ("another subject", with("sub", json!("eve@example.com")), "403 AccessDenied"),
            ("another audience", with("aud", json!("other")), "400 InvalidIdentityToken"),
            ("another party", with("azp", json!("other")), "400 InvalidIdentityToken"),
            ("expired", with("exp", json!(now - 100)), "400 ExpiredTokenException"),
            ("not yet", with("nbf", json!(now + 600)), "400 InvalidIdentityToken"),
            ("unknown issuer", other.token(&other.claims()), "400 InvalidIdentityToken"),
            ("signed by another", forged, "400 InvalidIdentityToken"),
            ("unsigned", format!("{signed}."), "400 InvalidIdentityToken"),
            ("no algorithm", none, "400 InvalidIdentityToken"),
            ("no token", "abc".to_owned(), "400 InvalidIdentityToken"),
        ] {
            assert_eq!(ask(&plane, None, &query(&token)).await, error(code), "{what}");
        }
    }

    #[tokio::test]
    async fn an_issuer_that_cannot_be_reached_is_said_so() {
        let issuer = issuer();
        let plane = trusting(&issuer, &[]).await;
        // The same provider, to a server that must not ask without TLS.
        let strict = StsPlane { oidc: oidc::Oidc::new(Arc::default(), true), ..plane };
        let token = issuer.token(&issuer.claims());
        assert_eq!(ask(&strict, None, &query(&token)).await, error("400 IDPCommunicationError"));
    }

    #[tokio::test]
    async fn which_roles_there_are_is_not_said_to_who_may_have_none() {
        let issuer = issuer();
        let plane = trusting(&issuer, &["app"]).await;
        let absent = |token: &str| query(token).replace("role/Reader", "role/Absent");
        let mut claims = issuer.claims();
        claims["sub"] = json!("eve@example.com");
        let (good, eve) = (issuer.token(&issuer.claims()), issuer.token(&claims));
        let (signed, _) = good.rsplit_once('.').unwrap();
        let unsigned = format!("{signed}.");
        for (token, code) in [
            (&unsigned, "400 InvalidIdentityToken"),
            (&another().token(&claims), "400 InvalidIdentityToken"),
            (&eve, "403 AccessDenied"),
        ] {
            assert_eq!(ask(&plane, None, &query(token)).await, error(code));
            assert_eq!(ask(&plane, None, &absent(token)).await, error(code));
        }
        assert_eq!(ask(&plane, None, &absent(&good)).await, error("403 AccessDenied"));
        // Without client ids a role whose trust policy has no condition is as good as absent.
        let plane = trusting(&issuer, &[]).await;
        let arn = plane.directory.new_provider(ACCOUNT, &issuer.url).arn();
        let trust = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
            "Action": "sts:*", "Principal": {"Federated": arn}}});
        let role = plane.directory.new_role(ACCOUNT, "Open", "/", &trust.to_string()).unwrap();
        plane.directory.create(role, |_| Ok(())).await.unwrap();
        let open = query(&good).replace("role/Reader", "role/Open");
        assert!(ask(&plane, None, &query(&good)).await.is_ok());
        assert_eq!(ask(&plane, None, &open).await, error("403 AccessDenied"));
        assert_eq!(ask(&plane, None, &absent(&good)).await, error("403 AccessDenied"));
    }

    /// An issuer that takes connections and never answers; how many it took.
    fn silent() -> (String, Arc<std::sync::atomic::AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/realm", listener.local_addr().unwrap());
        let taken = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = taken.clone();
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in listener.incoming() {
                count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                kept.push(stream);
            }
        });
        (url, taken)
    }

    #[tokio::test]
    async fn a_slow_issuer_is_asked_once_and_keeps_nobody_waiting() {
        let issuer = issuer();
        let plane = Arc::new(trusting(&issuer, &["app"]).await);
        let (url, taken) = silent();
        plane.directory.create(plane.directory.new_provider(ACCOUNT, &url), |_| Ok(())).await.unwrap();
        let mut claims = issuer.claims();
        claims["iss"] = json!(url);
        let slow = query(&issuer.token(&claims));
        let ask_slowly = |_| {
            let (plane, slow) = (plane.clone(), slow.clone());
            tokio::spawn(async move { ask(&plane, None, &slow).await })
        };
        let mut asking: Vec<_> = (0..20).map(ask_slowly).collect();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        // Who asked first does not wait for the answer.
        asking.drain(..10).for_each(|asking| asking.abort());
        let begun = std::time::Instant::now();
        assert!(ask(&plane, None, &query(&issuer.token(&issuer.claims()))).await.is_ok());
        assert!(begun.elapsed().as_secs() < 3, "{:?}", begun.elapsed());
        for asking in asking {
            assert_eq!(asking.await.unwrap(), error("400 IDPCommunicationError"));
        }
        // What failed is remembered for a while.
        assert_eq!(ask(&plane, None, &slow).await, error("400 IDPCommunicationError"));
        assert_eq!(taken.load(std::sync::atomic::Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn keys_that_cannot_be_fetched_again_do_not_undo_those_that_are_there() {
        let issuer = issuer();
        let plane = trusting(&issuer, &["app"]).await;
        assert!(ask(&plane, None, &query(&issuer.token(&issuer.claims()))).await.is_ok());
        // A private address that no setting names: the same issuer, whose keys are known by now.
        let provider = plane.directory.new_provider(ACCOUNT, &issuer.url);
        let later = Timestamp::now() + jiff::SignedDuration::from_secs(60);
        let token = |kid: &str| {
            let text = issuer.token(&issuer.claims());
            let header = json!({"alg": "ES256", "kid": kid}).to_string();
            let rest = text.split_once('.').unwrap().1.to_owned();
            oidc::Token::parse(&format!("{}.{rest}", BASE64URL_NOPAD.encode(header.as_bytes()))).unwrap()
        };
        let strict = plane.oidc.clone().asking(Arc::default());
        let refused = strict.verify(&token("other"), &provider, later).await.unwrap_err();
        assert_eq!(refused.code, "IDPCommunicationError");
        let good = oidc::Token::parse(&issuer.token(&issuer.claims())).unwrap();
        assert!(strict.verify(&good, &provider, later).await.is_ok());
    }
}
