//! What a function puts out, on its way to whoever reads it: a bounded buffer between the function's thread and the
//! request's.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use refract_transforms::TransformError;
use refract_transforms::stage::HIGH_WATER;

use crate::function::RunError;

/// Writes that are smaller are gathered.
const SMALL: usize = 16 << 10;

#[derive(Debug, Default)]
struct State {
    chunks: VecDeque<Bytes>,
    tail: BytesMut,
    /// Bytes in `chunks` and `tail`.
    size: usize,
    total: u64,
    reader: Option<Waker>,
    writer: Option<Waker>,
    closer: Option<Waker>,
    reader_gone: bool,
    ended: Option<Result<(), RunError>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    cap: u64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The function's end.
#[derive(Debug, Clone)]
pub(super) struct Writer(Arc<Shared>);

/// The request's end.
#[derive(Debug)]
pub(super) struct Reader(Arc<Shared>);

/// Why a write is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Nobody reads any more.
    Closed,
    /// The output has reached its cap.
    Cap,
}

/// A pipe through which `cap` bytes may pass, [`HIGH_WATER`] of them under way at a time.
pub(super) fn pipe(cap: u64) -> (Writer, Reader) {
    let shared = Arc::new(Shared { state: Mutex::default(), cap });
    (Writer(Arc::clone(&shared)), Reader(shared))
}

impl Writer {
    /// How much may be written now; 0 while the pipe is full.
    pub(super) fn room(&self) -> Result<usize, Refused> {
        let state = self.0.lock();
        if state.reader_gone {
            return Err(Refused::Closed);
        }
        Ok(HIGH_WATER.saturating_sub(state.size))
    }

    /// Writes.
    pub(super) fn write(&self, bytes: Bytes) -> Result<(), Refused> {
        let mut state = self.0.lock();
        if state.reader_gone {
            return Err(Refused::Closed);
        }
        state.total += bytes.len() as u64;
        if state.total > self.0.cap {
            return Err(Refused::Cap);
        }
        state.size += bytes.len();
        if bytes.len() < SMALL {
            state.tail.extend_from_slice(&bytes);
        } else {
            let tail = state.tail.split().freeze();
            state.chunks.extend((!tail.is_empty()).then_some(tail));
            state.chunks.push_back(bytes);
        }
        let reader = state.reader.take();
        drop(state);
        wake(reader);
        Ok(())
    }

    /// Ready when there is room, or nobody reads any more.
    pub(super) async fn ready(&self) {
        poll_fn(|context| {
            let mut state = self.0.lock();
            if state.reader_gone || state.size < HIGH_WATER {
                return Poll::Ready(());
            }
            register(&mut state.writer, context);
            Poll::Pending
        })
        .await;
    }

    /// Ready when nobody reads any more.
    pub(super) async fn closed(&self) {
        poll_fn(|context| {
            let mut state = self.0.lock();
            if state.reader_gone {
                return Poll::Ready(());
            }
            register(&mut state.closer, context);
            Poll::Pending
        })
        .await;
    }

    /// Says how the function ended. Only the first time counts.
    pub(super) fn end(&self, how: Result<(), RunError>) {
        let mut state = self.0.lock();
        state.ended.get_or_insert(how);
        let reader = state.reader.take();
        drop(state);
        wake(reader);
    }

    /// The error for an output that is too long.
    pub(super) fn cap_error(&self) -> RunError {
        TransformError::Limit { what: "bytes of output", limit: self.0.cap }.into()
    }
}

impl Reader {
    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, RunError> {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &Context<'_>) -> Poll<Result<Option<Bytes>, RunError>> {
        let mut state = self.0.lock();
        let next = match state.chunks.pop_front() {
            Some(chunk) => Some(chunk),
            None if !state.tail.is_empty() => Some(state.tail.split().freeze()),
            None => None,
        };
        if let Some(chunk) = next {
            state.size -= chunk.len();
            let writer = state.writer.take();
            drop(state);
            wake(writer);
            return Poll::Ready(Ok(Some(chunk)));
        }
        match &state.ended {
            Some(Ok(())) => Poll::Ready(Ok(None)),
            Some(Err(error)) => Poll::Ready(Err(error.clone())),
            None => {
                register(&mut state.reader, context);
                Poll::Pending
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.reader_gone = true;
        state.chunks.clear();
        let (writer, closer) = (state.writer.take(), state.closer.take());
        drop(state);
        wake(writer);
        wake(closer);
    }
}

fn register(slot: &mut Option<Waker>, context: &Context<'_>) {
    match slot {
        Some(waker) if waker.will_wake(context.waker()) => {}
        _ => *slot = Some(context.waker().clone()),
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn small_writes_are_gathered_and_order_is_kept() {
        let (writer, mut reader) = pipe(1 << 30);
        writer.write(Bytes::from_static(b"ab")).unwrap();
        writer.write(Bytes::from_static(b"cd")).unwrap();
        let large = Bytes::from(vec![b'x'; SMALL]);
        writer.write(large.clone()).unwrap();
        writer.write(Bytes::from_static(b"ef")).unwrap();
        writer.end(Ok(()));
        assert_eq!(reader.next().await.unwrap().unwrap(), "abcd");
        assert_eq!(reader.next().await.unwrap().unwrap(), large);
        assert_eq!(reader.next().await.unwrap().unwrap(), "ef");
        assert_eq!(reader.next().await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_full_pipe_holds_the_writer_and_a_reader_that_left_ends_it() {
        let (writer, mut reader) = pipe(1 << 30);
        writer.write(Bytes::from(vec![0; HIGH_WATER])).unwrap();
        assert_eq!(writer.room(), Ok(0));
        let waiting = tokio::spawn({
            let writer = writer.clone();
            async move { writer.ready().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        reader.next().await.unwrap();
        waiting.await.unwrap();
        drop(reader);
        assert_eq!(writer.room(), Err(Refused::Closed));
        assert_eq!(writer.write(Bytes::from_static(b"x")), Err(Refused::Closed));
    }

    #[tokio::test]
    async fn an_output_past_its_cap_is_refused_and_the_first_end_counts() {
        let (writer, mut reader) = pipe(3);
        writer.write(Bytes::from_static(b"abc")).unwrap();
        assert_eq!(writer.write(Bytes::from_static(b"d")), Err(Refused::Cap));
        writer.end(Err(writer.cap_error()));
        writer.end(Ok(()));
        assert_eq!(reader.next().await.unwrap().unwrap(), "abc");
        assert!(matches!(
            reader.next().await,
            Err(RunError::Transform(TransformError::Limit { limit: 3, .. }))
        ));
    }
}
