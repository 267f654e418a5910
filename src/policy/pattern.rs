//! Wildcards: `*` is any run of characters, `?` is one character. Matching never goes exponential.

use std::borrow::Cow;

use super::context::Context;
use super::variables::{self, Part, Variable};

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token<'a> {
    /// This text.
    Literal(Cow<'a, str>),
    /// One character.
    One,
    /// Any run of characters.
    Any,
    /// The value of a variable, literally.
    Variable(Variable),
}

/// A text with wildcards and variables, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    tokens: Box<[Token<'static>]>,
    has_variables: bool,
}

impl Pattern {
    /// Compiles a text with wildcards; variables only where the version of the policy has them.
    pub(super) fn parse(text: &str, variables: bool) -> Result<Self, String> {
        variables::split(text, variables).map(|parts| Self::from_parts(&parts))
    }

    /// Compiles a text with wildcards and without variables.
    pub(super) fn plain(text: &str) -> Self {
        Self::from_parts(&[Part::Text(text.into())])
    }

    /// Compiles parts.
    pub(super) fn from_parts(parts: &[Part]) -> Self {
        let mut tokens = Vec::new();
        for part in parts {
            match part {
                Part::Text(text) => tokenize(text, &mut tokens),
                Part::Quoted(text) => tokens.push(Token::Literal(Cow::Owned((**text).to_owned()))),
                Part::Variable(variable) => tokens.push(Token::Variable(variable.clone())),
            }
        }
        let has_variables = tokens.iter().any(|token| matches!(token, Token::Variable(_)));
        Self { tokens: tokens.into(), has_variables }
    }

    /// Whether the pattern is one fixed text.
    pub(super) fn is_fixed(&self) -> bool {
        self.tokens.iter().all(|token| matches!(token, Token::Literal(_)))
    }

    /// Whether the pattern, read as one of ARNs, is of one fixed account: whether the text before its first wildcard
    /// reaches past the fifth part.
    pub(super) fn has_fixed_account(&self) -> bool {
        match self.tokens.first() {
            Some(Token::Literal(text)) => {
                text.split(':').nth(4).is_some_and(|account| !account.is_empty())
                    && text.matches(':').count() >= 5
            }
            _ => false,
        }
    }

    /// Whether the pattern is the empty text.
    pub(super) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Whether the pattern matches a text; nothing where a variable has no value.
    pub(super) fn matches(&self, subject: &str, context: &Context) -> Option<bool> {
        if !self.has_variables {
            return Some(glob(&self.tokens, subject, false));
        }
        let tokens = self.tokens.iter().map(|token| match token {
            Token::Literal(text) => Some(Token::Literal(Cow::Borrowed(text.as_ref()))),
            Token::One => Some(Token::One),
            Token::Any => Some(Token::Any),
            Token::Variable(variable) => {
                variable.resolve(context).map(|text| Token::Literal(Cow::Borrowed(text)))
            }
        });
        let tokens: Vec<Token<'_>> = tokens.collect::<Option<_>>()?;
        Some(glob(&tokens, subject, false))
    }

    /// Whether the pattern, without variables, matches a text, whatever the case of ASCII letters.
    pub(super) fn matches_text(&self, subject: &str) -> bool {
        glob(&self.tokens, subject, true)
    }
}

/// Splits a text at its wildcards.
fn tokenize(text: &str, tokens: &mut Vec<Token<'static>>) {
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['*', '?']).unwrap_or(rest.len());
        let (literal, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if !literal.is_empty() {
            tokens.push(Token::Literal(Cow::Owned(literal.to_owned())));
        }
        let mut tail = tail.chars();
        match tail.next() {
            // Two stars are one.
            Some('*') if tokens.last() == Some(&Token::Any) => {}
            Some('*') => tokens.push(Token::Any),
            Some(_) => tokens.push(Token::One),
            None => {}
        }
        rest = tail.as_str();
    }
}

/// Whether tokens without variables match a text. What stands between two stars is taken at the first place where it
/// fits, which is never wrong, so the work is bounded by the product of both lengths.
fn glob(tokens: &[Token<'_>], subject: &str, fold: bool) -> bool {
    let mut chunks = tokens.split(|token| *token == Token::Any);
    let Some(rest) = chunks.next().and_then(|chunk| strip_front(chunk, subject, fold)) else { return false };
    let Some(last) = chunks.next_back() else { return rest.is_empty() };
    let Some(mut rest) = strip_back(last, rest, fold) else { return false };
    for chunk in chunks {
        let Some(after) = find(chunk, rest, fold) else { return false };
        rest = after;
    }
    true
}

/// What follows the first place where a chunk fits.
fn find<'s>(chunk: &[Token<'_>], subject: &'s str, fold: bool) -> Option<&'s str> {
    if let ([Token::Literal(text)], false) = (chunk, fold) {
        return subject.split_once(text.as_ref()).map(|(_, after)| after);
    }
    let mut rest = subject;
    loop {
        if let Some(after) = strip_front(chunk, rest, fold) {
            return Some(after);
        }
        let mut characters = rest.chars();
        characters.next()?;
        rest = characters.as_str();
    }
}

