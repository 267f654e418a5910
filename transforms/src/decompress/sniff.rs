//! Recognition of a compressed object by its first bytes, where no Content-Encoding says what it is.

use super::{DecodeStage, decoder};
use crate::stage::Passthrough;
use crate::{Context, Head, Limits, Progress, Stage, TransformError};

/// Bytes that decide: the length of zstd's magic number.
const MAGIC: usize = 4;

/// Waits for the first bytes, then becomes the right decoder.
pub(super) struct SniffStage {
    first: Vec<u8>,
    inner: Option<Box<dyn Stage>>,
    pass_plain: bool,
    limits: Limits,
    media_type: String,
    key: String,
}

impl SniffStage {
    pub(super) fn new(context: &Context, pass_plain: bool) -> Self {
        Self {
            first: Vec::new(),
            inner: None,
            pass_plain,
            limits: context.limits,
            media_type: context.input.media_type(),
            key: context.input.key.clone(),
        }
    }

    /// The stage for what the first bytes say, having taken them in.
    fn decide(&mut self, output: &mut Vec<u8>) -> Result<&mut Box<dyn Stage>, TransformError> {
        let coding = coding_of(&self.first);
        let mut stage: Box<dyn Stage> = match coding {
            Some(coding) => {
                let head = Head {
                    content_type: inner_type(&self.media_type, &self.key),
                    content_encoding: Some(None),
                    ..Head::default()
                };
                Box::new(DecodeStage::new(vec![decoder(coding, &self.limits)?], head))
            }
            None if self.pass_plain => Box::new(Passthrough::default()),
            None => return Err(TransformError::BadInput(not_compressed(&self.first))),
        };
        let mut first = std::mem::take(&mut self.first);
        while !first.is_empty() {
            let taken = stage.write(&first, output)?;
            first.drain(..taken);
        }
        Ok(self.inner.insert(stage))
    }
}

impl Stage for SniffStage {
    fn write(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, TransformError> {
        if let Some(inner) = &mut self.inner {
            return inner.write(input, output);
        }
        let taken = input.len().min(MAGIC.saturating_sub(self.first.len()));
        self.first.extend_from_slice(input.get(..taken).unwrap_or_default());
        if self.first.len() == MAGIC {
            self.decide(output)?;
        }
        Ok(taken)
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<Progress, TransformError> {
        match &mut self.inner {
            Some(inner) => inner.finish(output),
            None => self.decide(output)?.finish(output),
        }
    }

    fn head(&self) -> Head {
        self.inner.as_ref().map(|inner| inner.head()).unwrap_or_default()
    }
}

/// The coding whose magic number the bytes are. brotli has none.
fn coding_of(first: &[u8]) -> Option<&'static str> {
    match first {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        // A skippable frame (RFC 8878 section 3.1.2), which may come before the data.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some("zstd"),
        _ => None,
    }
}

fn not_compressed(first: &[u8]) -> String {
    let found = match first {
        [] => "is empty".to_owned(),
        [b'P', b'K', ..] => "is a ZIP archive".to_owned(),
        [b'B', b'Z', b'h', ..] => "is bzip2, which is not supported".to_owned(),
        [0xfd, b'7', b'z', b'X', ..] => "is xz, which is not supported".to_owned(),
        [0x89, b'P', b'N', b'G', ..] => "is a PNG image".to_owned(),
        [0xff, 0xd8, 0xff, ..] => "is a JPEG image".to_owned(),
        _ if first.iter().all(|b| (b' '..=b'~').contains(b) || b.is_ascii_whitespace()) => {
            format!("begins with the text {:?}", String::from_utf8_lossy(first))
        }
        _ => format!("begins with the bytes {}", data_encoding::HEXLOWER.encode(first)),
    };
    format!(
        "the object is not compressed: it has no Content-Encoding, and it {found} \
         (gzip and zstd are recognised by their first bytes, brotli only by Content-Encoding)"
    )
}

/// Content-Type of what was inside, where the object's own one told of the compression.
fn inner_type(media_type: &str, key: &str) -> Option<String> {
    if !matches!(
        media_type,
        "application/gzip" | "application/x-gzip" | "application/zstd" | "application/x-zstd"
    ) {
        return None;
    }
    let name = key.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let name = [".gz", ".gzip", ".zst", ".zstd"].iter().find_map(|ending| name.strip_suffix(ending));
    let inner = match name.and_then(|n| n.rsplit_once('.')).map(|(_, extension)| extension) {
        Some("csv") => "text/csv",
        Some("tsv") => "text/tab-separated-values",
        Some("txt" | "log") => "text/plain",
        Some("json") => "application/json",
        Some("jsonl" | "ndjson") => "application/x-ndjson",
        Some("html" | "htm") => "text/html",
        Some("xml") => "application/xml",
        Some("tar") => "application/x-tar",
        _ => "application/octet-stream",
    };
    Some(inner.to_owned())
}
