//! AWS's query protocol, which IAM and STS speak: a form in, XML out.
//!
//! - [`form`]: what was asked. [`answer`]: documents and errors.

pub mod answer;
pub mod form;

pub use form::Form;

/// Bytes of a request body: the longest policy document, percent-encoded, fits many times.
pub const MAX_BODY: usize = 1 << 20;

use http::{HeaderMap, header};

use crate::policy::caller::add_time_keys;
use crate::policy::{Asked, Context};

/// The condition keys of a request that every action has.
#[must_use]
pub fn base_context(asked: &Asked<'_>, now: jiff::Timestamp) -> Context {
    let text = |name: &header::HeaderName| {
        let headers: &HeaderMap = asked.headers;
        headers.get(name).and_then(|value| value.to_str().ok())
    };
    let origin = asked.origin.copied().unwrap_or_default();
    let mut context = Context::new()
        .with("aws:SecureTransport", origin.secure.to_string())
        .with_some("aws:SourceIp", origin.client.map(|client| client.to_string()))
        .with_some("aws:UserAgent", text(&header::USER_AGENT))
        .with_some("aws:Referer", text(&header::REFERER));
    add_time_keys(&mut context, now);
    context
}
