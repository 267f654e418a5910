//! The seam: what takes messages, and how configurations name it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use super::function::{FUNCTIONS, Functions};
use super::queue_file::QueueFile;
use super::webhook::Webhook;

/// A message on its way.
#[derive(Debug, Clone)]
pub struct Message {
    /// Rises with each message of an outbox, and names it to a consumer that must know one that it has seen.
    pub number: u64,
    /// JSON, in one line.
    pub body: Arc<str>,
}

/// Why messages were not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// For the log.
    pub reason: String,
    /// Whether the message itself was refused, so that to send it for long is of no use.
    pub refused: bool,
}

/// Takes messages: all that it is given, or none.
#[async_trait]
pub trait Consumer: Send + Sync + fmt::Debug + 'static {
    /// How many it takes at once.
    fn batch(&self) -> usize;

    /// Takes messages, for good.
    ///
    /// # Errors
    /// None of them was taken for certain; they come again.
    async fn deliver(&self, messages: &[Message]) -> Result<(), Failure>;
}

/// A destination that the settings name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Name: the last part of its ARN.
    pub name: String,
    /// What it is.
    pub kind: TargetKind,
}

/// What a destination is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetKind {
    /// Each message is posted to this URL.
    Webhook(String),
    /// Messages are appended to a file.
    QueueFile,
}

/// The destinations of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// All of them.
    pub targets: Vec<Target>,
    /// Whether webhooks may have addresses that are not of the public internet.
    pub private_addresses: bool,
}

/// Consumers, by the key that the outbox has them under.
#[derive(Debug, Clone, Default)]
pub struct Consumers {
    by_key: BTreeMap<String, Arc<dyn Consumer>>,
    /// Files of queues.
    files: BTreeMap<String, PathBuf>,
    functions: Option<Arc<Functions>>,
    region: String,
    account_id: String,
}

impl Consumers {
    /// Those of the settings. Files are made in `dir` when they are first written.
    #[must_use]
    pub fn new(options: &Options, dir: &Path, region: &str, account_id: &str) -> Self {
        let mut all =
            Self { region: region.to_owned(), account_id: account_id.to_owned(), ..Self::default() };
        for Target { name, kind } in &options.targets {
            let consumer: Arc<dyn Consumer> = match kind {
                TargetKind::Webhook(url) => Arc::new(Webhook::new(url, options.private_addresses)),
                TargetKind::QueueFile => {
                    let path = dir.join(format!("{name}.jsonl"));
                    all.files.insert(format!("target:{name}"), path.clone());
                    Arc::new(QueueFile::new(path))
                }
            };
            all.add(&format!("target:{name}"), consumer);
        }
        all
    }

    /// Adds a consumer under a key of the outbox.
    pub fn add(&mut self, key: &str, consumer: Arc<dyn Consumer>) {
        self.by_key.insert(key.to_owned(), consumer);
    }

    /// Adds functions, whose ARNs are destinations as well.
    pub fn add_functions(&mut self, functions: Arc<Functions>) {
        self.add(FUNCTIONS, Arc::clone(&functions) as Arc<dyn Consumer>);
        self.functions = Some(functions);
    }

    /// The functions.
    pub(super) fn functions(&self) -> Option<&Functions> {
        self.functions.as_deref()
    }

    /// The file of a destination that is a queue in a file.
    #[must_use]
    pub fn queue_file(&self, arn: &str) -> Option<&Path> {
        self.files.get(&self.key(arn)?).map(PathBuf::as_path)
    }

    /// The outbox's key of a destination: `arn:aws:sqs:REGION:ACCOUNT:NAME` and `arn:aws:sns:…` are the target NAME of
    /// the settings, whatever it is. `None` for one that there is not.
    #[must_use]
    pub fn key(&self, arn: &str) -> Option<String> {
        if arn.starts_with("arn:aws:lambda:") {
            return self.functions.is_some().then(|| FUNCTIONS.to_owned());
        }
        let rest = arn.strip_prefix("arn:aws:sqs:").or_else(|| arn.strip_prefix("arn:aws:sns:"))?;
        let name = rest.strip_prefix(&format!("{}:{}:", self.region, self.account_id))?;
        let key = format!("target:{name}");
        self.by_key.contains_key(&key).then_some(key)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Arc<dyn Consumer>)> {
        self.by_key.iter()
    }
}
