//! What the model holds: buckets' objects with all versions, uploads, and what a write or a delete does to them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::super::condition::allows_delete;
use super::super::version::order;
use super::super::*;
use crate::bucket::Versioning;
use crate::encryption::DataKey;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) records: BTreeMap<(String, String), Vec<u8>>,
    pub(super) buckets: Arc<Buckets>,
    pub(super) contents: BTreeMap<String, Contents>,
    pub(super) last_id: u64,
}

#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The versions of each key with their places in the order, the newest first; never an empty list.
    pub(super) objects: BTreeMap<String, Vec<(u64, Kept)>>,
    pub(super) uploads: BTreeMap<(String, String), Upload>,
}

/// Bodies, and the key that each would be sealed with.
pub(super) type Sealed = Vec<(Bytes, Option<DataKey>)>;

#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) info: Arc<ObjectInfo>,
    pub(super) parts: Option<Arc<[PartInfo]>>,
    pub(super) bytes: Sealed,
    /// The upload that it was.
    pub(super) upload: Option<String>,
}

/// A version.
#[derive(Debug, Clone)]
pub(super) enum Kept {
    Object(Stored),
    Marker(DeleteMarker),
}

impl Kept {
    pub(super) fn version(&self) -> Version {
        match self {
            Self::Object(stored) => Version::Object(Arc::clone(&stored.info)),
            Self::Marker(marker) => Version::Marker(marker.clone()),
        }
    }

    pub(super) fn id(&self) -> Option<VersionId> {
        self.version().id()
    }
}

#[derive(Debug)]
pub(super) struct Upload {
    pub(super) info: UploadInfo,
    pub(super) parts: BTreeMap<u16, (PartInfo, (Bytes, Option<DataKey>))>,
}

/// Bytes of an object: a cheap clone of what was there when it was opened.
#[derive(Debug)]
pub(super) struct Data(pub(super) Sealed);

impl ObjectData for Data {
    fn read(self: Box<Self>, range: Range<u64>, key: Option<DataKey>) -> Payload {
        let length = range.end - range.start;
        let opened: std::result::Result<Vec<Bytes>, BodyError> = self
            .0
            .iter()
            .map(|(bytes, with)| {
                if with.as_ref().map(DataKey::bytes) == key.as_ref().map(DataKey::bytes) {
                    Ok(bytes.clone())
                } else {
                    Err(BodyError::Read("another key".into()))
                }
            })
            .collect();
        match opened {
            Ok(pieces) => Payload::Bytes(slice(&pieces.concat().into(), &range)),
            Err(_) if length == 0 => Payload::Bytes(Bytes::new()),
            Err(error) => Payload::Stream(Box::pin(futures_util::stream::iter([Err(error)])), Some(length)),
        }
    }
}

pub(super) fn slice(bytes: &Bytes, range: &Range<u64>) -> Bytes {
    let bound = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(bytes.len());
    bytes.slice(bound(range.start)..bound(range.end))
}

impl State {
    pub(super) fn contents(&mut self, bucket: &str) -> Result<&mut Contents> {
        self.contents.get_mut(bucket).ok_or(StoreError::NoSuchBucket)
    }

    /// A bucket as of now, if it is still the one that is meant.
    pub(super) fn same(&self, meant: &Bucket) -> Result<&Bucket> {
        let found = self.buckets.get(&meant.name).filter(|found| found.id == meant.id);
        found.map(|found| &**found).ok_or(StoreError::NoSuchBucket)
    }

    /// What such a bucket holds.
    pub(super) fn contents_of(&mut self, meant: &Bucket) -> Result<&mut Contents> {
        self.same(meant)?;
        self.contents(&meant.name)
    }

    pub(super) fn versioning(&self, bucket: &str) -> Result<Versioning> {
        self.buckets.get(bucket).map(|bucket| bucket.config.versioning).ok_or(StoreError::NoSuchBucket)
    }

    pub(super) fn quota(&self, bucket: &str) -> Quota {
        self.buckets.get(bucket).and_then(|bucket| bucket.config.quota).unwrap_or_default()
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}

impl Contents {
    pub(super) fn upload(&mut self, key: &str, id: &str) -> Result<&mut Upload> {
        self.uploads.get_mut(&(key.to_owned(), id.to_owned())).ok_or(StoreError::NoSuchUpload)
    }

    /// What there is, counted anew.
    pub(super) fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for (_, kept) in self.objects.values().flatten() {
            if let Kept::Object(stored) = kept {
                usage.add_object(stored.info.size);
            }
        }
        for (part, _) in self.uploads.values().flat_map(|upload| upload.parts.values()) {
            usage.add_part(part.size);
        }
        usage
    }

