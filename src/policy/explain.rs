//! Why a statement does or does not apply to a request, in words.

use std::fmt;

use super::statement::{Effect, Request, Statement};

/// What a statement makes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation<'a> {
    /// The statement: `statement 2 ('DenyPlain')`.
    pub title: String,
    /// What it does where it applies.
    pub effect: Effect,
    /// Whether it is about the caller.
    pub principal: bool,
    /// Whether it is about the action.
    pub action: bool,
    /// Whether it is about the resource.
    pub resource: bool,
    /// Its conditions.
    pub conditions: Vec<ConditionReport<'a>>,
}

/// What became of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionReport<'a> {
    /// Operator as written.
    pub operator: &'a str,
    /// Key as written.
    pub key: &'a str,
    /// Values of the policy.
    pub wanted: Vec<&'a str>,
    /// Values of the request; none where it lacks the key.
    pub found: Option<&'a [String]>,
    /// Whether it holds.
    pub holds: bool,
}

impl Explanation<'_> {
    /// Whether the statement applies.
    #[must_use]
    pub fn applies(&self) -> bool {
        self.principal
            && self.action
            && self.resource
            && self.conditions.iter().all(|condition| condition.holds)
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.effect {
            Effect::Allow => "allows",
            Effect::Deny => "denies",
        };
        if self.applies() {
            return write!(formatter, "{} {verb} it", self.title);
        }
        write!(formatter, "{} does not apply:", self.title)?;
        let mut separator = " ";
        for (fits, what) in [
            (self.principal, "it does not name the caller"),
            (self.action, "it is about other actions"),
            (self.resource, "it is about other resources"),
        ] {
            if !fits {
                write!(formatter, "{separator}{what}")?;
                separator = "; ";
            }
        }
        for condition in self.conditions.iter().filter(|condition| !condition.holds) {
            write!(formatter, "{separator}{condition}")?;
            separator = "; ";
        }
        Ok(())
    }
}

impl fmt::Display for ConditionReport<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operator, key, wanted, found, holds } = self;
        let verb = if *holds { "holds" } else { "does not hold" };
        write!(formatter, "{operator} {key} {wanted:?} {verb}, for the request has ")?;
        match found {
            Some(values) => write!(formatter, "{values:?}"),
            None => formatter.write_str("no such key"),
        }
    }
}

impl Statement {
    /// What the statement makes of a request, part by part.
    #[must_use]
    pub fn explain<'a>(&'a self, request: &Request<'a>) -> Explanation<'a> {
        let conditions = self.conditions.iter().map(|condition| ConditionReport {
            operator: &condition.shown_operator,
            key: &condition.shown_key,
            wanted: condition.shown_values.iter().map(|value| &**value).collect(),
            found: request.context.lookup(&condition.key),
            holds: self.meets(condition, request),
        });
        Explanation {
            title: self.title(),
            effect: self.effect,
            principal: self.named(request.principal, false).is_some(),
            action: self.actions.include(request.action),
            resource: self.includes_resource(request),
            conditions: conditions.collect(),
        }
    }

    /// The statement in words: `statement 2 ('DenyPlain')`.
    #[must_use]
    pub fn title(&self) -> String {
        let number = self.index + 1;
        match &self.sid {
            Some(sid) => format!("statement {number} ('{sid}')"),
            None => format!("statement {number}"),
        }
    }
}
