//! `refract kms-key`.

use clap::{Args, Subcommand};
use http::Method;

use super::Outcome;
use super::client::{Server, segment};

#[derive(Debug, Args)]
pub(super) struct KmsKey {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a named key for SSE-KMS, if there is none of that name
    Create {
        /// 1 to 128 letters, digits, `-`, `_` and `/`
        name: String,
    },
    /// Lists named keys
    List,
}

pub(super) fn run(command: KmsKey) -> Outcome {
    let server = command.server;
    match command.action {
        Action::Create { name } => server.show(&Method::PUT, &format!("/kms-keys/{}", segment(&name)), None),
        Action::List => server.show(&Method::GET, "/kms-keys", None),
    }
}
