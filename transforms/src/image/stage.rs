//! The stage that all picture transforms share: gathers the object, then edits it in one go.

use std::fmt::Debug;
use std::sync::Arc;

use crate::stage::HIGH_WATER;
use crate::{Context, Head, Limits, Progress, Stage, Transform, TransformError};

use super::payload::Format;
use super::probe::{Probe, probe};

/// What one picture transform does with a whole object.
pub(super) trait Edit: Debug + Send + Sync + 'static {
    /// Keys of the objects that are needed besides.
    fn resources(&self) -> Vec<String> {
        Vec::new()
    }

    /// The result and its format.
    fn edit(&self, object: &[u8], context: &Context) -> Result<(Format, Vec<u8>), TransformError>;
}

/// A picture transform: an [`Edit`] in its stage.
#[derive(Debug)]
pub(super) struct PictureTransform<E>(Arc<E>);

impl<E: Edit> PictureTransform<E> {
    /// Wraps an edit for the registry.
    pub(super) fn shared(edit: E) -> Arc<dyn Transform> {
        Arc::new(Self(Arc::new(edit)))
    }
}

impl<E: Edit> Transform for PictureTransform<E> {
    fn resources(&self) -> Vec<String> {
        self.0.resources()
    }

    fn start(&self, context: &Context) -> Result<Box<dyn Stage>, TransformError> {
        let size = context.input.size.unwrap_or_default();
        check_buffer(size, &context.limits)?;
        Ok(Box::new(PictureStage {
            edit: Arc::clone(&self.0),
            context: context.clone(),
            object: Vec::with_capacity(usize::try_from(size).unwrap_or_default()),
            probe_at: Some(64),
            taken: 0,
            result: None,
        }))
    }
}

fn check_buffer(bytes: u64, limits: &Limits) -> Result<(), TransformError> {
    if bytes > limits.buffered_bytes {
        let what = "bytes of a picture, which is held in memory,";
        return Err(TransformError::Limit { what, limit: limits.buffered_bytes });
    }
    Ok(())
}

struct PictureStage<E> {
    edit: Arc<E>,
    context: Context,
    object: Vec<u8>,
    /// Length at which the header is looked at again; `None` once it was understood.
    probe_at: Option<usize>,
    /// Bytes of the object seen.
    taken: u64,
    /// The result's format, its bytes, and how many of them are out.
    result: Option<(Format, Vec<u8>, usize)>,
}

impl<E: Edit> Stage for PictureStage<E> {
    fn write(&mut self, input: &[u8], _output: &mut Vec<u8>) -> Result<usize, TransformError> {
        self.taken = self.taken.saturating_add(input.len() as u64);
        check_buffer(self.taken, &self.context.limits)?;
        self.object.extend_from_slice(input);
        // Headers may come in many small pieces: look again only when the length has doubled.
        if let Some(at) = self.probe_at
            && self.object.len() >= at
        {
            self.probe_at = match probe(&self.object, false, &self.context.limits)? {
                Probe::More => Some(self.object.len() * 2),
                Probe::Picture(..) => None,
            };
        }
        Ok(input.len())
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<Progress, TransformError> {
        if self.result.is_none() {
            let object = std::mem::take(&mut self.object);
            let (format, bytes) = self.edit.edit(&object, &self.context)?;
            check_output(bytes.len() as u64, self.taken, &self.context.limits)?;
            self.result = Some((format, bytes, 0));
        }
        let Some((_, bytes, out)) = &mut self.result else { return Ok(Progress::Done) };
        let end = bytes.len().min(*out + HIGH_WATER);
        output.extend_from_slice(bytes.get(*out..end).unwrap_or_default());
        *out = end;
        if end == bytes.len() {
            bytes.clear();
            *out = 0;
            return Ok(Progress::Done);
        }
        Ok(Progress::More)
    }

    fn head(&self) -> Head {
        let content_type = self.result.as_ref().map(|(format, ..)| format.content_type().to_owned());
        Head { content_type, ..Head::default() }
    }
}

fn check_output(output: u64, input: u64, limits: &Limits) -> Result<(), TransformError> {
    if output > limits.output_bytes {
        return Err(TransformError::Limit { what: "output bytes", limit: limits.output_bytes });
    }
    if output > 16 << 20 && output > input.saturating_mul(limits.ratio) {
        return Err(TransformError::Limit { what: "output bytes for each input byte", limit: limits.ratio });
    }
    Ok(())
}
