//! GetObjectAttributes. Without s3s, which would put quotes round the ETag.

use axum::body::Body;
use http::{HeaderName, HeaderValue, Response, header, request};

use crate::error::ApiError;
use crate::policy::Access;
use crate::store::{ObjectInfo, PartInfo, VersionRef};
use crate::xml::Xml;

use super::encryption::CustomerHeaders;
use super::{Reader, checksum, get, headers, version};

const KNOWN: [&str; 5] = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];
/// Parts of one page.
const MAX_PARTS: usize = 1000;

/// What is asked for.
struct Asked {
    attributes: Vec<String>,
    version: VersionRef,
    limit: usize,
    after: u16,
}

impl Asked {
    fn of(request: &request::Parts) -> Result<Self, ApiError> {
        // Clients send one header with commas, or one header for each.
        let attributes: Vec<String> = request
            .headers
            .get_all("x-amz-object-attributes")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        if attributes.is_empty() {
            return Err(ApiError::invalid_argument(
                "x-amz-object-attributes must name at least one attribute",
            ));
        }
        if let Some(unknown) = attributes.iter().find(|name| !KNOWN.contains(&name.as_str())) {
            return Err(ApiError::invalid_argument(format!(
                "Invalid attribute name specified: {unknown}; known are {}",
                KNOWN.join(", ")
            )));
        }
        let number = |name: &'static str, most: usize| -> Result<Option<usize>, ApiError> {
            let Some(value) = request.headers.get(name) else { return Ok(None) };
            let number = value.to_str().ok().and_then(|text| text.parse::<usize>().ok());
            let refused =
                || ApiError::invalid_argument(format!("{name} must be a number from 0 to 2147483647"));
            number.map(|number| Some(number.min(most))).ok_or_else(refused)
        };
        let named =
            get::query_pairs(request.uri.query().unwrap_or_default()).find(|(name, _)| name == "versionId");
        Ok(Self {
            attributes,
            version: version::wanted(named.as_ref().map(|(_, value)| value.as_ref()))?,
            limit: number("x-amz-max-parts", MAX_PARTS)?.unwrap_or(MAX_PARTS),
            after: number("x-amz-part-number-marker", usize::from(u16::MAX))?
                .and_then(|after| u16::try_from(after).ok())
                .unwrap_or_default(),
        })
    }

    fn wants(&self, name: &str) -> bool {
        self.attributes.iter().any(|wanted| wanted == name)
    }
}

/// Answers GetObjectAttributes.
///
/// # Errors
/// As GetObject; InvalidArgument for an attribute that there is not.
pub(super) async fn get(
    reader: Reader<'_>,
    access: &Access<'_>,
    key: &str,
    request: &request::Parts,
) -> Result<Response<Body>, ApiError> {
    let asked = Asked::of(request)?;
    let object = reader.open(access, key, asked.version, CustomerHeaders::Own).await?;
    let named = asked.version != VersionRef::Current;
    let action = if named { "s3:GetObjectVersionAttributes" } else { "s3:GetObjectAttributes" };
    access.allow(action, Some(&object.info))?;
    let info = &object.info;
    let mut xml = Xml::default();
    xml.element("GetObjectAttributesResponse", |xml| {
        if asked.wants("ETag") {
            xml.text("ETag", &info.etag);
        }
        if asked.wants("Checksum")
            && let Some(sum) = &info.checksum
        {
            xml.element("Checksum", |xml| {
                xml.text(&checksum::element_of(sum.algorithm), &sum.value);
                xml.text("ChecksumType", headers::type_name(sum.kind));
            });
        }
        if asked.wants("ObjectParts")
            && let Some(parts) = &object.parts
        {
            xml.element("ObjectParts", |xml| write_parts(xml, &asked, parts));
        }
        if asked.wants("StorageClass") {
            xml.text("StorageClass", info.headers.storage_class.as_deref().unwrap_or("STANDARD"));
        }
        if asked.wants("ObjectSize") {
            xml.text("ObjectSize", &info.size.to_string());
        }
    });
    Ok(answer(access, info, xml))
}

fn write_parts(xml: &mut Xml, asked: &Asked, parts: &[PartInfo]) {
    let mut following = parts.iter().filter(|part| part.number > asked.after);
    let page: Vec<&PartInfo> = following.by_ref().take(asked.limit).collect();
    xml.text("PartsCount", &parts.len().to_string());
    xml.text("PartNumberMarker", &asked.after.to_string());
    if let Some(last) = page.last() {
        xml.text("NextPartNumberMarker", &last.number.to_string());
    }
    xml.text("MaxParts", &asked.limit.to_string());
    xml.text("IsTruncated", if following.next().is_some() { "true" } else { "false" });
    // AWS lists the parts only of an object that has a checksum for each of them.
    if !parts.iter().all(|part| part.checksum.is_some()) {
        return;
    }
    for part in page {
        xml.element("Part", |xml| {
            xml.text("PartNumber", &part.number.to_string());
            xml.text("Size", &part.size.to_string());
            if let Some((algorithm, value)) = &part.checksum {
                xml.text(&checksum::element_of(*algorithm), value);
            }
        });
    }
}

fn answer(access: &Access<'_>, info: &ObjectInfo, xml: Xml) -> Response<Body> {
    let mut answer = Response::new(Body::from(xml.into_string()));
    let out = answer.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    if let Ok(date) = HeaderValue::try_from(headers::http_date(info.last_modified)) {
        out.insert(HeaderName::from_static("last-modified"), date);
    }
    version::name(access.bucket, info.version, out);
    answer
}
