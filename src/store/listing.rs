//! How a listing walks ordered keys: it seeks past each common prefix and never scans one.

use std::ops::Bound;

use super::Result;

/// What a walk meets.
pub(super) enum Step<V> {
    /// A key and its value.
    Key(String, V),
    /// A common prefix.
    Prefix(String),
}

/// The common prefix that a key is rolled into: all up to and with the first delimiter after the prefix.
pub(super) fn common_prefix<'k>(key: &'k str, prefix: &str, delimiter: Option<&str>) -> Option<&'k str> {
    let delimiter = delimiter.filter(|d| !d.is_empty())?;
    let rest = key.strip_prefix(prefix)?;
    let end = prefix.len() + rest.find(delimiter)? + delimiter.len();
    key.get(..end)
}

/// The least string above all that start with `prefix`; `None` when there is none.
///
/// Strings order by code point as their UTF-8 orders by byte, so raising the last character that can be raised is
/// right for both.
pub(super) fn successor(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // `char` skips the surrogates by itself.
        if let Some(next) = (last..=char::MAX).nth(1) {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

/// Walks keys in order from `after` on, at most `limit` steps, and answers where the next page begins.
///
/// `seek` finds the first key at or after a bound.
pub(super) fn walk<V>(
    prefix: &str,
    delimiter: Option<&str>,
    after: Option<&str>,
    limit: usize,
    mut seek: impl FnMut(Bound<&str>) -> Result<Option<(String, V)>>,
    mut visit: impl FnMut(Step<V>),
) -> Result<Option<String>> {
    let mut last: Option<String> = None;
    let mut count = 0;
    // Where to look next: `None` once no greater key can exist.
    let mut from = Some(match after {
        Some(after) if after >= prefix => match common_prefix(after, prefix, delimiter) {
            // The marker lies within a common prefix, which the page before has shown.
            Some(shown) => successor(shown).map(Bound::Included),
            None => Some(Bound::Excluded(after.to_owned())),
        },
        _ => Some(Bound::Included(prefix.to_owned())),
    })
    .flatten();
    while let Some(bound) = from.take() {
        let bound = match &bound {
            Bound::Included(key) => Bound::Included(key.as_str()),
            Bound::Excluded(key) => Bound::Excluded(key.as_str()),
            Bound::Unbounded => Bound::Unbounded,
        };
        let Some((key, value)) = seek(bound)? else { break };
        if !key.starts_with(prefix) {
            break;
        }
        if count == limit {
            return Ok(last);
        }
        count += 1;
        match common_prefix(&key, prefix, delimiter) {
            Some(rolled) => {
                let rolled = rolled.to_owned();
                from = successor(&rolled).map(Bound::Included);
                visit(Step::Prefix(rolled.clone()));
                last = Some(rolled);
            }
            None => {
                from = Some(Bound::Excluded(key.clone()));
                last = Some(key.clone());
                visit(Step::Key(key, value));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn successors_are_the_least_above() {
        assert_eq!(successor("a/").as_deref(), Some("a0"));
        assert_eq!(successor("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(successor("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(successor("\u{10FFFF}"), None);
        assert_eq!(successor(""), None);
    }

    #[test]
    fn common_prefixes_end_with_the_delimiter() {
        assert_eq!(common_prefix("a/b/c", "", Some("/")), Some("a/"));
        assert_eq!(common_prefix("a/b/c", "a/", Some("/")), Some("a/b/"));
        assert_eq!(common_prefix("a/b", "a/", Some("/")), None);
        assert_eq!(common_prefix("axxb", "", Some("xx")), Some("axx"));
        assert_eq!(common_prefix("a", "", Some("")), None);
    }
}
