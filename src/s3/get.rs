//! GetObject and HeadObject: conditions, ranges, parts, response overrides. Without s3s, for an OLAP answers
//! through the same code, and its status is the function's to choose.

use std::borrow::Cow;
use std::ops::Range;

use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request};

use crate::auth::decode_parameter;
use crate::encryption::Keyring;
use crate::error::ApiError;
use crate::headers::AMZ_CHECKSUM_MODE;
use crate::policy::Access;
use crate::store::{Object, ObjectInfo, PartInfo, Payload, Store, VersionRef};

use super::encryption::{self, CustomerHeaders};
use super::preconditions::{ReadConditions, Verdict, precondition_failed};
use super::range::{Wanted, content_range};
use super::{checksum, headers, lifecycle, version};

/// Response headers that a signed request may override by query parameter (GetObject, "Overriding response
/// header values").
const OVERRIDES: [(&str, HeaderName); 6] = [
    ("response-content-type", header::CONTENT_TYPE),
    ("response-content-language", header::CONTENT_LANGUAGE),
    ("response-expires", header::EXPIRES),
    ("response-cache-control", header::CACHE_CONTROL),
    ("response-content-disposition", header::CONTENT_DISPOSITION),
    ("response-content-encoding", header::CONTENT_ENCODING),
];

/// Header fields that an answer has room for at once: those of a plain object, and what the door adds.
const HEADERS: usize = 16;

/// Answers GET or HEAD of one object.
///
/// # Errors
/// As GetObject: NoSuchBucket, NoSuchKey, PreconditionFailed, InvalidRange, InvalidPartNumber, InvalidArgument.
pub async fn get_object(
    reader: Reader<'_>,
    access: &Access<'_>,
    key: &str,
    request: &request::Parts,
) -> Result<Response<Body>, ApiError> {
    let read = Read::of(request)?;
    encryption::refuse_on_read(&request.headers)?;
    let object = reader.open(access, key, read.version, CustomerHeaders::Own).await?;
    let name = |answer: &mut Response<Body>| {
        version::name(access.bucket, object.info.version, answer.headers_mut());
        if read.version == VersionRef::Current {
            lifecycle::say_expiration(access.bucket, key, &object.info, answer.headers_mut());
        }
    };
    if let Some(mut answer) = read.settle(&object.info)? {
        name(&mut answer);
        return Ok(answer);
    }
    let (mut answer, range) = read.describe(&object.info, object.parts.as_deref())?;
    name(&mut answer);
    if !read.head_only {
        *answer.body_mut() = into_body(object.read(range));
    }
    Ok(answer)
}

/// What opens objects: where they are, and the keys of those that are encrypted.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The store.
    pub store: &'a dyn Store,
    /// The keys.
    pub keyring: &'a Keyring,
}

impl Reader<'_> {
    /// Opens an object that the caller may read.
    ///
    /// # Errors
    /// AccessDenied, also for an object that is not there where the caller may not list the bucket; NoSuchKey,
    /// NoSuchVersion; InvalidRequest where a customer's key is missing or wrong.
    pub async fn open(
        &self,
        access: &Access<'_>,
        key: &str,
        version: VersionRef,
        customer: CustomerHeaders,
    ) -> Result<Object, ApiError> {
        let action = if version == VersionRef::Current { "s3:GetObject" } else { "s3:GetObjectVersion" };
        let mut object = match self.store.open(&access.bucket.name, key, version).await {
            Ok(object) => object,
            Err(error) => {
                access.allow_missing(action)?;
                return Err(error.into());
            }
        };
        access.allow(action, Some(&object.info))?;
        let encryption = object.info.encryption.as_ref();
        let headers = (access.asked.headers, customer);
        object.key = encryption::unseal(self.keyring, access.bucket, key, encryption, headers)?;
        Ok(object)
    }
}

