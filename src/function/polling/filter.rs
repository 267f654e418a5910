//! Which messages a mapping hands to its function: FilterCriteria (Lambda developer guide, "Control which events Lambda
//! sends to your function"). A filter is an event pattern over the record; its `body` is the message, as JSON where it is
//! an object or an array. A record that no filter matches is passed by.
//!
//! A message that is JSON is not matched by a pattern for plain text, nor the other way about.

use serde_json::{Map, Value};

/// Filters of one mapping (the quota that AWS raises on request).
pub const MOST: usize = 10;
/// Characters of a pattern.
pub const LONGEST: usize = 4_096;
/// Levels of a pattern.
const DEEPEST: usize = 32;

/// One of several ways of which a field must match one.
#[derive(Debug, Clone, PartialEq)]
enum Rule {
    /// The very value: a string, a number, a boolean or null.
    Is(Value),
    Prefix(String),
    Suffix(String),
    IgnoreCase(String),
    AnythingBut(Vec<Value>),
    /// All of these comparisons.
    Numeric(Vec<(Comparison, f64)>),
    Exists(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// A pattern, or a part of one.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// All of these fields, and of each list of alternatives one.
    Fields { all: Vec<(String, Node)>, alternatives: Vec<Vec<Node>> },
    /// One of these rules.
    Field(Vec<Rule>),
}

/// A record as filters see it.
#[derive(Debug)]
pub struct Message {
    record: Value,
    /// Whether its body is JSON.
    is_json: bool,
}

impl Message {
    /// Of a record as the function reads it.
    #[must_use]
    pub fn new(mut record: Value) -> Self {
        let body = record.get("body").and_then(Value::as_str).unwrap_or_default();
        let parsed = serde_json::from_str::<Value>(body).ok();
        let parsed = parsed.filter(|value| value.is_object() || value.is_array());
        let is_json = parsed.is_some();
        if let (Some(fields), Some(parsed)) = (record.as_object_mut(), parsed) {
            fields.insert("body".to_owned(), parsed);
        }
        Self { record, is_json }
    }
}

/// One filter.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(Node);

impl Filter {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        if pattern.chars().count() > LONGEST {
            return Err(format!("a pattern has at most {LONGEST} characters"));
        }
        let document: Value = serde_json::from_str(pattern).map_err(|error| format!("no JSON: {error}"))?;
        let Value::Object(fields) = document else { return Err("a pattern is a JSON object".to_owned()) };
        fields_of(&fields, 0).map(Self)
    }

    /// Whether it matches a message.
    #[must_use]
    pub fn matches(&self, message: &Message) -> bool {
        self.0.agrees_on_body(message.is_json) && self.0.matches(Some(&message.record))
    }
}

fn fields_of(fields: &Map<String, Value>, depth: usize) -> Result<Node, String> {
    if depth > DEEPEST {
        return Err(format!("a pattern has at most {DEEPEST} levels"));
    }
    if fields.is_empty() {
        return Err("an object in a pattern names at least one field".to_owned());
    }
    let (mut all, mut alternatives) = (Vec::new(), Vec::new());
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("$or", Value::Array(list)) if list.len() >= 2 && list.iter().all(Value::is_object) => {
                let nodes = list.iter().filter_map(Value::as_object).map(|part| fields_of(part, depth + 1));
                alternatives.push(nodes.collect::<Result<_, _>>()?);
            }
            ("$or", _) => return Err("$or is a list of two patterns or more".to_owned()),
            (_, Value::Object(inner)) => all.push((name.clone(), fields_of(inner, depth + 1)?)),
            (_, Value::Array(rules)) if !rules.is_empty() => {
                let rules = rules.iter().map(rule).collect::<Result<_, _>>();
                all.push((name.clone(), Node::Field(rules.map_err(|why| format!("{name}: {why}"))?)));
            }
            (_, Value::Array(_)) => return Err(format!("{name}: the list of values is empty")),
            _ => return Err(format!("{name}: values stand in a list, [{value}]")),
        }
    }
    Ok(Node::Fields { all, alternatives })
}

fn rule(value: &Value) -> Result<Rule, String> {
    let operator = match value {
        Value::Object(operator) => operator,
        Value::Array(_) => return Err("a list in a list".to_owned()),
        plain => return Ok(Rule::Is(plain.clone())),
    };
    let mut entries = operator.iter();
    let (Some((name, operand)), None) = (entries.next(), entries.next()) else {
        return Err("an operator is an object with one field".to_owned());
    };
    let text = || operand.as_str().map(str::to_owned).ok_or_else(|| format!("{name} takes a string"));
    match name.as_str() {
        "prefix" => text().map(Rule::Prefix),
        "suffix" => text().map(Rule::Suffix),
        "equals-ignore-case" => text().map(|text| Rule::IgnoreCase(text.to_lowercase())),
        "exists" => {
            operand.as_bool().map(Rule::Exists).ok_or_else(|| "exists takes true or false".to_owned())
        }
        "anything-but" => match operand {
            Value::Array(list)
                if !list.is_empty() && list.iter().all(|one| one.is_string() || one.is_number()) =>
            {
                Ok(Rule::AnythingBut(list.clone()))
            }
            Value::String(_) | Value::Number(_) => Ok(Rule::AnythingBut(vec![operand.clone()])),
            _ => Err("anything-but takes a string, a number, or a list of them".to_owned()),
        },
        "numeric" => numeric(operand),
        _ => Err(format!(
            "{name} is no operator; known are prefix, suffix, equals-ignore-case, anything-but, numeric, exists"
        )),
    }
}

