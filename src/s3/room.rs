//! Whether a bucket's quota has room for a body, asked before the body is read, so that a client that waits for
//! `100 Continue` need not send it. The store decides in its transaction; nothing that it could allow is refused here.

use crate::bucket::Versioning;
use crate::error::ApiError;
use crate::store::{Bucket, Store, StoreError, Usage, VersionRef};

/// For an object.
///
/// # Errors
/// 403 QuotaExceeded.
pub(super) async fn for_object(
    store: &dyn Store,
    bucket: &Bucket,
    key: &str,
    size: Option<u64>,
) -> Result<(), ApiError> {
    if may_grow(store, bucket, size.unwrap_or(0), 1)? {
        return Ok(());
    }
    // It may take the place of another, whose bytes it then gives back.
    let replaced = match bucket.config.versioning {
        Versioning::Enabled => None,
        Versioning::Off => store.head(&bucket.name, key, VersionRef::Current).await.ok(),
        Versioning::Suspended => store.head(&bucket.name, key, VersionRef::Null).await.ok(),
    };
    match replaced {
        Some(old) if may_grow(store, bucket, size.unwrap_or(0).saturating_sub(old.size), 0)? => Ok(()),
        _ => Err(StoreError::QuotaExceeded.into()),
    }
}

/// For a part of an upload.
///
/// # Errors
/// 403 QuotaExceeded, NoSuchUpload.
pub(super) async fn for_part(
    store: &dyn Store,
    bucket: &Bucket,
    key: &str,
    (upload_id, number): (&str, u16),
    size: Option<u64>,
) -> Result<(), ApiError> {
    let size = size.unwrap_or(0);
    if may_grow(store, bucket, size, 0)? {
        return Ok(());
    }
    let after = number.saturating_sub(1);
    let (parts, _) = store.list_parts(&bucket.name, key, upload_id, after, 1).await?;
    let replaced = parts.first().filter(|part| part.number == number).map_or(0, |part| part.size);
    if may_grow(store, bucket, size.saturating_sub(replaced), 0)? {
        return Ok(());
    }
    Err(StoreError::QuotaExceeded.into())
}

/// Whether a bucket may hold so many bytes and objects more.
fn may_grow(store: &dyn Store, bucket: &Bucket, bytes: u64, objects: u64) -> Result<bool, StoreError> {
    let Some(quota) = bucket.config.quota else { return Ok(true) };
    let before = store.usage(&bucket.name)?;
    let after = Usage {
        objects: before.objects.saturating_add(objects),
        bytes: before.bytes.saturating_add(bytes),
        ..before
    };
    Ok(quota.allows(&before, &after).is_ok())
}
