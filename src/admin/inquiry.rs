//! A question about policies, with all that it is about looked up: who, what, and what bears on it.

use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::access_point::{FunctionArn, PointArn, PointKind, target};
use crate::auth::{KeyStore as _, Principal, PrincipalKind};
use crate::catalog::identities::{Role, User, assemble};
use crate::context::App;
use crate::error::ApiError;
use crate::function::registry;
use crate::object_lambda::function_forms;
use crate::policy::report::GateReport;
use crate::policy::via::Lens;
use crate::policy::{
    self, Access, Asked, Attached, Context, Identity, Labelled, Policy, PolicyKind, ResourcePolicy, Via,
};
use crate::store::{Bucket, ObjectInfo, VersionRef};

use super::explain::{ExplainSpec, SimulateSpec};

/// A question.
#[derive(Debug)]
pub(super) struct Inquiry {
    principal: Option<Principal>,
    action: String,
    resource: String,
    assumed: Context,
    on: On,
}

/// What it is about.
#[derive(Debug)]
enum On {
    /// A bucket or an object, by whatever way.
    Bucket { bucket: Arc<Bucket>, key: Option<String>, via: Option<Via> },
    /// Something beside S3, and the policy of its own that a function may have.
    Other { owner: String, own: Option<ResourcePolicy> },
}

fn malformed(field: &str, why: impl std::fmt::Display) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "MalformedPolicy", format!("{field}: {why}"))
}

fn text_of(document: &Value) -> String {
    document.as_str().map_or_else(|| document.to_string(), str::to_owned)
}

fn attached(field: &str, document: &Value, kind: PolicyKind) -> Result<Attached, ApiError> {
    let policy = Policy::parse(&text_of(document), kind).map_err(|error| malformed(field, error))?;
    Ok(Attached { label: format!("the policy of simulate.{field}").into(), policy: Arc::new(policy) })
}

impl Inquiry {
    /// Looks everything up.
    ///
    /// # Errors
    /// 404 for a principal that is not there; 400 for a policy or a condition key that cannot be read.
    pub(super) fn new(app: &App, spec: ExplainSpec) -> Result<Self, ApiError> {
        let simulate = spec.simulate.unwrap_or_default();
        let mut assumed = Context::new();
        for (key, value) in &spec.context {
            let one = |value: &Value| match value {
                Value::String(text) => Ok(text.clone()),
                Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
                _ => Err(ApiError::invalid_request(format!(
                    "context.{key} must be a value or an array of values"
                ))),
            };
            let values = match value {
                Value::Array(values) => values.iter().map(one).collect::<Result<Vec<_>, _>>()?,
                value => vec![one(value)?],
            };
            assumed.set_all(key, values);
        }
        let principal = principal(app, &spec.principal, &simulate)?;
        let policy = simulate.resource.as_ref().map(|document| ResourcePolicy::parse(&text_of(document)));
        let policy = policy.transpose().map_err(|error| malformed("resource", error))?;
        let on = resolve(app, &spec.resource, policy)?;
        Ok(Self { principal, action: spec.action, resource: spec.resource, assumed, on })
    }

