//! Errors of the admin API in their wire form, JSON: `{"error": {"code", "message"}, "request_id"}`.

use axum::body::Body;
use axum::response::IntoResponse;
use http::{HeaderValue, Method, Response, StatusCode, Uri, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::door::admin::RequestId;
use crate::error::ApiError;

/// An error document.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorDocument {
    /// What went wrong.
    pub error: ErrorDetail,
    /// Id of the request, as in the server's log.
    pub request_id: String,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorDetail {
    /// Code, as in AWS where AWS has one.
    #[schema(example = "InvalidRequest")]
    pub code: String,
    /// What to read.
    pub message: String,
}

/// Renders an error.
#[must_use]
pub fn response(error: &ApiError, request_id: &str) -> Response<Body> {
    let document = ErrorDocument {
        error: ErrorDetail { code: error.code.to_string(), message: error.message.to_string() },
        request_id: request_id.to_owned(),
    };
    let mut answer = Response::new(Body::from(serde_json::to_vec(&document).unwrap_or_default()));
    *answer.status_mut() = error.status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if error.status == StatusCode::UNAUTHORIZED {
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}

/// An error on its way out of a handler.
#[derive(Debug)]
pub struct Problem {
    error: Box<ApiError>,
    request_id: String,
}

impl Problem {
    /// Of a request.
    #[must_use]
    pub fn new(error: ApiError, id: &RequestId) -> Self {
        Self { error: Box::new(error), request_id: id.0.clone() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> axum::response::Response {
        let mut answer = response(&self.error, &self.request_id);
        answer.extensions_mut().insert(crate::door::Failed(*self.error));
        answer
    }
}

/// Turns the error of a handler's work into a [`Problem`].
pub(super) trait OrProblem<T> {
    /// With the request's id.
    fn or_problem(self, id: &RequestId) -> Result<T, Problem>;
}

impl<T> OrProblem<T> for Result<T, ApiError> {
    fn or_problem(self, id: &RequestId) -> Result<T, Problem> {
        self.map_err(|error| Problem::new(error, id))
    }
}

/// 404 for a path that is no route.
pub(super) async fn no_such_route(id: axum::Extension<RequestId>, uri: Uri) -> Problem {
    let message = format!("There is no route {}; see /_refract/v1/openapi.json", uri.path());
    Problem::new(ApiError::new(StatusCode::NOT_FOUND, "NoSuchRoute", message), &id)
}

/// 405 for a method that a route has not.
pub(super) async fn no_such_method(id: axum::Extension<RequestId>, method: Method, uri: Uri) -> Problem {
    let message = format!("{} does not take {method}; see /_refract/v1/openapi.json", uri.path());
    Problem::new(ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message), &id)
}
