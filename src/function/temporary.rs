//! Temporary keys, in memory: those of execution roles, which may answer an Object Lambda request and nothing else,
//! and those that sign one URL with the permissions of whoever made a request.
//!
//! The verifier asks here beside [`Keys`](crate::catalog::Keys); forms and everything else do not.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use data_encoding::{BASE32_NOPAD, BASE64};
use http::{Method, request};
use jiff::Timestamp;

use crate::auth::{KeyRecord, KeyStore, Principal, PrincipalKind};
use crate::clock::Clock;
use crate::door::Plane;
use crate::error::ApiError;
use crate::function::metering::Traffic;
use crate::policy::via::OBJECT_LAMBDA;
use crate::policy::{Attached, Identity, Issuer, Policy, PolicyKind};
use crate::secret::Secret;

/// The query parameter that names the access point in a URL whose path is the object's key alone.
pub const POINT_PARAMETER: &str = "x-olap-access-point";

/// What a temporary key is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    /// WriteGetObjectResponse, by this function.
    Answer {
        /// The function's name.
        function: String,
    },
    /// One read through an access point.
    Read {
        /// The method of the request.
        method: Method,
        /// Its path, as it is sent.
        path: String,
        /// ARN of the access point.
        access_point: String,
    },
}

impl Use {
    /// Whether a request to a plane is what the key is for. The plane counts beside the path, for the scope of a
    /// signature names it before the path does.
    ///
    /// # Errors
    /// 403 AccessDenied.
    pub fn check(&self, plane: Plane, parts: &request::Parts) -> Result<(), ApiError> {
        let path = parts.uri.path();
        let right = match self {
            Self::Answer { .. } => {
                plane == Plane::WriteGetObjectResponse
                    && parts.method == Method::POST
                    && path == "/WriteGetObjectResponse"
            }
            Self::Read { method, path: bound, .. } => {
                plane == Plane::S3 && parts.method == *method && path == bound
            }
        };
        if right {
            return Ok(());
        }
        let why = match self {
            Self::Answer { function } => format!(
                "{} {path} by the role of function {function}, which may call WriteGetObjectResponse alone",
                parts.method
            ),
            Self::Read { method, path: bound, .. } => {
                format!("{} {path} by a URL that was signed for {method} {bound}", parts.method)
            }
        };
        Err(ApiError::access_denied(why))
    }
}

#[derive(Debug, Clone)]
struct Temporary {
    record: KeyRecord,
    purpose: Arc<Use>,
    until: Option<Timestamp>,
    /// Counts what is read by it.
    traffic: Option<Arc<Traffic>>,
}

/// The temporary keys of a server.
#[derive(Debug)]
pub struct TemporaryKeys {
    keys: RwLock<HashMap<String, Temporary>>,
    clock: Arc<dyn Clock>,
}

/// A temporary key, which ends with this value.
#[derive(Debug)]
pub struct Issued {
    /// Access key id.
    pub id: String,
    /// Its secret and token.
    pub record: KeyRecord,
    keys: Arc<TemporaryKeys>,
}

impl Drop for Issued {
    fn drop(&mut self) {
        let mut keys = self.keys.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.remove(&self.id);
    }
}

impl TemporaryKeys {
    /// None yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { keys: RwLock::default(), clock })
    }

    /// A key for a function that runs with `role`.
    ///
    /// # Errors
    /// No random bytes.
    pub fn for_function(
        self: &Arc<Self>,
        account_id: &str,
        role: &str,
        function: &str,
    ) -> Result<Issued, ApiError> {
        let role = role.rsplit('/').next().unwrap_or(role);
        let (id, secret, token) = random()?;
        // AROA and 17 characters, always the same for a role.
        let unique: String = BASE32_NOPAD.encode(role.as_bytes()).chars().cycle().take(17).collect();
        let principal = Principal {
            kind: PrincipalKind::AssumedRole,
            account_id: account_id.to_owned(),
            principal_id: format!("AROA{unique}:{function}"),
            arn: format!("arn:aws:sts::{account_id}:assumed-role/{role}/{function}"),
            user_name: None,
            access_key_id: id.clone(),
            identity: Arc::new(answers(role, account_id)?),
        };
        let record = KeyRecord { secret, principal, active: true, session_token: Some(token), expires: None };
        let purpose = Use::Answer { function: function.to_owned() };
        Ok(self.issue(id, record, purpose, None))
    }

    /// A key that signs one URL with the permissions of `caller`, until a moment.
    ///
    /// # Errors
    /// No random bytes.
    pub fn for_read(
        self: &Arc<Self>,
        caller: &Principal,
        purpose: Use,
        until: Timestamp,
        traffic: &Arc<Traffic>,
    ) -> Result<Issued, ApiError> {
        let (id, secret, _) = random()?;
        // What the function reads is what the caller may read through it.
        let mut identity = Identity::clone(&caller.identity);
        identity.called_via.push(OBJECT_LAMBDA.to_owned());
        let identity = Arc::new(identity);
        let principal = Principal { access_key_id: id.clone(), identity, ..caller.clone() };
        let record = KeyRecord { secret, principal, active: true, session_token: None, expires: None };
        Ok(self.issue(id, record, purpose, Some((until, Arc::clone(traffic)))))
    }

    /// What a key is for, if it is a temporary one.
    #[must_use]
    pub fn use_of(&self, access_key_id: &str) -> Option<Arc<Use>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(access_key_id).map(|key| Arc::clone(&key.purpose))
    }

    /// What counts the bytes that are read by a key, where something does.
    #[must_use]
    pub fn traffic_of(&self, access_key_id: &str) -> Option<Arc<Traffic>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(access_key_id)?.traffic.clone()
    }

    fn issue(
        self: &Arc<Self>,
        id: String,
        record: KeyRecord,
        purpose: Use,
        read: Option<(Timestamp, Arc<Traffic>)>,
    ) -> Issued {
        let (until, traffic) = read.unzip();
        let key = Temporary { record: record.clone(), purpose: Arc::new(purpose), until, traffic };
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), key);
        Issued { id, record, keys: Arc::clone(self) }
    }
}

