//! Invoke, InvokeAsync, InvokeWithResponseStream.

use axum::body::Body;
use bytes::{BufMut, Bytes, BytesMut};
use data_encoding::BASE64;
use futures_util::StreamExt;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::json;

use crate::error::ApiError;
use crate::function::invocation::{FunctionError, MAX_PAYLOAD, Output};
use crate::function::platform::{self, Event};
use crate::function::registry::Resolved;

use super::error::{constraint, invalid};
use super::{Answer, Call, LambdaPlane, json};

/// Bytes of an event that is delivered later (Lambda quotas, "Invocation payload").
const MAX_LATER: usize = 1 << 20;

fn resolve(plane: &LambdaPlane, call: &Call<'_>) -> Result<Resolved, ApiError> {
    let named = plane.named(call)?;
    let qualifier = named.qualifier.as_deref();
    let found = plane.platform.resolve(&named.name, qualifier);
    found.map_err(|why| plane.unresolved(&named.name, qualifier, why))
}

/// The event of a request. An empty body is the event `{}`.
fn event(call: &Call<'_>) -> Result<Event, ApiError> {
    let payload = if call.body.is_empty() { Bytes::from_static(b"{}") } else { call.body.clone() };
    let parsed = serde_json::from_slice::<serde::de::IgnoredAny>(&payload);
    parsed.map_err(|error| {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {error}"),
        )
    })?;
    let client_context = match call.headers().get("x-amz-client-context") {
        None => None,
        Some(value) => {
            let decoded =
                BASE64.decode(value.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            // It becomes a header of the Runtime API, of one line.
            let document = decoded.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
            let document = document.filter(serde_json::Value::is_object);
            Some(
                document
                    .ok_or_else(|| invalid("X-Amz-Client-Context must be base64 of a JSON object"))?
                    .to_string(),
            )
        }
    };
    Ok(Event { payload, client_context, ..Event::default() })
}

fn set(answer: &mut Response<Body>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

pub(super) async fn invoke(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let header = |name: &str| call.headers().get(name).and_then(|value| value.to_str().ok());
    let kind = header("x-amz-invocation-type").unwrap_or("RequestResponse");
    let target = resolve(plane, call)?;
    match kind {
        "RequestResponse" => {}
        "DryRun" => {
            let mut answer = Response::new(Body::empty());
            *answer.status_mut() = StatusCode::NO_CONTENT;
            set(&mut answer, "x-amz-executed-version", &target.version.version);
            return Ok(answer);
        }
        "Event" => return later(plane, call, &target).await,
        other => return Err(constraint("invocationType", other, "be one of RequestResponse, Event, DryRun")),
    }
    let done = plane.platform.invoke(&target, event(call)?).await?;
    let result = match done.result {
        Ok(output) => platform::collect(output, MAX_PAYLOAD).await,
        Err(error) => Err(error),
    };
    let (payload, failed) = match result {
        Ok(payload) => (payload, false),
        Err(error) => (error.payload, true),
    };
    let mut answer = Response::new(Body::from(payload));
    let content_type = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, content_type);
    set(&mut answer, "x-amz-executed-version", &done.version);
    set(&mut answer, "x-amzn-requestid", &done.request_id);
    if failed {
        set(&mut answer, "x-amz-function-error", "Unhandled");
    }
    if header("x-amz-log-type").is_some_and(|kind| kind.eq_ignore_ascii_case("Tail")) {
        set(&mut answer, "x-amz-log-result", &BASE64.encode(&done.log_tail));
    }
    Ok(answer)
}

async fn later(plane: &LambdaPlane, call: &Call<'_>, target: &Resolved) -> Answer {
    if call.body.len() > MAX_LATER {
        return Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestTooLargeException",
            format!(
                "{} byte payload is too large for the Event invocation type (limit {MAX_LATER} bytes)",
                call.body.len()
            ),
        ));
    }
    let id = plane.events.put(&target.name, target.qualifier.as_deref(), event(call)?).await?;
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::ACCEPTED;
    set(&mut answer, "x-amzn-requestid", &id);
    Ok(answer)
}

