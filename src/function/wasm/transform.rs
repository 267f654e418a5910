//! A run of the world `refract:transform`.

use refract_transforms::Context;
use wasmtime::Store;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};

use super::bindings::TransformPre;
use super::bindings::refract::transform::types;
use super::host::{Host, SharedHead};
use super::pipe::Writer;
use super::stop::explain;
use super::streams::{Sink, Source};
use crate::function::RunError;

/// Longest error message of a function's own.
const MAX_MESSAGE: usize = 4 << 10;

/// Runs a function to its end.
pub(super) async fn run(
    pre: &TransformPre<Host>,
    mut store: Store<Host>,
    head: SharedHead,
    context: &types::Context,
    source: Source,
    writer: &Writer,
) -> Result<(), RunError> {
    let answer = call(pre, &mut store, head, context, source, writer).await;
    match answer {
        Ok(Ok(())) => Ok(()),
        Ok(Err(failure)) => Err(refused(failure)),
        Err(error) => Err(explain(&error, &store, writer.cap_error())),
    }
}

async fn call(
    pre: &TransformPre<Host>,
    store: &mut Store<Host>,
    head: SharedHead,
    context: &types::Context,
    source: Source,
    writer: &Writer,
) -> wasmtime::Result<Result<(), types::Failure>> {
    let instance = pre.instantiate_async(&mut *store).await?;
    let input = store.data_mut().table().push(Box::new(source) as DynInputStream)?;
    let sink = Sink::new(writer.clone(), head);
    let output = store.data_mut().table().push(Box::new(sink) as DynOutputStream)?;
    instance.call_transform(&mut *store, context, input, output).await
}

/// A function's own refusal.
pub(super) fn refused(failure: types::Failure) -> RunError {
    let types::Failure { status, code, message } = failure;
    let well_formed = (1..=64).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric());
    RunError::Refused {
        status: if (400..=599).contains(&status) { status } else { 500 },
        code: if well_formed { code } else { "LambdaRuntimeError".to_owned() },
        message: message.chars().take(MAX_MESSAGE).collect(),
    }
}

/// The context as the function reads it.
pub(super) fn context(context: &Context, payload: &str) -> types::Context {
    let Context { input, identity, accept_encoding, .. } = context;
    let pairs = |map: &std::collections::BTreeMap<String, String>| {
        map.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    types::Context {
        object: types::Object {
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            size: input.size,
            etag: input.etag.clone(),
            last_modified: input.last_modified.clone(),
            content_type: input.content_type.clone(),
            content_encoding: input.content_encoding.clone(),
            metadata: pairs(&input.metadata),
            tags: pairs(&input.tags),
        },
        caller: types::Caller {
            kind: identity.kind.clone(),
            arn: identity.arn.clone(),
            principal_id: identity.principal_id.clone(),
            account_id: identity.account_id.clone(),
            user_name: identity.user_name.clone(),
        },
        payload: payload.to_owned(),
        accept_encoding: accept_encoding.clone(),
    }
}
