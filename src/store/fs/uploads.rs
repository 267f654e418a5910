//! Multipart uploads. Parts are bodies of their own; completing an upload only commits rows.

use std::collections::BTreeMap;
use std::ops::Bound;

use data_encoding::{BASE64, HEXLOWER};
use jiff::Timestamp;
use redb::ReadableTable;

use super::FsStore;
use super::gc::Garbage;
use super::rows::{ObjectRow, PartRow, Place, decode, encode};
use super::stage::settle;
use super::tables::{BucketRef, PARTS, Tx, UPLOADS, object_key};
use crate::store::condition::allows;
use crate::store::{
    Bucket, CompletedObject, NewObject, NewUpload, ObjectInfo, PartInfo, PartRef, Result, Staged, Store,
    StoreError, UploadInfo, Usage, WriteCondition,
};

/// An id that sorts by time: the microsecond, then 64 random bits.
fn new_id(now: Timestamp) -> Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| StoreError::Engine(error.to_string()))?;
    let time = u64::try_from(now.as_microsecond()).unwrap_or_default();
    Ok(format!("{time:016x}{:016x}", u64::from_be_bytes(random)))
}

/// Finds an upload.
fn find(
    table: &impl ReadableTable<(u64, &'static str, &'static str), &'static [u8]>,
    bucket: u64,
    key: &str,
    id: &str,
) -> Result<UploadInfo> {
    let row = table.get((bucket, key, id))?.ok_or(StoreError::NoSuchUpload)?;
    let info: UploadInfo = decode(UPLOADS, &(bucket, key, id), row.value())?;
    if info.upload_id == id {
        Ok(info)
    } else {
        Err(StoreError::Corrupt("an upload has another's id".into()))
    }
}

