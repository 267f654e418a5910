//! Objects that the server itself writes, such as access logs: as a PutObject without headers would write them.

use bytes::Bytes;
use data_encoding::BASE64;
use http::HeaderMap;

use crate::bucket::{Acl, Ownership};
use crate::clock::Clock;
use crate::encryption::Keyring;
use crate::error::ApiError;
use crate::store::{
    Bucket, Checksum, ChecksumAlgorithm, ChecksumType, Lock, NewObject, ObjectHeaders, ObjectInfo, Payload,
    StageOptions, Store, WriteCondition,
};

use super::encryption;

/// An object to write.
#[derive(Debug)]
pub struct OwnObject {
    /// Content-Type.
    pub content_type: &'static str,
    /// Who else may use it, where ACLs are on.
    pub acl: Option<Acl>,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Writes an object of the bucket's owner, encrypted and locked as the bucket's defaults say.
///
/// # Errors
/// What the store and the keyring say.
pub async fn put_own(
    store: &dyn Store,
    keyring: &Keyring,
    clock: &dyn Clock,
    bucket: &Bucket,
    key: &str,
    object: OwnObject,
) -> Result<ObjectInfo, ApiError> {
    let (data_key, encryption) = encryption::of_new_object(keyring, bucket, key, &HeaderMap::new())?.unzip();
    let options = StageOptions { key: data_key, checksum: None };
    let staged = store.stage(Payload::Bytes(object.bytes), options).await?;
    let default = bucket.config.object_lock.as_ref().and_then(|lock| lock.default.as_ref());
    let retention = default.map(|default| default.from(clock.now()));
    let enforced = bucket.config.ownership == Some(Ownership::BucketOwnerEnforced);
    let new = NewObject {
        headers: ObjectHeaders {
            content_type: Some(object.content_type.to_owned()),
            ..ObjectHeaders::default()
        },
        checksum: Some(Checksum {
            algorithm: ChecksumAlgorithm::Crc64Nvme,
            kind: ChecksumType::FullObject,
            value: BASE64.encode(&staged.crc64nvme.to_be_bytes()),
        }),
        lock: Lock { retention, legal_hold: None },
        acl: object.acl.filter(|_| !enforced),
        encryption,
        ..NewObject::default()
    };
    Ok(store.put(bucket, key, staged, new, WriteCondition::Always).await?)
}
