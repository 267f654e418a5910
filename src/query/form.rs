//! The fields of a request: of its query and of its body.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::catalog::Tags;
use crate::catalog::identities::errors;
use crate::error::ApiError;

/// The fields of a request.
#[derive(Debug, Clone, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the query and a body of `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// 400 MalformedQueryString.
    pub fn parse(query: &str, body: &[u8]) -> Result<Self, ApiError> {
        let malformed =
            |why: &str| ApiError::new(http::StatusCode::BAD_REQUEST, "MalformedQueryString", why.to_owned());
        let body = std::str::from_utf8(body).map_err(|_| malformed("The body is not UTF-8"))?;
        let mut fields = Vec::new();
        for field in query.split('&').chain(body.trim().split('&')).filter(|field| !field.is_empty()) {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            let text = |text: &str| {
                let spaced = text.replace('+', " ");
                percent_decode_str(&spaced).decode_utf8().map(Cow::into_owned)
            };
            let (Ok(name), Ok(value)) = (text(name), text(value)) else {
                return Err(malformed("A field is not UTF-8"));
            };
            fields.push((name, value));
        }
        Ok(Self(fields))
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a field that must be there.
    ///
    /// # Errors
    /// 400 ValidationError.
    pub fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            errors::validation(format!(
                "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
                lower_first(name)
            ))
        })
    }

    /// A number within limits.
    ///
    /// # Errors
    /// 400 ValidationError.
    pub fn number(
        &self,
        name: &str,
        within: &std::ops::RangeInclusive<u32>,
    ) -> Result<Option<u32>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().ok().filter(|number| within.contains(number)).map(Some).ok_or_else(|| {
            errors::validation(format!(
                "1 validation error detected: Value '{text}' at '{}' failed to satisfy constraint: Member must have \
                 value between {} and {}",
                lower_first(name),
                within.start(),
                within.end()
            ))
        })
    }

    /// The values of a list: `Name.member.1`, `Name.member.2`.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.members(name).into_values().filter_map(|mut fields| fields.remove("")).collect()
    }

    /// The values of one field of the structures in a list: `Name.member.1.field`.
    #[must_use]
    pub fn list_of(&self, name: &str, field: &str) -> Vec<&str> {
        self.members(name).into_values().filter_map(|mut fields| fields.remove(field)).collect()
    }

    /// A list of tags.
    ///
    /// # Errors
    /// 400 InvalidInput where one has no key or stands twice.
    pub fn tags(&self, name: &str) -> Result<Tags, ApiError> {
        let mut tags = Tags::new();
        for (_, fields) in self.members(name) {
            let Some(key) = fields.get("Key") else {
                return Err(errors::invalid_input("A tag has no Key"));
            };
            let value = fields.get("Value").copied().unwrap_or_default();
            if tags.insert((*key).to_owned(), value.to_owned()).is_some() {
                return Err(errors::invalid_input(format!("Duplicate tag keys found: {key}")));
            }
        }
        Ok(tags)
    }

    /// The members of a list by their number; each its fields, or `""` for a plain value.
    #[must_use]
    pub fn members(&self, name: &str) -> BTreeMap<u32, BTreeMap<&str, &str>> {
        let mut members = BTreeMap::<u32, BTreeMap<&str, &str>>::new();
        for (known, value) in &self.0 {
            let rest = known.strip_prefix(name).and_then(|rest| rest.strip_prefix(".member."));
            let Some(rest) = rest else { continue };
            let (number, field) = rest.split_once('.').unwrap_or((rest, ""));
            if let Ok(number) = number.parse() {
                members.entry(number).or_default().insert(field, value);
            }
        }
        members
    }
}

fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_lists_and_tags_are_read_as_clients_write_them() {
        let body =
            b"Action=TagUser&UserName=a%2Bb+c&Tags.member.2.Key=y&Tags.member.1.Key=x&Tags.member.1.Value=1\
            &L.member.10=z&L.member.9=w&MaxItems=0";
        let form = Form::parse("Version=2010-05-08", body).unwrap();
        assert_eq!(form.get("UserName"), Some("a+b c"));
        assert_eq!(form.get("Version"), Some("2010-05-08"));
        assert_eq!(form.list("L"), ["w", "z"]);
        let tags = form.tags("Tags").unwrap();
        assert_eq!(tags, [("x".to_owned(), "1".to_owned()), ("y".to_owned(), String::new())].into());
        assert_eq!(form.number("MaxItems", &(1..=1000)).unwrap_err().code, "ValidationError");
        assert!(form.required("RoleName").unwrap_err().message.contains("'roleName'"));
        assert_eq!(Form::parse("", b"a=%FF").unwrap_err().code, "MalformedQueryString");
    }
}
