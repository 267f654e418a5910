//! What is known about a request: the values of its condition keys.

use std::cell::LazyCell;
use std::fmt;

/// Condition keys, as evaluation asks for them.
pub trait Keys: fmt::Debug {
    /// The values of a key whose name is in lower case.
    fn lookup(&self, key: &str) -> Option<&[String]>;
}

/// The condition keys of a request and their values. Names of keys are not case-sensitive.
///
/// Filled before evaluation, for evaluation does no I/O. A key whose value is dear to fetch, such as
/// `s3:ExistingObjectTag/…`, need only be set where [`Policy::mentions`](super::Policy::mentions) says that a policy
/// asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// By length and then by name: a look-up, of which a request costs hundreds, seldom compares texts.
    values: Vec<(Box<str>, Vec<String>)>,
}

impl Context {
    /// A context without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same context with one value for a key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.set(key, value);
        self
    }

    /// The same context with a value for a key where there is one.
    #[must_use]
    pub fn with_some(mut self, key: &str, value: Option<impl Into<String>>) -> Self {
        if let Some(value) = value {
            self.set(key, value);
        }
        self
    }

    /// The same context with all values of a key that may have several.
    #[must_use]
    pub fn with_all<V: Into<String>>(mut self, key: &str, values: impl IntoIterator<Item = V>) -> Self {
        self.set_all(key, values);
        self
    }

    /// Gives a key one value, in place of what it had.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        *self.slot(key) = vec![value.into()];
    }

    /// Gives a key these values, in place of what it had. None at all leaves the key absent.
    pub fn set_all<V: Into<String>>(&mut self, key: &str, values: impl IntoIterator<Item = V>) {
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        if values.is_empty() {
            self.remove(key);
        } else {
            *self.slot(key) = values;
        }
    }

    /// Adds a value to those of a key.
    pub fn push(&mut self, key: &str, value: impl Into<String>) {
        self.slot(key).push(value.into());
    }

    /// Takes a key away.
    pub fn remove(&mut self, key: &str) {
        if let Ok(at) = self.find(&key.to_ascii_lowercase()) {
            self.values.remove(at);
        }
    }

    /// The values of a key, where it is present.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.lookup(&key.to_ascii_lowercase())
    }

    /// Every key, in lower case, and its values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.values.iter().map(|(key, values)| (&**key, values.as_slice()))
    }

    /// Where a key that is in lower case stands, or belongs.
    fn find(&self, key: &str) -> Result<usize, usize> {
        self.values
            .binary_search_by(|(known, _)| known.len().cmp(&key.len()).then_with(|| (**known).cmp(key)))
    }

    /// The values of a key, to change them.
    fn slot(&mut self, key: &str) -> &mut Vec<String> {
        let key = key.to_ascii_lowercase();
        let at = match self.find(&key) {
            Ok(at) => at,
            Err(at) => {
                self.values.insert(at, (key.into(), Vec::new()));
                at
            }
        };
        let (_, values) = &mut self.values[at];
        values
    }
}

impl Keys for Context {
    fn lookup(&self, key: &str) -> Option<&[String]> {
        self.find(key).ok().and_then(|at| self.values.get(at)).map(|(_, values)| values.as_slice())
    }
}

/// A context that is made when a statement first asks for a key. Most requests meet none that does, and to make it
/// costs more than the rest of their evaluation.
pub(super) struct LazyContext<F>(LazyCell<Context, F>);

impl<F: FnOnce() -> Context> LazyContext<F> {
    pub(super) fn new(make: F) -> Self {
        Self(LazyCell::new(make))
    }
}

impl<F: FnOnce() -> Context> Keys for LazyContext<F> {
    fn lookup(&self, key: &str) -> Option<&[String]> {
        self.0.lookup(key)
    }
}

impl<F> fmt::Debug for LazyContext<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LazyContext(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_case_sensitive() {
        let mut context = Context::new()
            .with("aws:SourceIp", "10.0.0.1")
            .with_some("s3:prefix", None::<&str>)
            .with_some("s3:delimiter", Some("/"))
            .with_all("aws:TagKeys", ["a", "b"]);
        assert_eq!(context.get("AWS:sourceIP"), Some(&["10.0.0.1".to_owned()][..]));
        assert_eq!(context.get("s3:prefix"), None);
        context.push("AWS:TAGKEYS", "c");
        assert_eq!(context.get("aws:tagkeys").map(<[String]>::len), Some(3));
        context.set_all("aws:TagKeys", Vec::<String>::new());
        context.remove("S3:Delimiter");
        assert_eq!(context.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["aws:sourceip"]);
    }
}
