//! The contract between a transform and whoever runs it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use bytes::Bytes;

use crate::{Limits, TransformError};

/// A parsed and checked configuration: cheap to share, made once for each configuration.
pub trait Transform: Debug + Send + Sync {
    /// Keys of objects in the same bucket whose bytes the transform needs (a watermark picture, a look-up
    /// table). The caller reads them with the requester's own permissions and hands them over in
    /// [`Context::resources`].
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether the output always equals the input and the head is unchanged, so that the caller can pass the
    /// stored object through with its length, ETag and checksums.
    fn is_identity(&self) -> bool {
        false
    }

    /// Whether the output depends on [`Context::identity`] or [`Context::accept_encoding`], which then must be
    /// part of a result cache's key. Anything else in the context is a property of the object.
    fn varies_by_caller(&self) -> bool {
        false
    }

    /// Whether a run takes no more than some tens of nanoseconds for each byte, whatever the bytes are: a caller that
    /// has few of them need not go to another thread for it.
    fn is_light(&self) -> bool {
        false
    }

    /// Starts a run on one object.
    ///
    /// # Errors
    /// When the head alone shows that the object cannot be transformed.
    fn start(&self, context: &Context) -> Result<Box<dyn Stage>, TransformError>;
}

/// One run over one object: bytes in, bytes out, no I/O.
pub trait Stage: Send {
    /// Takes some of `input`, appends what comes of it to `output`, and says how much was taken.
    ///
    /// A stage stops early (returning less than `input.len()`) once `output` holds [`HIGH_WATER`] bytes or more;
    /// the caller drains `output` and calls again with the rest. A stage never returns 0 for a non-empty
    /// `input` unless `output` holds at least [`HIGH_WATER`] bytes.
    ///
    /// # Errors
    /// The run is over after an error; what was put out before it must not be taken for the whole.
    fn write(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, TransformError>;

    /// The input has ended: puts out what is left. Called again, after draining, while it answers
    /// [`Progress::More`].
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    fn finish(&mut self, output: &mut Vec<u8>) -> Result<Progress, TransformError>;

    /// What becomes of the object's head. Final once the first byte was put out or `finish` was called.
    fn head(&self) -> Head;
}

/// Output size in bytes at which a [`Stage`] yields to its caller: 256 KiB.
pub const HIGH_WATER: usize = 256 << 10;

/// Whether [`Stage::finish`] is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Everything is out.
    Done,
    /// There is more: drain the output and call again.
    More,
}

/// What a run does to the object's head. `None` keeps what the object has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// New Content-Type.
    pub content_type: Option<String>,
    /// New Content-Encoding; `Some(None)` removes it.
    pub content_encoding: Option<Option<String>>,
    /// New user metadata, all of it.
    pub metadata: Option<BTreeMap<String, String>>,
    /// Names of request headers on which the answer depends (`Accept-Encoding`), for `Vary`.
    pub vary: Vec<&'static str>,
}

/// What a run may know of the object and of the request.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The object: its key and what its head says.
    pub input: Input,
    /// Who asks.
    pub identity: Identity,
    /// The request's Accept-Encoding, if any.
    pub accept_encoding: Option<String>,
    /// Bytes of the objects that [`Transform::resources`] named.
    pub resources: HashMap<String, Bytes>,
    /// Caps for this run.
    pub limits: Limits,
}

/// The object before the transform.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// Bucket that holds the object.
    pub bucket: String,
    /// Key, decoded.
    pub key: String,
    /// Size in bytes, where known.
    pub size: Option<u64>,
    /// ETag with its quotes, where known.
    pub etag: Option<String>,
    /// Last-Modified in RFC 3339 form, where known.
    pub last_modified: Option<String>,
    /// Content-Type as stored.
    pub content_type: Option<String>,
    /// Content-Encoding as stored.
    pub content_encoding: Option<String>,
    /// User metadata, names in lower case without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// Object tags.
    pub tags: BTreeMap<String, String>,
}

/// The caller, as far as a transform may name it.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// `Root`, `IAMUser`, `AssumedRole`, …
    pub kind: String,
    /// Principal id.
    pub principal_id: String,
    /// ARN of the principal.
    pub arn: String,
    /// 12-digit account.
    pub account_id: String,
    /// User name, where there is one.
    pub user_name: Option<String>,
    /// Access key id that signed the request.
    pub access_key_id: String,
    /// Tags of the principal.
    pub tags: BTreeMap<String, String>,
}

/// A stage that copies, for runs in which there is nothing to do.
#[derive(Debug, Default)]
pub(crate) struct Passthrough {
    head: Head,
}

impl Passthrough {
    /// Copies the bytes and answers `head`.
    pub(crate) fn with_head(head: Head) -> Self {
        Self { head }
    }
}

impl Stage for Passthrough {
    fn write(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, TransformError> {
        let taken = input.len().min(HIGH_WATER.saturating_sub(output.len()));
        output.extend_from_slice(input.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn finish(&mut self, _: &mut Vec<u8>) -> Result<Progress, TransformError> {
        Ok(Progress::Done)
    }

    fn head(&self) -> Head {
        self.head.clone()
    }
}

impl Input {
    /// Codings of the stored Content-Encoding in the order in which they were applied, in lower case, without
    /// `identity` and `aws-chunked`, which change nothing.
    pub(crate) fn codings(&self) -> Vec<String> {
        let codings = self.content_encoding.as_deref().unwrap_or_default().split(',');
        codings
            .map(|c| c.trim().to_ascii_lowercase())
            .filter(|c| !matches!(c.as_str(), "" | "identity" | "aws-chunked"))
            .collect()
    }

    /// Refuses an object that is stored compressed: its text cannot be read without `decompress` first.
    pub(crate) fn require_plain(&self) -> Result<(), TransformError> {
        if self.codings().is_empty() {
            return Ok(());
        }
        let coding = self.content_encoding.as_deref().unwrap_or_default();
        Err(TransformError::BadInput(format!(
            "the object is stored with Content-Encoding {coding}: put a decompress step before this one"
        )))
    }

    /// Content-Type without its parameters, in lower case; empty when there is none.
    pub(crate) fn media_type(&self) -> String {
        let full = self.content_type.as_deref().unwrap_or_default();
        full.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// Runs a transform over bytes in memory; for tests, previews and small resources.
///
/// # Errors
/// Whatever the transform answers.
pub fn run(
    transform: &dyn Transform,
    context: &Context,
    input: &[u8],
) -> Result<(Head, Vec<u8>), TransformError> {
    let mut stage = transform.start(context)?;
    let (mut rest, mut output, mut all) = (input, Vec::new(), Vec::new());
    while !rest.is_empty() {
        let taken = stage.write(rest, &mut output)?;
        rest = rest.get(taken..).unwrap_or_default();
        all.append(&mut output);
    }
    loop {
        let progress = stage.finish(&mut output)?;
        all.append(&mut output);
        if progress == Progress::Done {
            return Ok((stage.head(), all));
        }
    }
}
