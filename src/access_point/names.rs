//! What access points and Object Lambda access points may be called.

use crate::error::ApiError;

use super::alias::{ACCESS_POINT_SUFFIX, OBJECT_LAMBDA_SUFFIX};

/// Checks the name of an access point: 3 to 50 of `a-z`, `0-9`, `-`, not at either end a hyphen, not ending in
/// `-s3alias` (S3 user guide, "Naming rules for access points").
///
/// # Errors
/// 400 InvalidRequest that names the rule.
pub fn check_access_point(name: &str) -> Result<(), ApiError> {
    check(name, 50)
}

/// Checks the name of an Object Lambda access point: as for an access point, but at most 45 characters.
///
/// # Errors
/// 400 InvalidRequest that names the rule.
pub fn check_object_lambda(name: &str) -> Result<(), ApiError> {
    check(name, 45)
}

fn check(name: &str, longest: usize) -> Result<(), ApiError> {
    let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let rule = if !(3..=longest).contains(&name.len()) {
        format!("must have 3 to {longest} characters; it has {}", name.len())
    } else if !letters {
        "may have only lower-case letters, digits and hyphens".to_owned()
    } else if name.starts_with('-') || name.ends_with('-') {
        "must not begin or end with a hyphen".to_owned()
    } else if name.ends_with(ACCESS_POINT_SUFFIX) || name.ends_with(OBJECT_LAMBDA_SUFFIX) {
        format!("must not end in {ACCESS_POINT_SUFFIX} or {OBJECT_LAMBDA_SUFFIX}, which mark aliases")
    } else {
        return Ok(());
    };
    Err(ApiError::invalid_request(format!("The access point name {name:?} {rule}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules() {
        for good in ["abc", "a-1", &"a".repeat(50)] {
            check_access_point(good).unwrap();
        }
        assert!(check_object_lambda(&"a".repeat(46)).unwrap_err().message.contains("3 to 45"));
        for bad in ["ab", "-ab", "ab-", "Abc", "a.c", "a_c", "x-s3alias", "x--ol-s3", "äbc", &"a".repeat(51)]
        {
            assert_eq!(check_access_point(bad).unwrap_err().code, "InvalidRequest", "{bad}");
        }
    }
}