fn numeric(operand: &Value) -> Result<Rule, String> {
    let wrong = || "numeric takes a list of one or two comparisons, such as [\">\", 0, \"<=\", 5]".to_owned();
    let list = operand.as_array().filter(|list| matches!(list.len(), 2 | 4)).ok_or_else(wrong)?;
    let comparisons = list.chunks_exact(2).map(|pair| {
        let [operator, number] = pair else { return None };
        let comparison = match operator.as_str()? {
            "=" => Comparison::Equal,
            "<" => Comparison::Less,
            "<=" => Comparison::AtMost,
            ">" => Comparison::More,
            ">=" => Comparison::AtLeast,
            _ => return None,
        };
        Some((comparison, number.as_f64()?))
    });
    comparisons.collect::<Option<_>>().map(Rule::Numeric).ok_or_else(wrong)
}

impl Node {
    /// Whether what it says of the body is of the body's kind.
    fn agrees_on_body(&self, is_json: bool) -> bool {
        let Self::Fields { all, .. } = self else { return true };
        let mut bodies = all.iter().filter(|(name, _)| name == "body").map(|(_, node)| node);
        bodies.all(|node| matches!(node, Self::Fields { .. }) == is_json)
    }

    fn matches(&self, value: Option<&Value>) -> bool {
        match self {
            Self::Field(rules) => rules.iter().any(|rule| rule.matches(value)),
            Self::Fields { all, alternatives } => match value {
                // One element of a list must have all that is asked for.
                Some(Value::Array(list)) => list.iter().any(|one| one.is_object() && self.matches(Some(one))),
                _ => {
                    let of = |name: &str| value.and_then(|value| value.get(name));
                    all.iter().all(|(name, node)| node.matches(of(name)))
                        && alternatives.iter().all(|ways| ways.iter().any(|way| way.matches(value)))
                }
            },
        }
    }
}

impl Rule {
    fn matches(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Exists(wanted), None) => !wanted,
            // Of a field with fields of its own, neither is said.
            (Self::Exists(_), Some(Value::Object(_))) => false,
            (Self::Exists(wanted), Some(_)) => *wanted,
            (_, None | Some(Value::Object(_))) => false,
            (_, Some(Value::Array(list))) => {
                list.iter().any(|one| !one.is_array() && !one.is_object() && self.is(one))
            }
            (_, Some(value)) => self.is(value),
        }
    }

    fn is(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Is(wanted) => same(wanted, value),
            Self::Prefix(prefix) => text.is_some_and(|text| text.starts_with(prefix)),
            Self::Suffix(suffix) => text.is_some_and(|text| text.ends_with(suffix)),
            Self::IgnoreCase(wanted) => text.is_some_and(|text| text.to_lowercase() == *wanted),
            Self::AnythingBut(list) => !list.iter().any(|one| same(one, value)),
            Self::Numeric(comparisons) => value.as_f64().is_some_and(|number| {
                comparisons.iter().all(|(comparison, limit)| match comparison {
                    Comparison::Equal => number.total_cmp(limit).is_eq(),
                    Comparison::Less => number < *limit,
                    Comparison::AtMost => number <= *limit,
                    Comparison::More => number > *limit,
                    Comparison::AtLeast => number >= *limit,
                })
            }),
            Self::Exists(wanted) => *wanted,
        }
    }
}

