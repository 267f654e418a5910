//! `refract account`.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::json;

use super::Outcome;
use super::client::{Server, segment};

#[derive(Debug, Args)]
pub(super) struct Account {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes an account and its first key, or changes the name and e-mail of one that is there
    Create {
        /// 12 digits
        id: String,
        /// The DisplayName of what it owns
        #[arg(long)]
        name: String,
        /// By which grants may name it; of one account only
        #[arg(long)]
        email: String,
    },
    /// Lists accounts
    List,
    /// Deletes an account that owns no bucket, with its keys
    Delete {
        /// Its 12 digits
        id: String,
    },
}

pub(super) fn run(command: Account) -> Outcome {
    let server = command.server;
    let path = |id: &str| format!("/accounts/{}", segment(id));
    match command.action {
        Action::Create { id, name, email } => {
            server.show(&Method::PUT, &path(&id), Some(&json!({ "name": name, "email": email })))
        }
        Action::List => server.show(&Method::GET, "/accounts", None),
        Action::Delete { id } => server.show(&Method::DELETE, &path(&id), None),
    }
}
