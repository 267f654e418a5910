//! The reference model: everything in maps behind one lock. Tests use it, and the durable engine is compared with
//! it.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::BytesMut;
use data_encoding::{BASE64, HEXLOWER};
use futures_util::StreamExt;

use super::condition::allows;
use super::hash::Hasher;
use super::listing::{Step, common_prefix, walk, walk_versions};
use super::*;
use crate::bucket::Versioning;
use crate::clock::Clock;

mod contents;

use contents::{Contents, Data, Kept, State, Stored, Upload, bytes_of, slice};

/// A store in memory. Nothing survives it.
#[derive(Debug)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn buckets(&self) -> Arc<Buckets> {
        Arc::clone(&self.state().buckets)
    }

    fn usage(&self, bucket: &str) -> Result<Usage> {
        Ok(self.state().contents(bucket)?.usage())
    }

    async fn create_bucket(&self, new: NewBucket) -> Result<Arc<Bucket>> {
        let created = self.clock.now();
        let mut state = self.state();
        if state.buckets.contains_key(&new.name) {
            return Err(StoreError::BucketExists);
        }
        let id = state.next_id();
        let NewBucket { name, region, owner, config } = new;
        let bucket = Arc::new(Bucket { name, id, created, region, owner, config });
        Arc::make_mut(&mut state.buckets).insert(bucket.name.clone(), Arc::clone(&bucket));
        state.contents.insert(bucket.name.clone(), Contents::default());
        Ok(bucket)
    }

    async fn update_bucket(&self, bucket: &Bucket, change: BucketChange) -> Result<Arc<Bucket>> {
        let mut state = self.state();
        let mut changed = Bucket::clone(state.same(bucket)?);
        change(&mut changed).map_err(|error| StoreError::Refused(Box::new(error)))?;
        let changed = Arc::new(changed);
        Arc::make_mut(&mut state.buckets).insert(bucket.name.clone(), Arc::clone(&changed));
        Ok(changed)
    }

    async fn delete_bucket(&self, bucket: &Bucket) -> Result<()> {
        let mut state = self.state();
        if !state.contents_of(bucket)?.objects.is_empty() {
            return Err(StoreError::BucketNotEmpty);
        }
        state.contents.remove(&bucket.name);
        Arc::make_mut(&mut state.buckets).remove(&bucket.name);
        Ok(())
    }

    async fn stage(&self, body: Payload, options: StageOptions) -> Result<Staged> {
        let mut all = BytesMut::new();
        match body {
            Payload::Bytes(bytes) => all.extend_from_slice(&bytes),
            Payload::Stream(mut stream, _) => {
                while let Some(chunk) = stream.next().await {
                    all.extend_from_slice(&chunk?);
                }
            }
        }
        let mut hasher = Hasher::new(options.checksum);
        hasher.update(&all);
        let digests = hasher.finish();
        Ok(Staged {
            size: digests.size,
            md5: digests.md5,
            crc64nvme: digests.crc64nvme,
            checksum: digests.checksum,
            blob: Box::new((all.freeze(), options.key)),
        })
    }

    async fn read_staged(&self, staged: &Staged, range: Range<u64>) -> Result<Payload> {
        Ok(Payload::Bytes(slice(&bytes_of(staged)?.0, &range)))
    }

    async fn put(
        &self,
        bucket: &Bucket,
        key: &str,
        staged: Staged,
        object: NewObject,
        condition: WriteCondition,
    ) -> Result<ObjectInfo> {
        let now = self.clock.now();
        let mut state = self.state();
        let place = state.same(bucket)?.clone();
        let versioning = place.config.versioning;
        let quota = state.quota(&bucket.name);
        let contents = state.contents_of(bucket)?;
        allows(&condition, contents.current(key).map(|stored| &*stored.info))?;
        quota.allows(&contents.usage(), &contents.usage_with(key, versioning, staged.size))?;
        let (size, etag, bytes) = (staged.size, HEXLOWER.encode(&staged.md5), vec![bytes_of(&staged)?]);
        let mut info = object.into_info(&place, size, etag, now, None, None);
        contents.add(key, versioning, now, |version| {
            info.version = version;
            Kept::Object(Stored { info: Arc::new(info.clone()), parts: None, bytes, upload: None })
        })?;
        Ok(info)
    }

    async fn open(&self, bucket: &str, key: &str, version: VersionRef) -> Result<Object> {
        let stored = self.state().contents(bucket)?.object(key, version)?.clone();
        Ok(Object { info: stored.info, parts: stored.parts, data: Box::new(Data(stored.bytes)), key: None })
    }

    async fn head(&self, bucket: &str, key: &str, version: VersionRef) -> Result<ObjectInfo> {
        Ok((*self.state().contents(bucket)?.object(key, version)?.info).clone())
    }

    async fn delete(&self, bucket: &Bucket, keys: Vec<DeleteKey>) -> Result<Vec<Result<Deleted>>> {
        let now = self.clock.now();
        let mut state = self.state();
        let versioning = state.versioning(&bucket.name)?;
        let contents = state.contents_of(bucket)?;
        Ok(keys.iter().map(|key| contents.delete(key, versioning, now)).collect())
    }

    async fn update_object(
        &self,
        bucket: &Bucket,
        key: &str,
        version: VersionRef,
        change: ObjectChange,
    ) -> Result<ObjectInfo> {
        let now = self.clock.now();
        let mut state = self.state();
        let stored = state.contents_of(bucket)?.object(key, version)?;
        let mut info = ObjectInfo::clone(&stored.info);
        change.apply(&mut info, now)?;
        stored.info = Arc::new(info.clone());
        Ok(info)
    }

    async fn rename(&self, bucket: &Bucket, rename: Rename) -> Result<ObjectInfo> {
        let mut state = self.state();
        let versioning = state.same(bucket)?.config.versioning;
        let contents = state.contents_of(bucket)?;
        let head = |key: &str| contents.current(key).map(|stored| &*stored.info);
        let seen = rename.is_as_seen(head(&rename.from), head(&rename.to));
        let Some(stored) = contents.current(&rename.from).filter(|_| seen && versioning == Versioning::Off)
        else {
            return Err(StoreError::PreconditionFailed);
        };
        let (from, to) = (rename.from.clone(), rename.to.clone());
        let mut info = ObjectInfo::clone(&stored.info);
        rename.apply(&mut info);
        let stored = Stored { info: Arc::new(info.clone()), ..stored.clone() };
        contents.objects.remove(&from);
        contents.objects.insert(to, vec![(0, Kept::Object(stored))]);
        Ok(info)
    }

    async fn list(&self, bucket: &str, query: ListQuery) -> Result<ListPage> {
        let mut state = self.state();
        let contents = state.contents(bucket)?;
        let mut page = ListPage::default();
        page.next = walk(
            &query.prefix,
            query.delimiter.as_deref(),
            query.after.as_deref(),
            query.limit,
            |from| {
                let bound = match from {
                    Bound::Included(key) => Bound::Included(key.to_owned()),
                    Bound::Excluded(key) => Bound::Excluded(key.to_owned()),
                    Bound::Unbounded => Bound::Unbounded,
                };
                let following = contents.objects.range((bound, Bound::Unbounded));
                Ok(following.filter_map(|(key, _)| Some((key.clone(), contents.current(key)?))).next())
            },
            |step| match step {
                Step::Key(key, stored) => page.objects.push((key, Arc::clone(&stored.info))),
                Step::Prefix(prefix) => page.prefixes.push(prefix),
            },
        )?;
        Ok(page)
    }

    async fn list_versions(&self, bucket: &str, query: ListVersionsQuery) -> Result<ListVersionsPage> {
        let mut state = self.state();
        let contents = state.contents(bucket)?;
        walk_versions(
            &query,
            |from| {
                let from = from.map(str::to_owned);
                Ok(contents.objects.range((from, Bound::Unbounded)).next().map(|(key, _)| key.clone()))
            },
            |key, after, limit| {
                let all = contents.objects.get(key).map(Vec::as_slice).unwrap_or_default();
                // By its place in the order, as that version may be gone.
                let after = match after {
                    None | Some(VersionRef::Current) => None,
                    Some(VersionRef::Id(id)) => Some(id.order),
                    Some(VersionRef::Null) => match all.iter().find(|(_, kept)| kept.id().is_none()) {
                        Some((order, _)) => Some(*order),
                        None => return Ok(Vec::new()),
                    },
                };
                let start =
                    after.map_or(0, |after| all.iter().take_while(|(order, _)| *order >= after).count());
                let listed = all.iter().enumerate().skip(start).take(limit);
                Ok(listed.map(|(n, (_, kept))| (kept.version(), n == 0)).collect())
            },
        )
    }

    async fn create_upload(&self, bucket: &Bucket, key: &str, upload: NewUpload) -> Result<UploadInfo> {
        let initiated = self.clock.now();
        let mut state = self.state();
        state.contents_of(bucket)?;
        let info = UploadInfo {
            upload_id: format!("{:032x}", state.next_id()),
            initiated,
            object: upload.object,
            checksum: upload.checksum,
            initiator: upload.initiator,
        };
        let id = (key.to_owned(), info.upload_id.clone());
        state.contents_of(bucket)?.uploads.insert(id, Upload { info: info.clone(), parts: BTreeMap::new() });
        Ok(info)
    }

    async fn upload(&self, bucket: &str, key: &str, upload_id: &str) -> Result<UploadInfo> {
        Ok(self.state().contents(bucket)?.upload(key, upload_id)?.info.clone())
    }

    async fn put_part(
        &self,
        bucket: &Bucket,
        key: &str,
        upload_id: &str,
        number: u16,
        staged: Staged,
    ) -> Result<PartInfo> {
        let part = PartInfo {
            number,
            size: staged.size,
            etag: HEXLOWER.encode(&staged.md5),
            crc64nvme: staged.crc64nvme,
            checksum: staged.checksum.as_ref().map(|(algorithm, digest)| (*algorithm, BASE64.encode(digest))),
            last_modified: self.clock.now(),
        };
        let bytes = bytes_of(&staged)?;
        let mut state = self.state();
        let quota = state.quota(&bucket.name);
        let contents = state.contents_of(bucket)?;
        let replaced = contents.upload(key, upload_id)?.parts.get(&number).map_or(0, |(part, _)| part.size);
        let before = contents.usage();
        let mut after = before;
        after.remove_parts(replaced);
        after.add_part(part.size);
        quota.allows(&before, &after)?;
        contents.upload(key, upload_id)?.parts.insert(number, (part.clone(), bytes));
        Ok(part)
    }

    async fn list_parts(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        after: u16,
        limit: usize,
    ) -> Result<(Vec<PartInfo>, bool)> {
        let mut state = self.state();
        let upload = state.contents(bucket)?.upload(key, upload_id)?;
        let mut following = upload.parts.range((Bound::Excluded(after), Bound::Unbounded));
        let parts = following.by_ref().take(limit).map(|(_, (part, _))| part.clone()).collect();
        Ok((parts, following.next().is_some()))
    }

    async fn complete_upload(
        &self,
        bucket: &Bucket,
        key: &str,
        upload_id: &str,
        parts: Vec<PartRef>,
        object: CompletedObject,
        condition: WriteCondition,
    ) -> Result<ObjectInfo> {
        let now = self.clock.now();
        let mut state = self.state();
        let place = state.same(bucket)?.clone();
        let versioning = place.config.versioning;
        let quota = state.quota(&bucket.name);
        let contents = state.contents_of(bucket)?;
        let before = contents.usage();
        let present = contents.current(key).map(|stored| Arc::clone(&stored.info));
        let upload = contents.upload(key, upload_id)?;
        allows(&condition, present.as_deref())?;
        let mut named = Vec::with_capacity(parts.len());
        let (mut all, mut size) = (Vec::new(), 0);
        for wanted in &parts {
            let found = upload.parts.get(&wanted.number).filter(|(part, _)| part.etag == wanted.etag);
            let (part, bytes) = found.ok_or(StoreError::InvalidPart(wanted.number))?;
            named.push(part.clone());
            size += part.size;
            all.push(bytes.clone());
        }
        let uploaded = upload.parts.values().map(|(part, _)| part.size).sum();
        let head = NewObject { checksum: object.checksum, ..upload.info.object.clone() };
        let count = u16::try_from(named.len()).ok();
        let mut info = head.into_info(&place, size, object.etag, now, count, None);
        let mut after = contents.usage_with(key, versioning, size);
        after.remove_parts(uploaded);
        quota.allows(&before, &after)?;
        contents.uploads.remove(&(key.to_owned(), upload_id.to_owned()));
        contents.add(key, versioning, now, |version| {
            info.version = version;
            Kept::Object(Stored {
                info: Arc::new(info.clone()),
                parts: Some(named.into()),
                bytes: all,
                upload: Some(upload_id.to_owned()),
            })
        })?;
        Ok(info)
    }

    async fn completed_upload(&self, bucket: &str, key: &str, upload_id: &str) -> Result<ObjectInfo> {
        let mut state = self.state();
        let current = state.contents(bucket)?.current(key);
        let became = current.filter(|stored| stored.upload.as_deref() == Some(upload_id));
        became.map(|stored| ObjectInfo::clone(&stored.info)).ok_or(StoreError::NoSuchUpload)
    }

    async fn abort_upload(&self, bucket: &Bucket, key: &str, upload_id: &str) -> Result<()> {
        let mut state = self.state();
        let removed = state.contents_of(bucket)?.uploads.remove(&(key.to_owned(), upload_id.to_owned()));
        removed.map(|_| ()).ok_or(StoreError::NoSuchUpload)
    }

    async fn list_uploads(&self, bucket: &str, query: ListUploadsQuery) -> Result<ListUploadsPage> {
        let mut state = self.state();
        let contents = state.contents(bucket)?;
        let mut page = ListUploadsPage::default();
        let mut last = None;
        for ((key, id), upload) in &contents.uploads {
            let seen = query.after_key.as_ref().is_some_and(|after| match key.cmp(after) {
                std::cmp::Ordering::Less => true,
                std::cmp::Ordering::Equal => query.after_id.as_ref().is_none_or(|after| id <= after),
                std::cmp::Ordering::Greater => false,
            });
            if seen || !key.starts_with(&query.prefix) {
                continue;
            }
            let prefix = common_prefix(key, &query.prefix, query.delimiter.as_deref());
            let rolled = prefix.is_some_and(|p| page.prefixes.last().is_some_and(|last| last == p));
            // A prefix that the marker lies in was listed on the page before.
            let before =
                prefix.is_some_and(|p| query.after_key.as_ref().is_some_and(|after| after.starts_with(p)));
            if rolled || before {
                continue;
            }
            if page.uploads.len() + page.prefixes.len() == query.limit {
                page.next = last;
                return Ok(page);
            }
            match prefix {
                Some(prefix) => {
                    page.prefixes.push(prefix.to_owned());
                    last = Some((prefix.to_owned(), String::new()));
                }
                None => {
                    page.uploads.push((key.clone(), upload.info.clone()));
                    last = Some((key.clone(), id.clone()));
                }
            }
        }
        Ok(page)
    }
}

#[async_trait]
impl RecordTable for MemoryStore {
    fn load(&self) -> Result<Vec<Record>> {
        let state = self.state();
        let records = state.records.iter().map(|((kind, name), value)| Record {
            kind: kind.clone(),
            name: name.clone(),
            value: value.clone(),
        });
        Ok(records.collect())
    }

    async fn write(&self, changes: Vec<RecordChange>) -> Result<()> {
        let mut state = self.state();
        for RecordChange { kind, name, value } in changes {
            match value {
                Some(value) => state.records.insert((kind, name), value),
                None => state.records.remove(&(kind, name)),
            };
        }
        Ok(())
    }
}
