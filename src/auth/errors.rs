//! AWS's authentication errors, with its codes, statuses and texts.

use http::StatusCode;

use crate::error::ApiError;

fn forbidden(code: &'static str, message: impl Into<std::borrow::Cow<'static, str>>) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, code, message)
}

pub(super) fn denied(message: &'static str) -> ApiError {
    forbidden("AccessDenied", message)
}

pub(super) fn signature_mismatch() -> ApiError {
    forbidden(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and \
         signing method.",
    )
}

pub(super) fn unknown_key(id: &str) -> ApiError {
    forbidden("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        .with_detail("AWSAccessKeyId", id)
}

pub(super) fn expired_token() -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "ExpiredToken", "The provided token has expired.")
}

/// 400 InvalidToken.
#[must_use]
pub fn invalid_token() -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "InvalidToken",
        "The provided token is malformed or otherwise invalid.",
    )
}

pub(super) fn skewed() -> ApiError {
    forbidden(
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
    )
}

pub(super) fn no_date() -> ApiError {
    denied("AWS authentication requires a valid Date or x-amz-date header")
}

/// What a malformed request is called depends on where its authentication is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Header,
    Query,
}

impl Place {
    pub(super) fn malformed(self, message: impl Into<std::borrow::Cow<'static, str>>) -> ApiError {
        let code = match self {
            Self::Header => "AuthorizationHeaderMalformed",
            Self::Query => "AuthorizationQueryParametersError",
        };
        ApiError::new(StatusCode::BAD_REQUEST, code, message)
    }
}
