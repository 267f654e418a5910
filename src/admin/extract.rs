//! A JSON body whose refusal names the field.

use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use crate::door::admin::RequestId;
use crate::error::ApiError;

use super::error::Problem;

/// A JSON request body.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let id = request.extensions().get::<RequestId>().cloned().unwrap_or(RequestId(String::new()));
        let refused = |why: String| Problem::new(ApiError::invalid_request(why), &id);
        // The door has collected the body and held it to its limit.
        let bytes = axum::body::to_bytes(request.into_body(), usize::MAX)
            .await
            .map_err(|error| refused(format!("The body cannot be read: {error}")))?;
        if bytes.is_empty() {
            return Err(refused("The body must be a JSON object; it is empty".to_owned()));
        }
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| refused(format!("The body is not what this route takes: {error}")))
    }
}
