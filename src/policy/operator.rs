//! The operators of conditions: their names and what each is made of.

use std::cmp::Ordering;

/// What a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// Text.
    StringEquals,
    /// Text, whatever the case.
    StringEqualsIgnoreCase,
    /// Text with wildcards.
    StringLike,
    /// Numbers.
    Numeric(Order),
    /// Times.
    Date(Order),
    /// Truth values.
    Bool,
    /// Bytes.
    Binary,
    /// Addresses.
    IpAddress,
    /// ARNs with wildcards.
    Arn,
    /// Whether the key is absent.
    Null,
}

/// How numbers and times compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Equals.
    Equal,
    /// Less than.
    Less,
    /// Less than or equal.
    LessEqual,
    /// Greater than.
    Greater,
    /// Greater than or equal.
    GreaterEqual,
}

impl Order {
    /// Whether a value that compares so with the operand satisfies the operator.
    pub(super) fn allows(self, found: Ordering) -> bool {
        match self {
            Self::Equal => found.is_eq(),
            Self::Less => found.is_lt(),
            Self::LessEqual => found.is_le(),
            Self::Greater => found.is_gt(),
            Self::GreaterEqual => found.is_ge(),
        }
    }
}

/// How the several values of a key count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    /// The key is taken to have one value.
    Single,
    /// `ForAllValues:`
    ForAll,
    /// `ForAnyValue:`
    ForAny,
}

/// An operator, with what stands before and behind its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    /// What it compares.
    pub(super) comparison: Comparison,
    /// Whether it is one of the `Not` operators.
    pub(super) negated: bool,
    /// What stands before the name.
    pub(super) quantifier: Quantifier,
    /// Whether `IfExists` stands behind the name.
    pub(super) if_exists: bool,
}

/// The names of all operators.
const NAMES: &[(&str, Comparison, bool)] = &[
    ("StringEquals", Comparison::StringEquals, false),
    ("StringNotEquals", Comparison::StringEquals, true),
    ("StringEqualsIgnoreCase", Comparison::StringEqualsIgnoreCase, false),
    ("StringNotEqualsIgnoreCase", Comparison::StringEqualsIgnoreCase, true),
    ("StringLike", Comparison::StringLike, false),
    ("StringNotLike", Comparison::StringLike, true),
    ("NumericEquals", Comparison::Numeric(Order::Equal), false),
    ("NumericNotEquals", Comparison::Numeric(Order::Equal), true),
    ("NumericLessThan", Comparison::Numeric(Order::Less), false),
    ("NumericLessThanEquals", Comparison::Numeric(Order::LessEqual), false),
    ("NumericGreaterThan", Comparison::Numeric(Order::Greater), false),
    ("NumericGreaterThanEquals", Comparison::Numeric(Order::GreaterEqual), false),
    ("DateEquals", Comparison::Date(Order::Equal), false),
    ("DateNotEquals", Comparison::Date(Order::Equal), true),
    ("DateLessThan", Comparison::Date(Order::Less), false),
    ("DateLessThanEquals", Comparison::Date(Order::LessEqual), false),
    ("DateGreaterThan", Comparison::Date(Order::Greater), false),
    ("DateGreaterThanEquals", Comparison::Date(Order::GreaterEqual), false),
    ("Bool", Comparison::Bool, false),
    ("BinaryEquals", Comparison::Binary, false),
    ("IpAddress", Comparison::IpAddress, false),
    ("NotIpAddress", Comparison::IpAddress, true),
    ("ArnEquals", Comparison::Arn, false),
    ("ArnNotEquals", Comparison::Arn, true),
    ("ArnLike", Comparison::Arn, false),
    ("ArnNotLike", Comparison::Arn, true),
    ("Null", Comparison::Null, false),
];

impl Operator {
    /// Reads an operator: `ForAnyValue:StringLikeIfExists`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (quantifier, name) = match text.split_once(':') {
            None => (Quantifier::Single, text),
            Some((set, name)) if set.eq_ignore_ascii_case("ForAllValues") => (Quantifier::ForAll, name),
            Some((set, name)) if set.eq_ignore_ascii_case("ForAnyValue") => (Quantifier::ForAny, name),
            Some((set, _)) => return Err(format!("unknown set operator \"{set}\"")),
        };
        let base = name.len().checked_sub("IfExists".len()).and_then(|at| name.split_at_checked(at));
        let (name, if_exists) = match base {
            Some((base, end)) if end.eq_ignore_ascii_case("IfExists") => (base, true),
            _ => (name, false),
        };
        let Some((_, comparison, negated)) = NAMES.iter().find(|known| known.0.eq_ignore_ascii_case(name))
        else {
            let nearest = NAMES
                .iter()
                .map(|known| (strsim::jaro_winkler(known.0, name), known.0))
                .max_by(|left, right| left.0.total_cmp(&right.0))
                .filter(|(score, _)| *score > 0.85);
            let hint = nearest.map(|(_, near)| format!("; the nearest is {near}")).unwrap_or_default();
            return Err(format!("unknown condition operator \"{text}\"{hint}"));
        };
        if if_exists && *comparison == Comparison::Null {
            return Err(format!("\"{text}\": Null does not take IfExists"));
        }
        Ok(Self { comparison: *comparison, negated: *negated, quantifier, if_exists })
    }
}
