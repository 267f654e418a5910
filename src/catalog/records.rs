//! The typed records that the catalog keeps. They are stored as JSON, so fields may be added with a default.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::lambda::LambdaFunction;
use super::network::NetworkGrant;
use crate::policy::ResourcePolicy;

/// Tags of an access point or OLAP: at most 50, keys to 128 and values to 256 characters.
pub type Tags = BTreeMap<String, String>;

/// S3's four public-access switches, of an account or of a point. All on by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "AWS's own shape")]
pub struct PublicAccessBlock {
    /// BlockPublicAcls.
    pub block_public_acls: bool,
    /// IgnorePublicAcls.
    pub ignore_public_acls: bool,
    /// BlockPublicPolicy.
    pub block_public_policy: bool,
    /// RestrictPublicBuckets.
    pub restrict_public_buckets: bool,
}

impl Default for PublicAccessBlock {
    fn default() -> Self {
        Self {
            block_public_acls: true,
            ignore_public_acls: true,
            block_public_policy: true,
            restrict_public_buckets: true,
        }
    }
}

impl PublicAccessBlock {
    /// Nothing is blocked.
    pub const NONE: Self = Self {
        block_public_acls: false,
        ignore_public_acls: false,
        block_public_policy: false,
        restrict_public_buckets: false,
    };

    /// What either blocks.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            block_public_acls: self.block_public_acls || other.block_public_acls,
            ignore_public_acls: self.ignore_public_acls || other.ignore_public_acls,
            block_public_policy: self.block_public_policy || other.block_public_policy,
            restrict_public_buckets: self.restrict_public_buckets || other.restrict_public_buckets,
        }
    }
}

/// An access point: another name for a bucket, with a policy of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessPoint {
    /// Name, 3 to 50 characters.
    pub name: String,
    /// Owning account, 12 digits.
    pub account_id: String,
    /// The bucket it shows.
    pub bucket: String,
    /// The account that owned the bucket when the point was made: a bucket of the same name of another account is
    /// another bucket. `None` in records of before this was kept.
    #[serde(default)]
    pub bucket_account_id: Option<String>,
    /// Alias, ending in `-s3alias`, at most 63 characters.
    pub alias: String,
    /// When it was created.
    pub created: Timestamp,
    /// Fixed at creation.
    #[serde(default)]
    pub public_access_block: PublicAccessBlock,
    /// Its policy.
    #[serde(default)]
    pub policy: Option<ResourcePolicy>,
    /// Tags.
    #[serde(default)]
    pub tags: Tags,
}

/// Which actions of an OLAP go through which function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transformation {
    /// `GetObject`, `HeadObject`, `ListObjects`, `ListObjectsV2`.
    pub actions: Vec<String>,
    /// The function's ARN.
    pub function_arn: String,
    /// FunctionPayload, as sent.
    #[serde(default)]
    pub payload: Option<String>,
}

/// ObjectLambdaConfiguration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectLambdaConfiguration {
    /// ARN of the access point that it reads through.
    pub supporting_access_point: String,
    /// CloudWatchMetricsEnabled.
    #[serde(default)]
    pub cloud_watch_metrics: bool,
    /// `GetObject-Range` and its like.
    #[serde(default)]
    pub allowed_features: Vec<String>,
    /// What is transformed by what.
    pub transformations: Vec<Transformation>,
}

/// An Object Lambda access point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectLambda {
    /// Name, 3 to 45 characters.
    pub name: String,
    /// Owning account, 12 digits.
    pub account_id: String,
    /// Alias, ending in `--ol-s3`, at most 63 characters.
    pub alias: String,
    /// When it was created.
    pub created: Timestamp,
    /// What it reads and how it transforms.
    pub configuration: ObjectLambdaConfiguration,
    /// Fixed at creation.
    #[serde(default)]
    pub public_access_block: PublicAccessBlock,
    /// Its policy.
    #[serde(default)]
    pub policy: Option<ResourcePolicy>,
    /// Tags.
    #[serde(default)]
    pub tags: Tags,
    /// Grows with each change of the configuration.
    #[serde(default)]
    pub revision: u64,
}

