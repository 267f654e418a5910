//! Functions that AWS Lambda runs, or anything else that speaks its Invoke API.

use std::fmt;
use std::io::Read as _;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::Request;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::Agent;
use ureq::unversioned::transport::DefaultConnector;

use super::invocation::{FunctionError, MAX_PAYLOAD, Output};
use super::platform::{Done, InvokeError};
use super::webhook::Exchanges;
use crate::catalog::AwsFunction;
use crate::catalog::seal::{MasterKey, SealError};
use crate::notification::address::Checked;
use crate::secret::Secret;

/// Longest time to connect.
const CONNECT: Duration = Duration::from_secs(10);

/// Invokes functions somewhere else.
#[derive(Clone)]
pub struct Remote {
    master: Arc<MasterKey>,
    exchanges: Exchanges,
    agent: Agent,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remote")
    }
}

impl Remote {
    /// `private` lets endpoints have addresses that are not of the public internet.
    #[must_use]
    pub fn new(master: Arc<MasterKey>, private: bool, exchanges: Exchanges) -> Self {
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            // Neither a redirect nor a proxy may lead elsewhere.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .http_status_as_error(false)
            .user_agent(concat!("Refract/", env!("CARGO_PKG_VERSION")))
            .build();
        let resolver = Checked::new(private, "webhook_private");
        Self { master, exchanges, agent: Agent::with_parts(config, DefaultConnector::default(), resolver) }
    }

    /// Seals the secret of a function's key for the catalog.
    ///
    /// # Errors
    /// No random bytes.
    pub fn seal(&self, function: &str, secret: &Secret) -> Result<Vec<u8>, SealError> {
        self.master.seal(&format!("aws function {function}"), secret)
    }

    /// Invokes a function and waits for what it returns.
    ///
    /// # Errors
    /// It was not run.
    pub async fn invoke(
        &self,
        name: &str,
        function: &AwsFunction,
        event: Bytes,
        limit: Duration,
    ) -> Result<Done, InvokeError> {
        let internal = |why: String| InvokeError::Internal(why);
        let secret = self.master.open(&format!("aws function {name}"), &function.sealed_secret);
        let secret = secret.map_err(|error| internal(error.to_string()))?;
        let request = request(function, &secret, &event, SystemTime::now()).map_err(internal)?;
        let agent = self.agent.clone();
        let deadline = Instant::now() + limit;
        let turn = self.exchanges.turn().await.ok_or(InvokeError::Throttled { reserved: false })?;
        let exchange = tokio::task::spawn_blocking(move || {
            let done = exchange(&agent, request, deadline.saturating_duration_since(Instant::now()));
            drop(turn);
            done
        });
        exchange.await.map_err(|error| InvokeError::Internal(error.to_string()))?
    }
}

/// The signed request of an invocation.
fn request(
    function: &AwsFunction,
    secret: &Secret,
    event: &[u8],
    time: SystemTime,
) -> Result<Request<Vec<u8>>, String> {
    let AwsFunction { function: name, region, .. } = function;
    let endpoint =
        function.endpoint.clone().unwrap_or_else(|| format!("https://lambda.{region}.amazonaws.com"));
    let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
    let mut url = format!("{endpoint}/2015-03-31/functions/{name}/invocations");
    if let Some(qualifier) = &function.qualifier {
        url.push_str(&format!("?Qualifier={}", utf8_percent_encode(qualifier, NON_ALPHANUMERIC)));
    }
    let shown = |error: &dyn fmt::Display| error.to_string();
    let mut request = Request::post(&url)
        .header("content-type", "application/json")
        .header("x-amz-invocation-type", "RequestResponse")
        .body(event.to_vec())
        .map_err(|error| shown(&error))?;
    let identity = Credentials::new(&function.access_key_id, secret.expose(), None, None, "refract").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("lambda")
        .time(time)
        // The path's escapes are escaped once more, as for every service but S3.
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| shown(&error))?
        .into();
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let body = SignableBody::Bytes(request.body());
    let signable = SignableRequest::new("POST", &url, headers, body).map_err(|error| shown(&error))?;
    let (instructions, _) = sign(signable, &params).map_err(|error| shown(&error))?.into_parts();
    instructions.apply_to_request_http1x(&mut request);
    Ok(request)
}

fn exchange(agent: &Agent, request: Request<Vec<u8>>, limit: Duration) -> Result<Done, InvokeError> {
    let internal = |error: &dyn fmt::Display| InvokeError::Internal(format!("the Invoke API: {error}"));
    let request = agent.configure_request(request).timeout_global(Some(limit)).build();
    let answer = agent.run(request).map_err(|error| internal(&error))?;
    let (parts, body) = answer.into_parts();
    let header =
        |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut payload = Vec::new();
    let most = MAX_PAYLOAD as u64;
    body.into_reader().take(most + 1).read_to_end(&mut payload).map_err(|error| internal(&error))?;
    if payload.len() as u64 > most {
        return Err(internal(&format!("it answered more than {most} bytes")));
    }
    let payload = Bytes::from(payload);
    let said =
        || String::from_utf8_lossy(payload.get(..payload.len().min(500)).unwrap_or_default()).into_owned();
    match parts.status.as_u16() {
        200 => {}
        429 => return Err(InvokeError::Throttled { reserved: false }),
        status => return Err(internal(&format!("it answered {status}: {}", said()))),
    }
    let result = match header("x-amz-function-error") {
        Some(kind) => Err(FunctionError::reported(kind, payload)),
        None => Ok(Output::Whole(payload)),
    };
    Ok(Done {
        request_id: header("x-amzn-requestid").unwrap_or_default(),
        version: header("x-amz-executed-version").unwrap_or_default(),
        result,
        log_tail: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocation_is_signed_for_lambda() {
        let function = AwsFunction {
            function: "arn:aws:lambda:eu-west-1:123456789012:function:f".into(),
            qualifier: Some("live".into()),
            region: "eu-west-1".into(),
            endpoint: None,
            access_key_id: "AKID".into(),
            sealed_secret: Vec::new(),
            input_endpoint: None,
        };
        let signed = request(&function, &Secret::new("s"), b"{}", SystemTime::UNIX_EPOCH).unwrap();
        let url = signed.uri().to_string();
        let want =
            "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu%2Dwest";
        assert!(url.starts_with(want) && url.ends_with("/invocations?Qualifier=live"), "{url}");
        let authorization = signed.headers().get("authorization").unwrap().to_str().unwrap();
        assert!(
            authorization.contains("Credential=AKID/19700101/eu-west-1/lambda/aws4_request"),
            "{authorization}"
        );
    }
}