/// A stored body as a response body.
pub fn into_body(payload: Payload) -> Body {
    match payload {
        Payload::Bytes(bytes) => Body::from(bytes),
        Payload::Stream(stream, _) => Body::from_stream(stream),
    }
}

/// A checksum of the whole says nothing of a part of it.
fn drop_whole_checksum(headers: &mut HeaderMap, range: &Range<u64>, size: u64) {
    if *range == (0..size) {
        return;
    }
    remove_checksum(headers);
}

fn remove_checksum(headers: &mut HeaderMap) {
    for (_, name, _) in checksum::KINDS {
        headers.remove(name);
    }
    headers.remove("x-amz-checksum-type");
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// What a GET or HEAD asks of an object: conditions, a range or part, overrides of the answer's headers.
#[derive(Debug)]
pub struct Read {
    conditions: ReadConditions,
    wanted: Wanted,
    part_number: Option<u16>,
    overrides: Vec<(HeaderName, String)>,
    checksum_mode: bool,
    /// The version meant.
    pub version: VersionRef,
    /// A HEAD: the answer has no body.
    pub head_only: bool,
}

impl Read {
    /// Reads a request.
    ///
    /// # Errors
    /// InvalidArgument, InvalidRequest.
    pub fn of(request: &request::Parts) -> Result<Self, ApiError> {
        let mut asked = Self {
            conditions: ReadConditions::of_read(&request.headers),
            wanted: Wanted::parse(request.headers.get(header::RANGE)),
            part_number: None,
            overrides: Vec::new(),
            checksum_mode: request
                .headers
                .get(&AMZ_CHECKSUM_MODE)
                .is_some_and(|mode| mode.as_bytes().eq_ignore_ascii_case(b"ENABLED")),
            version: VersionRef::Current,
            head_only: request.method == Method::HEAD,
        };
        for (name, value) in query_pairs(request.uri.query().unwrap_or_default()) {
            match name.as_ref() {
                "partNumber" => asked.part_number = Some(part_number(&value)?),
                "versionId" => asked.version = version::wanted(Some(&value))?,
                _ => {
                    if let Some((_, header)) = OVERRIDES.iter().find(|(parameter, _)| *parameter == name) {
                        asked.overrides.push((header.clone(), value.into_owned()));
                    }
                }
            }
        }
        if asked.part_number.is_some() && asked.wanted != Wanted::All {
            return Err(ApiError::invalid_request(
                "Cannot specify both Range header and partNumber query parameter",
            ));
        }
        Ok(asked)
    }

    /// Whether less than the whole is asked for.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.part_number.is_some() || self.wanted != Wanted::All
    }

    /// Decides the conditions: 304 is an answer, 412 an error, `None` means go on.
    ///
    /// # Errors
    /// PreconditionFailed.
    pub fn settle(&self, info: &ObjectInfo) -> Result<Option<Response<Body>>, ApiError> {
        match self.conditions.decide(info) {
            Verdict::Proceed => Ok(None),
            Verdict::Failed => Err(precondition_failed()),
            Verdict::NotModified => {
                let mut answer = self.head_of(info)?;
                *answer.status_mut() = StatusCode::NOT_MODIFIED;
                answer.headers_mut().remove(header::CONTENT_TYPE);
                // A checksum of a body that does not come would have clients wait for it.
                remove_checksum(answer.headers_mut());
                Ok(Some(answer))
            }
        }
    }

    /// The head of an answer without its length, for a body whose length is not known before it ends.
    ///
    /// # Errors
    /// InvalidArgument for an override that no header can carry.
    pub fn head_of(&self, info: &ObjectInfo) -> Result<Response<Body>, ApiError> {
        let mut answer = Response::new(Body::empty());
        *answer.headers_mut() = HeaderMap::with_capacity(HEADERS);
        headers::describe(info, self.checksum_mode, answer.headers_mut());
        self.override_headers(answer.headers_mut())?;
        Ok(answer)
    }

    /// The head of the answer, and the bytes that belong in its body.
    ///
    /// # Errors
    /// InvalidRange, InvalidPartNumber.
    pub fn describe(
        &self,
        info: &ObjectInfo,
        parts: Option<&[PartInfo]>,
    ) -> Result<(Response<Body>, Range<u64>), ApiError> {
        let mut answer = self.head_of(info)?;
        let size = info.size;
        let range = match self.select(size, parts)? {
            None => 0..size,
            Some(range) => {
                *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
                insert(answer.headers_mut(), header::CONTENT_RANGE, &content_range(&range, size));
                drop_whole_checksum(answer.headers_mut(), &range, size);
                range
            }
        };
        if self.checksum_mode
            && let Some(number) = self.part_number
            && let Some((algorithm, sum)) = parts
                .and_then(|parts| parts.get(usize::from(number - 1)))
                .and_then(|part| part.checksum.as_ref())
        {
            let headers = answer.headers_mut();
            insert(headers, HeaderName::from_static(checksum::header_of(*algorithm)), sum);
            let kind = info.checksum.as_ref().map_or("", |whole| headers::type_name(whole.kind));
            insert(headers, HeaderName::from_static("x-amz-checksum-type"), kind);
        }
        if let Some(count) = info.parts.filter(|_| self.part_number.is_some()) {
            insert(answer.headers_mut(), HeaderName::from_static("x-amz-mp-parts-count"), &count.to_string());
        }
        answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
        Ok((answer, range))
    }

    /// The bytes meant; `None` for all.
    fn select(&self, size: u64, parts: Option<&[PartInfo]>) -> Result<Option<Range<u64>>, ApiError> {
        let Some(number) = self.part_number else { return self.wanted.resolve(size) };
        let no_such_part = || {
            ApiError::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "InvalidPartNumber",
                "The requested partnumber is not satisfiable",
            )
        };
        let Some(parts) = parts else {
            // An object that was put whole has one part; an empty one cannot be a 206.
            return match (number, size) {
                (1, 0) => Ok(None),
                (1, size) => Ok(Some(0..size)),
                _ => Err(no_such_part()),
            };
        };
        // Parts count from 1 in the order in which they were completed.
        let index = usize::from(number - 1);
        let start = parts.iter().take(index).map(|part| part.size).sum::<u64>();
        parts.get(index).map(|part| Some(start..start + part.size)).ok_or_else(no_such_part)
    }

    fn override_headers(&self, headers: &mut HeaderMap) -> Result<(), ApiError> {
        for (name, value) in &self.overrides {
            let value = HeaderValue::from_str(value).map_err(|_| {
                ApiError::invalid_argument(format!("The override of {name} is not a valid header value"))
            })?;
            headers.insert(name.clone(), value);
        }
        Ok(())
    }
}

/// A part number from a query parameter.
///
/// # Errors
/// 400 InvalidArgument outside 1 to 10,000.
pub(crate) fn part_number(text: &str) -> Result<u16, ApiError> {
    text.parse().ok().filter(|n| (1..=10_000).contains(n)).ok_or_else(|| {
        ApiError::invalid_argument("Part number must be an integer between 1 and 10000, inclusive")
            .with_detail("ArgumentName", "partNumber")
            .with_detail("ArgumentValue", text)
    })
}

/// Decoded query parameters, in order. Bytes that are no UTF-8 become U+FFFD, and `+` is a space, as to the signature
/// and to s3s: what a policy is asked about must be what the operation reads.
pub(crate) fn query_pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    fn decoded(text: &str) -> Cow<'_, str> {
        match decode_parameter(text) {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
        }
    }
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_in_a_query_is_a_space_and_an_encoded_one_is_a_plus() {
        let pairs: Vec<_> = query_pairs("prefix=a+b&delimiter=%2B&&flag&x+y=%ff").collect();
        let expected = [("prefix", "a b"), ("delimiter", "+"), ("flag", ""), ("x y", "\u{fffd}")]
            .map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)));
        assert_eq!(pairs, expected);
    }
}
