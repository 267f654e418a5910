//! Which rule says what of one version or upload. Pure: no I/O and no clock of its own.

use jiff::Timestamp;

use super::Days;
use crate::bucket::lifecycle::{Expiration, Filter, Lifecycle, MinimumSize, Rule, When};
use crate::store::{ObjectInfo, Version};

/// Bytes below which objects keep their class, unless the rule speaks of sizes.
const SMALL: u64 = 128 << 10;

/// A version, and where it stands among those of its key.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// The key.
    pub key: &'a str,
    /// What it is.
    pub version: &'a Version,
    /// Since when it is noncurrent, with the number of noncurrent versions that are newer; `None` for the current one.
    pub noncurrent: Option<(Timestamp, u64)>,
    /// Whether the key has no other version.
    pub alone: bool,
}

/// What is to be done with a version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// The current version goes: for good, or behind a delete marker in a bucket with versioning.
    Expire,
    /// A delete marker that hides nothing goes.
    RemoveMarker,
    /// A noncurrent version goes for good.
    RemoveNoncurrent,
    /// The version bears another storage class.
    Transition(String),
}

/// An action and the rule that asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'r> {
    /// What is to be done.
    pub action: Action,
    /// Id of the rule.
    pub rule: &'r str,
}

/// What is to be done with a version now. To remove it goes before everything else; of several transitions that are
/// due, the one that became due last counts, which is the colder class.
#[must_use]
pub fn version<'r>(
    lifecycle: &'r Lifecycle,
    days: Days,
    now: Timestamp,
    seen: &Seen<'_>,
) -> Option<Decision<'r>> {
    let applying = || lifecycle.rules.iter().filter(|rule| rule.applies_to(seen.key, seen.version));
    let removal = applying().find_map(|rule| {
        let action = removal(rule, days, now, seen)?;
        Some(Decision { action, rule: &rule.id })
    });
    removal.or_else(|| {
        let Version::Object(info) = seen.version else { return None };
        let (_, class, rule) = applying()
            .filter_map(|rule| transition(rule, days, now, seen, info).map(|(due, class)| (due, class, rule)))
            .filter(|(_, class, rule)| large_enough(lifecycle, rule, class, info.size))
            .max_by_key(|(due, ..)| *due)?;
        let borne = info.headers.storage_class.as_deref() == Some(class);
        (!borne).then(|| Decision { action: Action::Transition(class.to_owned()), rule: &rule.id })
    })
}

/// The rule that aborts an upload, and when it does.
#[must_use]
pub fn upload<'r>(
    lifecycle: &'r Lifecycle,
    days: Days,
    key: &str,
    initiated: Timestamp,
) -> Option<(Timestamp, &'r str)> {
    let rules = lifecycle.rules.iter().filter(|rule| rule.enabled && rule.has_prefix(key));
    rules.filter_map(|rule| Some((days.after(initiated, rule.abort_days?), rule.id.as_str()))).min()
}

/// The rule by which a current object expires first, and when.
#[must_use]
pub fn expiry<'r>(
    lifecycle: &'r Lifecycle,
    days: Days,
    key: &str,
    info: &ObjectInfo,
) -> Option<(Timestamp, &'r str)> {
    let rules = lifecycle.rules.iter().filter(|rule| rule.enabled && rule.matches(key, info));
    rules.filter_map(|rule| Some((expires(rule, days, info.last_modified)?, rule.id.as_str()))).min()
}

fn expires(rule: &Rule, days: Days, written: Timestamp) -> Option<Timestamp> {
    match rule.expiration.as_ref()? {
        Expiration::Days(count) => Some(days.after(written, *count)),
        Expiration::Date(date) => Some(*date),
        Expiration::Marker(_) => None,
    }
}

