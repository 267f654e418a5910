//! The client's own spelling of header names, which a function may be given: hyper lower-cases them.
//!
//! A copy of each request head is taken below hyper, after TLS, and used only to look up how a header name *that
//! hyper parsed* was spelt: nothing is decided from it. The copy follows the framing of the messages; where it and
//! hyper disagree in any way, it stops for the rest of the connection, and names stay in lower case.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, Request};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Header fields of a request; hyper's own cap is 100.
const MAX_FIELDS: usize = 100;
/// Heads of pipelined requests that wait for hyper.
const MAX_WAITING: usize = 64;

/// The head of a request as it came, as an extension of it.
#[derive(Debug, Clone)]
pub struct HeaderSpelling(Bytes);

impl HeaderSpelling {
    /// How the client spelt the name of a header field that it sent; the first of several.
    #[must_use]
    pub fn of(&self, name: &HeaderName) -> Option<&str> {
        self.0.split(|byte| *byte == b'\n').skip(1).find_map(|line| {
            let spelt = line.get(..line.iter().position(|byte| *byte == b':')?)?;
            spelt.eq_ignore_ascii_case(name.as_str().as_bytes()).then(|| std::str::from_utf8(spelt).ok())?
        })
    }
}

/// The heads that came over one connection.
#[derive(Debug, Clone)]
pub struct Heads(Arc<Mutex<Copier>>);

impl Heads {
    /// The head of the request that hyper hands over now: requests come in the order of their heads.
    pub fn take<B>(&self, request: &Request<B>) -> Option<HeaderSpelling> {
        let mut copier = lock(&self.0);
        let head = copier.waiting.pop_front()?;
        let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let mut words = line.split(|byte| *byte == b' ');
        let same = words.next() == Some(request.method().as_str().as_bytes())
            && words.next().is_some_and(|target| ends_with_path(target, request.uri()));
        if same { Some(HeaderSpelling(head)) } else { copier.give_up() }
    }
}

/// Whether a request target is that of a URI, as far as it can be said without parsing it again.
fn ends_with_path(target: &[u8], uri: &http::Uri) -> bool {
    match uri.path_and_query() {
        Some(path) if path.as_str() != "/" => target.ends_with(path.as_str().as_bytes()),
        _ => true,
    }
}

fn lock(copier: &Mutex<Copier>) -> MutexGuard<'_, Copier> {
    copier.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where in the stream of messages the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Body { left: u64 },
    Chunked(Chunked),
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunked {
    Size {
        value: u64,
        digits: u8,
        extension: bool,
    },
    Data {
        left: u64,
    },
    DataEnd {
        after_cr: bool,
    },
    /// `length` counts the bytes of the present line of the trailer, its end not counted.
    Trailer {
        length: u32,
    },
}

const NEXT_CHUNK: Chunked = Chunked::Size { value: 0, digits: 0, extension: false };

#[derive(Debug)]
struct Copier {
    state: State,
    limit: usize,
    head: BytesMut,
    waiting: VecDeque<Bytes>,
}

impl Copier {
    fn new(limit: usize) -> Self {
        Self { state: State::Head, limit, head: BytesMut::new(), waiting: VecDeque::new() }
    }