/// The parts of an upload by number.
pub(super) fn parts_of(
    table: &impl ReadableTable<(&'static str, u16), &'static [u8]>,
    upload: &str,
) -> Result<BTreeMap<u16, PartRow>> {
    let mut parts = BTreeMap::new();
    for entry in table.range((upload, 0)..=(upload, u16::MAX))? {
        let (key, row) = entry?;
        let part = part(key.value(), row.value())?;
        parts.insert(part.info.number, part);
    }
    Ok(parts)
}

/// A part's row, which must say the number that it is kept under.
fn part(key: (&str, u16), row: &[u8]) -> Result<PartRow> {
    let part: PartRow = decode(PARTS, &key, row)?;
    if part.info.number == key.1 {
        Ok(part)
    } else {
        Err(StoreError::Corrupt("a part has another's number".into()))
    }
}

impl FsStore {
    pub(super) async fn do_create_upload(
        &self,
        bucket: &Bucket,
        key: &str,
        upload: NewUpload,
    ) -> Result<UploadInfo> {
        let (bucket, key) = (BucketRef::from(bucket), key.to_owned());
        let run = move |tx: &mut Tx<'_>| {
            let bucket = tx.bucket(&bucket)?;
            let info = UploadInfo {
                upload_id: new_id(tx.now)?,
                initiated: tx.now,
                object: upload.object,
                checksum: upload.checksum,
                initiator: upload.initiator,
            };
            let at = (bucket.id, key.as_str(), info.upload_id.as_str());
            tx.uploads.table()?.insert(at, encode(UPLOADS, &at, &info)?.as_slice())?;
            Ok(info)
        };
        self.committer().run(run).await
    }

    pub(super) fn do_upload(&self, bucket: &str, key: &str, id: &str) -> Result<UploadInfo> {
        let bucket = self.bucket(bucket)?;
        let table = self.shared().view().txn.open_table(UPLOADS)?;
        find(&table, bucket.id, key, id)
    }

    pub(super) async fn do_put_part(
        &self,
        bucket: &Bucket,
        key: &str,
        id: &str,
        number: u16,
        staged: Staged,
    ) -> Result<PartInfo> {
        let (bucket, key, id) = (BucketRef::from(bucket), key.to_owned(), id.to_owned());
        let (size, etag, crc64nvme) = (staged.size, HEXLOWER.encode(&staged.md5), staged.crc64nvme);
        let checksum =
            staged.checksum.as_ref().map(|(algorithm, digest)| (*algorithm, BASE64.encode(digest)));
        let body = settle(self.shared(), staged).await?;
        let run = move |tx: &mut Tx<'_>| {
            let bucket = tx.bucket(&bucket)?;
            find(tx.uploads.table()?, bucket.id, &key, &id)?;
            let at = (id.as_str(), number);
            let old = tx.parts.table()?.get(at)?.map(|row| part(at, row.value())).transpose()?;
            let info = PartInfo { number, size, etag, crc64nvme, checksum, last_modified: tx.now };
            let replaced = old.as_ref().map_or(0, |old| old.info.size);
            let count = |usage: &mut Usage| {
                usage.remove_parts(replaced);
                usage.add_part(size);
            };
            tx.check_quota(&bucket, count)?;
            let row = PartRow { info, place: body.write(tx)? };
            tx.parts.table()?.insert(at, encode(PARTS, &at, &row)?.as_slice())?;
            count(tx.usage(bucket.id)?);
            if let Some(old) = old {
                tx.discard(old.place)?;
            }
            Ok(row.info)
        };
        self.committer().run(run).await
    }

    pub(super) fn do_list_parts(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        after: u16,
        limit: usize,
    ) -> Result<(Vec<PartInfo>, bool)> {
        self.do_upload(bucket, key, id)?;
        let table = self.shared().view().txn.open_table(PARTS)?;
        let mut parts = Vec::new();
        let from = Bound::Excluded((id, after));
        for entry in table.range((from, Bound::Included((id, u16::MAX))))? {
            let (key, row) = entry?;
            if parts.len() == limit {
                return Ok((parts, true));
            }
            parts.push(part(key.value(), row.value())?.info);
        }
        Ok((parts, false))
    }

    pub(super) async fn do_complete_upload(
        &self,
        bucket: &Bucket,
        key: &str,
        id: &str,
        wanted: Vec<PartRef>,
        object: CompletedObject,
        condition: WriteCondition,
    ) -> Result<ObjectInfo> {
        let (bucket, key, id) = (BucketRef::from(bucket), key.to_owned(), id.to_owned());
        let run = move |tx: &mut Tx<'_>| {
            let bucket = tx.bucket(&bucket)?;
            let upload = find(tx.uploads.table()?, bucket.id, &key, &id)?;
            let object_key = object_key(bucket.id, &key);
            let old = tx.object(&object_key)?;
            allows(&condition, old.as_ref().map(|row| &row.info))?;
            let mut there = parts_of(tx.parts.table()?, &id)?;
            let mut size = 0;
            for part in &wanted {
                let found = there.get(&part.number).filter(|row| row.info.etag == part.etag);
                size += found.ok_or(StoreError::InvalidPart(part.number))?.info.size;
            }
            let ascending = wanted.is_sorted_by(|a, b| a.number < b.number);
            let order = (!ascending).then(|| wanted.iter().map(|part| part.number).collect());
            let count = u16::try_from(wanted.len()).ok();
            let head = NewObject { checksum: object.checksum, ..upload.object };
            let uploaded = there.values().map(|part| part.info.size).sum();
            let freed = tx.replaced(&bucket, &key, old.as_ref())?;
            tx.check_quota(&bucket, |usage| {
                freed.into_iter().for_each(|size| usage.remove_object(size));
                usage.remove_parts(uploaded);
                usage.add_object(size);
            })?;
            let (version, place_in_order) = tx.make_way(&bucket, &key, old)?;
            let usage = tx.usage(bucket.id)?;
            usage.remove_parts(uploaded);
            usage.add_object(size);
            let info = head.into_info(&bucket, size, object.etag, tx.now, count, version);
            let place = Place::Parts { upload: id.clone(), order };
            let row = ObjectRow { info, place, order: place_in_order };
            tx.set_object(&object_key, &row)?;
            tx.uploads.table()?.remove((bucket.id, key.as_str(), id.as_str()))?;
            // Parts that were uploaded and not named.
            for part in &wanted {
                there.remove(&part.number);
            }
            for (number, part) in there {
                tx.parts.table()?.remove((id.as_str(), number))?;
                tx.discard(part.place)?;
            }
            Ok(row.info)
        };
        self.committer().run(run).await
    }

    pub(super) fn do_completed_upload(&self, bucket: &str, key: &str, id: &str) -> Result<ObjectInfo> {
        let bucket = self.bucket(bucket)?;
        let current = self.shared().view().object(bucket.id, key)?;
        let became = current.filter(|row| matches!(&row.place, Place::Parts { upload, .. } if upload == id));
        became.map(|row| row.info).ok_or(StoreError::NoSuchUpload)
    }

    pub(super) async fn do_abort_upload(&self, bucket: &Bucket, key: &str, id: &str) -> Result<()> {
        let (bucket, key, id) = (BucketRef::from(bucket), key.to_owned(), id.to_owned());
        let run = move |tx: &mut Tx<'_>| {
            let bucket = tx.bucket(&bucket)?;
            let at = (bucket.id, key.as_str(), id.as_str());
            if tx.uploads.table()?.get(at)?.is_none() {
                return Err(StoreError::NoSuchUpload);
            }
            // Read before anything is changed, for a row that is corrupt must leave all as it was.
            let uploaded = parts_of(tx.parts.table()?, &id)?.values().map(|part| part.info.size).sum();
            tx.uploads.table()?.remove(at)?;
            tx.usage(bucket.id)?.remove_parts(uploaded);
            tx.condemn(Garbage::Upload(id))
        };
        self.committer().run_freeing(run).await
    }
}
