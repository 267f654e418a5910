//! A request under way to a bucket that is logged, and its lines once it is answered.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, StatusCode, header, request};

use crate::auth::{AuthMethod, Principal, PrincipalKind};
use crate::catalog::canonical_id;
use crate::context::RequestContext;
use crate::headers::AMZ_COPY_SOURCE;
use crate::s3::query_pairs;
use crate::server::Connection;
use crate::store::Bucket;

use super::inbox::{Inbox, Line};
use super::notes::Notes;
use super::operation;
use super::record::{Record, without_secrets};

/// What the log will say of a request, as far as its head says it.
#[derive(Debug)]
pub struct Begun {
    inbox: Arc<Inbox>,
    /// The bucket that it is to; its own records count only where it is logged.
    bucket: Arc<Bucket>,
    record: Record,
    /// Bytes of the body that the client announced.
    announced: Option<u64>,
    notes: Arc<Notes>,
}

/// What is known once the answer is over.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The request's context.
    pub context: &'a RequestContext,
    /// Status.
    pub status: StatusCode,
    /// Code of the error.
    pub error_code: Option<&'a str>,
    /// Bytes sent.
    pub sent: u64,
    /// Size of the object, as the answer's head has it.
    pub size: Option<u64>,
    /// Time to the answer's head.
    pub to_first_byte: Duration,
    /// Time to its last byte.
    pub took: Duration,
}

impl Begun {
    /// Begins, where something may come to be logged: a bucket that is, or a copy, whose source may be. The head must
    /// still have its signature.
    #[must_use]
    pub fn of(
        inbox: &Arc<Inbox>,
        bucket: &Arc<Bucket>,
        key: Option<&str>,
        access_point_arn: Option<String>,
        parts: &mut request::Parts,
        time: jiff::Timestamp,
    ) -> Option<Arc<Self>> {
        let copies = parts.headers.contains_key(&AMZ_COPY_SOURCE);
        if bucket.config.logging.is_none() && !copies {
            return None;
        }
        let notes = Arc::new(Notes::default());
        parts.extensions.insert(Arc::clone(&notes));
        let text = |name: HeaderName| text(&parts.headers, name.as_str());
        let connection = parts.extensions.get::<Connection>();
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let version =
            query_pairs(parts.uri.query().unwrap_or_default()).find(|(name, _)| name == "versionId");
        let record = Record {
            remote_ip: connection.map(|connection| connection.peer.ip()),
            operation: operation::name(parts, key.is_some()),
            key: key.map(str::to_owned),
            request_uri: Some(format!("{} {} {:?}", parts.method, without_secrets(target), parts.version)),
            referer: text(header::REFERER),
            user_agent: text(header::USER_AGENT),
            version_id: version.map(|(_, id)| id.into_owned()),
            cipher_suite: connection.and_then(|connection| connection.tls).map(|tls| tls.cipher_suite),
            tls_version: connection.and_then(|connection| connection.tls).map(|tls| tls.version),
            host_header: text(header::HOST).or_else(|| parts.uri.authority().map(ToString::to_string)),
            access_point_arn,
            ..Record::of(bucket, time)
        };
        let announced = self::text(&parts.headers, "x-amz-decoded-content-length")
            .or_else(|| text(header::CONTENT_LENGTH))
            .and_then(|length| length.parse().ok());
        Some(Arc::new(Self {
            inbox: Arc::clone(inbox),
            bucket: Arc::clone(bucket),
            record,
            announced,
            notes,
        }))
    }

    /// As [`of`](Self::of), for a page of a website.
    #[must_use]
    pub fn of_website(
        inbox: &Arc<Inbox>,
        bucket: &Arc<Bucket>,
        parts: &mut request::Parts,
        time: jiff::Timestamp,
    ) -> Option<Arc<Self>> {
        let path = parts.uri.path().trim_start_matches('/');
        let key = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
        let begun = Self::of(
            inbox,
            bucket,
            Some(&key).filter(|key| !key.is_empty()).map(|x| &**x),
            None,
            parts,
            time,
        )?;
        let mut begun = Arc::into_inner(begun)?;
        begun.record.operation = format!("WEBSITE.{}.OBJECT", parts.method);
        Some(Arc::new(begun))
    }

