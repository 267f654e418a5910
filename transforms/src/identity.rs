//! `identity`: passes the object through unchanged.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::stage::Passthrough;
use crate::{Context, PayloadError, Stage, Transform, TransformError, payload};

/// Payload of `identity`: no fields.
///
/// ```json
/// {}
/// ```
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Payload {}

/// Builds `identity`.
///
/// # Errors
/// When the payload has any field.
pub fn build(payload: &Value) -> Result<Arc<dyn Transform>, PayloadError> {
    let Payload {} = payload::parse("identity", payload)?;
    Ok(Arc::new(Identity))
}

#[derive(Debug)]
struct Identity;

impl Transform for Identity {
    fn is_identity(&self) -> bool {
        true
    }

    fn is_light(&self) -> bool {
        true
    }

    fn start(&self, _: &Context) -> Result<Box<dyn Stage>, TransformError> {
        Ok(Box::new(Passthrough::default()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Head, run};

    #[test]
    fn bytes_and_head_stay() {
        let identity = build(&json!({})).unwrap();
        assert!(identity.is_identity() && !identity.varies_by_caller() && identity.resources().is_empty());
        let all: Vec<u8> = (0..600_000_u32).map(|i| i.to_le_bytes()[0]).collect();
        let (head, out) = run(&*identity, &Context::default(), &all).unwrap();
        assert_eq!((head, out), (Head::default(), all));
        assert!(build(&json!({"x": 1})).is_err());
    }
}
