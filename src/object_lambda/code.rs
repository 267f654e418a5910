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
use crate::catalog::lambda::LATEST;
use crate::catalog::{ObjectLambda, Transformation};
use crate::error::ApiError;
use crate::function::invocation::MAX_PAYLOAD;
use crate::function::platform::{self, Done, Event, InvokeError};
use crate::function::registry::Resolved;
use crate::function::temporary::Use;
use crate::policy;
use crate::s3::body_stream;
use crate::store::{BodyError, ByteStream};

use super::ticket::{Outcome, Reply};
use super::{Action, LensCall, ObjectLambdaPlane, error, event, returned, write};

/// How much longer than the answer may take the URL of the input works.
const MARGIN: Duration = Duration::from_secs(5);

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
        policy::authorize(call.access.principal, "Invoke", &lens.account_id)?;
        let caller = call.access.principal.ok_or_else(|| ApiError::access_denied("an anonymous caller"))?;
        // As AWS, which asks for the permission on the version or alias, `$LATEST` where none is named.
        let qualifier = function.qualifier.as_deref().unwrap_or(LATEST);
        let arn = self.platform.arn(&function.name, Some(qualifier));
        let mut context = policy::Context::new();
        policy::caller::add_time_keys(&mut context, self.clock.now());
        context.set("aws:CalledVia", "s3-object-lambda.amazonaws.com");
        policy::authorize_action(caller, "lambda:InvokeFunction", &arn, context)?;
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
        let key = self.platform.keys().for_read(caller, purpose, until)?;
        let url = source.input_url(self.platform.gateway(), &key, time, lifetime)?;
        let (ticket, answer) = self.tickets.issue(&function.name)?;
        let event = Event {
            payload: Bytes::from(source.document(&url, &ticket.token).to_string()),
            caller_id: Some(call.request_id.to_owned()),
            // The URL works for as long as the invocation does, whoever still waits for it.
            key: Some(Arc::new(key)),
            ..Event::default()
        };
        let deadline = Instant::now() + self.limit;
        let invoked = timeout_at(deadline, self.platform.invoke(function, event));
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
            Some(Use::Answer { function }) => Some(function.as_str()),
            Some(Use::Read { .. }) => {
                return Err(ApiError::access_denied("an answer by the URL of an input"));
            }
            None => None,
        };
        let reply = self.tickets.redeem(token, function).ok_or_else(|| {
            write::invalid(
                "x-amz-request-token is not valid: it was used, its request is over, or it is another's",
            )
        })?;
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
fn relay(reply: Reply, deadline: Instant) -> Result<Response<Body>, ApiError> {
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
