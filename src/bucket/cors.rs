//! Which other origins a browser may let use the bucket (S3 user guide, "Using cross-origin resource sharing").

use serde::{Deserialize, Serialize};

/// Rules of one configuration.
pub const MAX_RULES: usize = 100;
/// The methods that a rule may allow.
pub const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];

/// A CORS configuration: 1 to [`MAX_RULES`] rules, of which the first that fits counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cors {
    /// In order.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    /// For people; at most 255 characters.
    pub id: Option<String>,
    /// Origins, each with one `*` at most.
    pub origins: Vec<String>,
    /// Some of [`METHODS`].
    pub methods: Vec<String>,
    /// Request headers, each with one `*` at most.
    pub headers: Vec<String>,
    /// Response headers that scripts may read.
    pub expose: Vec<String>,
    /// Seconds that a browser may remember the answer.
    pub max_age: Option<u32>,
}

impl Cors {
    /// The first rule for an origin, a method and the headers that the browser asks for.
    #[must_use]
    pub fn find(&self, origin: &str, method: &str, headers: &[&str]) -> Option<&Rule> {
        self.rules.iter().find(|rule| {
            rule.methods.iter().any(|allowed| allowed == method)
                && rule.origins.iter().any(|pattern| fits(pattern, origin))
                && headers.iter().all(|asked| {
                    let asked = asked.to_ascii_lowercase();
                    rule.headers.iter().any(|pattern| fits(&pattern.to_ascii_lowercase(), &asked))
                })
        })
    }
}

/// Whether a text fits a pattern with at most one `*`.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => {
            text.len() >= head.len() + tail.len() && text.starts_with(head) && text.ends_with(tail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_one_star() {
        assert!(fits("*", "") && fits("a*b", "ab") && fits("a*b", "axb") && fits("a", "a"));
        assert!(!fits("a*a", "a") && !fits("a", "ab") && !fits("*x", "xy"));
    }

    #[test]
    fn the_first_rule_that_fits_counts() {
        let rule = |origin: &str, method: &str, header: &str| Rule {
            origins: vec![origin.into()],
            methods: vec![method.into()],
            headers: vec![header.into()],
            ..Rule::default()
        };
        let cors = Cors { rules: vec![rule("https://a", "GET", "x-*"), rule("*", "PUT", "*")] };
        assert_eq!(cors.find("https://a", "GET", &["X-One"]), cors.rules.first());
        assert_eq!(cors.find("https://a", "GET", &["content-type"]), None);
        assert_eq!(cors.find("https://a", "PUT", &["content-type"]), cors.rules.get(1));
        assert_eq!(cors.find("https://b", "GET", &[]), None);
    }
}