    /// What there would be with another object under a key.
    pub(super) fn usage_with(&self, key: &str, versioning: Versioning, size: u64) -> Usage {
        let mut usage = self.usage();
        usage.add_object(size);
        for (_, kept) in self.objects.get(key).into_iter().flatten() {
            if let Kept::Object(stored) = kept
                && versioning != Versioning::Enabled
                && stored.info.version.is_none()
            {
                usage.remove_object(stored.info.size);
            }
        }
        usage
    }

    /// The current version, where it is an object.
    pub(super) fn current(&self, key: &str) -> Option<&Stored> {
        match self.objects.get(key)?.first()? {
            (_, Kept::Object(stored)) => Some(stored),
            (_, Kept::Marker(_)) => None,
        }
    }

    pub(super) fn object(&mut self, key: &str, wanted: VersionRef) -> Result<&mut Stored> {
        let absent =
            if wanted == VersionRef::Current { StoreError::NoSuchKey } else { StoreError::NoSuchVersion };
        let versions = self.objects.get_mut(key).into_iter().flatten();
        let named = wanted != VersionRef::Current;
        match versions.into_iter().find(|(_, kept)| !named || wanted.names(kept.id())) {
            Some((_, Kept::Object(stored))) => Ok(stored),
            Some((_, Kept::Marker(marker))) => Err(StoreError::DeleteMarker(marker.clone(), named)),
            None => Err(absent),
        }
    }

    /// Adds a version as the bucket's versioning says.
    pub(super) fn add(
        &mut self,
        key: &str,
        versioning: Versioning,
        now: Timestamp,
        make: impl FnOnce(Option<VersionId>) -> Kept,
    ) -> Result<Option<VersionId>> {
        let versions = self.objects.entry(key.to_owned()).or_default();
        let order = match versioning {
            Versioning::Off => 0,
            _ => order(now, versions.first().map_or(0, |(order, _)| *order)),
        };
        let id = match versioning {
            Versioning::Enabled => Some(VersionId::new(order)?),
            Versioning::Off | Versioning::Suspended => {
                versions.retain(|(_, kept)| kept.id().is_some());
                None
            }
        };
        versions.insert(0, (order, make(id)));
        Ok(id)
    }

    pub(super) fn delete(
        &mut self,
        wanted: &DeleteKey,
        versioning: Versioning,
        now: Timestamp,
    ) -> Result<Deleted> {
        let current = wanted.version == VersionRef::Current;
        let (present, is_marker) = match self.object(&wanted.key, wanted.version) {
            Ok(stored) => (Some(Arc::clone(&stored.info)), false),
            Err(error) => (None, matches!(error, StoreError::DeleteMarker(..))),
        };
        let there = allows_delete(wanted, present.as_deref(), is_marker)?;
        if let Some((version, latest)) = &wanted.if_seen {
            let mut all = self.objects.get(&wanted.key).into_iter().flatten().enumerate();
            let found = all.find(|(_, (_, kept))| current || wanted.version.names(kept.id()));
            if !found.is_some_and(|(n, (_, kept))| kept.version() == *version && (n == 0) == *latest) {
                return Err(StoreError::PreconditionFailed);
            }
        }
        if current && versioning != Versioning::Off {
            let id = self.add(&wanted.key, versioning, now, |version| {
                Kept::Marker(DeleteMarker { version, last_modified: now })
            })?;
            return Ok(Deleted { there, marker: true, version: Some(id) });
        }
        if let Some(info) = &present {
            info.lock.allows_removal(now, wanted.bypass_governance)?;
        }
        let id = match wanted.version {
            VersionRef::Current | VersionRef::Null => None,
            VersionRef::Id(id) => Some(id),
        };
        let (mut found, mut marker) = (false, false);
        if let Some(versions) = self.objects.get_mut(&wanted.key) {
            versions.retain(|(_, kept)| {
                let goes = kept.id() == id;
                found |= goes;
                marker |= goes && matches!(kept, Kept::Marker(_));
                !goes
            });
            if versions.is_empty() {
                self.objects.remove(&wanted.key);
            }
        }
        Ok(Deleted { there: found, marker, version: (!current).then_some(id) })
    }
}

pub(super) fn bytes_of(staged: &Staged) -> Result<(Bytes, Option<DataKey>)> {
    staged
        .blob
        .downcast_ref::<(Bytes, Option<DataKey>)>()
        .cloned()
        .ok_or_else(|| StoreError::Engine("staged by another store".into()))
}
