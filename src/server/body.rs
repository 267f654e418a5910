//! A body that reports when its last byte has left, so that the request log knows of answers that were cut short.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use http::{Method, Request, Response, StatusCode, header};
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::access_log::{Answer, begun};
use crate::door::{Failed, Finished};
use crate::telemetry::Metrics;
use crate::telemetry::events::RequestFinished;

/// Bytes of an answer that a connection takes in one turn. A client that reads as fast as it is written to would
/// otherwise have a thread of the server for as long as its answer lasts. Each turn costs: at 128 KiB large answers take a
/// tenth more CPU, at this about half of that.
const TURN: u64 = 512 << 10;

/// Gathers what the request log says of one request.
#[derive(Debug)]
pub struct Report {
    metrics: Arc<Metrics>,
    started: Instant,
    method: Method,
    path: String,
    received: u64,
}

impl Report {
    /// Starts one. Nothing of the query is kept: it may hold a signature.
    #[must_use]
    pub fn new<B>(metrics: Arc<Metrics>, started: Instant, request: &Request<B>) -> Self {
        let length = request.headers().get(header::CONTENT_LENGTH);
        let received = length.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0);
        let path = request.uri().path().to_owned();
        Self { metrics, started, method: request.method().clone(), path, received }
    }

    /// Ties the report to an answer: it goes out with the last byte, or when the client turns away.
    #[must_use]
    pub fn attach(self, mut answer: Response<Body>) -> Response<Body> {
        let finished = answer.extensions_mut().remove::<Finished>();
        let failed = answer.extensions_mut().remove::<Failed>();
        let bodiless = self.method == Method::HEAD
            || matches!(answer.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let length = answer.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
        let open = Open {
            status: answer.status(),
            whole: if bodiless { Some(0) } else { length.or_else(|| answer.body().size_hint().exact()) },
            to_first_byte: self.started.elapsed(),
            report: self,
            size: finished
                .as_ref()
                .filter(|found| found.0.logged.is_some())
                .and_then(|_| begun::size_of(answer.headers())),
            finished,
            failed,
            sent: 0,
            outcome: Outcome::Cut,
        };
        answer.map(|inner| Body::new(Reported { inner, open, turn: TURN }))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Cut,
    Failed,
    Whole,
}

#[derive(Debug)]
struct Open {
    report: Report,
    status: StatusCode,
    to_first_byte: Duration,
    finished: Option<Finished>,
    failed: Option<Failed>,
    /// Size of the object, for the access log.
    size: Option<u64>,
    sent: u64,
    /// Bytes of the whole answer, where that is known: who has them all does not ask for more.
    whole: Option<u64>,
    outcome: Outcome,
}

impl Drop for Open {
    fn drop(&mut self) {
        let context = self.finished.as_ref().map(|finished| &finished.0);
        let took = self.report.started.elapsed();
        if let Some(traffic) = context.and_then(|context| context.traffic.as_ref()) {
            traffic.receive(self.sent);
        }
        if let Some(context) = context
            && let Some(logged) = &context.logged
        {
            logged.finish(&Answer {
                context,
                status: self.status,
                error_code: self.failed.as_ref().map(|failed| &*failed.0.code),
                sent: self.sent,
                size: self.size,
                to_first_byte: self.to_first_byte,
                took,
            });
        }
        RequestFinished {
            id: context.map_or("", |context| &context.id),
            plane: context.map_or("", |context| context.plane),
            operation: context.map_or("", |context| context.operation),
            access_key_id: context
                .and_then(|context| Some(context.principal.as_deref()?.access_key_id.as_str())),
            method: &self.report.method,
            path: &self.report.path,
            status: self.status,
            error: self.failed.as_ref().map(|failed| &failed.0),
            received: self.report.received,
            sent: self.sent,
            to_first_byte: self.to_first_byte,
            took,
            cut: match self.outcome {
                Outcome::Whole => None,
                Outcome::Cut if self.whole == Some(self.sent) => None,
                Outcome::Cut => Some("the client went away"),
                Outcome::Failed => Some("the body failed"),
            },
        }
        .emit(&self.report.metrics);
    }
}

pin_project_lite::pin_project! {
    struct Reported {
        #[pin]
        inner: Body,
        open: Open,
        // Bytes that the connection may still take before others have their turn.
        turn: u64,
    }
}

impl HttpBody for Reported {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.project();
        if *this.turn == 0 && this.open.whole.is_none_or(|whole| this.open.sent < whole) {
            *this.turn = TURN;
            // Unlike a plain wake, this lets the runtime look for what others have sent meanwhile.
            if pin!(tokio::task::yield_now()).poll(context).is_pending() {
                return Poll::Pending;
            }
        }
        let frame = ready!(this.inner.poll_frame(context));
        match &frame {
            None => this.open.outcome = Outcome::Whole,
            Some(Err(_)) => this.open.outcome = Outcome::Failed,
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                this.open.sent += length;
                *this.turn = this.turn.saturating_sub(length);
            }
        }
        Poll::Ready(frame)
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
    use futures_util::StreamExt;

    use super::*;

    /// How many answers count as cut after so many frames of one were taken.
    async fn cut(method: Method, answer: Response<Body>, frames: usize) -> bool {
        let metrics = Arc::new(Metrics::default());
        let request = Request::builder().method(method).uri("/b/k").body(()).unwrap();
        let report = Report::new(Arc::clone(&metrics), Instant::now(), &request);
        let body = report.attach(answer).into_body();
        drop(body.into_data_stream().take(frames).collect::<Vec<_>>().await);
        metrics
            .render()
            .lines()
            .any(|line| line.starts_with("refract_requests_cut_total") && !line.ends_with(" 0"))
    }

    #[tokio::test]
    async fn an_answer_is_cut_where_bytes_are_missing() {
        let known = || Response::new(Body::from("abc"));
        let streamed = |length: Option<u64>| {
            let frames = futures_util::stream::iter(["a", "b"].map(Ok::<_, std::io::Error>));
            let mut answer = Response::new(Body::from_stream(frames));
            if let Some(length) = length {
                answer.headers_mut().insert(header::CONTENT_LENGTH, length.into());
            }
            answer
        };
        assert!(!cut(Method::GET, known(), 1).await);
        assert!(cut(Method::GET, known(), 0).await);
        assert!(!cut(Method::HEAD, known(), 0).await);
        assert!(!cut(Method::PUT, Response::new(Body::empty()), 0).await);
        assert!(!cut(Method::GET, streamed(Some(2)), 2).await);
        assert!(cut(Method::GET, streamed(Some(2)), 1).await);
        assert!(!cut(Method::GET, streamed(None), 3).await);
        assert!(cut(Method::GET, streamed(None), 2).await);
    }

    #[tokio::test]
    async fn a_long_answer_lets_others_have_their_turn() {
        let request = Request::builder().uri("/b/k").body(()).unwrap();
        let report = Report::new(Arc::default(), Instant::now(), &request);
        let whole = vec![0; usize::try_from(TURN).unwrap()];
        let frames = futures_util::stream::iter([whole, vec![1]].map(Ok::<_, std::io::Error>));
        let mut body = report.attach(Response::new(Body::from_stream(frames))).into_body();
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut ready = || Pin::new(&mut body).poll_frame(&mut context).is_ready();
        assert_eq!([ready(), ready(), ready(), ready()], [true, false, true, true]);
    }
}
