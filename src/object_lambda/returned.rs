//! What HEAD and LIST make of a function's return value (S3 user guide, "Writing Lambda functions for S3 Object Lambda
//! access points").

use axum::body::Body;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::xml::Xml;

use super::error::invalid_response;

/// Bytes of all headers of a HEAD, names and values: more of them is more than clients take.
const MAX_HEADERS: usize = 64 << 10;
/// Headers that a HEAD may answer with, beside `x-amz-meta-…`.
const HEADERS: [&str; 31] = [
    "accept-ranges",
    "x-amz-archive-status",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-type",
    "x-amz-delete-marker",
    "etag",
    "expires",
    "x-amz-expiration",
    "last-modified",
    "x-amz-missing-meta",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-legal-hold",
    "x-amz-object-lock-retain-until-date",
    "x-amz-mp-parts-count",
    "x-amz-replication-status",
    "x-amz-request-charged",
    "x-amz-restore",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-key-md5",
    "x-amz-storage-class",
    "x-amz-tagging-count",
    "x-amz-version-id",
    "x-amz-checksum-type",
    "content-range",
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Returned {
    status_code: Option<Value>,
    error_code: Option<String>,
    error_message: Option<String>,
    headers: Option<Map<String, Value>>,
    list_result_xml: Option<String>,
    list_bucket_result: Option<Map<String, Value>>,
}

fn parse(payload: &[u8]) -> Result<(StatusCode, Returned), ApiError> {
    let returned: Returned = serde_json::from_slice(payload)
        .map_err(|error| invalid_response(format!("its return value cannot be read: {error}")))?;
    let status = match &returned.status_code {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    let status = status
        .and_then(|status| u16::try_from(status).ok())
        .filter(|status| (200..600).contains(status))
        .and_then(|status| StatusCode::from_u16(status).ok())
        .ok_or_else(|| invalid_response("its return value has no statusCode"))?;
    Ok((status, returned))
}

fn failed(status: StatusCode, returned: &Returned) -> Option<ApiError> {
    if status.as_u16() < 400 {
        return None;
    }
    let code = returned.error_code.clone().unwrap_or_else(|| {
        match status.as_u16() {
            403 => "AccessDenied",
            404 => "NoSuchKey",
            412 => "PreconditionFailed",
            _ if status.is_server_error() => "InternalError",
            _ => "InvalidRequest",
        }
        .to_owned()
    });
    let message = returned.error_message.clone();
    Some(ApiError::new(status, code, message.unwrap_or_else(|| status.to_string())))
}

/// A header's value: functions write numbers as numbers and as text.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(switch) => Some(switch.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The answer to HeadObject.
///
/// # Errors
/// What the function says; 400 LambdaInvalidResponse.
pub fn head(payload: &[u8]) -> Result<Response<Body>, ApiError> {
    let (status, returned) = parse(payload)?;
    if let Some(error) = failed(status, &returned) {
        return Err(error);
    }
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    let mut bytes = 0;
    for (name, value) in returned.headers.unwrap_or_default() {
        // Functions return all that they were answered: what is about the connection is dropped.
        let name = name.to_ascii_lowercase();
        if !HEADERS.contains(&name.as_str()) && !name.starts_with("x-amz-meta-") {
            continue;
        }
        let Some(text) = text_of(&value) else { continue };
        let wrong = || invalid_response(format!("the header {name} has no valid value"));
        if name == "content-length" && text.parse::<u64>().is_err() {
            return Err(wrong());
        }
        bytes += name.len() + text.len();
        if bytes > MAX_HEADERS {
            return Err(invalid_response(format!("its headers have more than {MAX_HEADERS} bytes")));
        }
        let value = HeaderValue::try_from(text).map_err(|_| wrong())?;
        let name = HeaderName::try_from(name.as_str()).map_err(|_| wrong())?;
        answer.headers_mut().insert(name, value);
    }
    Ok(answer)
}

/// The answer to ListObjects, or with `v2` to ListObjectsV2.
///
/// # Errors
/// What the function says; 400 LambdaInvalidResponse.
pub fn list(payload: &[u8], v2: bool) -> Result<Response<Body>, ApiError> {
    let (status, returned) = parse(payload)?;
    let body = match (&returned.list_result_xml, &returned.list_bucket_result) {
        (Some(_), Some(_)) => {
            return Err(invalid_response("its return value has both listResultXml and listBucketResult"));
        }
        // Forwarded as it is; it may be an error's document.
        (Some(xml), None) => xml.clone(),
        (None, Some(result)) => render(result, v2)?,
        (None, None) => {
            return Err(failed(status, &returned).unwrap_or_else(|| {
                invalid_response("its return value has neither listResultXml nor listBucketResult")
            }));
        }
    };
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    Ok(answer)
}

/// A field of a listing: its name in JSON and in XML, and whether it must be there.
type Field = (&'static str, &'static str, bool);

const V1: [Field; 8] = [
    ("name", "Name", true),
    ("prefix", "Prefix", false),
    ("marker", "Marker", false),
    ("nextMarker", "NextMarker", false),
    ("maxKeys", "MaxKeys", true),
    ("delimiter", "Delimiter", false),
    ("encodingType", "EncodingType", false),
    ("isTruncated", "IsTruncated", true),
];
const V2: [Field; 10] = [
    ("name", "Name", true),
    ("prefix", "Prefix", false),
    ("startAfter", "StartAfter", false),
    ("continuationToken", "ContinuationToken", false),
    ("nextContinuationToken", "NextContinuationToken", false),
    ("keyCount", "KeyCount", true),
    ("maxKeys", "MaxKeys", true),
    ("delimiter", "Delimiter", false),
    ("encodingType", "EncodingType", false),
    ("isTruncated", "IsTruncated", true),
];
const CONTENTS: [Field; 6] = [
    ("key", "Key", true),
    ("lastModified", "LastModified", false),
    ("eTag", "ETag", false),
    ("checksumAlgorithm", "ChecksumAlgorithm", false),
    ("size", "Size", true),
    ("storageClass", "StorageClass", false),
];

/// The texts of an object's fields, in order.
fn texts(
    object: &Map<String, Value>,
    fields: &[Field],
    within: &str,
) -> Result<Vec<(&'static str, String)>, ApiError> {
    let mut all = Vec::new();
    for (name, element, required) in fields {
        match object.get(*name).and_then(text_of) {
            Some(text) => all.push((*element, text)),
            None if *required => return Err(invalid_response(format!("{within} has no {name}"))),
            None => {}
        }
    }
    Ok(all)
}

fn objects<'v>(result: &'v Map<String, Value>, name: &str) -> Result<Vec<&'v Map<String, Value>>, ApiError> {
    let items = match result.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(invalid_response(format!("{name} is not a list"))),
    };
    let objects: Option<Vec<_>> = items.iter().map(Value::as_object).collect();
    objects.ok_or_else(|| invalid_response(format!("{name} has an item that is not an object")))
}

