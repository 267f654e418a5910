//! URLs signed by this server, as an SDK makes them.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use http::Method;

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
}

impl Signer<'_> {
    /// A URL that gives whoever has it one request for a while. Whoever uses it must send `headers` too.
    ///
    /// # Errors
    /// A URL that is none.
    pub fn presign(
        &self,
        method: &Method,
        url: &str,
        headers: &[(&str, &str)],
        expires: Duration,
    ) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        let identity =
            Credentials::new(self.access_key_id, self.secret.expose(), None, None, "refract").into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(expires);
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name("s3")
            .time(self.time)
            .settings(settings)
            .build()?
            .into();
        let signed = headers.iter().copied();
        let signable = SignableRequest::new(method.as_str(), url, signed, SignableBody::UnsignedPayload)?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let mut request = http::Request::builder().method(method).uri(url).body(())?;
        instructions.apply_to_request_http1x(&mut request);
        Ok(request.uri().to_string())
    }
}
