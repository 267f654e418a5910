//! `refract access-point`.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::json;

use super::Outcome;
use super::client::{Server, segment};

#[derive(Debug, Args)]
pub(super) struct AccessPoint {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Creates an access point
    Put {
        /// 3 to 50 lower-case letters, digits and hyphens
        name: String,
        /// The bucket that it is a name of
        #[arg(long)]
        bucket: String,
        /// The account that owns the bucket, where it is another one than the server's own
        #[arg(long, value_name = "DIGITS")]
        bucket_account_id: Option<String>,
    },
    /// Lists access points
    List,
    /// Shows an access point
    Get {
        /// Its name
        name: String,
    },
    /// Deletes an access point
    Delete {
        /// Its name
        name: String,
    },
}

pub(super) fn run(command: AccessPoint) -> Outcome {
    let server = command.server;
    let path = |name: &str| format!("/access-points/{}", segment(name));
    match command.action {
        Action::Put { name, bucket, bucket_account_id } => {
            let spec = json!({ "bucket": bucket, "bucket_account_id": bucket_account_id });
            server.show(&Method::PUT, &path(&name), Some(&spec))
        }
        Action::List => server.show(&Method::GET, "/access-points", None),
        Action::Get { name } => server.show(&Method::GET, &path(&name), None),
        Action::Delete { name } => server.show(&Method::DELETE, &path(&name), None),
    }
}