    /// Writes the lines.
    pub fn finish(&self, answer: &Answer<'_>) {
        let context = answer.context;
        let (auth_type, signature_version) = match context.auth {
            None => (None, None),
            Some(AuthMethod::Header) => (Some("AuthHeader"), Some("SigV4")),
            Some(AuthMethod::PresignedV4) => (Some("QueryString"), Some("SigV4")),
            Some(AuthMethod::HeaderV2) => (Some("AuthHeader"), Some("SigV2")),
            Some(AuthMethod::PresignedV2) => (Some("QueryString"), Some("SigV2")),
        };
        let whole = Record {
            requester: context.principal.as_deref().map(requester),
            request_id: context.id.clone(),
            host_id: Some(context.id.clone()),
            status: Some(answer.status.as_u16()),
            error_code: answer.error_code.map(str::to_owned),
            bytes_sent: answer.sent,
            object_size: self.size(answer),
            total_time: Some(answer.took.as_millis()),
            turn_around_time: Some(answer.to_first_byte.as_millis()),
            auth_type,
            signature_version,
            acl_required: self.notes.acl_required(),
            ..self.record.clone()
        };
        for part in self.notes.take() {
            let (status, code) = part.failed.unzip();
            let batch = part.operation.starts_with("BATCH.");
            let record = Record {
                bucket_owner: canonical_id(&part.bucket.owner),
                bucket: part.bucket.name.clone(),
                operation: part.operation.to_owned(),
                key: Some(part.key),
                version_id: part.version_id,
                object_size: part.size,
                status: Some(status.unwrap_or(if batch { 204 } else { 200 })),
                error_code: code.filter(|code| !code.is_empty()),
                request_uri: None,
                bytes_sent: 0,
                total_time: None,
                turn_around_time: None,
                ..whole.clone()
            };
            self.add(&part.bucket, &record);
        }
        if self.bucket.config.logging.is_some() {
            self.add(&self.bucket, &whole);
        }
    }

    fn add(&self, bucket: &Arc<Bucket>, record: &Record) {
        self.inbox.add(Line { bucket: Arc::clone(bucket), time: record.time, text: record.line() });
    }

    /// The size of the object that a request is about, where its head or that of the answer says it.
    fn size(&self, answer: &Answer<'_>) -> Option<u64> {
        if !answer.status.is_success() {
            return None;
        }
        match self.record.operation.as_str() {
            "REST.PUT.OBJECT" | "REST.PUT.PART" => self.announced,
            "REST.GET.OBJECT" | "REST.HEAD.OBJECT" | "WEBSITE.GET.OBJECT" | "WEBSITE.HEAD.OBJECT" => {
                answer.size
            }
            _ => None,
        }
    }
}

/// The size of an object in the head of an answer: of the whole, also where a range of it is sent.
#[must_use]
pub fn size_of(headers: &HeaderMap) -> Option<u64> {
    let whole = text(headers, header::CONTENT_RANGE.as_str());
    let whole = whole.and_then(|range| range.rsplit('/').next().map(str::to_owned));
    whole.or_else(|| text(headers, header::CONTENT_LENGTH.as_str()))?.parse().ok()
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// How the log names a caller: an account by its canonical id, anybody else by the ARN.
fn requester(principal: &Principal) -> String {
    match principal.kind {
        PrincipalKind::Root => canonical_id(&principal.account_id),
        PrincipalKind::User | PrincipalKind::AssumedRole | PrincipalKind::FederatedUser => {
            principal.arn.clone()
        }
    }
}
