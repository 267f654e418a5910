//! The stored object and the resources of a transform, opened with the caller's permission, and the head that the
//! result will have.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use data_encoding::HEXLOWER;
use futures_util::StreamExt;
use http::{HeaderValue, header, request};
use refract_transforms::{Context, Head, Identity, Input, Limits};
use sha2::{Digest, Sha256};

use crate::auth::{Principal, PrincipalKind};
use crate::error::ApiError;
use crate::function::Prepared;
use crate::policy::Access;
use crate::s3::encryption::CustomerHeaders;
use crate::s3::{Read, Reader};
use crate::store::{Object, ObjectInfo, Payload, StoreError, VersionRef};

use super::{LensCall, error};

/// What a run reads.
#[derive(Debug)]
pub struct Source {
    object: Object,
    resources: Vec<(String, Object)>,
    context: Context,
}

impl Source {
    /// Opens the object, and what the transform names besides.
    ///
    /// # Errors
    /// As GetObject for the object; 400 for a resource that is missing or too large.
    pub async fn open(
        reader: Reader<'_>,
        call: &LensCall<'_>,
        prepared: &Prepared,
        parts: &request::Parts,
        limits: Limits,
    ) -> Result<Self, ApiError> {
        let bucket = call.access.bucket.name.as_str();
        let version = Read::of(parts)?.version;
        let object = reader.open(&call.access, call.key, version, CustomerHeaders::Own).await?;
        let mut resources = Vec::new();
        for key in prepared.work.resources() {
            let access = Access { key: Some(&key), ..call.access };
            let resource = match reader.open(&access, &key, VersionRef::Current, CustomerHeaders::Own).await {
                Ok(resource) if resource.info.size <= limits.buffered_bytes => resource,
                Ok(resource) => {
                    return Err(error::resource(
                        &key,
                        &format!("has {} bytes; the limit is {}", resource.info.size, limits.buffered_bytes),
                    ));
                }
                Err(other) if other.code == "NoSuchKey" => {
                    return Err(error::resource(&key, "is not in the bucket"));
                }
                Err(other) => return Err(other),
            };
            resources.push((key, resource));
        }
        let accept = parts.headers.get(header::ACCEPT_ENCODING).map(HeaderValue::to_str);
        let context = Context {
            input: input(bucket, call.key, &object.info),
            identity: call.access.principal.map(identity).unwrap_or_default(),
            accept_encoding: accept.and_then(Result::ok).map(str::to_owned),
            resources: HashMap::new(),
            limits,
        };
        Ok(Self { object, resources, context })
    }

    /// The head of the result as far as it is known before the run: everything but its length and what the run
    /// itself changes. Its ETag is a digest of all that the result depends on, so that it changes when they do.
    #[must_use]
    pub fn derived_info(&self, prepared: &Prepared) -> ObjectInfo {
        let input = &self.context.input;
        let varies = prepared.work.varies_by_caller().then_some(&self.context);
        let etag =
            derived_etag(prepared, &input.bucket, &input.key, &self.object.info, &self.resources, varies);
        let info = &self.object.info;
        ObjectInfo { etag, size: 0, checksum: None, parts: None, encryption: None, ..ObjectInfo::clone(info) }
    }

    /// Whether anything that is read was stored encrypted: then the result is not kept in plain either.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        let resources = self.resources.iter().map(|(_, resource)| resource);
        resources.chain([&self.object]).any(|object| object.key.is_some())
    }

    /// The context and the bytes, to run.
    ///
    /// # Errors
    /// A resource that cannot be read.
    pub async fn into_run(self) -> Result<(Context, Payload), ApiError> {
        let mut context = self.context;
        for (key, resource) in self.resources {
            let size = resource.info.size;
            let bytes = collect(resource.read(0..size), size).await?;
            context.resources.insert(key, bytes);
        }
        let size = self.object.info.size;
        Ok((context, self.object.read(0..size)))
    }
}

/// The ETag of a result: a digest of all that it depends on. `caller` is there where it depends on that.
pub(super) fn derived_etag(
    prepared: &Prepared,
    bucket: &str,
    key: &str,
    info: &Arc<ObjectInfo>,
    resources: &[(String, Object)],
    caller: Option<&Context>,
) -> String {
    let mut hash = Sha256::new();
    let mut field = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    field(&prepared.digest);
    field(bucket);
    field(key);
    version(info, &mut field);
    for (name, value) in &info.tags {
        field(name);
        field(value);
    }
    for (key, resource) in resources {
        field(key);
        version(&resource.info, &mut field);
    }
    if let Some(caller) = caller {
        let Identity { arn, account_id, principal_id, access_key_id, .. } = &caller.identity;
        for text in [arn, account_id, principal_id, access_key_id] {
            field(text);
        }
        field(caller.accept_encoding.as_deref().unwrap_or_default());
    }
    let digest = hash.finalize();
    // Not 32 hex digits alone: a client would take those for the MD5 of the bytes.
    format!("{}-olap", HEXLOWER.encode(digest.get(..16).unwrap_or_default()))
}

/// Applies what a run did to the head.
pub fn apply(head: &Head, info: &mut ObjectInfo) {
    if let Some(content_type) = &head.content_type {
        info.headers.content_type = Some(content_type.clone());
    }
    if let Some(content_encoding) = &head.content_encoding {
        info.headers.content_encoding.clone_from(content_encoding);
    }
    if let Some(metadata) = &head.metadata {
        info.metadata.clone_from(metadata);
    }
}

fn version(info: &Arc<ObjectInfo>, field: &mut impl FnMut(&str)) {
    field(&info.etag);
    field(&info.last_modified.to_string());
    field(&info.size.to_string());
}

fn input(bucket: &str, key: &str, info: &ObjectInfo) -> Input {
    Input {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        size: Some(info.size),
        etag: Some(format!("\"{}\"", info.etag)),
        last_modified: Some(info.last_modified.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        content_type: info.headers.content_type.clone(),
        content_encoding: info.headers.content_encoding.clone(),
        metadata: info.metadata.clone(),
        tags: info.tags.clone(),
    }
}

/// The caller as a transform may name it.
#[must_use]
pub fn identity(principal: &Principal) -> Identity {
    Identity {
        kind: match principal.kind {
            PrincipalKind::Root => "Root",
            PrincipalKind::User => "IAMUser",
            PrincipalKind::AssumedRole => "AssumedRole",
            PrincipalKind::FederatedUser => "FederatedUser",
        }
        .to_owned(),
        principal_id: principal.principal_id.clone(),
        arn: principal.arn.clone(),
        account_id: principal.account_id.clone(),
        user_name: principal.user_name.clone(),
        access_key_id: principal.access_key_id.clone(),
        tags: principal.identity.tags.clone(),
    }
}

/// Reads a body whole.
pub(crate) async fn collect(payload: Payload, limit: u64) -> Result<Bytes, ApiError> {
    match payload {
        Payload::Bytes(bytes) => Ok(bytes),
        Payload::Stream(mut stream, _) => {
            let mut all = BytesMut::new();
            while let Some(chunk) = stream.next().await {
                all.extend_from_slice(&chunk.map_err(StoreError::Body)?);
                if all.len() as u64 > limit {
                    return Err(ApiError::invalid_request(format!("The result has more than {limit} bytes")));
                }
            }
            Ok(all.freeze())
        }
    }
}
