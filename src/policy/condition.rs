//! One condition of a statement: an operator, a key and its values.

use super::context::Keys;
use super::error::PolicyError;
use super::json::Json;
use super::operand::Operand;
use super::operator::{Comparison, Operator, Quantifier};

/// A condition, compiled.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    /// Operator.
    pub(super) operator: Operator,
    /// Name of the key, in lower case.
    pub(super) key: Box<str>,
    /// Values, any of which will do.
    pub(super) operands: Box<[Operand]>,
    /// Operator as written.
    pub(super) shown_operator: Box<str>,
    /// Key as written.
    pub(super) shown_key: Box<str>,
    /// Values as written.
    pub(super) shown_values: Box<[Box<str>]>,
}

impl Condition {
    /// Reads the `Condition` of a statement: operators, each with keys, each with values.
    pub(super) fn parse_all(json: Json, variables: bool) -> Result<Box<[Self]>, PolicyError> {
        let operators = fields(json, "Condition")?;
        let mut conditions = Vec::new();
        for (name, keys) in operators {
            let operator =
                Operator::parse(&name).map_err(|why| PolicyError::malformed(format!("Condition: {why}")))?;
            let place = format!("Condition.{name}");
            for (key, values) in fields(keys, &place)? {
                let place = format!("{place}.{key}");
                conditions.push(
                    Self::parse(&name, operator, &key, values, variables).map_err(|e| e.within(&place))?,
                );
            }
        }
        Ok(conditions.into())
    }

    fn parse(
        name: &str,
        operator: Operator,
        key: &str,
        values: Json,
        variables: bool,
    ) -> Result<Self, PolicyError> {
        let named =
            key.rsplit_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty());
        if !named || key.chars().any(char::is_control) {
            return Err(PolicyError::malformed("not a condition key, such as \"aws:SourceIp\""));
        }
        let values = match values {
            Json::Array(values) => values,
            one => vec![one],
        };
        if values.is_empty() {
            return Err(PolicyError::malformed("an empty array of values"));
        }
        let texts = values.into_iter().map(|value| match value {
            Json::String(text) | Json::Number(text) => Ok(text),
            Json::Bool(flag) => Ok(flag.to_string()),
            other => Err(PolicyError::malformed(format!("a value must be a string, not {}", other.what()))),
        });
        let texts = texts.collect::<Result<Vec<String>, _>>()?;
        let operands = texts.iter().map(|text| Operand::parse(operator.comparison, text, variables));
        Ok(Self {
            operator,
            key: key.to_ascii_lowercase().into(),
            operands: operands.collect::<Result<_, _>>().map_err(PolicyError::malformed)?,
            shown_operator: name.into(),
            shown_key: key.into(),
            shown_values: texts.into_iter().map(Into::into).collect(),
        })
    }

    /// Whether the condition holds for a request. A variable without a value never makes a condition of an allowing
    /// statement hold: `allows` says whether it is one.
    pub(super) fn holds(&self, context: &dyn Keys, allows: bool) -> bool {
        let Operator { comparison, negated, quantifier, if_exists } = self.operator;
        let values = context.lookup(&self.key).filter(|values| !values.is_empty());
        if comparison == Comparison::Null {
            let absent = values.is_none();
            let absent = if absent { "true" } else { "false" };
            return self.operands.iter().any(|operand| operand.holds(absent, context, false));
        }
        let Some(values) = values else {
            return if_exists
                || match quantifier {
                    Quantifier::Single => negated,
                    Quantifier::ForAll => true,
                    Quantifier::ForAny => false,
                };
        };
        let unresolved = negated && allows;
        let one =
            |value: &String| self.operands.iter().any(|operand| operand.holds(value, context, unresolved));
        match quantifier {
            // Several values where one is expected: any of them satisfies, and so all of them must differ.
            Quantifier::Single => values.iter().any(one) != negated,
            // To the set operators an empty text is no value.
            Quantifier::ForAll => {
                values.iter().filter(|value| !value.is_empty()).all(|value| one(value) != negated)
            }
            Quantifier::ForAny => {
                values.iter().filter(|value| !value.is_empty()).any(|value| one(value) != negated)
            }
        }
    }
}

/// The fields of what must be an object.
fn fields(json: Json, place: &str) -> Result<Vec<(String, Json)>, PolicyError> {
    match json {
        Json::Object(fields) => Ok(fields),
        other => Err(PolicyError::malformed(format!("{place} must be an object, not {}", other.what()))),
    }
}
