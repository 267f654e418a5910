//! A run of the world `wasi:http/proxy`: the object comes as the body of a POST to its key, and the response is the
//! result. What else a function may know stands in headers, see `docs/functions.md`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use refract_transforms::Context;
use tokio::sync::oneshot;
use wasmtime::Store;
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

use super::bindings::refract::transform::types::Failure;
use super::host::{Host, SharedHead};
use super::pipe::{Refused, Writer};
use super::stop::explain;
use super::streams::Source;
use super::transform::refused;
use crate::function::RunError;
use crate::store::BodyError;

/// What stands in a path as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Bytes of an error's body that become its message.
const MAX_ERROR: usize = 64 << 10;
/// How user metadata is named in headers.
const META: &str = "x-amz-meta-";

/// The request's head.
pub(super) fn request(context: &Context, payload: &str) -> Result<Request<()>, http::Error> {
    let Context { input, identity, accept_encoding, .. } = context;
    let path = utf8_percent_encode(&input.key, PATH).to_string();
    let mut request =
        Request::builder().method(Method::POST).uri(format!("http://refract/{path}")).body(())?;
    let headers = request.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        // A value that cannot be in a header is left out.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    let known = [
        (header::CONTENT_TYPE, input.content_type.as_deref()),
        (header::CONTENT_ENCODING, input.content_encoding.as_deref()),
        (header::ETAG, input.etag.as_deref()),
        (header::ACCEPT_ENCODING, accept_encoding.as_deref()),
        (HeaderName::from_static("x-refract-bucket"), Some(input.bucket.as_str())),
        (HeaderName::from_static("x-refract-key"), Some(path.as_str())),
        (HeaderName::from_static("x-refract-payload"), Some(&ascii(payload))),
        (HeaderName::from_static("x-refract-last-modified"), input.last_modified.as_deref()),
        (HeaderName::from_static("x-refract-caller-arn"), Some(identity.arn.as_str())),
        (HeaderName::from_static("x-refract-caller-account"), Some(identity.account_id.as_str())),
    ];
    for (name, value) in known {
        if let Some(value) = value {
            set(name, value);
        }
    }
    if let Some(size) = input.size {
        set(header::CONTENT_LENGTH, &size.to_string());
    }
    for (name, value) in &input.metadata {
        if let Ok(name) = HeaderName::try_from(format!("{META}{name}")) {
            set(name, value);
        }
    }
    Ok(request)
}

/// JSON in ASCII, for a header.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

/// Runs a function to its end.
pub(super) async fn run(
    pre: &ProxyPre<Host>,
    mut store: Store<Host>,
    head: SharedHead,
    request: Request<()>,
    source: Source,
    writer: &Writer,
) -> Result<(), RunError> {
    let answered = Arc::new(AtomicBool::new(false));
    let broken = Arc::new(OnceLock::new());
    let (sender, receiver) = oneshot::channel();
    let relay = relay(receiver, head, writer);
    let mut relay = std::pin::pin!(relay);
    let called = {
        let frames = frames(source, Arc::clone(&broken));
        let call = call(pre, &mut store, request, frames, sender, Arc::clone(&answered));
        let mut call = std::pin::pin!(call);
        tokio::select! {
            called = &mut call => called.map(|()| None),
            relayed = &mut relay => match relayed {
                Ok(()) => call.await.map(|()| Some(())),
                Err(error) => return Err(error),
            },
        }
    };
    let outcome = match called {
        Err(error) => Err(explain(&error, &store, writer.cap_error())),
        Ok(Some(())) => Ok(()),
        Ok(None) if answered.load(Ordering::Acquire) => {
            // What the function left open ends with it.
            drop(store);
            relay.await
        }
        Ok(None) => Err(RunError::Failed {
            message: "The function returned no response".to_owned(),
            internal: format!("response-outparam was not set; it printed: {}", store.data().printed()),
        }),
    };
    // What the function made of a part must not be taken for the whole.
    broken.get().map_or(outcome, |error| Err(RunError::Input(error.clone())))
}

/// The object as the frames of a body; where it breaks off, `broken` says why.
fn frames(
    mut source: Source,
    broken: Arc<OnceLock<BodyError>>,
) -> impl Stream<Item = Result<Frame<Bytes>, wasmtime_wasi_http::Error>> + Send {
    futures_util::stream::poll_fn(move |context| source.poll_next(context)).map(move |chunk| {
        chunk.map(Frame::data).map_err(|error| {
            let shown = error.to_string();
            drop(broken.set(error));
            wasmtime_wasi_http::Error::InternalError(Some(shown))
        })
    })
}

