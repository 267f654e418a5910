//! The caller of a request: how policies see it, which policies bound it, and what it may do by those alone.

use jiff::Timestamp;

use super::Context;
use super::decision::{Decision, Outcome};
use super::evaluate::{Labelled, PolicySet, evaluate};
use super::identity::{Attached, Identity};
use super::principal::{CallerKind, PrincipalView};
use super::statement::Request;
use crate::auth::{Principal, PrincipalKind};
use crate::error::ApiError;

/// A caller with what policies may ask of its account.
#[derive(Debug, Clone)]
pub struct Caller<'a> {
    principal: &'a Principal,
    account_name: Option<String>,
}

impl<'a> Caller<'a> {
    /// Of a principal, whose account has this name.
    #[must_use]
    pub fn new(principal: &'a Principal, account_name: Option<String>) -> Self {
        Self { principal, account_name }
    }

    /// The caller as the evaluation takes it.
    #[must_use]
    pub fn view(&self) -> PrincipalView<'_> {
        PrincipalView {
            kind: match self.principal.kind {
                PrincipalKind::Root => CallerKind::Root,
                PrincipalKind::User => CallerKind::User,
                PrincipalKind::AssumedRole => CallerKind::AssumedRole,
                PrincipalKind::FederatedUser => CallerKind::FederatedUser,
            },
            account_id: &self.principal.account_id,
            account_name: self.account_name.as_deref(),
            arn: &self.principal.arn,
            principal_id: &self.principal.principal_id,
            issuer_arn: self.principal.identity.issuer.as_ref().map(|issuer| issuer.arn.as_str()),
        }
    }
}

/// The policies of an identity, as the evaluation takes them.
#[derive(Debug, Clone, Default)]
pub struct Bounds<'a> {
    identity: Vec<Labelled<'a>>,
    boundaries: Vec<Labelled<'a>>,
    sessions: Vec<Labelled<'a>>,
}

impl<'a> Bounds<'a> {
    /// Of an identity.
    #[must_use]
    pub fn of(identity: &'a Identity) -> Self {
        Self {
            identity: identity.policies.iter().map(Attached::labelled).collect(),
            boundaries: identity.boundary.iter().map(Attached::labelled).collect(),
            sessions: identity.session.iter().map(Attached::labelled).collect(),
        }
    }

