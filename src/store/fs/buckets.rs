//! Buckets.

use std::sync::Arc;

use redb::ReadableTable;

use super::FsStore;
use super::gc::Garbage;
use super::rows::encode;
use super::tables::{BUCKETS, BucketRef, Tx};
use crate::store::{Bucket, BucketChange, NewBucket, Result, StoreError};

/// Key of the next bucket id in the `meta` table.
const NEXT_BUCKET: &str = "next-bucket";

impl FsStore {
    pub(super) async fn do_create_bucket(&self, new: NewBucket) -> Result<Arc<Bucket>> {
        let run = |tx: &mut Tx<'_>| {
            if tx.buckets.contains_key(&new.name) {
                return Err(StoreError::BucketExists);
            }
            let next = tx.meta.table()?.get(NEXT_BUCKET)?.map_or(1, |id| id.value());
            // Whatever that row says: an id that is in use would show one bucket's objects in another.
            let id = tx.buckets.values().map(|bucket| bucket.id + 1).fold(next, u64::max);
            let NewBucket { name, region, owner, config } = new;
            let bucket = Bucket { name, id, created: tx.now, region, owner, config };
            tx.meta.table()?.insert(NEXT_BUCKET, id + 1)?;
            set(tx, bucket)
        };
        self.committer().run(run).await
    }

    pub(super) async fn do_update_bucket(
        &self,
        bucket: &Bucket,
        change: BucketChange,
    ) -> Result<Arc<Bucket>> {
        let bucket = BucketRef::from(bucket);
        let run = move |tx: &mut Tx<'_>| {
            let mut bucket = Bucket::clone(&*tx.bucket(&bucket)?);
            change(&mut bucket).map_err(|error| StoreError::Refused(Box::new(error)))?;
            set(tx, bucket)
        };
        self.committer().run_little(run).await
    }

    pub(super) async fn do_delete_bucket(&self, bucket: &Bucket) -> Result<()> {
        let bucket = BucketRef::from(bucket);
        let run = move |tx: &mut Tx<'_>| {
            let bucket = tx.bucket(&bucket)?;
            let (from, to) = (bucket.id.to_be_bytes(), (bucket.id + 1).to_be_bytes());
            if tx.objects.table()?.range(from.as_slice()..to.as_slice())?.next().is_some() {
                return Err(StoreError::BucketNotEmpty);
            }
            let versions = (bucket.id, "", 0)..(bucket.id + 1, "", 0);
            if tx.versions.table()?.range(versions)?.next().is_some() {
                return Err(StoreError::BucketNotEmpty);
            }
            let mut uploads = Vec::new();
            for entry in tx.uploads.table()?.range((bucket.id, "", "")..(bucket.id + 1, "", ""))? {
                let key = entry?.0;
                let (_, key, upload) = key.value();
                uploads.push((key.to_owned(), upload.to_owned()));
            }
            for (key, upload) in uploads {
                tx.uploads.table()?.remove((bucket.id, key.as_str(), upload.as_str()))?;
                tx.condemn(Garbage::Upload(upload))?;
            }
            tx.forget_usage(bucket.id)?;
            tx.bucket_rows.table()?.remove(bucket.name.as_str())?;
            Arc::make_mut(&mut tx.buckets).remove(&bucket.name);
            Ok(())
        };
        self.committer().run_freeing(run).await
    }
}

/// Writes a bucket's row.
fn set(tx: &mut Tx<'_>, bucket: Bucket) -> Result<Arc<Bucket>> {
    let name = bucket.name.as_str();
    tx.bucket_rows.table()?.insert(name, encode(BUCKETS, &name, &bucket)?.as_slice())?;
    let bucket = Arc::new(bucket);
    Arc::make_mut(&mut tx.buckets).insert(bucket.name.clone(), Arc::clone(&bucket));
    Ok(bucket)
}
