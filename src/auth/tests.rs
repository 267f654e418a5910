//! Vectors, differential and negative tests of the verifier.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use axum::body::Body;
use http::Request;
use http::request::Parts;
use jiff::Timestamp;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;
use crate::secret::Secret;

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const NOW: u64 = 1_369_353_600;

struct Keys(&'static str, &'static str);

impl KeyStore for Keys {
    fn lookup(&self, id: &str, _: Option<&str>) -> Result<Option<KeyRecord>, ApiError> {
        Ok((id == self.0).then(|| KeyRecord {
            secret: Secret::new(self.1),
            principal: Arc::new(Principal::root("123456789012", id)),
            active: true,
            session_token: None,
            expires: None,
            signing: Some(Arc::default()),
        }))
    }
}

fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn check(parts: &Parts) -> Result<Outcome, ApiError> {
    let now = Timestamp::from_second(NOW as i64).unwrap();
    authenticate(parts, &Keys(ID, SECRET), now, &AuthOptions::default(), None)
}

fn code(parts: &Parts) -> String {
    check(parts).unwrap_err().code.into_owned()
}

fn verified(outcome: Result<Outcome, ApiError>) -> Authenticated {
    match outcome.unwrap() {
        Outcome::Authenticated(found) => *found,
        other => panic!("{other:?}"),
    }
}

const S3_GET: &str = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
    SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
    Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";

fn documented_get(range: &str, authorization: &str) -> Parts {
    parts(
        "GET",
        "/test.txt",
        &[
            ("host", "examplebucket.s3.amazonaws.com"),
            ("range", range),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-content-sha256", payload::EMPTY),
            ("authorization", authorization),
        ],
    )
}

#[test]
fn s3_documentation_get() {
    let found = verified(check(&documented_get("bytes=0-9", S3_GET)));
    assert_eq!((found.method, found.at), (AuthMethod::Header, signed_at("20130524T000000Z")));
    assert_eq!(code(&documented_get("bytes=0-8", S3_GET)), "SignatureDoesNotMatch");
    assert_eq!(code(&documented_get("bytes=0-9", &S3_GET.replace(ID, "AKIA0"))), "InvalidAccessKeyId");
}

#[test]
fn dates_are_moments_that_there_are() {
    let at = |text| signed_at(text).map(|at| at.to_string());
    assert_eq!(at("20240229T235960Z").unwrap(), "2024-02-29T23:59:59Z");
    for none in [
        "20230229T000000Z",
        "20240101T240000Z",
        "20240101T006000Z",
        "20240101T000061Z",
        "2024010aT000000Z",
        "20240101T000000",
    ] {
        assert_eq!(at(none), None, "{none}");
    }
}

#[test]
fn what_signed_a_request_is_taken_out_of_it() {
    for (before, after) in [
        ("/k?", "/k"),
        ("/k?acl&a=%2B", "/k?acl&a=%2B"),
        ("/k?X-Amz-Date=1&acl", "/k?acl"),
        ("/k?x-amz-signature=1", "/k"),
    ] {
        let mut request =
            parts("GET", before, &[("authorization", "x"), ("x-amz-date", "1"), ("x-amz-acl", "private")]);
        strip(&mut request);
        assert_eq!((request.uri.to_string().as_str(), request.headers.len()), (after, 1));
    }
}

#[test]
fn unsigned_amz_header_and_second_mechanism() {
    let mut request = documented_get("bytes=0-9", S3_GET);
    request.headers.insert("x-amz-acl", "public-read".parse().unwrap());
    assert_eq!(code(&request), "AccessDenied");
    let mut request = documented_get("bytes=0-9", S3_GET);
    request.uri = "/test.txt?Signature=a".parse().unwrap();
    assert_eq!(code(&request), "InvalidArgument");
    assert!(matches!(check(&parts("GET", "/", &[("host", "h")])), Ok(Outcome::Anonymous)));
}

#[test]
fn s3_documentation_presigned_then_expired() {
    let uri = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let mut request = parts("GET", uri, &[("host", "examplebucket.s3.amazonaws.com")]);
    verified(check(&request));
    let late = Timestamp::from_second(NOW as i64 + 86_401).unwrap();
    let error = authenticate(&request, &Keys(ID, SECRET), late, &AuthOptions::default(), None).unwrap_err();
    assert_eq!(error.message, "Request has expired");
    strip(&mut request);
    assert_eq!(request.uri, "/test.txt");
}

