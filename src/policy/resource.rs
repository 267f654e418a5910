//! The Resource and NotResource elements of a statement.

use super::arn::ArnPattern;
use super::context::Keys;
use super::error::PolicyError;
use super::json::Json;

/// The resources of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resources {
    patterns: Box<[ArnPattern]>,
    texts: Box<[Box<str>]>,
    negated: bool,
}

impl Resources {
    /// Reads `Resource`, or `NotResource` if negated.
    pub(super) fn parse(json: Json, negated: bool, variables: bool) -> Result<Self, PolicyError> {
        let field = if negated { "NotResource" } else { "Resource" };
        let texts = json.strings(field)?;
        let patterns = texts.iter().map(|text| {
            ArnPattern::parse(text, variables)
                .map_err(|why| PolicyError::malformed(format!("{field}: {why}")))
        });
        let patterns = patterns.collect::<Result<_, _>>()?;
        Ok(Self { patterns, texts: texts.into_iter().map(Into::into).collect(), negated })
    }

    /// Whether the statement is about a resource. A variable without a value never widens an allowing statement:
    /// `allows` says whether it is one.
    pub(super) fn include(&self, arn: &str, context: &dyn Keys, allows: bool) -> bool {
        let unresolved = self.negated && allows;
        let listed = self.patterns.iter().any(|pattern| pattern.matches(arn, context).unwrap_or(unresolved));
        listed != self.negated
    }

    /// The resources as written, and whether they stand in NotResource.
    pub(super) fn texts(&self) -> (impl Iterator<Item = &str>, bool) {
        (self.texts.iter().map(|text| &**text), self.negated)
    }
}
