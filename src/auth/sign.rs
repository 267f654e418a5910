//! URLs signed by this server, as an SDK makes them ("Authenticating Requests: Using Query Parameters", S3 API reference).

use std::time::{Duration, SystemTime};

use data_encoding::HEXLOWER;
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderName, HeaderValue, Method, Request};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::canonical::{self, strict};
use super::signing_key::{SigningKey, SigningKeys};
use super::sigv4::ALGORITHM;
use crate::secret::Secret;

/// What a URL is signed with.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// Access key id.
    pub access_key_id: &'a str,
    /// Its secret.
    pub secret: &'a Secret,
    /// Region of the scope.
    pub region: &'a str,
    /// When.
    pub time: SystemTime,
    /// Where whoever verifies the URL looks for what was derived from the secret.
    pub signing: Option<&'a SigningKeys>,
}

impl Signer<'_> {
    /// A URL that gives whoever has it one request for a while. Whoever uses it must send `headers` too.
    ///
    /// # Errors
    /// A URL that is none, or a header that is none.
    pub fn presign(
        &self,
        method: &Method,
        url: &str,
        headers: &[(&str, &str)],
        expires: Duration,
    ) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        let at = Timestamp::try_from(self.time)?;
        let stamp = at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = stamp.split('T').next().unwrap_or_default();
        let scope = [day, self.region, "s3", "aws4_request"].join("/");
        let mut signed: Vec<String> = headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        signed.push(HOST.as_str().to_owned());
        signed.sort();
        signed.dedup();
        let mut url = format!(
            "{url}{}X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={}%2F{}&X-Amz-Date={stamp}&X-Amz-Expires={}\
             &X-Amz-SignedHeaders={}",
            if url.contains('?') { '&' } else { '?' },
            strict(self.access_key_id),
            strict(&scope),
            expires.as_secs(),
            strict(&signed.join(";")),
        );
        let (mut parts, ()) = Request::builder().method(method).uri(&url).body(())?.into_parts();
        for (name, value) in headers {
            parts.headers.append(HeaderName::try_from(*name)?, HeaderValue::try_from(*value)?);
        }
        let authority = parts.uri.authority().ok_or("a URL without a host")?;
        parts.headers.insert(HOST, HeaderValue::from_str(sent_host(authority, parts.uri.scheme_str()))?);
        let names: Vec<&str> = signed.iter().map(String::as_str).collect();
        let path = if parts.uri.path().is_empty() { "/" } else { parts.uri.path() };
        let request =
            canonical::request(&parts, path, &names, "UNSIGNED-PAYLOAD").ok_or("a header is gone")?;
        let text = [ALGORITHM, &stamp, &scope, &HEXLOWER.encode(&Sha256::digest(&request))].join("\n");
        let key = SigningKey::derive(self.secret, at, self.region, "s3");
        if let Some(keys) = self.signing {
            keys.keep(&scope, &key);
        }
        url.push_str("&X-Amz-Signature=");
        url.push_str(&key.sign(text.as_bytes()));
        Ok(url)
    }
}

/// The Host header that goes with a URL: a port that the scheme implies is not sent.
fn sent_host<'a>(authority: &'a Authority, scheme: Option<&str>) -> &'a str {
    let implied = if scheme == Some("https") { 443 } else { 80 };
    match authority.port_u16() {
        Some(port) if port == implied => authority.host(),
        _ => authority.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;
    use aws_sigv4::http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
        SigningSettings, UriPathNormalizationMode, sign,
    };
    use aws_sigv4::sign::v4::SigningParams;

    use super::*;

    const EXPIRES: Duration = Duration::from_secs(61);

    /// The same URL as the library of AWS makes it.
    fn by_the_library(signer: &Signer<'_>, method: &Method, url: &str, headers: &[(&str, &str)]) -> String {
        let identity =
            Credentials::new(signer.access_key_id, signer.secret.expose(), None, None, "test").into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(EXPIRES);
        let params = SigningParams::builder()
            .identity(&identity)
            .region(signer.region)
            .name("s3")
            .time(signer.time)
            .settings(settings);
        let params = params.build().unwrap().into();
        let signable = SignableRequest::new(
            method.as_str(),
            url,
            headers.iter().copied(),
            SignableBody::UnsignedPayload,
        );
        let (instructions, _) = sign(signable.unwrap(), &params).unwrap().into_parts();
        let mut request = Request::builder().method(method).uri(url).body(()).unwrap();
        instructions.apply_to_request_http1x(&mut request);
        request.uri().to_string()
    }

    #[test]
    fn urls_are_those_of_the_library_of_aws() {
        let secret = Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let keys = SigningKeys::default();
        let signer = Signer {
            access_key_id: "AKIA+/EXAMPLE",
            secret: &secret,
            region: "eu-central-1",
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000),
            signing: Some(&keys),
        };
        for (method, url, headers) in [
            (Method::GET, "http://127.0.0.1:9000/b/k", vec![]),
            (Method::HEAD, "https://h.example:443/b/a%20b%2Bc~/d", vec![]),
            (
                Method::PUT,
                "http://h.example/k?versionId=a%2Bb&x-id=GetObject&acl",
                vec![("Range", "bytes=0-9")],
            ),
            (Method::GET, "http://h.example:80/", vec![("x-amz-b", " 2  3 "), ("x-amz-a", "1")]),
        ] {
            let ours = signer.presign(&method, url, &headers, EXPIRES).unwrap();
            assert_eq!(ours, by_the_library(&signer, &method, url, &headers), "{url}");
        }
        assert!(keys.get("20261118/eu-central-1/s3/aws4_request").is_some());
        assert!(signer.presign(&Method::GET, "/no/host", &[], EXPIRES).is_err());
    }
}
