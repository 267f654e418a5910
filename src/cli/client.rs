//! A client of the admin API: signs with an access key, or sends the admin token.

use std::io::Read as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use clap::Args;
use http::Method;
use serde_json::Value;

use crate::catalog::KeyPair;
use crate::instance::root_credentials_file;
use crate::secret::Secret;

use super::{Failure, Outcome};

/// Longest request: the registration of a Wasm component compiles it.
const PATIENCE: Duration = Duration::from_secs(600);
/// Bytes of an answer: a preview is the largest.
const MAX_ANSWER: u64 = 64 << 20;

/// Which server, and who asks.
#[derive(Debug, Clone, Args)]
pub(super) struct Server {
    /// The server's address
    #[arg(
        long,
        global = true,
        value_name = "URL",
        default_value = "http://127.0.0.1:9000",
        env = "REFRACT_ENDPOINT_URL"
    )]
    pub(super) endpoint_url: String,
    /// The server's data directory, to sign with the root pair that its first start made. Used where neither
    /// REFRACT_ADMIN_TOKEN nor AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set
    #[arg(long, global = true, value_name = "DIR", default_value = "data/store", env = "REFRACT_DATA_DIR")]
    pub(super) data_dir: PathBuf,
}

enum Identity {
    Token(Secret),
    Keys { id: String, secret: Secret, session: Option<String> },
}

impl Server {
    /// Asks the admin API and prints its answer, a JSON document.
    pub(super) fn show(&self, method: &Method, path: &str, body: Option<&Value>) -> Outcome {
        let answer = self.ask(method, path, body)?;
        if !answer.is_null() {
            println!("{}", serde_json::to_string_pretty(&answer)?);
        }
        Ok(())
    }

    /// Asks the admin API. `Null` where it answers nothing.
    pub(super) fn ask(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let identity = self.identity()?;
        let url = format!("{}/_refract/v1{path}", self.endpoint_url.trim_end_matches('/'));
        let body = body.map(Value::to_string).unwrap_or_default().into_bytes();
        let mut request = http::Request::builder()
            .method(method)
            .uri(&url)
            .header("content-type", "application/json")
            .body(body)
            .map_err(|error| Failure::new(format!("--endpoint-url {}: {error}", self.endpoint_url)))?;
        match identity {
            Identity::Token(token) => {
                let value = format!("Bearer {}", token.expose());
                request.headers_mut().insert(http::header::AUTHORIZATION, value.parse()?);
            }
            Identity::Keys { id, secret, session } => signed(&mut request, &id, &secret, session)?,
        }
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .proxy(None)
            .build()
            .into();
        let answer = agent.run(request).map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        let mut text = Vec::new();
        answer.into_body().into_reader().take(MAX_ANSWER).read_to_end(&mut text)?;
        if text.is_empty() && status.is_success() {
            return Ok(Value::Null);
        }
        let document: Value = serde_json::from_slice(&text).map_err(|_| {
            Failure::new(format!("{url} answered {status}, and not as a Refract server does"))
        })?;
        if status.is_success() {
            return Ok(document);
        }
        let said =
            |name: &str| document.pointer(&format!("/error/{name}")).and_then(Value::as_str).unwrap_or("");
        Err(Failure::new(format!("{}: {}", said("code"), said("message"))))
    }

    pub(super) fn unreachable(&self, error: &ureq::Error) -> Failure {
        Failure::new(format!(
            "cannot reach {}: {error}; start it with `refract serve`, or name another with --endpoint-url",
            self.endpoint_url
        ))
    }

    fn identity(&self) -> Result<Identity, Failure> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(token) = variable("REFRACT_ADMIN_TOKEN") {
            return Ok(Identity::Token(Secret::new(token)));
        }
        if let Some(path) = variable("REFRACT_ADMIN_TOKEN_FILE") {
            let token = std::fs::read_to_string(&path)
                .map_err(|error| Failure::new(format!("REFRACT_ADMIN_TOKEN_FILE: {path}: {error}")))?;
            return Ok(Identity::Token(Secret::new(token.trim())));
        }
        for (id, secret, session) in [
            ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", Some("AWS_SESSION_TOKEN")),
            ("REFRACT_ROOT_ACCESS_KEY_ID", "REFRACT_ROOT_SECRET_ACCESS_KEY", None),
        ] {
            if let (Some(id), Some(secret)) = (variable(id), variable(secret)) {
                return Ok(Identity::Keys {
                    id,
                    secret: Secret::new(secret),
                    session: session.and_then(variable),
                });
            }
        }
        let file = root_credentials_file(&self.data_dir);
        if !file.exists() {
            return Err(Failure::new(format!(
                "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or REFRACT_ADMIN_TOKEN, or name the \
                 server's data directory with --data-dir ({} is not there)",
                file.display()
            )));
        }
        let (pair, _) = KeyPair::load_or_create(&file)?;
        Ok(Identity::Keys { id: pair.access_key_id, secret: pair.secret, session: None })
    }
}

fn signed(
    request: &mut http::Request<Vec<u8>>,
    id: &str,
    secret: &Secret,
    session: Option<String>,
) -> Outcome {
    let identity = Credentials::new(id, secret.expose(), session, None, "refract").into();
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("s3")
        .time(SystemTime::now())
        .settings(settings)
        .build()?
        .into();
    let uri = request.uri().to_string();
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let signable = SignableRequest::new(
        request.method().as_str(),
        uri,
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())),
        SignableBody::Bytes(request.body()),
    )?;
    let (instructions, _) = sign(signable, &params)?.into_parts();
    instructions.apply_to_request_http1x(request);
    Ok(())
}

/// JSON from the command line: itself, or `@FILE`.
pub(super) fn json(text: &str) -> Result<Value, String> {
    let text = match text.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?,
        None => text.to_owned(),
    };
    serde_json::from_str(&text).map_err(|error| format!("not JSON: {error}"))
}

/// A path segment.
pub(super) fn segment(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}
