//! The whole server, asked through its door: who may do what.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response};

use crate::auth::{Principal, PrincipalKind};
use crate::config::{Config, RawConfig};
use crate::context::App;
use crate::instance::Instance;
use crate::policy::{Attached, Identity, Policy, PolicyKind};
use crate::server::Connection;

use super::Door;

mod admin;
mod audited;
mod explained;
mod functions;
mod gate;
mod listed;
mod points;
mod spellings;
mod spoofed;
mod story;

/// The account of everything.
pub(super) const ACCOUNT: &str = "000000000000";
/// Another account.
pub(super) const OTHER: &str = "111111111111";
const NAMESPACE: &str = "http://awss3control.amazonaws.com/doc/2018-08-20/";

/// Whose a request is, as an extension of it, in place of a signature.
#[derive(Debug, Clone)]
pub(super) struct Caller(pub(super) Option<Principal>);

/// A server over a directory of its own.
pub(super) struct World {
    pub(super) app: Arc<App>,
    door: Door,
    _instance: Instance,
    pub(super) dir: tempfile::TempDir,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// What the log says of its error.
    pub(super) reason: String,
}

impl Answer {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl World {
    pub(super) fn new() -> Self {
        Self::trusting(&[])
    }

    /// With trusted proxies.
    pub(super) fn trusting(proxies: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = dir.path().to_str().unwrap().to_owned();
        let flags = [
            ("data_dir", data_dir),
            ("durability", "relaxed".to_owned()),
            ("trusted_proxies", proxies.join(",")),
        ];
        let raw = RawConfig::gather(&flags, [], None).unwrap();
        let instance = Instance::open(&Config::parse(&raw).unwrap()).unwrap();
        let app = Arc::clone(&instance.app);
        Self { door: Door::new(Arc::clone(&app)), app, dir, _instance: instance }
    }

    /// Sends a request of a caller.
    pub(super) async fn send(
        &self,
        who: Option<&Principal>,
        line: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let (method, target) = line.split_once(' ').unwrap();
        let body: Bytes = body.into();
        let mut request = Request::builder().method(method).uri(target).header("content-length", body.len());
        let map = request.headers_mut().unwrap();
        map.insert("host", "127.0.0.1:9000".parse().unwrap());
        for (name, value) in headers {
            map.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        let mut request = request.body(Body::from(body)).unwrap();
        request.extensions_mut().insert(Caller(who.cloned()));
        request.extensions_mut().insert(Connection {
            peer: "192.0.2.7:4711".parse().unwrap(),
            tls: None,
            from_function: false,
        });
        let answer: Response<Body> = self.door.handle(request).await;
        let failed = answer.extensions().get::<super::Failed>().map(|failed| &failed.0);
        let reason = failed.and_then(|error| error.internal.clone()).unwrap_or_default();
        let (head, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        Answer { status: head.status.as_u16(), headers: head.headers, body, reason }
    }

    /// Sends, and expects a status.
    pub(super) async fn expect(
        &self,
        status: u16,
        who: Option<&Principal>,
        line: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let answer = self.send(who, line, headers, body.to_owned()).await;
        assert_eq!(answer.status, status, "{line}: {} ({})", answer.text(), answer.reason);
        answer
    }

    /// Sends to S3 Control as the root.
    pub(super) async fn control(&self, status: u16, line: &str, root: &str, inside: &str) -> String {
        self.control_as(status, &root_of(ACCOUNT), line, root, inside).await
    }

    /// Sends to S3 Control as somebody, about that one's own account.
    pub(super) async fn control_as(
        &self,
        status: u16,
        who: &Principal,
        line: &str,
        root: &str,
        inside: &str,
    ) -> String {
        let body = format!(r#"<{root} xmlns="{NAMESPACE}">{inside}</{root}>"#);
        let (method, path) = line.split_once(' ').unwrap();
        let line = format!("{method} /v20180820{path}");
        self.expect(status, Some(who), &line, &[("x-amz-account-id", &who.account_id)], &body).await.text()
    }

    /// Makes an access point; answers its alias.
    pub(super) async fn access_point(&self, name: &str, bucket: &str, more: &str) -> String {
        let inside = format!("<Bucket>{bucket}</Bucket>{more}");
        let answer =
            self.control(200, &format!("PUT /accesspoint/{name}"), "CreateAccessPointRequest", &inside).await;
        element(&answer, "Alias")
    }

    /// Makes an OLAP over an access point of the same account; answers its alias.
    pub(super) async fn lens(
        &self,
        name: &str,
        point: &str,
        function: &str,
        payload: &str,
        actions: &[&str],
    ) -> String {
        let inside = configuration(
            &format!("arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/{point}"),
            &format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function}"),
            payload,
            actions,
        );
        let line = format!("PUT /accesspointforobjectlambda/{name}");
        let answer = self.control(200, &line, "CreateAccessPointForObjectLambdaRequest", &inside).await;
        element(&answer, "Value")
    }

    /// Puts the policy of a point: `accesspoint/NAME` or `accesspointforobjectlambda/NAME`.
    pub(super) async fn point_policy(&self, status: u16, point: &str, policy: &str) -> String {
        let root = if point.starts_with("accesspointfor") {
            "PutAccessPointPolicyForObjectLambdaRequest"
        } else {
            "PutAccessPointPolicyRequest"
        };
        let inside = format!("<Policy>{}</Policy>", quick_xml::escape::escape(policy));
        self.control(status, &format!("PUT /{point}/policy"), root, &inside).await
    }

    /// The lines of the audit log.
    pub(super) fn audit(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("audit/audit.log")).unwrap()
    }
}

/// The configuration of an OLAP.
pub(super) fn configuration(point: &str, function: &str, payload: &str, actions: &[&str]) -> String {
    let actions: String = actions.iter().map(|action| format!("<Action>{action}</Action>")).collect();
    format!(
        "<Configuration><SupportingAccessPoint>{point}</SupportingAccessPoint><TransformationConfigurations>\
         <TransformationConfiguration><Actions>{actions}</Actions><ContentTransformation><AwsLambda>\
         <FunctionArn>{function}</FunctionArn><FunctionPayload>{payload}</FunctionPayload></AwsLambda>\
         </ContentTransformation></TransformationConfiguration></TransformationConfigurations></Configuration>"
    )
}

/// The text of an element of a document.
pub(super) fn element(xml: &str, name: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split_once(&format!("</{name}>")).unwrap().0.to_owned()
}

/// The root of an account.
pub(super) fn root_of(account: &str) -> Principal {
    Principal::root(account, "AKROOT")
}

/// A policy with these statements.
pub(super) fn document(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

/// A user of an account whose only policy has these statements; none for a user without a policy.
pub(super) fn user_of(account: &str, name: &str, statements: &str) -> Principal {
    let policy = |text: &str| Attached {
        label: format!("the policy of user {name}").into(),
        policy: Arc::new(Policy::parse(&document(text), PolicyKind::Identity).unwrap()),
    };
    let policies = if statements.is_empty() { vec![] } else { vec![policy(statements)] };
    Principal {
        kind: PrincipalKind::User,
        principal_id: format!("AIDA{}", name.to_uppercase()),
        arn: format!("arn:aws:iam::{account}:user/{name}"),
        user_name: Some(name.to_owned()),
        identity: Arc::new(Identity { policies, ..Identity::default() }),
        ..Principal::root(account, "AKUSER")
    }
}

/// A user of the account of everything.
pub(super) fn user(name: &str, statements: &str) -> Principal {
    user_of(ACCOUNT, name, statements)
}
