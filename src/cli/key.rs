//! `refract key`.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::json;

use super::Outcome;
use super::client::{Server, segment};

#[derive(Debug, Args)]
pub(super) struct Key {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes an access key of a user, or of an account's root, which may do everything with what the account owns
    Create {
        /// The account's 12 digits; the root account where none is given
        #[arg(long)]
        account_id: Option<String>,
        /// The user; the account's root where none is given
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// For people
        #[arg(long, default_value = "")]
        description: String,
    },
    /// Lists access keys
    List,
    /// Lets a key sign again
    Enable {
        /// Its access key id
        id: String,
    },
    /// Keeps a key from signing
    Disable {
        /// Its access key id
        id: String,
    },
    /// Deletes a key
    Delete {
        /// Its access key id
        id: String,
    },
}

pub(super) fn run(command: Key) -> Outcome {
    let server = command.server;
    let path = |id: &str| format!("/keys/{}", segment(id));
    match command.action {
        Action::Create { account_id, user, description } => {
            let spec = json!({ "account_id": account_id, "user": user, "description": description });
            server.show(&Method::POST, "/keys", Some(&spec))
        }
        Action::List => server.show(&Method::GET, "/keys", None),
        Action::Enable { id } => server.show(&Method::PATCH, &path(&id), Some(&json!({ "active": true }))),
        Action::Disable { id } => server.show(&Method::PATCH, &path(&id), Some(&json!({ "active": false }))),
        Action::Delete { id } => server.show(&Method::DELETE, &path(&id), None),
    }
}
