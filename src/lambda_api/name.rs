//! How a request names a function: by name, `account:function:name`, or ARN, each with a version or alias.

use http::StatusCode;

use crate::access_point::arn::is_function_name;
use crate::error::ApiError;

use super::error::constraint;

/// A function as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionName {
    /// Its name alone.
    pub name: String,
    /// Version or alias.
    pub qualifier: Option<String>,
}

impl FunctionName {
    /// Reads a name; `qualifier` is the request's own, which must not contradict the name's.
    ///
    /// # Errors
    /// 400 ValidationException, InvalidParameterValueException; 403 for another account's.
    pub fn parse(text: &str, qualifier: Option<&str>, account_id: &str) -> Result<Self, ApiError> {
        let wrong = || {
            constraint(
                "functionName",
                text,
                "satisfy regular expression pattern: \
                 (arn:aws:lambda:)?(REGION:)?(ACCOUNT:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?",
            )
        };
        if text.len() > 170 {
            return Err(wrong());
        }
        let fields: Vec<&str> = text.split(':').collect();
        let (account, rest): (Option<&str>, &[&str]) = match fields.as_slice() {
            ["arn", _, "lambda", _, account, "function", rest @ ..] => (Some(account), rest),
            [account, "function", rest @ ..] if account.len() == 12 => (Some(account), rest),
            ["function", rest @ ..] if !rest.is_empty() => (None, rest),
            rest => (None, rest),
        };
        let (name, in_name) = match rest {
            [name] => (*name, None),
            [name, qualifier] => (*name, Some(*qualifier)),
            _ => return Err(wrong()),
        };
        if !is_function_name(name) {
            return Err(wrong());
        }
        if account.is_some_and(|account| account != account_id) {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "AccessDeniedException",
                format!("The function {text} belongs to an account whose functions are not here"),
            ));
        }
        if let (Some(one), Some(other)) = (in_name, qualifier)
            && one != other
        {
            return Err(super::error::invalid(
                "The derived qualifier from the function name does not match the specified qualifier.",
            ));
        }
        let qualifier = qualifier.or(in_name).filter(|text| !text.is_empty());
        if let Some(qualifier) = qualifier
            && !is_qualifier(qualifier)
        {
            let rule = "satisfy regular expression pattern: (\\$LATEST|[a-zA-Z0-9-_]+)";
            return Err(constraint("qualifier", qualifier, rule));
        }
        Ok(Self { name: name.to_owned(), qualifier: qualifier.map(str::to_owned) })
    }
}

fn is_qualifier(text: &str) -> bool {
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    text == crate::catalog::lambda::LATEST || text.len() <= 128 && plain(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_name_is_read() {
        let of = |text: &str, qualifier| {
            FunctionName::parse(text, qualifier, "000000000000").map(|found| (found.name, found.qualifier))
        };
        let f = |qualifier: Option<&str>| ("f-1".to_owned(), qualifier.map(str::to_owned));
        assert_eq!(of("f-1", None).unwrap(), f(None));
        assert_eq!(of("f-1:live", None).unwrap(), f(Some("live")));
        assert_eq!(of("function:f-1", Some("2")).unwrap(), f(Some("2")));
        assert_eq!(of("000000000000:function:f-1", None).unwrap(), f(None));
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:f-1";
        assert_eq!(of(arn, None).unwrap(), f(None));
        assert_eq!(of(&format!("{arn}:$LATEST"), None).unwrap(), f(Some("$LATEST")));
        for (text, qualifier) in [
            ("f 1", None),
            ("", None),
            ("f:1", Some("2")),
            ("f", Some("a/b")),
            ("arn:aws:lambda:us-east-1:111111111111:function:f", None),
            ("../f", None),
        ] {
            assert!(of(text, qualifier).is_err(), "{text}");
        }
    }
}
