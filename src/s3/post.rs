//! PostObject: the upload of a browser's form. Fields come before the file, whose bytes stream into the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header, request};
use multer::Field;

use crate::auth::{AuthOptions, KeyStore, Principal, form};
use crate::error::ApiError;
use crate::notification::Event;
use crate::policy::{Access, Asked, Origin, Said, Signed, Via};
use crate::store::{BodyError, Bucket, ByteStream, Tags, WriteCondition};
use crate::xml::Xml;

use super::post_policy::PostPolicy;
use super::post_stream::{MAX_BEFORE_FILE, Parts, Unread};
use super::{Api, headers, keys, put, version};

/// Bytes of all fields before the file (S3 API reference, "POST Object": 20 KB).
const MAX_FIELDS: usize = 20 << 10;
/// Number of fields before the file.
const MAX_COUNT: usize = 1000;

/// Who may sign a form, and how.
#[derive(Clone, Copy)]
pub struct Signers<'a> {
    /// Access keys.
    pub keys: &'a dyn KeyStore,
    /// What the verifier allows.
    pub options: &'a AuthOptions,
}

impl std::fmt::Debug for Signers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signers")
    }
}

/// Whether a request is a form's upload.
pub(super) fn is_form(request: &request::Parts) -> bool {
    request.method == http::Method::POST && boundary(&request.headers).is_some()
}

fn boundary(headers: &HeaderMap) -> Option<String> {
    multer::parse_boundary(headers.get(header::CONTENT_TYPE)?.to_str().ok()?).ok()
}

fn too_much(limit: &str) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "MaxPostPreDataLengthExceeded",
        format!("Your POST request fields preceding the upload file were too large: {limit}"),
    )
}

fn unread(why: Unread) -> ApiError {
    let error = match why {
        Unread::TooMuch => {
            return too_much(&format!("with the heads of their parts they may have {MAX_BEFORE_FILE} bytes"));
        }
        Unread::Malformed(error) => error,
    };
    // What a check of the bytes says comes through the parser as it is.
    if let BodyError::Rejected(error) = BodyError::of(&error) {
        return *error;
    }
    let message = "The body of your POST request is not well-formed multipart/form-data.";
    ApiError::new(StatusCode::BAD_REQUEST, "MalformedPOSTRequest", message).with_internal(error.to_string())
}

/// What comes before the file, by names in lower case.
struct Form {
    fields: BTreeMap<String, String>,
    file: Field<'static>,
}

impl Form {
    async fn read(headers: &HeaderMap, body: Body) -> Result<Self, ApiError> {
        let boundary = boundary(headers).unwrap_or_default();
        let mut parts = Parts::new(body.into_data_stream(), boundary);
        let mut fields = BTreeMap::new();
        let mut size = 0;
        while let Some(mut part) = parts.next().await.map_err(unread)? {
            let name = part.name().unwrap_or_default().to_ascii_lowercase();
            if name == "file" {
                parts.begin_file();
                return Ok(Self { fields, file: part });
            }
            let mut value = Vec::new();
            size += name.len();
            while let Some(chunk) = parts.chunk(&mut part).await.map_err(unread)? {
                size += chunk.len();
                if size > MAX_FIELDS {
                    return Err(too_much(&format!("their values may have {MAX_FIELDS} bytes")));
                }
                value.extend_from_slice(&chunk);
            }
            let value = String::from_utf8(value)
                .map_err(|_| ApiError::invalid_argument(format!("The field {name} is not valid UTF-8")))?;
            if fields.insert(name.clone(), value).is_some() {
                return Err(ApiError::invalid_argument(format!("The field {name} is there twice")));
            }
            if fields.len() > MAX_COUNT {
                return Err(ApiError::invalid_argument(format!("A form may have {MAX_COUNT} fields")));
            }
        }
        Err(ApiError::invalid_argument("POST requires exactly one file upload per request."))
    }

    /// Puts the file's name into fields that ask for it.
    fn fill_in(&mut self) {
        let name = self.file.file_name().unwrap_or_default();
        // Some browsers send the whole path.
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        for (field, value) in &mut self.fields {
            if field != "policy" && value.contains("${filename}") {
                *value = value.replace("${filename}", &name);
            }
        }
    }

