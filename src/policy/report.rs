//! What became of a request at one gate, statement by statement, for whoever asks why.

use super::decision::Decision;
use super::evaluate::{Labelled, PolicySet};
use super::statement::Request;

/// What a statement made of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementReport {
    /// What its policy is called.
    pub policy: String,
    /// Whether it applies.
    pub applies: bool,
    /// Why, in words.
    pub words: String,
}

/// What became of a request at one gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateReport {
    /// Action.
    pub action: String,
    /// ARN of the resource.
    pub resource: String,
    /// Whether the gate lets it pass.
    pub allowed: bool,
    /// Which statement decided, in words.
    pub reason: String,
    /// Every statement of every policy that was looked at.
    pub statements: Vec<StatementReport>,
}

impl GateReport {
    /// Of a decision.
    #[must_use]
    pub fn of(set: &PolicySet<'_>, request: &Request<'_>, decision: &Decision<'_>) -> Self {
        let kinds: [&[Labelled<'_>]; 5] =
            [set.identity, set.boundaries, set.sessions, set.resource, set.restrictions];
        let mut statements = Vec::new();
        for Labelled { label, policy } in kinds.into_iter().flatten() {
            statements.extend(policy.explain(request).iter().map(|explanation| StatementReport {
                policy: (*label).to_owned(),
                applies: explanation.applies(),
                words: explanation.to_string(),
            }));
        }
        Self {
            action: request.action.to_owned(),
            resource: request.resource.to_owned(),
            allowed: decision.is_allowed(),
            reason: decision.reason.to_string(),
            statements,
        }
    }
}
