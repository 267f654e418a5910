//! The Lambda Runtime API of one worker ("Using the Lambda runtime API for custom runtimes"): the function's process
//! asks for an invocation, and posts what came of it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, BodyStream, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::function::invocation::{FunctionError, Invocation, MAX_PAYLOAD, Output};

const PREFIX: &str = "/2018-06-01/runtime/";
/// Bytes of an error document.
const MAX_ERROR: usize = 256 << 10;
/// Bytes of a streamed answer (Lambda quotas, "Streamed response").
const MAX_STREAM: u64 = 200 << 20;
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
const ERROR_BODY: &str = "lambda-runtime-function-error-body";

/// What a process has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its init.
    Starting,
    /// It failed there.
    InitFailed(FunctionError),
    /// It waits for an invocation.
    Waiting,
    /// It runs one.
    Running,
}

type Reply = oneshot::Sender<Result<Output, FunctionError>>;

#[derive(Debug, Default)]
struct State {
    /// An invocation that the process has not taken yet.
    pending: Option<Invocation>,
    /// The one that it runs, and who waits for its answer.
    current: Option<(String, Option<Reply>)>,
}

/// The server of one worker.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    state: Mutex<State>,
    offered: Notify,
    stage: watch::Sender<Stage>,
}

type Answer = Response<Full<Bytes>>;

