//! Temporary keys, in memory: those of functions, which may do what their execution roles may, and those that sign one
//! URL with the permissions of whoever made a request.
//!
//! The verifier asks here beside [`Keys`](crate::catalog::Keys); forms and everything else do not.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use data_encoding::{BASE32_NOPAD, BASE64};
use http::{Method, request};
use jiff::Timestamp;

use crate::auth::{KeyRecord, KeyStore, Principal};
use crate::catalog::{Catalog, sessions::PREFIX};
use crate::clock::Clock;
use crate::door::Plane;
use crate::error::ApiError;
use crate::function::metering::Traffic;
use crate::policy::Identity;
use crate::policy::via::OBJECT_LAMBDA;
use crate::secret::Secret;

use super::role::{self, Assumed, NOT_ASSUMED};
use super::runtime::{Spec, StartError};

/// The query parameter that names the access point in a URL whose path is the object's key alone.
pub const POINT_PARAMETER: &str = "x-olap-access-point";

/// What a temporary key is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    /// What the execution role of this function may do.
    Function {
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
        match self {
            Self::Read { method, path: bound, .. }
                if plane != Plane::S3 || parts.method != *method || path != bound =>
            {
                let why = format!("{} {path} by a URL that was signed for {method} {bound}", parts.method);
                Err(ApiError::access_denied(why))
            }
            Self::Read { .. } | Self::Function { .. } => Ok(()),
        }
    }
}

#[derive(Debug, Clone)]
struct Temporary {
    record: KeyRecord,
    /// The role whose session it is; `None` where the record says it all.
    role: Option<Assumed>,
    purpose: Arc<Use>,
    until: Option<Timestamp>,
    /// Counts what is read by it.
    traffic: Option<Arc<Traffic>>,
}

/// The temporary keys of a server.
#[derive(Debug)]
pub struct TemporaryKeys {
    keys: RwLock<HashMap<String, Temporary>>,
    catalog: Arc<dyn Catalog>,
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
    pub fn new(catalog: Arc<dyn Catalog>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { keys: RwLock::default(), catalog, clock })
    }

    /// A key for a function that starts, as a session of its execution role. It ends with this value or with the role,
    /// and may at any moment what the role's policies then allow.
    ///
    /// # Errors
    /// [`StartError::Unavailable`] where the role is gone or does not let Lambda in; no random bytes.
    pub fn for_function(self: &Arc<Self>, spec: &Spec) -> Result<Issued, StartError> {
        let (view, now, arn) = (self.catalog.snapshot(), self.clock.now(), spec.arn());
        let refused = |why: &dyn std::fmt::Display| {
            tracing::warn!(function = %spec.name, %why, "the role of a function cannot be assumed");
            StartError::Unavailable(NOT_ASSUMED.to_owned())
        };
        let found = role::assumable(&view, &spec.version.settings.role, &arn, now);
        let role = Assumed::new(found.map_err(|why| refused(&why))?, &spec.name, &arn, now);
        let internal = |error: ApiError| StartError::Internal(error.internal.unwrap_or_default());
        let (id, secret, token) = random().map_err(internal)?;
        let principal = role.principal(&view, &id).map_err(|why| refused(&why))?;
        let principal = principal.ok_or_else(|| refused(&"the role is gone"))?;
        let record = KeyRecord {
            secret,
            principal: Arc::new(principal),
            active: true,
            session_token: Some(token),
            expires: None,
            signing: Some(Arc::default()),
        };
        Ok(self.issue(id, record, Some(role), Use::Function { function: spec.name.clone() }, None))
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
        let record = KeyRecord {
            secret,
            principal: Arc::new(principal),
            active: true,
            session_token: None,
            expires: None,
            signing: Some(Arc::default()),
        };
        Ok(self.issue(id, record, None, purpose, Some((until, Arc::clone(traffic)))))
    }

    /// What a key is for, if it is a temporary one.
    #[must_use]
    pub fn use_of(&self, access_key_id: &str) -> Option<Arc<Use>> {
        self.find(access_key_id, |key| Arc::clone(&key.purpose))
    }

    fn find<T>(&self, access_key_id: &str, take: impl FnOnce(&Temporary) -> T) -> Option<T> {
        // Most keys are permanent, and are not looked for.
        if !access_key_id.starts_with(PREFIX) {
            return None;
        }
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(access_key_id).map(take)
    }

    /// What counts the bytes that are read by a key, where something does.
    #[must_use]
    pub fn traffic_of(&self, access_key_id: &str) -> Option<Arc<Traffic>> {
        self.find(access_key_id, |key| key.traffic.clone())?
    }

    fn issue(
        self: &Arc<Self>,
        id: String,
        record: KeyRecord,
        role: Option<Assumed>,
        purpose: Use,
        read: Option<(Timestamp, Arc<Traffic>)>,
    ) -> Issued {
        let (until, traffic) = read.unzip();
        let key = Temporary { record: record.clone(), role, purpose: Arc::new(purpose), until, traffic };
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), key);
        Issued { id, record, keys: Arc::clone(self) }
    }
}