fn removal(rule: &Rule, days: Days, now: Timestamp, seen: &Seen<'_>) -> Option<Action> {
    match (seen.version, seen.noncurrent) {
        (Version::Object(info), None) => {
            (expires(rule, days, info.last_modified)? <= now).then_some(Action::Expire)
        }
        (Version::Marker(marker), None) => {
            let due = match rule.expiration.as_ref()? {
                Expiration::Marker(removes) => *removes,
                // A rule that speaks of age removes markers of that age.
                Expiration::Days(_) | Expiration::Date(_) => {
                    expires(rule, days, marker.last_modified)? <= now
                }
            };
            (due && seen.alone).then_some(Action::RemoveMarker)
        }
        (_, Some((since, newer))) => {
            let noncurrent = rule.noncurrent?;
            let spared = noncurrent.keep.is_some_and(|keep| newer < u64::from(keep));
            (!spared && days.after(since, noncurrent.days) <= now).then_some(Action::RemoveNoncurrent)
        }
    }
}

fn transition<'r>(
    rule: &'r Rule,
    days: Days,
    now: Timestamp,
    seen: &Seen<'_>,
    info: &ObjectInfo,
) -> Option<(Timestamp, &'r str)> {
    let due: Vec<_> = match seen.noncurrent {
        None => {
            let due = |when: When| match when {
                When::Days(count) => days.after(info.last_modified, count),
                When::Date(date) => date,
            };
            rule.transitions.iter().map(|t| (due(t.when), t.class.as_str())).collect()
        }
        Some((since, newer)) => {
            let moved = rule.noncurrent_transitions.iter();
            let moved = moved.filter(|t| t.keep.is_none_or(|keep| newer >= u64::from(keep)));
            moved.map(|t| (days.after(since, t.days), t.class.as_str())).collect()
        }
    };
    due.into_iter().filter(|(due, _)| *due <= now).max_by_key(|(due, _)| *due)
}

fn large_enough(lifecycle: &Lifecycle, rule: &Rule, class: &str, size: u64) -> bool {
    let takes_any =
        lifecycle.minimum_size == MinimumSize::Varies && matches!(class, "GLACIER" | "DEEP_ARCHIVE");
    takes_any || size >= SMALL || rule.filter.as_ref().is_some_and(Filter::names_sizes)
}

impl Rule {
    fn applies_to(&self, key: &str, version: &Version) -> bool {
        self.enabled
            && match version {
                Version::Object(info) => self.matches(key, info),
                // A marker has neither tags nor a size.
                Version::Marker(_) => {
                    self.has_prefix(key) && self.filter.as_ref().is_none_or(Filter::is_of_keys)
                }
            }
    }

    fn has_prefix(&self, key: &str) -> bool {
        let filter = self.filter.as_ref();
        let prefixes = [
            self.prefix.as_ref(),
            filter.and_then(|filter| filter.prefix.as_ref()),
            filter.and_then(|filter| filter.and.as_ref()?.prefix.as_ref()),
        ];
        prefixes.into_iter().flatten().all(|prefix| key.starts_with(prefix.as_str()))
    }

    fn matches(&self, key: &str, info: &ObjectInfo) -> bool {
        self.has_prefix(key) && self.filter.as_ref().is_none_or(|filter| filter.matches(info))
    }
}

impl Filter {
    fn is_of_keys(&self) -> bool {
        self.tag.is_none() && !self.names_sizes() && self.and.as_ref().is_none_or(|and| and.tags.is_empty())
    }

    fn matches(&self, info: &ObjectInfo) -> bool {
        let has = |key: &String, value: &String| info.tags.get(key) == Some(value);
        let sized = |larger: Option<u64>, smaller: Option<u64>| {
            larger.is_none_or(|bound| info.size > bound) && smaller.is_none_or(|bound| info.size < bound)
        };
        self.tag.as_ref().is_none_or(|(key, value)| has(key, value))
            && sized(self.larger_than, self.smaller_than)
            && self.and.as_ref().is_none_or(|and| {
                and.tags.iter().all(|(key, value)| has(key, value))
                    && sized(and.larger_than, and.smaller_than)
            })
    }
}