fn render(result: &Map<String, Value>, v2: bool) -> Result<String, ApiError> {
    let head = texts(result, if v2 { &V2 } else { &V1 }, "listBucketResult")?;
    let mut contents = Vec::new();
    for object in objects(result, "contents")? {
        let owner = object.get("owner").and_then(Value::as_object);
        let owner = owner
            .map(|owner| texts(owner, &[("id", "ID", true), ("displayName", "DisplayName", false)], "owner"))
            .transpose()?;
        contents.push((texts(object, &CONTENTS, "contents")?, owner));
    }
    let mut prefixes = Vec::new();
    for prefix in objects(result, "commonPrefixes")? {
        prefixes.push(texts(prefix, &[("prefix", "Prefix", true)], "commonPrefixes")?);
    }
    let mut xml = Xml::default();
    let write = |xml: &mut Xml, fields: &[(&'static str, String)]| {
        for (element, text) in fields {
            xml.text(element, text);
        }
    };
    xml.element("ListBucketResult", |xml| {
        write(xml, &head);
        for (fields, owner) in &contents {
            xml.element("Contents", |xml| {
                write(xml, fields);
                if let Some(owner) = owner {
                    xml.element("Owner", |xml| write(xml, owner));
                }
            });
        }
        for fields in &prefixes {
            xml.element("CommonPrefixes", |xml| write(xml, fields));
        }
    });
    Ok(xml.into_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body(answer: Response<Body>) -> String {
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 16).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn a_head_takes_what_functions_really_return() {
        let answer = head(
            br#"{"statusCode": 200, "headers": {"content-length": "165", "Server": "x", "ETag": "\"e\"",
            "x-amz-meta-a": "b", "Date": "now", "x-amz-missing-meta": 2, "Connection": "close"}}"#,
        )
        .unwrap();
        let headers = answer.headers();
        assert_eq!((headers["content-length"].to_str().unwrap(), headers.len()), ("165", 4));
        let error = head(br#"{"statusCode": 403, "errorMessage": "no"}"#).unwrap_err();
        assert_eq!((error.status.as_u16(), &*error.code, &*error.message), (403, "AccessDenied", "no"));
        for wrong in
            ["null", "{}", r#"{"statusCode": 99}"#, r#"{"statusCode":200,"headers":{"Content-Length":"x"}}"#]
        {
            assert_eq!(head(wrong.as_bytes()).unwrap_err().code, "LambdaInvalidResponse", "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_listing_is_forwarded_or_rendered() {
        let answer = list(br#"{"statusCode": 200, "listResultXml": "<x/>"}"#, true).unwrap();
        assert_eq!(body(answer).await, "<x/>");
        let answer = list(
            br#"{"statusCode": 200, "listBucketResult": {"name": "b", "maxKeys": 1000, "keyCount": 1,
            "isTruncated": false, "contents": [{"key": "a&b", "size": 3, "eTag": "\"e\"",
            "owner": {"id": "i", "displayName": "d"}}], "commonPrefixes": [{"prefix": "p/"}]}}"#,
            true,
        );
        let text = body(answer.unwrap()).await;
        for part in [
            "<Name>b</Name>",
            "<KeyCount>1</KeyCount>",
            "<Contents><Key>a&amp;b</Key>",
            "<Owner><ID>i</ID><DisplayName>d</DisplayName></Owner>",
            "<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>",
        ] {
            assert!(text.contains(part), "{text}");
        }
        for wrong in [
            r#"{"statusCode": 200}"#,
            r#"{"statusCode": 200, "listBucketResult": {}}"#,
            r#"{"statusCode": 200, "listResultXml": "", "listBucketResult": {}}"#,
        ] {
            assert_eq!(list(wrong.as_bytes(), true).unwrap_err().code, "LambdaInvalidResponse", "{wrong}");
        }
        assert_eq!(list(br#"{"statusCode": 403, "errorCode": "No"}"#, false).unwrap_err().code, "No");
    }
}
