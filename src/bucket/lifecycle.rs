//! The lifecycle document: what it says of objects and how it is checked (S3 user guide, "Managing the lifecycle of
//! objects").

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::malformed;
use crate::error::ApiError;
use crate::store::Tags;

/// Rules of one document.
const MAX_RULES: usize = 1000;
/// Characters of a rule's id.
const MAX_ID: usize = 255;
/// Least days before a transition to the infrequent-access classes.
const INFREQUENT_DAYS: u32 = 30;
/// Classes that a transition may lead to.
const CLASSES: [&str; 6] =
    ["GLACIER", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "DEEP_ARCHIVE", "GLACIER_IR"];

/// A lifecycle configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// Its rules, 1 to 1,000.
    pub rules: Vec<Rule>,
    /// Which objects are too small to change their class.
    #[serde(default)]
    pub minimum_size: MinimumSize,
}

/// TransitionDefaultMinimumObjectSize.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MinimumSize {
    /// No object under 128 KiB changes its class.
    #[default]
    AllClasses,
    /// The same, but for GLACIER and DEEP_ARCHIVE, which take any.
    Varies,
}

/// A rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    /// Unique in its document, up to 255 characters.
    pub id: String,
    /// Whether it is applied.
    pub enabled: bool,
    /// The prefix in the form without a filter; exactly one of the two is there.
    pub prefix: Option<String>,
    /// Which objects it is about.
    pub filter: Option<Filter>,
    /// When current versions go.
    pub expiration: Option<Expiration>,
    /// When noncurrent versions go.
    pub noncurrent: Option<Noncurrent>,
    /// Days after which an unfinished upload is aborted.
    pub abort_days: Option<u32>,
    /// Changes of the class of current versions.
    pub transitions: Vec<Transition>,
    /// Changes of the class of noncurrent versions.
    pub noncurrent_transitions: Vec<NoncurrentTransition>,
}

/// Which objects a rule is about: those that meet everything that is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// Start of the key.
    pub prefix: Option<String>,
    /// A tag.
    pub tag: Option<(String, String)>,
    /// Bytes that it must have more than.
    pub larger_than: Option<u64>,
    /// Bytes that it must have less than.
    pub smaller_than: Option<u64>,
    /// Several of them.
    pub and: Option<And>,
}

/// Several conditions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct And {
    /// Start of the key.
    pub prefix: Option<String>,
    /// Tags, all of them.
    pub tags: Tags,
    /// As in [`Filter`].
    pub larger_than: Option<u64>,
    /// As in [`Filter`].
    pub smaller_than: Option<u64>,
}

/// When current versions go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expiration {
    /// Days after they were written, at least 1.
    Days(u32),
    /// From this midnight UTC on.
    Date(Timestamp),
    /// Whether delete markers go that hide nothing any more.
    Marker(bool),
}

/// When noncurrent versions go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noncurrent {
    /// Days after they were replaced, at least 1.
    pub days: u32,
    /// How many of the newest stay all the same, 1 to 100.
    pub keep: Option<u32>,
}

/// When a transition happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum When {
    /// Days after the object was written.
    Days(u32),
    /// From this midnight UTC on.
    Date(Timestamp),
}

/// A change of the class of current versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// When.
    pub when: When,
    /// The new class.
    pub class: String,
}

/// A change of the class of noncurrent versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoncurrentTransition {
    /// Days after the version was replaced.
    pub days: u32,
    /// How many of the newest keep theirs, 1 to 100.
    pub keep: Option<u32>,
    /// The new class.
    pub class: String,
}

impl Filter {
    fn names_tags(&self) -> bool {
        self.tag.is_some() || self.and.as_ref().is_some_and(|and| !and.tags.is_empty())
    }

    pub(crate) fn names_sizes(&self) -> bool {
        let and = self.and.as_ref();
        self.larger_than.is_some()
            || self.smaller_than.is_some()
            || and.is_some_and(|and| and.larger_than.is_some() || and.smaller_than.is_some())
    }

    fn check(&self) -> Result<(), ApiError> {
        let Some(and) = &self.and else { return Ok(()) };
        let said = [and.prefix.is_some(), and.larger_than.is_some(), and.smaller_than.is_some()];
        let said = and.tags.len() + said.iter().filter(|said| **said).count();
        if said == 0 {
            return Err(malformed("And says nothing"));
        }
        if let (Some(larger), Some(smaller)) = (and.larger_than, and.smaller_than)
            && larger >= smaller
        {
            return Err(ApiError::invalid_request(
                "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'",
            ));
        }
        Ok(())
    }
}