/// From the SigV4 test suite: get-vanilla, get-vanilla-query-order-key-case.
#[test]
fn suite() {
    let keys = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    let now: Timestamp = "2015-08-30T12:36:00Z".parse().unwrap();
    for (uri, signature) in [
        ("/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("/example/..", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("/./", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    ] {
        let header = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        let request = parts(
            "GET",
            uri,
            &[
                ("host", "example.amazonaws.com"),
                ("x-amz-date", "20150830T123600Z"),
                ("authorization", &header),
            ],
        );
        verified(authenticate(&request, &keys, now, &AuthOptions::default(), None));
    }
}

/// The chunked upload of the S3 documentation.
fn documented_chunks() -> (Parts, Vec<u8>) {
    let authorization = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    let request = parts(
        "PUT",
        "/examplebucket/chunkObject.txt",
        &[
            ("host", "s3.amazonaws.com"),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("authorization", authorization),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            ("content-encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", "66560"),
            ("content-length", "66824"),
        ],
    );
    let mut body = Vec::new();
    for (size, signature) in [
        (65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ] {
        body.extend_from_slice(format!("{size:x};chunk-signature={signature}\r\n").as_bytes());
        body.extend(std::iter::repeat_n(b'a', size));
        body.extend_from_slice(b"\r\n");
    }
    (request, body)
}

async fn read(
    auth: Option<&Authenticated>,
    parts: &mut Parts,
    bytes: Vec<u8>,
) -> Result<(Vec<u8>, Trailers), String> {
    let (body, trailers) = body(auth, parts, Body::from(bytes)).map_err(|e| e.code.into_owned())?;
    let bytes = axum::body::to_bytes(body, usize::MAX).await.map_err(|error| error.to_string())?;
    Ok((bytes.to_vec(), trailers))
}

#[tokio::test]
async fn s3_documentation_chunked_upload() {
    let (mut request, body) = documented_chunks();
    let auth = verified(check(&request));
    let (bytes, _) = read(Some(&auth), &mut request, body.clone()).await.unwrap();
    assert_eq!(bytes, vec![b'a'; 66_560]);
    assert!(!request.headers.contains_key("content-encoding"));
    for at in [100, 65_700, body.len() - 10] {
        let mut wrong = body.clone();
        wrong[at] ^= 1;
        assert!(read(Some(&auth), &mut documented_chunks().0, wrong).await.is_err(), "byte {at}");
    }
    let cut = body[..body.len() - 90].to_vec();
    assert!(read(Some(&auth), &mut documented_chunks().0, cut).await.is_err());
}

#[tokio::test]
async fn unsigned_chunks_give_their_trailer_and_refuse_others() {
    let headers = [
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "5"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
        ("content-encoding", "gzip,aws-chunked"),
    ];
    let good = b"3\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:hYfYEg==\r\n\r\n".to_vec();
    let mut request = parts("PUT", "/b/k", &headers);
    let (bytes, trailers) = read(None, &mut request, good).await.unwrap();
    assert_eq!(
        (bytes.as_slice(), &request.headers["content-encoding"]),
        (b"abcde".as_slice(), &"gzip".parse().unwrap())
    );
    assert_eq!(trailers.get().unwrap()["x-amz-checksum-crc32"], "hYfYEg==");
    for bad in [
        "5\r\nabcde\r\n0\r\n\r\n",
        "6\r\nabcdef\r\n0\r\n\r\n",
        "5\r\nabcdeXX0\r\n",
        "5\r\nabcde\r\n",
        "5\r\nabcde\r\n0\r\nx-other:1\r\n\r\n",
        "zz\r\n",
        "",
    ] {
        assert!(read(None, &mut parts("PUT", "/b/k", &headers), bad.into()).await.is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn a_wrong_body_hash_and_a_short_body_fail_the_stream() {
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(b"right"));
    let headers = [("x-amz-content-sha256", hash.as_str()), ("content-length", "5")];
    assert!(read(None, &mut parts("PUT", "/", &headers), b"right".to_vec()).await.is_ok());
    let error = read(None, &mut parts("PUT", "/", &headers), b"wrong".to_vec()).await.unwrap_err();
    assert!(error.contains("XAmzContentSHA256Mismatch"), "{error}");
    assert!(read(None, &mut parts("PUT", "/", &headers), b"rig".to_vec()).await.is_err());
}

/// Signs with AWS's own signer.
fn signed(path: &str, query: &str, service: &str, presigned: bool) -> Parts {
    let uri = format!("http://example.com{path}?{query}");
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    if presigned {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(60));
    } else {
        settings.payload_checksum_kind = aws_sigv4::http_request::PayloadChecksumKind::XAmzSha256;
    }
    let identity = Credentials::from_keys(ID, SECRET, None).into();
    let time: SystemTime = UNIX_EPOCH + Duration::from_secs(NOW);
    let params = SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name(service)
        .time(time)
        .settings(settings)
        .build()
        .unwrap();
    let body =
        if presigned && service == "s3" { SignableBody::UnsignedPayload } else { SignableBody::Bytes(b"") };
    let headers = [("host", "example.com"), ("x-amz-meta-a", "b  c")];
    let request = SignableRequest::new("GET", &uri, headers.into_iter(), body).unwrap();
    let (instructions, _) = sign(request, &params.into()).unwrap().into_parts();
    let mut request =
        Request::get(&uri).header("host", "example.com").header("x-amz-meta-a", "b  c").body(()).unwrap();
    instructions.apply_to_request_http1x(&mut request);
    request.into_parts().0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_aws_signs_is_verified(
        path in "/([a-zA-Z0-9._~-]|%20|%C3%A9|/){0,20}",
        query in "[a-z]{1,4}=([a-z0-9]|%20|%2B|%2F){0,6}(&[a-z]{1,4}=[a-z]{0,3}){0,3}",
        service in prop_oneof![Just("s3"), Just("lambda")],
        presigned: bool,
    ) {
        let request = signed(&path, &query, service, presigned);
        verified(check(&request));
    }

    #[test]
    fn one_changed_byte_is_refused(field in 0_usize..5, at: usize, presigned: bool) {
        let mut request = signed("/bucket/some/key", "prefix=abc&list-type=2", "s3", presigned);
        let flip = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] = if bytes[at] == b'a' { b'b' } else { b'a' };
            String::from_utf8(bytes).unwrap()
        };
        match field {
            0 => request.method = http::Method::PUT,
            1 => {
                let path = flip("bucket/some/key");
                request.uri = format!("/{path}?{}", request.uri.query().unwrap()).parse().unwrap();
            }
            2 => {
                let query = flip("prefix=abc&list-type=2");
                let rest = request.uri.query().unwrap().replace("prefix=abc&list-type=2", &query);
                request.uri = format!("/bucket/some/key?{rest}").parse().unwrap();
            }
            3 => { request.headers.insert("x-amz-meta-a", flip("b c").parse().unwrap()); }
            _ if presigned => {
                let (rest, signature) = request.uri.path_and_query().unwrap().as_str().split_once("X-Amz-Signature=").unwrap();
                let (signature, tail) = signature.split_at(64);
                request.uri = format!("{rest}X-Amz-Signature={}{tail}", flip(signature)).parse().unwrap();
            }
            _ => {
                let text = request.headers["authorization"].to_str().unwrap();
                let (rest, signature) = text.split_once("Signature=").unwrap();
                let text = format!("{rest}Signature={}", flip(signature));
                request.headers.insert("authorization", text.parse().unwrap());
            }
        }
        prop_assert_eq!(check(&request).unwrap_err().status, http::StatusCode::FORBIDDEN);
    }
}

#[test]
fn a_body_is_waited_for_only_by_a_key_that_is_there() {
    let unhashed = |key: &str| {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={key}/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-date,\
             Signature={:064}",
            0
        );
        parts(
            "PUT",
            "/test.txt",
            &[
                ("host", "examplebucket.s3.amazonaws.com"),
                ("x-amz-date", "20130524T000000Z"),
                ("content-length", "5"),
                ("authorization", &authorization),
            ],
        )
    };
    assert!(matches!(check(&unhashed(ID)), Ok(Outcome::NeedsBodyHash)));
    assert_eq!(code(&unhashed("AKIA0")), "InvalidAccessKeyId");
}
