//! A client that signs its requests in headers, for any plane, with any key.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use http::{HeaderMap, Method, Request};
use refract::auth::Signer;
use refract::secret::Secret;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends a request as it is.
pub(crate) fn fetch(request: Request<Vec<u8>>) -> Answer {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(60)))
        .proxy(None)
        .build()
        .into();
    let answer = agent.run(request).unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Answer { status, headers, body: answer.into_body().read_to_vec().unwrap() }
}

/// Uses a URL.
pub(crate) fn fetch_url(method: &str, url: &str) -> Answer {
    fetch(Request::builder().method(method).uri(url).body(Vec::new()).unwrap())
}

/// Somebody with a key.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    address: SocketAddr,
    id: String,
    secret: Secret,
}

impl Person {
    pub(crate) fn new(address: SocketAddr, id: &str, secret: &str) -> Self {
        Self { address, id: id.to_owned(), secret: Secret::new(secret) }
    }

    /// Sends a request to a service of the server: `s3`, `lambda`, `iam`.
    pub(crate) fn send(
        &self,
        service: &str,
        line: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body.into()).unwrap();
        let identity = Credentials::new(&self.id, self.secret.expose(), None, None, "test").into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name(service)
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let uri = request.uri().to_string();
        let signable =
            SignableRequest::new(method, uri, headers.iter().copied(), SignableBody::Bytes(request.body()));
        let (instructions, _) = sign(signable.unwrap(), &params).unwrap().into_parts();
        instructions.apply_to_request_http1x(&mut request);
        fetch(request)
    }

    /// Sends a request to S3.
    pub(crate) fn s3(&self, line: &str) -> Answer {
        self.send("s3", line, &[], "")
    }

    /// The same, and expects a status.
    pub(crate) fn expect(&self, status: u16, line: &str, body: impl Into<Vec<u8>>) -> Answer {
        let answer = self.send("s3", line, &[], body);
        assert_eq!(answer.status, status, "{line}: {}", answer.text());
        answer
    }

    /// A URL that this person signs.
    pub(crate) fn presign(&self, line: &str) -> String {
        let (method, path) = line.split_once(' ').unwrap();
        self.presign_url(method, &format!("http://{}{path}", self.address))
    }

    /// The same, of any host.
    pub(crate) fn presign_url(&self, method: &str, url: &str) -> String {
        let method: Method = method.parse().unwrap();
        let signer = Signer {
            access_key_id: &self.id,
            secret: &self.secret,
            region: "us-east-1",
            time: SystemTime::now(),
            signing: None,
        };
        signer.presign(&method, url, &[], Duration::from_secs(300)).unwrap()
    }
}
