//! Server-side encryption on the wire: what a write asks for, the key that opens an object, and what answers tell of it.

use data_encoding::BASE64;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use md5::{Digest, Md5};
use s3s::dto::{
    DeleteBucketEncryptionInput, DeleteBucketEncryptionOutput, GetBucketEncryptionInput,
    GetBucketEncryptionOutput, PutBucketEncryptionInput, PutBucketEncryptionOutput, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use s3s::{S3Request, S3Response, S3Result};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::bucket::DefaultEncryption;
use crate::encryption::keyring::DEFAULT_KMS_KEY;
use crate::encryption::{DataKey, Encryption, Keyring, KeyringError, Kind};
use crate::error::ApiError;
use crate::store::{Bucket, UploadInfo};

use super::Api;

const SSE: &str = "x-amz-server-side-encryption";
const KMS_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const CONTEXT: &str = "x-amz-server-side-encryption-context";

/// Which headers carry a customer's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustomerHeaders {
    /// Those of the object that the request is for.
    Own,
    /// Those of the source of a copy.
    CopySource,
}

impl CustomerHeaders {
    /// Algorithm, key, MD5 of the key.
    fn names(self) -> [&'static str; 3] {
        match self {
            Self::Own => [
                "x-amz-server-side-encryption-customer-algorithm",
                "x-amz-server-side-encryption-customer-key",
                "x-amz-server-side-encryption-customer-key-md5",
            ],
            Self::CopySource => [
                "x-amz-copy-source-server-side-encryption-customer-algorithm",
                "x-amz-copy-source-server-side-encryption-customer-key",
                "x-amz-copy-source-server-side-encryption-customer-key-md5",
            ],
        }
    }
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>, name: &'static str) -> ApiError {
    ApiError::invalid_argument(message).with_detail("ArgumentName", name)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

/// Whether a request says anything of encryption: most do not, and are asked once instead of for every name.
fn are_any(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        let name = name.as_str().strip_prefix("x-amz-");
        name.is_some_and(|rest| rest.strip_prefix("copy-source-").unwrap_or(rest).starts_with("server-side-"))
    })
}

/// A key that a customer sent, and its MD5 in base64.
struct CustomerKey {
    key: DataKey,
    md5: String,
}

impl CustomerKey {
    /// The key of a request; `None` where it has none.
    fn read(headers: &HeaderMap, which: CustomerHeaders) -> Result<Option<Self>, ApiError> {
        if !are_any(headers) {
            return Ok(None);
        }
        let names = which.names();
        let [algorithm, key, md5] = names.map(|name| text(headers, name));
        let (algorithm, key, md5) = match (algorithm, key, md5) {
            (None, None, None) => return Ok(None),
            (Some(algorithm), Some(key), Some(md5)) => (algorithm, key, md5),
            (None, ..) => {
                return Err(invalid(
                    "Requests specifying Server Side Encryption with Customer provided keys must provide a valid \
                     encryption algorithm.",
                    names[0],
                ));
            }
            (_, None, _) => {
                return Err(invalid(
                    "Requests specifying Server Side Encryption with Customer provided keys must provide an \
                     appropriate secret key.",
                    names[1],
                ));
            }
            (.., None) => {
                return Err(invalid(
                    "Requests specifying Server Side Encryption with Customer provided keys must provide the client \
                     calculated MD5 of the secret key.",
                    names[2],
                ));
            }
        };
        if algorithm != "AES256" {
            return Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "InvalidEncryptionAlgorithmError",
                "The encryption request you specified is not valid. The valid value is AES256.",
            ));
        }
        let bytes = BASE64.decode(key.as_bytes()).map(Zeroizing::new).ok();
        let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        let bytes = bytes.ok_or_else(|| {
            invalid(
                "The secret key was invalid for the specified algorithm: it must have 256 bits.",
                names[1],
            )
        })?;
        let computed = BASE64.encode(&Md5::digest(bytes));
        if !bool::from(computed.as_bytes().ct_eq(md5.as_bytes())) {
            return Err(invalid(
                "The calculated MD5 hash of the key did not match the hash that was provided.",
                names[2],
            ));
        }
        Ok(Some(Self { key: DataKey::from_bytes(bytes), md5: computed }))
    }
}