    /// Asks at every gate.
    pub(super) async fn run(&self, app: &App) -> (Vec<GateReport>, Result<(), ApiError>) {
        let headers = HeaderMap::new();
        let asked = Asked {
            headers: &headers,
            query: "",
            origin: None,
            said: None,
            trail: None,
            assumed: Some(&self.assumed),
            notes: None,
        };
        let mut gates = Vec::new();
        let mut seen =
            |set: &policy::PolicySet<'_>, request: &policy::Request<'_>, decision: &policy::Decision<'_>| {
                gates.push(GateReport::of(set, request, decision));
            };
        let outcome = match &self.on {
            On::Other { owner, own } => {
                let caller = self.principal.as_ref();
                let own = own.as_ref().and_then(ResourcePolicy::policy);
                let policies: Vec<_> = own
                    .into_iter()
                    .map(|policy| Labelled { label: "the policy of the function", policy })
                    .collect();
                let target = policy::Target { resource: &self.resource, owner, policies: &policies };
                policy::authorize_seen(caller, &asked, &self.action, target, &mut seen)
            }
            On::Bucket { bucket, key, via } => {
                let object = match key {
                    Some(key) => app.store.head(&bucket.name, key, VersionRef::Current).await.ok(),
                    None => None,
                };
                let access = Access {
                    principal: self.principal.as_ref(),
                    via: via.as_ref(),
                    bucket,
                    key: key.as_deref(),
                    asked,
                    accounts: &app.accounts,
                };
                self.pass(app, &access, object.as_ref(), &mut seen)
            }
        };
        (gates, outcome)
    }

    fn pass(
        &self,
        app: &App,
        access: &Access<'_>,
        object: Option<&ObjectInfo>,
        seen: policy::Seen<'_>,
    ) -> Result<(), ApiError> {
        let (service, name) = self.action.split_once(':').unwrap_or(("s3", &self.action));
        let action = format!("s3:{name}");
        let lens = access.via.and_then(|via| Some((via, via.lens.as_ref()?)));
        let (Some((via, lens)), "s3-object-lambda") = (lens, service) else {
            return access.pass(&self.action, object, seen);
        };
        let mut all = lens.point.configuration.transformations.iter();
        let lists = name == "ListBucket";
        let is =
            |transformed: &String| transformed == name || lists && transformed.starts_with("ListObjects");
        let transformation = all.find(|one| one.actions.iter().any(is));
        let Some(transformation) = transformation.filter(|_| lists || access.key.is_some()) else {
            return access.pass(&action, object, seen);
        };
        let view = app.catalog.snapshot();
        access.pass_transform(&action, &function_forms(&view, &transformation.function_arn), seen)?;
        let via = via.of_transform();
        Access { via: Some(&via), ..*access }.pass(&action, object, seen)
    }
}

/// Finds what an ARN names, with a policy in place of its own.
fn resolve(app: &App, resource: &str, policy: Option<ResourcePolicy>) -> Result<On, ApiError> {
    let buckets = app.store.buckets();
    if let Some(rest) = resource.strip_prefix("arn:aws:s3:::") {
        let (name, key) =
            rest.split_once('/').map_or((rest, None), |(name, key)| (name, Some(key.to_owned())));
        if let Some(found) = buckets.get(name) {
            let mut bucket = Arc::clone(found);
            if policy.is_some() {
                Arc::make_mut(&mut bucket).config.policy = policy;
            }
            return Ok(On::Bucket { bucket, key, via: None });
        }
    }
    let (point, key) =
        resource.split_once("/object/").map_or((resource, None), |(point, key)| (point, Some(key)));
    if let Some(arn) = PointArn::parse(point) {
        let found = target::by_arn(&arn, &app.catalog.snapshot())?;
        let missing = || ApiError::from(crate::store::StoreError::NoSuchBucket);
        let bucket = found.bucket().and_then(|name| buckets.get(name)).cloned().ok_or_else(missing)?;
        let mut via = Via::of(&found, &app.registrar.region);
        if let (Some(via), Some(policy)) = (via.as_mut(), policy) {
            match (&mut via.lens, arn.kind) {
                (Some(Lens { point, .. }), PointKind::ObjectLambda) => {
                    Arc::make_mut(point).policy = Some(policy);
                }
                _ => Arc::make_mut(&mut via.point).policy = Some(policy),
            }
        }
        return Ok(On::Bucket { bucket, key: key.map(str::to_owned), via });
    }
    let account = resource.split(':').nth(4).filter(|account| account.len() == 12);
    let owner = account.unwrap_or_default().to_owned();
    if let Some(arn) = FunctionArn::parse(resource).filter(|arn| arn.account_id == app.registrar.account_id) {
        let view = app.catalog.snapshot();
        let stored = registry::lambda(&view, &arn.name).ok();
        let stored =
            stored.and_then(|lambda| lambda.policies.get(arn.qualifier.as_deref().unwrap_or_default()));
        let stored = stored.and_then(|policy| ResourcePolicy::parse(&policy.document()).ok());
        return Ok(On::Other { owner, own: policy.or(stored) });
    }
    if policy.is_some() {
        return Err(ApiError::invalid_request(format!(
            "simulate.resource: {resource} is nothing that has a policy"
        )));
    }
    Ok(On::Other { owner, own: None })
}

