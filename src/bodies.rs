//! Request bodies that are held whole: each within a limit of its own, all of them together within a budget.

use std::sync::Arc;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{HeaderValue, StatusCode, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::auth::Principal;
use crate::error::ApiError;
use crate::store::StoreError;

/// Whose a body is. Who has shown less may have less held, so that nobody without a key can take all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// A caller whose signature is right.
    Verified,
    /// A caller that names a key that is there; the signature waits for the body.
    Claimed,
    /// Anybody's.
    Anonymous,
}

impl Whose {
    /// By who asks, once that is verified.
    #[must_use]
    pub fn of(principal: Option<&Principal>) -> Self {
        if principal.is_some() { Self::Verified } else { Self::Anonymous }
    }
}

/// The budget.
#[derive(Debug, Clone)]
pub struct Bodies {
    all: Arc<Semaphore>,
    claimed: Arc<Semaphore>,
    anonymous: Arc<Semaphore>,
}

/// What of the budget one body has.
#[derive(Debug, Default)]
struct Lease {
    all: Option<OwnedSemaphorePermit>,
    share: Option<OwnedSemaphorePermit>,
}

/// A body, and what it has of the budget for as long as any part of it is used.
struct Held {
    bytes: Bytes,
    _lease: Lease,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn take(from: &Arc<Semaphore>, size: u32, into: &mut Option<OwnedSemaphorePermit>) -> Option<()> {
    let taken = Arc::clone(from).try_acquire_many_owned(size).ok()?;
    match into {
        Some(permit) => permit.merge(taken),
        None => *into = Some(taken),
    }
    Some(())
}

impl Bodies {
    /// `bytes` for all: half of them for callers that are not verified yet, a quarter for those without a key.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let part = |size| Arc::new(Semaphore::new(size));
        Self { all: part(bytes), claimed: part(bytes / 2), anonymous: part(bytes / 4) }
    }

    fn lease(&self, size: usize, whose: Whose, lease: &mut Lease) -> Result<(), ApiError> {
        let leased = u32::try_from(size).ok().and_then(|size| {
            match whose {
                Whose::Verified => {}
                Whose::Claimed => take(&self.claimed, size, &mut lease.share)?,
                Whose::Anonymous => take(&self.anonymous, size, &mut lease.share)?,
            }
            take(&self.all, size, &mut lease.all)
        });
        leased.ok_or_else(|| {
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "SlowDown", "Please reduce your request rate.")
                .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
                .with_internal(format!("no memory for request bodies is left ({whose:?}): body_memory_bytes"))
        })
    }

    /// Reads a body whole.
    ///
    /// # Errors
    /// 400 MaxMessageLengthExceeded; 503 SlowDown where the budget is used up; what the check of the body says.
    pub async fn collect(&self, body: Body, limit: usize, whose: Whose) -> Result<Bytes, ApiError> {
        let mut stream = crate::s3::body_stream(body);
        let (mut all, mut lease) = (BytesMut::new(), Lease::default());
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| ApiError::from(StoreError::Body(error)))?;
            if all.len() + chunk.len() > limit {
                return Err(ApiError::new(
                    StatusCode::BAD_REQUEST,
                    "MaxMessageLengthExceeded",
                    format!("Your request was too big: its body may have {limit} bytes"),
                ));
            }
            self.lease(chunk.len(), whose, &mut lease)?;
            all.extend_from_slice(&chunk);
        }
        if all.is_empty() {
            return Ok(Bytes::new());
        }
        Ok(Bytes::from_owner(Held { bytes: all.freeze(), _lease: lease }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn collect(bodies: &Bodies, size: usize, whose: Whose) -> Result<Bytes, String> {
        let chunks =
            vec![b'x'; size].chunks(7).map(|chunk| Ok::<_, ApiError>(chunk.to_vec())).collect::<Vec<_>>();
        let body = Body::from_stream(futures_util::stream::iter(chunks));
        bodies.collect(body, 60, whose).await.map_err(|error| error.code.into_owned())
    }

    #[tokio::test]
    async fn what_is_held_counts_until_its_last_part_is_let_go() {
        let bodies = Bodies::new(100);
        let slow = Err("SlowDown".to_owned());
        assert_eq!(collect(&bodies, 61, Whose::Verified).await, Err("MaxMessageLengthExceeded".to_owned()));
        let first = collect(&bodies, 60, Whose::Verified).await.unwrap();
        assert_eq!(collect(&bodies, 41, Whose::Verified).await, slow);
        let second = collect(&bodies, 40, Whose::Verified).await.unwrap();
        let part = first.slice(10..11);
        drop((first, second));
        assert_eq!(collect(&bodies, 41, Whose::Verified).await, slow);
        drop(part);
        assert!(collect(&bodies, 60, Whose::Verified).await.is_ok());
        assert_eq!(bodies.all.available_permits(), 100);
    }

    #[tokio::test]
    async fn who_has_no_key_cannot_take_it_all() {
        let bodies = Bodies::new(100);
        assert!(collect(&bodies, 26, Whose::Anonymous).await.is_err());
        let anonymous = collect(&bodies, 25, Whose::Anonymous).await.unwrap();
        assert!(collect(&bodies, 1, Whose::Anonymous).await.is_err());
        assert!(collect(&bodies, 51, Whose::Claimed).await.is_err());
        let claimed = collect(&bodies, 50, Whose::Claimed).await.unwrap();
        assert!(collect(&bodies, 25, Whose::Verified).await.is_ok());
        drop((anonymous, claimed));
        assert_eq!(bodies.all.available_permits(), 100);
    }
}
