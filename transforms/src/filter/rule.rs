//! The rules of `filter`: their JSON, and their evaluation with a third answer, *unknown*.
//!
//! A comparison with something absent (a field, an attribute of the caller) or of another kind is neither true nor
//! false, and stays unknown under `not`. A row is kept only by true: so a caller without the attribute sees nothing.

use std::cmp::Ordering;
use std::sync::Arc;

use regex_automata::meta::Regex;
use serde::Deserialize;

use super::value::Operand;
use crate::payload::error;
use crate::table::{Attribute, Cell};
use crate::{Identity, PayloadError};

/// Rules of one payload, those inside of others included.
const RULES_MAX: usize = 256;

/// How deep rules may stand in each other.
const DEPTH_MAX: usize = 16;

/// A rule as it is written: `all`, `any` or `not`, or a `column` (or `identity`) and one or more tests of it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RulePayload {
    all: Option<Vec<Self>>,
    any: Option<Vec<Self>>,
    not: Option<Box<Self>>,
    column: Option<String>,
    identity: Option<Attribute>,
    eq: Option<Operand>,
    ne: Option<Operand>,
    lt: Option<Operand>,
    le: Option<Operand>,
    gt: Option<Operand>,
    ge: Option<Operand>,
    r#in: Option<Vec<Operand>>,
    contains: Option<Operand>,
    starts_with: Option<Operand>,
    ends_with: Option<Operand>,
    matches: Option<String>,
    exists: Option<bool>,
}

/// The rules of a payload, all of which must hold.
#[derive(Debug)]
pub(super) struct Rules {
    rule: Rule,
    /// Names of the columns that rules test, each once; a test names its column by position here.
    columns: Vec<Named>,
    name_the_caller: bool,
}

/// A column and where in the payload it was named first.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) path: String,
}

#[derive(Debug)]
enum Rule {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Test(Subject, Vec<Test>),
}

#[derive(Debug)]
enum Subject {
    Column(usize),
    Caller(Attribute),
}

#[derive(Debug)]
enum Test {
    Equal(Operand),
    NotEqual(Operand),
    Less(Operand),
    LessOrEqual(Operand),
    Greater(Operand),
    GreaterOrEqual(Operand),
    In(Vec<Operand>),
    Contains(Operand),
    StartsWith(Operand),
    EndsWith(Operand),
    Matches(Arc<Regex>),
    Exists(bool),
}

impl Rules {
    pub(super) fn compile(written: Vec<RulePayload>) -> Result<Self, PayloadError> {
        let mut compiler = Compiler { columns: Vec::new(), name_the_caller: false, count: 0 };
        let rules = compiler.list(written, "where", 0)?;
        Ok(Self {
            rule: Rule::All(rules),
            columns: compiler.columns,
            name_the_caller: compiler.name_the_caller,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(&self.rule, Rule::All(rules) if rules.is_empty())
    }

    pub(super) fn name_the_caller(&self) -> bool {
        self.name_the_caller
    }

    pub(super) fn columns(&self) -> &[Named] {
        &self.columns
    }

    /// Whether a row is kept. `cell` gives the value of a column by its position in [`columns`](Self::columns).
    pub(super) fn keep<'c>(&self, identity: &Identity, cell: &dyn Fn(usize) -> Cell<'c>) -> bool {
        self.rule.holds(identity, cell) == Some(true)
    }
}

struct Compiler {
    columns: Vec<Named>,
    name_the_caller: bool,
    count: usize,
}

impl Compiler {
    fn list(
        &mut self,
        written: Vec<RulePayload>,
        path: &str,
        depth: usize,
    ) -> Result<Vec<Rule>, PayloadError> {
        let each = written.into_iter().enumerate();
        each.map(|(i, rule)| self.rule(rule, &format!("{path}[{i}]"), depth + 1)).collect()
    }

    fn rule(&mut self, written: RulePayload, path: &str, depth: usize) -> Result<Rule, PayloadError> {
        let refuse = |message: &str| Err(error("filter", path, message));
        self.count += 1;
        if self.count > RULES_MAX {
            return refuse(&format!("is one too many: there may be {RULES_MAX} rules"));
        }
        if depth > DEPTH_MAX {
            return refuse(&format!("is too deep: rules may stand in each other {DEPTH_MAX} deep"));
        }
        let RulePayload {
            all,
            any,
            not,
            column,
            identity,
            eq,
            ne,
            lt,
            le,
            gt,
            ge,
            r#in,
            contains,
            starts_with,
            ends_with,
            matches,
            exists,
        } = written;
        let mut tests: Vec<Test> = [
            eq.map(Test::Equal),
            ne.map(Test::NotEqual),
            lt.map(Test::Less),
            le.map(Test::LessOrEqual),
            gt.map(Test::Greater),
            ge.map(Test::GreaterOrEqual),
            r#in.map(Test::In),
            contains.map(Test::Contains),
            starts_with.map(Test::StartsWith),
            ends_with.map(Test::EndsWith),
            exists.map(Test::Exists),
        ]
        .into_iter()
        .flatten()
        .collect();
        if let Some(pattern) = matches {
            tests.push(Test::Matches(Arc::new(regex(&pattern, path)?)));
        }
        let combines = usize::from(all.is_some()) + usize::from(any.is_some()) + usize::from(not.is_some());
        let subjects = usize::from(column.is_some()) + usize::from(identity.is_some());
        if combines + subjects != 1 {
            return refuse("must have exactly one of `column`, `identity`, `all`, `any` and `not`");
        }
        if combines == 1 && !tests.is_empty() {
            return refuse("cannot have a test beside `all`, `any` or `not`");
        }
        if let Some(rules) = all {
            return Ok(Rule::All(self.list(rules, &format!("{path}.all"), depth)?));
        }
        if let Some(rules) = any {
            return Ok(Rule::Any(self.list(rules, &format!("{path}.any"), depth)?));
        }
        if let Some(rule) = not {
            return Ok(Rule::Not(Box::new(self.rule(*rule, &format!("{path}.not"), depth + 1)?)));
        }
        if tests.is_empty() {
            return refuse(
                "has no test: eq, ne, lt, le, gt, ge, in, contains, starts_with, ends_with, matches or exists",
            );
        }
        self.name_the_caller |= identity.is_some() || tests.iter().any(Test::names_the_caller);
        let subject = match (column, identity) {
            (Some(name), _) => Subject::Column(self.column(name, path)),
            (None, Some(attribute)) => Subject::Caller(attribute),
            (None, None) => return refuse("names neither a column nor an identity attribute"),
        };
        Ok(Rule::Test(subject, tests))
    }