/// Finds a principal, with policies in place of its own; `None` for an anonymous one.
fn principal(app: &App, named: &str, simulate: &SimulateSpec) -> Result<Option<Principal>, ApiError> {
    if named == "anonymous" {
        return Ok(None);
    }
    let absent =
        || ApiError::new(StatusCode::NOT_FOUND, "NoSuchEntity", format!("There is no principal {named:?}"));
    let stored = if named.starts_with("arn:") { by_arn(app, named) } else { by_key(app, named)? };
    let mut found = match stored {
        Some(found) => found,
        None if simulate.identity.is_some() => synthetic(named).ok_or_else(absent)?,
        None => return Err(absent()),
    };
    let mut identity = Identity::clone(&found.identity);
    let each = |field: &str, documents: &[Value], kind| {
        documents.iter().map(|document| attached(field, document, kind)).collect::<Result<Vec<_>, _>>()
    };
    if let Some(documents) = &simulate.identity {
        identity.policies = each("identity", documents, PolicyKind::Identity)?;
    }
    if let Some(document) = &simulate.boundary {
        identity.boundary = Some(attached("boundary", document, PolicyKind::Boundary)?);
    }
    if let Some(documents) = &simulate.session {
        identity.session = each("session", documents, PolicyKind::Session)?;
    }
    found.identity = Arc::new(identity);
    Ok(Some(found))
}

fn by_key(app: &App, id: &str) -> Result<Option<Principal>, ApiError> {
    Ok(app.keys.lookup(id, None)?.map(|record| Arc::unwrap_or_clone(record.principal)))
}

/// The account and the resource of an ARN of IAM or STS.
fn parts_of(arn: &str) -> Option<(&str, &str)> {
    let mut fields = arn.splitn(6, ':');
    let service = fields.nth(2)?;
    let (account, resource) = (fields.nth(1)?, fields.next()?);
    (matches!(service, "iam" | "sts") && account.len() == 12).then_some((account, resource))
}

fn by_arn(app: &App, arn: &str) -> Option<Principal> {
    let (account, resource) = parts_of(arn)?;
    let base = synthetic(arn)?;
    let view = app.catalog.snapshot();
    let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
    let last = rest.rsplit('/').next()?;
    match kind {
        "root" => app.accounts.get(account).map(|_| base),
        "user" => {
            let user = view.identities.get::<User>(account, last).filter(|user| user.arn() == arn)?;
            let identity = Arc::new(assemble::user(&view, user).ok()?);
            Some(Principal { principal_id: user.id.clone(), identity, ..base })
        }
        "role" | "assumed-role" => {
            let name = if kind == "role" { last } else { rest.split('/').next()? };
            let role = view.identities.get::<Role>(account, name)?;
            let identity = Arc::new(assemble::role(&view, role).ok()?);
            let session = if kind == "role" { "explain" } else { last };
            let principal_id = format!("{}:{session}", role.id);
            let arn = format!("arn:aws:sts::{account}:assumed-role/{}/{session}", role.name);
            Some(Principal { arn, principal_id, identity, ..base })
        }
        _ => None,
    }
}

/// A principal of which nothing is known but its ARN.
fn synthetic(arn: &str) -> Option<Principal> {
    let (account, resource) = parts_of(arn)?;
    let root = Principal::root(account, "");
    let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
    let name = rest.rsplit('/').next().unwrap_or_default().to_owned();
    let kind = match kind {
        "root" => return Some(root),
        "user" => PrincipalKind::User,
        "role" | "assumed-role" => PrincipalKind::AssumedRole,
        "federated-user" => PrincipalKind::FederatedUser,
        _ => return None,
    };
    let user_name = (kind == PrincipalKind::User).then_some(name);
    Some(Principal { kind, arn: arn.to_owned(), user_name, ..root })
}
