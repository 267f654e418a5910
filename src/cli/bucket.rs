//! `refract bucket`.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Map, Value};

use super::client::{Server, segment};
use super::{Failure, Outcome};

#[derive(Debug, Args)]
pub(super) struct Bucket {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists buckets with what they hold
    List,
    /// Shows a bucket with what it holds
    Show {
        /// Its name
        name: String,
    },
    /// Limits what a bucket may hold: writes above that fail with QuotaExceeded
    Quota {
        /// Its name
        name: String,
        /// Bytes of objects, every version counted, and of parts of uploads
        #[arg(long, value_name = "BYTES")]
        max_bytes: Option<u64>,
        /// Objects, every version counted
        #[arg(long, value_name = "N")]
        max_objects: Option<u64>,
        /// Take the limits away
        #[arg(long, conflicts_with_all = ["max_bytes", "max_objects"])]
        remove: bool,
    },
}

pub(super) fn run(command: Bucket) -> Outcome {
    let server = command.server;
    let path = |name: &str| format!("/buckets/{}", segment(name));
    match command.action {
        Action::List => server.show(&Method::GET, "/buckets", None),
        Action::Show { name } => server.show(&Method::GET, &path(&name), None),
        Action::Quota { name, remove: true, .. } => {
            server.show(&Method::DELETE, &format!("{}/quota", path(&name)), None)
        }
        Action::Quota { max_bytes: None, max_objects: None, .. } => {
            Err(Failure::new("give --max-bytes, --max-objects or both, or --remove"))
        }
        Action::Quota { name, max_bytes, max_objects, .. } => {
            let limits = [("max_bytes", max_bytes), ("max_objects", max_objects)];
            let limits = limits.into_iter().filter_map(|(key, limit)| Some((key.to_owned(), limit?.into())));
            let body = Value::Object(limits.collect::<Map<_, _>>());
            server.show(&Method::PUT, &format!("{}/quota", path(&name)), Some(&body))
        }
    }
}
