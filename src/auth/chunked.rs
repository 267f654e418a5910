//! Bodies: `aws-chunked` taken apart, hashes and lengths checked while the bytes stream.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use axum::body::{Body, BodyDataStream};
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

use super::canonical::one;
use super::errors;
use super::{Authenticated, ChunkKey, PayloadMode};
use crate::error::ApiError;
use crate::headers::{AMZ_CONTENT_SHA256, AMZ_DECODED_CONTENT_LENGTH};
use crate::store::BodyError;

/// The largest signed chunk, which is held in memory until its signature is verified: 16 MiB.
const CHUNK_LIMIT: u64 = 16 << 20;
/// The longest line of framing or trailer.
const LINE_LIMIT: usize = 8 << 10;
const TRAILER_LIMIT: usize = 16;

/// Trailing headers of a body: there once it was read to its end and verified.
#[derive(Debug, Clone, Default)]
pub struct Trailers(Arc<OnceLock<HeaderMap>>);

impl Trailers {
    /// The trailing headers; `None` before the end of the body, or where it has none.
    #[must_use]
    pub fn get(&self) -> Option<&HeaderMap> {
        self.0.get()
    }
}

fn rejected(error: ApiError) -> BodyError {
    BodyError::Rejected(Box::new(error))
}

fn malformed(message: &'static str) -> BodyError {
    rejected(ApiError::invalid_request(message))
}

fn incomplete() -> BodyError {
    rejected(ApiError::new(
        StatusCode::BAD_REQUEST,
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
    ))
}

fn number(parts: &Parts, name: &HeaderName) -> Result<Option<u64>, ApiError> {
    one(&parts.headers, name)?
        .map(|text| {
            text.parse().map_err(|_| ApiError::invalid_argument(format!("{name} must be a number of bytes.")))
        })
        .transpose()
}

