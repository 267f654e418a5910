//! GET, HEAD and LIST through a function that AWS Lambda runs: event → Invoke → its answer, by WriteGetObjectResponse or
//! by what it returned.

use axum::body::Body;
use http::{Response, request};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::catalog::{AwsFunction, Function, ObjectLambda, Transformation};
use crate::error::ApiError;
use crate::function::invocation::Output;
use crate::function::metering::Measure;
use crate::function::platform::InvokeError;
use crate::telemetry::invocations::Outcome;

use super::{Action, LensCall, ObjectLambdaPlane};

impl ObjectLambdaPlane {
    /// Answers a request by what the function makes of it.
    pub(super) async fn run_remote(
        &self,
        call: &LensCall<'_>,
        (lens, action): (&ObjectLambda, Action),
        transformation: &Transformation,
        (function, aws): (&Function, &AwsFunction),
        parts: &request::Parts,
    ) -> Result<Response<Body>, ApiError> {
        let gateway = aws.input_endpoint.as_deref().unwrap_or_else(|| self.platform.gateway());
        let asking = self.ask(call, (lens, action), transformation, &function.name, gateway, parts)?;
        let deadline = Instant::now() + self.limit;
        let mut measure = Measure::begin(self.platform.meter(), &function.name, "aws", Some(&lens.name), 0)
            .with_traffic(asking.traffic);
        measure.traffic().receive(asking.event.len() as u64);
        let (sender, receiver) = oneshot::channel();
        let (remote, name, aws, limit) =
            (self.remote.clone(), function.name.clone(), aws.clone(), self.limit);
        // It is counted when it ends, which may be after the caller has its answer.
        tokio::spawn(async move {
            let invoked = remote.invoke(&name, &aws, asking.event, limit).await;
            let outcome = match &invoked {
                Ok(done) => {
                    measure.set_version(&done.version);
                    if let Ok(Output::Whole(bytes)) = &done.result {
                        measure.traffic().send(bytes.len() as u64);
                    }
                    if done.result.is_ok() { Outcome::Answered } else { Outcome::Error }
                }
                Err(why) => why.outcome(),
            };
            measure.end(outcome);
            drop(sender.send(invoked));
        });
        let invoked = async {
            receiver.await.unwrap_or_else(|_| Err(InvokeError::Internal("an invocation was lost".to_owned())))
        };
        self.finish(action, asking.answer, timeout_at(deadline, invoked), deadline).await
    }
}
