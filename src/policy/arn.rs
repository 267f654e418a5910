//! ARNs and patterns of ARNs: `arn:partition:service:region:account:resource`, compared part by part.

use super::context::Keys;
use super::pattern::Pattern;
use super::variables::{self, Part};

/// A pattern of ARNs: `*`, or six parts each of which may have wildcards and variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ArnPattern(Option<Box<Parts>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    patterns: [Pattern; 6],
    /// All before the resource, with its last colon, where that is one text: most patterns are of one service and
    /// account, and then one comparison does for five.
    head: Option<Box<str>>,
}

impl Parts {
    fn new(patterns: [Pattern; 6]) -> Self {
        let [before @ .., _] = &patterns;
        let texts = before.iter().map(|pattern| pattern.text().filter(|text| !text.contains(':')));
        let texts: Option<Vec<&str>> = texts.collect();
        let head = texts.map(|texts| format!("{}:", texts.join(":")).into());
        Self { patterns, head }
    }
}

impl ArnPattern {
    /// Compiles a pattern.
    pub(super) fn parse(text: &str, variables: bool) -> Result<Self, String> {
        let malformed = || format!("\"{text}\" is not an ARN: arn:partition:service:region:account:resource");
        if text == "*" {
            return Ok(Self(None));
        }
        let parts = variables::split(text, variables)?;
        let mut groups: Vec<Vec<Part>> = vec![Vec::new()];
        for part in parts {
            let Part::Text(mut rest) = part else {
                groups.last_mut().ok_or_else(malformed)?.push(part);
                continue;
            };
            while groups.len() < 6
                && let Some((before, after)) = rest.split_once(':')
            {
                groups.last_mut().ok_or_else(malformed)?.push(Part::Text(before.into()));
                groups.push(Vec::new());
                rest = after.into();
            }
            groups.last_mut().ok_or_else(malformed)?.push(Part::Text(rest));
        }
        let patterns: Vec<Pattern> = groups.iter().map(|group| Pattern::from_parts(group)).collect();
        let patterns: [Pattern; 6] = patterns.try_into().map_err(|_| malformed())?;
        let mut fields = text.split(':');
        let partition = fields.nth(1).unwrap_or_default();
        let service = fields.next().unwrap_or_default();
        let known = ["aws", "aws-cn", "aws-us-gov"].contains(&partition) || partition.contains(['*', '?']);
        if !text.starts_with("arn:") || !known || service.is_empty() || text.ends_with(':') {
            return Err(malformed());
        }
        Ok(Self(Some(Box::new(Parts::new(patterns)))))
    }

    /// Whether an ARN matches; nothing where a variable has no value.
    pub(super) fn matches(&self, arn: &str, context: &dyn Keys) -> Option<bool> {
        let Some(parts) = &self.0 else { return Some(true) };
        let Parts { patterns, head } = &**parts;
        if let Some(head) = head {
            let [.., resource] = patterns;
            return arn.strip_prefix(&**head).map_or(Some(false), |rest| resource.matches(rest, context));
        }
        let mut fields = arn.splitn(6, ':');
        for pattern in patterns {
            let Some(field) = fields.next() else { return Some(false) };
            if !pattern.matches(field, context)? {
                return Some(false);
            }
        }
        Some(true)
    }

    /// Whether the pattern is one fixed ARN.
    pub(super) fn is_fixed(&self) -> bool {
        self.0.as_ref().is_some_and(|parts| parts.patterns.iter().all(Pattern::is_fixed))
    }

    /// Whether the pattern is of one fixed account.
    pub(super) fn has_fixed_account(&self) -> bool {
        let account = self.0.as_ref().map(|parts| {
            let [_, _, _, _, account, _] = &parts.patterns;
            account
        });
        account.is_some_and(|account| account.is_fixed() && !account.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Context;

    #[test]
    fn compares_part_by_part() {
        let context = Context::new().with("aws:username", "a:b").with("aws:PrincipalAccount", "111122223333");
        for (pattern, arn, expected) in [
            ("*", "anything", Some(true)),
            ("arn:aws:s3:::photos", "arn:aws:s3:::photos", Some(true)),
            ("arn:aws:s3:::photos/*", "arn:aws:s3:::photos/a/b:c", Some(true)),
            ("arn:aws:s3:::photos/*", "arn:aws:s3:::photos", Some(false)),
            ("arn:aws:s3:::*", "arn:aws:s3:us-east-1:000000000000:accesspoint/a", Some(false)),
            ("arn:*:s3:*:*:accesspoint/*", "arn:aws:s3:us-east-1:000000000000:accesspoint/a", Some(true)),
            ("arn:aws:s3:::Photos", "arn:aws:s3:::photos", Some(false)),
            ("arn:aws:s3:::home-${aws:username}/*", "arn:aws:s3:::home-a:b/x", Some(true)),
            ("arn:aws:s3:::${aws:x, 'd:e'}", "arn:aws:s3:::d:e", Some(true)),
            ("arn:aws:s3:::${aws:x}", "arn:aws:s3:::", None),
            ("arn:aws:iam::${aws:PrincipalAccount}:user/*", "arn:aws:iam::111122223333:user/a", Some(true)),
            ("arn:aws:s3::tenant:bucket", "arn:aws:s3::tenant:bucket", Some(true)),
            ("arn:aws:s3:::a", "not an arn", Some(false)),
        ] {
            let compiled = ArnPattern::parse(pattern, true).unwrap();
            assert_eq!(compiled.matches(arn, &context), expected, "{pattern} {arn}");
        }
    }

    #[test]
    fn refuses_what_is_not_an_arn() {
        for text in
            ["", "photos", "arn:aws:s3", "arn:aws:s3:::", "arn:nws:s3:::a", "arn:aws::::a", "x:aws:s3:::a"]
        {
            let error = ArnPattern::parse(text, true).unwrap_err();
            assert!(error.contains("is not an ARN"), "{text}: {error}");
        }
    }
}