    fn column(&mut self, name: String, path: &str) -> usize {
        self.columns.iter().position(|c| c.name == name).unwrap_or_else(|| {
            self.columns.push(Named { name, path: path.to_owned() });
            self.columns.len() - 1
        })
    }
}

/// A regular expression over bytes, searched for anywhere in a value. Its size is capped, and it runs in linear time.
fn regex(pattern: &str, path: &str) -> Result<Regex, PayloadError> {
    let path = format!("{path}.matches");
    if pattern.len() > 1024 {
        return Err(error("filter", &path, "is longer than 1024 bytes"));
    }
    let config = Regex::config().nfa_size_limit(Some(2 << 20)).utf8_empty(false);
    Regex::builder()
        .configure(config)
        .syntax(regex_automata::util::syntax::Config::new().utf8(false).nest_limit(64))
        .build(pattern)
        .map_err(|e| {
            let detail = e.syntax_error().map_or_else(|| e.to_string(), ToString::to_string);
            error("filter", &path, format!("is not a regular expression that can be used: {detail}"))
        })
}

impl Rule {
    fn holds<'c>(&self, identity: &Identity, cell: &dyn Fn(usize) -> Cell<'c>) -> Option<bool> {
        match self {
            Self::All(rules) => every(rules.iter().map(|r| r.holds(identity, cell))),
            Self::Any(rules) => every(rules.iter().map(|r| r.holds(identity, cell).map(|h| !h))).map(|h| !h),
            Self::Not(rule) => rule.holds(identity, cell).map(|h| !h),
            Self::Test(subject, tests) => {
                let value = match subject {
                    Subject::Column(i) => cell(*i),
                    Subject::Caller(attribute) => attribute
                        .of(identity)
                        .map_or(Cell::Absent, |v| Cell::Text(v.as_bytes().to_vec().into())),
                };
                every(tests.iter().map(|t| t.holds(identity, &value)))
            }
        }
    }
}

/// Kleene's conjunction: false if one is false, else unknown if one is unknown, else true.
fn every(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut all = Some(true);
    for answer in answers {
        match answer {
            Some(false) => return Some(false),
            None => all = None,
            Some(true) => {}
        }
    }
    all
}

impl Test {
    fn names_the_caller(&self) -> bool {
        let names = |o: &Operand| matches!(o, Operand::Caller(_));
        match self {
            Self::Equal(o) | Self::NotEqual(o) | Self::Less(o) | Self::LessOrEqual(o) | Self::Greater(o) => {
                names(o)
            }
            Self::GreaterOrEqual(o) | Self::Contains(o) | Self::StartsWith(o) | Self::EndsWith(o) => names(o),
            Self::In(list) => list.iter().any(names),
            Self::Matches(_) | Self::Exists(_) => false,
        }
    }

    fn holds(&self, identity: &Identity, value: &Cell<'_>) -> Option<bool> {
        let part =
            |o: &Operand, test: fn(&[u8], &[u8]) -> bool| Some(test(&value.text()?, &o.text(identity)?));
        match self {
            Self::Equal(o) => o.equals(value, identity),
            Self::NotEqual(o) => o.equals(value, identity).map(|e| !e),
            Self::Less(o) => o.order(value, identity).map(Ordering::is_lt),
            Self::LessOrEqual(o) => o.order(value, identity).map(Ordering::is_le),
            Self::Greater(o) => o.order(value, identity).map(Ordering::is_gt),
            Self::GreaterOrEqual(o) => o.order(value, identity).map(Ordering::is_ge),
            // In a list if equal to one of it: the negation of "unequal to every one of it".
            Self::In(list) => every(list.iter().map(|o| o.equals(value, identity).map(|e| !e))).map(|e| !e),
            Self::Contains(o) => part(o, |text, part| memchr::memmem::find(text, part).is_some()),
            Self::StartsWith(o) => part(o, <[u8]>::starts_with),
            Self::EndsWith(o) => part(o, <[u8]>::ends_with),
            Self::Matches(regex) => Some(regex.is_match(value.text()?.as_ref())),
            Self::Exists(expected) => Some(value.exists() == *expected),
        }
    }
}
