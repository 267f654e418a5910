//! What a client sees when a function fails: AWS's codes (API reference, "List of Amazon S3 Object Lambda error
//! codes") where it has one, and for a built-in the code that such a function would answer.

use std::time::Duration;

use http::StatusCode;
use refract_transforms::TransformError;

use crate::error::ApiError;
use crate::function::invocation::FunctionError;
use crate::function::platform::InvokeError;
use crate::function::{PrepareError, RunError};
use crate::store::StoreError;

/// A function that the OLAP's configuration names and that cannot be used.
#[must_use]
pub fn configuration(why: &PrepareError) -> ApiError {
    match why {
        PrepareError::NotFound(name) => ApiError::new(
            StatusCode::NOT_FOUND,
            "LambdaNotFound",
            format!(
                "The Lambda function {name} was not found. Register it, or change the OLAP's configuration."
            ),
        ),
        PrepareError::NotJson(_)
        | PrepareError::Payload(_)
        | PrepareError::RunsCode(_)
        | PrepareError::Listing(_) => ApiError::new(
            StatusCode::BAD_REQUEST,
            "LambdaInvocationFailed",
            format!("The function could not be invoked: {why}"),
        ),
    }
}

/// A function that is not there.
#[must_use]
pub fn not_found(name: &str) -> ApiError {
    configuration(&PrepareError::NotFound(name.to_owned()))
}

/// A function that was not run.
#[must_use]
pub fn invoke(why: InvokeError) -> ApiError {
    match why {
        InvokeError::Throttled { .. } => ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "SlowDown",
            "Please reduce your request rate: the function has no free worker.",
        )
        .with_header(http::header::RETRY_AFTER, http::HeaderValue::from_static("1")),
        InvokeError::Unavailable(why) => ApiError::new(
            StatusCode::BAD_REQUEST,
            "LambdaInvocationFailed",
            format!("The function could not be invoked: {why}"),
        ),
        InvokeError::Internal(why) => ApiError::new(
            StatusCode::BAD_REQUEST,
            "LambdaInvocationFailed",
            "The function could not be invoked.",
        )
        .with_internal(why),
    }
}

/// A function that failed. What it says of itself is in its log, which `refract function logs` shows.
#[must_use]
pub fn function(why: &FunctionError, invocation: &str) -> ApiError {
    let (code, message) = if why.timed_out {
        ("LambdaTimeout", "The Lambda function timed out.".to_owned())
    } else {
        ("LambdaRuntimeError", format!("The Lambda function failed during execution: {}", why.kind))
    };
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, code, message)
        .with_internal(why.message())
        .with_detail("LambdaRequestId", invocation)
}

/// A function that ended without WriteGetObjectResponse.
#[must_use]
pub fn no_answer(invocation: &str) -> ApiError {
    ApiError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "LambdaResponseNotReceived",
        "The Lambda exited without successfully calling WriteGetObjectResponse.",
    )
    .with_detail("LambdaRequestId", invocation)
}

/// A function that took too long.
#[must_use]
pub fn timeout(limit: Duration) -> ApiError {
    ApiError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "LambdaTimeout",
        format!("The Lambda function did not complete within {} seconds.", limit.as_secs()),
    )
}

/// A function whose answer is not one.
#[must_use]
pub fn invalid_response(why: impl std::fmt::Display) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "LambdaInvalidResponse",
        format!("The Lambda function returned an invalid response: {why}"),
    )
}

/// A webhook that cannot be reached, or did not do what it should; the text is for the log.
#[must_use]
pub fn unreachable(why: String) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "LambdaInvocationFailed",
        "The function could not be invoked: its webhook cannot be reached or failed.",
    )
    .with_internal(why)
}

/// A value in the request's query that the payload cannot have.
#[must_use]
pub fn overridden(why: &PrepareError) -> ApiError {
    ApiError::invalid_argument(format!("A query parameter that overrides the transform is not valid: {why}"))
}

/// A resource that cannot be used.
#[must_use]
pub fn resource(key: &str, why: &str) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "TransformResourceUnavailable",
        format!("The transform needs the object {key:?}, which {why}."),
    )
}

/// A run that failed before its first output.
#[must_use]
pub fn run(why: RunError) -> ApiError {
    let bad = |code, message| ApiError::new(StatusCode::BAD_REQUEST, code, message);
    match why {
        RunError::Transform(TransformError::BadInput(why)) => {
            bad("TransformInputInvalid", format!("The object cannot be transformed: {why}"))
        }
        RunError::Transform(why @ TransformError::Limit { .. }) => {
            bad("TransformLimitExceeded", format!("The object cannot be transformed: {why}"))
        }
        RunError::Transform(TransformError::Resource { key, message }) => resource(&key, &message),
        RunError::Transform(TransformError::Internal(why)) => runtime(&why),
        RunError::Panicked => runtime("the transform panicked"),
        RunError::Abandoned => runtime("the client left"),
        RunError::Refused { status, code, message } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            ApiError::new(status, code, message)
        }
        RunError::Failed { message, internal } => {
            ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "LambdaRuntimeError", format!("{message}."))
                .with_internal(internal)
        }
        RunError::Timeout(_) => ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "LambdaTimeout",
            format!("The function did not complete: {why}."),
        ),
        RunError::Busy(why) => ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "SlowDown",
            format!("Please reduce your request rate: {why}."),
        ),
        RunError::Input(why) => StoreError::Body(why).into(),
        RunError::Stalled => ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "LambdaTimeout",
            format!("The function did not complete: {why}."),
        ),
    }
}

fn runtime(why: &str) -> ApiError {
    ApiError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "LambdaRuntimeError",
        "The function failed on this object.",
    )
    .with_internal(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_code() {
        let code = |why: RunError| run(why).code.into_owned();
        let transform = |why| code(RunError::Transform(why));
        assert_eq!(transform(TransformError::BadInput("no".into())), "TransformInputInvalid");
        assert_eq!(transform(TransformError::Limit { what: "pixels", limit: 1 }), "TransformLimitExceeded");
        assert_eq!(transform(TransformError::Internal("x".into())), "LambdaRuntimeError");
        assert_eq!(
            (run(RunError::Stalled).status.as_u16(), code(RunError::Stalled)),
            (500, "LambdaTimeout".into())
        );
        assert_eq!(configuration(&PrepareError::NotFound("f".into())).status, 404);
    }
}
