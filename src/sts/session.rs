//! GetSessionToken and GetFederationToken: sessions of a user or of an account's root.

use jiff::SignedDuration;

use crate::auth::{Principal, PrincipalKind};
use crate::catalog::Tags;
use crate::catalog::sessions::{self, Of, Session};
use crate::error::ApiError;
use crate::policy;
use crate::xml::Xml;

use super::request::{self, SHORTEST, SessionPolicies};
use super::{Answer, Call};

/// The longest session, in seconds.
const LONGEST: u32 = 129_600;
/// Seconds where the request says nothing.
const DEFAULT: u32 = 43_200;
/// The longest session of a root, in seconds.
const ROOT: u32 = 3_600;

/// Sessions of GetSessionToken may ask STS for roles only, and those of GetFederationToken for nothing.
///
/// # Errors
/// 403 AccessDenied.
pub(super) fn check_source(caller: &Principal, action: &str) -> Result<(), ApiError> {
    let temporary = caller.access_key_id.starts_with(sessions::PREFIX);
    let may = match caller.kind {
        PrincipalKind::Root | PrincipalKind::User => !temporary || action == "AssumeRole",
        PrincipalKind::AssumedRole => action == "AssumeRole",
        PrincipalKind::FederatedUser => false,
    };
    if may {
        return Ok(());
    }
    let who = &caller.arn;
    Err(ApiError::access_denied(format!("sts:{action} by a session of {who}")))
}

fn seconds(call: &Call<'_>, caller: &Principal) -> Result<u32, ApiError> {
    let asked = call.form.number("DurationSeconds", &(SHORTEST..=LONGEST))?.unwrap_or(DEFAULT);
    Ok(if caller.kind == PrincipalKind::Root { asked.min(ROOT) } else { asked })
}

fn of(caller: &Principal) -> Of {
    match (&caller.user_name, caller.kind) {
        (Some(name), PrincipalKind::User) => Of::User { name: name.clone(), id: caller.principal_id.clone() },
        _ => Of::Root,
    }
}

/// GetSessionToken, which needs no permission.
pub(super) fn session_token(call: &Call<'_>, caller: &Principal) -> Answer {
    check_source(caller, call.action)?;
    let made = issue(call, caller, None, SessionPolicies::default(), Tags::new())?;
    let mut xml = Xml::fragment();
    request::credentials(&mut xml, &made);
    Ok(xml)
}

/// GetFederationToken.
pub(super) fn federation_token(call: &Call<'_>, caller: &Principal) -> Answer {
    let account = &caller.account_id;
    let name = request::name(call.form, "Name", 32)?;
    check_source(caller, call.action)?;
    let mut context = call.context.clone();
    let (tags, _) = request::tags(call.form, None, &mut context)?;
    let resource = format!("arn:aws:sts::{account}:federated-user/{name}");
    policy::authorize_action(caller, "sts:GetFederationToken", &resource, context.clone())?;
    if !tags.is_empty() {
        policy::authorize_action(caller, "sts:TagSession", &resource, context)?;
    }
    let policies = request::policies(call.form, &call.plane.directory.view(), account)?;
    let packed = request::packed_size(&policies, &tags);
    let made = issue(call, caller, Some(name), policies, tags)?;
    let mut xml = Xml::fragment();
    request::credentials(&mut xml, &made);
    xml.element("FederatedUser", |xml| {
        xml.text("FederatedUserId", &format!("{account}:{name}")).text("Arn", &resource);
    });
    xml.text("PackedPolicySize", &packed.to_string());
    Ok(xml)
}

fn issue(
    call: &Call<'_>,
    caller: &Principal,
    name: Option<&str>,
    policies: SessionPolicies,
    tags: Tags,
) -> Result<sessions::Temporary, ApiError> {
    let issued = call.plane.directory.now();
    call.plane.keys.sessions.issue(Session {
        account_id: caller.account_id.clone(),
        of: of(caller),
        name: name.map(str::to_owned),
        issued,
        expires: issued + SignedDuration::from_secs(i64::from(seconds(call, caller)?)),
        policy: policies.inline,
        policy_arns: policies.arns,
        tags,
        transitive: Vec::new(),
        keys: Vec::new(),
    })
}