pub(super) async fn invoke_async(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    later(plane, call, &resolve(plane, call)?).await?;
    Ok(json(StatusCode::ACCEPTED, &json!({ "Status": 202 })))
}

/// Answers in the event stream encoding, as the function's answer comes.
pub(super) async fn stream(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let target = resolve(plane, call)?;
    let done = plane.platform.invoke(&target, event(call)?).await?;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(4);
    tokio::spawn(async move {
        let failed = match done.result {
            Err(error) => Some(error),
            Ok(Output::Whole(bytes)) => {
                drop(sender.send(message("PayloadChunk", "application/octet-stream", &bytes)).await);
                None
            }
            Ok(Output::Stream(mut stream)) => loop {
                match stream.recv().await {
                    None => break None,
                    Some(Err(error)) => break Some(error),
                    Some(Ok(bytes)) => {
                        let chunk = message("PayloadChunk", "application/octet-stream", &bytes);
                        if sender.send(chunk).await.is_err() {
                            return;
                        }
                    }
                }
            },
        };
        drop(sender.send(message("InvokeComplete", "application/json", complete(failed).as_bytes())).await);
    });
    let chunks = futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (Ok::<_, std::convert::Infallible>(chunk), receiver))
    });
    let mut answer = Response::new(Body::from_stream(chunks.boxed()));
    set(&mut answer, "content-type", "application/vnd.amazon.eventstream");
    set(&mut answer, "x-amz-executed-version", &done.version);
    set(&mut answer, "x-amzn-requestid", &done.request_id);
    Ok(answer)
}

fn complete(failed: Option<FunctionError>) -> String {
    match failed {
        None => json!({}).to_string(),
        Some(error) => json!({
            "ErrorCode": error.kind,
            "ErrorDetails": String::from_utf8_lossy(&error.payload),
        })
        .to_string(),
    }
}

/// A message of `application/vnd.amazon.eventstream` (Amazon Transcribe developer guide, "Event stream encoding").
fn message(event: &str, content_type: &str, payload: &[u8]) -> Bytes {
    let crc = |bytes: &[u8]| {
        let sum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, bytes);
        u32::try_from(sum).unwrap_or_default()
    };
    let mut headers = BytesMut::new();
    for (name, value) in [(":event-type", event), (":content-type", content_type), (":message-type", "event")]
    {
        // Names are ours and short; 7 is the type of a string.
        headers.put_u8(u8::try_from(name.len()).unwrap_or_default());
        headers.put_slice(name.as_bytes());
        headers.put_u8(7);
        headers.put_u16(u16::try_from(value.len()).unwrap_or_default());
        headers.put_slice(value.as_bytes());
    }
    let (total, head) = (16 + headers.len() + payload.len(), headers.len());
    let mut whole = BytesMut::with_capacity(total);
    whole.put_u32(u32::try_from(total).unwrap_or_default());
    whole.put_u32(u32::try_from(head).unwrap_or_default());
    let prelude = crc(&whole);
    whole.put_u32(prelude);
    whole.put_slice(&headers);
    whole.put_slice(payload);
    let sum = crc(&whole);
    whole.put_u32(sum);
    whole.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_an_event_stream_checks_itself() {
        let message = message("PayloadChunk", "application/octet-stream", b"hello");
        assert_eq!(message.len(), u32::from_be_bytes(message[..4].try_into().unwrap()) as usize);
        let sum = |bytes: &[u8]| -> u32 {
            crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, bytes).try_into().unwrap()
        };
        assert_eq!(sum(&message[..8]).to_be_bytes(), message[8..12]);
        let end = message.len() - 4;
        assert_eq!(sum(&message[..end]).to_be_bytes(), message[end..]);
        assert_eq!(message[end - 5..end], *b"hello");
    }
}