impl KeyStore for TemporaryKeys {
    fn lookup(&self, access_key_id: &str, _: Option<&str>) -> Result<Option<KeyRecord>, ApiError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let Some(key) = keys.get(access_key_id) else { return Ok(None) };
        let over = key.until.is_some_and(|until| until < self.clock.now());
        Ok((!over).then(|| key.record.clone()))
    }
}

/// What bounds a function: it may answer requests, whatever its role is called.
fn answers(role: &str, account_id: &str) -> Result<Identity, ApiError> {
    const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":
        "s3-object-lambda:WriteGetObjectResponse","Resource":"*"}]}"#;
    let policy = Policy::parse(DOCUMENT, PolicyKind::Identity)
        .map_err(|error| ApiError::internal(format!("the policy of functions: {error}")))?;
    let issuer = Issuer {
        kind: "Role",
        arn: format!("arn:aws:iam::{account_id}:role/{role}"),
        principal_id: String::new(),
        name: role.to_owned(),
    };
    let label = "what every function may".into();
    let policies = vec![Attached { label, policy: Arc::new(policy) }];
    Ok(Identity { policies, issuer: Some(issuer), ..Identity::default() })
}

fn random() -> Result<(String, Secret, Secret), ApiError> {
    let mut bytes = [0_u8; 88];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::internal(format!("no random bytes: {error}")))?;
    let (id, rest) = bytes.split_at(10);
    let (secret, token) = rest.split_at(30);
    Ok((
        format!("ASIA{}", BASE32_NOPAD.encode(id)),
        Secret::new(BASE64.encode(secret)),
        Secret::new(BASE64.encode(token)),
    ))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::clock::SystemClock;

    fn parts(line: &str) -> request::Parts {
        let (method, target) = line.split_once(' ').unwrap();
        Request::builder().method(method).uri(target).body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_functions_key_answers_and_does_nothing_else() {
        let keys = TemporaryKeys::new(Arc::new(SystemClock));
        let issued =
            keys.for_function("000000000000", "arn:aws:iam::000000000000:role/path/reader", "f").unwrap();
        let found = keys.lookup(&issued.id, None).unwrap().unwrap();
        assert_eq!(found.principal.arn, "arn:aws:sts::000000000000:assumed-role/reader/f");
        assert!(found.session_token.is_some());
        let purpose = keys.use_of(&issued.id).unwrap();
        let answer = parts("POST /WriteGetObjectResponse");
        purpose.check(Plane::WriteGetObjectResponse, &answer).unwrap();
        for plane in [Plane::S3, Plane::Control, Plane::Lambda, Plane::Iam, Plane::Sts] {
            assert_eq!(purpose.check(plane, &answer).unwrap_err().code, "AccessDenied", "{plane:?}");
        }
        for line in ["GET /b/k", "PUT /WriteGetObjectResponse", "POST /_refract/v1/keys", "GET /"] {
            let plane = Plane::WriteGetObjectResponse;
            assert_eq!(purpose.check(plane, &parts(line)).unwrap_err().code, "AccessDenied", "{line}");
        }
        let id = issued.id.clone();
        drop(issued);
        assert!(keys.lookup(&id, None).unwrap().is_none() && keys.use_of(&id).is_none());
    }

    #[test]
    fn a_url_is_for_one_object_and_ends() {
        let keys = TemporaryKeys::new(Arc::new(SystemClock));
        let caller = Principal::root("000000000000", "AKIAX");
        let purpose = Use::Read { method: Method::GET, path: "/k".into(), access_point: "arn".into() };
        let now = SystemClock.now();
        let live = keys
            .for_read(&caller, purpose.clone(), now + jiff::SignedDuration::from_secs(60), &Arc::default())
            .unwrap();
        let over = keys
            .for_read(&caller, purpose, now - jiff::SignedDuration::from_secs(1), &Arc::default())
            .unwrap();
        assert_eq!(keys.lookup(&live.id, None).unwrap().unwrap().principal.arn, caller.arn);
        assert!(keys.lookup(&over.id, None).unwrap().is_none());
        let purpose = keys.use_of(&live.id).unwrap();
        purpose.check(Plane::S3, &parts("GET /k?x=1")).unwrap();
        for plane in [Plane::WriteGetObjectResponse, Plane::Control, Plane::Lambda, Plane::Iam, Plane::Sts] {
            assert!(purpose.check(plane, &parts("GET /k")).is_err(), "{plane:?}");
        }
        for line in ["HEAD /k", "GET /k2", "PUT /k", "GET /b/k"] {
            assert!(purpose.check(Plane::S3, &parts(line)).is_err(), "{line}");
        }
    }
}
