//! `Expect: 100-continue`: a client that waits to be told before it sends its body.
//!
//! hyper says 100 when the body is first asked for. A request that is answered without that, such as one that is refused
//! by its head, leaves a connection on which the body may come or not, so that it is closed; the answer must say so. To
//! botocore a close that was not announced is an answer to its next request.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Version, header};
use http_body::{Body as HttpBody, Frame, SizeHint};

/// What becomes of a client's expectation.
#[derive(Debug, Clone)]
pub struct Expected(Arc<AtomicBool>);

impl Expected {
    /// Of a request that expects something; `None` for the others, and in HTTP/2.
    pub fn of<B: HttpBody>(request: &Request<B>) -> Option<Self> {
        let expects = request.headers().get(header::EXPECT);
        let expects = request.version() <= Version::HTTP_11
            && expects.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
        expects.then(|| Self(Arc::default()))
    }

    /// Whether the client was told to send.
    pub fn was_told(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Has the answer say that the connection ends, where the client was told nothing. As botocore waits also where its
    /// body has no bytes, for which there is no 100, that is so there as well.
    pub fn settle<B>(&self, answer: &mut Response<B>) {
        if !self.was_told() {
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

pin_project_lite::pin_project! {
    /// A body that notes when it is asked for, and has something to come.
    #[derive(Debug)]
    pub struct Noted<B> {
        #[pin]
        inner: B,
        expected: Expected,
    }
}

impl<B> Noted<B> {
    /// With who is to know.
    pub fn new(inner: B, expected: Expected) -> Self {
        Self { inner, expected }
    }
}

impl<B: HttpBody<Data = Bytes>> HttpBody for Noted<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        if !this.inner.is_end_stream() {
            this.expected.0.store(true, Ordering::Relaxed);
        }
        this.inner.poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(expect: &'static str, version: Version, body: &'static str) -> Request<Body> {
        let request = Request::builder().version(version).header(header::EXPECT, expect);
        request.body(Body::from(body)).unwrap()
    }

    fn closes(expected: &Expected) -> bool {
        let mut answer = Response::new(());
        expected.settle(&mut answer);
        answer.headers().contains_key(header::CONNECTION)
    }

    #[tokio::test]
    async fn who_was_told_nothing_is_told_of_the_close() {
        assert!(Expected::of(&request("x", Version::HTTP_11, "b")).is_none());
        assert!(Expected::of(&request("100-continue", Version::HTTP_2, "b")).is_none());
        for (body, read, expected_to_close) in [("b", false, true), ("b", true, false), ("", true, true)] {
            let request = request("100-Continue", Version::HTTP_11, body);
            let expected = Expected::of(&request).unwrap();
            let noted = Body::new(Noted::new(request.into_body(), expected.clone()));
            if read {
                assert_eq!(axum::body::to_bytes(noted, 9).await.unwrap(), body);
            }
            assert_eq!(closes(&expected), expected_to_close, "{body:?} {read}");
        }
    }
}
