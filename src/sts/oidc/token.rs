//! A JSON Web Token taken apart. What it says counts only once its signature was verified.

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::catalog::Tags;
use crate::error::ApiError;
use crate::sts::web_identity::invalid;

/// Characters of a token.
const LONGEST: usize = 20_000;

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// RSA, PKCS #1 v1.5, SHA-256.
    Rs256,
    /// ECDSA on P-256, SHA-256.
    Es256,
}

/// A token.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "tls"),
    expect(dead_code, reason = "without it no signature can be checked, and every token is refused")
)]
pub(crate) struct Token {
    /// What is signed.
    pub(super) signed: String,
    pub(super) signature: Vec<u8>,
    pub(super) algorithm: Algorithm,
    /// The id of the key.
    pub(super) key_id: Option<String>,
    pub(crate) claims: Claims,
}

/// What a token says.
#[derive(Debug)]
pub(crate) struct Claims {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) audiences: Vec<String>,
    /// `azp`, where it is there.
    pub(crate) authorized_party: Vec<String>,
    /// `amr`.
    pub(crate) methods: Vec<String>,
    pub(crate) email: Vec<String>,
    pub(crate) expires: Timestamp,
    pub(crate) not_before: Option<Timestamp>,
    /// Of the claim `https://aws.amazon.com/tags`.
    pub(crate) tags: Tags,
    pub(crate) transitive: Vec<String>,
    pub(crate) source_identity: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// One text or several.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
    #[default]
    None,
}

impl Texts {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
            Self::None => Vec::new(),
        }
    }
}

#[derive(Deserialize)]
struct Body {
    iss: String,
    sub: String,
    #[serde(default)]
    aud: Texts,
    #[serde(default)]
    azp: Texts,
    #[serde(default)]
    amr: Texts,
    email: Option<String>,
    exp: f64,
    nbf: Option<f64>,
    #[serde(rename = "https://aws.amazon.com/tags", default)]
    tags: SessionTags,
    #[serde(rename = "https://aws.amazon.com/source_identity")]
    source_identity: Option<String>,
}

#[derive(Default, Deserialize)]
struct SessionTags {
    #[serde(default)]
    principal_tags: std::collections::BTreeMap<String, Texts>,
    #[serde(default)]
    transitive_tag_keys: Vec<String>,
}

impl Token {
    /// Takes a token apart.
    ///
    /// # Errors
    /// 400 InvalidIdentityToken.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let malformed = || invalid("The ID Token provided is not a valid JWT.");
        if text.len() > LONGEST {
            return Err(invalid(format!("A token may have {LONGEST} characters")));
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [header, body, signature] = parts.as_slice() else { return Err(malformed()) };
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| malformed());
        let Header { alg, kid, crit } = serde_json::from_slice(&decode(header)?).map_err(|_| malformed())?;
        let algorithm = match alg.as_str() {
            "RS256" => Algorithm::Rs256,
            "ES256" => Algorithm::Es256,
            other => {
                return Err(invalid(format!("Tokens are to be signed by RS256 or ES256, not {other:?}")));
            }
        };
        if crit.is_some() {
            return Err(invalid("The token's header has extensions that must be understood and are not"));
        }
        let claims: Body = serde_json::from_slice(&decode(body)?)
            .map_err(|error| invalid(format!("The claims of the token cannot be read: {error}")))?;
        Ok(Self {
            signed: format!("{header}.{body}"),
            signature: decode(signature)?,
            algorithm,
            key_id: kid,
            claims: claims.check()?,
        })
    }
}

impl Body {
    fn check(self) -> Result<Claims, ApiError> {
        let mut tags = Tags::new();
        for (key, values) in self.tags.principal_tags {
            let Ok([value]) = <[String; 1]>::try_from(values.into_vec()) else {
                return Err(invalid(format!("The tag {key} of the token must have one value")));
            };
            tags.insert(key, value);
        }
        let transitive = self.tags.transitive_tag_keys;
        if let Some(key) = transitive.iter().find(|key| !tags.contains_key(*key)) {
            return Err(invalid(format!("The transitive tag key {key} is not among the tags of the token")));
        }
        if self.sub.is_empty() || self.sub.len() > 255 {
            return Err(invalid("The sub of the token must have 1 to 255 characters"));
        }
        Ok(Claims {
            issuer: self.iss,
            subject: self.sub,
            audiences: self.aud.into_vec(),
            authorized_party: self.azp.into_vec(),
            methods: self.amr.into_vec(),
            email: self.email.into_iter().collect(),
            expires: time(self.exp)?,
            not_before: self.nbf.map(time).transpose()?,
            tags,
            transitive,
            source_identity: self.source_identity,
        })
    }
}

/// Seconds since 1970, as JSON has numbers.
fn time(seconds: f64) -> Result<Timestamp, ApiError> {
    let out_of_range = || invalid("A time of the token is out of range");
    let span = jiff::SignedDuration::try_from_secs_f64(seconds).map_err(|_| out_of_range())?;
    Timestamp::from_duration(span).map_err(|_| out_of_range())
}