/// How a write is to be encrypted: as its headers say, or else as the bucket does.
fn of_write(bucket: &Bucket, headers: &HeaderMap) -> Result<Option<(Kind, Option<DataKey>)>, ApiError> {
    let (method, key_id, context) = (text(headers, SSE), text(headers, KMS_KEY), text(headers, CONTEXT));
    if let Some(customer) = CustomerKey::read(headers, CustomerHeaders::Own)? {
        if method.is_some() || key_id.is_some() {
            return Err(invalid(
                "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
                SSE,
            ));
        }
        return Ok(Some((Kind::Customer { key_md5: customer.md5 }, Some(customer.key))));
    }
    let kms = |key_id: Option<&str>, context: Option<&str>| Kind::Kms {
        key_id: key_id.unwrap_or(DEFAULT_KMS_KEY).to_owned(),
        context: context.map(str::to_owned),
    };
    let kind = match method {
        None if key_id.is_some() || context.is_some() => {
            return Err(invalid(
                "The header x-amz-server-side-encryption must be aws:kms where a key or a context of it is given",
                SSE,
            ));
        }
        None => match &bucket.config.encryption {
            None => return Ok(None),
            Some(DefaultEncryption::S3) => Kind::S3,
            Some(DefaultEncryption::Kms { key_id, .. }) => kms(key_id.as_deref(), None),
        },
        Some("AES256") if key_id.is_some() || context.is_some() => {
            return Err(invalid(
                "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : \
                 aws:kms",
                SSE,
            ));
        }
        Some("AES256") => Kind::S3,
        Some("aws:kms") => kms(key_id, context),
        Some("aws:kms:dsse") => {
            return Err(ApiError::not_implemented(
                "Dual-layer encryption (aws:kms:dsse) is not implemented: use aws:kms",
            ));
        }
        Some(other) => {
            return Err(invalid("The encryption method specified is not supported", SSE)
                .with_detail("ArgumentValue", other));
        }
    };
    Ok(Some((kind, None)))
}

/// What binds a sealed data key to its object.
fn place(bucket: &Bucket, key: &str) -> String {
    format!("{}/{key}", bucket.id)
}

fn refused(error: KeyringError) -> ApiError {
    match error {
        KeyringError::NoSuchKey(id) => ApiError::new(
            StatusCode::BAD_REQUEST,
            "KMS.NotFoundException",
            format!("Key '{id}' does not exist: make it with `refract kms-key create`"),
        ),
        other => ApiError::internal(other.to_string()),
    }
}

/// The data key of an object that is about to be written, and what its head tells of it; `None` for one in plain.
///
/// # Errors
/// 400 InvalidArgument, InvalidEncryptionAlgorithmError, KMS.NotFoundException; 501 for DSSE.
pub(super) fn of_new_object(
    keyring: &Keyring,
    bucket: &Bucket,
    key: &str,
    headers: &HeaderMap,
) -> Result<Option<(DataKey, Encryption)>, ApiError> {
    let Some((kind, customer)) = of_write(bucket, headers)? else { return Ok(None) };
    keyring.seal(kind, customer.as_ref(), &place(bucket, key)).map(Some).map_err(refused)
}

/// The data key of an object that is there; `None` for one in plain.
///
/// # Errors
/// 400 InvalidRequest where a customer's key is missing, wrong, or of no use.
pub(super) fn unseal(
    keyring: &Keyring,
    bucket: &Bucket,
    key: &str,
    encryption: Option<&Encryption>,
    (headers, which): (&HeaderMap, CustomerHeaders),
) -> Result<Option<DataKey>, ApiError> {
    let customer = CustomerKey::read(headers, which)?;
    let of_no_use =
        || ApiError::invalid_request("The encryption parameters are not applicable to this object.");
    let Some(encryption) = encryption else {
        return if customer.is_some() { Err(of_no_use()) } else { Ok(None) };
    };
    let wrong = || {
        ApiError::invalid_request(
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to \
             retrieve the object.",
        )
    };
    let customer = match (&encryption.kind, customer) {
        (Kind::Customer { key_md5 }, Some(customer)) if *key_md5 == customer.md5 => Some(customer.key),
        (Kind::Customer { .. }, _) => return Err(wrong()),
        (_, Some(_)) => return Err(of_no_use()),
        (_, None) => None,
    };
    match keyring.open(encryption, customer.as_ref(), &place(bucket, key)) {
        Ok(key) => Ok(Some(key)),
        Err(KeyringError::Open) if customer.is_some() => Err(wrong()),
        Err(error) => Err(refused(error)),
    }
}

/// How an object that gets another key of its bucket is encrypted there.
///
/// # Errors
/// 501 for one under a customer's key.
pub(super) fn of_renamed(
    keyring: &Keyring,
    bucket: &Bucket,
    (from, to): (&str, &str),
    encryption: Option<&Encryption>,
) -> Result<Option<Encryption>, ApiError> {
    let Some(encryption) = encryption else { return Ok(None) };
    if matches!(encryption.kind, Kind::Customer { .. }) {
        return Err(ApiError::not_implemented(
            "An object that is encrypted under a customer's key cannot be renamed: copy and delete it",
        ));
    }
    keyring.rebind(encryption, &place(bucket, from), &place(bucket, to)).map(Some).map_err(refused)
}