impl KeyStore for TemporaryKeys {
    fn lookup(&self, access_key_id: &str, _: Option<&str>) -> Result<Option<KeyRecord>, ApiError> {
        let Some(key) = self.find(access_key_id, Temporary::clone) else { return Ok(None) };
        if key.until.is_some_and(|until| until < self.clock.now()) {
            return Ok(None);
        }
        let Some(role) = &key.role else { return Ok(Some(key.record)) };
        match role.principal(&self.catalog.snapshot(), access_key_id) {
            Ok(principal) => {
                Ok(principal.map(|found| KeyRecord { principal: Arc::new(found), ..key.record }))
            }
            Err(error) => {
                tracing::error!(access_key_id, %error, "the role of a function cannot be used");
                Ok(None)
            }
        }
    }
}

fn random() -> Result<(String, Secret, Secret), ApiError> {
    let mut bytes = [0_u8; 88];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::internal(format!("no random bytes: {error}")))?;
    let (id, rest) = bytes.split_at(10);
    let (secret, token) = rest.split_at(30);
    Ok((
        format!("{PREFIX}{}", BASE32_NOPAD.encode(id)),
        Secret::new(BASE64.encode(secret)),
        Secret::new(BASE64.encode(token)),
    ))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::catalog::identities::{Entity, Role};
    use crate::catalog::{Change, Directory, MemoryCatalog};
    use crate::clock::SystemClock;
    use crate::function::registry::tests::version;

    const LAMBDA: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}"#;

    fn parts(line: &str) -> request::Parts {
        let (method, target) = line.split_once(' ').unwrap();
        Request::builder().method(method).uri(target).body(()).unwrap().into_parts().0
    }

    struct Fixture {
        catalog: Arc<MemoryCatalog>,
        keys: Arc<TemporaryKeys>,
        directory: Directory,
    }

    impl Fixture {
        fn new() -> Self {
            let (catalog, clock) = (Arc::new(MemoryCatalog::default()), Arc::new(SystemClock));
            let keys = TemporaryKeys::new(catalog.clone(), clock.clone());
            Self { keys, directory: Directory::new(catalog.clone(), clock), catalog }
        }

        async fn put(&self, role: Role) {
            let change = Change::PutIdentity(Box::new(Entity::Role(role)));
            self.catalog.update(Box::new(move |_| Ok(vec![change]))).await.unwrap();
        }

        fn role(&self, more: &str) -> Role {
            self.directory.new_role("000000000000", "r", "/", &format!("{LAMBDA}{more}}}}}")).unwrap()
        }

        fn start(&self) -> Result<Issued, StartError> {
            self.keys.for_function(&Spec {
                name: "f".into(),
                version: Arc::new(version("$LATEST")),
                account_id: "000000000000".into(),
                region: "us-east-1".into(),
                provisioned: false,
                doubtful: false,
                network: Arc::default(),
            })
        }
    }

    #[tokio::test]
    async fn a_functions_key_is_a_session_of_its_role_and_ends_with_it() {
        let fixture = Fixture::new();
        assert!(matches!(fixture.start(), Err(StartError::Unavailable(_))));
        let mut role = fixture.role("");
        fixture.put(role.clone()).await;
        let issued = fixture.start().unwrap();
        let find = |id: &str| fixture.keys.lookup(id, None).unwrap();
        let may = |action: &str| {
            let record = find(&issued.id).unwrap();
            crate::policy::authorize_action(&record.principal, action, "*", crate::policy::Context::new())
                .is_ok()
        };
        let found = find(&issued.id).unwrap();
        assert_eq!(found.principal.arn, "arn:aws:sts::000000000000:assumed-role/r/f");
        assert_eq!(found.principal.principal_id, format!("{}:f", role.id));
        assert!(found.session_token.is_some());
        assert!(!may("s3-object-lambda:WriteGetObjectResponse") && !may("s3:GetObject"));
        // What its policies are made to say counts at once.
        role.policies
            .attach("arn:aws:iam::aws:policy/service-role/AmazonS3ObjectLambdaExecutionRolePolicy")
            .unwrap();
        fixture.put(role.clone()).await;
        assert!(may("s3-object-lambda:WriteGetObjectResponse") && !may("s3:GetObject"));
        role.boundary = Some("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess".into());
        fixture.put(role.clone()).await;
        assert!(!may("s3-object-lambda:WriteGetObjectResponse"));
        // A policy that is gone refuses whoever has it.
        role.boundary = Some("arn:aws:iam::000000000000:policy/Gone".into());
        fixture.put(role.clone()).await;
        assert!(find(&issued.id).is_none());
        // Another role of the same name is another role.
        fixture.put(fixture.role("")).await;
        assert!(find(&issued.id).is_none());
        let second = fixture.start().unwrap();
        let id = second.id.clone();
        assert!(find(&id).is_some());
        drop(second);
        assert!(find(&id).is_none() && fixture.keys.use_of(&id).is_none());
    }

    #[tokio::test]
    async fn a_trust_policy_may_name_functions() {
        let fixture = Fixture::new();
        let only = |name: &str| {
            format!(
                r#","Condition":{{"ArnLike":{{"aws:SourceArn":"arn:aws:lambda:*:000000000000:function:{name}"}},"StringEquals":{{"aws:SourceAccount":"000000000000"}}}}"#
            )
        };
        fixture.put(fixture.role(&only("g"))).await;
        assert!(matches!(fixture.start(), Err(StartError::Unavailable(why)) if why == NOT_ASSUMED));
        fixture.put(fixture.role(&only("f"))).await;
        fixture.start().unwrap();
    }

    #[test]
    fn a_url_is_for_one_object_and_ends() {
        let Fixture { keys, .. } = Fixture::new();
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
