//! Wildcards: `*` is any run of characters, `?` is one character. Matching never goes exponential.

use super::context::Keys;
use super::variables::{self, Part, Variable};

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// This text.
    Literal(Box<str>),
    /// One character.
    One,
    /// Any run of characters.
    Any,
    /// The value of a variable, literally.
    Variable(Variable),
}

/// Patterns that are matched without looking at their tokens: most are one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    /// This text.
    Fixed(Box<str>),
    /// What begins so.
    Prefix(Box<str>),
    /// Everything.
    All,
    /// Any other.
    General,
}

impl Shape {
    fn of(tokens: &[Token]) -> Self {
        match tokens {
            [] => Self::Fixed("".into()),
            [Token::Literal(text)] => Self::Fixed(text.clone()),
            [Token::Literal(text), Token::Any] => Self::Prefix(text.clone()),
            [Token::Any] => Self::All,
            _ => Self::General,
        }
    }
}

/// A text with wildcards and variables, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    tokens: Box<[Token]>,
    has_variables: bool,
    shape: Shape,
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
                Part::Quoted(text) => tokens.push(Token::Literal(text.clone())),
                Part::Variable(variable) => tokens.push(Token::Variable(variable.clone())),
            }
        }
        let has_variables = tokens.iter().any(|token| matches!(token, Token::Variable(_)));
        let shape = Shape::of(&tokens);
        Self { tokens: tokens.into(), has_variables, shape }
    }

    /// The text, where the pattern is one text in one piece.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.shape {
            Shape::Fixed(text) => Some(text),
            Shape::Prefix(_) | Shape::All | Shape::General => None,
        }
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
    pub(super) fn matches(&self, subject: &str, context: &dyn Keys) -> Option<bool> {
        match &self.shape {
            Shape::Fixed(text) => return Some(**text == *subject),
            Shape::Prefix(text) => return Some(subject.starts_with(&**text)),
            Shape::All => return Some(true),
            Shape::General => {}
        }
        let (mut only, mut several) = (None, false);
        if self.has_variables {
            for token in &self.tokens {
                if let Token::Variable(variable) = token {
                    several |= only.replace(variable.resolve(context)?).is_some();
                }
            }
        }
        Some(glob(&self.tokens, subject, Compare::Exactly(context, only.filter(|_| !several))))
    }

    /// Whether the pattern, without variables, matches a text, whatever the case of ASCII letters.
    pub(super) fn matches_text(&self, subject: &str) -> bool {
        let begins = |text: &str| {
            subject
                .as_bytes()
                .get(..text.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(text.as_bytes()))
        };
        match &self.shape {
            Shape::Fixed(text) => subject.eq_ignore_ascii_case(text),
            Shape::Prefix(text) => begins(text),
            Shape::All => true,
            Shape::General => glob(&self.tokens, subject, Compare::Folded),
        }
    }
}

/// Splits a text at its wildcards.
fn tokenize(text: &str, tokens: &mut Vec<Token>) {
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['*', '?']).unwrap_or(rest.len());
        let (literal, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if !literal.is_empty() {
            tokens.push(Token::Literal(literal.into()));
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

/// How texts compare.
#[derive(Clone, Copy)]
enum Compare<'a> {
    /// As they are, with the values of variables from here; the value of the only one is known.
    Exactly(&'a dyn Keys, Option<&'a str>),
    /// Whatever the case of ASCII letters, without variables.
    Folded,
}

impl<'a> Compare<'a> {
    fn value_of(self, variable: &'a Variable) -> Option<&'a str> {
        match self {
            Self::Exactly(context, only) => only.or_else(|| variable.resolve(context)),
            Self::Folded => None,
        }
    }
}

/// Whether tokens match a text, where every variable has a value. What stands between two stars is taken at the first place where it
/// fits, which is never wrong, so the work is bounded by the product of both lengths.
fn glob(tokens: &[Token], subject: &str, compare: Compare<'_>) -> bool {
    let mut chunks = tokens.split(|token| *token == Token::Any);
    let Some(rest) = chunks.next().and_then(|chunk| strip_front(chunk, subject, compare)) else {
        return false;
    };
    let Some(last) = chunks.next_back() else { return rest.is_empty() };
    let Some(mut rest) = strip_back(last, rest, compare) else { return false };
    for chunk in chunks {
        let Some(after) = find(chunk, rest, compare) else { return false };
        rest = after;
    }
    true
}

/// What follows the first place where a chunk fits.
fn find<'s>(chunk: &[Token], subject: &'s str, compare: Compare<'_>) -> Option<&'s str> {
    if let ([Token::Literal(text)], Compare::Exactly(..)) = (chunk, compare) {
        return subject.split_once(text.as_ref()).map(|(_, after)| after);
    }
    // Only where its first text stands can a chunk fit.
    let first = match (chunk.first(), compare) {
        (Some(Token::Literal(text)), Compare::Exactly(..)) => Some(&**text),
        (Some(Token::Variable(variable)), Compare::Exactly(..)) => Some(compare.value_of(variable)?),
        _ => None,
    };
    let mut rest = subject;
    loop {
        if let Some(first) = first.and_then(|text| text.bytes().next()) {
            // The first byte of a text is never inside a character.
            let at = rest.bytes().position(|byte| byte == first)?;
            rest = rest.get(at..)?;
        }
        if let Some(after) = strip_front(chunk, rest, compare) {
            return Some(after);
        }
        let mut characters = rest.chars();
        characters.next()?;
        rest = characters.as_str();
    }
}

/// What follows a chunk that the text begins with.
fn strip_front<'s>(chunk: &[Token], subject: &'s str, compare: Compare<'_>) -> Option<&'s str> {
    chunk.iter().try_fold(subject, |rest, token| match token {
        Token::Literal(text) => match compare {
            Compare::Exactly(..) => rest.strip_prefix(text.as_ref()),
            Compare::Folded => {
                let (head, tail) = rest.split_at_checked(text.len())?;
                head.eq_ignore_ascii_case(text).then_some(tail)
            }
        },
        Token::Variable(variable) => rest.strip_prefix(compare.value_of(variable)?),
        Token::One => {
            let mut characters = rest.chars();
            characters.next().map(|_| characters.as_str())
        }
        Token::Any => None,
    })
}

/// What precedes a chunk that the text ends with.
fn strip_back<'s>(chunk: &[Token], subject: &'s str, compare: Compare<'_>) -> Option<&'s str> {
    chunk.iter().rev().try_fold(subject, |rest, token| match token {
        Token::Literal(text) => match compare {
            Compare::Exactly(..) => rest.strip_suffix(text.as_ref()),
            Compare::Folded => {
                let (head, tail) = rest.split_at_checked(rest.len().checked_sub(text.len())?)?;
                tail.eq_ignore_ascii_case(text).then_some(head)
            }
        },
        Token::Variable(variable) => rest.strip_suffix(compare.value_of(variable)?),
        Token::One => {
            let mut characters = rest.chars();
            characters.next_back().map(|_| characters.as_str())
        }
        Token::Any => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::Context;

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
