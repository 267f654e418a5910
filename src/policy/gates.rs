//! The gates on the way to a bucket, one after the other: the OLAP, the access point, the bucket.

use std::cell::LazyCell;
use std::ops::Deref;
use std::sync::LazyLock;

use crate::catalog::PublicAccessBlock;
use crate::store::ObjectInfo;

use super::access::Access;
use super::caller::{Bounds, Caller};
use super::context::{Context, Keys, LazyContext};
use super::decision::{Decision, Outcome};
use super::document::{Policy, PolicyKind};
use super::evaluate::{Labelled, PolicySet, evaluate};
use super::keys::Scene;
use super::operation;
use super::principal::PrincipalView;
use super::statement::Request;
use super::stored::ResourcePolicy;
use super::via::{Lens, Via};

/// What an ACL is called.
pub(super) const ACL: &str = "an ACL";

/// What an ACL says where it grants: anybody whom it is looked up for may.
static GRANTED: LazyLock<Option<Policy>> = LazyLock::new(|| {
    let text = r#"{"Statement":{"Sid":"Grant","Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:*","Resource":"*"}}"#;
    Policy::parse(text, PolicyKind::Resource).ok()
});

/// What the owner's account alone may do, and may still do where a bucket policy cannot be read, to put it right.
pub(super) const KEPT: [&str; 3] = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];

/// One gate that a request passes.
pub(super) struct Gate<'a> {
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    /// The account whose resource it is.
    pub(super) owner: &'a str,
    /// Policies of the resource.
    pub(super) policies: &'a [Labelled<'a>],
    /// Policies of the resource of which only denials count.
    pub(super) restrictions: &'a [Labelled<'a>],
    pub(super) context: &'a dyn Keys,
    /// Whether the caller has passed the gate of an access point.
    pub(super) delegated: bool,
}

/// Sees what became of a request at one gate: the set and the request, and the decision.
pub type Seen<'v> = &'v mut dyn FnMut(&PolicySet<'_>, &Request<'_>, &Decision<'_>);

/// A caller with what bounds it.
pub(super) struct Who<'a> {
    caller: Option<Caller<'a>>,
    bounds: Bounds<'a>,
}

impl Who<'_> {
    /// Decides at one gate.
    pub(super) fn decide(&self, gate: &Gate<'_>, seen: Seen<'_>) -> Ruling {
        let view = self.caller.as_ref().map_or_else(PrincipalView::anonymous, Caller::view);
        let same_account = view.has_account() && view.account_id == gate.owner;
        let Gate { action, resource, context, .. } = *gate;
        let request = Request { principal: &view, action, resource, context };
        let set = PolicySet {
            restrictions: gate.restrictions,
            delegated: gate.delegated,
            ..self.bounds.with(gate.policies, same_account)
        };
        let decision = evaluate(&set, &request);
        seen(&set, &request, &decision);
        match decision.effect {
            Outcome::Allow => Ruling::Allow,
            Outcome::ImplicitDeny => Ruling::Silent(decision.to_string()),
            Outcome::ExplicitDeny => Ruling::Deny(format!("{decision}, for {action} on {resource}")),
        }
    }
}

/// What a gate says.
pub(super) enum Ruling {
    Allow,
    /// Nothing allows it.
    Silent(String),
    /// A statement denies it.
    Deny(String),
}

impl Ruling {
    /// Of two forms of one resource: what either denies is denied, what either allows is allowed.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (deny @ Self::Deny(_), _) | (_, deny @ Self::Deny(_)) => deny,
            (Self::Allow, _) | (_, Self::Allow) => Self::Allow,
            (silent, _) => silent,
        }
    }
}

