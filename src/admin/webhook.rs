//! Functions that are webhooks: what is said of one at its registration. Its secrets are never shown.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::catalog::{FunctionKind, WebhookFunction};
use crate::context::App;
use crate::error::ApiError;
use crate::function::webhook;
use crate::secret::Secret;

/// A webhook.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookSpec {
    /// Where the event is POSTed to.
    #[schema(example = "https://hooks.example.com/redact")]
    pub url: String,
    /// Sent as `Authorization: Bearer`.
    #[serde(default)]
    #[schema(value_type = Option<String>, write_only)]
    pub token: Option<SecretText>,
    /// Client certificate chain and private key for mutual TLS, PEM.
    #[serde(default)]
    #[schema(value_type = Option<String>, write_only)]
    pub client_identity: Option<SecretText>,
    /// Certificates that are trusted instead of the public ones, PEM.
    #[serde(default)]
    pub ca: Option<String>,
    /// Where the webhook reaches this server, for the URL of the input: `https://refract.example.com`. Without it the
    /// URL is good on this machine only.
    #[serde(default)]
    pub input_endpoint: Option<String>,
}

/// Text that `Debug` does not show.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// The text.
    pub(super) fn into_inner(self) -> String {
        self.0
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretText")
    }
}

/// A webhook, without its secrets.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookDocument {
    /// Where the event is POSTed to.
    pub url: String,
    /// Whether a bearer token is sent.
    pub has_token: bool,
    /// Whether a client certificate is shown.
    pub has_client_identity: bool,
    /// Where the webhook reaches this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_endpoint: Option<String>,
}

impl From<&WebhookFunction> for WebhookDocument {
    fn from(webhook: &WebhookFunction) -> Self {
        Self {
            url: webhook.url.clone(),
            has_token: webhook.sealed_token.is_some(),
            has_client_identity: webhook.sealed_identity.is_some(),
            input_endpoint: webhook.input_endpoint.clone(),
        }
    }
}

/// The record of a webhook, checked and with its secrets sealed.
pub(super) fn record(app: &App, name: &str, spec: WebhookSpec) -> Result<FunctionKind, ApiError> {
    let WebhookSpec { url, token, client_identity, ca, input_endpoint } = spec;
    let refused = |why: String| ApiError::invalid_request(format!("webhook.{why}"));
    let pem = client_identity.as_ref().map(|text| text.0.as_str());
    webhook::check(&url, pem, ca.as_deref()).map_err(refused)?;
    if let Some(endpoint) = &input_endpoint
        && let Err(why) = webhook::check(endpoint, None, None)
    {
        return Err(refused(format!("input_endpoint: {why}")));
    }
    if token.as_ref().is_some_and(|text| http::HeaderValue::from_str(&text.0).is_err()) {
        return Err(refused("token: it cannot be in a header".into()));
    }
    let seal = |text: Option<SecretText>| {
        let sealed = text.map(|text| app.webhooks.seal(name, &Secret::new(text.0)));
        sealed.transpose().map_err(|error| ApiError::internal(error.to_string()))
    };
    Ok(FunctionKind::Webhook(WebhookFunction {
        url,
        sealed_token: seal(token)?,
        sealed_identity: seal(client_identity)?,
        ca,
        input_endpoint: input_endpoint.map(|endpoint| endpoint.trim_end_matches('/').to_owned()),
    }))
}
