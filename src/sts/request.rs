//! What the operations have in common: durations, names, session policies and tags; and how credentials are shown.

use http::StatusCode;

use crate::auth::Principal;
use crate::catalog::identities::directory::find_policy;
use crate::catalog::identities::{errors, names};
use crate::catalog::sessions::Temporary;
use crate::catalog::{Tags, View};
use crate::error::ApiError;
use crate::policy::{Context, Policy, PolicyKind, limits};
use crate::query::Form;
use crate::query::answer::date;
use crate::xml::Xml;

/// Managed session policies of a session.
const POLICY_ARNS: usize = 10;
/// The shortest session, in seconds.
pub(super) const SHORTEST: u32 = 900;
/// Characters of a session's policies and tags together.
const PACKED: usize = 2 * limits::SESSION + 50 * (128 + 256);

/// What a session may at most, as the request says it.
#[derive(Debug, Default)]
pub(super) struct SessionPolicies {
    /// Inline.
    pub(super) inline: Option<String>,
    /// ARNs of managed policies.
    pub(super) arns: Vec<String>,
}

/// The session policies of a request; managed ones must be of the account of the role or user.
pub(super) fn policies(form: &Form, view: &View, account: &str) -> Result<SessionPolicies, ApiError> {
    let inline = form.get("Policy").filter(|text| !text.is_empty()).map(str::to_owned);
    if let Some(text) = &inline {
        Policy::parse(text, PolicyKind::Session).map_err(|error| match errors::policy(&error) {
            too_long if too_long.code == "LimitExceeded" => packed(too_long.message.into_owned()),
            malformed => malformed,
        })?;
    }
    let arns: Vec<String> = form.list_of("PolicyArns", "arn").into_iter().map(str::to_owned).collect();
    if arns.len() > POLICY_ARNS {
        return Err(packed(format!("A session may have {POLICY_ARNS} managed policies")));
    }
    for arn in &arns {
        find_policy(view, account, arn).map_err(|error| errors::validation(error.message))?;
    }
    Ok(SessionPolicies { inline, arns })
}

fn packed(message: String) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "PackedPolicyTooLarge", message)
}

/// How much of what may be packed into a session is used, in per cent.
pub(super) fn packed_size(policies: &SessionPolicies, tags: &Tags) -> usize {
    let tags: usize = tags.iter().map(|(key, value)| key.len() + value.len()).sum();
    let arns: usize = policies.arns.iter().map(String::len).sum();
    let size = policies.inline.as_ref().map_or(0, String::len) + arns + tags;
    if size == 0 { 0 } else { (size * 100 / PACKED).clamp(1, 100) }
}

/// The name of a session or a federated user.
pub(super) fn name<'a>(form: &'a Form, field: &str, most: usize) -> Result<&'a str, ApiError> {
    let name = form.required(field)?;
    if name.len() < 2 {
        return Err(errors::validation(format!("{field} must have 2 to {most} characters")));
    }
    names::check_name(field, name, most)?;
    Ok(name)
}

/// The tags of a session and those that pass on, with their condition keys. What passes on from the caller's own
/// session cannot be changed.
pub(super) fn tags(
    form: &Form,
    caller: Option<&Principal>,
    context: &mut Context,
) -> Result<(Tags, Vec<String>), ApiError> {
    let mut tags = form.tags("Tags")?;
    names::check_tags(&tags)?;
    let mut transitive: Vec<String> = form.list("TransitiveTagKeys").into_iter().map(str::to_owned).collect();
    if let Some(key) = transitive.iter().find(|key| !tags.contains_key(*key)) {
        return Err(errors::validation(format!("The transitive tag key {key} is not among the tags")));
    }
    add_tags(context, &tags, &transitive);
    let inherited = caller.map(|caller| &caller.identity).into_iter().flat_map(|identity| {
        let keys = identity.keys.iter().filter(|(key, _)| key == TRANSITIVE).flat_map(|(_, keys)| keys);
        keys.filter_map(|key| Some((key, identity.tags.get(key)?)))
    });
    for (key, value) in inherited {
        if tags.insert(key.clone(), value.clone()).is_some() {
            return Err(errors::validation(format!(
                "The tag {key} passes on from the session and cannot be changed"
            )));
        }
        transitive.push(key.clone());
    }
    Ok((tags, transitive))
}

/// The key by which a session remembers which of its tags pass on.
pub(super) const TRANSITIVE: &str = "sts:TransitiveTagKeys";

/// The condition keys of a session's tags.
pub(super) fn add_tags(context: &mut Context, tags: &Tags, transitive: &[String]) {
    for (key, value) in tags {
        context.set(&format!("aws:RequestTag/{key}"), value.as_str());
    }
    context.set_all("aws:TagKeys", tags.keys().map(String::as_str));
    context.set_all(TRANSITIVE, transitive.iter().map(String::as_str));
}

/// Credentials as they are answered.
pub(super) fn credentials(xml: &mut Xml, made: &Temporary) {
    xml.element("Credentials", |xml| {
        xml.text("AccessKeyId", &made.access_key_id)
            .text("SecretAccessKey", made.secret.expose())
            .text("SessionToken", made.token.expose())
            .text("Expiration", &date(made.expires));
    });
}
