//! Names, paths, tags and unique ids of identities: what they may be, and how new ids are made.

use data_encoding::BASE32_NOPAD;

use crate::catalog::Tags;
use crate::error::ApiError;

use super::{errors, limits};

/// Refuses a name that is too long or has other characters than letters, digits and `_+=,.@-`.
///
/// # Errors
/// 400 ValidationError, which names the field.
pub fn check_name(field: &str, name: &str, most: usize) -> Result<(), ApiError> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if name.is_empty() || name.len() > most {
        return Err(errors::validation(format!("{field} must have 1 to {most} characters")));
    }
    if !name.bytes().all(valid) {
        return Err(errors::validation(format!(
            "The specified value for {field} is invalid. It must contain only alphanumeric characters and/or the \
             following: +=,.@_-"
        )));
    }
    Ok(())
}

/// Refuses a path that does not begin and end with `/`, or is too long.
///
/// # Errors
/// 400 ValidationError.
pub fn check_path(path: &str) -> Result<(), ApiError> {
    let valid = path.bytes().all(|byte| (0x21..=0x7E).contains(&byte));
    let framed = path == "/" || (path.len() > 2 && path.starts_with('/') && path.ends_with('/'));
    if !valid || !framed || path.len() > limits::PATH || path.contains("//") {
        return Err(errors::validation(
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric \
             characters and/or / characters.",
        ));
    }
    Ok(())
}

/// Refuses more tags than may be, and those that are too long.
///
/// # Errors
/// 400 InvalidInput; 409 LimitExceeded.
pub fn check_tags(tags: &Tags) -> Result<(), ApiError> {
    if tags.len() > limits::TAGS {
        return Err(errors::limit("TagsPerResource", limits::TAGS));
    }
    for (key, value) in tags {
        if !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256 {
            return Err(errors::invalid_input(format!(
                "The tag {key:?} is invalid: a key has 1 to 128 characters, a value at most 256"
            )));
        }
        if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
            return Err(errors::invalid_input(format!("The tag {key:?} is invalid: aws: is reserved")));
        }
    }
    Ok(())
}

/// A unique id: the prefix, and 17 random letters and digits.
///
/// # Errors
/// No random bytes.
pub fn unique_id(prefix: &str) -> Result<String, ApiError> {
    let mut bytes = [0_u8; 11];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::internal(format!("no random bytes: {error}")))?;
    let mut text = BASE32_NOPAD.encode(&bytes);
    text.truncate(17);
    Ok(format!("{prefix}{text}"))
}