impl Lifecycle {
    /// Checks the whole document, and names the rules that have no id by `make_id`.
    ///
    /// # Errors
    /// 400 MalformedXML, InvalidArgument or InvalidRequest, as AWS.
    pub fn check(&mut self, mut make_id: impl FnMut() -> Result<String, ApiError>) -> Result<(), ApiError> {
        if self.rules.is_empty() || self.rules.len() > MAX_RULES {
            return Err(malformed(format!(
                "a lifecycle has 1 to {MAX_RULES} rules, not {}",
                self.rules.len()
            )));
        }
        let mut ids = HashSet::new();
        for rule in &mut self.rules {
            if rule.id.is_empty() {
                rule.id = make_id()?;
            }
            if rule.id.chars().count() > MAX_ID {
                return Err(ApiError::invalid_argument("ID length should not exceed allowed limit of 255"));
            }
            rule.check()?;
            if !ids.insert(rule.id.as_str()) {
                return Err(ApiError::invalid_argument(
                    "Rule ID must be unique. Found same ID for more than one rule",
                ));
            }
        }
        Ok(())
    }
}

impl Rule {
    fn check(&self) -> Result<(), ApiError> {
        if self.prefix.is_some() == self.filter.is_some() {
            return Err(malformed("a rule has a Filter or a Prefix"));
        }
        if let Some(filter) = &self.filter {
            filter.check()?;
        }
        let acts = self.expiration.is_some()
            || self.noncurrent.is_some()
            || self.abort_days.is_some()
            || !self.transitions.is_empty()
            || !self.noncurrent_transitions.is_empty();
        if !acts {
            return Err(ApiError::invalid_request("At least one action needs to be specified in a rule"));
        }
        let tags = self.filter.as_ref().is_some_and(Filter::names_tags);
        let sizes = self.filter.as_ref().is_some_and(Filter::names_sizes);
        if let Some(days) = self.abort_days {
            positive(days, "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action")?;
            without(tags, sizes, "AbortIncompleteMultipartUpload")?;
        }
        match &self.expiration {
            Some(Expiration::Days(days)) => positive(*days, "'Days' for Expiration action")?,
            Some(Expiration::Date(date)) => midnight(*date)?,
            Some(Expiration::Marker(_)) => without(tags, sizes, "ExpiredObjectDeleteMarker")?,
            None => {}
        }
        if let Some(Noncurrent { days, keep }) = self.noncurrent {
            positive(days, "'NoncurrentDays' for NoncurrentVersionExpiration action")?;
            self.check_keep(keep, "NoncurrentVersionExpiration")?;
        }
        self.check_transitions()
    }

    fn check_transitions(&self) -> Result<(), ApiError> {
        let mut classes = HashSet::new();
        for Transition { when, class } in &self.transitions {
            let days = match when {
                When::Days(days) => Some(*days),
                When::Date(date) => {
                    midnight(*date)?;
                    None
                }
            };
            check_class(class, days)?;
            if !classes.insert(class.as_str()) {
                return Err(ApiError::invalid_request(
                    "'StorageClass' must be different for 'Transition' actions in same 'Rule'",
                ));
            }
            let mixed = match (&self.expiration, when) {
                (Some(Expiration::Days(_)), When::Date(_)) | (Some(Expiration::Date(_)), When::Days(_)) => {
                    true
                }
                (Some(Expiration::Days(expiration)), When::Days(days)) if expiration <= days => {
                    return Err(ApiError::invalid_argument(
                        "'Days' in the Expiration action must be greater than 'Days' in the Transition action",
                    ));
                }
                (Some(Expiration::Date(expiration)), When::Date(date)) if expiration <= date => {
                    return Err(ApiError::invalid_argument(
                        "'Date' in the Expiration action must be later than 'Date' in the Transition action",
                    ));
                }
                _ => false,
            };
            if mixed {
                return Err(ApiError::invalid_request(
                    "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule",
                ));
            }
        }
        for transition in &self.noncurrent_transitions {
            check_class(&transition.class, Some(transition.days))?;
            self.check_keep(transition.keep, "NoncurrentVersionTransition")?;
            if self.noncurrent.is_some_and(|expiration| expiration.days <= transition.days) {
                return Err(ApiError::invalid_argument(
                    "'NoncurrentDays' in the NoncurrentVersionExpiration action must be greater than \
                     'NoncurrentDays' in the NoncurrentVersionTransition action",
                ));
            }
        }
        Ok(())
    }

    fn check_keep(&self, keep: Option<u32>, action: &str) -> Result<(), ApiError> {
        let Some(keep) = keep else { return Ok(()) };
        if self.filter.is_none() {
            return Err(malformed("NewerNoncurrentVersions needs a Filter"));
        }
        if (1..=100).contains(&keep) {
            return Ok(());
        }
        Err(ApiError::invalid_argument(format!(
            "'NewerNoncurrentVersions' for {action} action must be an integer from 1 to 100"
        )))
    }
}

