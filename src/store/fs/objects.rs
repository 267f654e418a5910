//! Objects: put, open, head, delete, tags.

use std::sync::Arc;

use bytes::Bytes;
use data_encoding::HEXLOWER;

use super::FsStore;
use super::gc::Garbage;
use super::pins::Pin;
use super::read::{Data, Source};
use super::rows::{ObjectRow, PartRow, Place, crc64};
use super::stage::settle;
use super::tables::{BucketRef, PARTS, Tx, View, object_key};
use super::uploads::parts_of;
use crate::bucket::Versioning;
use crate::store::condition::allows;
use crate::store::{
    Bucket, DeleteKey, Deleted, NewObject, Object, ObjectChange, ObjectInfo, PartInfo, Rename, Result,
    Staged, Store, StoreError, VersionRef, WriteCondition,
};

/// The parts of an object and where their bytes are.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    infos: Arc<[PartInfo]>,
    sources: Arc<[(Source, u64)]>,
}

impl Parts {
    /// How many there are, as a weight in the cache.
    pub(super) fn weight(&self) -> u32 {
        u32::try_from(self.infos.len()).unwrap_or(u32::MAX)
    }
}

impl FsStore {
    pub(super) async fn do_put(
        &self,
        bucket: &Bucket,
        key: &str,
        staged: Staged,
        object: NewObject,
        condition: WriteCondition,
    ) -> Result<ObjectInfo> {
        let (bucket, key) = (BucketRef::from(bucket), key.to_owned());
        let (size, etag) = (staged.size, HEXLOWER.encode(&staged.md5));
        let body = settle(self.shared(), staged).await?;
        let run = move |tx: &mut Tx<'_>| {
            let bucket = tx.bucket(&bucket)?;
            let object_key = object_key(bucket.id, &key);
            let old = tx.object(&object_key)?;
            allows(&condition, old.as_ref().map(|row| &row.info))?;
            let freed = tx.replaced(&bucket, &key, old.as_ref())?;
            tx.check_quota(&bucket, |usage| {
                freed.into_iter().for_each(|size| usage.remove_object(size));
                usage.add_object(size);
            })?;
            let (version, order) = tx.make_way(&bucket, &key, old)?;
            let info = object.into_info(&bucket, size, etag, tx.now, None, version);
            let row = ObjectRow { info, place: body.write(tx)?, order };
            tx.set_object(&object_key, &row)?;
            tx.usage(bucket.id)?.add_object(size);
            Ok(row.info)
        };
        self.committer().run(run).await
    }

    pub(super) async fn do_open(&self, bucket: &str, key: &str, version: VersionRef) -> Result<Object> {
        let bucket = self.bucket(bucket)?;
        let shared = self.shared();
        loop {
            let view = shared.view();
            let row = view.version(&bucket, key, version)?;
            let garbage = match row.place {
                // A small body is read here and now, from the same snapshot as its row.
                Place::Inline { id, crc } => {
                    let bytes = inline(&view, id, crc)?;
                    let sources = [(Source::Bytes(bytes, crc), row.info.size)];
                    let data = Data {
                        shared: Arc::clone(shared),
                        size: row.info.size,
                        sources: sources.into(),
                        pin: None,
                    };
                    return Ok(Object {
                        info: Arc::new(row.info),
                        parts: None,
                        data: Box::new(data),
                        key: None,
                    });
                }
                Place::File { id } => Garbage::File(id),
                Place::Parts { ref upload, .. } => Garbage::Upload(upload.clone()),
            };
            let pin = Pin::new(shared, garbage);
            // Before the pin the body may have been replaced and removed: look again.
            let now = shared.view();
            if !Arc::ptr_eq(&view, &now) && now.version(&bucket, key, version)?.place != row.place {
                continue;
            }
            let (parts, sources) = match &row.place {
                Place::Parts { upload, order } => {
                    let parts = self.parts(&now, upload, order.as_deref(), &row.info).await?;
                    (Some(parts.infos), parts.sources)
                }
                Place::File { id } => (None, [(Source::File(*id, row.info.size), row.info.size)].into()),
                Place::Inline { .. } => continue,
            };
            let data = Data { shared: Arc::clone(shared), size: row.info.size, sources, pin: Some(pin) };
            return Ok(Object { info: Arc::new(row.info), parts, data: Box::new(data), key: None });
        }
    }

    /// The parts of a completed upload. They never change, so that they can be kept by its id.
    async fn parts(
        &self,
        view: &Arc<View>,
        upload: &str,
        order: Option<&[u16]>,
        info: &ObjectInfo,
    ) -> Result<Parts> {
        let cache = &self.shared().parts;
        if let Some(parts) = cache.get(upload) {
            return Ok(parts);
        }
        let (view, id, info) = (Arc::clone(view), upload.to_owned(), info.clone());
        let order = order.map(<[u16]>::to_vec);
        // Ten thousand parts take some milliseconds.
        let parts = tokio::task::spawn_blocking(move || load_parts(&view, &id, order.as_deref(), &info))
            .await
            .map_err(|error| StoreError::Engine(error.to_string()))??;
        cache.insert(upload.to_owned(), parts.clone());
        Ok(parts)
    }

    pub(super) async fn do_delete(
        &self,
        bucket: &Bucket,
        keys: Vec<DeleteKey>,
    ) -> Result<Vec<Result<Deleted>>> {
        let bucket = BucketRef::from(bucket);
        let run = move |tx: &mut Tx<'_>| {
            let bucket = tx.bucket(&bucket)?;
            keys.iter()
                .map(|wanted| match tx.delete_version(&bucket, wanted) {
                    Err(error @ (StoreError::Engine(_) | StoreError::Io(_))) => Err(error),
                    result => Ok(result),
                })
                .collect()
        };
        self.committer().run_freeing(run).await
    }

    pub(super) async fn do_rename(&self, bucket: &Bucket, rename: Rename) -> Result<ObjectInfo> {
        let bucket = BucketRef::from(bucket);
        let run = move |tx: &mut Tx<'_>| {
            let bucket = tx.bucket(&bucket)?;
            let (from, to) = (object_key(bucket.id, &rename.from), object_key(bucket.id, &rename.to));
            let (row, old) = (tx.object(&from)?, tx.object(&to)?);
            let seen =
                rename.is_as_seen(row.as_ref().map(|row| &row.info), old.as_ref().map(|row| &row.info));
            let Some(mut row) = row.filter(|_| seen && bucket.config.versioning == Versioning::Off) else {
                return Err(StoreError::PreconditionFailed);
            };
            tx.make_way(&bucket, &rename.to, old)?;
            tx.objects.table()?.remove(from.as_slice())?;
            rename.apply(&mut row.info);
            tx.set_object(&to, &row)?;
            Ok(row.info)
        };
        self.committer().run_little(run).await
    }

    pub(super) async fn do_update_object(
        &self,
        bucket: &Bucket,
        key: &str,
        version: VersionRef,
        change: ObjectChange,
    ) -> Result<ObjectInfo> {
        let (bucket, key) = (BucketRef::from(bucket), key.to_owned());
        let run = move |tx: &mut Tx<'_>| {
            let (bucket, now) = (tx.bucket(&bucket)?, tx.now);
            tx.update_version(&bucket, &key, version, |info| change.apply(info, now))
        };
        self.committer().run_little(run).await
    }
}

