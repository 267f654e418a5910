//! GET, HEAD and LIST through a function that runs code: ticket → event → invocation → answer.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{Response, StatusCode, header, request};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::access_point::FunctionArn;
use crate::auth::Principal;
use crate::catalog::{ObjectLambda, Transformation};
use crate::error::ApiError;
use crate::function::invocation::MAX_PAYLOAD;
use crate::function::metering::Traffic;
use crate::function::platform::{self, Done, Event, InvokeError};
use crate::function::registry::Resolved;
use crate::function::temporary::{Issued, Use};
use crate::s3::body_stream;
use crate::store::{BodyError, ByteStream};

use super::ticket::{Outcome, Redeemed, Reply, Ticket};
use super::{Action, LensCall, ObjectLambdaPlane, error, event, returned, write};

/// How much longer than the answer may take the URL of the input works.
const MARGIN: Duration = Duration::from_secs(5);

/// An event, and where its answer comes.
#[derive(Debug)]
pub(super) struct Asking {
    /// The event.
    pub(super) event: Bytes,
    /// The key that signed the URL of the input, which works for as long as this lives.
    pub(super) key: Arc<Issued>,
    /// What the answer must bear.
    pub(super) ticket: Ticket,
    /// Where an answer by WriteGetObjectResponse comes.
    pub(super) answer: oneshot::Receiver<Outcome>,
    /// What the function reads by that URL, and answers.
    pub(super) traffic: Arc<Traffic>,
}

impl ObjectLambdaPlane {
    /// The function that runs code and that a transformation names; `None` for a built-in.
    pub(super) fn code(&self, transformation: &Transformation) -> Result<Option<Resolved>, ApiError> {
        use crate::function::registry::ResolveError;
        let Some(arn) = FunctionArn::parse(&transformation.function_arn) else { return Ok(None) };
        match self.platform.resolve(&arn.name, arn.qualifier.as_deref()) {
            Ok(found) => Ok(Some(found)),
            Err(ResolveError::Builtin) => Ok(None),
            Err(ResolveError::NoFunction | ResolveError::NoQualifier) => {
                Err(error::not_found(&transformation.function_arn))
            }
        }
    }

    /// Answers a request by what a function makes of it.
    pub(super) async fn run_code(
        &self,
        call: &LensCall<'_>,
        (lens, action): (&ObjectLambda, Action),
        transformation: &Transformation,
        function: &Resolved,
        parts: &request::Parts,
    ) -> Result<Response<Body>, ApiError> {
        let gateway = self.platform.gateway();
        let asking = self.ask(call, (lens, action), transformation, &function.name, gateway, parts)?;
        let Asking { event, key, ticket: _ticket, answer, traffic } = asking;
        let event = Event {
            payload: event,
            caller_id: Some(call.request_id.to_owned()),
            // The URL works for as long as the invocation does, whoever still waits for it.
            key: Some(key),
            object_lambda: Some(lens.name.clone()),
            traffic,
            ..Event::default()
        };
        let deadline = Instant::now() + self.limit;
        let invoked = timeout_at(deadline, self.platform.invoke(function, event));
        self.finish(action, answer, invoked, deadline).await
    }

    /// Answers by what comes of an invocation.
    pub(super) async fn finish(
        &self,
        action: Action,
        answer: oneshot::Receiver<Outcome>,
        invoked: impl Future<Output = Result<Result<Done, InvokeError>, tokio::time::error::Elapsed>>,
        deadline: Instant,
    ) -> Result<Response<Body>, ApiError> {
        if action == Action::GetObject {
            let reply = self.wait(answer, invoked).await?;
            return relay(reply, deadline);
        }
        let done = invoked.await.map_err(|_| error::timeout(self.limit))?.map_err(error::invoke)?;
        let output = done.result.map_err(|failed| error::function(&failed, &done.request_id))?;
        let payload = timeout_at(deadline, platform::collect(output, MAX_PAYLOAD)).await;
        let payload = payload
            .map_err(|_| error::timeout(self.limit))?
            .map_err(|failed| error::function(&failed, &done.request_id))?;
        match action {
            Action::ListObjects => returned::list(&payload, false),
            Action::ListObjectsV2 => returned::list(&payload, true),
            Action::HeadObject | Action::GetObject => returned::head(&payload),
        }
    }