/// Checks the customer's key at the end of an upload: needed where the upload has checksums, and right where it is given.
///
/// # Errors
/// As [`unseal`].
pub(super) fn check_customer(
    keyring: &Keyring,
    bucket: &Bucket,
    key: &str,
    upload: &UploadInfo,
    headers: &HeaderMap,
) -> Result<(), ApiError> {
    let encryption = upload.object.encryption.as_ref();
    let is_customers = matches!(encryption, Some(Encryption { kind: Kind::Customer { .. }, .. }));
    let given = CustomerKey::read(headers, CustomerHeaders::Own)?.is_some();
    if is_customers && (given || upload.checksum.is_some()) {
        unseal(keyring, bucket, key, encryption, (headers, CustomerHeaders::Own))?;
    }
    Ok(())
}

/// 400 for a read that says how its object is to be encrypted.
pub(super) fn refuse_on_read(headers: &HeaderMap) -> Result<(), ApiError> {
    if !are_any(headers) {
        return Ok(());
    }
    match [SSE, KMS_KEY].into_iter().find(|name| headers.contains_key(*name)) {
        None => Ok(()),
        Some(name) => Err(invalid(format!("{name} header is not supported for this operation."), name)),
    }
}

/// Tells in an answer's headers how an object is encrypted.
pub(super) fn describe(encryption: Option<&Encryption>, out: &mut HeaderMap) {
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            out.insert(HeaderName::from_static(name), value);
        }
    };
    match encryption.map(|encryption| &encryption.kind) {
        None => {}
        Some(Kind::S3) => set(SSE, "AES256"),
        Some(Kind::Kms { key_id, .. }) => {
            set(SSE, "aws:kms");
            set(KMS_KEY, key_id);
        }
        Some(Kind::Customer { key_md5 }) => {
            let [algorithm, _, md5] = CustomerHeaders::Own.names();
            set(algorithm, "AES256");
            set(md5, key_md5);
        }
    }
}

pub(super) fn get_default(
    api: &Api,
    input: &GetBucketEncryptionInput,
) -> S3Result<S3Response<GetBucketEncryptionOutput>> {
    let bucket = api.bucket(&input.bucket)?;
    let default = bucket.config.encryption.as_ref().ok_or_else(|| {
        ApiError::new(
            StatusCode::NOT_FOUND,
            "ServerSideEncryptionConfigurationNotFoundError",
            "The server side encryption configuration was not found",
        )
        .with_detail("BucketName", bucket.name.as_str())
    })?;
    let (sse_algorithm, kms_master_key_id, bucket_key) = match default {
        DefaultEncryption::S3 => ("AES256", None, false),
        DefaultEncryption::Kms { key_id, bucket_key } => ("aws:kms", key_id.clone(), *bucket_key),
    };
    let rule = ServerSideEncryptionRule {
        apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
            kms_master_key_id,
            sse_algorithm: ServerSideEncryption::from_static(sse_algorithm),
        }),
        bucket_key_enabled: Some(bucket_key),
    };
    Ok(S3Response::new(GetBucketEncryptionOutput {
        server_side_encryption_configuration: Some(ServerSideEncryptionConfiguration { rules: vec![rule] }),
    }))
}

pub(super) async fn put_default(
    api: &Api,
    req: S3Request<PutBucketEncryptionInput>,
) -> S3Result<S3Response<PutBucketEncryptionOutput>> {
    let rules = req.input.server_side_encryption_configuration.rules;
    let [rule] = rules.as_slice() else {
        return Err(super::malformed_xml("one Rule of default encryption").into());
    };
    let by_default = rule.apply_server_side_encryption_by_default.as_ref();
    let by_default = by_default.ok_or_else(|| super::malformed_xml("ApplyServerSideEncryptionByDefault"))?;
    let key_id = by_default.kms_master_key_id.clone();
    let default = match (by_default.sse_algorithm.as_str(), key_id) {
        ("AES256", None) => DefaultEncryption::S3,
        ("AES256", Some(_)) => {
            let message = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms";
            return Err(ApiError::invalid_argument(message).into());
        }
        ("aws:kms", key_id) => {
            DefaultEncryption::Kms { key_id, bucket_key: rule.bucket_key_enabled.unwrap_or_default() }
        }
        ("aws:kms:dsse", _) => {
            let message = "Dual-layer encryption (aws:kms:dsse) is not implemented: use aws:kms";
            return Err(ApiError::not_implemented(message).into());
        }
        _ => return Err(super::malformed_xml("SSEAlgorithm is AES256 or aws:kms").into()),
    };
    api.configure(&req.input.bucket, move |bucket| {
        bucket.config.encryption = Some(default);
        Ok(())
    })
    .await?;
    Ok(S3Response::new(PutBucketEncryptionOutput::default()))
}

pub(super) async fn delete_default(
    api: &Api,
    input: DeleteBucketEncryptionInput,
) -> S3Result<S3Response<DeleteBucketEncryptionOutput>> {
    api.configure(&input.bucket, |bucket| {
        bucket.config.encryption = None;
        Ok(())
    })
    .await?;
    Ok(S3Response::with_status(DeleteBucketEncryptionOutput::default(), StatusCode::NO_CONTENT))
}
