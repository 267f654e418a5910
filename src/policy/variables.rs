//! Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and `${*}`, `${?}`, `${$}`.

use std::borrow::Cow;

use super::context::Keys;

/// A piece of a text in which variables may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Text as written; `*` and `?` in it are wildcards where wildcards have a meaning.
    Text(Box<str>),
    /// `*`, `?` or `$` meant literally.
    Quoted(Box<str>),
    /// A value of the request.
    Variable(Variable),
}

/// A value of the request, by the name of its condition key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable {
    /// In lower case.
    key: Box<str>,
    default: Option<Box<str>>,
}

impl Variable {
    /// The value: what the request has, if it has one value only, or else the default.
    pub(super) fn resolve<'a>(&'a self, context: &'a dyn Keys) -> Option<&'a str> {
        match context.lookup(&self.key) {
            Some([value]) => Some(value),
            Some([_, _, ..]) => None,
            Some([]) | None => self.default.as_deref(),
        }
    }
}

/// Splits a text into its parts. Where variables are off (Version 2008-10-17), all of it is text.
pub(super) fn split(text: &str, variables: bool) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while variables && let Some((before, after)) = rest.split_once("${") {
        if !before.is_empty() {
            parts.push(Part::Text(before.into()));
        }
        let (part, after) = variable(after).map_err(|why| format!("\"{text}\": {why}"))?;
        parts.push(part);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.into()));
    }
    Ok(parts)
}

/// Reads a variable behind its `${`, and gives what follows it.
fn variable(text: &str) -> Result<(Part, &str), String> {
    for quoted in ["*", "?", "$"] {
        if let Some(rest) = text.strip_prefix(quoted).and_then(|rest| rest.strip_prefix('}')) {
            return Ok((Part::Quoted(quoted.into()), rest));
        }
    }
    let end = text.find([',', '}']).ok_or("a policy variable has no closing brace")?;
    let (name, rest) = text.split_at_checked(end).ok_or("a policy variable has no closing brace")?;
    let name = name.trim();
    let valid = |character: char| !character.is_whitespace() && !"${'\"*?".contains(character);
    if !name.contains(':') || !name.chars().all(valid) {
        return Err(format!("\"${{{name}}}\" is not a policy variable"));
    }
    let key = name.to_ascii_lowercase().into();
    if let Some(rest) = rest.strip_prefix('}') {
        return Ok((Part::Variable(Variable { key, default: None }), rest));
    }
    let default = rest.strip_prefix(',').map(str::trim_start).and_then(|rest| rest.strip_prefix('\''));
    let (default, rest) = default
        .and_then(|rest| rest.split_once('\''))
        .ok_or_else(|| format!("the default of \"${{{name}}}\" must stand in single quotes"))?;
    let rest = rest
        .trim_start()
        .strip_prefix('}')
        .ok_or_else(|| format!("\"${{{name}}}\" has more than a name and a default"))?;
    Ok((Part::Variable(Variable { key, default: Some(default.into()) }), rest))
}

/// A text without wildcards in which variables may stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Box<[Part]>);

impl Template {
    /// Compiles a text.
    pub(super) fn parse(text: &str, variables: bool) -> Result<Self, String> {
        split(text, variables).map(|parts| Self(parts.into()))
    }

    /// Whether the text depends on the request.
    pub(super) fn has_variables(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Variable(_)))
    }

    /// The text for this request; none where a variable has no value.
    pub(super) fn resolve<'a>(&'a self, context: &'a dyn Keys) -> Option<Cow<'a, str>> {
        let piece = |part: &'a Part| match part {
            Part::Text(text) | Part::Quoted(text) => Some(&**text),
            Part::Variable(variable) => variable.resolve(context),
        };
        match &*self.0 {
            [] => Some(Cow::Borrowed("")),
            [only] => piece(only).map(Cow::Borrowed),
            several => several.iter().map(piece).collect::<Option<String>>().map(Cow::Owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Context;

    #[test]
    fn resolves_values_defaults_and_quoted_characters() {
        let context = Context::new()
            .with("aws:username", "ann")
            .with("aws:PrincipalTag/Team", "blue")
            .with_all("aws:TagKeys", ["a", "b"]);
        for (text, expected) in [
            ("plain", Some("plain")),
            ("", Some("")),
            ("home/${aws:username}/x", Some("home/ann/x")),
            ("${AWS:UserName}", Some("ann")),
            ("${aws:PrincipalTag/team}", Some("blue")),
            ("${aws:principaltag/none}", None),
            ("${aws:PrincipalTag/none, 'red, or so'}!", Some("red, or so!")),
            ("${aws:PrincipalTag/none,''}", Some("")),
            ("${ aws:username , 'x' }", Some("ann")),
            ("${*}${?}${$}{", Some("*?${")),
            ("${aws:TagKeys, 'x'}", None),
            ("$ {aws:username}", Some("$ {aws:username}")),
        ] {
            let template = Template::parse(text, true).unwrap();
            assert_eq!(template.resolve(&context).as_deref(), expected, "{text}");
            assert_eq!(Template::parse(text, false).unwrap().resolve(&context).as_deref(), Some(text));
        }
    }

    #[test]
    fn names_a_variable_that_is_none() {
        for (text, word) in [
            ("a${", "closing"),
            ("${aws:username", "closing"),
            ("${}", "not a policy variable"),
            ("${username}", "not a policy variable"),
            ("${aws:user name}", "not a policy variable"),
            ("${aws:x, default}", "single quotes"),
            ("${aws:x, 'default}", "single quotes"),
            ("${aws:x, 'a' 'b'}", "more than"),
        ] {
            let error = split(text, true).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