    /// Makes the event of a request, and what its answer must bear.
    pub(super) fn ask(
        &self,
        call: &LensCall<'_>,
        (lens, action): (&ObjectLambda, Action),
        transformation: &Transformation,
        function: &str,
        gateway: &str,
        parts: &request::Parts,
    ) -> Result<Asking, ApiError> {
        let caller = call.access.principal.ok_or_else(|| ApiError::access_denied("an anonymous caller"))?;
        let source = event::Source {
            request_id: call.request_id,
            action,
            lens,
            transformation,
            caller,
            key: call.key,
            parts,
            region: &self.region,
        };
        let lifetime = self.limit + MARGIN;
        let now = self.clock.now();
        let time =
            SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default());
        let purpose = Use::Read {
            method: source.method(),
            path: source.path(),
            access_point: lens.configuration.supporting_access_point.clone(),
        };
        let until = now + jiff::SignedDuration::try_from(lifetime).unwrap_or_default();
        let traffic = Arc::<Traffic>::default();
        let key = self.platform.keys().for_read(caller, purpose, until, &traffic)?;
        let url = source.input_url(gateway, &key, time, lifetime)?;
        let (ticket, answer) = self.tickets.issue(function, source.lens_arn(), &traffic)?;
        let event = serde_json::to_vec(&source.document(&url, &ticket.token));
        let event = event.map_err(|error| ApiError::internal(format!("an event: {error}")))?.into();
        Ok(Asking { event, key: Arc::new(key), ticket, answer, traffic })
    }

    /// Waits for the function's answer, or for its end without one.
    async fn wait(
        &self,
        mut answer: oneshot::Receiver<Outcome>,
        invoked: impl Future<Output = Result<Result<Done, InvokeError>, tokio::time::error::Elapsed>>,
    ) -> Result<Reply, ApiError> {
        let done = tokio::select! {
            biased;
            Ok(outcome) = &mut answer => return outcome,
            done = invoked => done,
        };
        // It answers first and ends then; both may be there by now.
        if let Ok(outcome) = answer.try_recv() {
            return outcome;
        }
        let done = done.map_err(|_| error::timeout(self.limit))?.map_err(error::invoke)?;
        Err(match done.result {
            Ok(_) => error::no_answer(&done.request_id),
            Err(failed) => error::function(&failed, &done.request_id),
        })
    }

    /// The ARN of the lens that a WriteGetObjectResponse answers, while its request waits.
    #[must_use]
    pub fn answered(&self, parts: &request::Parts) -> Option<String> {
        self.tickets.lens_of(write::token(&parts.headers).ok()?)
    }

    /// WriteGetObjectResponse: hands a function's answer to the request that waits for it, and answers the function
    /// when its last byte is on the way.
    ///
    /// # Errors
    /// 400 ValidationError, which the caller of the function reads as LambdaInvalidResponse.
    pub async fn answer(
        &self,
        principal: Option<&Principal>,
        parts: &request::Parts,
        body: Body,
    ) -> Result<Response<Body>, ApiError> {
        let token = write::token(&parts.headers)?;
        let purpose = principal.and_then(|caller| self.platform.keys().use_of(&caller.access_key_id));
        let function = match purpose.as_deref() {
            Some(Use::Function { function }) => Some(function.as_str()),
            Some(Use::Read { .. }) => {
                return Err(ApiError::access_denied("an answer by the URL of an input"));
            }
            None => None,
        };
        let redeemed = self.tickets.redeem(token, function).ok_or_else(|| {
            write::invalid(
                "x-amz-request-token is not valid: it was used, its request is over, or it is another's",
            )
        })?;
        let Redeemed { reply, traffic } = redeemed;
        let head = match write::head(&parts.headers) {
            Ok(head) => head,
            Err(why) => {
                drop(reply.send(Err(error::invalid_response(&*why.message))));
                return Err(why);
            }
        };
        let (chunks, receiver) = mpsc::channel::<Result<Bytes, BodyError>>(4);
        let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|chunk| (chunk, receiver))
        });
        let body_of_reply: ByteStream = Box::pin(stream);
        let sent =
            Reply { status: head.status, headers: head.headers, error: head.error, body: body_of_reply };
        if reply.send(Ok(sent)).is_err() {
            return Err(write::invalid("the request of this x-amz-request-token is over"));
        }
        let mut source = body_stream(body);
        while let Some(chunk) = source.next().await {
            let failed = chunk.as_ref().err().cloned();
            traffic.send(chunk.as_ref().map_or(0, |bytes| bytes.len() as u64));
            // A caller that went away is no fault of the function's.
            if chunks.send(chunk).await.is_err() {
                break;
            }
            if let Some(failed) = failed {
                return Err(crate::store::StoreError::Body(failed).into());
            }
        }
        Ok(Response::new(Body::empty()))
    }
}

/// A function's answer as the caller reads it. What is not there by the deadline breaks the connection off.
pub(super) fn relay(reply: Reply, deadline: Instant) -> Result<Response<Body>, ApiError> {
    if let Some(error) = reply.error {
        return Err(error);
    }
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = reply.status;
    *answer.headers_mut() = reply.headers;
    if reply.status == StatusCode::NOT_MODIFIED {
        return Ok(answer);
    }
    if answer.headers().get(header::CONTENT_LENGTH).is_some_and(|length| length == "0") {
        return Ok(answer);
    }
    let chunks = futures_util::stream::unfold(Some(reply.body), move |body| async move {
        let mut body = body?;
        match timeout_at(deadline, body.next()).await {
            Ok(Some(Ok(chunk))) => Some((Ok(chunk), Some(body))),
            Ok(Some(Err(error))) => Some((Err(error), None)),
            Ok(None) => None,
            Err(_) => Some((Err(BodyError::Read("the function did not complete in time".to_owned())), None)),
        }
    });
    *answer.body_mut() = Body::from_stream(chunks);
    Ok(answer)
}
