//! The plain S3 plane; the only folder that imports s3s.
//!
//! Object bodies (GetObject, HeadObject, PutObject, UploadPart) are answered here without s3s, from the request's
//! own head: they are the hot path, and an OLAP answers through the same code. Everything else is XML, which s3s
//! parses and writes: [`Api`] implements its trait, each method one line into the file of its family.
//!
//! Every operation passes [`Access`], here or in [`gate`].

use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request, Response, StatusCode, request};
use s3s::dto::{Initiator, Owner};
use s3s::service::{S3Service, S3ServiceBuilder};

use crate::auth::{Principal, Trailers};
use crate::bodies::{Bodies, Whose};
use crate::catalog::{Accounts, canonical_id};
use crate::clock::Clock;
use crate::encryption::Keyring;
use crate::error::ApiError;
use crate::headers::AMZ_COPY_SOURCE;
use crate::notification::{Cause, Happened, Notifier};
use crate::policy::{Access, Asked, Trail, Via};
use crate::store::{Bucket, Digests, Store, StoreError};

mod acl;
mod api;
mod attributes;
mod bucket;
mod checksum;
mod complete;
mod convert;
mod copy;
pub mod cors;
mod delete;
mod documents;
pub mod encryption;
pub mod error;
mod gate;
mod get;
mod headers;
pub mod keys;
mod lifecycle;
mod list;
mod lock;
mod logging;
mod multipart;
mod multipart_sum;
mod names;
mod notification;
mod own;
mod policy;
mod post;
mod post_policy;
mod post_stream;
mod preconditions;
mod put;
mod range;
mod rename;
mod room;
mod said;
#[cfg(test)]
mod states;
mod tagging;
#[cfg(test)]
mod tests;
pub(crate) mod version;
mod versions;
mod website;

pub use copy::SourceName;
pub(crate) use get::query_pairs;
pub use get::{Read, Reader, get_object, into_body};
pub(crate) use headers::tagging;
pub use list::{Shown, ShownBy};
pub use names::{Names, Place};
pub use own::{OwnObject, put_own};
pub use post::Signers;
pub(crate) use put::body_stream;
pub(crate) use website::missing as no_website;

/// Bytes of an XML request body: a DeleteObjects or CompleteMultipartUpload of full length fits.
const MAX_XML: usize = 4 << 20;

/// What the operations need, built once.
#[derive(Debug, Clone)]
pub struct Api {
    /// The store.
    pub store: Arc<dyn Store>,
    /// All accounts.
    pub accounts: Accounts,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Keys of encrypted objects.
    pub keyring: Arc<Keyring>,
    /// The region of buckets that name none.
    pub region: String,
    /// What access points have to say about the names of buckets.
    pub names: Arc<dyn Names>,
    /// Tells of what happens in buckets.
    pub notifier: Notifier,
    /// What is held of request bodies.
    pub bodies: Bodies,
}

impl Api {
    fn bucket(&self, name: &str) -> Result<Arc<Bucket>, ApiError> {
        self.store.buckets().get(name).cloned().ok_or_else(|| StoreError::NoSuchBucket.into())
    }

    /// Changes how a bucket is configured.
    async fn configure(
        &self,
        bucket: &str,
        change: impl FnOnce(&mut Bucket) -> Result<(), ApiError> + Send + 'static,
    ) -> Result<(), ApiError> {
        self.store.update_bucket(&*self.bucket(bucket)?, Box::new(change)).await?;
        Ok(())
    }

    /// Records what a request did, for whoever is to be told of it; before its answer, and after its deed.
    async fn tell(
        &self,
        bucket: &str,
        extensions: &http::Extensions,
        principal: Option<&Principal>,
        happened: impl FnOnce() -> Vec<Happened> + Send,
    ) -> Result<(), ApiError> {
        // Deleted meanwhile, there is nobody to be told.
        let Ok(bucket) = self.bucket(bucket) else { return Ok(()) };
        if bucket.config.notification.is_none() {
            return Ok(());
        }
        self.notifier.tell(&bucket, &Cause::of(extensions, principal), &happened()).await
    }

    /// What opens objects.
    fn reader(&self) -> Reader<'_> {
        Reader { store: self.store.as_ref(), keyring: &self.keyring }
    }

    /// How answers name an account that owns something.
    fn owner(&self, account_id: &str) -> Owner {
        Owner { id: Some(canonical_id(account_id)), display_name: Some(self.accounts.name(account_id)) }
    }

    /// How answers name who began an upload.
    fn initiator(&self, account_id: &str) -> Initiator {
        Initiator { id: Some(canonical_id(account_id)), display_name: Some(self.accounts.name(account_id)) }
    }

    /// The name that an answer gives a bucket: the bucket's own, through whatever access point it was reached.
    fn listed_name(&self, bucket: &str) -> String {
        bucket.to_owned()
    }
}

