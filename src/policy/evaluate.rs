//! The decision: all policies that bear on a request, by AWS's rules.

use super::decision::{Decision, Found, Outcome, Reason};
use super::document::Policy;
use super::principal::CallerKind;
use super::principals::Naming;
use super::statement::{Effect, Request};

/// A policy and what to call it: `the bucket policy`.
#[derive(Debug, Clone, Copy)]
pub struct Labelled<'a> {
    /// What to call it.
    pub label: &'a str,
    /// The policy.
    pub policy: &'a Policy,
}

/// Everything that bears on a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct PolicySet<'a> {
    /// Policies of the caller and the caller's groups, or of the caller's role.
    pub identity: &'a [Labelled<'a>],
    /// The permissions boundary of the caller or the caller's role. None: no limit.
    pub boundaries: &'a [Labelled<'a>],
    /// Policies of the caller's session, which together say what it may at most. None: no limit.
    pub sessions: &'a [Labelled<'a>],
    /// Policies of the resource.
    pub resource: &'a [Labelled<'a>],
    /// Policies of the resource of which only denials count.
    pub restrictions: &'a [Labelled<'a>],
    /// Whether the caller was let through an access point of the resource. Then a bucket of another account that hands
    /// its permissions to the access point asks no identity policy once more.
    pub delegated: bool,
    /// Whether the resource is of the caller's account.
    pub same_account: bool,
}

/// What the root of an account can always do.
const KEPT_BY_ROOT: [&str; 3] = ["s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"];

/// Decides a request.
///
/// A denying statement anywhere wins. In one account, a policy of the resource that names the caller itself, or
/// everybody, is enough; one that names the caller's role counts like a policy of the role, within boundary and
/// session; one that names the account only leaves it to the account's identity policies. From another account, both
/// sides must allow. The root of an account may do everything in it that no policy of a resource denies.
#[must_use]
pub fn evaluate<'a>(set: &PolicySet<'a>, request: &Request<'a>) -> Decision<'a> {
    let caller = request.principal;
    let bounded = !set.boundaries.is_empty();
    let root = caller.kind == CallerKind::Root;
    let identity = scan(set.identity, request, bounded);
    let boundary = scan(set.boundaries, request, bounded);
    let session = scan(set.sessions, request, bounded);
    let resource = scan(set.resource, request, bounded);
    let restriction = scan(set.restrictions, request, bounded);
    if let Some(found) = identity.deny.or(boundary.deny).or(session.deny) {
        return Decision { effect: Outcome::ExplicitDeny, reason: Reason::DeniedBy(found) };
    }
    let kept = root
        && set.same_account
        && set.sessions.is_empty()
        && KEPT_BY_ROOT.iter().any(|action| action.eq_ignore_ascii_case(request.action));
    if kept {
        return allow(Reason::RootKeepsPolicy);
    }
    if let Some(found) = resource.deny.or(restriction.deny) {
        return Decision { effect: Outcome::ExplicitDeny, reason: Reason::DeniedBy(found) };
    }
    let nothing = Reason::NothingAllows { action: request.action, resource: request.resource };
    if !caller.has_account() {
        return resource.allow.map_or(deny(nothing), |(_, found)| allow(Reason::AllowedBy(found)));
    }
    let own =
        if root { Some(Reason::Root) } else { identity.allow.map(|(_, found)| Reason::AllowedBy(found)) };
    let reason = if set.same_account {
        match (resource.allow, own) {
            (Some((Naming::Direct, found)), None) => return allow(Reason::AllowedBy(found)),
            (Some((Naming::Direct, found)), Some(_)) if !root => return allow(Reason::AllowedBy(found)),
            (_, Some(reason)) => reason,
            (Some((Naming::Issuer, found)), None) => Reason::AllowedBy(found),
            (Some((Naming::Account, found)), None) => return deny(Reason::OnlyTheAccount(found)),
            (None, None) => return deny(nothing),
        }
    } else {
        match (resource.allow, own) {
            (Some((_, found)), Some(_)) => Reason::AllowedBy(found),
            (Some((Naming::Direct, found)), None) if set.delegated => return allow(Reason::AllowedBy(found)),
            (Some((_, found)), None) => return deny(Reason::OwnAccountSilent(found)),
            (None, Some(_)) => return deny(Reason::ResourceSilent { resource: request.resource }),
            (None, None) => return deny(nothing),
        }
    };
    if let (Some(first), None) = (set.boundaries.first(), boundary.allow) {
        return deny(Reason::OutsideBoundary { label: first.label, action: request.action });
    }
    if let (Some(first), None) = (set.sessions.first(), session.allow) {
        return deny(Reason::OutsideSession { label: first.label, action: request.action });
    }
    allow(reason)
}

fn allow(reason: Reason<'_>) -> Decision<'_> {
    Decision { effect: Outcome::Allow, reason }
}

fn deny(reason: Reason<'_>) -> Decision<'_> {
    Decision { effect: Outcome::ImplicitDeny, reason }
}

/// What policies of one kind say.
struct Scan<'a> {
    deny: Option<Found<'a>>,
    /// The statement that names the caller most directly.
    allow: Option<(Naming, Found<'a>)>,
}

fn scan<'a>(policies: &'a [Labelled<'a>], request: &Request<'a>, bounded: bool) -> Scan<'a> {
    let mut scan = Scan { deny: None, allow: None };
    for &Labelled { label, policy } in policies {
        for statement in &policy.statements {
            let best = scan.allow.map(|(naming, _)| naming);
            if statement.effect() == Effect::Allow && best == Some(Naming::Direct) {
                continue;
            }
            let Some(naming) = statement.applies(request, bounded) else { continue };
            let found = Found { label, statement };
            match statement.effect() {
                Effect::Deny => return Scan { deny: Some(found), ..scan },
                Effect::Allow if Some(naming) > best => scan.allow = Some((naming, found)),
                Effect::Allow => {}
            }
        }
    }
    scan
}
