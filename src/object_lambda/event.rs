//! The event that a function is given (S3 user guide, "Event context format and usage").

use std::time::Duration;

use http::{HeaderName, Method, Version, header, request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::access_point::{PointKind, point_arn};
use crate::auth::{Principal, PrincipalKind, Signer};
use crate::catalog::{ObjectLambda, Transformation};
use crate::error::ApiError;
use crate::function::temporary::{Issued, POINT_PARAMETER};
use crate::headers::AMZ_CONTENT_SHA256;
use crate::s3::query_pairs;
use crate::server::heads::HeaderSpelling;

use super::Action;

/// The one output route: what identifies a request is its token.
pub const ROUTE: &str = "olap";
/// Characters of a key that stay as they are in a path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
/// Headers that the function must send with the URL, for they are signed.
const WITH_THE_URL: [&str; 2] = ["x-amz-request-payer", "x-amz-expected-bucket-owner"];

/// What an event is made from.
#[derive(Debug)]
pub struct Source<'a> {
    /// The S3 request's id.
    pub request_id: &'a str,
    /// The action.
    pub action: Action,
    /// The lens.
    pub lens: &'a ObjectLambda,
    /// What it does with the action.
    pub transformation: &'a Transformation,
    /// Who asks.
    pub caller: &'a Principal,
    /// The key; empty for a listing.
    pub key: &'a str,
    /// The request.
    pub parts: &'a request::Parts,
    /// Region of ARNs.
    pub region: &'a str,
}