/// The plane.
#[derive(Clone)]
pub struct S3Plane {
    api: Api,
    xml: S3Service,
}

impl std::fmt::Debug for S3Plane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Plane").field("api", &self.api).finish_non_exhaustive()
    }
}

/// A verified request, on its way into the plane.
#[derive(Debug)]
pub struct S3Call<'a> {
    /// Who asks; `None` for an anonymous caller.
    pub principal: Option<&'a Principal>,
    /// The bucket's own name, whatever name it was reached by; `None` for the service itself.
    pub bucket: Option<&'a str>,
    /// The decoded key; `None` for the bucket itself.
    pub key: Option<&'a str>,
    /// The points that the bucket was reached through, which not every operation allows.
    pub via: Option<Via>,
    /// Trailers of the body.
    pub trailers: &'a Trailers,
    /// Who may sign a form.
    pub signers: Signers<'a>,
}

impl S3Plane {
    /// Builds the plane.
    #[must_use]
    pub fn new(api: Api) -> Self {
        let mut builder = S3ServiceBuilder::new(api.clone());
        builder.set_auth(gate::KnowsNobody);
        builder.set_access(gate::Gate(api.clone()));
        Self { api, xml: builder.build() }
    }

    /// Answers a request. Its body is decoded already and its signature gone.
    ///
    /// # Errors
    /// What the operation says; the caller renders it by [`error::response`].
    pub async fn call(
        &self,
        call: S3Call<'_>,
        parts: request::Parts,
        body: Body,
    ) -> Result<Response<Body>, ApiError> {
        if let Some(key) = call.key {
            keys::check(key)?;
        }
        said::check_parameters(&parts)?;
        match (call.bucket, call.key, Direct::of(&parts)?) {
            (Some(bucket), Some(key), Some(direct)) => {
                name_operation(&parts, direct.name());
                let bucket = self.api.bucket(bucket)?;
                let access = Access {
                    principal: call.principal,
                    via: call.via.as_ref(),
                    bucket: &bucket,
                    key: Some(key),
                    asked: Asked::of(&parts.headers, &parts.uri, &parts.extensions),
                    accounts: &self.api.accounts,
                };
                access.check_expected_owner()?;
                if access.via.is_some() {
                    gate::allow_through_point(direct.name())?;
                }
                match direct {
                    Direct::GetObject | Direct::HeadObject => {
                        get_object(self.api.reader(), &access, key, &parts).await
                    }
                    Direct::GetObjectAttributes => {
                        attributes::get(self.api.reader(), &access, key, &parts).await
                    }
                    Direct::PutObject => {
                        put::put_object(&self.api, &access, key, &parts, body, call.trailers).await
                    }
                    Direct::RenameObject => rename::rename_object(&self.api, &access, key, &parts).await,
                    Direct::UploadPart(upload_id, number) => {
                        access.allow("s3:PutObject", None)?;
                        let part = (upload_id.as_str(), number);
                        multipart::upload_part(&self.api, &bucket, key, part, &parts, body, call.trailers)
                            .await
                    }
                }
            }
            (Some(bucket), None, _) if post::is_form(&parts) => {
                let bucket = self.api.bucket(bucket)?;
                name_operation(&parts, "PostObject");
                let (caller, via) = (call.principal, call.via.as_ref());
                post::post_object(&self.api, caller, via, &bucket, call.signers, &parts, body).await
            }
            _ => self.call_xml(call, parts, body).await,
        }
    }

    /// The operations that s3s parses. Their bodies are small, so they are read and checked before it sees them.
    async fn call_xml(
        &self,
        call: S3Call<'_>,
        mut parts: request::Parts,
        body: Body,
    ) -> Result<Response<Body>, ApiError> {
        let bytes = self.api.bodies.collect(body, MAX_XML, Whose::of(call.principal)).await?;
        if let Some(said) = said::of(&parts, call.key.is_some(), &bytes)? {
            parts.extensions.insert(said);
        }
        if !bytes.is_empty() {
            let claim = checksum::Claim::of_document(&parts)?;
            if claim.says_something() {
                // In memory, for a DeleteObjects must go on when the disk is full.
                let (document, algorithm) = (bytes.clone(), claim.algorithm);
                let digests = tokio::task::spawn_blocking(move || Digests::of(&document, algorithm)).await;
                let digests = digests.map_err(|error| ApiError::internal(error.to_string()))?;
                claim.verify_digests(&digests, call.trailers.get())?;
            }
        }
        parts.uri = canonical_uri(call.bucket, call.key, parts.uri.query())?;
        if let Some(principal) = call.principal {
            parts.extensions.insert(principal.clone());
        }
        if let Some(via) = call.via {
            parts.extensions.insert(via);
        }
        let method = parts.method.clone();
        let request = Request::from_parts(parts, s3s::Body::from(bytes));
        let response =
            self.xml.call(request).await.map_err(|error| ApiError::internal(format!("s3s: {error:?}")))?;
        let (head, body) = response.into_parts();
        if head.status.is_client_error() || head.status.is_server_error() {
            return Err(read_back(head.status, body, &method).await);
        }
        Ok(Response::from_parts(head, Body::new(body)))
    }
}

