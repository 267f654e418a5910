//! The policy document of a browser form: until when it holds, and what each field may be (S3 API reference, "Creating
//! a POST policy").

use std::collections::BTreeMap;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;

use crate::error::ApiError;

/// Fields that no condition has to name.
const FREE: [&str; 6] =
    ["x-amz-signature", "file", "policy", "awsaccesskeyid", "signature", "x-amz-security-token"];

/// A policy, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PostPolicy {
    expiration: Timestamp,
    conditions: Vec<Condition>,
    /// Bytes that the file may have.
    pub(super) length: Option<(u64, u64)>,
}

#[derive(Debug, PartialEq, Eq)]
struct Condition {
    /// In lower case, without `$`.
    field: String,
    value: String,
    starts_with: bool,
}

fn invalid(why: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "InvalidPolicyDocument", format!("Invalid Policy: {why}"))
}

fn denied(why: impl std::fmt::Display) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "AccessDenied", format!("Invalid according to Policy: {why}"))
}

impl PostPolicy {
    /// Reads the document.
    ///
    /// # Errors
    /// 400 InvalidPolicyDocument, saying what is wrong.
    pub(super) fn parse(document: &[u8]) -> Result<Self, ApiError> {
        let document: Value =
            serde_json::from_slice(document).map_err(|error| invalid(&format!("Invalid JSON: {error}")))?;
        let expiration = document.get("expiration").and_then(Value::as_str);
        let expiration = expiration.ok_or_else(|| invalid("Policy missing expiration."))?;
        let moment = moment(expiration);
        let expiration =
            moment.ok_or_else(|| invalid(&format!("Invalid 'expiration' value: '{expiration}'")))?;
        let given = document.get("conditions").and_then(Value::as_array);
        let given = given.ok_or_else(|| invalid("Policy missing conditions."))?;
        let mut policy = Self { expiration, conditions: Vec::new(), length: None };
        for condition in given {
            policy.read(condition)?;
        }
        Ok(policy)
    }

    fn read(&mut self, condition: &Value) -> Result<(), ApiError> {
        let mut add = |field: &str, value: &Value, starts_with| {
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return Err(invalid("Invalid Simple-Condition: value must be a string.")),
            };
            self.conditions.push(Condition { field: field.to_ascii_lowercase(), value, starts_with });
            Ok(())
        };
        match condition {
            Value::Object(pairs) => match pairs.iter().next() {
                Some((field, value)) if pairs.len() == 1 => add(field, value, false),
                _ => Err(invalid(
                    "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
                )),
            },
            Value::Array(items) => match items.as_slice() {
                [Value::String(operator), first, second] => match operator.to_ascii_lowercase().as_str() {
                    "content-length-range" => {
                        let (Some(least), Some(most)) = (length(first), length(second)) else {
                            return Err(invalid(
                                "Invalid content-length-range: it takes two numbers of bytes.",
                            ));
                        };
                        // All of several must hold.
                        let (low, high) = self.length.unwrap_or((0, u64::MAX));
                        self.length = Some((low.max(least), high.min(most)));
                        Ok(())
                    }
                    operator @ ("eq" | "starts-with") => {
                        let field = first.as_str().and_then(|field| field.strip_prefix('$'));
                        let field =
                            field.ok_or_else(|| invalid("Invalid Condition: a field is named as $field."))?;
                        add(field, second, operator == "starts-with")
                    }
                    _ => Err(invalid(
                        "Invalid Condition: the operator is eq, starts-with or content-length-range.",
                    )),
                },
                _ => Err(invalid("Invalid Condition: it must have an operator and two operands.")),
            },
            _ => Err(invalid("Conditions are lists or objects.")),
        }
    }

    /// Checks the fields of a form, by their names in lower case.
    ///
    /// # Errors
    /// 403 AccessDenied, naming the condition that does not hold or the field that none names.
    pub(super) fn check(
        &self,
        fields: &BTreeMap<String, String>,
        bucket: &str,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        if self.expiration <= now {
            return Err(denied("Policy expired."));
        }
        for Condition { field, value, starts_with } in &self.conditions {
            let found = if field == "bucket" { Some(bucket) } else { fields.get(field).map(String::as_str) };
            let holds = match starts_with {
                // A list of types must fit as a whole.
                true if field == "content-type" => {
                    found.unwrap_or_default().split(',').all(|one| one.trim().starts_with(value))
                }
                true => found.unwrap_or_default().starts_with(value),
                false => found.is_some_and(|found| found == value),
            };
            if !holds {
                let operator = if *starts_with { "starts-with" } else { "eq" };
                return Err(denied(format!(
                    "Policy Condition failed: [\"{operator}\", \"${field}\", \"{value}\"]"
                )));
            }
        }
        let free = |name: &str| FREE.contains(&name) || name.starts_with("x-ignore-") || name == "bucket";
        let named = |name: &str| self.conditions.iter().any(|condition| condition.field == name);
        match fields.keys().find(|name| !free(name) && !named(name)) {
            Some(extra) => Err(denied(format!("Extra input fields: {extra}"))),
            None => Ok(()),
        }
    }
}

