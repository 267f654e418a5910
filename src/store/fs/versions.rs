//! Versions of a key: the current object stands in `objects`, so that a plain read finds it at once; all others, and
//! every delete marker, stand in `versions`, the newest first.

use redb::ReadableTable;

use super::rows::{ObjectRow, VersionRow, decode, encode};
use super::tables::{Tx, VERSIONS, View, object_key};
use crate::bucket::Versioning;
use crate::store::version::order;
use crate::store::{
    Bucket, DeleteKey, DeleteMarker, Deleted, ObjectInfo, Result, StoreError, Version, VersionId, VersionRef,
};

/// Key of a version in `versions`: the order is turned round, so that the newest comes first.
type Key<'k> = (u64, &'k str, u64);

fn key_at(bucket: u64, key: &str, order: u64) -> Key<'_> {
    (bucket, key, u64::MAX - order)
}

/// All versions of a key that are older than one.
fn older(bucket: u64, key: &str, than: Option<u64>) -> std::ops::RangeInclusive<Key<'_>> {
    let from = than.map_or(0, |order| (u64::MAX - order).saturating_add(1));
    (bucket, key, from)..=(bucket, key, u64::MAX)
}

/// Finds a version in `versions`, and its place in the order.
fn find(
    table: &impl ReadableTable<(u64, &'static str, u64), &'static [u8]>,
    bucket: u64,
    key: &str,
    wanted: VersionRef,
) -> Result<Option<(u64, VersionRow)>> {
    let range = match wanted {
        VersionRef::Id(id) => {
            let at = key_at(bucket, key, id.order);
            let row = table.get(at)?.map(|row| decode::<_, _, VersionRow>(VERSIONS, &at, row.value()));
            let row = row.transpose()?;
            return Ok(row.filter(|row| wanted.names(row.id())).map(|row| (id.order, row)));
        }
        VersionRef::Current | VersionRef::Null => table.range(older(bucket, key, None))?,
    };
    for entry in range {
        let (at, row) = entry?;
        let row: VersionRow = decode(VERSIONS, &at.value(), row.value())?;
        if wanted == VersionRef::Current || wanted.names(row.id()) {
            return Ok(Some((u64::MAX - at.value().2, row)));
        }
    }
    Ok(None)
}

impl View {
    /// The row of a version that is an object.
    pub(super) fn version(&self, bucket: &Bucket, key: &str, wanted: VersionRef) -> Result<ObjectRow> {
        let current = self.object(bucket.id, key)?;
        let named = wanted != VersionRef::Current;
        if let Some(row) = current
            && (!named || wanted.names(row.info.version))
        {
            return Ok(row);
        }
        let absent = if named { StoreError::NoSuchVersion } else { StoreError::NoSuchKey };
        if bucket.config.versioning == Versioning::Off {
            return Err(absent);
        }
        match find(&self.versions, bucket.id, key, wanted)? {
            Some((_, VersionRow::Object(row))) if named => Ok(*row),
            // An object here is never the current version: there is none.
            Some((_, VersionRow::Object(_))) | None => Err(absent),
            Some((_, VersionRow::Marker(marker))) => Err(StoreError::DeleteMarker(marker, named)),
        }
    }

    /// The versions of a key that follow one, or all; the flag says which is the current one.
    pub(super) fn versions_after(
        &self,
        bucket: u64,
        key: &str,
        after: Option<VersionRef>,
        limit: usize,
    ) -> Result<Vec<(Version, bool)>> {
        let current = self.object(bucket, key)?;
        let mut listed = Vec::new();
        let after = match after {
            None | Some(VersionRef::Current) => None,
            // By its place in the order, as that version may be gone.
            Some(VersionRef::Id(id)) => Some(id.order),
            Some(VersionRef::Null) => match &current {
                Some(row) if row.info.version.is_none() => Some(row.order),
                _ => match find(&self.versions, bucket, key, VersionRef::Null)? {
                    Some((order, _)) => Some(order),
                    None => return Ok(listed),
                },
            },
        };
        let has_current = current.is_some();
        if let Some(row) = current
            && after.is_none_or(|after| row.order < after)
        {
            listed.push((Version::Object(row.info.into()), true));
        }
        if after == Some(0) {
            return Ok(listed);
        }
        // The newest of the key, wherever the listing begins: a marker may name a place before all of them.
        let newest = match self.versions.range(older(bucket, key, None))?.next() {
            Some(entry) if !has_current => Some(entry?.0.value().2),
            _ => None,
        };
        for entry in self.versions.range(older(bucket, key, after))? {
            if listed.len() >= limit {
                break;
            }
            let (place, row) = entry?;
            let is_latest = newest == Some(place.value().2);
            let row: VersionRow = decode(VERSIONS, &place.value(), row.value())?;
            listed.push((row.into_version(), is_latest));
        }
        Ok(listed)
    }
}

/// Where a version's row is.
enum At {
    /// In `objects`.
    Current,
    /// In `versions`, at a place in the order.
    Order(u64),
}

impl Tx<'_> {
    /// Finds a version and where its row is.
    fn find_version(
        &mut self,
        bucket: &Bucket,
        key: &str,
        wanted: VersionRef,
    ) -> Result<Option<(At, VersionRow)>> {
        let current = self.object(&object_key(bucket.id, key))?;
        if let Some(row) = current
            && (wanted == VersionRef::Current || wanted.names(row.info.version))
        {
            return Ok(Some((At::Current, VersionRow::Object(row.into()))));
        }
        if bucket.config.versioning == Versioning::Off {
            return Ok(None);
        }
        let found = find(self.versions.table()?, bucket.id, key, wanted)?;
        Ok(found.map(|(order, row)| (At::Order(order), row)))
    }

    /// Changes the head of a version.
    pub(super) fn update_version(
        &mut self,
        bucket: &Bucket,
        key: &str,
        wanted: VersionRef,
        change: impl FnOnce(&mut ObjectInfo) -> Result<()>,
    ) -> Result<ObjectInfo> {
        let named = wanted != VersionRef::Current;
        match self.find_version(bucket, key, wanted)? {
            Some((At::Current, VersionRow::Object(mut row))) => {
                change(&mut row.info)?;
                self.set_object(&object_key(bucket.id, key), &row)?;
                Ok(row.info)
            }
            Some((At::Order(order), VersionRow::Object(mut row))) if named => {
                change(&mut row.info)?;
                let info = row.info.clone();
                self.set_version(bucket.id, key, order, &VersionRow::Object(row))?;
                Ok(info)
            }
            Some((_, VersionRow::Marker(marker))) => Err(StoreError::DeleteMarker(marker, named)),
            Some((_, VersionRow::Object(_))) | None if named => Err(StoreError::NoSuchVersion),
            Some((_, VersionRow::Object(_))) | None => Err(StoreError::NoSuchKey),
        }
    }

    /// The size of the object that a new current version replaces for good; only looked for where there is a quota.
    pub(super) fn replaced(
        &mut self,
        bucket: &Bucket,
        key: &str,
        old: Option<&ObjectRow>,
    ) -> Result<Option<u64>> {
        if bucket.config.quota.is_none() {
            return Ok(None);
        }
        let null_or_only = |row: &&ObjectRow| match bucket.config.versioning {
            Versioning::Off => true,
            Versioning::Suspended => row.info.version.is_none(),
            Versioning::Enabled => false,
        };
        if let Some(row) = old.filter(null_or_only) {
            return Ok(Some(row.info.size));
        }
        if bucket.config.versioning != Versioning::Suspended {
            return Ok(None);
        }
        Ok(match find(self.versions.table()?, bucket.id, key, VersionRef::Null)? {
            Some((_, VersionRow::Object(row))) => Some(row.info.size),
            Some((_, VersionRow::Marker(_))) | None => None,
        })
    }

    /// Makes the bytes of an object garbage, and counts it out.
    fn discard_object(&mut self, bucket: u64, row: ObjectRow) -> Result<()> {
        self.usage(bucket)?.remove_object(row.info.size);
        self.discard(row.place)
    }

    /// Makes room for a new current version, as the bucket's versioning says, and answers its id and its place in the
    /// order. `old` is the current object.
    pub(super) fn make_way(
        &mut self,
        bucket: &Bucket,
        key: &str,
        old: Option<ObjectRow>,
    ) -> Result<(Option<VersionId>, u64)> {
        if bucket.config.versioning == Versioning::Off {
            if let Some(old) = old {
                self.discard_object(bucket.id, old)?;
            }
            return Ok((None, 0));
        }
        let newest = match &old {
            Some(row) => row.order,
            None => {
                find(self.versions.table()?, bucket.id, key, VersionRef::Current)?.map_or(0, |found| found.0)
            }
        };
        let order = order(self.now, newest);
        let version = match bucket.config.versioning {
            Versioning::Enabled => Some(VersionId::new(order)?),
            Versioning::Off | Versioning::Suspended => None,
        };
        let null_was_current = old.as_ref().is_some_and(|old| old.info.version.is_none());
        // Read before anything is changed, for a row that is corrupt must leave all as it was.
        let null = if version.is_none() && !null_was_current {
            find(self.versions.table()?, bucket.id, key, VersionRef::Null)?
        } else {
            None
        };
        match old {
            Some(old) if version.is_none() && null_was_current => self.discard_object(bucket.id, old)?,
            Some(old) => {
                let at = old.order;
                self.set_version(bucket.id, key, at, &VersionRow::Object(old.into()))?;
            }
            None => {}
        }
        if let Some((at, row)) = null {
            self.drop_version(bucket.id, key, at, row)?;
        }
        Ok((version, order))
    }

    /// Deletes as [`Store::delete`](crate::store::Store::delete) says.
    pub(super) fn delete_version(&mut self, bucket: &Bucket, wanted: &DeleteKey) -> Result<Deleted> {
        let key = wanted.key.as_str();
        let found = self.find_version(bucket, key, wanted.version)?;
        let current = wanted.version == VersionRef::Current;
        let present = match &found {
            Some((At::Order(_), VersionRow::Object(_))) if current => None,
            Some((_, VersionRow::Object(row))) => Some(&row.info),
            Some((_, VersionRow::Marker(_))) | None => None,
        };
        let is_marker = matches!(&found, Some((_, VersionRow::Marker(_))));
        let there = crate::store::condition::allows_delete(wanted, present, is_marker)?;
        if let Some((version, latest)) = &wanted.if_seen
            && !self.is_as_seen(bucket, key, found.as_ref(), version, *latest)?
        {
            return Err(StoreError::PreconditionFailed);
        }
        if current && bucket.config.versioning != Versioning::Off {
            let old = match found {
                Some((At::Current, VersionRow::Object(row))) => Some(*row),
                _ => None,
            };
            let had_current = old.is_some();
            let (version, order) = self.make_way(bucket, key, old)?;
            if had_current {
                self.objects.table()?.remove(object_key(bucket.id, key).as_slice())?;
            }
            let marker = VersionRow::Marker(DeleteMarker { version, last_modified: self.now });
            self.set_version(bucket.id, key, order, &marker)?;
            return Ok(Deleted { there, marker: true, version: Some(version) });
        }
        if let Some(info) = present {
            info.lock.allows_removal(self.now, wanted.bypass_governance)?;
        }
        let version = match wanted.version {
            VersionRef::Current => None,
            VersionRef::Null => Some(None),
            VersionRef::Id(id) => Some(Some(id)),
        };
        let mut deleted = Deleted { there: found.is_some(), marker: false, version };
        match found {
            None => {}
            Some((At::Order(order), row)) => {
                deleted.marker = matches!(row, VersionRow::Marker(_));
                let next = self.successor(bucket, key, Some(order))?;
                self.drop_version(bucket.id, key, order, row)?;
                self.promote(bucket, key, next)?;
            }
            Some((At::Current, row)) => {
                let next = self.successor(bucket, key, None)?;
                self.objects.table()?.remove(object_key(bucket.id, key).as_slice())?;
                if let VersionRow::Object(row) = row {
                    self.discard_object(bucket.id, *row)?;
                }
                self.promote(bucket, key, next)?;
            }
        }
        Ok(deleted)
    }

    /// Whether what was found is what a caller saw, and is (or is not) the current version as it was.
    fn is_as_seen(
        &mut self,
        bucket: &Bucket,
        key: &str,
        found: Option<&(At, VersionRow)>,
        seen: &Version,
        latest: bool,
    ) -> Result<bool> {
        let is_latest = match found {
            None => return Ok(false),
            Some((At::Current, _)) => true,
            Some((At::Order(order), _)) => {
                let newest = find(self.versions.table()?, bucket.id, key, VersionRef::Current)?;
                self.object(&object_key(bucket.id, key))?.is_none()
                    && newest.is_some_and(|(newest, _)| newest == *order)
            }
        };
        let same = match (found, seen) {
            (Some((_, VersionRow::Object(row))), Version::Object(info)) => row.info == **info,
            (Some((_, VersionRow::Marker(there))), Version::Marker(marker)) => there == marker,
            _ => false,
        };
        Ok(same && is_latest == latest)
    }

    /// The version that becomes the current one when another goes: the newest that is left, where it is an object.
    /// What goes is at a place in the order, where it leaves a current object as it is, or is the current object.
    /// Read before anything is changed, for a row that is corrupt must leave all as it was.
    fn successor(
        &mut self,
        bucket: &Bucket,
        key: &str,
        going: Option<u64>,
    ) -> Result<Option<(u64, Box<ObjectRow>)>> {
        if bucket.config.versioning == Versioning::Off
            || going.is_some() && self.object(&object_key(bucket.id, key))?.is_some()
        {
            return Ok(None);
        }
        for entry in self.versions.table()?.range(older(bucket.id, key, None))? {
            let (at, row) = entry?;
            let order = u64::MAX - at.value().2;
            if going == Some(order) {
                continue;
            }
            return Ok(match decode(VERSIONS, &at.value(), row.value())? {
                VersionRow::Object(row) => Some((order, row)),
                VersionRow::Marker(_) => None,
            });
        }
        Ok(None)
    }

    /// Makes a version the current one.
    fn promote(&mut self, bucket: &Bucket, key: &str, version: Option<(u64, Box<ObjectRow>)>) -> Result<()> {
        let Some((order, row)) = version else { return Ok(()) };
        self.versions.table()?.remove(key_at(bucket.id, key, order))?;
        self.set_object(&object_key(bucket.id, key), &row)
    }

    fn set_version(&mut self, bucket: u64, key: &str, order: u64, row: &VersionRow) -> Result<()> {
        let at = key_at(bucket, key, order);
        self.versions.table()?.insert(at, encode(VERSIONS, &at, row)?.as_slice())?;
        Ok(())
    }

    fn drop_version(&mut self, bucket: u64, key: &str, order: u64, row: VersionRow) -> Result<()> {
        self.versions.table()?.remove(key_at(bucket, key, order))?;
        match row {
            VersionRow::Object(row) => self.discard_object(bucket, *row),
            VersionRow::Marker(_) => Ok(()),
        }
    }
}