/// A body in the `inline` table.
fn inline(view: &View, id: u64, crc: u64) -> Result<Bytes> {
    let corrupt = |why: &str| StoreError::Corrupt(format!("a small body {why}"));
    let row = view.inline.get(id)?.ok_or_else(|| corrupt("is missing"))?;
    let bytes = row.value();
    if crc64(bytes) != crc {
        return Err(corrupt("does not match its checksum"));
    }
    Ok(Bytes::copy_from_slice(bytes))
}

/// Reads the parts of an object, which must be all of it: a row whose key has changed is in no range, or in another's.
fn load_parts(view: &View, upload: &str, order: Option<&[u16]>, info: &ObjectInfo) -> Result<Parts> {
    let corrupt = || StoreError::Corrupt("the parts of an object are not those it was made of".into());
    let there = parts_of(&view.txn.open_table(PARTS)?, upload)?;
    let rows: Vec<PartRow> = match order {
        None => there.into_values().collect(),
        Some(order) => order
            .iter()
            .map(|number| there.get(number).cloned().ok_or_else(corrupt))
            .collect::<Result<_>>()?,
    };
    let size: u64 = rows.iter().map(|row| row.info.size).sum();
    if size != info.size || info.parts.is_some_and(|count| usize::from(count) != rows.len()) {
        return Err(corrupt());
    }
    let mut infos = Vec::with_capacity(rows.len());
    let mut sources = Vec::with_capacity(rows.len());
    for PartRow { info, place } in rows {
        let source = match place {
            Place::Inline { id, crc } => Source::Inline(id, crc),
            Place::File { id } => Source::File(id, info.size),
            Place::Parts { .. } => return Err(StoreError::Corrupt("a part refers to parts".into())),
        };
        sources.push((source, info.size));
        infos.push(info);
    }
    Ok(Parts { infos: infos.into(), sources: sources.into() })
}
