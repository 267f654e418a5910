//! Deployment packages in the store: under their hash, in a bucket that no client can name.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, MutexGuard};

use crate::catalog::lambda::Code;
use crate::catalog::{FunctionKind, View};
use crate::error::ApiError;
use crate::object_lambda::collect;
use crate::priority::{behind, on_bytes};
use crate::store::{
    DeleteKey, NewBucket, NewObject, Payload, StageOptions, Store, StoreError, VersionRef, WriteCondition,
};

use super::holdback::HoldBack;
use super::package::{self, MAX_ZIP, PackageError};

/// An underscore is in no bucket's name, and no account has the owner's name: no request reaches it.
const BUCKET: &str = "refract_functions";
/// Its owner.
const OWNER: &str = "refract";

/// Keeps packages.
#[derive(Debug, Clone)]
pub struct CodeStore {
    store: Arc<dyn Store>,
    turn: Arc<Mutex<()>>,
    refusals: Arc<HoldBack>,
}

/// While it is held, no package goes away: from when one is put until the catalog names it.
#[derive(Debug)]
pub struct Turn<'a> {
    _guard: MutexGuard<'a, ()>,
}

impl CodeStore {
    /// Over a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, turn: Arc::default(), refusals: Arc::default() }
    }

    /// Waits until nobody else changes what is kept.
    pub async fn turn(&self) -> Turn<'_> {
        Turn { _guard: self.turn.lock().await }
    }

    /// Checks a package, without keeping it. Refusals are [held back](HoldBack).
    ///
    /// # Errors
    /// [`PackageError`] as 400 or 413.
    pub async fn check(&self, zip: Bytes) -> Result<Code, ApiError> {
        let size = zip.len() as u64;
        // What little there is may unpack to much.
        let checked = behind(move || package::check(&zip).map(|()| HEXLOWER.encode(&Sha256::digest(&zip))));
        match checked.await? {
            Ok(sha256) => Ok(Code { sha256, size }),
            Err(refused) => {
                // To see that it unpacks to too much takes longer than to send it once more.
                tokio::time::sleep(self.refusals.wait(Instant::now())).await;
                Err(refused.into())
            }
        }
    }

    /// Keeps a package that was checked.
    ///
    /// # Errors
    /// The store's.
    pub async fn put(&self, _turn: &Turn<'_>, code: &Code, zip: Bytes) -> Result<(), ApiError> {
        let new = NewBucket { name: BUCKET.to_owned(), owner: OWNER.to_owned(), ..NewBucket::default() };
        let bucket = match self.store.create_bucket(new).await {
            Err(StoreError::BucketExists) => self.store.bucket(BUCKET)?,
            made => made?,
        };
        let staged = self.store.stage(Payload::Bytes(zip), StageOptions::default()).await?;
        let object = NewObject::default();
        self.store.put(&bucket, &code.sha256, staged, object, WriteCondition::default()).await?;
        Ok(())
    }

    /// A package.
    ///
    /// # Errors
    /// The store's; one that does not match its hash.
    pub async fn get(&self, code: &Code) -> Result<Bytes, ApiError> {
        let object = self.store.open(BUCKET, &code.sha256, VersionRef::Current).await?;
        let size = object.info.size;
        let bytes = collect(object.read(0..size), MAX_ZIP as u64).await?;
        let hashed = bytes.clone();
        let sha256 = on_bytes(bytes.len(), move || HEXLOWER.encode(&Sha256::digest(&hashed))).await?;
        if sha256 != code.sha256 {
            return Err(ApiError::internal(format!("the package {} does not match its hash", code.sha256)));
        }
        Ok(bytes)
    }

    /// Removes packages that no function of the view names.
    pub async fn forget(&self, _turn: &Turn<'_>, view: &View, packages: impl IntoIterator<Item = Code>) {
        for code in packages {
            let is_used = view.functions.values().any(|function| match &function.kind {
                FunctionKind::Lambda(lambda) => {
                    lambda.all_versions().any(|version| version.code.sha256 == code.sha256)
                }
                FunctionKind::Builtin { .. }
                | FunctionKind::Wasm(_)
                | FunctionKind::Webhook(_)
                | FunctionKind::Aws(_) => false,
            });
            if is_used {
                continue;
            }
            let key = DeleteKey { key: code.sha256.clone(), ..DeleteKey::default() };
            // What stays behind takes space and does no harm.
            let deleted = match self.store.bucket(BUCKET) {
                Ok(bucket) => self.store.delete(&bucket, vec![key]).await,
                Err(error) => Err(error),
            };
            if let Err(error) = deleted {
                tracing::warn!(package = %code.sha256, %error, "a package that no function uses stays behind");
            }
        }
    }
}

impl From<PackageError> for ApiError {
    fn from(error: PackageError) -> Self {
        match &error {
            PackageError::TooLarge(_) => Self::new(
                http::StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLargeException",
                format!("Request must be smaller than {MAX_ZIP} bytes for the package: {error}"),
            ),
            PackageError::Malformed(why) => Self::new(
                http::StatusCode::BAD_REQUEST,
                "InvalidParameterValueException",
                "Could not unzip uploaded file. Please check your file, then try to upload again.",
            )
            .with_internal(why.clone()),
            PackageError::Io(why) => Self::internal(why.clone()),
            _ => Self::new(
                http::StatusCode::BAD_REQUEST,
                "InvalidParameterValueException",
                format!("ZipFile: {error}"),
            ),
        }
    }
}
