//! May this principal do this? The one question of every plane, and it fails closed.
//!
//! - [`operation`]: the closed table of operations; one that is not there is denied to everybody. [`planes`]: those of
//!   S3 Control and the admin API.
//! - [`origin`], [`asked`], [`trail`]: what is known of a request, and what was decided about it.
//! - [`access`]: buckets and objects: accounts, policies, ACLs, ownership, public access blocks.
//! - [`caller`]: what a caller may do by its own policies, on resources that have none.
//!
//! The language of policies is here, without I/O: a [`Policy`] is parsed and checked when it is put ([`document`],
//! [`statement`]), and [`evaluate()`] decides a [`Request`] against a [`PolicySet`]. The [`Decision`] says which
//! statement decided, in words; [`Policy::explain`] says it of every statement.

use crate::auth::Principal;
use crate::error::ApiError;

pub mod access;
mod action;
mod action_table;
mod arn;
pub mod asked;
pub mod caller;
mod condition;
pub mod context;
pub mod decision;
pub mod document;
pub mod error;
pub mod evaluate;
pub mod explain;
mod gates;
mod grants;
pub mod identity;
mod json;
mod keys;
pub mod limits;
mod operand;
pub mod operation;
mod operator;
pub mod origin;
mod pattern;
pub mod planes;
pub mod principal;
mod principals;
mod public;
pub mod report;
mod resource;
pub mod statement;
pub mod stored;
pub mod trail;
mod variables;
pub mod via;

use context::LazyContext;
pub use context::{Context, Keys};
pub use decision::{Decision, Found, Outcome, Reason};
pub use document::{Policy, PolicyKind};
pub use error::PolicyError;
pub use evaluate::{Labelled, PolicySet, evaluate};
pub use explain::{ConditionReport, Explanation};
pub use gates::Seen;
pub use identity::{Attached, Identity, Issuer};
pub use operand::Network;
pub use origin::{Origin, Signed};
pub use principal::{CallerKind, PrincipalView};
pub use statement::{Effect, Request, Statement};
pub use stored::ResourcePolicy;
pub use trail::Trail;
pub use via::Via;

pub use access::{Access, FunctionForm};
pub use asked::{Asked, Said};
pub use caller::authorize_action;

/// Whether a service that Refract answers for has an action of this name.
#[must_use]
pub fn is_action(service: &str, name: &str) -> bool {
    action_table::has(service, name)
}

/// What a request is about, for planes beside S3.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Its ARN, or `*`.
    pub resource: &'a str,
    /// The account that owns it; empty for the caller's own.
    pub owner: &'a str,
    /// Its own policies.
    pub policies: &'a [Labelled<'a>],
}

impl<'a> Target<'a> {
    /// What has no policy of its own, and so is not shared with other accounts.
    #[must_use]
    pub fn plain(resource: &'a str, owner: &'a str) -> Self {
        Self { resource, owner, policies: &[] }
    }
}

/// Decides whether `principal` may do `action` on `resource`, an ARN of what the account `owner` owns, for planes whose
/// resources are not shared with other accounts.
///
/// # Errors
/// 403 AccessDenied for an anonymous caller, for another account, and for whom no policy allows it.
pub fn authorize(
    principal: Option<&Principal>,
    asked: &Asked<'_>,
    action: &str,
    resource: &str,
    owner: &str,
) -> Result<(), ApiError> {
    authorize_on(principal, asked, action, Target::plain(resource, owner))
}

/// The same, on what may have policies of its own.
///
/// # Errors
/// As [`authorize`]; another account's caller needs both its own policies and those of the target.
pub fn authorize_on(
    principal: Option<&Principal>,
    asked: &Asked<'_>,
    action: &str,
    target: Target<'_>,
) -> Result<(), ApiError> {
    let trail = asked.trail.filter(|_| operation::is_change(action));
    authorize_seen(principal, asked, action, target, &mut |_, _, decision| {
        if let Some(trail) = trail.filter(|_| decision.is_allowed()) {
            trail.allowed(|| decision.reason.to_string());
        }
    })
}

/// The same, and shows what was decided.
///
/// # Errors
/// As [`authorize_on`].
pub fn authorize_seen(
    principal: Option<&Principal>,
    asked: &Asked<'_>,
    action: &str,
    target: Target<'_>,
    seen: Seen<'_>,
) -> Result<(), ApiError> {
    let Some(caller) = principal else {
        return Err(ApiError::access_denied(format!("{action} by an anonymous caller")));
    };
    let (who, resource) = (&caller.arn, target.resource);
    let owner = if target.owner.is_empty() { &caller.account_id } else { target.owner };
    let own = caller.account_id == owner;
    if !own && target.policies.is_empty() {
        return Err(ApiError::access_denied(format!("{action} by {who} on what account {owner} owns")));
    }
    let scene = keys::Scene { asked, principal, via: None, object: None };
    let context = LazyContext::new(|| scene.at_s3(&scene.global(), action, owner));
    let (bounds, caller) = (caller::Bounds::of(&caller.identity), caller::Caller::new(caller, None));
    let view = caller.view();
    let request = Request { principal: &view, action, resource, context: &context };
    let set = bounds.with(target.policies, own);
    let decision = evaluate(&set, &request);
    seen(&set, &request, &decision);
    if decision.is_allowed() {
        return Ok(());
    }
    Err(ApiError::access_denied(format!("{action} by {who} on {resource}: {decision}")))
}