/// The body as the client meant it, checked as it streams: a wrong hash, signature or length ends the stream
/// with a [`BodyError`]. Headers are changed to fit: `aws-chunked` leaves Content-Encoding, Content-Length is
/// the decoded one. For an anonymous request the headers alone say how the body is framed.
///
/// # Errors
/// 400 for headers that contradict each other, 411 MissingContentLength without x-amz-decoded-content-length.
pub fn body(
    auth: Option<&Authenticated>,
    parts: &mut Parts,
    body: Body,
) -> Result<(Body, Trailers), ApiError> {
    let trailers = Trailers::default();
    let mode = match (auth, one(&parts.headers, &AMZ_CONTENT_SHA256)?) {
        (Some(auth), _) => auth.payload,
        (None, Some(text)) => PayloadMode::parse(text)?,
        (None, None) => PayloadMode::Unsigned,
    };
    let decoded = number(parts, &AMZ_DECODED_CONTENT_LENGTH)?;
    if !mode.is_chunked() {
        if decoded.is_some() {
            return Err(ApiError::invalid_request(
                "x-amz-decoded-content-length needs a STREAMING value of x-amz-content-sha256.",
            ));
        }
        let length = number(parts, &header::CONTENT_LENGTH)?;
        let hash = if let PayloadMode::Sha256(hash) = mode { Some(hash) } else { None };
        return Ok((plain(body, length, hash), trailers));
    }
    let expected = decoded.ok_or_else(|| {
        ApiError::new(
            StatusCode::LENGTH_REQUIRED,
            "MissingContentLength",
            "You must provide the x-amz-decoded-content-length HTTP header.",
        )
    })?;
    let signer = match (mode, auth.and_then(|auth| auth.chunks.clone())) {
        (PayloadMode::UnsignedChunksTrailer, _) => None,
        (_, Some(key)) => Some(key),
        (_, None) => return Err(ApiError::invalid_request("A signed streaming body needs a SigV4 request.")),
    };
    let mut declared = BTreeSet::new();
    for value in parts.headers.get_all("x-amz-trailer") {
        let text =
            value.to_str().map_err(|_| ApiError::invalid_argument("x-amz-trailer is not ASCII text."))?;
        declared.extend(text.split(',').map(|n| n.trim().to_ascii_lowercase()).filter(|n| !n.is_empty()));
    }
    parts.headers.remove(&AMZ_DECODED_CONTENT_LENGTH);
    parts.headers.remove(header::TRANSFER_ENCODING);
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(expected));
    unchunk_encoding(parts)?;
    let decoder = Decoder {
        inner: body.into_data_stream(),
        buffer: BytesMut::new(),
        trailer: mode != PayloadMode::SignedChunks,
        signer,
        left: expected,
        declared,
        trailers: trailers.clone(),
        state: State::Head,
    };
    let stream = stream::unfold(Some(decoder), |decoder| async move {
        let mut decoder = decoder?;
        match decoder.next().await {
            Ok(Some(bytes)) => Some((Ok(bytes), Some(decoder))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok((Body::from_stream(stream), trailers))
}

fn unchunk_encoding(parts: &mut Parts) -> Result<(), ApiError> {
    let mut kept = Vec::new();
    for value in parts.headers.get_all(header::CONTENT_ENCODING) {
        let text =
            value.to_str().map_err(|_| ApiError::invalid_argument("Content-Encoding is not ASCII text."))?;
        kept.extend(
            text.split(',')
                .map(str::trim)
                .filter(|c| !c.is_empty() && !c.eq_ignore_ascii_case("aws-chunked")),
        );
    }
    let kept = kept.join(",");
    parts.headers.remove(header::CONTENT_ENCODING);
    if !kept.is_empty() {
        let value = HeaderValue::from_str(&kept).map_err(|e| ApiError::invalid_argument(e.to_string()))?;
        parts.headers.insert(header::CONTENT_ENCODING, value);
    }
    Ok(())
}

/// A body without framing.
fn plain(body: Body, length: Option<u64>, hash: Option<[u8; 32]>) -> Body {
    if length.is_none() && hash.is_none() {
        return body;
    }
    let hasher = hash.map(|hash| (Sha256::new(), hash));
    let start = Some((body.into_data_stream(), hasher, 0_u64));
    Body::from_stream(stream::unfold(start, move |state| async move {
        let (mut inner, mut hasher, seen) = state?;
        match inner.next().await {
            Some(Ok(bytes)) => {
                if let Some((hasher, _)) = &mut hasher {
                    hasher.update(&bytes);
                }
                let seen = seen + bytes.len() as u64;
                Some((Ok(bytes), Some((inner, hasher, seen))))
            }
            Some(Err(error)) => Some((Err(BodyError::of(&error)), None)),
            None if length.is_some_and(|length| length != seen) => {
                Some((Err(BodyError::Disconnected(format!("{seen} bytes of {length:?}"))), None))
            }
            None => {
                let (hasher, expected) = hasher?;
                if hasher.finalize().as_slice() == expected {
                    return None;
                }
                let error = ApiError::new(
                    StatusCode::BAD_REQUEST,
                    "XAmzContentSHA256Mismatch",
                    "The provided 'x-amz-content-sha256' header does not match what was computed.",
                );
                Some((Err(rejected(error)), None))
            }
        }
    }))
}

enum State {
    Head,
    /// So many bytes of an unsigned chunk are still to come.
    Data(u64),
}

struct Decoder {
    inner: BodyDataStream,
    buffer: BytesMut,
    trailer: bool,
    signer: Option<ChunkKey>,
    /// Decoded bytes still to come.
    left: u64,
    declared: BTreeSet<String>,
    trailers: Trailers,
    state: State,
}

impl Decoder {
    async fn fill(&mut self) -> Result<bool, BodyError> {
        match self.inner.next().await {
            Some(Ok(bytes)) => {
                self.buffer.extend_from_slice(&bytes);
                Ok(true)
            }
            Some(Err(error)) => Err(BodyError::of(&error)),
            None => Ok(false),
        }
    }

    /// A line without its end; `None` where the body ends.
    async fn line(&mut self) -> Result<Option<String>, BodyError> {
        loop {
            let end = self.buffer.iter().position(|byte| *byte == b'\n');
            if end.unwrap_or(self.buffer.len()) > LINE_LIMIT {
                return Err(malformed("A line of the aws-chunked body is longer than 8192 bytes."));
            }
            if let Some(end) = end {
                let line = self.buffer.split_to(end + 1);
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                return match std::str::from_utf8(line) {
                    Ok(text) => Ok(Some(text.to_owned())),
                    Err(_) => Err(malformed("A line of the aws-chunked body is not text.")),
                };
            }
            if !self.fill().await? {
                return if self.buffer.is_empty() { Ok(None) } else { Err(incomplete()) };
            }
        }
    }

    async fn end_of_chunk(&mut self) -> Result<(), BodyError> {
        while self.buffer.len() < 2 {
            if !self.fill().await? {
                return Err(incomplete());
            }
        }
        if !self.buffer.starts_with(b"\r\n") {
            return Err(malformed("A chunk of the aws-chunked body does not end in CR LF."));
        }
        self.buffer.advance(2);
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            match self.state {
                State::Data(0) => {
                    self.end_of_chunk().await?;
                    self.state = State::Head;
                }
                State::Data(left) => {
                    if self.buffer.is_empty() && !self.fill().await? {
                        return Err(incomplete());
                    }
                    let take = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
                    self.state = State::Data(left - take as u64);
                    if take > 0 {
                        return Ok(Some(self.buffer.split_to(take).freeze()));
                    }
                }
                State::Head => {
                    let Some(line) = self.line().await? else { return Err(incomplete()) };
                    if let Some(done) = self.chunk(&line).await? {
                        return Ok(done);
                    }
                }
            }
        }
    }

    /// Takes a chunk by its head. `Some(None)` is the end of the body, `None` an unsigned chunk to stream.
    async fn chunk(&mut self, line: &str) -> Result<Option<Option<Bytes>>, BodyError> {
        let (size, signature) = match line.split_once(';') {
            Some((size, rest)) => (size, rest.strip_prefix("chunk-signature=")),
            None => (line, None),
        };
        if size.is_empty() || size.len() > 16 || !size.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(malformed("A chunk of the aws-chunked body has no size in hexadecimal."));
        }
        let size = u64::from_str_radix(size, 16).map_err(|_| malformed("A chunk's size is out of range."))?;
        self.left = self.left.checked_sub(size).ok_or_else(incomplete)?;
        if self.signer.is_none() {
            if size == 0 {
                return self.finish().await.map(|()| Some(None));
            }
            self.state = State::Data(size);
            return Ok(None);
        }
        let signature =
            signature.ok_or_else(|| malformed("A chunk of the aws-chunked body has no signature."))?;
        if size > CHUNK_LIMIT {
            return Err(malformed("A signed chunk of the aws-chunked body is larger than 16777216 bytes."));
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        while self.buffer.len() < size {
            if !self.fill().await? {
                return Err(incomplete());
            }
        }
        let data = self.buffer.split_to(size).freeze();
        if !self.signer.as_mut().is_some_and(|signer| signer.verify_chunk(&data, signature)) {
            return Err(rejected(errors::signature_mismatch()));
        }
        if size == 0 {
            return self.finish().await.map(|()| Some(None));
        }
        self.end_of_chunk().await?;
        Ok(Some(Some(data)))
    }

    /// What follows the last chunk: trailer, empty line, nothing.
    async fn finish(&mut self) -> Result<(), BodyError> {
        if self.left != 0 {
            return Err(incomplete());
        }
        let mut found = HeaderMap::new();
        let mut canonical = String::new();
        let mut signature = None;
        while let Some(line) = self.line().await? {
            if line.is_empty() {
                // AWS's own description has an empty line before the trailer's signature, too.
                if self.signer.is_some() && self.trailer && signature.is_none() {
                    continue;
                }
                break;
            }
            let (name, value) =
                line.split_once(':').ok_or_else(|| malformed("A trailing header has no colon."))?;
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            if name == "x-amz-trailer-signature" && self.signer.is_some() && signature.is_none() {
                signature = Some(value.to_owned());
                continue;
            }
            if signature.is_some()
                || !self.trailer
                || found.len() == TRAILER_LIMIT
                || !self.declared.contains(&name)
            {
                return Err(malformed("The body has a trailing header that x-amz-trailer does not name."));
            }
            canonical.push_str(&format!("{name}:{value}\n"));
            let key = HeaderName::try_from(name)
                .map_err(|_| malformed("A trailing header's name is not valid."))?;
            let value =
                HeaderValue::from_str(value).map_err(|_| malformed("A trailing header is not valid."))?;
            if found.insert(key, value).is_some() {
                return Err(malformed("A trailing header was sent more than once."));
            }
        }
        if !self.buffer.is_empty() || self.fill().await? && !self.buffer.is_empty() {
            return Err(malformed("The aws-chunked body goes on after its end."));
        }
        if let Some(signer) = self.signer.as_mut().filter(|_| self.trailer) {
            let given = signature.unwrap_or_default();
            if !signer.verify_trailer(canonical.as_bytes(), &given) {
                return Err(rejected(errors::signature_mismatch()));
            }
        }
        if self.trailer && found.len() != self.declared.len() {
            return Err(rejected(ApiError::new(
                StatusCode::BAD_REQUEST,
                "MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform to our published \
                 schema.",
            )));
        }
        self.trailers.0.get_or_init(|| found);
        Ok(())
    }
}
