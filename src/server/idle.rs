//! Time in which nothing moves: a request's body that stops coming, an answer that is no longer taken. Either would
//! hold its connection, and what stands behind it, for as long as the client likes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::BoxError;
use bytes::Bytes;
use http::StatusCode;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::error::ApiError;
use crate::store::BodyError;

/// How long something may wait.
#[derive(Debug)]
struct Patience {
    limit: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl Patience {
    fn new(limit: Duration) -> Self {
        Self { limit, sleep: None, waiting: false }
    }

    /// Something moved.
    fn renew(&mut self) {
        self.waiting = false;
    }

    /// Nothing moves; ready once that was so for too long.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        let timer = self.sleep.get_or_insert_with(|| Box::pin(sleep(limit)));
        if !std::mem::replace(&mut self.waiting, true) {
            timer.as_mut().reset(Instant::now() + limit);
        }
        timer.as_mut().poll(context)
    }
}

pin_project_lite::pin_project! {
    /// A request's body, which must not stop coming while the server waits for it.
    #[derive(Debug)]
    pub struct Awaited<B> {
        #[pin]
        inner: B,
        patience: Patience,
        ended: bool,
    }
}

impl<B> Awaited<B> {
    /// With the time that may pass without a byte.
    pub fn new(inner: B, limit: Duration) -> Self {
        Self { inner, patience: Patience::new(limit), ended: false }
    }
}

fn stopped() -> BoxError {
    let error = ApiError::new(
        StatusCode::BAD_REQUEST,
        "RequestTimeout",
        "Your socket connection to the server was not read from or written to within the timeout period. Idle \
         connections will be closed.",
    );
    Box::new(BodyError::Rejected(Box::new(error)))
}

impl<B> HttpBody for Awaited<B>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        match this.inner.poll_frame(context) {
            Poll::Ready(frame) => {
                this.patience.renew();
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => {
                std::task::ready!(this.patience.poll(context));
                *this.ended = true;
                Poll::Ready(Some(Err(stopped())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A connection whose other end must go on taking what is sent.
#[derive(Debug)]
pub struct Taken<S> {
    inner: S,
    patience: Patience,
}

impl<S> Taken<S> {
    /// With the time that may pass without a byte taken while there are some to send.
    pub fn new(inner: S, limit: Duration) -> Self {
        Self { inner, patience: Patience::new(limit) }
    }

    fn watch<T>(&mut self, polled: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.patience.renew();
            return polled;
        }
        std::task::ready!(self.patience.poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client stopped reading")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Taken<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Taken<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.watch(polled, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.watch(polled, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A flush that has nothing to do says nothing about the other end.
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_shutdown(context);
        self.watch(polled, context)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::StreamExt;
    use http_body_util::StreamBody;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    fn body(pauses: &'static [u64]) -> Body {
        let frames = futures_util::stream::iter(pauses).then(|pause| async move {
            sleep(Duration::from_secs(*pause)).await;
            Ok::<_, io::Error>(Frame::data(Bytes::from_static(b"x")))
        });
        Body::new(Awaited::new(Box::pin(StreamBody::new(frames)), LIMIT))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_be_slow_and_may_not_stop() {
        assert!(axum::body::to_bytes(body(&[59, 59, 59]), 9).await.is_ok());
        let mut stream = crate::s3::body_stream(body(&[59, 61, 0]));
        assert!(stream.next().await.unwrap().is_ok());
        let Err(BodyError::Rejected(error)) = stream.next().await.unwrap() else { panic!("it went on") };
        assert_eq!((error.status.as_u16(), &*error.code), (400, "RequestTimeout"));
        assert!(stream.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_nobody_asks_does_not_count() {
        let mut stream = body(&[50, 50]).into_data_stream();
        assert!(stream.next().await.unwrap().is_ok());
        sleep(Duration::from_secs(600)).await;
        assert!(stream.next().await.unwrap().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_reading_loses_the_connection() {
        let (near, mut far) = tokio::io::duplex(8);
        let writing = tokio::spawn(async move { Taken::new(near, LIMIT).write_all(&[7; 100]).await });
        for _ in 0..5 {
            sleep(Duration::from_secs(59)).await;
            far.read_exact(&mut [0; 8]).await.unwrap();
        }
        let stopped = Instant::now();
        let error = writing.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!((59..=61).contains(&stopped.elapsed().as_secs()));
    }
}