    fn give_up<T>(&mut self) -> Option<T> {
        self.state = State::Off;
        (self.head, self.waiting) = (BytesMut::new(), VecDeque::new());
        None
    }

    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = match self.state {
                State::Off => return,
                State::Head => self.feed_head(bytes),
                State::Body { left } => {
                    let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let left = left - taken as u64;
                    self.state = if left == 0 { State::Head } else { State::Body { left } };
                    Some(taken)
                }
                State::Chunked(state) => self.feed_chunked(state, bytes),
            };
            let Some(rest) = taken.and_then(|taken| bytes.get(taken..)) else {
                self.give_up::<()>();
                return;
            };
            bytes = rest;
        }
    }

    /// Takes bytes of a head; answers how many, or `None` if they are none.
    fn feed_head(&mut self, bytes: &[u8]) -> Option<usize> {
        let before = self.head.len();
        let from = before.saturating_sub(3);
        self.head.extend_from_slice(bytes);
        let Some(end) = self.head.get(from..).and_then(end_of_head) else {
            return (self.head.len() <= self.limit).then_some(bytes.len());
        };
        let end = from + end;
        let mut head = self.head.split_to(end).freeze();
        self.head.clear();
        // hyper skips empty lines before a request line.
        let text = head.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
        let Some(text) = text else { return Some(end - before) };
        head = head.slice(text..);
        if end > self.limit || self.waiting.len() >= MAX_WAITING {
            return None;
        }
        self.state = after_head(&head)?;
        self.waiting.push_back(head);
        Some(end - before)
    }

    fn feed_chunked(&mut self, state: Chunked, bytes: &[u8]) -> Option<usize> {
        let byte = *bytes.first()?;
        let mut taken = 1;
        let next = match (state, byte) {
            (Chunked::Size { value: 0, digits: 1.., .. }, b'\n') => Chunked::Trailer { length: 0 },
            (Chunked::Size { value, digits: 1.., .. }, b'\n') => Chunked::Data { left: value },
            (Chunked::Size { digits: 1.., .. }, b'\r') => state,
            (Chunked::Size { value, digits, extension: true }, _) => {
                Chunked::Size { value, digits, extension: true }
            }
            (Chunked::Size { value, digits: digits @ 1.., .. }, b';' | b' ' | b'\t') => {
                Chunked::Size { value, digits, extension: true }
            }
            (Chunked::Size { value, digits: digits @ 0..16, extension: false }, _) => {
                let digit = u64::from(char::from(byte).to_digit(16)?);
                Chunked::Size {
                    value: value.checked_mul(16)?.checked_add(digit)?,
                    digits: digits + 1,
                    extension: false,
                }
            }
            (Chunked::Size { .. }, _) => return None,
            (Chunked::Data { left }, _) => {
                taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                match left - taken as u64 {
                    0 => Chunked::DataEnd { after_cr: false },
                    left => Chunked::Data { left },
                }
            }
            (Chunked::DataEnd { after_cr: false }, b'\r') => Chunked::DataEnd { after_cr: true },
            (Chunked::DataEnd { .. }, b'\n') => NEXT_CHUNK,
            (Chunked::DataEnd { .. }, _) => return None,
            (Chunked::Trailer { length: 0 }, b'\n') => {
                self.state = State::Head;
                return Some(1);
            }
            (Chunked::Trailer { .. }, b'\n') => Chunked::Trailer { length: 0 },
            (Chunked::Trailer { length }, b'\r') => Chunked::Trailer { length },
            (Chunked::Trailer { length }, _) => Chunked::Trailer { length: length.checked_add(1)? },
        };
        self.state = State::Chunked(next);
        Some(taken)
    }
}

/// The length of what ends with the first empty line.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', bytes).find_map(|at| {
        let rest = bytes.get(at + 1..)?;
        match rest {
            [b'\n', ..] => Some(at + 2),
            [b'\r', b'\n', ..] => Some(at + 3),
            _ => None,
        }
    })
}

/// What follows a head; `None` for one that hyper will refuse or that this connection ends with.
fn after_head(head: &[u8]) -> Option<State> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(_) = request.parse(head).ok()? else { return None };
    if request.method? == "CONNECT" {
        return None;
    }
    let (mut length, mut chunked) = (None, false);
    for field in request.headers.iter() {
        let value = std::str::from_utf8(field.value).unwrap_or_default().trim();
        if field.name.eq_ignore_ascii_case("upgrade") {
            return None;
        }
        if field.name.eq_ignore_ascii_case("content-length") {
            let value = value.parse::<u64>().ok()?;
            if length.is_some_and(|length| length != value) {
                return None;
            }
            length = Some(value);
        } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                return None;
            }
            chunked = true;
        }
    }
    Some(match (chunked, length) {
        (true, None) => State::Chunked(NEXT_CHUNK),
        (true, Some(_)) => return None,
        (false, None | Some(0)) => State::Head,
        (false, Some(left)) => State::Body { left },
    })
}

/// A stream that copies the heads out of what is read from it.
#[derive(Debug)]
pub struct HeadTap<S> {
    stream: S,
    heads: Heads,
}

