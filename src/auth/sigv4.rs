//! SigV4 in the Authorization header and in the query.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::canonical::{self, is_s3, one};
use super::errors::{self, Place};
use super::payload::EMPTY;
use super::presign::Presigned;
use super::signing_key::SigningKey;
use super::{AuthMethod, AuthOptions, Authenticated, KeyStore, Outcome, PayloadMode, check_key, find_key};
use crate::error::ApiError;
use crate::headers::{AMZ_CONTENT_SHA256, AMZ_DATE, AMZ_SECURITY_TOKEN};
use data_encoding::HEXLOWER;
use http::header;
use http::request::Parts;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SKEW: SignedDuration = SignedDuration::from_mins(15);
pub(super) const MAX_EXPIRES: i64 = 604_800;

/// What the signatures of chunks are made with.
#[derive(Clone)]
pub struct ChunkKey {
    key: SigningKey,
    date: String,
    scope: String,
    previous: String,
}

impl fmt::Debug for ChunkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkKey").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl ChunkKey {
    /// Whether the next chunk's signature is right.
    pub(super) fn verify_chunk(&mut self, data: &[u8], given: &str) -> bool {
        let text = format!(
            "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{EMPTY}\n{}",
            self.date,
            self.scope,
            self.previous,
            HEXLOWER.encode(&Sha256::digest(data))
        );
        self.verify(&text, given)
    }

    /// Whether the trailer's signature is right; `trailer` is its canonical lines.
    pub(super) fn verify_trailer(&mut self, trailer: &[u8], given: &str) -> bool {
        let text = format!(
            "AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{}\n{}",
            self.date,
            self.scope,
            self.previous,
            HEXLOWER.encode(&Sha256::digest(trailer))
        );
        self.verify(&text, given)
    }

    fn verify(&mut self, text: &str, given: &str) -> bool {
        let right = self.key.verify(text.as_bytes(), given);
        if right {
            given.clone_into(&mut self.previous);
        }
        right
    }
}

struct Claim<'a> {
    place: Place,
    credential: &'a str,
    signed: &'a str,
    signature: &'a str,
    token: Option<&'a str>,
    at: Timestamp,
    /// The same as the client wrote it.
    stated: &'a str,
    payload: Option<&'a str>,
}

pub(super) fn by_header(
    parts: &Parts,
    header: &str,
    keys: &dyn KeyStore,
    now: Timestamp,
    options: &AuthOptions,
    body_hash: Option<[u8; 32]>,
) -> Result<Outcome, ApiError> {
    let place = Place::Header;
    let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
    if scheme != ALGORITHM {
        return Err(ApiError::invalid_argument("Unsupported Authorization Type"));
    }
    let (mut credential, mut signed, mut signature) = (None, None, None);
    for field in rest.split(',') {
        let (name, value) = field
            .trim()
            .split_once('=')
            .ok_or_else(|| place.malformed("The authorization header is malformed."))?;
        let slot = match name {
            "Credential" => &mut credential,
            "SignedHeaders" => &mut signed,
            "Signature" => &mut signature,
            _ => {
                return Err(
                    place.malformed("The authorization header is malformed; it has an unknown field.")
                );
            }
        };
        if slot.replace(value).is_some() {
            return Err(place.malformed("The authorization header is malformed; a field is there twice."));
        }
    }
    let (Some(credential), Some(signed), Some(signature)) = (credential, signed, signature) else {
        return Err(place.malformed(
            "The authorization header is malformed; Credential, SignedHeaders and Signature are required.",
        ));
    };
    // Some clients put HTTP's form into either header; what they sign is the same moment in the basic form.
    let stated = one(&parts.headers, &AMZ_DATE)?.or(one(&parts.headers, &header::DATE)?);
    let stated = stated.ok_or_else(errors::no_date)?;
    let at = any_date(stated).ok_or_else(errors::no_date)?;
    check_skew(at, now)?;
    let token = one(&parts.headers, &AMZ_SECURITY_TOKEN)?;
    let payload = one(&parts.headers, &AMZ_CONTENT_SHA256)?;
    let claim = Claim { place, credential, signed, signature, token, at, stated, payload };
    verify(parts, &claim, keys, now, options, body_hash)
}