    /// Everything that bears on a request, with the policies of the resource.
    #[must_use]
    pub fn with(&'a self, resource: &'a [Labelled<'a>], same_account: bool) -> PolicySet<'a> {
        PolicySet {
            identity: &self.identity,
            boundaries: &self.boundaries,
            sessions: &self.sessions,
            resource,
            same_account,
            ..PolicySet::default()
        }
    }
}

/// Adds the condition keys that tell of the caller (IAM user guide, "AWS global condition context keys", "Properties
/// of the principal"); `None` is an anonymous caller.
pub fn add_caller_keys(context: &mut Context, principal: Option<&Principal>) {
    let Some(caller) = principal else {
        context.set("aws:PrincipalType", "Anonymous");
        context.set("aws:userid", "anonymous");
        return;
    };
    // Of a session of a role, the role's own ARN.
    let role = caller.identity.issuer.as_ref().filter(|_| caller.kind == PrincipalKind::AssumedRole);
    context.set("aws:PrincipalArn", role.map_or(caller.arn.as_str(), |role| role.arn.as_str()));
    context.set("aws:PrincipalAccount", caller.account_id.as_str());
    context.set("aws:PrincipalIsAWSService", "false");
    context.set("aws:userid", caller.principal_id.as_str());
    context.set(
        "aws:PrincipalType",
        match caller.kind {
            PrincipalKind::Root => "Account",
            PrincipalKind::User => "User",
            PrincipalKind::AssumedRole => "AssumedRole",
            PrincipalKind::FederatedUser => "FederatedUser",
        },
    );
    if let Some(name) = caller.user_name.as_deref().filter(|_| caller.kind == PrincipalKind::User) {
        context.set("aws:username", name);
    }
    for (key, value) in &caller.identity.tags {
        context.set(&format!("aws:PrincipalTag/{key}"), value.as_str());
    }
    for (key, values) in &caller.identity.keys {
        context.set_all(key, values.iter().map(String::as_str));
    }
    let via = &caller.identity.called_via;
    context.set("aws:ViaAWSService", (!via.is_empty()).to_string());
    if let (Some(first), Some(last)) = (via.first(), via.last()) {
        context.set_all("aws:CalledVia", via.iter().map(String::as_str));
        context.set("aws:CalledViaFirst", first.as_str());
        context.set("aws:CalledViaLast", last.as_str());
    }
}

/// Adds the condition keys of the moment.
pub fn add_time_keys(context: &mut Context, now: Timestamp) {
    context.set("aws:CurrentTime", now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    context.set("aws:EpochTime", now.as_second().to_string());
}

/// Decides whether a caller may do `action` on `resource`, an ARN or `*`, for planes whose resources have no policies
/// of their own: the root of the resource's account, and others of it within what their policies allow.
///
/// `context` is what is known of the request; the caller's own condition keys are added here.
///
/// # Errors
/// 403 AccessDenied; which statement decided is for the log.
pub fn authorize_action(
    principal: &Principal,
    action: &str,
    resource: &str,
    context: Context,
) -> Result<(), ApiError> {
    let mut context = context;
    add_caller_keys(&mut context, Some(principal));
    let owner = resource.split(':').nth(4).filter(|account| !account.is_empty() && *account != "aws");
    if let Some(owner) = owner.filter(|owner| *owner != principal.account_id) {
        let who = &principal.arn;
        return Err(ApiError::access_denied(format!("{action} by {who} on what account {owner} owns")));
    }
    let caller = Caller::new(principal, None);
    let view = caller.view();
    let bounds = Bounds::of(&principal.identity);
    let request = Request { principal: &view, action, resource, context: &context };
    let set = bounds.with(&[], true);
    let decision = evaluate(&set, &request);
    allowed(principal, action, resource, &decision)
}

/// A decision as a result.
///
/// # Errors
/// 403 AccessDenied where it denies.
pub fn allowed(
    principal: &Principal,
    action: &str,
    resource: &str,
    decision: &Decision<'_>,
) -> Result<(), ApiError> {
    if decision.effect == Outcome::Allow {
        return Ok(());
    }
    let who = &principal.arn;
    Err(ApiError::access_denied(format!("{action} by {who} on {resource}: {decision}")))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::policy::{Issuer, Policy, PolicyKind};

    fn attached(label: &str, kind: PolicyKind, text: &str) -> Attached {
        Attached { label: label.into(), policy: Arc::new(Policy::parse(text, kind).unwrap()) }
    }

    fn allow(kind: PolicyKind, actions: &str) -> Attached {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":{actions},"Resource":"*"}}]}}"#
        );
        attached("a policy", kind, &text)
    }

    fn may(principal: &Principal, action: &str, resource: &str) -> bool {
        authorize_action(principal, action, resource, Context::new()).is_ok()
    }

    #[test]
    fn a_caller_has_what_identity_boundary_and_session_have_in_common() {
        let root = Principal::root("111111111111", "AK");
        let user = "arn:aws:iam::111111111111:user/ada";
        assert!(may(&root, "iam:GetUser", user) && may(&root, "iam:ListUsers", "*"));
        assert!(!may(&root, "iam:GetUser", "arn:aws:iam::222222222222:user/ada"));
        assert!(may(&root, "iam:GetPolicy", "arn:aws:iam::aws:policy/AdministratorAccess"));
        let mut ada = Principal { kind: PrincipalKind::User, arn: user.into(), ..root };
        assert!(!may(&ada, "iam:GetUser", user));
        let mut identity = Identity {
            policies: vec![allow(PolicyKind::Identity, r#"["iam:*","sts:AssumeRole"]"#)],
            ..Identity::default()
        };
        ada.identity = Arc::new(identity.clone());
        assert!(may(&ada, "iam:GetUser", user) && may(&ada, "sts:AssumeRole", "*"));
        identity.boundary = Some(allow(PolicyKind::Boundary, r#""iam:Get*""#));
        ada.identity = Arc::new(identity.clone());
        assert!(may(&ada, "iam:GetUser", user) && !may(&ada, "iam:DeleteUser", user));
        identity.session = vec![allow(PolicyKind::Session, r#""iam:GetRole""#)];
        ada.identity = Arc::new(identity);
        assert!(!may(&ada, "iam:GetUser", user) && may(&ada, "iam:GetRole", "*"));
    }

    #[test]
    fn the_keys_of_a_session_name_its_role() {
        let issuer = Issuer {
            kind: "Role",
            arn: "arn:aws:iam::111111111111:role/team/Reader".into(),
            principal_id: "AROAX".into(),
            name: "Reader".into(),
        };
        let identity = Identity {
            issuer: Some(issuer),
            tags: [("team".to_owned(), "red".to_owned())].into(),
            keys: vec![("aws:SourceIdentity".into(), vec!["ada".into()])],
            called_via: vec!["s3-object-lambda.amazonaws.com".into()],
            ..Identity::default()
        };
        let caller = Principal {
            kind: PrincipalKind::AssumedRole,
            arn: "arn:aws:sts::111111111111:assumed-role/Reader/s".into(),
            principal_id: "AROAX:s".into(),
            identity: Arc::new(identity),
            ..Principal::root("111111111111", "ASIA")
        };
        let mut context = Context::new();
        add_caller_keys(&mut context, Some(&caller));
        for (key, value) in [
            ("aws:PrincipalArn", "arn:aws:iam::111111111111:role/team/Reader"),
            ("aws:userid", "AROAX:s"),
            ("aws:PrincipalType", "AssumedRole"),
            ("aws:PrincipalTag/team", "red"),
            ("aws:SourceIdentity", "ada"),
            ("aws:CalledVia", "s3-object-lambda.amazonaws.com"),
            ("aws:ViaAWSService", "true"),
        ] {
            assert_eq!(context.get(key), Some(&[value.to_owned()][..]), "{key}");
        }
    }
}
