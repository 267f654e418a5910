//! How a listing walks ordered keys: it seeks past each common prefix and never scans one.

use std::ops::Bound;

use super::{ListVersionsPage, ListVersionsQuery, Result, Version, VersionEntry, VersionRef};

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
    let mut from = first(prefix, delimiter, after);
    while let Some(bound) = from.take() {
        let Some((key, value)) = seek(bound.as_ref().map(String::as_str))? else { break };
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

/// Walks the versions of keys in order, as a query says.
///
/// `seek` finds the first key at or after a bound; `versions` lists those of a key that follow one, or all, from the
/// newest on, at most as many as it is told; the flag says which is the current one.
pub(super) fn walk_versions(
    query: &ListVersionsQuery,
    mut seek: impl FnMut(Bound<&str>) -> Result<Option<String>>,
    mut versions: impl FnMut(&str, Option<VersionRef>, usize) -> Result<Vec<(Version, bool)>>,
) -> Result<ListVersionsPage> {
    let ListVersionsQuery { prefix, delimiter, after_key, after_version, limit } = query;
    let delimiter = delimiter.as_deref();
    let mut page = ListVersionsPage::default();
    let mut last = None;
    // The key of the marker, of which the page before has shown some.
    let mut begun = after_key.clone().zip(*after_version).filter(|(key, _)| {
        key.starts_with(prefix.as_str()) && common_prefix(key, prefix, delimiter).is_none()
    });
    let mut from = first(prefix, delimiter, after_key.as_deref());
    loop {
        let (key, after) = match begun.take() {
            Some((key, after)) => (key, Some(after)),
            None => {
                let Some(bound) = from.take() else { break };
                match seek(bound.as_ref().map(String::as_str))? {
                    Some(key) => (key, None),
                    None => break,
                }
            }
        };
        if !key.starts_with(prefix.as_str()) {
            break;
        }
        let room = limit - page.versions.len() - page.prefixes.len();
        if let Some(rolled) = common_prefix(&key, prefix, delimiter) {
            if room == 0 {
                page.next = last;
                break;
            }
            from = successor(rolled).map(Bound::Included);
            page.prefixes.push(rolled.to_owned());
            last = Some((rolled.to_owned(), None));
            continue;
        }
        for (version, is_latest) in versions(&key, after, room + 1)? {
            if page.versions.len() + page.prefixes.len() == *limit {
                page.next = last;
                return Ok(page);
            }
            last = Some((key.clone(), Some(VersionRef::of(version.id()))));
            page.versions.push(VersionEntry { key: key.clone(), version, is_latest });
        }
        from = Some(Bound::Excluded(key));
    }
    Ok(page)
}

/// Where a listing begins; `None` where no key can follow.
fn first(prefix: &str, delimiter: Option<&str>, after: Option<&str>) -> Option<Bound<String>> {
    match after {
        Some(after) if after >= prefix => match common_prefix(after, prefix, delimiter) {
            // The marker lies within a common prefix, which the page before has shown.
            Some(shown) => successor(shown).map(Bound::Included),
            None => Some(Bound::Excluded(after.to_owned())),
        },
        _ => Some(Bound::Included(prefix.to_owned())),
    }
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