impl<S> HeadTap<S> {
    /// Taps a stream; `limit` is in bytes of one head.
    pub fn new(stream: S, limit: usize) -> (Self, Heads) {
        let heads = Heads(Arc::new(Mutex::new(Copier::new(limit))));
        (Self { stream, heads: heads.clone() }, heads)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadTap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if let Some(new) = buffer.filled().get(before..) {
            lock(&self.heads.0).feed(new);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeadTap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, target: &str) -> Request<()> {
        Request::builder().method(method).uri(target).body(()).unwrap()
    }

    fn spelt(heads: &Heads, method: &str, target: &str, name: &str) -> Option<String> {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        heads.take(&request(method, target))?.of(&name).map(str::to_owned)
    }

    /// Feeds the same bytes whole and in pieces of every small size.
    fn every_split(bytes: &[u8], check: impl Fn(&Heads)) {
        for size in [1, 2, 3, 5, 7, 64, bytes.len()] {
            let heads = Heads(Arc::new(Mutex::new(Copier::new(4096))));
            for piece in bytes.chunks(size) {
                lock(&heads.0).feed(piece);
            }
            check(&heads);
        }
    }

    #[test]
    fn keep_alive_and_pipelined_requests_each_have_their_own_head() {
        let bytes =
            b"GET /a HTTP/1.1\r\nHost: x\r\nX-Amz-DATE: 1\r\n\r\nGET /b?c HTTP/1.1\r\nhOsT: x\r\n\r\n\
                      \r\nHEAD http://h/d HTTP/1.1\r\nHOST: x\r\n\r\n";
        every_split(bytes, |heads| {
            assert_eq!(spelt(heads, "GET", "/a", "x-amz-date").unwrap(), "X-Amz-DATE");
            assert_eq!(spelt(heads, "GET", "/b?c", "host").unwrap(), "hOsT");
            assert_eq!(spelt(heads, "HEAD", "http://h/d", "host").unwrap(), "HOST");
            assert!(heads.take(&request("GET", "/")).is_none());
        });
    }

    #[test]
    fn a_false_head_in_a_body_is_not_taken_for_one() {
        let inner = "GET /evil HTTP/1.1\r\nEVIL: 1\r\n\r\n";
        let sized = format!(
            "PUT /a HTTP/1.1\r\nContent-LENGTH: {}\r\n\r\n{inner}GET /b HTTP/1.1\r\nGoOd: 1\r\n\r\n",
            inner.len()
        );
        let chunked = format!(
            "PUT /a HTTP/1.1\r\nContent-LENGTH-x: 1\r\nTransfer-Encoding: chunked\r\n\r\n{:x};a=b\r\n{inner}\r\n\
             3\r\n\r\n\r\r\n0\r\nTrailer: x\r\n\r\nGET /b HTTP/1.1\r\nGoOd: 1\r\n\r\n",
            inner.len()
        );
        for bytes in [sized, chunked] {
            every_split(bytes.as_bytes(), |heads| {
                assert!(spelt(heads, "PUT", "/a", "evil").is_none());
                assert_eq!(spelt(heads, "GET", "/b", "good").unwrap(), "GoOd");
            });
        }
    }

    #[test]
    fn what_it_does_not_understand_ends_the_copy() {
        for bytes in [
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "CONNECT a:1 HTTP/1.1\r\n\r\n",
            "PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n",
            "nonsense\r\n\r\n",
        ] {
            every_split(bytes.as_bytes(), |heads| {
                assert_eq!(lock(&heads.0).state, State::Off, "{bytes:?}");
                assert!(heads.take(&request("GET", "/")).is_none());
            });
        }
        let long = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(5000));
        every_split(long.as_bytes(), |heads| assert_eq!(lock(&heads.0).state, State::Off));
    }

    #[test]
    fn a_head_that_is_not_hypers_ends_the_copy() {
        let heads = Heads(Arc::new(Mutex::new(Copier::new(4096))));
        lock(&heads.0).feed(b"GET /a HTTP/1.1\r\nA: 1\r\n\r\n");
        assert!(heads.take(&request("GET", "/b")).is_none());
        assert_eq!(lock(&heads.0).state, State::Off);
    }
}
