//! The record of a function that runs code: what the Lambda API keeps of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;
use crate::policy::{Policy, PolicyError, PolicyKind};

/// The version that may still change.
pub const LATEST: &str = "$LATEST";

/// Environment variables. Their values may be secrets, so that `Debug` shows the names alone.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Environment(pub BTreeMap<String, String>);

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// How a version runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// `python3.12`, `nodejs22.x`, `provided.al2023`.
    pub runtime: String,
    /// `file.function`, as the runtime reads it.
    pub handler: String,
    /// ARN of the execution role.
    pub role: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Memory, 128 to 10,240 MB.
    #[serde(default = "Settings::default_memory")]
    pub memory_mb: u32,
    /// Longest invocation, 1 to 900 seconds.
    #[serde(default = "Settings::default_timeout")]
    pub timeout_seconds: u32,
    /// Environment variables, 4 KB together.
    #[serde(default)]
    pub environment: Environment,
    /// Size of `/tmp`, 512 to 10,240 MB.
    #[serde(default = "Settings::default_ephemeral")]
    pub ephemeral_mb: u32,
    /// `x86_64` or `arm64`.
    #[serde(default)]
    pub architectures: Vec<String>,
    /// Where an event goes that could not be delivered: an ARN.
    #[serde(default)]
    pub dead_letter: Option<String>,
}

impl Settings {
    /// MemorySize where none is given.
    #[must_use]
    pub fn default_memory() -> u32 {
        128
    }

    /// Timeout where none is given.
    #[must_use]
    pub fn default_timeout() -> u32 {
        3
    }

    /// EphemeralStorage where none is given.
    #[must_use]
    pub fn default_ephemeral() -> u32 {
        512
    }
}

/// A deployment package, kept in the store under its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// SHA-256 of the zip, in hex.
    pub sha256: String,
    /// Bytes of the zip.
    pub size: u64,
}

/// A version: code and configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// `$LATEST` or a number.
    pub version: String,
    /// How it runs.
    pub settings: Settings,
    /// What runs.
    pub code: Code,
    /// Another one with each change.
    pub revision_id: String,
    /// When it was last changed.
    pub modified: Timestamp,
}

/// A name for a version, or for two by weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alias {
    /// The version it stands for.
    pub version: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Shares of invocations that go to another version, 0 to 1.
    #[serde(default)]
    pub weights: BTreeMap<String, f64>,
    /// Another one with each change.
    pub revision_id: String,
}

/// Who else may use a function: the statements of its resource policy, compiled once.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ResourcePolicy {
    /// The statements, in the order in which they were added.
    statements: Vec<serde_json::Value>,
    /// Another one with each change.
    pub revision_id: String,
    /// `None` for one that cannot be read.
    #[serde(skip)]
    compiled: OnceLock<Option<Arc<Policy>>>,
}

impl PartialEq for ResourcePolicy {
    fn eq(&self, other: &Self) -> bool {
        (&self.statements, &self.revision_id) == (&other.statements, &other.revision_id)
    }
}

impl Eq for ResourcePolicy {}

fn sid(statement: &serde_json::Value) -> Option<&str> {
    statement.get("Sid").and_then(serde_json::Value::as_str)
}

impl ResourcePolicy {
    /// Whether there is a statement of this id.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.statements.iter().any(|statement| sid(statement) == Some(id))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// Adds a statement, which must leave the policy one that can be read.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn add(&mut self, statement: serde_json::Value) -> Result<(), PolicyError> {
        self.statements.push(statement);
        let policy = Policy::parse(&self.document(), PolicyKind::Resource)?;
        self.compiled = OnceLock::from(Some(Arc::new(policy)));
        Ok(())
    }

    /// Removes a statement; `false` where there is none of this id.
    pub fn remove(&mut self, id: &str) -> bool {
        let before = self.statements.len();
        self.statements.retain(|statement| sid(statement) != Some(id));
        self.compiled = OnceLock::new();
        self.statements.len() < before
    }

    /// The document that it is.
    #[must_use]
    pub fn document(&self) -> String {
        let statements = &self.statements;
        serde_json::json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements }).to_string()
    }

    /// The policy; `None` where it cannot be read, and nobody may be let in.
    #[must_use]
    pub fn policy(&self) -> Option<&Policy> {
        let compile = || match Policy::parse(&self.document(), PolicyKind::Resource) {
            Ok(policy) => Some(Arc::new(policy)),
            Err(error) => {
                tracing::error!(%error, "the policy of a function cannot be read: nobody may invoke it by that");
                None
            }
        };
        self.compiled.get_or_init(compile).as_deref()
    }
}

/// How events are delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventInvoke {
    /// Attempts after the first, 0 to 2.
    #[serde(default)]
    pub retries: Option<u32>,
    /// Longest time in the queue, 60 to 21,600 seconds.
    #[serde(default)]
    pub age_seconds: Option<u32>,
    /// Where a record of a success goes: an ARN.
    #[serde(default)]
    pub on_success: Option<String>,
    /// Where a record of a failure goes: an ARN.
    #[serde(default)]
    pub on_failure: Option<String>,
    /// When it was last changed.
    pub modified: Timestamp,
}

