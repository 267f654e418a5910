//! The Action and NotAction elements of a statement.

use super::action_table;
use super::document::PolicyKind;
use super::error::PolicyError;
use super::json::Json;
use super::pattern::Pattern;

/// The actions of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Actions {
    patterns: Box<[ActionPattern]>,
    negated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ActionPattern {
    /// `*`
    All,
    /// `service:Name`, with wildcards in the name.
    Named(Box<str>, Pattern),
}

impl Actions {
    /// Reads `Action`, or `NotAction` if negated.
    pub(super) fn parse(json: Json, negated: bool, kind: PolicyKind) -> Result<Self, PolicyError> {
        let field = if negated { "NotAction" } else { "Action" };
        let patterns = json.strings(field)?.into_iter().map(|text| {
            parse_one(&text, kind).map_err(|why| PolicyError::malformed(format!("{field}: {why}")))
        });
        Ok(Self { patterns: patterns.collect::<Result<_, _>>()?, negated })
    }

    /// Whether the statement is about an action.
    pub(super) fn include(&self, action: &str) -> bool {
        if !action.as_bytes().contains(&b':') {
            return false;
        }
        let listed = self.patterns.iter().any(|pattern| match pattern {
            ActionPattern::All => true,
            ActionPattern::Named(of, pattern) => {
                let parts = action.split_at_checked(of.len());
                let name = parts.filter(|(service, _)| of.eq_ignore_ascii_case(service));
                name.and_then(|(_, rest)| rest.strip_prefix(':'))
                    .is_some_and(|name| pattern.matches_text(name))
            }
        });
        listed != self.negated
    }
}

fn parse_one(text: &str, kind: PolicyKind) -> Result<ActionPattern, String> {
    let sts_only = kind == PolicyKind::Trust;
    if text == "*" || text == "*:*" {
        if sts_only {
            return Err("a trust policy may only have actions of sts".into());
        }
        return Ok(ActionPattern::All);
    }
    let Some((service, name)) = text.split_once(':') else {
        return Err(format!("\"{text}\" is not an action, such as \"s3:GetObject\""));
    };
    let service = service.to_ascii_lowercase();
    if !action_table::is_service(&service) {
        return Err(format!("\"{text}\" is an action of an unknown service"));
    }
    if sts_only && service != "sts" {
        return Err(format!("\"{text}\": a trust policy may only have actions of sts"));
    }
    if kind == PolicyKind::Resource && !["s3", "s3-object-lambda", "s3express", "lambda"].contains(&&*service)
    {
        return Err(format!("\"{text}\": the policy of a resource may only have actions of its service"));
    }
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"*?-_.".contains(&byte);
    let pattern = Pattern::plain(name);
    if name.is_empty() || !name.bytes().all(valid) || !action_table::names_an_action(&service, &pattern) {
        let hint =
            action_table::nearest(&service, name).map(|near| format!("; the nearest is {service}:{near}"));
        return Err(format!("\"{text}\" is not a known action{}", hint.unwrap_or_default()));
    }
    Ok(ActionPattern::Named(service.into(), pattern))
}
