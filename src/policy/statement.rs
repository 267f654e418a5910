//! One statement of a policy.

use super::action::Actions;
use super::condition::Condition;
use super::context::Keys;
use super::document::PolicyKind;
use super::error::PolicyError;
use super::json::Json;
use super::principal::PrincipalView;
use super::principals::{Naming, Principals};
use super::resource::Resources;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: &'a PrincipalView<'a>,
    /// Action: `s3:GetObject`.
    pub action: &'a str,
    /// ARN of the resource.
    pub resource: &'a str,
    /// What else is known.
    pub context: &'a dyn Keys,
}

/// What a statement does where it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Allows.
    Allow,
    /// Denies, whatever allows.
    Deny,
}

/// A statement, compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub(super) index: usize,
    pub(super) sid: Option<Box<str>>,
    pub(super) effect: Effect,
    pub(super) principals: Option<Principals>,
    pub(super) actions: Actions,
    pub(super) resources: Option<Resources>,
    pub(super) conditions: Box<[Condition]>,
}

impl Statement {
    /// The place of the statement in its policy, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Its name, where it has one.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// What it does.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The patterns of Resource or NotResource as written, and whether it is NotResource.
    pub fn resources(&self) -> (impl Iterator<Item = &str>, bool) {
        let texts = self.resources.as_ref().map(Resources::texts);
        let negated = texts.as_ref().is_some_and(|(_, negated)| *negated);
        (texts.into_iter().flat_map(|(texts, _)| texts), negated)
    }

    /// Whether the statement applies, and how it names the caller. The policies of an identity name nobody, for they
    /// are about whom they are attached to.
    pub(super) fn applies(&self, request: &Request<'_>, bounded: bool) -> Option<Naming> {
        if !self.actions.include(request.action) {
            return None;
        }
        let naming = self.named(request.principal, bounded)?;
        let applies =
            self.includes_resource(request) && self.conditions.iter().all(|one| self.meets(one, request));
        applies.then_some(naming)
    }

    /// How the statement names a caller.
    pub(super) fn named(&self, caller: &PrincipalView<'_>, bounded: bool) -> Option<Naming> {
        self.principals.as_ref().map_or(Some(Naming::Direct), |principals| principals.names(caller, bounded))
    }

    /// Whether the statement is about the resource.
    pub(super) fn includes_resource(&self, request: &Request<'_>) -> bool {
        let allows = self.effect == Effect::Allow;
        self.resources.as_ref().is_none_or(|all| all.include(request.resource, request.context, allows))
    }

    /// Whether a condition of the statement holds.
    pub(super) fn meets(&self, condition: &Condition, request: &Request<'_>) -> bool {
        condition.holds(request.context, self.effect == Effect::Allow)
    }

    /// Reads a statement.
    pub(super) fn parse(
        json: Json,
        index: usize,
        kind: PolicyKind,
        variables: bool,
    ) -> Result<Self, PolicyError> {
        let number = index + 1;
        let place = |sid: Option<&str>| match sid {
            Some(sid) => format!("statement {number} ('{sid}')"),
            None => format!("statement {number}"),
        };
        let Json::Object(fields) = json else {
            let message = format!("must be an object, not {}", json.what());
            return Err(PolicyError::malformed(message).within(&place(None)));
        };
        let sid = fields.iter().find_map(|field| match field {
            (name, Json::String(sid)) if name == "Sid" => Some(sid.clone()),
            _ => None,
        });
        let place = place(sid.as_deref());
        Draft::read(fields, kind, variables)
            .and_then(|draft| draft.finish(index, kind))
            .map_err(|error| error.within(&place))
    }
}

/// The fields of a statement, as they were found.
#[derive(Default)]
struct Draft {
    sid: Option<String>,
    effect: Option<Effect>,
    principals: Option<Principals>,
    actions: Option<Actions>,
    resources: Option<Resources>,
    conditions: Box<[Condition]>,
}

impl Draft {
    fn read(fields: Vec<(String, Json)>, kind: PolicyKind, variables: bool) -> Result<Self, PolicyError> {
        let mut draft = Self::default();
        let both = |what: &str| PolicyError::malformed(format!("{what} and Not{what} exclude each other"));
        for (name, value) in fields {
            let negated = name.starts_with("Not");
            match name.as_str() {
                "Sid" => draft.sid = Some(sid(value, kind)?),
                "Effect" => draft.effect = Some(effect(value)?),
                "Principal" | "NotPrincipal" => {
                    if draft.principals.replace(Principals::parse(value, negated)?).is_some() {
                        return Err(both("Principal"));
                    }
                }
                "Action" | "NotAction" => {
                    if draft.actions.replace(Actions::parse(value, negated, kind)?).is_some() {
                        return Err(both("Action"));
                    }
                }
                "Resource" | "NotResource" => {
                    if draft.resources.replace(Resources::parse(value, negated, variables)?).is_some() {
                        return Err(both("Resource"));
                    }
                }
                "Condition" => draft.conditions = Condition::parse_all(value, variables)?,
                _ => return Err(PolicyError::malformed(format!("unknown field \"{name}\""))),
            }
        }
        Ok(draft)
    }

    fn finish(self, index: usize, kind: PolicyKind) -> Result<Statement, PolicyError> {
        let error = |message: &str| Err(PolicyError::malformed(message));
        let Some(effect) = self.effect else { return error("the field Effect is missing") };
        let Some(actions) = self.actions else { return error("the field Action is missing") };
        let named = matches!(kind, PolicyKind::Resource | PolicyKind::Trust);
        match &self.principals {
            None if named => return error("the field Principal is missing"),
            Some(_) if !named => {
                return error(
                    "Principal is not allowed here, for the policy is about whom it is attached to",
                );
            }
            Some(principals) if principals.is_negated() => {
                if kind == PolicyKind::Trust {
                    return error("NotPrincipal is not allowed in a trust policy");
                }
                if effect == Effect::Allow {
                    return error("NotPrincipal is not allowed with the Effect Allow");
                }
            }
            _ => {}
        }
        match (&self.resources, kind) {
            (Some(_), PolicyKind::Trust) => return error("Resource is not allowed in a trust policy"),
            (None, kind) if kind != PolicyKind::Trust => return error("the field Resource is missing"),
            _ => {}
        }
        Ok(Statement {
            index,
            sid: self.sid.filter(|sid| !sid.is_empty()).map(Into::into),
            effect,
            principals: self.principals,
            actions,
            resources: self.resources,
            conditions: self.conditions,
        })
    }
}

fn effect(json: Json) -> Result<Effect, PolicyError> {
    match json.string("Effect")?.as_str() {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        other => {
            Err(PolicyError::malformed(format!("Effect must be \"Allow\" or \"Deny\", not \"{other}\"")))
        }
    }
}

/// The name of a statement; IAM takes letters and digits only.
fn sid(json: Json, kind: PolicyKind) -> Result<String, PolicyError> {
    let sid = json.string("Sid")?;
    let plain = kind == PolicyKind::Resource || sid.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plain { Ok(sid) } else { Err(PolicyError::malformed("Sid may only have letters and digits")) }
}
