//! The condition keys of a request (Service Authorization Reference, "Condition keys for Amazon S3" and "… S3 Object
//! Lambda"; IAM user guide, "AWS global condition context keys").
//!
//! A key is set only for the actions that have it, and from what the server goes by: a header or a parameter that an
//! operation does not read says nothing.

use http::HeaderMap;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::Context;
use super::asked::Asked;
use super::caller::{add_caller_keys, add_time_keys};
use super::via::{OBJECT_LAMBDA, Via};
use crate::auth::Principal;
use crate::s3::query_pairs;
use crate::store::ObjectInfo;

/// Of which request and of what the keys tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    /// What is known of the request.
    pub(super) asked: &'a Asked<'a>,
    /// Who asks.
    pub(super) principal: Option<&'a Principal>,
    /// How the bucket was reached.
    pub(super) via: Option<&'a Via>,
    /// The object, where there is one.
    pub(super) object: Option<&'a ObjectInfo>,
}

impl Scene<'_> {
    /// The keys that every service has.
    pub(super) fn global(&self) -> Context {
        let mut context = Context::new();
        add_time_keys(&mut context, Timestamp::now());
        add_caller_keys(&mut context, self.principal);
        let text = |name: &str| self.asked.headers.get(name).and_then(|value| value.to_str().ok());
        let origin = self.asked.origin.copied().unwrap_or_default();
        context.set("aws:SecureTransport", origin.secure.to_string());
        if let Some(client) = origin.client {
            context.set("aws:SourceIp", client.to_string());
        }
        for (key, header) in [("aws:UserAgent", "user-agent"), ("aws:Referer", "referer")] {
            if let Some(value) = text(header) {
                context.set(key, value);
            }
        }
        for (key, values) in self.asked.assumed.into_iter().flat_map(Context::iter) {
            context.set_all(key, values.iter().map(String::as_str));
        }
        context
    }

    /// The keys of how the request was signed, for a service by its prefix.
    fn add_signature(&self, context: &mut Context, service: &str) {
        let Some(origin) = self.asked.origin else { return };
        if let Some(version) = origin.tls_version {
            context.set(&format!("{service}:TlsVersion"), version);
        }
        let Some(signed) = origin.signed else { return };
        context.set(&format!("{service}:authType"), signed.auth_type);
        context.set(&format!("{service}:signatureversion"), signed.version);
        if let Some(at) = signed.at {
            let age = Timestamp::now().as_millisecond().saturating_sub(at.as_millisecond());
            context.set(&format!("{service}:signatureAge"), age.max(0).to_string());
        }
    }

    /// The keys at an OLAP, which knows no others of its own: all that belongs to S3 is left to S3.
    pub(super) fn at_lens(&self, global: &Context, owner: &str) -> Context {
        let mut context = global.clone();
        context.set("aws:ResourceAccount", owner);
        self.add_signature(&mut context, "s3-object-lambda");
        if let Some(id) = self.parameter("versionId") {
            context.set("s3-object-lambda:versionid", id);
        }
        context
    }

    /// The keys at an access point or a bucket of the account `owner`.
    pub(super) fn at_s3(&self, global: &Context, action: &str, owner: &str) -> Context {
        let mut context = global.clone();
        context.set("aws:ResourceAccount", owner);
        context.set("s3:ResourceAccount", owner);
        self.add_signature(&mut context, "s3");
        if let Some(via) = self.via {
            context.set("s3:DataAccessPointArn", via.arn.as_str());
            context.set("s3:DataAccessPointAccount", via.point.account_id.as_str());
            context.set("s3:AccessPointNetworkOrigin", "Internet");
            if via.transforms {
                call_via(&mut context, OBJECT_LAMBDA);
            }
        }
        let headers = self.asked.headers;
        if is_listing(action) {
            for name in ["prefix", "delimiter", "max-keys"] {
                if let Some(value) = self.parameter(name) {
                    context.set(&format!("s3:{name}"), value);
                }
            }
        }
        if action.contains("Object")
            && let Some(id) = self.parameter("versionId")
        {
            context.set("s3:versionid", id);
        }
        // Each name once: where a header is repeated, its first value is what operations go by.
        for name in headers.keys() {
            let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()) else { continue };
            add_header(&mut context, action, name.as_str(), value);
        }
        if is_write(action) {
            add_tags_header(&mut context, headers);
        }
        self.add_said(&mut context, action);
        for (key, value) in self.object.into_iter().flat_map(|object| &object.tags) {
            context.set(&format!("s3:ExistingObjectTag/{key}"), value.as_str());
        }
        context
    }

    /// The first value of a parameter of the query.
    fn parameter(&self, wanted: &str) -> Option<String> {
        query_pairs(self.asked.query).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    }

    /// The keys of what the body says.
    fn add_said(&self, context: &mut Context, action: &str) {
        let Some(said) = self.asked.said else { return };
        if action == "s3:CreateBucket"
            && let Some(location) = &said.location
        {
            context.set("s3:locationconstraint", location.as_str());
        }
        if matches!(action, "s3:PutObjectRetention" | "s3:PutObjectLegalHold") {
            for (key, value) in &said.lock {
                add_lock(context, key, value);
            }
        }
        if let Some(arn) = said.point_arn.as_deref().filter(|_| action.contains("AccessPoint")) {
            context.set("s3:DataAccessPointArn", arn);
            context.set("s3:AccessPointNetworkOrigin", "Internet");
            if let Some(account) = arn.split(':').nth(4) {
                context.set("s3:DataAccessPointAccount", account);
            }
        }
        let of_object = matches!(action, "s3:PutObjectTagging" | "s3:PutObjectVersionTagging");
        add_tags(context, &said.tags, &said.tag_keys, of_object);
    }
}