/// Equal as JSON, numbers by their value.
fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other).is_eq(),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(pattern: &Value, body: &str) -> bool {
        let message = Message::new(json!({ "messageId": "m", "eventSource": "aws:sqs", "body": body }));
        Filter::parse(&pattern.to_string()).unwrap().matches(&message)
    }

    #[test]
    fn patterns_match_as_documented() {
        // The document of the developer guide's own examples, shortened.
        let body = r#"{"Location": "New York", "UserID": null, "LastName": "", "Name": "Alice",
            "Price": 100, "Height": {"cm": 170.5}, "Tags": ["red", "blue"], "Day": "Monday", "Done": true,
            "Rows": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]}"#;
        for (pattern, wanted) in [
            (json!({"UserID": [null]}), true),
            (json!({"Name": [null]}), false),
            (json!({"LastName": [""]}), true),
            (json!({"Name": ["Alice"]}), true),
            (json!({"Name": ["alice"]}), false),
            (json!({"Name": [{"equals-ignore-case": "aLICE"}]}), true),
            (json!({"Location": ["New York"], "Day": ["Monday"]}), true),
            (json!({"Location": ["New York"], "Day": ["Friday"]}), false),
            (json!({"Day": ["Friday", "Monday"]}), true),
            (json!({"$or": [{"Location": ["Boston"]}, {"Day": ["Monday"]}]}), true),
            (json!({"$or": [{"Location": ["Boston"]}, {"Day": ["Friday"]}]}), false),
            (json!({"Name": ["Bob"], "$or": [{"Location": ["New York"]}, {"Day": ["Monday"]}]}), false),
            (json!({"Day": [{"anything-but": ["Friday", "Monday"]}]}), false),
            (json!({"Day": [{"anything-but": "Friday"}]}), true),
            // What is not there is not anything either.
            (json!({"Night": [{"anything-but": "Friday"}]}), false),
            (json!({"Price": [{"numeric": ["=", 1e2]}]}), true),
            (json!({"Price": [100.0]}), true),
            (json!({"Price": ["100"]}), false),
            (json!({"Price": [{"numeric": [">", 10, "<=", 100]}]}), true),
            (json!({"Price": [{"numeric": [">=", 10, "<", 100]}]}), false),
            (json!({"Height": {"cm": [{"numeric": [">", 170]}]}}), true),
            (json!({"Name": [{"numeric": [">", 170]}]}), false),
            (json!({"Name": [{"exists": true}]}), true),
            (json!({"Name": [{"exists": false}]}), false),
            (json!({"Nothing": [{"exists": false}]}), true),
            (json!({"Nothing": {"within": [{"exists": false}]}}), true),
            (json!({"Nothing": {"within": [{"exists": true}]}}), false),
            // Of leaves alone.
            (json!({"Height": [{"exists": true}]}), false),
            (json!({"Location": [{"prefix": "New "}]}), true),
            (json!({"Location": [{"suffix": "York"}]}), true),
            (json!({"Location": [{"suffix": "New"}]}), false),
            (json!({"Tags": ["blue"]}), true),
            (json!({"Tags": ["green"]}), false),
            (json!({"Done": [true]}), true),
            (json!({"Done": ["true"]}), false),
            // Of one element, all of it.
            (json!({"Rows": {"a": [1], "b": [2]}}), true),
            (json!({"Rows": {"a": [1], "b": [4]}}), false),
        ] {
            assert_eq!(matches(&json!({ "body": pattern }), body), wanted, "{pattern}");
        }
    }

    #[test]
    fn text_and_json_are_told_apart() {
        for (pattern, body, wanted) in [
            (json!({"body": ["hello"]}), "hello", true),
            (json!({"body": [{"prefix": "he"}]}), "hello", true),
            (json!({"body": [{"prefix": "ha"}]}), "hello", false),
            (json!({"body": {"a": [1]}}), "hello", false),
            (json!({"body": {"a": [{"exists": false}]}}), "hello", false),
            (json!({"body": [{"prefix": "{"}]}), "{\"a\": 1}", false),
            (json!({"body": ["42"]}), "42", true),
            (json!({"body": {"a": [1]}}), "[{\"a\": 1}]", true),
            // Neither, where nothing is said of the body.
            (json!({"eventSource": ["aws:sqs"]}), "hello", true),
            (json!({"eventSource": ["aws:sqs"]}), "{\"a\": 1}", true),
            (json!({"eventSource": ["aws:sns"]}), "{\"a\": 1}", false),
        ] {
            assert_eq!(matches(&pattern, body), wanted, "{pattern} {body}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (pattern, why) in [
            ("{", "no JSON"),
            ("[]", "a JSON object"),
            ("{}", "at least one field"),
            (r#"{"body": {}}"#, "at least one field"),
            (r#"{"body": "a"}"#, "body: values stand in a list"),
            (r#"{"body": []}"#, "body: the list of values is empty"),
            (r#"{"body": [[1]]}"#, "a list in a list"),
            (r#"{"body": [{"prefix": 1}]}"#, "prefix takes a string"),
            (r#"{"body": [{"prefix": "a", "suffix": "b"}]}"#, "one field"),
            (r#"{"body": [{"wildcard": "*"}]}"#, "wildcard is no operator"),
            (r#"{"body": [{"numeric": [">"]}]}"#, "one or two comparisons"),
            (r#"{"body": [{"numeric": ["~", 1]}]}"#, "one or two comparisons"),
            (r#"{"body": [{"exists": "yes"}]}"#, "true or false"),
            (r#"{"body": [{"anything-but": []}]}"#, "anything-but takes"),
            (r#"{"$or": [{"body": ["a"]}]}"#, "two patterns or more"),
        ] {
            let error = Filter::parse(pattern).unwrap_err();
            assert!(error.contains(why), "{pattern}: {error}");
        }
        let long = format!(r#"{{"body": ["{}"]}}"#, "x".repeat(LONGEST));
        assert!(Filter::parse(&long).unwrap_err().contains("4096 characters"));
        let deep = (0..40).fold("[1]".to_owned(), |inner, _| format!(r#"{{"a": {inner}}}"#));
        assert!(Filter::parse(&deep).unwrap_err().contains("32 levels"));
    }
}
