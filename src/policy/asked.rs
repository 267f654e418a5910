//! What is known of a request when it is decided.

use http::HeaderMap;

use super::context::Context;
use super::origin::Origin;
use super::trail::Trail;
use crate::access_log::Notes;

/// What the body of a request says, where condition keys come of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// LocationConstraint of CreateBucket.
    pub location: Option<String>,
    /// Tags of PutObjectTagging and of the operations that tag buckets and points.
    pub tags: Vec<(String, String)>,
    /// Keys of tags that are to go.
    pub tag_keys: Vec<String>,
    /// ARN of the access point that an operation of S3 Control is about.
    pub point_arn: Option<String>,
    /// Mode, time and legal hold of PutObjectRetention and PutObjectLegalHold, by the name of the condition key.
    pub lock: Vec<(&'static str, String)>,
}

/// What is known of a request.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its query, as it came.
    pub query: &'a str,
    /// Where it came from.
    pub origin: Option<&'a Origin>,
    /// What its body says.
    pub said: Option<&'a Said>,
    /// Where to note what is decided.
    pub trail: Option<&'a Trail>,
    /// Keys that an explanation takes for given. Never a client's word about its own request.
    pub assumed: Option<&'a Context>,
    /// What the access log is told, where something may be logged.
    pub notes: Option<&'a Notes>,
}

impl<'a> Asked<'a> {
    /// What a request says.
    #[must_use]
    pub fn of(headers: &'a HeaderMap, uri: &'a http::Uri, extensions: &'a http::Extensions) -> Self {
        Self {
            headers,
            query: uri.query().unwrap_or_default(),
            origin: extensions.get(),
            said: extensions.get(),
            trail: extensions.get(),
            assumed: None,
            notes: Notes::of(extensions),
        }
    }
}
