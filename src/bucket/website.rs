//! The website document: what it says and how it is checked (S3 user guide, "Hosting a static website").

use serde::{Deserialize, Serialize};

use super::malformed;
use crate::error::ApiError;

/// Rules of one document.
const MAX_RULES: usize = 50;

/// A website configuration: either everything is redirected, or there is an index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Website {
    /// What is added to a key that names a folder.
    pub index: Option<String>,
    /// Key of what is shown for an error.
    pub error: Option<String>,
    /// Where everything is redirected to.
    pub redirect_all: Option<RedirectAll>,
    /// Redirects of some requests, at most 50; the first that applies counts.
    pub rules: Vec<RoutingRule>,
}

/// RedirectAllRequestsTo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedirectAll {
    /// Host.
    pub host: String,
    /// `http` or `https`; that of the request unless given.
    pub protocol: Option<String>,
}

/// A rule of redirection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoutingRule {
    /// Start of the keys it is about.
    pub key_prefix: Option<String>,
    /// Status of the errors it is about; without it, it applies before the object is looked for.
    pub error_code: Option<u16>,
    /// Where to.
    pub redirect: Redirect,
}

/// Where a rule leads; what it does not say stays as it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Redirect {
    /// Host.
    pub host: Option<String>,
    /// `http` or `https`.
    pub protocol: Option<String>,
    /// Status, 301 to 308; 301 unless given.
    pub code: Option<u16>,
    /// What stands for the key.
    pub replace_key: Option<String>,
    /// What stands for the rule's prefix in the key.
    pub replace_prefix: Option<String>,
}

impl Website {
    /// Checks the whole document.
    ///
    /// # Errors
    /// 400 MalformedXML, InvalidArgument or InvalidRequest.
    pub fn check(&self) -> Result<(), ApiError> {
        if let Some(all) = &self.redirect_all {
            if self.index.is_some() || self.error.is_some() || !self.rules.is_empty() {
                return Err(malformed("RedirectAllRequestsTo stands alone"));
            }
            check_host(&all.host)?;
            return check_protocol(all.protocol.as_deref());
        }
        let index = self.index.as_deref().ok_or_else(|| {
            ApiError::invalid_argument(
                "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
            )
        })?;
        if index.is_empty() || index.contains('/') {
            return Err(ApiError::invalid_argument("The IndexDocument Suffix is not well formed"));
        }
        if self.error.as_deref() == Some("") {
            return Err(ApiError::invalid_argument("The ErrorDocument Key is not well formed"));
        }
        if self.rules.len() > MAX_RULES {
            return Err(ApiError::invalid_request(format!(
                "{} routing rules provided, the number of routing rules in a website configuration is limited to \
                 {MAX_RULES}",
                self.rules.len()
            )));
        }
        self.rules.iter().try_for_each(RoutingRule::check)
    }
}

impl RoutingRule {
    fn check(&self) -> Result<(), ApiError> {
        let Redirect { host, protocol, code, replace_key, replace_prefix } = &self.redirect;
        if host.is_none()
            && protocol.is_none()
            && code.is_none()
            && replace_key.is_none()
            && replace_prefix.is_none()
        {
            return Err(malformed("a Redirect says nothing"));
        }
        if replace_key.is_some() && replace_prefix.is_some() {
            return Err(ApiError::invalid_request(
                "You can only define ReplaceKeyPrefix or ReplaceKey but not both.",
            ));
        }
        if code.is_some_and(|code| !matches!(code, 301..=305 | 307 | 308)) {
            return Err(ApiError::invalid_request(
                "The provided HTTP redirect code is not valid. Valid codes are 3XX except 300.",
            ));
        }
        if self.error_code.is_some_and(|code| !(400..=599).contains(&code)) {
            return Err(ApiError::invalid_request(
                "The provided HTTP error code is not valid. Valid codes are 4XX or 5XX.",
            ));
        }
        if let Some(host) = host {
            check_host(host)?;
        }
        check_protocol(protocol.as_deref())
    }
}

fn check_host(host: &str) -> Result<(), ApiError> {
    let fine =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':' | b'_' | b'/' | b'[' | b']');
    if !host.is_empty() && host.len() <= 1024 && host.bytes().all(fine) {
        return Ok(());
    }
    Err(ApiError::invalid_argument("HostName is not a host name"))
}

fn check_protocol(protocol: Option<&str>) -> Result<(), ApiError> {
    match protocol {
        None | Some("http" | "https") => Ok(()),
        Some(_) => Err(ApiError::invalid_request(
            "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected \
             automatically.",
        )),
    }
}