/// Workers that are kept ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provisioned {
    /// How many.
    pub count: u32,
    /// When that was last changed.
    pub modified: Timestamp,
}

/// An event source mapping: a queue that a function consumes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSource {
    /// ARN of the queue.
    pub source_arn: String,
    /// Version or alias of the function.
    #[serde(default)]
    pub qualifier: Option<String>,
    /// Whether it is consumed.
    pub enabled: bool,
    /// Messages of one invocation at most.
    pub batch_size: u32,
    /// How long a batch that is not full waits for more.
    #[serde(default)]
    pub window_seconds: u32,
    /// Attempts after the first; `None`: until it succeeds.
    #[serde(default)]
    pub retries: Option<u32>,
    /// Whether the function says which messages of a batch failed.
    #[serde(default)]
    pub reports_failures: bool,
    /// Where messages go that failed for good: an ARN.
    #[serde(default)]
    pub on_failure: Option<String>,
    /// Patterns of which a message matches one, or is passed by; without any, all are handed over.
    #[serde(default)]
    pub filters: Vec<String>,
    /// Invocations at a time at most, as AWS's ScalingConfig says it. A mapping runs one.
    #[serde(default)]
    pub maximum_concurrency: Option<u32>,
    /// When it was last changed.
    pub modified: Timestamp,
}

/// A function that runs code, with all its versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LambdaFunction {
    /// `$LATEST`.
    pub latest: Arc<Version>,
    /// Published versions, in the order of their numbers.
    #[serde(default)]
    pub versions: Vec<Arc<Version>>,
    /// The number that was last given to a version.
    #[serde(default)]
    pub last_version: u64,
    /// Aliases by name.
    #[serde(default)]
    pub aliases: BTreeMap<String, Alias>,
    /// Resource policies by qualifier; the empty one is the function's own.
    #[serde(default)]
    pub policies: BTreeMap<String, ResourcePolicy>,
    /// Invocations at a time, of those that the account may have; 0 stops the function.
    #[serde(default)]
    pub reserved_concurrency: Option<u32>,
    /// Delivery of events by qualifier; the empty one is the function's own.
    #[serde(default)]
    pub event_invoke: BTreeMap<String, EventInvoke>,
    /// Event source mappings by their UUID.
    #[serde(default)]
    pub event_sources: BTreeMap<String, EventSource>,
    /// Provisioned concurrency by version or alias.
    #[serde(default)]
    pub provisioned: BTreeMap<String, Provisioned>,
    /// Tags.
    #[serde(default)]
    pub tags: Tags,
}

impl LambdaFunction {
    /// All its versions, `$LATEST` first.
    pub fn all_versions(&self) -> impl Iterator<Item = &Arc<Version>> {
        std::iter::once(&self.latest).chain(&self.versions)
    }

    /// The resource policy that counts for a qualifier, or for the function without one: `None` where there is none,
    /// `Some(None)` where it cannot be read.
    #[must_use]
    pub fn policy_of(&self, qualifier: Option<&str>) -> Option<Option<&Policy>> {
        self.policies.get(qualifier.unwrap_or_default()).map(ResourcePolicy::policy)
    }

    /// Workers that are kept ready, all together.
    #[must_use]
    pub fn provisioned_total(&self) -> u32 {
        self.provisioned.values().map(|one| one.count).fold(0, u32::saturating_add)
    }

    /// Invocations at a time that are this function's and no other's.
    #[must_use]
    pub fn own_concurrency(&self) -> u32 {
        self.reserved_concurrency.unwrap_or_else(|| self.provisioned_total())
    }

    /// How many workers are kept ready for which versions, by a version or alias: an alias with weights shares them out.
    #[must_use]
    pub fn provisioned_of(&self, qualifier: &str) -> Vec<(&Arc<Version>, u32)> {
        let Some(Provisioned { count, .. }) = self.provisioned.get(qualifier) else { return Vec::new() };
        let Some(alias) = self.aliases.get(qualifier) else {
            return self.version(qualifier).map(|version| (version, *count)).into_iter().collect();
        };
        let mut left = *count;
        let mut all = Vec::new();
        for (version, weight) in &alias.weights {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "weights are from 0 to 1, so that it is from 0 to count"
            )]
            let share = ((f64::from(*count) * weight).round() as u32).min(left);
            left -= share;
            all.extend(self.version(version).map(|version| (version, share)));
        }
        all.extend(self.version(&alias.version).map(|version| (version, left)));
        all.retain(|(_, count)| *count > 0);
        all
    }

    /// A version by `$LATEST` or its number.
    #[must_use]
    pub fn version(&self, version: &str) -> Option<&Arc<Version>> {
        if version == LATEST {
            return Some(&self.latest);
        }
        self.versions.iter().find(|one| one.version == version)
    }
}