impl Source<'_> {
    /// Path and query of the URL by which the function reads, before it is signed.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/{}", utf8_percent_encode(self.key, PATH))
    }

    /// The method that the function reads with.
    #[must_use]
    pub fn method(&self) -> Method {
        if self.action == Action::HeadObject { Method::HEAD } else { Method::GET }
    }

    fn query(&self) -> String {
        let mut query = String::new();
        let mut add = |name: &str, value: &str| {
            query.push(if query.is_empty() { '?' } else { '&' });
            query.extend(utf8_percent_encode(name, NON_ALPHANUMERIC));
            query.push('=');
            query.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
        };
        let is_list = matches!(self.action, Action::ListObjects | Action::ListObjectsV2);
        for (name, value) in query_pairs(self.parts.uri.query().unwrap_or_default()) {
            if is_list && name != POINT_PARAMETER || name == "versionId" {
                add(&name, &value);
            }
        }
        add(POINT_PARAMETER, &self.lens.configuration.supporting_access_point);
        query
    }

    /// The URL by which the function reads what was asked for, with the caller's permissions.
    ///
    /// # Errors
    /// A key that no URL can have.
    pub fn input_url(
        &self,
        gateway: &str,
        key: &Issued,
        time: std::time::SystemTime,
        expires: Duration,
    ) -> Result<String, ApiError> {
        let signer = Signer {
            access_key_id: &key.id,
            secret: &key.record.secret,
            region: self.region,
            time,
            signing: key.record.signing.as_deref(),
        };
        let url = format!("{gateway}{}{}", self.path(), self.query());
        let signed: Vec<(&str, &str)> = WITH_THE_URL
            .iter()
            .filter_map(|name| Some((*name, self.parts.headers.get(*name)?.to_str().ok()?)))
            .collect();
        signer
            .presign(&self.method(), &url, &signed, expires)
            .map_err(|error| ApiError::internal(format!("the URL of the input cannot be signed: {error}")))
    }

    /// The ARN of the lens.
    #[must_use]
    pub fn lens_arn(&self) -> String {
        let ObjectLambda { name, account_id, .. } = self.lens;
        point_arn(PointKind::ObjectLambda, self.region, account_id, name)
    }

    fn host(&self) -> String {
        let ObjectLambda { name, account_id, .. } = self.lens;
        format!("{name}-{account_id}.s3-object-lambda.{}.amazonaws.com", self.region)
    }

    /// The URL that the caller asked for, as AWS names it: decoded, without what signed it.
    fn url(&self) -> String {
        // What would end the path stays encoded.
        let path = self.key.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        let query = self.parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("https://{}/{path}{query}", self.host())
    }

    /// The headers of the request, spelt as the client did, without what signed it.
    fn headers(&self) -> Map<String, Value> {
        let spelling = self.parts.extensions.get::<HeaderSpelling>();
        let spelt = |name: &HeaderName| match spelling.and_then(|spelling| spelling.of(name)) {
            Some(spelt) => spelt.to_owned(),
            None if self.parts.version >= Version::HTTP_2 => title_case(name.as_str()),
            None => name.as_str().to_owned(),
        };
        let mut all = Map::new();
        let mut host = "Host".to_owned();
        for name in self.parts.headers.keys() {
            if name == header::HOST {
                host = spelt(name);
                continue;
            }
            let values = self.parts.headers.get_all(name).iter();
            let joined: Vec<String> =
                values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
            all.insert(spelt(name), Value::from(joined.join(",")));
        }
        if let Some(ContentSha256(value)) = self.parts.extensions.get::<ContentSha256>() {
            all.insert(spelt(&AMZ_CONTENT_SHA256), Value::from(value.as_str()));
        }
        all.insert(host, Value::from(self.host()));
        all
    }

    /// The event.
    #[must_use]
    pub fn document(&self, input_url: &str, token: &str) -> Value {
        let Self { lens, action, .. } = self;
        let mut context = json!({ "inputS3Url": input_url });
        if *action == Action::GetObject
            && let Value::Object(fields) = &mut context
        {
            fields.insert("outputRoute".to_owned(), json!(ROUTE));
            fields.insert("outputToken".to_owned(), json!(token));
        }
        let mut event = Map::new();
        event.insert("xAmzRequestId".to_owned(), json!(self.request_id));
        event.insert(action.context().to_owned(), context);
        event.insert(
            "configuration".to_owned(),
            json!({
                "accessPointArn": self.lens_arn(),
                "supportingAccessPointArn": lens.configuration.supporting_access_point,
                "payload": self.transformation.payload.as_deref().unwrap_or_default(),
            }),
        );
        event.insert("userRequest".to_owned(), json!({ "url": self.url(), "headers": self.headers() }));
        event.insert("userIdentity".to_owned(), identity(self.caller));
        event.insert("protocolVersion".to_owned(), json!("1.00"));
        Value::Object(event)
    }
}

/// The hash of the body that a request names, which its signature covers and which goes with that.
#[derive(Debug, Clone)]
pub struct ContentSha256(pub String);

/// The caller, as CloudTrail shows one.
fn identity(caller: &Principal) -> Value {
    let kind = match caller.kind {
        PrincipalKind::Root => "Root",
        PrincipalKind::User => "IAMUser",
        PrincipalKind::AssumedRole => "AssumedRole",
        PrincipalKind::FederatedUser => "FederatedUser",
    };
    let mut all = json!({
        "type": kind,
        "principalId": caller.principal_id,
        "arn": caller.arn,
        "accountId": caller.account_id,
        "accessKeyId": caller.access_key_id,
    });
    let Value::Object(fields) = &mut all else { return all };
    if let Some(name) = &caller.user_name {
        fields.insert("userName".to_owned(), json!(name));
    }
    if let Some(issuer) = &caller.identity.issuer {
        let issued =
            caller.identity.keys.iter().find(|(name, _)| name.eq_ignore_ascii_case("aws:TokenIssueTime"));
        let mut attributes = json!({ "mfaAuthenticated": "false" });
        if let (Value::Object(fields), Some(when)) =
            (&mut attributes, issued.and_then(|(_, all)| all.first()))
        {
            fields.insert("creationDate".to_owned(), json!(when));
        }
        let session = json!({
            "attributes": attributes,
            "sessionIssuer": {
                "type": issuer.kind,
                "principalId": issuer.principal_id,
                "arn": issuer.arn,
                "accountId": caller.account_id,
                "userName": issuer.name,
            },
        });
        fields.insert("sessionContext".to_owned(), session);
    }
    all
}

