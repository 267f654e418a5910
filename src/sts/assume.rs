//! AssumeRole.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::auth::{Principal, PrincipalKind};
use crate::catalog::View;
use crate::catalog::identities::{Role, errors, names};
use crate::catalog::sessions::{Of, Session, Temporary};
use crate::error::ApiError;
use crate::xml::Xml;

use super::request::{self, SHORTEST, SessionPolicies};
use super::{Answer, Call, StsPlane, session, trust};

/// The longest session that a session of a role may make, in seconds.
const CHAINED: u32 = 3_600;
/// Seconds of a session where the request says nothing.
const DEFAULT: u32 = 3_600;

/// The account and the path of a role's ARN.
fn parse(arn: &str) -> Result<(&str, &str), ApiError> {
    let rest = arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/"));
    rest.ok_or_else(|| errors::validation(format!("{arn} is invalid")))
}

/// The account of a role's ARN, whether the role is there or not.
pub(super) fn account_of(arn: &str) -> Result<&str, ApiError> {
    parse(arn).map(|(account, _)| account)
}

/// The role of an ARN. One that is not there is refused like one that may not be assumed.
pub(super) fn role(view: &View, arn: &str) -> Result<Arc<Role>, ApiError> {
    parse(arn)?;
    let found = view.identities.role(arn).cloned();
    found.ok_or_else(|| ApiError::access_denied(format!("there is no role {arn}")))
}

/// Seconds of a session of a role.
pub(super) fn duration(call: &Call<'_>, role: &Role) -> Result<u32, ApiError> {
    let seconds = call.form.number("DurationSeconds", &(SHORTEST..=43_200))?.unwrap_or(DEFAULT);
    if seconds > role.max_session {
        return Err(errors::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(seconds)
}

/// AssumeRole.
pub(super) fn assume(call: &Call<'_>, caller: &Principal) -> Answer {
    let view = call.plane.directory.view();
    let name = request::name(call.form, "RoleSessionName", 64)?;
    let arn = call.form.required("RoleArn")?;
    session::check_source(caller, call.action)?;
    let mut context = call.context.clone();
    context.set("sts:RoleSessionName", name);
    if let Some(id) = call.form.get("ExternalId") {
        context.set("sts:ExternalId", id);
    }
    let (tags, transitive) = request::tags(call.form, Some(caller), &mut context)?;
    let asked = call.form.get("SourceIdentity").filter(|name| !name.is_empty());
    if let Some(source) = asked {
        names::check_name("SourceIdentity", source, 64)?;
        context.set("sts:SourceIdentity", source);
    }
    let role = role(&view, arn)?;
    let account_name = call.plane.accounts.name(&caller.account_id);
    let check = |action: &str| trust::check_caller(caller, account_name.clone(), &role, action, &context);
    check("sts:AssumeRole")?;
    if call.form.members("Tags").keys().next().is_some() {
        check("sts:TagSession")?;
    }
    let kept = caller.identity.keys.iter().find(|(key, _)| key == "aws:SourceIdentity");
    let kept = kept.and_then(|(_, values)| values.first().map(String::as_str));
    if let (Some(asked), Some(kept)) = (asked, kept)
        && asked != kept
    {
        return Err(ApiError::access_denied("the source identity of a session cannot be changed"));
    }
    let source = asked.or(kept);
    if source.is_some() {
        check("sts:SetSourceIdentity")?;
    }
    let seconds = duration(call, &role)?;
    if caller.kind == PrincipalKind::AssumedRole && seconds > CHAINED {
        return Err(errors::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    let policies = request::policies(call.form, &view, &role.account_id)?;
    let packed = request::packed_size(&policies, &tags);
    let mut keys = Vec::new();
    if let Some(source) = source {
        keys.push(("aws:SourceIdentity".to_owned(), vec![source.to_owned()]));
    }
    let source = source.map(str::to_owned);
    let made = issue(call.plane, &role, name, seconds, policies, (tags, transitive), keys)?;
    let mut xml = Xml::fragment();
    request::credentials(&mut xml, &made);
    show(&mut xml, &role, name, packed, source.as_deref());
    Ok(xml)
}

/// Makes a session of a role.
pub(super) fn issue(
    plane: &StsPlane,
    role: &Role,
    name: &str,
    seconds: u32,
    policies: SessionPolicies,
    (tags, transitive): (crate::catalog::Tags, Vec<String>),
    mut keys: Vec<(String, Vec<String>)>,
) -> Result<Temporary, ApiError> {
    if !transitive.is_empty() {
        keys.push((request::TRANSITIVE.to_owned(), transitive.clone()));
    }
    let issued = plane.directory.now();
    plane.keys.sessions.issue(Session {
        account_id: role.account_id.clone(),
        of: Of::Role { name: role.name.clone(), id: role.id.clone() },
        name: Some(name.to_owned()),
        issued,
        expires: issued + SignedDuration::from_secs(i64::from(seconds)),
        policy: policies.inline,
        policy_arns: policies.arns,
        tags,
        transitive,
        keys,
    })
}

/// The role's session, as it is answered beside the credentials.
pub(super) fn show(xml: &mut Xml, role: &Role, name: &str, packed: usize, source: Option<&str>) {
    let Role { account_id, id, name: role, .. } = role;
    xml.element("AssumedRoleUser", |xml| {
        xml.text("AssumedRoleId", &format!("{id}:{name}"))
            .text("Arn", &format!("arn:aws:sts::{account_id}:assumed-role/{role}/{name}"));
    });
    xml.text("PackedPolicySize", &packed.to_string());
    if let Some(source) = source {
        xml.text("SourceIdentity", source);
    }
}