/// What follows a chunk that the text begins with.
fn strip_front<'s>(chunk: &[Token<'_>], subject: &'s str, fold: bool) -> Option<&'s str> {
    chunk.iter().try_fold(subject, |rest, token| match token {
        Token::Literal(text) if fold => {
            let (head, tail) = rest.split_at_checked(text.len())?;
            head.eq_ignore_ascii_case(text).then_some(tail)
        }
        Token::Literal(text) => rest.strip_prefix(text.as_ref()),
        Token::One => {
            let mut characters = rest.chars();
            characters.next().map(|_| characters.as_str())
        }
        Token::Any | Token::Variable(_) => None,
    })
}

/// What precedes a chunk that the text ends with.
fn strip_back<'s>(chunk: &[Token<'_>], subject: &'s str, fold: bool) -> Option<&'s str> {
    chunk.iter().rev().try_fold(subject, |rest, token| match token {
        Token::Literal(text) if fold => {
            let (head, tail) = rest.split_at_checked(rest.len().checked_sub(text.len())?)?;
            tail.eq_ignore_ascii_case(text).then_some(head)
        }
        Token::Literal(text) => rest.strip_suffix(text.as_ref()),
        Token::One => {
            let mut characters = rest.chars();
            characters.next_back().map(|_| characters.as_str())
        }
        Token::Any | Token::Variable(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Slow and plainly right.
    fn reference(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', pattern @ ..], _) => (0..=text.len()).any(|start| reference(pattern, &text[start..])),
            (['?', pattern @ ..], [_, text @ ..]) => reference(pattern, text),
            ([wanted, pattern @ ..], [found, text @ ..]) => wanted == found && reference(pattern, text),
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn agrees_with_a_naive_matcher(pattern in "[ab*?é]{0,8}", text in "[abé]{0,10}") {
            let (left, right): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            let compiled = Pattern::plain(&pattern);
            prop_assert_eq!(compiled.matches(&text, &Context::new()), Some(reference(&left, &right)));
            prop_assert_eq!(compiled.matches_text(&text.to_uppercase().replace('É', "é")), reference(&left, &right));
        }
    }

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**", "a/b:c", true),
            ("a*", "abc", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*ab*ab", "abab", true),
            ("*aab", "aaab", true),
            ("?", "é", true),
            ("??", "é", false),
            ("s3:Get*", "s3:GetObject", true),
            ("s3:Get*", "s3:PutObject", false),
            ("a*b*c", "axxbxxbyc", true),
            ("a*b*c", "axxcxxb", false),
        ] {
            assert_eq!(
                Pattern::plain(pattern).matches(text, &Context::new()),
                Some(expected),
                "{pattern} {text}"
            );
        }
        assert!(Pattern::plain("GET*t").matches_text("getobjecT"));
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = Pattern::plain(&format!("{}b", "a*".repeat(200)));
        assert_eq!(pattern.matches(&"a".repeat(5_000), &Context::new()), Some(false));
        let pattern = Pattern::plain(&"*a?".repeat(200));
        assert_eq!(pattern.matches(&"a".repeat(5_000), &Context::new()), Some(true));
    }

    #[test]
    fn the_value_of_a_variable_is_never_a_wildcard() {
        let pattern = Pattern::parse("home/${aws:username}/*", true).unwrap();
        let star = Context::new().with("aws:username", "*");
        assert_eq!(pattern.matches("home/ann/x", &star), Some(false));
        assert_eq!(pattern.matches("home/*/x", &star), Some(true));
        assert_eq!(pattern.matches("home/ann/x", &Context::new()), None);
        assert_eq!(
            Pattern::parse("a${*}b", true).unwrap().matches("axb", &Context::new()),
            Some(false),
            "a quoted star"
        );
        let literal = Pattern::parse("${aws:username}", false).unwrap();
        assert_eq!(literal.matches("${aws:username}", &star), Some(true), "version 2008-10-17");
    }
}
