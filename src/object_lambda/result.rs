//! What a function made of an object: streamed to the client as it comes, or kept for a while, so that a HEAD can say
//! its length and a Range can be cut from it.

use std::future::Future;
use std::sync::Arc;

use axum::body::Body;
use http::{HeaderMap, HeaderValue, Response, header};
use refract_transforms::Head;

use crate::encryption::DataKey;
use crate::error::ApiError;
use crate::function::metering::Measure;
use crate::function::{Prepared, Runner};
use crate::s3::{Read, into_body};
use crate::store::{ObjectInfo, Payload, StageOptions, Staged, Store};

use super::error;
use super::source::{Source, apply};

/// Bookkeeping of one kept result, in bytes.
const OVERHEAD: u64 = 512;

/// A result that was kept, out of sight in the store.
#[derive(Debug)]
pub struct Kept {
    staged: Staged,
    head: Head,
}

impl Kept {
    /// Bytes of the result.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.staged.size
    }
}

/// Results by ETag, which says all that they depend on. The least used go when the bytes are too many; one that is
/// being read stays until it was.
#[derive(Debug, Clone)]
pub struct Results {
    store: Arc<dyn Store>,
    kept: moka::future::Cache<String, Arc<Kept>>,
}

impl Results {
    /// Keeps at most `bytes` of results.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, bytes: u64) -> Self {
        let weigh = |_: &String, kept: &Arc<Kept>| {
            // In units of 1 KiB, for a weight has 32 bits.
            u32::try_from((kept.staged.size + OVERHEAD).div_ceil(1024)).unwrap_or(u32::MAX)
        };
        let kept = moka::future::Cache::builder().max_capacity(bytes / 1024).weigher(weigh).build();
        Self { store, kept }
    }

    /// The result of this ETag, if it was kept.
    pub async fn get(&self, etag: &str) -> Option<Arc<Kept>> {
        self.kept.get(etag).await
    }

    /// The result of this ETag, made once however many ask for it at a time.
    ///
    /// # Errors
    /// What `make` answers.
    pub async fn get_or_make(
        &self,
        etag: String,
        make: impl Future<Output = Result<Kept, ApiError>>,
    ) -> Result<Arc<Kept>, ApiError> {
        let make = async { make.await.map(Arc::new) };
        self.kept.try_get_with(etag, make).await.map_err(|error| ApiError::clone(&error))
    }

    /// Answers from a kept result.
    ///
    /// # Errors
    /// InvalidRange, InvalidPartNumber; the store's.
    pub async fn answer(
        &self,
        kept: &Kept,
        read: &Read,
        mut info: ObjectInfo,
    ) -> Result<Response<Body>, ApiError> {
        apply(&kept.head, &mut info);
        info.size = kept.staged.size;
        let (mut answer, range) = read.describe(&info, None)?;
        vary(&kept.head, answer.headers_mut());
        if !read.head_only {
            *answer.body_mut() = into_body(self.store.read_staged(&kept.staged, range).await?);
        }
        Ok(answer)
    }
}

/// Runs a function to its end and keeps what came of it.
///
/// # Errors
/// The function's; the store's.
pub async fn make(
    store: &dyn Store,
    runner: &Runner,
    prepared: &Prepared,
    source: Source,
    measure: impl FnOnce() -> Measure,
) -> Result<Kept, ApiError> {
    let key = source.is_encrypted().then(DataKey::random).transpose();
    let key = key.map_err(|error| ApiError::internal(error.to_string()))?;
    let (context, input) = source.into_run().await?;
    let output = runner.run(prepared, context, input, measure()).await.map_err(error::run)?;
    let staged = store.stage(output.body, StageOptions { checksum: None, key }).await?;
    Ok(Kept { staged, head: output.head })
}

/// Runs a function and answers as its output comes; with its length when it is small.
///
/// # Errors
/// What fails before the first output. What fails later breaks the connection off, so that no client takes a part for
/// the whole.
pub async fn stream(
    (runner, measure): (&Runner, impl FnOnce() -> Measure),
    prepared: &Prepared,
    source: Source,
    read: &Read,
    mut info: ObjectInfo,
) -> Result<Response<Body>, ApiError> {
    let (context, input) = source.into_run().await?;
    let output = runner.run(prepared, context, input, measure()).await.map_err(error::run)?;
    apply(&output.head, &mut info);
    let mut answer = match &output.body {
        Payload::Bytes(bytes) => {
            info.size = bytes.len() as u64;
            read.describe(&info, None)?.0
        }
        Payload::Stream(..) => {
            let mut answer = read.head_of(&info)?;
            answer.headers_mut().remove(header::CONTENT_LENGTH);
            answer
        }
    };
    vary(&output.head, answer.headers_mut());
    *answer.body_mut() = into_body(output.body);
    Ok(answer)
}

fn vary(head: &Head, headers: &mut HeaderMap) {
    if let Ok(value) = HeaderValue::from_str(&head.vary.join(", "))
        && !head.vary.is_empty()
    {
        headers.insert(header::VARY, value);
    }
}
