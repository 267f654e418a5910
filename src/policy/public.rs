//! The meaning of public: does a policy of a resource open it to everybody?

use super::condition::Condition;
use super::document::Policy;
use super::operand::Operand;
use super::operator::{Comparison, Quantifier};
use super::principals::Principals;
use super::statement::{Effect, Statement};

/// Keys that a fixed value ties to a known caller or network, in lower case, sorted.
const FIXING_KEYS: [&str; 16] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

/// The widest range of IPv4 that does not count as everybody.
const WIDEST_V4: u8 = 8;
/// The widest range of IPv6 that does not count as everybody.
const WIDEST_V6: u8 = 32;

impl Policy {
    /// Whether the policy is public: whether a statement allows something to everybody, without a condition that ties
    /// it to fixed callers, accounts or networks. For PolicyStatus and the public access block.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.statements.iter().any(is_public)
    }
}

fn is_public(statement: &Statement) -> bool {
    statement.effect == Effect::Allow
        && statement.principals.as_ref().is_some_and(Principals::is_everybody)
        && !statement.conditions.iter().any(fixes_the_caller)
}

/// Whether a condition holds for known callers or networks only.
fn fixes_the_caller(condition: &Condition) -> bool {
    let operator = condition.operator;
    FIXING_KEYS.binary_search(&&*condition.key).is_ok()
        && !operator.negated
        && !operator.if_exists
        && operator.quantifier != Quantifier::ForAll
        && matches!(
            operator.comparison,
            Comparison::StringEquals
                | Comparison::StringEqualsIgnoreCase
                | Comparison::StringLike
                | Comparison::Arn
                | Comparison::IpAddress
        )
        && condition.operands.iter().all(|operand| is_fixed(operand, &condition.key))
}

/// Whether a value has neither wildcards nor variables, and no range of addresses that is half the world.
fn is_fixed(operand: &Operand, key: &str) -> bool {
    // An access point's account is what counts, so its name may have wildcards.
    let account_counts = key == "s3:dataaccesspointarn";
    match operand {
        Operand::Text(template) | Operand::Folded(template) => !template.has_variables(),
        Operand::Wild(pattern) if account_counts => pattern.has_fixed_account(),
        Operand::Wild(pattern) => pattern.is_fixed(),
        Operand::Arn(pattern) if account_counts => pattern.has_fixed_account(),
        Operand::Arn(pattern) => pattern.is_fixed(),
        Operand::Network(network) => network.prefix >= if network.is_v4() { WIDEST_V4 } else { WIDEST_V6 },
        Operand::Number(..)
        | Operand::Instant(..)
        | Operand::Flag(_)
        | Operand::Bytes(_)
        | Operand::Deferred(..) => false,
    }
}
