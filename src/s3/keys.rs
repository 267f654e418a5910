//! What a key may be: 1 to 1,024 bytes of UTF-8 without NUL. It never becomes a path, so `..` is only data.

use http::StatusCode;

use crate::error::ApiError;

/// Bytes of a key (S3 user guide, "Naming Amazon S3 objects").
pub const MAX_KEY: usize = 1024;

/// Checks a key.
///
/// # Errors
/// 400 KeyTooLongError above 1,024 bytes; 400 InvalidArgument when empty or with a NUL, which no listing could
/// show in XML 1.0.
pub fn check(key: &str) -> Result<(), ApiError> {
    if key.len() > MAX_KEY {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "KeyTooLongError", "Your key is too long")
            .with_detail("Size", key.len().to_string())
            .with_detail("MaxSizeAllowed", MAX_KEY.to_string()));
    }
    if key.is_empty() {
        return Err(ApiError::invalid_argument("The object key must not be empty"));
    }
    if key.contains('\0') {
        return Err(ApiError::invalid_argument(
            "The object key contains a NUL character, which is not allowed",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_checked() {
        assert!(check("../../etc/passwd").is_ok());
        assert!(check(&"k".repeat(1024)).is_ok());
        assert_eq!(check(&"k".repeat(1025)).unwrap_err().code, "KeyTooLongError");
        assert_eq!(check("a\0b").unwrap_err().code, "InvalidArgument");
        assert_eq!(check("").unwrap_err().code, "InvalidArgument");
    }
}