pub(super) fn by_query(
    parts: &Parts,
    keys: &dyn KeyStore,
    now: Timestamp,
    options: &AuthOptions,
    body_hash: Option<[u8; 32]>,
) -> Result<Outcome, ApiError> {
    let place = Place::Query;
    let Presigned { required, token, payload: in_query } = Presigned::read(parts.uri.query().unwrap_or(""))?;
    let Some([algorithm, credential, signature, date, signed, expires]) = required else {
        return Err(place.malformed(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
             X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        ));
    };
    if algorithm != ALGORITHM {
        return Err(place.malformed("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
    }
    let expires: i64 = expires.parse().map_err(|_| place.malformed("X-Amz-Expires should be a number"))?;
    if expires > MAX_EXPIRES {
        return Err(place.malformed("X-Amz-Expires must be less than a week (in seconds); 604800 at most"));
    }
    if expires < 0 {
        return Err(place.malformed("X-Amz-Expires must be non-negative"));
    }
    let at = amz_date(&date).ok_or_else(|| {
        place.malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
    })?;
    let age = now.duration_since(at);
    if age < -SKEW {
        return Err(errors::denied("Request is not valid yet"));
    }
    if expires == 0 || age.as_secs() > expires {
        return Err(errors::denied("Request has expired"));
    }
    if token.is_some() && parts.headers.contains_key(&AMZ_SECURITY_TOKEN) {
        return Err(ApiError::invalid_argument("X-Amz-Security-Token was sent more than once."));
    }
    let token = match token.as_deref() {
        Some(token) => Some(token),
        None => one(&parts.headers, &AMZ_SECURITY_TOKEN)?,
    };
    let in_header = one(&parts.headers, &AMZ_CONTENT_SHA256)?;
    if in_query.is_some() && in_header.is_some() && in_query.as_deref() != in_header {
        return Err(ApiError::invalid_argument(
            "x-amz-content-sha256 was sent twice, with different values.",
        ));
    }
    let s3 = credential.split('/').nth_back(1).is_some_and(is_s3);
    let payload = in_query.as_deref().or(in_header).or_else(|| s3.then_some("UNSIGNED-PAYLOAD"));
    let (credential, signed, signature) = (&*credential, &*signed, &*signature);
    let claim = Claim { place, credential, signed, signature, token, at, stated: &date, payload };
    verify(parts, &claim, keys, now, options, body_hash)
}

/// Whether the clocks of client and server agree.
pub(super) fn check_skew(at: Timestamp, now: Timestamp) -> Result<(), ApiError> {
    if now.duration_since(at).abs() > SKEW { Err(errors::skewed()) } else { Ok(()) }
}

/// A date in any of the forms that clients send. Its day of the week need not be right.
pub(super) fn any_date(text: &str) -> Option<Timestamp> {
    let http_date = || Timestamp::try_from(httpdate::parse_http_date(text).ok()?).ok();
    let mail_date = || {
        let parser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
        parser.parse_timestamp(text).ok()
    };
    amz_date(text).or_else(http_date).or_else(mail_date).filter(|at| at.as_second() >= 0)
}

/// Whether a date has the shape in which it is signed.
fn is_basic(text: &str) -> bool {
    let right = |(at, byte): (usize, u8)| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 16 && text.bytes().enumerate().all(right)
}

/// `YYYYMMDDTHHMMSSZ`.
#[must_use]
pub fn amz_date(text: &str) -> Option<Timestamp> {
    if !is_basic(text) {
        return None;
    }
    let number = |range| text.get::<Range<usize>>(range)?.parse::<i8>().ok();
    let civil = DateTime::new(
        text.get(..4)?.parse().ok()?,
        number(4..6)?,
        number(6..8)?,
        number(9..11)?,
        number(11..13)?,
        // A leap second is the one before it.
        number(13..15).filter(|second| *second <= 60)?.min(59),
        0,
    )
    .ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

fn verify(
    parts: &Parts,
    claim: &Claim<'_>,
    keys: &dyn KeyStore,
    now: Timestamp,
    options: &AuthOptions,
    body_hash: Option<[u8; 32]>,
) -> Result<Outcome, ApiError> {
    let place = claim.place;
    let mut fields = claim.credential.rsplitn(5, '/');
    let (Some("aws4_request"), Some(service), Some(region), Some(date), Some(id)) =
        (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(place.malformed(
            "The Credential is malformed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
        ));
    };
    let stamp = match is_basic(claim.stated) {
        true => Cow::Borrowed(claim.stated),
        false => claim.at.strftime("%Y%m%dT%H%M%SZ").to_string().into(),
    };
    if stamp.get(..8) != Some(date) {
        return Err(
            place.malformed("Invalid credential date: it is not the same as the date of the request.")
        );
    }
    if let Some(expected) = options.region_strict.as_deref().filter(|expected| *expected != region) {
        return Err(place
            .malformed(format!("The region '{region}' is wrong; expecting '{expected}'"))
            .with_detail("Region", expected));
    }
    let signed: Vec<&str> = claim.signed.split(';').collect();
    if !signed.contains(&"host") {
        return Err(place.malformed("The host header must be signed: SignedHeaders does not name it."));
    }
    if signed.iter().any(|n| n.bytes().any(|b| b.is_ascii_uppercase())) || !signed.is_sorted_by(|a, b| a < b)
    {
        return Err(place.malformed("SignedHeaders must be in lower case, sorted, each once."));
    }
    if parts.headers.get_all(header::HOST).iter().count() > 1 {
        return Err(ApiError::invalid_argument("host was sent more than once."));
    }
    let unsigned: Vec<&str> = parts
        .headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| name.starts_with("x-amz-") && !signed.contains(name))
        .collect();
    if !unsigned.is_empty() {
        return Err(errors::denied("There were headers present in the request which were not signed")
            .with_detail("HeadersNotSigned", unsigned.join(", ")));
    }
    let empty = !parts.headers.contains_key(header::TRANSFER_ENCODING)
        && one(&parts.headers, &header::CONTENT_LENGTH)?.is_none_or(|length| length == "0");
    let hash = body_hash.map(|hash| HEXLOWER.encode(&hash));
    let payload = match (claim.payload, &hash) {
        (Some(text), _) => text,
        (None, Some(hash)) => hash,
        // HTTP/2 needs no Content-Length: only methods without a body are known to have none.
        (None, None) if empty && (parts.version < http::Version::HTTP_2 || parts.method.is_safe()) => EMPTY,
        (None, None) => {
            // Nobody's body is waited for without a key.
            find_key(keys, id, claim.token)?;
            return Ok(Outcome::NeedsBodyHash);
        }
    };
    let mode = PayloadMode::parse(payload)?;
    let record = find_key(keys, id, claim.token)?;
    let scope = claim.credential.get(id.len() + 1..).unwrap_or_default();
    let known = record.signing.as_ref().and_then(|keys| keys.get(scope));
    let is_known = known.is_some();
    let key = known.unwrap_or_else(|| SigningKey::derive(&record.secret, claim.at, region, service));
    let mut right = false;
    for path in canonical::paths(parts.uri.path(), service) {
        let Some(request) = canonical::request(parts, &path, &signed, payload) else { break };
        let digest = HEXLOWER.encode(&Sha256::digest(&request));
        let text = [ALGORITHM, &stamp, scope, &digest].join("\n");
        right |= key.verify(text.as_bytes(), claim.signature);
    }
    if !right {
        return Err(errors::signature_mismatch());
    }
    if let Some(keys) = record.signing.as_ref().filter(|_| !is_known) {
        keys.keep(scope, &key);
    }
    check_key(&record, claim.token, now)?;
    let method = match place {
        Place::Header => AuthMethod::Header,
        Place::Query => AuthMethod::PresignedV4,
    };
    let chunks = mode.is_chunked().then(|| ChunkKey {
        key,
        date: stamp.into_owned(),
        scope: scope.to_owned(),
        previous: claim.signature.to_owned(),
    });
    Ok(Outcome::Authenticated(Box::new(Authenticated {
        principal: record.principal,
        method,
        at: Some(claim.at),
        payload: mode,
        chunks,
    })))
}
