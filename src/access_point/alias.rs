//! Aliases: bucket-style names of access points, so that a client that knows only buckets can use them.

use crate::error::ApiError;

/// How the alias of an access point ends.
pub const ACCESS_POINT_SUFFIX: &str = "-s3alias";
/// How the alias of an Object Lambda access point ends.
pub const OBJECT_LAMBDA_SUFFIX: &str = "--ol-s3";

/// Characters of the name that an alias keeps.
const NAME_PART: usize = 20;
/// Random bytes of an alias: 100 bits in 20 characters, so that it is not to be guessed from the name.
const RANDOM: usize = 20;

/// A new alias for an access point: at most 63 characters, as a bucket name.
///
/// # Errors
/// No random bytes.
pub fn new_access_point(name: &str) -> Result<String, ApiError> {
    make(name, ACCESS_POINT_SUFFIX)
}

/// A new alias for an Object Lambda access point: at most 63 characters, as a bucket name.
///
/// # Errors
/// No random bytes.
pub fn new_object_lambda(name: &str) -> Result<String, ApiError> {
    make(name, OBJECT_LAMBDA_SUFFIX)
}

fn make(name: &str, suffix: &str) -> Result<String, ApiError> {
    let mut random = [0_u8; RANDOM];
    getrandom::fill(&mut random).map_err(|error| ApiError::internal(format!("no random bytes: {error}")))?;
    // Five bits of each byte: every character is drawn evenly.
    let random: String = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect();
    let part: String = name.chars().take(NAME_PART).collect();
    Ok(format!("{}-{random}{suffix}", part.trim_end_matches('-')))
}

/// Base32 of RFC 4648 in lower case, which bucket names allow.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Whether a name has the shape of an alias, and so can be no bucket's.
#[must_use]
pub fn is_alias(name: &str) -> bool {
    name.ends_with(ACCESS_POINT_SUFFIX) || name.ends_with(OBJECT_LAMBDA_SUFFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_a_bucket_style_name_of_its_kind() {
        let name = "a-rather-long-name-that-is-cut-to-twenty-chars";
        let (point, lens) = (new_access_point(name).unwrap(), new_object_lambda(name).unwrap());
        assert!(point.starts_with("a-rather-long-name-t-") && point.ends_with("-s3alias"), "{point}");
        assert!(lens.ends_with("--ol-s3") && is_alias(&lens) && is_alias(&point));
        assert!(point.len() <= 63 && lens.len() <= 63);
        assert_ne!(point, new_access_point(name).unwrap());
        // A cut that leaves a hyphen must not make `--` before the random part.
        assert!(!new_access_point("abcdefghijklmnopqrs-xyz").unwrap().contains("--"));
    }
}
