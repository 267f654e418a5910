//! The five checksum kinds of S3: their header names, and the check of what a client claims.

use data_encoding::BASE64;
use http::request::Parts;
use http::{HeaderMap, HeaderName, StatusCode};

use crate::error::ApiError;
use crate::store::{Checksum, ChecksumAlgorithm, ChecksumType, Digests, Staged};

/// All kinds, with the header that carries each and the name that the API gives it.
pub(crate) const KINDS: [(ChecksumAlgorithm, &str, &str); 5] = [
    (ChecksumAlgorithm::Crc32, "x-amz-checksum-crc32", "CRC32"),
    (ChecksumAlgorithm::Crc32c, "x-amz-checksum-crc32c", "CRC32C"),
    (ChecksumAlgorithm::Crc64Nvme, "x-amz-checksum-crc64nvme", "CRC64NVME"),
    (ChecksumAlgorithm::Sha1, "x-amz-checksum-sha1", "SHA1"),
    (ChecksumAlgorithm::Sha256, "x-amz-checksum-sha256", "SHA256"),
];

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// Header that carries a checksum of this kind.
pub(crate) fn header_of(algorithm: ChecksumAlgorithm) -> &'static str {
    match algorithm {
        ChecksumAlgorithm::Crc32 => KINDS[0].1,
        ChecksumAlgorithm::Crc32c => KINDS[1].1,
        ChecksumAlgorithm::Crc64Nvme => KINDS[2].1,
        ChecksumAlgorithm::Sha1 => KINDS[3].1,
        ChecksumAlgorithm::Sha256 => KINDS[4].1,
    }
}

/// The name that the API gives a kind.
pub(crate) fn name_of(algorithm: ChecksumAlgorithm) -> &'static str {
    match algorithm {
        ChecksumAlgorithm::Crc32 => KINDS[0].2,
        ChecksumAlgorithm::Crc32c => KINDS[1].2,
        ChecksumAlgorithm::Crc64Nvme => KINDS[2].2,
        ChecksumAlgorithm::Sha1 => KINDS[3].2,
        ChecksumAlgorithm::Sha256 => KINDS[4].2,
    }
}

/// The element that carries a kind in documents.
pub(crate) fn element_of(algorithm: ChecksumAlgorithm) -> String {
    format!("Checksum{}", name_of(algorithm))
}

/// The kind with this name, in any letter case.
///
/// # Errors
/// 400 InvalidRequest, naming the five.
pub(crate) fn by_name(name: &str) -> Result<ChecksumAlgorithm, ApiError> {
    KINDS.iter().find(|kind| kind.2.eq_ignore_ascii_case(name)).map(|kind| kind.0).ok_or_else(|| {
        ApiError::invalid_request(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
             [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
        )
    })
}

/// What an upload says of its checksum before its body comes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The kind, from a checksum header, a declared trailer, or the algorithm header.
    pub(crate) algorithm: Option<ChecksumAlgorithm>,
    /// The value in base64, where it came as a header.
    value: Option<String>,
    /// The value is promised in the trailer.
    in_trailer: bool,
    /// Content-MD5, decoded.
    md5: Option<[u8; 16]>,
}