/// Operations that are answered without s3s.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Direct {
    GetObject,
    HeadObject,
    GetObjectAttributes,
    PutObject,
    RenameObject,
    UploadPart(String, u16),
}

impl Direct {
    fn name(&self) -> &'static str {
        match self {
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::GetObjectAttributes => "GetObjectAttributes",
            Self::PutObject => "PutObject",
            Self::RenameObject => "RenameObject",
            Self::UploadPart(..) => "UploadPart",
        }
    }

    /// Classifies a request for an object; `None` leaves it to s3s.
    fn of(parts: &request::Parts) -> Result<Option<Self>, ApiError> {
        const SUBRESOURCES: [&str; 8] =
            ["acl", "legal-hold", "retention", "tagging", "torrent", "uploads", "select", "restore"];
        let (mut upload_id, mut part_number) = (None, None);
        let (mut attributes, mut renames) = (false, false);
        for (name, value) in query_pairs(parts.uri.query().unwrap_or_default()) {
            match name.as_ref() {
                "uploadId" => upload_id = Some(value.into_owned()),
                "partNumber" => part_number = Some(value.into_owned()),
                "attributes" => attributes = true,
                "renameObject" => renames = true,
                name if SUBRESOURCES.contains(&name) => return Ok(None),
                _ => {}
            }
        }
        let copies = parts.headers.contains_key(&AMZ_COPY_SOURCE);
        Ok(match (&parts.method, upload_id, part_number) {
            (&Method::GET, ..) if attributes => Some(Self::GetObjectAttributes),
            (&Method::GET, None, _) => Some(Self::GetObject),
            (&Method::HEAD, None, _) => Some(Self::HeadObject),
            (&Method::PUT, None, None) if renames => Some(Self::RenameObject),
            (&Method::PUT, None, None) if !copies => Some(Self::PutObject),
            (&Method::PUT, Some(id), Some(number)) if !copies => {
                Some(Self::UploadPart(id, get::part_number(&number)?))
            }
            _ => None,
        })
    }
}

/// Says to the logs which operation a request is.
fn name_operation(parts: &request::Parts, name: &'static str) {
    if let Some(trail) = parts.extensions.get::<Trail>() {
        trail.operation(name);
    }
}

/// 400 MalformedXML; `why` is for the log.
fn malformed_xml(why: impl Into<String>) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
    .with_internal(why)
}

/// The path-style target that s3s reads, whatever form the client used.
fn canonical_uri(
    bucket: Option<&str>,
    key: Option<&str>,
    query: Option<&str>,
) -> Result<http::Uri, ApiError> {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    let mut target = String::from("/");
    if let Some(bucket) = bucket {
        target.push_str(bucket);
    }
    if let Some(key) = key {
        target.push('/');
        target.extend(utf8_percent_encode(key, NON_ALPHANUMERIC));
    }
    if let Some(query) = query {
        target.push('?');
        target.push_str(query);
    }
    target.parse().map_err(|error| ApiError::internal(format!("canonical target: {error}")))
}

/// The message of an error that s3s has none for. Clients read it without asking whether it is there.
fn untold(code: &str) -> String {
    match code {
        "InvalidBucketName" => "The specified bucket is not valid.".into(),
        "KeyTooLongError" => "Your key is too long".into(),
        "MethodNotAllowed" => "The specified method is not allowed against this resource.".into(),
        "NotImplemented" => "A header you provided implies functionality that is not implemented".into(),
        other => format!("The request was refused: {other}"),
    }
}

/// What s3s answered as an error, as ours: code and message, so that one place renders all errors.
async fn read_back(status: StatusCode, body: s3s::Body, method: &Method) -> ApiError {
    let bytes = axum::body::to_bytes(Body::new(body), MAX_XML).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once(&format!("</{name}>"))?;
        quick_xml::escape::unescape(value).ok().map(std::borrow::Cow::into_owned)
    };
    let code = element("Code").unwrap_or_else(|| "InternalError".into());
    let message = element("Message").filter(|message| !message.is_empty()).unwrap_or_else(|| untold(&code));
    ApiError::new(status, code, message).with_internal(format!("{method} through s3s"))
}