    /// The fields that a PutObject would have as headers.
    fn headers(&self) -> Result<HeaderMap, ApiError> {
        const PLAIN: [&str; 6] = [
            "cache-control",
            "content-disposition",
            "content-encoding",
            "content-language",
            "content-type",
            "expires",
        ];
        let mut out = HeaderMap::new();
        for (name, value) in &self.fields {
            let signs = [
                "x-amz-algorithm",
                "x-amz-credential",
                "x-amz-date",
                "x-amz-signature",
                "x-amz-security-token",
            ];
            let target = match name.as_str() {
                "acl" => "x-amz-acl",
                name if signs.contains(&name) => continue,
                name if PLAIN.contains(&name) || name.starts_with("x-amz-") => name,
                _ => continue,
            };
            let refused = || ApiError::invalid_argument(format!("The field {name} cannot be used"));
            let target = HeaderName::try_from(target).map_err(|_| refused())?;
            out.insert(target, HeaderValue::try_from(value.as_bytes()).map_err(|_| refused())?);
        }
        Ok(out)
    }
}

/// Answers PostObject.
///
/// # Errors
/// As PutObject, and: MalformedPOSTRequest, InvalidPolicyDocument, AccessDenied where the policy does not allow the
/// form, EntityTooSmall, EntityTooLarge.
pub(super) async fn post_object(
    api: &Api,
    caller: Option<&Principal>,
    via: Option<&Via>,
    bucket: &Bucket,
    signers: Signers<'_>,
    request: &request::Parts,
    body: Body,
) -> Result<Response<Body>, ApiError> {
    let mut form = Form::read(&request.headers, body).await?;
    let now = api.clock.now();
    let field = |name: &str| form.fields.get(name).map(String::as_str);
    let signer = match caller {
        Some(caller) => Some(Arc::new(caller.clone())),
        None => self::form(field, signers.keys, now, signers.options)?,
    };
    let policy = match field("policy") {
        None => None,
        Some(policy) => {
            let decoded = data_encoding::BASE64.decode(policy.as_bytes());
            let refused = |_| {
                let message = "Invalid Policy: it is not base64";
                ApiError::new(StatusCode::BAD_REQUEST, "InvalidPolicyDocument", message)
            };
            Some(PostPolicy::parse(&decoded.map_err(refused)?)?)
        }
    };
    form.fill_in();
    if let Some(policy) = &policy {
        policy.check(&form.fields, &bucket.name, now)?;
    }
    let key = form.fields.get("key").cloned().ok_or_else(|| {
        ApiError::invalid_argument(
            "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
        )
    })?;
    keys::check(&key)?;
    let headers = form.headers()?;
    let origin = of_form(request, signer.is_some(), &form.fields);
    let access = Access {
        principal: signer.as_deref(),
        via,
        bucket,
        key: Some(&key),
        asked: Asked {
            headers: &headers,
            origin: Some(&origin),
            ..Asked::of(&request.headers, &request.uri, &request.extensions)
        },
        accounts: &api.accounts,
    };
    let tags = form.fields.get("tagging").map(|text| tags_of(text)).transpose()?;
    if tags.as_ref().is_some_and(|tags| !tags.is_empty()) {
        let said = Said {
            tags: tags.iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect(),
            ..Said::default()
        };
        let asked = Asked { said: Some(&said), ..access.asked };
        Access { asked, ..access }.allow_with_write("s3:PutObjectTagging")?;
    }
    let limits = policy.and_then(|policy| policy.length).unwrap_or((0, put::MAX_PUT));
    let limits = (limits.0, limits.1.min(put::MAX_PUT));
    let Form { fields, file } = form;
    let upload = put::Upload {
        headers: &headers,
        stream: within(file, limits),
        length: None,
        tags,
        condition: WriteCondition::Always,
        least: limits.0,
    };
    let written = put::write(api, &access, &key, upload, None).await?;
    written.tell(api, &access, &key, request, Event::Post).await?;
    answer(request, &fields, bucket, &key, &written)
}