type Answer = Result<Response<HyperOutgoingBody>, ErrorCode>;

async fn call(
    pre: &ProxyPre<Host>,
    store: &mut Store<Host>,
    request: Request<()>,
    frames: impl Stream<Item = Result<Frame<Bytes>, wasmtime_wasi_http::Error>> + Send + 'static,
    sender: oneshot::Sender<Answer>,
    answered: Arc<AtomicBool>,
) -> wasmtime::Result<()> {
    let proxy = pre.instantiate_async(&mut *store).await?;
    let request = request.map(|()| StreamBody::new(frames));
    let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
    let callback = move |answer: Answer| {
        answered.store(true, Ordering::Release);
        drop(sender.send(answer));
    };
    let outparam = store.data_mut().http().new_response_outparam_from_callback(callback)?;
    proxy.wasi_http_incoming_handler().call_handle(&mut *store, request, outparam).await
}

/// Passes the response on.
async fn relay(
    receiver: oneshot::Receiver<Answer>,
    head: SharedHead,
    writer: &Writer,
) -> Result<(), RunError> {
    let response = match receiver.await {
        Ok(Ok(response)) => response,
        Ok(Err(code)) => {
            return Err(RunError::Failed {
                message: "The function answered with an error".to_owned(),
                internal: format!("{code:?}"),
            });
        }
        // The call says why.
        Err(_) => return Ok(()),
    };
    let (parts, mut body) = response.into_parts();
    if !parts.status.is_success() {
        return Err(refusal(&parts, body).await);
    }
    take_head(&parts.headers, &head)?;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| RunError::Failed {
            message: "The function did not finish its response".to_owned(),
            internal: format!("{error:?}"),
        })?;
        let Ok(bytes) = frame.into_data() else { continue };
        writer.ready().await;
        writer.write(bytes).map_err(|why| match why {
            Refused::Cap => writer.cap_error(),
            Refused::Closed => RunError::Abandoned,
        })?;
    }
    Ok(())
}

fn take_head(headers: &HeaderMap, head: &SharedHead) -> Result<(), RunError> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let metadata: std::collections::BTreeMap<String, String> = headers
        .iter()
        .filter_map(|(name, value)| {
            Some((name.as_str().strip_prefix(META)?.to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect();
    let set = head.set(|head| {
        head.content_type = text(header::CONTENT_TYPE);
        if let Some(coding) = text(header::CONTENT_ENCODING) {
            // `identity` says that the object's own coding is gone.
            head.content_encoding = Some((!coding.eq_ignore_ascii_case("identity")).then_some(coding));
            head.vary = vec!["Accept-Encoding"];
        }
        head.metadata = (!metadata.is_empty()).then_some(metadata);
    });
    head.close();
    set.map_err(|why| RunError::Failed { message: "The function failed".to_owned(), internal: why })
}

/// A response that is an error: its code from `x-amz-fwd-error-code`, its message from `x-amz-fwd-error-message` or
/// the body.
async fn refusal(parts: &http::response::Parts, mut body: HyperOutgoingBody) -> RunError {
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut message = Vec::new();
    if text("x-amz-fwd-error-message").is_none() {
        while message.len() < MAX_ERROR {
            let Some(Ok(frame)) = body.frame().await else { break };
            message.extend_from_slice(frame.data_ref().map_or(&[][..], Bytes::as_ref));
        }
    }
    refused(Failure {
        status: parts.status.as_u16(),
        code: text("x-amz-fwd-error-code").unwrap_or_default(),
        message: text("x-amz-fwd-error-message")
            .unwrap_or_else(|| String::from_utf8_lossy(&message).trim().to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use refract_transforms::Input;

    use super::*;

    #[test]
    fn a_request_says_what_a_function_may_know() {
        let input = Input {
            bucket: "b".into(),
            key: "a b/ü.txt".into(),
            size: Some(3),
            content_type: Some("text/plain".into()),
            metadata: [("owner".to_owned(), "ada".to_owned()), ("bad".to_owned(), "\n".to_owned())].into(),
            ..Input::default()
        };
        let context = Context { input, ..Context::default() };
        let request = request(&context, r#"{"who":"ü😀"}"#).unwrap();
        assert_eq!(request.uri(), "http://refract/a%20b/%C3%BC.txt");
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("x-refract-payload"), Some(r#"{"who":"\u00fc\ud83d\ude00"}"#));
        assert_eq!((header("content-length"), header("x-amz-meta-owner")), (Some("3"), Some("ada")));
        assert_eq!(header("x-amz-meta-bad"), None);
    }
}