/// How a function runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum FunctionKind {
    /// A named built-in with its payload.
    Builtin {
        /// The transform's name: `resize`.
        transform: String,
        /// Its configuration.
        payload: serde_json::Value,
    },
    /// A Wasm component.
    Wasm(WasmComponent),
    /// A webhook.
    Webhook(WebhookFunction),
    /// A function of AWS Lambda.
    Aws(AwsFunction),
    /// Code that runs on the function platform.
    Lambda(Box<LambdaFunction>),
}

/// A function that is a webhook. Its secrets are sealed under the master key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookFunction {
    /// Where the event is POSTed to.
    pub url: String,
    /// The bearer token.
    #[serde(default)]
    pub sealed_token: Option<Vec<u8>>,
    /// Client certificate and key, PEM.
    #[serde(default)]
    pub sealed_identity: Option<Vec<u8>>,
    /// Certificates that are trusted instead of the public ones, PEM.
    #[serde(default)]
    pub ca: Option<String>,
    /// Where the webhook reaches this server, for the URL of the input.
    #[serde(default)]
    pub input_endpoint: Option<String>,
}

impl std::fmt::Debug for WebhookFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookFunction").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A function that AWS Lambda runs, or what speaks its Invoke API.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsFunction {
    /// Its name or ARN there.
    pub function: String,
    /// Version or alias.
    #[serde(default)]
    pub qualifier: Option<String>,
    /// Region.
    pub region: String,
    /// The service, where it is not AWS's.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Access key id that signs invocations.
    pub access_key_id: String,
    /// Its secret, sealed under the master key.
    pub sealed_secret: Vec<u8>,
    /// Where the function reaches this server, for the URL of the input.
    #[serde(default)]
    pub input_endpoint: Option<String>,
}

impl std::fmt::Debug for AwsFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsFunction").field("function", &self.function).finish_non_exhaustive()
    }
}

/// The world of a Wasm component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum WasmWorld {
    /// `refract:transform`.
    Transform,
    /// `wasi:http/proxy`.
    Http,
}

/// A Wasm component and how it runs. Its bytes are on disk, by their digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WasmComponent {
    /// SHA-256 of the component, in hex.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its world.
    pub world: WasmWorld,
    /// What it reads as its payload, under that of an OLAP.
    pub payload: serde_json::Value,
    /// Linear memory of an instance, in MiB.
    pub memory_mb: u32,
    /// Processor time of a run, and its time without output.
    pub timeout_seconds: u32,
    /// Instances at a time; `None` for half of all.
    #[serde(default)]
    pub concurrency: Option<u32>,
}

impl WasmComponent {
    /// `memory_mb` where none is given.
    pub const DEFAULT_MEMORY: u32 = 128;
    /// `timeout_seconds` where none is given.
    pub const DEFAULT_TIMEOUT: u32 = 60;
}

/// A registered function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// Name.
    pub name: String,
    /// How it runs.
    pub kind: FunctionKind,
    /// When it was first registered.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
    /// Grows with each change.
    pub revision: u64,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// What an operator lets it connect to; a change of the function leaves it.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub network: Arc<NetworkGrant>,
}

fn is_nothing(grant: &Arc<NetworkGrant>) -> bool {
    grant.is_empty()
}

/// A named key for SSE-KMS, sealed under the master key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KmsKey {
    /// Name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// The sealed key.
    pub sealed: Vec<u8>,
}

impl std::fmt::Debug for KmsKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KmsKey").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An access key; its secret is sealed under the master key with the key id as associated data.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    /// Access key id.
    pub access_key_id: String,
    /// The sealed secret.
    pub sealed_secret: Vec<u8>,
    /// When it was created.
    pub created: Timestamp,
    /// Whether it may sign.
    pub active: bool,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Account, 12 digits.
    pub account_id: String,
    /// Name of its user, in lower case; `None` for the account's root.
    #[serde(default)]
    pub user: Option<String>,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey")
            .field("access_key_id", &self.access_key_id)
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}