/// `x-amz-date` as `X-Amz-Date`: HTTP/2 has no case.
fn title_case(name: &str) -> String {
    let mut up = true;
    name.chars()
        .map(|c| {
            let shown = if up { c.to_ascii_uppercase() } else { c };
            up = c == '-';
            shown
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::catalog::{ObjectLambdaConfiguration, PublicAccessBlock};

    fn lens() -> ObjectLambda {
        let transformation = Transformation {
            actions: vec!["GetObject".into()],
            function_arn: "arn:aws:lambda:us-east-1:000000000000:function:f".into(),
            payload: Some("{\"mask\":true}".into()),
        };
        ObjectLambda {
            name: "olap1".into(),
            account_id: "000000000000".into(),
            alias: "x--ol-s3".into(),
            created: jiff::Timestamp::UNIX_EPOCH,
            configuration: ObjectLambdaConfiguration {
                supporting_access_point: "arn:aws:s3:us-east-1:000000000000:accesspoint/ap1".into(),
                cloud_watch_metrics: false,
                allowed_features: Vec::new(),
                transformations: vec![transformation],
            },
            public_access_block: PublicAccessBlock::default(),
            policy: None,
            tags: Default::default(),
            revision: 1,
        }
    }

    fn document(action: Action, line: &str, key: &str) -> Value {
        let lens = lens();
        let (method, target) = line.split_once(' ').unwrap();
        let request = Request::builder().method(method).uri(target).version(Version::HTTP_2);
        let request = request.header("x-function-params", "a").header("x-function-params", "b");
        let (parts, ()) = request.header("host", "127.0.0.1:9000").body(()).unwrap().into_parts();
        let caller = Principal::root("000000000000", "AKIAX");
        let source = Source {
            request_id: "R1",
            action,
            lens: &lens,
            transformation: &lens.configuration.transformations[0],
            caller: &caller,
            key,
            parts: &parts,
            region: "us-east-1",
        };
        source.document("http://in", "token")
    }

    #[test]
    fn an_event_has_awss_shape() {
        let event = document(Action::GetObject, "GET /x--ol-s3/a%20b.csv?width=3", "a b.csv");
        assert_eq!(
            event,
            json!({
                "xAmzRequestId": "R1",
                "getObjectContext": {
                    "inputS3Url": "http://in", "outputRoute": "olap", "outputToken": "token",
                },
                "configuration": {
                    "accessPointArn": "arn:aws:s3-object-lambda:us-east-1:000000000000:accesspoint/olap1",
                    "supportingAccessPointArn": "arn:aws:s3:us-east-1:000000000000:accesspoint/ap1",
                    "payload": "{\"mask\":true}",
                },
                "userRequest": {
                    "url": "https://olap1-000000000000.s3-object-lambda.us-east-1.amazonaws.com/a b.csv?width=3",
                    "headers": {
                        "X-Function-Params": "a,b",
                        "Host": "olap1-000000000000.s3-object-lambda.us-east-1.amazonaws.com",
                    },
                },
                "userIdentity": {
                    "type": "Root", "principalId": "000000000000",
                    "arn": "arn:aws:iam::000000000000:root", "accountId": "000000000000",
                    "accessKeyId": "AKIAX",
                },
                "protocolVersion": "1.00",
            })
        );
    }

    #[test]
    fn other_actions_have_contexts_of_their_own_and_no_token() {
        for (action, context) in [
            (Action::HeadObject, "headObjectContext"),
            (Action::ListObjects, "listObjectsContext"),
            (Action::ListObjectsV2, "listObjectsV2Context"),
        ] {
            let event = document(action, "GET /", "");
            assert_eq!(event[context], json!({ "inputS3Url": "http://in" }));
        }
    }
}