/// The keys of tags that a request brings, of an object or of anything else.
pub(super) fn add_tags(context: &mut Context, tags: &[(String, String)], gone: &[String], of_object: bool) {
    let (one, all) = if of_object {
        ("s3:RequestObjectTag", "s3:RequestObjectTagKeys")
    } else {
        ("aws:RequestTag", "aws:TagKeys")
    };
    for (key, value) in tags {
        context.push(all, key.as_str());
        context.set(&format!("{one}/{key}"), value.as_str());
    }
    for key in gone {
        context.push(all, key.as_str());
    }
}

/// Says that a service makes the request for the caller.
fn call_via(context: &mut Context, service: &str) {
    if context.get("aws:CalledVia").is_none() {
        context.set("aws:CalledViaFirst", service);
    }
    context.push("aws:CalledVia", service);
    context.set("aws:CalledViaLast", service);
    context.set("aws:ViaAWSService", "true");
}

/// The keys at a function that an OLAP invokes.
pub(super) fn at_function(global: &Context, owner: &str) -> Context {
    let mut context = global.clone();
    context.set("aws:ResourceAccount", owner);
    call_via(&mut context, OBJECT_LAMBDA);
    context
}

fn is_listing(action: &str) -> bool {
    matches!(action, "s3:ListBucket" | "s3:ListBucketVersions" | "s3:ListBucketMultipartUploads")
}

/// Whether an action is of an operation that writes an object with what its headers say.
fn is_write(action: &str) -> bool {
    matches!(
        action,
        "s3:PutObject"
            | "s3:PutObjectTagging"
            | "s3:PutObjectAcl"
            | "s3:PutObjectRetention"
            | "s3:PutObjectLegalHold"
    )
}

/// The key of one header, for an action that has it.
fn add_header(context: &mut Context, action: &str, name: &str, value: &str) {
    match name {
        "x-amz-content-sha256" => context.set("s3:x-amz-content-sha256", value),
        "if-match" | "if-none-match" if matches!(action, "s3:PutObject" | "s3:DeleteObject") => {
            context.set(&format!("s3:{name}"), value);
        }
        "x-amz-object-ownership" if matches!(action, "s3:CreateBucket" | "s3:PutBucketOwnershipControls") => {
            context.set("s3:x-amz-object-ownership", value);
        }
        "x-amz-copy-source" if is_write(action) => {
            // The version is split off first, as whoever reads the object does: an encoded `?` is part of the key.
            let source = value.split_once('?').map_or(value, |(source, _)| source);
            let source = percent_decode_str(source).decode_utf8_lossy();
            context.set("s3:x-amz-copy-source", source.trim_start_matches('/'));
        }
        _ if (name == "x-amz-acl" || name.starts_with("x-amz-grant-")) && has_acl(action) => {
            context.set(&format!("s3:{name}"), value);
        }
        _ if name.starts_with("x-amz-object-lock-") && is_write(action) => {
            add_lock(context, name.trim_start_matches("x-amz-"), value);
        }
        "x-amz-metadata-directive"
        | "x-amz-storage-class"
        | "x-amz-website-redirect-location"
        | "x-amz-server-side-encryption"
        | "x-amz-server-side-encryption-aws-kms-key-id"
        | "x-amz-server-side-encryption-customer-algorithm"
            if is_write(action) =>
        {
            context.set(&format!("s3:{name}"), value);
        }
        _ => {}
    }
}

fn has_acl(action: &str) -> bool {
    is_write(action) || matches!(action, "s3:PutObjectVersionAcl" | "s3:PutBucketAcl" | "s3:CreateBucket")
}

/// A key of object lock; the time until which an object is kept also as the days that remain.
fn add_lock(context: &mut Context, key: &str, value: &str) {
    if key == "object-lock-retain-until-date"
        && let Ok(until) = value.parse::<Timestamp>()
    {
        let seconds = until.as_second().saturating_sub(Timestamp::now().as_second());
        let days = seconds.max(0).unsigned_abs().div_ceil(86_400);
        context.set("s3:object-lock-remaining-retention-days", days.to_string());
    }
    context.set(&format!("s3:{key}"), value);
}

/// The keys of tags in the header of a write.
fn add_tags_header(context: &mut Context, headers: &HeaderMap) {
    // One that cannot be read fails the write.
    let tags: Vec<(String, String)> = crate::s3::tagging(headers).unwrap_or_default().into_iter().collect();
    add_tags(context, &tags, &[], true);
}
