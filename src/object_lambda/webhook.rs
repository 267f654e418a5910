//! GET and HEAD through a function that is a webhook: event → POST → its answer, which must bear the event's token.

use std::sync::Arc;

use axum::body::Body;
use http::{Response, StatusCode, header, request};

use crate::access_point::FunctionArn;
use crate::catalog::{Function, FunctionKind, ObjectLambda, Transformation, WebhookFunction};
use crate::error::ApiError;
use crate::function::PrepareError;
use crate::function::metering::Measure;
use crate::function::platform::InvokeError;
use crate::function::webhook::{Answer, WebhookError};
use crate::telemetry::invocations::Outcome;

use super::code::relay;
use super::ticket::{Reply, Ticket};
use super::{Action, LensCall, ObjectLambdaPlane, error, write};

impl ObjectLambdaPlane {
    /// The function that a transformation names, where another server runs it.
    pub(super) fn elsewhere(&self, transformation: &Transformation) -> Option<Arc<Function>> {
        let name = FunctionArn::parse(&transformation.function_arn)?.name;
        let function = self.catalog.snapshot().functions.get(&name).cloned()?;
        matches!(function.kind, FunctionKind::Webhook(_) | FunctionKind::Aws(_)).then_some(function)
    }

    /// Answers a request by what a webhook makes of it.
    pub(super) async fn run_webhook(
        &self,
        call: &LensCall<'_>,
        (lens, action): (&ObjectLambda, Action),
        transformation: &Transformation,
        (function, webhook): (&Function, &WebhookFunction),
        parts: &request::Parts,
    ) -> Result<Response<Body>, ApiError> {
        if !matches!(action, Action::GetObject | Action::HeadObject) {
            return Err(error::configuration(&PrepareError::Listing(transformation.function_arn.clone())));
        }
        // A HEAD asks as a GET does: only that event has a token to answer with.
        let gateway = webhook.input_endpoint.as_deref().unwrap_or_else(|| self.platform.gateway());
        let asking =
            self.ask(call, (lens, Action::GetObject), transformation, &function.name, gateway, parts)?;
        let lens = Some(lens.name.as_str());
        let measure = Measure::begin(self.platform.meter(), &function.name, "webhook", lens, 0)
            .with_traffic(asking.traffic);
        measure.traffic().receive(asking.event.len() as u64);
        let deadline = tokio::time::Instant::now() + self.limit;
        let asked = self.webhooks.ask(&function.name, function.revision, webhook, asking.event, self.limit);
        let answer = match asked.await {
            Ok(answer) => answer,
            Err(why) => {
                measure.end(match why {
                    WebhookError::Broken(_) => Outcome::Failed,
                    WebhookError::Busy => Outcome::Throttled,
                    WebhookError::Timeout | WebhookError::Unreachable(_) => Outcome::Error,
                });
                return Err(match why {
                    WebhookError::Timeout => error::timeout(self.limit),
                    WebhookError::Busy => error::invoke(InvokeError::Throttled { reserved: false }),
                    WebhookError::Unreachable(why) => error::unreachable(why),
                    WebhookError::Broken(why) => ApiError::internal(why),
                });
            }
        };
        let checked = self.checked(&asking.ticket, &function.name, answer);
        // It is good for this answer alone.
        drop(asking.ticket);
        match checked {
            Ok(reply) => {
                let length = reply.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
                let measure = measure.with_length(length.and_then(|length| length.parse().ok()));
                if action == Action::HeadObject
                    || reply.error.is_some()
                    || reply.status == StatusCode::NOT_MODIFIED
                {
                    measure.end(Outcome::Answered);
                    let mut answer = relay(reply, deadline)?;
                    *answer.body_mut() = Body::empty();
                    return Ok(answer);
                }
                relay(Reply { body: measure.stream(reply.body), ..reply }, deadline)
            }
            Err(why) => {
                measure.end(Outcome::Error);
                Err(why)
            }
        }
    }

    /// What a webhook answered, which must be to the event that it was sent.
    fn checked(&self, ticket: &Ticket, function: &str, answer: Answer) -> Result<Reply, ApiError> {
        if !answer.status.is_success() && !answer.headers.contains_key("x-amz-fwd-status") {
            return Err(error::unreachable(format!("the webhook answered {}", answer.status)));
        }
        // Whoever answers must have read the event: the token is compared in constant time, and is good once.
        let shown = |why: ApiError| error::invalid_response(&*why.message);
        let token = write::token(&answer.headers).map_err(shown)?;
        let route = answer.headers.get("x-amz-request-route").map(http::HeaderValue::as_bytes);
        let redeemed = self.tickets.redeem(token, Some(function));
        if redeemed.is_none() || token != ticket.token || route != Some(super::event::ROUTE.as_bytes()) {
            return Err(error::invalid_response(
                "x-amz-request-route and x-amz-request-token are not those of the event",
            ));
        }
        let mut head = write::head(&answer.headers).map_err(shown)?;
        for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING] {
            if let Some(value) = answer.headers.get(&name)
                && !head.headers.contains_key(&name)
            {
                head.headers.insert(name, value.clone());
            }
        }
        Ok(Reply { status: head.status, headers: head.headers, error: head.error, body: answer.body })
    }
}
