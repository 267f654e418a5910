//! Names of AWS's headers that every request is asked for: looked up by a name that is there already, a header is found
//! without reading the name first.

use http::HeaderName;

/// When a request was signed.
pub const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
/// What the signature says of the body.
pub const AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
/// The token of a temporary key.
pub const AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
/// Length of a body without its chunks.
pub const AMZ_DECODED_CONTENT_LENGTH: HeaderName = HeaderName::from_static("x-amz-decoded-content-length");
/// The account that a request of S3 Control is about.
pub const AMZ_ACCOUNT_ID: HeaderName = HeaderName::from_static("x-amz-account-id");
/// What a copy reads.
pub const AMZ_COPY_SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");
/// Whether a read is to tell of checksums.
pub const AMZ_CHECKSUM_MODE: HeaderName = HeaderName::from_static("x-amz-checksum-mode");
/// The account that the caller takes for the bucket's owner.
pub const AMZ_EXPECTED_BUCKET_OWNER: HeaderName = HeaderName::from_static("x-amz-expected-bucket-owner");
/// Where the website of a bucket leads from an object.
pub const AMZ_WEBSITE_REDIRECT_LOCATION: HeaderName =
    HeaderName::from_static("x-amz-website-redirect-location");
/// The storage class of an object.
pub const AMZ_STORAGE_CLASS: HeaderName = HeaderName::from_static("x-amz-storage-class");
/// The request's id, in an answer.
pub const AMZ_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
/// The same, as AWS's extended one.
pub const AMZ_ID_2: HeaderName = HeaderName::from_static("x-amz-id-2");
