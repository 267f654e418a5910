//! Versions of an object: how they are named, what marks a delete, and what forbids one.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Result, StoreError};

/// Names a version: where it stands among those of its key, then 64 random bits, so that a name is never used again.
/// Clients see 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VersionId {
    /// Microseconds since 1970, or more where two writes came in one: rises with each version of a key.
    pub(in crate::store) order: u64,
    random: u64,
}

impl VersionId {
    /// A new id at a place in the order.
    pub(in crate::store) fn new(order: u64) -> Result<Self> {
        let random = getrandom::u64().map_err(|error| StoreError::Engine(error.to_string()))?;
        Ok(Self { order, random })
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.order, self.random)
    }
}

impl FromStr for VersionId {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| ())?;
        let (order, random) = bytes.split_first_chunk().ok_or(())?;
        let random = random.try_into().map_err(|_| ())?;
        Ok(Self { order: u64::from_be_bytes(*order), random: u64::from_be_bytes(random) })
    }
}

impl Serialize for VersionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        (self.order, self.random).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for VersionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        <(u64, u64)>::deserialize(deserializer).map(|(order, random)| Self { order, random })
    }
}

/// The place of a new version in the order, above that of the newest.
pub(in crate::store) fn order(now: Timestamp, newest: u64) -> u64 {
    u64::try_from(now.as_microsecond()).unwrap_or_default().max(newest.saturating_add(1))
}

/// Which version of an object is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum VersionRef {
    /// The one that a request without a version id sees.
    #[default]
    Current,
    /// The one that was written while versioning was off or suspended.
    Null,
    /// The one with an id.
    Id(VersionId),
}

impl VersionRef {
    /// The version that has this id, or none.
    #[must_use]
    pub fn of(id: Option<VersionId>) -> Self {
        id.map_or(Self::Null, Self::Id)
    }

    /// Reads what a client names; `None` for what was never an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "null" { Some(Self::Null) } else { text.parse().ok().map(Self::Id) }
    }

    /// Whether a version with this id is meant, when it is not by being the current one.
    #[must_use]
    pub fn names(self, id: Option<VersionId>) -> bool {
        match self {
            Self::Current => false,
            Self::Null => id.is_none(),
            Self::Id(wanted) => id == Some(wanted),
        }
    }
}

/// As clients see it: `null` or the id; nothing for the current version.
impl fmt::Display for VersionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => Ok(()),
            Self::Null => f.write_str("null"),
            Self::Id(id) => id.fmt(f),
        }
    }
}

/// What a delete leaves in a bucket with versioning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteMarker {
    /// Its id; `None` for the null version.
    pub version: Option<VersionId>,
    /// When it was made.
    pub last_modified: Timestamp,
}

/// What forbids to delete a version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lock {
    /// Until when, and how strictly.
    pub retention: Option<Retention>,
    /// The legal hold, once it was ever set.
    pub legal_hold: Option<bool>,
}

/// Until when a version cannot be deleted, and how strictly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// How strictly.
    pub mode: RetentionMode,
    /// Until when.
    pub until: Timestamp,
}

/// How strictly a version is retained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RetentionMode {
    /// Whoever has the permission may pass over it.
    Governance,
    /// Nobody may, not the root either.
    Compliance,
}

impl Lock {
    /// Whether the version may be removed for good.
    pub(in crate::store) fn allows_removal(&self, now: Timestamp, bypass_governance: bool) -> Result<()> {
        if self.legal_hold == Some(true) {
            return Err(StoreError::Locked);
        }
        match &self.retention {
            Some(retention) if retention.until > now => match retention.mode {
                RetentionMode::Governance if bypass_governance => Ok(()),
                RetentionMode::Governance | RetentionMode::Compliance => Err(StoreError::Locked),
            },
            _ => Ok(()),
        }
    }

    /// Whether the retention may be replaced by `new`.
    pub(in crate::store) fn allows_retention(
        &self,
        new: Option<&Retention>,
        now: Timestamp,
        bypass_governance: bool,
    ) -> Result<()> {
        let Some(old) = self.retention.as_ref().filter(|old| old.until > now) else { return Ok(()) };
        let stays = new.is_some_and(|new| new.until >= old.until && new.mode == old.mode);
        match old.mode {
            _ if stays => Ok(()),
            RetentionMode::Governance if bypass_governance => Ok(()),
            RetentionMode::Governance | RetentionMode::Compliance => Err(StoreError::Locked),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_shown() {
        let id = VersionId::new(u64::MAX - 5).unwrap();
        assert_eq!(id.to_string().len(), 32);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(VersionRef::parse(&id.to_string()), Some(VersionRef::Id(id)));
        assert_eq!(VersionRef::parse("null"), Some(VersionRef::Null));
        for bad in ["", "x", "NULL", "0123", &"F".repeat(32), &"0".repeat(34)] {
            assert_eq!(VersionRef::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_lock_holds_until_its_time() {
        use RetentionMode::{Compliance, Governance};
        let at = |second| Timestamp::from_second(second).unwrap();
        let lock = |mode| Lock { retention: Some(Retention { mode, until: at(100) }), legal_hold: None };
        assert!(lock(Governance).allows_removal(at(99), false).is_err());
        assert!(lock(Governance).allows_removal(at(99), true).is_ok());
        assert!(lock(Compliance).allows_removal(at(99), true).is_err());
        assert!(lock(Compliance).allows_removal(at(100), false).is_ok());
        let held = Lock { legal_hold: Some(true), ..lock(Governance) };
        assert!(held.allows_removal(at(1000), true).is_err());
        let new = |mode, second| Some(Retention { mode, until: at(second) });
        let allows = |old, new: Option<Retention>, bypass| {
            lock(old).allows_retention(new.as_ref(), at(99), bypass).is_ok()
        };
        assert!(
            allows(Governance, new(Governance, 101), false)
                && !allows(Governance, new(Compliance, 100), false)
        );
        assert!(allows(Governance, new(Compliance, 100), true));
        assert!(
            !allows(Governance, new(Governance, 99), false) && allows(Governance, new(Governance, 99), true)
        );
        assert!(!allows(Governance, None, false) && allows(Governance, None, true));
        assert!(
            allows(Compliance, new(Compliance, 101), false)
                && !allows(Compliance, new(Governance, 101), true)
        );
        assert!(!allows(Compliance, None, true) && !allows(Compliance, new(Compliance, 99), true));
    }
}
