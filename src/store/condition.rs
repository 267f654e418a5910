//! Conditions of writes and deletes, decided on what is there.

use jiff::Timestamp;

use super::{DeleteKey, ObjectChange, ObjectInfo, Result, StoreError, WriteCondition};

/// Decides a write's condition on what is there.
pub(super) fn allows(condition: &WriteCondition, present: Option<&ObjectInfo>) -> Result<()> {
    match (condition, present) {
        (WriteCondition::Always, _) | (WriteCondition::IfAbsent | WriteCondition::IfNotMatch(_), None) => {
            Ok(())
        }
        (WriteCondition::IfNotMatch(etag), Some(info)) if *etag != info.etag => Ok(()),
        (WriteCondition::IfMatch(_), None) => Err(StoreError::NoSuchKey),
        (WriteCondition::IfMatch(etag), Some(info)) if etag == "*" || *etag == info.etag => Ok(()),
        (WriteCondition::IfAbsent | WriteCondition::IfNotMatch(_) | WriteCondition::IfMatch(_), Some(_)) => {
            Err(StoreError::PreconditionFailed)
        }
    }
}

/// Decides a delete's conditions on what is there: an object, or a delete marker.
pub(super) fn allows_delete(key: &DeleteKey, present: Option<&ObjectInfo>, marker: bool) -> Result<bool> {
    let Some(info) = present else {
        // A marker is there, and is not what any condition asks for.
        if marker && (key.if_match.is_some() || key.if_last_modified.is_some() || key.if_size.is_some()) {
            return Err(StoreError::PreconditionFailed);
        }
        return if key.if_match.is_some() { Err(StoreError::NoSuchKey) } else { Ok(false) };
    };
    let holds = key.if_match.as_ref().is_none_or(|etag| etag == "*" || *etag == info.etag)
        && key.if_last_modified.is_none_or(|time| time.as_second() == info.last_modified.as_second())
        && key.if_size.is_none_or(|size| size == info.size);
    if holds { Ok(true) } else { Err(StoreError::PreconditionFailed) }
}

impl ObjectChange {
    /// Changes a head, if its lock lets it.
    pub(super) fn apply(self, info: &mut ObjectInfo, now: Timestamp) -> Result<()> {
        match self {
            Self::Tags(tags) => info.tags = tags,
            Self::Acl(acl) => info.acl = Some(acl),
            Self::Retention { retention, bypass_governance } => {
                info.lock.allows_retention(retention.as_ref(), now, bypass_governance)?;
                info.lock.retention = retention;
            }
            Self::LegalHold(on) => info.lock.legal_hold = Some(on),
            Self::StorageClass { class, seen } => {
                if *seen != *info {
                    return Err(StoreError::PreconditionFailed);
                }
                info.headers.storage_class = Some(class).filter(|class| class != "STANDARD");
            }
        }
        Ok(())
    }
}
