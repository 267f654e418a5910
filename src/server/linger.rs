//! The rest of a request's body that nobody reads any more, such as one that was refused by its head.
//!
//! A connection that is closed while its client still sends is reset: the client then reads of a broken pipe, and not the
//! answer that says why (RFC 9112, section 9.6). So the rest is taken and thrown away, up to a limit, while the answer goes
//! out. HTTP/2 has resets of a stream for this, which leave the answer alone.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::expect::Expected;

/// Bytes that are taken of a client's rest: more than the largest package of a function has in base64.
pub const OF_CLIENT: u64 = 128 << 20;
/// The same of a function, whose processor time is better not spent on what nobody wants.
pub const OF_FUNCTION: u64 = 8 << 20;
/// Time in which they are taken, and time without any, after which no more are waited for.
const TIME: Duration = Duration::from_secs(30);
/// See [`TIME`].
const IDLE: Duration = Duration::from_secs(2);

/// A body whose rest is taken when it is dropped.
#[derive(Debug)]
pub struct Lingering<B: HttpBody<Data = Bytes> + Unpin + Send + 'static> {
    inner: Option<B>,
    limit: u64,
    expected: Option<Expected>,
}

impl<B: HttpBody<Data = Bytes> + Unpin + Send + 'static> Lingering<B> {
    /// With the bytes that are taken at most. A client that waits for 100 sends nothing before it is told.
    pub fn new(inner: B, limit: u64, expected: Option<Expected>) -> Self {
        Self { inner: Some(inner), limit, expected }
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin + Send + 'static> HttpBody for Lingering<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match &mut self.inner {
            Some(inner) => Pin::new(inner).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin + Send + 'static> Drop for Lingering<B> {
    fn drop(&mut self) {
        let sends = self.expected.as_ref().is_none_or(Expected::was_told);
        let rest = self.inner.take().filter(|rest| sends && self.limit > 0 && !rest.is_end_stream());
        if let Some(rest) = rest
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(timeout(TIME, discard(rest, self.limit)));
        }
    }
}

async fn discard<B: HttpBody<Data = Bytes> + Unpin>(mut rest: B, limit: u64) {
    let mut taken = 0;
    while taken < limit
        && let Ok(Some(Ok(frame))) = timeout(IDLE, rest.frame()).await
    {
        taken += frame.data_ref().map_or(0, |data| data.len() as u64);
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::{StreamExt as _, stream};
    use http::{Request, Version, header};
    use tokio::sync::mpsc;

    use super::*;

    /// How many frames of ten bytes are taken by themselves, of three.
    async fn taken(limit: u64, expected: Option<Expected>) -> usize {
        let (tell, mut told) = mpsc::unbounded_channel();
        let frames = stream::iter(0..3).map(move |one| {
            tell.send(one).ok();
            Ok::<_, std::io::Error>(Bytes::from_static(b"0123456789"))
        });
        drop(Lingering::new(Body::from_stream(frames), limit, expected));
        let mut all = 0;
        // The end of who tells is the end of the body.
        while told.recv().await.is_some() {
            all += 1;
        }
        all
    }

    #[tokio::test]
    async fn the_rest_is_taken_up_to_its_limit_from_who_sends_it() {
        let request = Request::builder().version(Version::HTTP_11).header(header::EXPECT, "100-continue");
        let expected = Expected::of(&request.body(Body::from("b")).unwrap());
        assert!(expected.is_some());
        for (limit, expected, frames) in [(100, None, 3), (20, None, 2), (0, None, 0), (100, expected, 0)] {
            assert_eq!(taken(limit, expected).await, frames, "of {limit} bytes");
        }
    }
}