impl Claim {
    /// Reads the headers of an upload.
    ///
    /// # Errors
    /// Two checksums at once, a value that is no base64 of the right length, a bad Content-MD5.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, ApiError> {
        let mut claim = Self::default();
        if let Some(value) = headers.get("content-md5") {
            let bytes = BASE64.decode(value.as_bytes()).ok().and_then(|b| <[u8; 16]>::try_from(b).ok());
            claim.md5 = Some(bytes.ok_or_else(|| {
                ApiError::new(
                    StatusCode::BAD_REQUEST,
                    "InvalidDigest",
                    "The Content-MD5 you specified is not valid.",
                )
            })?);
        }
        for (algorithm, header, _) in KINDS {
            let Some(value) = headers.get(header) else { continue };
            if claim.value.is_some() {
                return Err(ApiError::invalid_request(
                    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
                ));
            }
            let valid = BASE64.decode(value.as_bytes()).is_ok_and(|b| b.len() == digest_length(algorithm));
            let text =
                value.to_str().ok().filter(|_| valid).ok_or_else(|| {
                    ApiError::invalid_request(format!("Value for {header} header is invalid."))
                })?;
            claim.algorithm = Some(algorithm);
            claim.value = Some(text.to_owned());
        }
        let trailer = headers.get("x-amz-trailer").and_then(|v| v.to_str().ok()).unwrap_or_default();
        for name in trailer.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let Some(kind) = KINDS.iter().find(|kind| kind.1.eq_ignore_ascii_case(name)) else { continue };
            if claim.algorithm.is_some_and(|other| other != kind.0) || claim.value.is_some() {
                return Err(ApiError::invalid_request(
                    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
                ));
            }
            claim.algorithm = Some(kind.0);
            claim.in_trailer = true;
        }
        for header in ["x-amz-sdk-checksum-algorithm", "x-amz-checksum-algorithm"] {
            let Some(name) = headers.get(header).and_then(|v| v.to_str().ok()) else { continue };
            let named = by_name(name)?;
            match claim.algorithm {
                Some(given) if given != named => {
                    return Err(ApiError::invalid_request(format!(
                        "Value for {header} header is invalid: it names {name}, but the checksum given is {}.",
                        name_of(given)
                    )));
                }
                _ => claim.algorithm = Some(named),
            }
        }
        Ok(claim)
    }

    /// Reads the headers of a request whose body is an XML document.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    pub(crate) fn of_document(parts: &Parts) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        if query.split('&').any(|pair| pair.starts_with("uploadId=")) {
            // CompleteMultipartUpload: the checksums are those of the object.
            let md5 = parts.headers.get("content-md5").cloned();
            return Self::read(&md5.map(|md5| (CONTENT_MD5, md5)).into_iter().collect());
        }
        Self::read(&parts.headers)
    }

    /// Whether there is something to check.
    pub(crate) fn says_something(&self) -> bool {
        self.md5.is_some() || self.value.is_some() || self.in_trailer
    }

    /// Checks what was staged against the claim and the trailers, and answers the checksum to keep: of the kind
    /// claimed, or CRC64NVME.
    ///
    /// # Errors
    /// 400 BadDigest when a value differs; InvalidRequest when a promised trailer did not come.
    pub(crate) fn verify(&self, staged: &Staged, trailers: Option<&HeaderMap>) -> Result<Checksum, ApiError> {
        let Staged { size, md5, crc64nvme, checksum, .. } = staged;
        let digests = Digests { size: *size, md5: *md5, crc64nvme: *crc64nvme, checksum: checksum.clone() };
        self.verify_digests(&digests, trailers)
    }

    /// The same of a document that is hashed in memory.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub(crate) fn verify_digests(
        &self,
        digests: &Digests,
        trailers: Option<&HeaderMap>,
    ) -> Result<Checksum, ApiError> {
        if self.md5.is_some_and(|md5| md5 != digests.md5) {
            return Err(bad_digest("Content-MD5"));
        }
        let computed = match (&self.algorithm, &digests.checksum) {
            (Some(_), Some((algorithm, digest))) => Checksum {
                algorithm: *algorithm,
                kind: ChecksumType::FullObject,
                value: BASE64.encode(digest),
            },
            (Some(ChecksumAlgorithm::Crc64Nvme) | None, _) => Checksum {
                algorithm: ChecksumAlgorithm::Crc64Nvme,
                kind: ChecksumType::FullObject,
                value: BASE64.encode(&digests.crc64nvme.to_be_bytes()),
            },
            (Some(_), None) => {
                return Err(ApiError::internal("the store computed no checksum of the kind asked for"));
            }
        };
        let header = header_of(computed.algorithm);
        if self.value.as_ref().is_some_and(|value| *value != computed.value) {
            return Err(bad_digest(header));
        }
        if self.in_trailer {
            let sent = trailers.and_then(|map| map.get(header)).ok_or_else(|| {
                ApiError::invalid_request(format!(
                    "x-amz-trailer names {header}, but the trailer did not come."
                ))
            })?;
            if sent.as_bytes() != computed.value.as_bytes() {
                return Err(bad_digest(header));
            }
        }
        Ok(computed)
    }
}

/// Digest length in bytes.
fn digest_length(algorithm: ChecksumAlgorithm) -> usize {
    match algorithm {
        ChecksumAlgorithm::Crc32 | ChecksumAlgorithm::Crc32c => 4,
        ChecksumAlgorithm::Crc64Nvme => 8,
        ChecksumAlgorithm::Sha1 => 20,
        ChecksumAlgorithm::Sha256 => 32,
    }
}

fn bad_digest(header: &str) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "BadDigest",
        format!("The {header} you specified did not match the calculated checksum."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(pairs: &[(&'static str, &str)]) -> Result<Claim, ApiError> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        Claim::read(&headers)
    }

    #[test]
    fn one_checksum_is_read_from_header_trailer_or_algorithm() {
        assert_eq!(claim(&[]).unwrap(), Claim::default());
        let given = claim(&[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-sdk-checksum-algorithm", "CRC32")])
            .unwrap();
        assert_eq!((given.algorithm, given.in_trailer), (Some(ChecksumAlgorithm::Crc32), false));
        let given = claim(&[("x-amz-trailer", "x-amz-checksum-crc64nvme")]).unwrap();
        assert_eq!((given.algorithm, given.in_trailer), (Some(ChecksumAlgorithm::Crc64Nvme), true));
        assert_eq!(
            claim(&[("x-amz-checksum-algorithm", "sha1")]).unwrap().algorithm,
            Some(ChecksumAlgorithm::Sha1)
        );
    }

    #[test]
    fn contradictions_and_bad_values_are_named() {
        for pairs in [
            &[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-checksum-sha1", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
                [..],
            &[("x-amz-checksum-crc32", "AAAA")],
            &[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-sdk-checksum-algorithm", "SHA256")],
            &[("x-amz-sdk-checksum-algorithm", "MD4")],
            &[("content-md5", "AAAA")],
        ] {
            assert_eq!(claim(pairs).unwrap_err().status, 400, "{pairs:?}");
        }
    }
}
