//! A line of a log: fields separated by spaces, `-` for what is not known (S3 user guide, "Amazon S3 server access log
//! format").

use std::fmt::Write as _;
use std::net::IpAddr;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::catalog::canonical_id;
use crate::store::Bucket;

/// What a key keeps as it is.
const KEY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'*');

/// One request, or one part of it.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Canonical id of the bucket's owner.
    pub bucket_owner: String,
    /// The bucket.
    pub bucket: String,
    /// When the request came.
    pub time: Timestamp,
    /// The other end of its connection.
    pub remote_ip: Option<IpAddr>,
    /// Canonical id or ARN of the caller; `None` for an anonymous one.
    pub requester: Option<String>,
    /// Request id.
    pub request_id: String,
    /// As [`operation`](super::operation::name) has it.
    pub operation: String,
    /// Key.
    pub key: Option<String>,
    /// The request line; `None` for a part of a request.
    pub request_uri: Option<String>,
    /// Status; `None` where nothing was answered.
    pub status: Option<u16>,
    /// Code of the error.
    pub error_code: Option<String>,
    /// Bytes of the answer's body.
    pub bytes_sent: u64,
    /// Size of the object.
    pub object_size: Option<u64>,
    /// Milliseconds to the last byte of the answer.
    pub total_time: Option<u128>,
    /// Milliseconds to the first.
    pub turn_around_time: Option<u128>,
    /// Referer.
    pub referer: Option<String>,
    /// User-Agent.
    pub user_agent: Option<String>,
    /// versionId.
    pub version_id: Option<String>,
    /// x-amz-id-2.
    pub host_id: Option<String>,
    /// `SigV4` or `SigV2`.
    pub signature_version: Option<&'static str>,
    /// Cipher suite, in OpenSSL's names.
    pub cipher_suite: Option<&'static str>,
    /// `AuthHeader` or `QueryString`.
    pub auth_type: Option<&'static str>,
    /// Host.
    pub host_header: Option<String>,
    /// `TLSv1.2` or `TLSv1.3`.
    pub tls_version: Option<&'static str>,
    /// ARN of the access point that it came through.
    pub access_point_arn: Option<String>,
    /// Whether it took an ACL to allow it.
    pub acl_required: bool,
}

impl Record {
    /// One of a bucket's log, of which nothing else is known yet.
    #[must_use]
    pub fn of(bucket: &Bucket, time: Timestamp) -> Self {
        Self {
            bucket_owner: canonical_id(&bucket.owner),
            bucket: bucket.name.clone(),
            time,
            ..Self::default()
        }
    }

    /// The line, with its end.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = String::with_capacity(512);
        let number = |n: Option<u128>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
        let key = self.key.as_deref().map(|key| utf8_percent_encode(key, KEY).to_string());
        let nonzero = Some(u128::from(self.bytes_sent)).filter(|sent| *sent > 0);
        // Nothing can fail to be written to a string.
        writeln!(
            line,
            "{owner} {bucket} [{time}] {ip} {requester} {id} {operation} {key} {uri} {status} {error} {sent} {size} \
             {total} {turn} {referer} {agent} {version} {host_id} {signature} {cipher} {auth} {host} {tls} {point} \
             {acl}",
            owner = word(Some(&self.bucket_owner)),
            bucket = word(Some(&self.bucket)),
            time = self.time.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            ip = self.remote_ip.map_or_else(|| "-".to_owned(), |ip| ip.to_canonical().to_string()),
            requester = word(self.requester.as_deref()),
            id = word(Some(&self.request_id)),
            operation = self.operation,
            key = word(key.as_deref()),
            uri = quoted(self.request_uri.as_deref(), "-"),
            status = number(self.status.map(u128::from)),
            error = word(self.error_code.as_deref()),
            sent = number(nonzero),
            size = number(self.object_size.map(u128::from)),
            total = number(self.total_time),
            turn = number(self.turn_around_time),
            referer = quoted(self.referer.as_deref(), "\"-\""),
            agent = quoted(self.user_agent.as_deref(), "\"-\""),
            version = word(self.version_id.as_deref()),
            host_id = word(self.host_id.as_deref()),
            signature = self.signature_version.unwrap_or("-"),
            cipher = self.cipher_suite.unwrap_or("-"),
            auth = self.auth_type.unwrap_or("-"),
            host = word(self.host_header.as_deref()),
            tls = self.tls_version.unwrap_or("-"),
            point = word(self.access_point_arn.as_deref()),
            acl = if self.acl_required { "Yes" } else { "-" },
        )
        .unwrap_or_default();
        line
    }
}

/// A field without quotes: nothing in it may end it.
fn word(text: Option<&str>) -> String {
    match text {
        None | Some("") => "-".to_owned(),
        Some(text) => escaped(text, |c| c == ' '),
    }
}

/// A field in quotes.
fn quoted(text: Option<&str>, absent: &str) -> String {
    match text {
        None | Some("") => absent.to_owned(),
        Some(text) => format!("\"{}\"", escaped(text, |_| false)),
    }
}

/// Text in which a client cannot write an end of field or line.
fn escaped(text: &str, also: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '"' || c.is_control() || also(c) {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                write!(out, "%{byte:02X}").unwrap_or_default();
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// A request target without what signs it: whoever reads the log must not be able to use it.
#[must_use]
pub fn without_secrets(target: &str) -> String {
    const SECRET: [&str; 3] = ["X-Amz-Signature", "X-Amz-Security-Token", "Signature"];
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let hidden: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret)) => {
                format!("{name}=REDACTED")
            }
            _ => pair.to_owned(),
        })
        .collect();
    format!("{path}?{}", hidden.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_26_fields_and_a_client_cannot_add_any() {
        let record = Record {
            bucket_owner: "f".repeat(64),
            bucket: "b".into(),
            time: "2026-11-05T08:04:03.5Z".parse().unwrap(),
            request_id: "R1".into(),
            operation: "REST.GET.OBJECT".into(),
            key: Some("a b/\"ü".into()),
            request_uri: Some("GET /b/a%20b HTTP/1.1".into()),
            status: Some(404),
            error_code: Some("NoSuchKey".into()),
            bytes_sent: 7,
            total_time: Some(12),
            user_agent: Some("x\" \n y".into()),
            acl_required: true,
            ..Record::default()
        };
        let owner = "f".repeat(64);
        assert_eq!(
            record.line(),
            format!(
                "{owner} b [05/Nov/2026:08:04:03 +0000] - - R1 REST.GET.OBJECT a%20b/%22%C3%BC \
                 \"GET /b/a%20b HTTP/1.1\" 404 NoSuchKey 7 - 12 - \"-\" \"x%22 %0A y\" - - - - - - - - Yes\n"
            )
        );
    }

    #[test]
    fn signatures_are_not_logged() {
        assert_eq!(
            without_secrets("/b/k?X-Amz-Signature=abc&x=1&x-amz-security-token=s&Signature=q"),
            "/b/k?X-Amz-Signature=REDACTED&x=1&x-amz-security-token=REDACTED&Signature=REDACTED"
        );
        assert_eq!(without_secrets("/b/k"), "/b/k");
    }
}