fn positive(days: u32, what: &str) -> Result<(), ApiError> {
    if days > 0 {
        return Ok(());
    }
    Err(ApiError::invalid_argument(format!("{what} must be a positive integer")))
}

fn midnight(date: Timestamp) -> Result<(), ApiError> {
    if date.as_nanosecond() % 86_400_000_000_000 == 0 {
        return Ok(());
    }
    Err(ApiError::invalid_argument("'Date' must be at midnight GMT"))
}

fn without(tags: bool, sizes: bool, action: &str) -> Result<(), ApiError> {
    match (tags, sizes) {
        (true, _) => Err(ApiError::invalid_request(format!("{action} cannot be specified with Tags."))),
        (_, true) => {
            Err(ApiError::invalid_request(format!("{action} cannot be specified with object size.")))
        }
        (false, false) => Ok(()),
    }
}

fn check_class(class: &str, days: Option<u32>) -> Result<(), ApiError> {
    if !CLASSES.contains(&class) {
        return Err(malformed(format!("StorageClass {class} is none that a transition leads to")));
    }
    let infrequent = matches!(class, "STANDARD_IA" | "ONEZONE_IA");
    if infrequent && days.is_some_and(|days| days < INFREQUENT_DAYS) {
        return Err(ApiError::invalid_argument(format!(
            "'Days' in Transition action must be greater than or equal to {INFREQUENT_DAYS} for storageClass \
             '{class}'"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: Rule) -> Result<String, String> {
        let mut lifecycle = Lifecycle { rules: vec![rule], minimum_size: MinimumSize::AllClasses };
        lifecycle.check(|| Ok("made".into())).map_err(|error| error.code.into_owned())?;
        Ok(lifecycle.rules.remove(0).id)
    }

    fn rule() -> Rule {
        let expiration = Some(Expiration::Days(1));
        Rule { id: "r".into(), enabled: true, prefix: Some(String::new()), expiration, ..Rule::default() }
    }

    #[test]
    fn a_rule_without_an_id_gets_one() {
        assert_eq!(check(rule()), Ok("r".into()));
        assert_eq!(check(Rule { id: String::new(), ..rule() }), Ok("made".into()));
        assert_eq!(check(Rule { id: "ü".repeat(255), ..rule() }), Ok("ü".repeat(255)));
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        let tagged = || Filter { tag: Some(("k".into(), "v".into())), ..Filter::default() };
        let filtered = |filter| Rule { prefix: None, filter: Some(filter), ..rule() };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let to = |days, class: &str| vec![Transition { when: When::Days(days), class: class.into() }];
        for (bad, code) in [
            (Rule { id: "a".repeat(256), ..rule() }, "InvalidArgument"),
            (Rule { prefix: None, ..rule() }, "MalformedXML"),
            (Rule { filter: Some(Filter::default()), ..rule() }, "MalformedXML"),
            (Rule { expiration: None, ..rule() }, "InvalidRequest"),
            (Rule { expiration: Some(Expiration::Days(0)), ..rule() }, "InvalidArgument"),
            (
                Rule { expiration: Some(Expiration::Date(at("2026-01-01T00:00:01Z"))), ..rule() },
                "InvalidArgument",
            ),
            (Rule { expiration: Some(Expiration::Marker(true)), ..filtered(tagged()) }, "InvalidRequest"),
            (Rule { abort_days: Some(1), ..filtered(tagged()) }, "InvalidRequest"),
            (Rule { abort_days: Some(0), ..rule() }, "InvalidArgument"),
            (Rule { noncurrent: Some(Noncurrent { days: 0, keep: None }), ..rule() }, "InvalidArgument"),
            (Rule { noncurrent: Some(Noncurrent { days: 1, keep: Some(5) }), ..rule() }, "MalformedXML"),
            (
                Rule {
                    noncurrent: Some(Noncurrent { days: 1, keep: Some(101) }),
                    ..filtered(Filter::default())
                },
                "InvalidArgument",
            ),
            (filtered(Filter { and: Some(And::default()), ..Filter::default() }), "MalformedXML"),
            (Rule { transitions: to(0, "COLD"), ..rule() }, "MalformedXML"),
            (Rule { transitions: to(1, "STANDARD_IA"), expiration: None, ..rule() }, "InvalidArgument"),
            (Rule { transitions: to(1, "GLACIER"), ..rule() }, "InvalidArgument"),
        ] {
            assert_eq!(check(bad.clone()), Err(code.into()), "{bad:?}");
        }
        let mut twice = Lifecycle { rules: vec![rule(), rule()], ..Lifecycle::default() };
        assert_eq!(twice.check(|| Ok(String::new())).unwrap_err().code, "InvalidArgument");
        let mut many = Lifecycle { rules: vec![rule(); 1001], ..Lifecycle::default() };
        assert_eq!(many.check(|| Ok(String::new())).unwrap_err().code, "MalformedXML");
    }
}
