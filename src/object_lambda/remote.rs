//! GET, HEAD and LIST through a function that AWS Lambda runs: event → Invoke → its answer, by WriteGetObjectResponse or
//! by what it returned.

use axum::body::Body;
use http::{Response, request};
use tokio::time::{Instant, timeout_at};

use crate::catalog::{AwsFunction, Function, ObjectLambda, Transformation};
use crate::error::ApiError;

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
        let invoked = self.remote.invoke(&function.name, aws, asking.event, self.limit);
        self.finish(action, asking.answer, timeout_at(deadline, invoked), deadline).await
    }
}
