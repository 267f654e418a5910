//! A function on `provided.al2023`, as small as one can be: it answers a GET with the object as it is, over connections
//! that it keeps. `benches/functions.py` packages it as `bootstrap`, so that what is measured is the platform.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::{Digest, Sha256};

type Failure = Box<dyn Error>;

fn mac(key: &[u8], text: &str) -> Result<Vec<u8>, Failure> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// An answer: status, the values of two headers, body.
struct Answer {
    status: u16,
    request_id: Option<String>,
    content_type: Option<String>,
    body: Vec<u8>,
}

/// A connection that is kept.
struct Connection {
    host: String,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    fn open(host: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        Ok(Self { host: host.to_owned(), stream, buffer: vec![0; 64 << 10] })
    }

    fn send(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Result<Answer, Failure> {
        let host = &self.host;
        let length =
            if method == "GET" { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let mut whole =
            format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n{headers}{length}\r\n").into_bytes();
        whole.extend_from_slice(body);
        self.stream.write_all(&whole)?;
        let mut filled = 0;
        loop {
            let read = self.stream.read(self.buffer.get_mut(filled..).unwrap_or_default())?;
            if read == 0 {
                return Err("the connection was closed".into());
            }
            filled += read;
            let mut fields = [httparse::EMPTY_HEADER; 64];
            let mut answer = httparse::Response::new(&mut fields);
            let so_far = self.buffer.get(..filled).unwrap_or_default();
            let httparse::Status::Complete(end) = answer.parse(so_far)? else { continue };
            let value = |name: &str| {
                let field = answer.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
                Some(String::from_utf8_lossy(field.value).into_owned())
            };
            let length = value("content-length").map_or(Ok(0), |text| text.parse::<usize>())?;
            let status = answer.code.unwrap_or(0);
            let (request_id, content_type) = (value("lambda-runtime-aws-request-id"), value("content-type"));
            let mut body = so_far.get(end..).unwrap_or_default().to_vec();
            let there = body.len();
            body.resize(length, 0);
            self.stream.read_exact(body.get_mut(there..).unwrap_or_default())?;
            return Ok(Answer { status, request_id, content_type, body });
        }
    }
}

/// The headers of a request to `WriteGetObjectResponse`, signed.
fn signed(host: &str, own: &[(&str, &str)]) -> Result<String, Failure> {
    let variable = |name| std::env::var(name);
    let (region, token) = (variable("AWS_REGION")?, variable("AWS_SESSION_TOKEN")?);
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = now.split('T').next().unwrap_or_default();
    let mut headers = own.to_vec();
    headers.extend([
        ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ("x-amz-date", &now),
        ("x-amz-security-token", &token),
    ]);
    let mut sent = headers.clone();
    sent.push(("host", host));
    sent.sort_unstable();
    let canonical: String = sent.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names: Vec<&str> = sent.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let canonical = format!("POST\n/WriteGetObjectResponse\n\n{canonical}\n{names}\nUNSIGNED-PAYLOAD");
    let scope = format!("{day}/{region}/s3-object-lambda/aws4_request");
    let to_sign = format!("AWS4-HMAC-SHA256\n{now}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let mut key = format!("AWS4{}", variable("AWS_SECRET_ACCESS_KEY")?).into_bytes();
    for part in scope.split('/') {
        key = mac(&key, part)?;
    }
    let signature = hex(&mac(&key, &to_sign)?);
    let id = variable("AWS_ACCESS_KEY_ID")?;
    let fields: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    Ok(format!(
        "{fields}authorization: AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}\r\n"
    ))
}

/// Answers a request with its object.
fn copy(gateway: &mut Connection, context: &Value) -> Result<(), Failure> {
    let text = |name: &str| context.get(name).and_then(Value::as_str).unwrap_or_default();
    let url = text("inputS3Url");
    let path = url.splitn(4, '/').nth(3).ok_or("a URL without a path")?;
    let found = gateway.send("GET", &format!("/{path}"), "", b"")?;
    let kind = found.content_type.unwrap_or_default();
    let own = [
        ("x-amz-fwd-header-content-type", kind.as_str()),
        ("x-amz-request-route", text("outputRoute")),
        ("x-amz-request-token", text("outputToken")),
    ];
    let headers = signed(&gateway.host, &own)?;
    let answer = gateway.send("POST", "/WriteGetObjectResponse", &headers, &found.body)?;
    if answer.status == 200 {
        Ok(())
    } else {
        Err(format!("the answer was answered {}", answer.status).into())
    }
}

fn main() -> Result<(), Failure> {
    let endpoint = std::env::var("AWS_ENDPOINT_URL")?;
    let mut gateway = Connection::open(endpoint.trim_start_matches("http://"))?;
    let mut api = Connection::open(&std::env::var("AWS_LAMBDA_RUNTIME_API")?)?;
    loop {
        let next = api.send("GET", "/2018-06-01/runtime/invocation/next", "", b"")?;
        let event: Value = serde_json::from_slice(&next.body)?;
        if let Some(context) = event.get("getObjectContext") {
            copy(&mut gateway, context)?;
        }
        let id = next.request_id.ok_or("an event without an id")?;
        api.send("POST", &format!("/2018-06-01/runtime/invocation/{id}/response"), "", b"null")?;
    }
}