/// Where a form came from, which is signed by its fields.
fn of_form(request: &request::Parts, signed: bool, fields: &BTreeMap<String, String>) -> Origin {
    let origin = request.extensions.get::<Origin>().copied().unwrap_or_default();
    if origin.signed.is_some() || !signed {
        return origin;
    }
    let v4 = fields.contains_key("x-amz-algorithm");
    let date = fields.get("x-amz-date").filter(|_| v4);
    let at = date.and_then(|date| crate::auth::signed_at(date));
    let version = if v4 { "AWS4-HMAC-SHA256" } else { "AWS" };
    Origin { signed: Some(Signed { auth_type: "POST", version, at }), ..origin }
}

/// The file's bytes, refused once they are too many.
fn within(file: Field<'static>, (_, most): (u64, u64)) -> ByteStream {
    let mut taken = 0;
    Box::pin(file.map(move |chunk| {
        let chunk = chunk.map_err(|error| BodyError::of(&error))?;
        taken += chunk.len() as u64;
        if taken > most {
            return Err(BodyError::Rejected(Box::new(put::too_large(taken, most))));
        }
        Ok(chunk)
    }))
}

/// Tags as the form has them: the document of PutObjectTagging.
fn tags_of(text: &str) -> Result<Tags, ApiError> {
    #[derive(serde::Deserialize)]
    struct Tagging {
        #[serde(rename = "TagSet")]
        set: TagSet,
    }
    #[derive(serde::Deserialize)]
    struct TagSet {
        #[serde(rename = "Tag", default)]
        tags: Vec<Tag>,
    }
    #[derive(serde::Deserialize)]
    struct Tag {
        #[serde(rename = "Key")]
        key: String,
        #[serde(rename = "Value", default)]
        value: String,
    }
    let tagging: Tagging =
        quick_xml::de::from_str(text).map_err(|error| super::malformed_xml(error.to_string()))?;
    headers::check_tags(tagging.set.tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

fn answer(
    request: &request::Parts,
    fields: &BTreeMap<String, String>,
    bucket: &Bucket,
    key: &str,
    written: &put::Written,
) -> Result<Response<Body>, ApiError> {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    const KEY: &percent_encoding::AsciiSet =
        &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    let etag = &written.info.etag;
    let mut answer = Response::new(Body::empty());
    put::describe(written, answer.headers_mut());
    version::name(bucket, written.info.version, answer.headers_mut());
    let mut set = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            answer.headers_mut().insert(name, value);
        }
    };
    let encoded = utf8_percent_encode(key, KEY).to_string();
    let redirect = fields.get("success_action_redirect").or_else(|| fields.get("redirect"));
    // One that is no URL counts as not there, as AWS has it.
    if let Some(to) = redirect.filter(|to| to.parse::<http::Uri>().is_ok_and(|to| to.scheme().is_some())) {
        let mark = if to.contains('?') { '&' } else { '?' };
        let query = format!("bucket={}&key={encoded}&etag=%22{etag}%22", bucket.name);
        set(header::LOCATION, format!("{to}{mark}{query}"));
        *answer.status_mut() = StatusCode::SEE_OTHER;
        return Ok(answer);
    }
    let host = request.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let location = format!("http://{host}/{}/{encoded}", bucket.name);
    set(header::LOCATION, location.clone());
    match fields.get("success_action_status").map(String::as_str) {
        Some("200") => {}
        Some("201") => {
            let mut xml = Xml::default();
            xml.element("PostResponse", |xml| {
                xml.text("Location", &location).text("Bucket", &bucket.name).text("Key", key);
                xml.text("ETag", &format!("\"{etag}\""));
            });
            set(header::CONTENT_TYPE, "application/xml".into());
            *answer.status_mut() = StatusCode::CREATED;
            *answer.body_mut() = Body::from(xml.into_string());
        }
        _ => *answer.status_mut() = StatusCode::NO_CONTENT,
    }
    Ok(answer)
}