/// `YYYY-MM-DDThh:mm:ssZ`, with or without fractions of a second: the one form that a policy may have.
fn moment(text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z')?.bytes().all(|b| b.is_ascii_digit() || b"-T:.".contains(&b));
    let (date, _) = text.split_once('T')?;
    if !digits || date.len() != 10 {
        return None;
    }
    text.parse().ok()
}

fn length(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn policy(conditions: &str) -> Result<PostPolicy, ApiError> {
        let text = format!(r#"{{"expiration": "2030-01-01T00:00:00Z", "conditions": [{conditions}]}}"#);
        PostPolicy::parse(text.as_bytes())
    }

    #[test]
    fn conditions_name_every_field_and_hold() {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let policy = policy(
            r#"{"bucket": "b"}, ["starts-with", "$Key", "user/"], {"acl": "private"}, ["eq", "$x-amz-meta-a", "1"],
               ["content-length-range", 1, "10"], ["content-length-range", 0, 5]"#,
        )
        .unwrap();
        assert_eq!(policy.length, Some((1, 5)));
        let good = [
            ("key", "user/1"),
            ("acl", "private"),
            ("x-amz-meta-a", "1"),
            ("x-ignore-x", "?"),
            ("policy", "p"),
        ];
        policy.check(&fields(&good), "b", now).unwrap();
        let message = |pairs: &[(&str, &str)], bucket: &str| {
            policy.check(&fields(pairs), bucket, now).unwrap_err().message.into_owned()
        };
        assert!(message(&good, "c").contains("$bucket"));
        assert!(
            message(&[("key", "other"), ("acl", "private"), ("x-amz-meta-a", "1")], "b").contains("$key")
        );
        assert!(message(&[("key", "user/"), ("acl", "private")], "b").contains("$x-amz-meta-a"));
        let extra = [("key", "user/1"), ("acl", "private"), ("x-amz-meta-a", "1"), ("tagging", "")];
        assert!(message(&extra, "b").contains("Extra input fields: tagging"));
        let late = "2030-01-01T00:00:00Z".parse().unwrap();
        assert!(policy.check(&fields(&good), "b", late).unwrap_err().message.contains("expired"));
    }

    #[test]
    fn malformed_documents_are_named() {
        for conditions in [
            "{}",
            r#"{"a": "1", "b": "2"}"#,
            r#"["eq", "$key"]"#,
            r#"["eq", "key", "x"]"#,
            r#"["like", "$key", "x"]"#,
            r#"["content-length-range", 0]"#,
            r#"["content-length-range", -1, 5]"#,
            "1",
        ] {
            assert_eq!(policy(conditions).unwrap_err().code, "InvalidPolicyDocument", "{conditions}");
        }
        for document in ["", "[]", r#"{"conditions": []}"#, r#"{"expiration": "2030-01-01T00:00:00Z"}"#] {
            assert_eq!(PostPolicy::parse(document.as_bytes()).unwrap_err().code, "InvalidPolicyDocument");
        }
    }

    #[test]
    fn an_expiration_has_the_one_documented_form() {
        for good in ["2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000Z"] {
            assert!(moment(good).is_some(), "{good}");
        }
        for bad in [
            "2030-01-01 00:00:00.5+00:00",
            "2030-01-01 00:00:00Z",
            "2030-01-01T00:00:00+00:00",
            "20300101T000000Z",
        ] {
            assert!(moment(bad).is_none(), "{bad}");
        }
    }
}
