//! A listing through a built-in: the keys of the supporting access point, each with the head of what the built-in makes
//! of its object.

use std::sync::Arc;

use async_trait::async_trait;

use crate::function::Prepared;
use crate::s3::Shown;
use crate::store::{ListPage, ObjectInfo};

use super::result::Results;
use super::source;

/// What a built-in makes of a listing. Nothing runs for it: an ETag is known beforehand, a size where the result is
/// kept.
#[derive(Debug, Clone)]
pub struct Listed {
    prepared: Arc<Prepared>,
    results: Results,
}

impl Listed {
    /// Of a built-in with its payload.
    #[must_use]
    pub fn new(prepared: Arc<Prepared>, results: Results) -> Self {
        Self { prepared, results }
    }
}

#[async_trait]
impl Shown for Listed {
    async fn apply(&self, bucket: &str, page: &mut ListPage) {
        if self.prepared.work.is_identity() {
            return;
        }
        // What depends on more than the object has an ETag that only a read of all of it can tell.
        let known = self.prepared.work.resources().is_empty() && !self.prepared.work.varies_by_caller();
        for (key, info) in &mut page.objects {
            let etag = known.then(|| source::derived_etag(&self.prepared, bucket, key, info, &[], None));
            let kept = match &etag {
                Some(etag) => self.results.get(etag).await,
                None => None,
            };
            *info = Arc::new(ObjectInfo {
                etag: etag.unwrap_or_default(),
                size: kept.map_or(info.size, |kept| kept.size()),
                checksum: None,
                parts: None,
                ..ObjectInfo::clone(info)
            });
        }
    }
}