impl<'a> Access<'a> {
    pub(super) fn who(&self) -> Who<'a> {
        let caller = self.principal.map(|principal| {
            let account = self.accounts.get(&principal.account_id);
            Caller::new(principal, account.map(|account| account.name.clone()))
        });
        Who { caller, bounds: self.principal.map(|caller| Bounds::of(&caller.identity)).unwrap_or_default() }
    }

    pub(super) fn scene<'s>(&'s self, object: Option<&'s ObjectInfo>) -> Scene<'s> {
        Scene { asked: &self.asked, principal: self.principal, via: self.via, object }
    }

    /// Passes all gates, one after the other; the first that does not allow has the last word. `granted` stands for
    /// the permission of the bucket.
    pub(super) fn walk(
        &self,
        action: &str,
        object: Option<&ObjectInfo>,
        granted: bool,
        seen: Seen<'_>,
    ) -> Ruling {
        let (who, scene) = (self.who(), self.scene(object));
        let global = LazyCell::new(|| scene.global());
        if let Some(via) = self.via {
            if via.point.bucket_account_id.as_ref().is_some_and(|owner| *owner != self.bucket.owner) {
                let name = &via.point.name;
                return Ruling::Deny(format!(
                    "denied: the bucket is not the one of access point {name}, but another account's"
                ));
            }
            if let Some(lens) = &via.lens {
                match self.at_lens(&who, lens, action, &global, seen) {
                    Ruling::Allow => {}
                    other => return other,
                }
            }
            let context = LazyContext::new(|| scene.at_s3(&global, action, &via.point.account_id));
            match self.at_point(&who, via, action, &context, seen) {
                Ruling::Allow => {}
                other => return other,
            }
        }
        let context = LazyContext::new(|| scene.at_s3(&global, action, &self.bucket.owner));
        self.at_bucket(&who, action, object, granted, &context, seen)
    }

    /// At the OLAP, by either form of its ARN: of itself, or of the object in it.
    pub(super) fn at_lens(
        &self,
        who: &Who<'_>,
        lens: &Lens,
        action: &str,
        global: &impl Deref<Target = Context>,
        seen: Seen<'_>,
    ) -> Ruling {
        let name = action.split_once(':').map_or(action, |(_, name)| name);
        let action = format!("s3-object-lambda:{name}");
        let owner = lens.point.account_id.as_str();
        let context = LazyContext::new(|| self.scene(None).at_lens(global, owner));
        let block = self.block_of(owner).and(lens.point.public_access_block);
        let label = format!("the policy of Object Lambda access point {}", lens.point.name);
        let resources = match self.key.filter(|_| !operation::is_of_bucket(&format!("s3:{name}"))) {
            Some(key) => vec![format!("{}/object/{key}", lens.arn), lens.arn.clone()],
            None => vec![lens.arn.clone()],
        };
        let mut at = |resource: &String| {
            self.at_own(
                who,
                (&action, resource, owner),
                (&label, lens.point.policy.as_ref()),
                block,
                &context,
                seen,
            )
        };
        resources.iter().map(&mut at).reduce(Ruling::or).unwrap_or_else(|| Ruling::Silent(String::new()))
    }

    fn at_point(&self, who: &Who<'_>, via: &Via, action: &str, context: &dyn Keys, seen: Seen<'_>) -> Ruling {
        let owner = via.point.account_id.as_str();
        let resource = match self.key_of(action) {
            Some(key) => format!("{}/object/{key}", via.arn),
            None => via.arn.clone(),
        };
        let block = self.block_of(owner).and(via.point.public_access_block);
        let label = format!("the policy of access point {}", via.point.name);
        self.at_own(
            who,
            (action, &resource, owner),
            (&label, via.point.policy.as_ref()),
            block,
            context,
            seen,
        )
    }

    /// At a point of an account, with the point's own policy.
    fn at_own(
        &self,
        who: &Who<'_>,
        (action, resource, owner): (&str, &str, &str),
        (label, stored): (&str, Option<&ResourcePolicy>),
        block: PublicAccessBlock,
        context: &dyn Keys,
        seen: Seen<'_>,
    ) -> Ruling {
        let policy = match stored.map(ResourcePolicy::policy) {
            Some(None) => return Ruling::Deny(format!("denied: {label} cannot be read")),
            Some(Some(policy)) => Some(Labelled { label, policy }),
            None => None,
        };
        let own = self.principal.is_some_and(|caller| caller.account_id == owner);
        let closed = !own && block.restrict_public_buckets && stored.is_some_and(ResourcePolicy::is_public);
        let policies: Vec<Labelled<'_>> = policy.into_iter().collect();
        let (policies, restrictions): (&[_], &[_]) = if closed { (&[], &policies) } else { (&policies, &[]) };
        let gate = Gate { action, resource, owner, policies, restrictions, context, delegated: false };
        who.decide(&gate, seen)
    }

    /// The key, where an action is about an object.
    fn key_of(&self, action: &str) -> Option<&'a str> {
        self.key.filter(|_| !operation::is_of_bucket(action))
    }

    fn at_bucket(
        &self,
        who: &Who<'_>,
        action: &str,
        object: Option<&ObjectInfo>,
        granted: bool,
        context: &dyn Keys,
        seen: Seen<'_>,
    ) -> Ruling {
        let bucket_owner = self.bucket.owner.as_str();
        let object_owner = object.and_then(|object| object.owner.as_deref()).unwrap_or(bucket_owner);
        let account = self.principal.map(|principal| principal.account_id.as_str());
        // The bucket's owner cannot give away what another account owns.
        let shares = object_owner == bucket_owner;
        let is_owner = account == Some(object_owner);
        let stored = self.bucket.config.policy.as_ref();
        let policy = match stored.map(ResourcePolicy::policy) {
            Some(None) if account == Some(bucket_owner) && KEPT.contains(&action) => None,
            Some(None) => return Ruling::Deny("denied: the bucket policy cannot be read".into()),
            Some(Some(policy)) => Some(Labelled { label: "the bucket policy", policy }),
            None => None,
        };
        // To the owner's own callers an ACL grants only what it grants to everybody: the rest is their policies'.
        let asking = if is_owner && shares { self.principal.map(|_| "") } else { account };
        let by_acl = granted || self.acl_allows(action, object, asking, object_owner);
        if is_owner && !shares && !by_acl {
            return Ruling::Silent("denied: the ACL of the object does not allow it to its owner".into());
        }
        let public = self.public_access_block().restrict_public_buckets;
        let closed = account != Some(bucket_owner) && public && stored.is_some_and(ResourcePolicy::is_public);
        let (mut policies, mut restrictions) = (Vec::new(), Vec::new());
        if shares && !closed {
            policies.extend(policy);
        } else {
            restrictions.extend(policy);
        }
        let grant = GRANTED.as_ref().filter(|_| by_acl && (shares || !is_owner));
        policies.extend(grant.map(|policy| Labelled { label: ACL, policy }));
        let resource = match self.key_of(action) {
            Some(key) => format!("arn:aws:s3:::{}/{key}", self.bucket.name),
            None => format!("arn:aws:s3:::{}", self.bucket.name),
        };
        let gate = Gate {
            action,
            resource: &resource,
            owner: object_owner,
            policies: &policies,
            restrictions: &restrictions,
            context,
            delegated: self.via.is_some(),
        };
        who.decide(&gate, seen)
    }
}
