//! What happened in a bucket, and the message that tells of it (S3 user guide, "Event message structure").

use std::net::IpAddr;

use http::Extensions;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::auth::{Principal, PrincipalKind};
use crate::catalog::canonical_id;
use crate::door::admin::RequestId;
use crate::server::Connection;
use crate::store::{Bucket, Deleted, ObjectInfo, VersionId, VersionRef};

/// What a key keeps as it is in a message.
const KEY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b' ');

/// The events that happen here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// An object was put.
    Put,
    /// An object was put by a form.
    Post,
    /// An object was copied.
    Copy,
    /// An upload became an object.
    CompleteMultipartUpload,
    /// An object or version was deleted.
    Delete,
    /// A delete marker was made.
    DeleteMarkerCreated,
    /// Tags were put.
    TaggingPut,
    /// Tags were deleted.
    TaggingDelete,
    /// An access control list was put.
    AclPut,
    /// A lifecycle rule deleted an object or version.
    ExpirationDelete,
    /// A lifecycle rule made a delete marker.
    ExpirationMarkerCreated,
    /// A lifecycle rule changed the storage class.
    Transition,
}

impl Event {
    /// Its name in configurations.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Put => "s3:ObjectCreated:Put",
            Self::Post => "s3:ObjectCreated:Post",
            Self::Copy => "s3:ObjectCreated:Copy",
            Self::CompleteMultipartUpload => "s3:ObjectCreated:CompleteMultipartUpload",
            Self::Delete => "s3:ObjectRemoved:Delete",
            Self::DeleteMarkerCreated => "s3:ObjectRemoved:DeleteMarkerCreated",
            Self::TaggingPut => "s3:ObjectTagging:Put",
            Self::TaggingDelete => "s3:ObjectTagging:Delete",
            Self::AclPut => "s3:ObjectAcl:Put",
            Self::ExpirationDelete => "s3:LifecycleExpiration:Delete",
            Self::ExpirationMarkerCreated => "s3:LifecycleExpiration:DeleteMarkerCreated",
            Self::Transition => "s3:LifecycleTransition",
        }
    }

    /// The version of the message: later ones came with later events.
    fn version(self) -> &'static str {
        match self {
            Self::Put
            | Self::Post
            | Self::Copy
            | Self::CompleteMultipartUpload
            | Self::Delete
            | Self::DeleteMarkerCreated => "2.1",
            _ => "2.3",
        }
    }
}

/// Something that happened to a key.
#[derive(Debug, Clone)]
pub struct Happened {
    /// What.
    pub event: Event,
    /// The key.
    pub key: String,
    /// When.
    pub time: Timestamp,
    /// The version that it was about, in a bucket with versioning.
    pub version: Option<VersionId>,
    /// Size and ETag of the object, where there is one.
    pub object: Option<(u64, String)>,
}

impl Happened {
    /// Something that happened to an object that is there.
    #[must_use]
    pub fn to_object(event: Event, key: &str, time: Timestamp, info: &ObjectInfo) -> Self {
        let object = Some((info.size, info.etag.clone()));
        Self { event, key: key.to_owned(), time, version: info.version, object }
    }

    /// Something that is gone now.
    #[must_use]
    pub fn removed(event: Event, key: &str, time: Timestamp, version: Option<VersionId>) -> Self {
        Self { event, key: key.to_owned(), time, version, object: None }
    }
}

impl Happened {
    /// What a delete did, if anything; by a request or by a lifecycle rule.
    #[must_use]
    pub fn by_delete(
        key: &str,
        wanted: VersionRef,
        done: &Deleted,
        time: Timestamp,
        by_rule: bool,
    ) -> Option<Self> {
        // A marker that was removed by its id is a version that is gone.
        let made = done.marker && wanted == VersionRef::Current;
        if !made && !done.there {
            return None;
        }
        let event = match (made, by_rule) {
            (true, false) => Event::DeleteMarkerCreated,
            (false, false) => Event::Delete,
            (true, true) => Event::ExpirationMarkerCreated,
            (false, true) => Event::ExpirationDelete,
        };
        Some(Self::removed(event, key, time, done.version.flatten()))
    }
}

/// Who made it happen.
#[derive(Debug, Clone, Default)]
pub struct Cause {
    /// The request's id; empty for work of the server's own.
    pub request_id: String,
    /// The other end of its connection.
    pub source_ip: Option<IpAddr>,
    /// Who asked, as messages name callers.
    pub principal_id: Option<String>,
}

impl Cause {
    /// A request, by its extensions.
    #[must_use]
    pub fn of(extensions: &Extensions, principal: Option<&Principal>) -> Self {
        let principal = principal.or_else(|| extensions.get());
        Self {
            request_id: extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
            source_ip: extensions.get::<Connection>().map(|connection| connection.peer.ip()),
            principal_id: principal.map(|principal| match principal.kind {
                PrincipalKind::Root => principal.account_id.clone(),
                _ => format!("AWS:{}", principal.principal_id),
            }),
        }
    }

    /// The lifecycle rules of a bucket.
    #[must_use]
    pub fn lifecycle() -> Self {
        Self { principal_id: Some("s3.amazonaws.com".into()), ..Self::default() }
    }
}

/// The message of an event, for a rule. `number` rises with each message.
#[must_use]
pub fn message(bucket: &Bucket, rule: &str, cause: &Cause, happened: &Happened, number: u64) -> Value {
    let Happened { event, key, time, version, object } = happened;
    let mut described = json!({ "key": utf8_percent_encode(key, KEY).to_string().replace(' ', "+") });
    if let Some((size, etag)) = object {
        described["size"] = (*size).into();
        described["eTag"] = etag.as_str().into();
    }
    if let Some(version) = version {
        described["versionId"] = version.to_string().into();
    }
    described["sequencer"] = sequencer(*time, *version, number).into();
    let ip = cause.source_ip.map_or_else(|| "127.0.0.1".to_owned(), |ip| ip.to_canonical().to_string());
    json!({ "Records": [{
        "eventVersion": event.version(),
        "eventSource": "aws:s3",
        "awsRegion": bucket.region,
        "eventTime": format!("{time:.3}"),
        "eventName": event.name().trim_start_matches("s3:"),
        "userIdentity": { "principalId": cause.principal_id.as_deref().unwrap_or("Anonymous") },
        "requestParameters": { "sourceIPAddress": ip },
        "responseElements": { "x-amz-request-id": cause.request_id, "x-amz-id-2": cause.request_id },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": rule,
            "bucket": {
                "name": bucket.name,
                "ownerIdentity": { "principalId": canonical_id(&bucket.owner) },
                "arn": format!("arn:aws:s3:::{}", bucket.name),
            },
            "object": described,
        },
    }]})
}

/// Orders the events of one key, as text: by the microsecond of the write, or the place of the version that it made;
/// then by when the event was recorded.
fn sequencer(time: Timestamp, version: Option<VersionId>, number: u64) -> String {
    let time = u64::try_from(time.as_microsecond()).unwrap_or_default();
    let place = version.and_then(|id| u64::from_str_radix(id.to_string().get(..16)?, 16).ok());
    // A version that is deleted later than it was made is told by the time of that.
    format!("{:016X}{:04X}", place.unwrap_or_default().max(time), number & 0xFFFF)
}

/// The message that tests a destination when a configuration is put.
#[must_use]
pub fn test_message(bucket: &str, cause: &Cause, now: Timestamp) -> Value {
    json!({
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": format!("{now:.3}"),
        "Bucket": bucket,
        "RequestId": cause.request_id,
        "HostId": cause.request_id,
    })
}
