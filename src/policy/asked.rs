//! What is known of a request when it is decided, and the condition keys that come of it (Service Authorization
//! Reference, "Condition keys for Amazon S3"; IAM user guide, "AWS global condition context keys").

use std::net::IpAddr;

use http::{HeaderMap, header};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::Context;
use crate::access_log::Notes;
use crate::auth::Principal;
use crate::store::{Bucket, ObjectInfo};

/// What is known of a request.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its query, as it came.
    pub query: &'a str,
    /// The other end of the connection.
    pub peer: Option<IpAddr>,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// What the access log is told, where something may be logged.
    pub notes: Option<&'a Notes>,
}

impl<'a> Asked<'a> {
    /// What a request says.
    #[must_use]
    pub fn of(headers: &'a HeaderMap, uri: &'a http::Uri, extensions: &'a http::Extensions) -> Self {
        let connection = extensions.get::<crate::server::Connection>();
        Self {
            headers,
            query: uri.query().unwrap_or_default(),
            peer: connection.map(|connection| connection.peer.ip()),
            tls: connection.is_some_and(|connection| connection.tls.is_some()),
            notes: Notes::of(extensions),
        }
    }

    /// The condition keys.
    pub(super) fn context(
        &self,
        principal: Option<&Principal>,
        bucket: &Bucket,
        object: Option<&ObjectInfo>,
    ) -> Context {
        let text = |name: &header::HeaderName| self.headers.get(name).and_then(|value| value.to_str().ok());
        let now = Timestamp::now();
        let mut context = Context::new()
            .with("aws:CurrentTime", now.to_string())
            .with("aws:EpochTime", now.as_second().to_string())
            .with("aws:SecureTransport", self.tls.to_string())
            .with("s3:ResourceAccount", bucket.owner.as_str())
            .with("aws:ResourceAccount", bucket.owner.as_str())
            .with_some("aws:SourceIp", self.peer.map(|peer| peer.to_canonical().to_string()))
            .with_some("aws:UserAgent", text(&header::USER_AGENT))
            .with_some("aws:Referer", text(&header::REFERER));
        match principal {
            None => context.set("aws:PrincipalType", "Anonymous"),
            Some(principal) => {
                context.set("aws:PrincipalArn", principal.arn.as_str());
                context.set("aws:PrincipalAccount", principal.account_id.as_str());
                context.set("aws:userid", principal.principal_id.as_str());
                context.set("aws:PrincipalType", "Account");
                if let Some(name) = &principal.user_name {
                    context.set("aws:username", name.as_str());
                }
            }
        }
        for (name, value) in self.headers {
            let (name, Ok(value)) = (name.as_str(), value.to_str()) else { continue };
            match name {
                "x-amz-copy-source" => {
                    let source = percent_decode_str(value).decode_utf8_lossy();
                    let source = source.split_once('?').map_or(&*source, |(source, _)| source);
                    context.set("s3:x-amz-copy-source", source.trim_start_matches('/'));
                }
                "x-amz-tagging" => {
                    for (key, value) in crate::s3::query_pairs(value) {
                        context.push("s3:RequestObjectTagKeys", &*key);
                        context.set(&format!("s3:RequestObjectTag/{key}"), value);
                    }
                }
                _ if name.starts_with("x-amz-object-lock-") => {
                    let short = name.strip_prefix("x-amz-").unwrap_or(name);
                    context.set(&format!("s3:{short}"), value);
                }
                _ if name.starts_with("x-amz-") => context.set(&format!("s3:{name}"), value),
                _ => {}
            }
        }
        for (name, value) in crate::s3::query_pairs(self.query) {
            match name.as_ref() {
                "prefix" | "delimiter" | "max-keys" => context.set(&format!("s3:{name}"), value),
                "versionId" => context.set("s3:VersionId", value),
                _ => {}
            }
        }
        for (key, value) in object.into_iter().flat_map(|object| &object.tags) {
            context.set(&format!("s3:ExistingObjectTag/{key}"), value.as_str());
        }
        context
    }
}
