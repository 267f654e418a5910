//! What a request can fail with, in one type for all planes: what the client sees and what the log says are two
//! messages.

use std::borrow::Cow;

use http::{HeaderMap, StatusCode};

/// An error on its way to a client. Each plane renders it in its own wire form, in one place: `s3/error.rs`,
/// `control/error.rs`, `admin/error.rs`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// AWS's error code: `NoSuchKey`.
    pub code: Cow<'static, str>,
    /// What the client reads.
    pub message: Cow<'static, str>,
    /// What only the log says; never sent.
    pub internal: Option<String>,
    /// Further elements of the error document, as `("BucketName", "photos")`.
    pub details: Vec<(&'static str, String)>,
    /// Further response headers; boxed, for an error should be cheap to pass on.
    pub headers: Box<HeaderMap>,
}

impl ApiError {
    /// An error with a status, a code and a message.
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            internal: None,
            details: Vec::new(),
            headers: Box::default(),
        }
    }

    /// 400 InvalidArgument.
    pub fn invalid_argument(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
    }

    /// 400 InvalidRequest.
    pub fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidRequest", message)
    }

    /// 403 AccessDenied, which never says why to the client; `internal` does, to the log.
    pub fn access_denied(internal: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied").with_internal(internal)
    }

    /// 501 NotImplemented, naming what is not there yet.
    pub fn not_implemented(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
    }

    /// 500 InternalError: the client learns nothing, the log everything.
    pub fn internal(internal: impl Into<String>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            "We encountered an internal error. Please try again.",
        )
        .with_internal(internal)
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: http::HeaderName, value: http::HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Adds what only the log says.
    #[must_use]
    pub fn with_internal(mut self, internal: impl Into<String>) -> Self {
        self.internal = Some(internal.into());
        self
    }

    /// Adds an element to the error document.
    #[must_use]
    pub fn with_detail(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }
}