impl RuntimeApi {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            offered: Notify::new(),
            stage: watch::Sender::new(Stage::Starting),
        })
    }

    /// What the process has come to, now and later.
    pub(super) fn stage(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    /// Offers an invocation; what is answered comes through the receiver.
    pub(super) fn offer(&self, invocation: Invocation) -> oneshot::Receiver<Result<Output, FunctionError>> {
        let (reply, answer) = oneshot::channel();
        let mut state = self.state();
        state.current = Some((invocation.request_id.clone(), Some(reply)));
        state.pending = Some(invocation);
        drop(state);
        self.offered.notify_one();
        answer
    }

    /// Answers one connection until it ends.
    pub(super) async fn serve(self: Arc<Self>, stream: TcpStream) {
        // An event of two writes would otherwise wait for the process's delayed acknowledgement.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let service = service_fn(|request| {
            let api = Arc::clone(&self);
            async move { Ok::<_, Infallible>(api.answer(request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection of a function's runtime ended early");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path().to_owned();
        let Some(path) = path.strip_prefix(PREFIX) else { return refuse(StatusCode::NOT_FOUND, "NotFound") };
        let method = request.method().clone();
        if method == Method::GET && path == "invocation/next" {
            return self.next().await;
        }
        if method != Method::POST {
            return refuse(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed");
        }
        if path == "init/error" {
            let error = reported(request).await;
            self.stage.send_replace(Stage::InitFailed(error));
            return accepted();
        }
        let Some((id, what)) = path.strip_prefix("invocation/").and_then(|rest| rest.split_once('/')) else {
            return refuse(StatusCode::NOT_FOUND, "NotFound");
        };
        // Whoever answers twice, or for another invocation, is told so.
        let Some(reply) = self.take_reply(id) else {
            return refuse(StatusCode::BAD_REQUEST, "InvalidRequestID");
        };
        match what {
            "response" => respond(request, reply).await,
            "error" => {
                let error = reported(request).await;
                drop(reply.send(Err(error)));
                accepted()
            }
            _ => refuse(StatusCode::NOT_FOUND, "NotFound"),
        }
    }

    fn take_reply(&self, id: &str) -> Option<Reply> {
        match &mut self.state().current {
            Some((current, reply)) if current == id => reply.take(),
            _ => None,
        }
    }

    async fn next(&self) -> Answer {
        {
            let mut state = self.state();
            // It asks for the next before it has answered this one.
            if state.pending.is_none()
                && let Some((_, Some(reply))) = state.current.take()
            {
                let why = "The runtime asked for another invocation without answering this one";
                drop(reply.send(Err(FunctionError::found("Runtime.NoResponse", why))));
            }
        }
        self.stage.send_replace(Stage::Waiting);
        let invocation = loop {
            if let Some(invocation) = self.state().pending.take() {
                break invocation;
            }
            self.offered.notified().await;
        };
        self.stage.send_replace(Stage::Running);
        let mut answer = Response::new(Full::new(invocation.event));
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let trace = format!("Root=1-{:08x}-{:0>24};Sampled=0", invocation.deadline_ms / 1000, "0");
        for (name, value) in [
            ("lambda-runtime-aws-request-id", Some(invocation.request_id)),
            ("lambda-runtime-deadline-ms", Some(invocation.deadline_ms.to_string())),
            ("lambda-runtime-invoked-function-arn", Some(invocation.invoked_arn)),
            ("lambda-runtime-trace-id", Some(trace)),
            ("lambda-runtime-client-context", invocation.client_context),
        ] {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                headers.insert(name, value);
            }
        }
        answer
    }
}

fn json_answer(status: StatusCode, body: &serde_json::Value) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body.to_string())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn accepted() -> Answer {
    json_answer(StatusCode::ACCEPTED, &json!({ "status": "OK" }))
}

fn refuse(status: StatusCode, kind: &str) -> Answer {
    json_answer(status, &json!({ "errorType": kind, "errorMessage": status.canonical_reason() }))
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// An error that the process posts.
async fn reported(request: Request<Incoming>) -> FunctionError {
    let kind = text(request.headers(), ERROR_TYPE);
    match collect(request.into_body(), MAX_ERROR).await {
        Ok(payload) => {
            let kind = kind.or_else(|| {
                let document: serde_json::Value = serde_json::from_slice(&payload).ok()?;
                Some(document.get("errorType")?.as_str()?.to_owned())
            });
            FunctionError::reported(kind.unwrap_or_else(|| "Runtime.Unknown".to_owned()), payload)
        }
        Err(_) => FunctionError::found("Runtime.Unknown", "The runtime's report of an error was cut short"),
    }
}

async fn collect(body: Incoming, limit: usize) -> Result<Bytes, &'static str> {
    let mut body = BodyStream::new(body);
    let mut all = BytesMut::new();
    while let Some(frame) = body.next().await {
        let frame = frame.map_err(|_| "cut")?;
        if let Ok(data) = frame.into_data() {
            if all.len() + data.len() > limit {
                return Err("large");
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(all.freeze())
}

async fn respond(request: Request<Incoming>, reply: Reply) -> Answer {
    let streams = text(request.headers(), "lambda-runtime-function-response-mode");
    if streams.is_some_and(|mode| mode.eq_ignore_ascii_case("streaming")) {
        return stream(request.into_body(), reply).await;
    }
    match collect(request.into_body(), MAX_PAYLOAD).await {
        Ok(payload) => {
            drop(reply.send(Ok(Output::Whole(payload))));
            accepted()
        }
        Err("large") => {
            let why =
                format!("Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD} bytes).");
            drop(reply.send(Err(FunctionError::found("Function.ResponseSizeTooLarge", &why))));
            let body = json!({ "errorType": "RequestEntityTooLarge", "errorMessage": why });
            json_answer(StatusCode::PAYLOAD_TOO_LARGE, &body)
        }
        Err(_) => {
            let why = "The runtime's answer was cut short";
            drop(reply.send(Err(FunctionError::found("Runtime.TruncatedResponse", why))));
            refuse(StatusCode::BAD_REQUEST, "TruncatedResponse")
        }
    }
}

/// Passes a streamed answer on as it comes; an error that the function meets on the way stands in the trailers.
async fn stream(body: Incoming, reply: Reply) -> Answer {
    let (sender, receiver) = mpsc::channel(16);
    if reply.send(Ok(Output::Stream(receiver))).is_err() {
        return accepted();
    }
    let mut body = body;
    let mut sent = 0_u64;
    while let Some(frame) = body.frame().await {
        let item = match frame {
            Err(_) => Err(FunctionError::found("Runtime.TruncatedResponse", "The answer was cut short")),
            Ok(frame) => match frame.into_data() {
                Ok(data) if sent + data.len() as u64 > MAX_STREAM => {
                    Err(FunctionError::found("Function.ResponseSizeTooLarge", "The stream is too long"))
                }
                Ok(data) => {
                    sent += data.len() as u64;
                    Ok(data)
                }
                Err(frame) => match frame.into_trailers().ok().and_then(|trailers| failed(&trailers)) {
                    Some(error) => Err(error),
                    None => continue,
                },
            },
        };
        let ends = item.is_err();
        if sender.send(item).await.is_err() || ends {
            break;
        }
    }
    accepted()
}

fn failed(trailers: &HeaderMap) -> Option<FunctionError> {
    let kind = text(trailers, ERROR_TYPE)?;
    let body = text(trailers, ERROR_BODY).unwrap_or_default();
    let payload = data_encoding::BASE64.decode(body.as_bytes()).unwrap_or_default();
    Some(FunctionError::reported(kind, payload.into()))
}
