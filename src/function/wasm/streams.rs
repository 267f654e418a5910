//! The two streams of a function, as WASI has them.

use std::task::{Context, Poll};

use bytes::Bytes;
use refract_transforms::stage::HIGH_WATER;
use tokio::sync::mpsc;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::host::SharedHead;
use super::pipe::{Refused, Writer};
use super::stop::Stop;
use crate::store::BodyError;

/// The object, as the function reads it.
#[derive(Debug)]
pub(super) struct Source {
    now: Bytes,
    rest: Option<mpsc::Receiver<Result<Bytes, BodyError>>>,
    failed: Option<BodyError>,
}

impl Source {
    /// Bytes that are here, and then those that come.
    pub(super) fn new(now: Bytes, rest: Option<mpsc::Receiver<Result<Bytes, BodyError>>>) -> Self {
        Self { now, rest, failed: None }
    }

    /// The next bytes; `None` at the end.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        loop {
            if !self.now.is_empty() {
                return Poll::Ready(Some(Ok(std::mem::take(&mut self.now))));
            }
            if let Some(error) = self.failed.take() {
                return Poll::Ready(Some(Err(error)));
            }
            let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
            match std::task::ready!(rest.poll_recv(context)) {
                Some(Ok(bytes)) => self.now = bytes,
                Some(Err(error)) => (self.failed, self.rest) = (Some(error), None),
                None => self.rest = None,
            }
        }
    }
}

#[async_trait::async_trait]
impl Pollable for Source {
    async fn ready(&mut self) {
        while self.now.is_empty() {
            let Some(rest) = &mut self.rest else { return };
            match rest.recv().await {
                Some(Ok(bytes)) => self.now = bytes,
                Some(Err(error)) => (self.failed, self.rest) = (Some(error), None),
                None => self.rest = None,
            }
        }
    }
}

#[async_trait::async_trait]
impl InputStream for Source {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if self.now.is_empty()
            && let Some(rest) = &mut self.rest
        {
            match rest.try_recv() {
                Ok(Ok(bytes)) => self.now = bytes,
                Ok(Err(error)) => (self.failed, self.rest) = (Some(error), None),
                Err(mpsc::error::TryRecvError::Empty) => {}
                Err(mpsc::error::TryRecvError::Disconnected) => self.rest = None,
            }
        }
        if !self.now.is_empty() {
            return Ok(self.now.split_to(size.min(HIGH_WATER).min(self.now.len())));
        }
        match &self.failed {
            // Never an answer: what was read so far must not be taken for the whole.
            Some(error) => Err(StreamError::Trap(Stop::Input(error.clone()).into())),
            None if self.rest.is_none() => Err(StreamError::Closed),
            None => Ok(Bytes::new()),
        }
    }
}

/// The result, as the function writes it.
#[derive(Debug)]
pub(super) struct Sink {
    writer: Writer,
    head: Option<SharedHead>,
}

impl Sink {
    /// Writes to `writer`; the first byte closes `head`.
    pub(super) fn new(writer: Writer, head: SharedHead) -> Self {
        Self { writer, head: Some(head) }
    }

    fn refused(why: Refused) -> StreamError {
        match why {
            Refused::Closed => StreamError::Closed,
            Refused::Cap => StreamError::Trap(Stop::OutputCap.into()),
        }
    }
}

#[async_trait::async_trait]
impl Pollable for Sink {
    async fn ready(&mut self) {
        self.writer.ready().await;
    }
}

#[async_trait::async_trait]
impl OutputStream for Sink {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if let Some(head) = self.head.take() {
            head.close();
        }
        self.writer.write(bytes).map_err(Self::refused)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.writer.room().map_err(Self::refused)
    }
}
