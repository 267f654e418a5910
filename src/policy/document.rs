//! A policy document: read and checked when it is put, compiled once.

use std::collections::HashSet;

use super::error::PolicyError;
use super::json::Json;
use super::limits;
use super::statement::{Request, Statement};

/// What a policy is attached to, which decides its grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// A user, group or role: says what they may do.
    Identity,
    /// A bucket, access point, Object Lambda access point or function: says who may do what with it.
    Resource,
    /// A role: says who may assume it.
    Trust,
    /// A session: what it may at most.
    Session,
    /// A user or role: what they may at most.
    Boundary,
}

/// A policy, compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    text: Box<str>,
    kind: PolicyKind,
    id: Option<Box<str>>,
    pub(super) statements: Box<[Statement]>,
}

impl Policy {
    /// Reads and checks a policy.
    ///
    /// # Errors
    /// What is wrong with it, naming the statement and the field.
    pub fn parse(text: &str, kind: PolicyKind) -> Result<Self, PolicyError> {
        limits::check(text, kind)?;
        let Json::Object(fields) = Json::parse(text)? else {
            return Err(PolicyError::malformed("the policy must be a JSON object"));
        };
        let (mut id, mut statements, mut variables) = (None, None, false);
        for (name, value) in fields {
            match name.as_str() {
                "Version" => variables = has_variables(value)?,
                "Id" => id = Some(value.string("Id")?.into()),
                "Statement" => statements = Some(value),
                _ => return Err(PolicyError::malformed(format!("unknown field \"{name}\""))),
            }
        }
        let statements = match statements {
            None => return Err(PolicyError::malformed("the field Statement is missing")),
            Some(Json::Array(statements)) if statements.is_empty() => {
                return Err(PolicyError::malformed("Statement must not be an empty array"));
            }
            Some(Json::Array(statements)) => statements,
            Some(one) => vec![one],
        };
        let statements = statements.into_iter().enumerate();
        let statements: Box<[Statement]> = statements
            .map(|(index, json)| Statement::parse(json, index, kind, variables))
            .collect::<Result<_, _>>()?;
        if kind != PolicyKind::Resource {
            let mut seen = HashSet::new();
            if let Some(sid) = statements.iter().filter_map(Statement::sid).find(|sid| !seen.insert(*sid)) {
                return Err(PolicyError::malformed(format!("two statements have the Sid '{sid}'")));
            }
        }
        Ok(Self { text: text.into(), kind, id, statements })
    }

    /// The document as it was put.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the policy is attached to.
    #[must_use]
    pub fn kind(&self) -> PolicyKind {
        self.kind
    }

    /// Its Id, where it has one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Its statements.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Whether a condition or variable may ask for a key that begins so, whatever the case: what is dear to fetch need
    /// only be fetched then.
    #[must_use]
    pub fn mentions(&self, prefix: &str) -> bool {
        let prefix = prefix.to_ascii_lowercase();
        let mut keys = self.statements.iter().flat_map(|statement| &statement.conditions);
        keys.any(|condition| condition.key.starts_with(&*prefix))
            || self.text.to_ascii_lowercase().contains(&format!("${{{prefix}"))
    }

    /// What each statement makes of a request, whatever it decides.
    #[must_use]
    pub fn explain<'a>(&'a self, request: &Request<'a>) -> Vec<super::explain::Explanation<'a>> {
        self.statements.iter().map(|statement| statement.explain(request)).collect()
    }
}

/// Whether a version of the language has policy variables.
fn has_variables(json: Json) -> Result<bool, PolicyError> {
    match json.string("Version")?.as_str() {
        "2012-10-17" => Ok(true),
        "2008-10-17" => Ok(false),
        other => {
            Err(PolicyError::malformed(format!("Version must be 2012-10-17 or 2008-10-17, not \"{other}\"")))
        }
    }
}
