//! Functions that AWS Lambda runs: what is said of one at its registration. Its secret is never shown.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::catalog::{AwsFunction, FunctionKind};
use crate::context::App;
use crate::error::ApiError;
use crate::function::webhook;
use crate::secret::Secret;

use super::webhook::SecretText;

/// A function of AWS Lambda, or of what speaks its Invoke API.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AwsSpec {
    /// Its name or ARN there.
    #[schema(example = "arn:aws:lambda:eu-west-1:123456789012:function:redact")]
    pub function: String,
    /// Version or alias.
    #[serde(default)]
    pub qualifier: Option<String>,
    /// Region; that of the ARN unless given.
    #[serde(default)]
    pub region: Option<String>,
    /// The service, where it is not AWS's.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Access key id that signs invocations.
    pub access_key_id: String,
    /// Its secret.
    #[schema(value_type = String, write_only)]
    pub secret_access_key: SecretText,
    /// Where the function reaches this server, for the URL of the input.
    #[serde(default)]
    pub input_endpoint: Option<String>,
}

/// A function of AWS Lambda, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct AwsDocument {
    /// Its name or ARN there.
    pub function: String,
    /// Version or alias.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qualifier: Option<String>,
    /// Region.
    pub region: String,
    /// The service, where it is not AWS's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Access key id that signs invocations.
    pub access_key_id: String,
    /// Where the function reaches this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_endpoint: Option<String>,
}

impl From<&AwsFunction> for AwsDocument {
    fn from(record: &AwsFunction) -> Self {
        Self {
            function: record.function.clone(),
            qualifier: record.qualifier.clone(),
            region: record.region.clone(),
            endpoint: record.endpoint.clone(),
            access_key_id: record.access_key_id.clone(),
            input_endpoint: record.input_endpoint.clone(),
        }
    }
}

/// The record of a function, checked and with its secret sealed.
pub(super) fn record(app: &App, name: &str, spec: AwsSpec) -> Result<FunctionKind, ApiError> {
    let AwsSpec { function, qualifier, region, endpoint, access_key_id, secret_access_key, input_endpoint } =
        spec;
    let refused = |why: String| ApiError::invalid_request(format!("aws.{why}"));
    if function.is_empty() || function.len() > 170 {
        return Err(refused("function must be a name or an ARN of at most 170 characters".into()));
    }
    let of_arn = function.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2)).map(str::to_owned);
    let region = region.or(of_arn).filter(|region| !region.is_empty());
    let region = region.ok_or_else(|| refused("region is required where function is no ARN".into()))?;
    if !region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return Err(refused("region must be lower-case letters, digits and hyphens".into()));
    }
    for (field, url) in [("endpoint", &endpoint), ("input_endpoint", &input_endpoint)] {
        if let Some(url) = url
            && let Err(why) = webhook::check(url, None, None)
        {
            return Err(refused(format!("{field}: {why}")));
        }
    }
    let sealed = app.remote.seal(name, &Secret::new(secret_access_key.into_inner()));
    let trim = |url: String| url.trim_end_matches('/').to_owned();
    Ok(FunctionKind::Aws(AwsFunction {
        function,
        qualifier,
        region,
        endpoint: endpoint.map(trim),
        access_key_id,
        sealed_secret: sealed.map_err(|error| ApiError::internal(error.to_string()))?,
        input_endpoint: input_endpoint.map(trim),
    }))
}
