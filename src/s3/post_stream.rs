//! The bytes of a form as its parser is given them: no more before the file than a form may have there, for the parser
//! keeps all that it cannot read yet, and one piece at a time after it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{Fuse, FusedStream as _};
use futures_util::{Stream, StreamExt as _};
use multer::{Field, Multipart};

/// Bytes before the file's own, with the heads of all parts and what stands before the first.
pub(super) const MAX_BEFORE_FILE: usize = 64 << 10;

/// What the parser and its driver know of one another.
#[derive(Debug, Default)]
struct Shared {
    given: usize,
    /// The file began: its bytes are not counted.
    file: bool,
    /// The parser asked for more than it may have.
    starved: bool,
}

/// The stream that the parser reads.
struct Measured<S> {
    inner: Fuse<S>,
    rest: Bytes,
    gave: bool,
    shared: Arc<Mutex<Shared>>,
}

impl<S, E> Stream for Measured<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Item = Result<Bytes, E>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        // The parser takes whatever is there before it looks at any of it.
        if std::mem::take(&mut this.gave) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut shared = this.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let left = if shared.file { usize::MAX } else { MAX_BEFORE_FILE.saturating_sub(shared.given) };
        if left == 0 && !(this.rest.is_empty() && this.inner.is_terminated()) {
            shared.starved = true;
            return Poll::Pending;
        }
        while this.rest.is_empty() {
            match this.inner.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(chunk))) => this.rest = chunk,
                other => return other,
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(left));
        shared.given = shared.given.saturating_add(piece.len());
        this.gave = true;
        Poll::Ready(Some(Ok(piece)))
    }
}

/// A form that is being read.
pub(super) struct Parts {
    parser: Multipart<'static>,
    shared: Arc<Mutex<Shared>>,
}

/// Why a form cannot be read.
pub(super) enum Unread {
    /// It is not one.
    Malformed(multer::Error),
    /// It has too much before its file.
    TooMuch,
}

impl Parts {
    pub(super) fn new<S, E>(stream: S, boundary: String) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let measured =
            Measured { inner: stream.fuse(), rest: Bytes::new(), gave: false, shared: Arc::clone(&shared) };
        Self { parser: Multipart::new(measured, boundary), shared }
    }

    /// The next part.
    pub(super) async fn next(&mut self) -> Result<Option<Field<'static>>, Unread> {
        let Self { parser, shared } = self;
        std::future::poll_fn(|context| fed(shared, || parser.poll_next_field(context))).await
    }

    /// The next bytes of a part that stands before the file.
    pub(super) async fn chunk(&self, part: &mut Field<'static>) -> Result<Option<Bytes>, Unread> {
        std::future::poll_fn(|context| {
            fed(&self.shared, || part.poll_next_unpin(context).map(Option::transpose))
        })
        .await
    }

    /// The part that came last is the file.
    pub(super) fn begin_file(&self) {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).file = true;
    }
}

/// Asks the parser, and finds out whether it cannot go on with what it may have.
fn fed<T>(
    shared: &Mutex<Shared>,
    poll: impl FnOnce() -> Poll<Result<T, multer::Error>>,
) -> Poll<Result<T, Unread>> {
    let shared = || shared.lock().unwrap_or_else(PoisonError::into_inner);
    // It may have asked for more while it still had something to read.
    shared().starved = false;
    match poll() {
        Poll::Ready(done) => Poll::Ready(done.map_err(Unread::Malformed)),
        Poll::Pending if shared().starved => Poll::Ready(Err(Unread::TooMuch)),
        Poll::Pending => Poll::Pending,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const HEAD: &str = "--X\r\ncontent-disposition: form-data; name=\"key\"\r\n\r\nk\r\n--X\r\ncontent-disposition: \
                        form-data; name=\"file\"\r\n\r\n";

    /// A form in chunks of a size, and how many bytes of it were taken.
    fn form(text: &[u8], size: usize) -> (Parts, Arc<AtomicUsize>) {
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        let chunks: Vec<Bytes> = text.chunks(size).map(Bytes::copy_from_slice).collect();
        let stream = futures_util::stream::iter(chunks).map(move |chunk| {
            count.fetch_add(chunk.len(), Ordering::Relaxed);
            Ok::<_, Infallible>(chunk)
        });
        (Parts::new(stream, "X".to_owned()), taken)
    }

    async fn read(text: Vec<u8>, size: usize) -> Result<usize, Unread> {
        let (mut parts, _) = form(&text, size);
        while let Some(mut part) = parts.next().await? {
            if part.name() == Some("file") {
                parts.begin_file();
                let mut length = 0;
                while let Some(chunk) = parts.chunk(&mut part).await? {
                    length += chunk.len();
                }
                return Ok(length);
            }
            while parts.chunk(&mut part).await?.is_some() {}
        }
        Ok(0)
    }

    #[tokio::test]
    async fn a_form_may_be_long_after_its_head_and_not_before() {
        let file = vec![b'x'; 1 << 20];
        for size in [1_000, 64 << 10, 1 << 21] {
            let whole = [HEAD.as_bytes(), &file, b"\r\n--X--\r\n"].concat();
            assert!(matches!(read(whole, size).await, Ok(length) if length == file.len()), "{size}");
            // A file's head that never ends, one of a field, a field, and what stands before the first part.
            let head = HEAD.trim_end().as_bytes();
            let field = b"--X\r\ncontent-disposition: form-data; name=\"key\"\r\n\r\n";
            for start in [head, b"--X\r\na: ", field, b""] {
                let endless = [start, &file].concat();
                assert!(matches!(read(endless, size).await, Err(Unread::TooMuch)), "{size} {start:?}");
            }
        }
    }

    #[tokio::test]
    async fn no_more_is_taken_than_is_looked_at() {
        let (mut parts, taken) = form(&[b"--X\r\na: ".as_slice(), &vec![b'x'; 1 << 20]].concat(), 1_000);
        assert!(matches!(parts.next().await, Err(Unread::TooMuch)));
        assert!(taken.load(Ordering::Relaxed) <= MAX_BEFORE_FILE + 1_000);

        let (mut parts, taken) = form(&[HEAD.as_bytes(), &vec![b'x'; 1 << 20]].concat(), 1_000);
        let mut key = parts.next().await.ok().flatten().unwrap();
        while parts.chunk(&mut key).await.ok().flatten().is_some() {}
        drop(key);
        let mut file = parts.next().await.ok().flatten().unwrap();
        parts.begin_file();
        drop(parts.chunk(&mut file).await);
        assert!(taken.load(Ordering::Relaxed) <= 4_000, "{taken:?}");
    }

    #[tokio::test]
    async fn a_form_of_just_as_much_as_it_may_have_is_read() {
        let tail = b"\r\n--X\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\n";
        let field = b"--X\r\ncontent-disposition: form-data; name=\"key\"\r\n\r\n";
        for (more, fits) in [(0, true), (1, false)] {
            let value = vec![b'k'; MAX_BEFORE_FILE - field.len() - tail.len() + more];
            let text = [field.as_slice(), &value, tail, b"body\r\n--X--\r\n"].concat();
            for size in [1, 777, 1 << 20] {
                let read = read(text.clone(), size).await;
                assert_eq!(matches!(read, Ok(4)), fits, "{more} {size}");
            }
        }
    }
}
