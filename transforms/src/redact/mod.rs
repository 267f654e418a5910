//! `redact`: finds personal data in text and masks, tags or pseudonymises it.

mod custom;
mod email;
mod finder;
mod iban;
mod ip;
mod kind;
mod number;
mod phone;
mod stage;
mod text;

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

use self::custom::{Custom, Pattern};
use self::kind::{Kind, Kinds};
use crate::{Context, PayloadError, Stage, Transform, TransformError, payload};

/// Payload of `redact`. Absent or `{}`: every built-in kind, mode `mask`.
///
/// ```json
/// {
///   "kinds": ["email", "card"],
///   "mode": "hash",
///   "key": "a long secret",
///   "patterns": [{"name": "employee", "regex": "EMP-[0-9]{6}"}]
/// }
/// ```
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Payload {
    /// Built-in kinds to look for; absent means all of them.
    kinds: Option<Vec<Kind>>,
    /// `mask` (default), `replace` or `hash`.
    mode: ModeName,
    /// Patterns of one's own, at most 32.
    patterns: Vec<Pattern>,
    /// Secret of mode `hash`, at least 16 bytes.
    key: Option<String>,
    /// Hexadecimal digits of a pseudonym, 8 to 64; default 16.
    hash_length: Option<usize>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ModeName {
    #[default]
    Mask,
    Replace,
    Hash,
}

/// Shortest secret, in bytes. Phone numbers and SSNs are few enough to try them all, so the secret is what protects.
const KEY_MIN: usize = 16;

/// Builds `redact`.
///
/// # Errors
/// An unknown kind, mode or field; `hash` without a key of at least 16 bytes, or a key without `hash`; nothing to
/// look for; a pattern that is not a regular expression, may match nothing, or may match more than 4 KiB.
pub fn build(payload: &Value) -> Result<Arc<dyn Transform>, PayloadError> {
    let refuse = |path: &str, message: &str| Err(payload::error("redact", path, message));
    if payload.get(payload::ALLOW).and_then(Value::as_array).is_some_and(|a| a.contains(&"key".into())) {
        return refuse("allow", "`key` is a secret and cannot come from a request");
    }
    let Payload { kinds, mode, patterns, key, hash_length } = payload::parse("redact", payload)?;
    let kinds: Kinds = match kinds {
        Some(kinds) => kinds.into_iter().collect(),
        None => Kinds::all(),
    };
    if kinds.is_empty() && patterns.is_empty() {
        return refuse(
            "kinds",
            "there is nothing to look for: name a kind or a pattern, or leave `kinds` out",
        );
    }
    let replacement = match (mode, key) {
        (ModeName::Mask, None) => Replacement::Mask,
        (ModeName::Replace, None) => Replacement::Tag,
        (ModeName::Hash, Some(key)) if key.len() >= KEY_MIN => Replacement::Hash {
            mac: Hmac::new_from_slice(key.as_bytes())
                .map_err(|_| payload::error("redact", "key", "cannot be used"))?,
            length: hash_length.unwrap_or(16),
        },
        (ModeName::Hash, Some(_)) => return refuse("key", "must have at least 16 bytes"),
        (ModeName::Hash, None) => return refuse("key", "is missing: mode `hash` needs a secret"),
        (_, Some(_)) => return refuse("key", "belongs to mode `hash` only"),
    };
    match (hash_length, mode) {
        (Some(8..=64), ModeName::Hash) | (None, _) => {}
        (Some(_), ModeName::Hash) => return refuse("hash_length", "must be from 8 to 64"),
        (Some(_), _) => return refuse("hash_length", "belongs to mode `hash` only"),
    }
    let custom = Custom::build(&patterns)?;
    Ok(Arc::new(Redact(Arc::new(Config { kinds, custom, replacement }))))
}

struct Redact(Arc<Config>);

// Not derived: the key must never be shown.
impl std::fmt::Debug for Redact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redact").field("kinds", &self.0.kinds).finish_non_exhaustive()
    }
}

struct Config {
    kinds: Kinds,
    custom: Option<Custom>,
    replacement: Replacement,
}

enum Replacement {
    Mask,
    Tag,
    Hash { mac: Hmac<Sha256>, length: usize },
}

impl Config {
    /// Appends what stands in the place of `found`, a match of kind or pattern `label`.
    fn replace(&self, label: Label, found: &[u8], output: &mut Vec<u8>) {
        match &self.replacement {
            Replacement::Mask => {
                let stars: usize = found
                    .utf8_chunks()
                    .map(|c| c.valid().chars().count() + usize::from(!c.invalid().is_empty()))
                    .sum();
                output.resize(output.len() + stars, b'*');
            }
            Replacement::Tag => {
                output.push(b'[');
                output.extend_from_slice(self.tag(label).as_bytes());
                output.push(b']');
            }
            Replacement::Hash { mac, length } => {
                let mut mac = mac.clone();
                mac.update(self.tag(label).as_bytes());
                mac.update(&[0]);
                match label {
                    Label::Kind(kind) => mac.update(&kind.normalise(found)),
                    Label::Pattern(_) => mac.update(found),
                }
                let hex = data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes());
                output.extend(hex.bytes().take(*length));
            }
        }
    }

    fn tag(&self, label: Label) -> &str {
        match label {
            Label::Kind(kind) => kind.tag(),
            Label::Pattern(i) => self.custom.as_ref().map_or("PATTERN", |c| c.tag(i)),
        }
    }
}

/// What a match is a match of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    Kind(Kind),
    /// Index of a pattern of the payload.
    Pattern(usize),
}

impl Transform for Redact {
    /// Patterns of a payload take what they take, and a hash of each match some hundred nanoseconds.
    fn is_light(&self) -> bool {
        self.0.custom.is_none() && !matches!(self.0.replacement, Replacement::Hash { .. })
    }

    fn start(&self, context: &Context) -> Result<Box<dyn Stage>, TransformError> {
        context.input.require_plain()?;
        Ok(Box::new(stage::RedactStage::new(Arc::clone(&self.0))))
    }
}

#[cfg(test)]
mod tests;
