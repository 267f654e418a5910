//! `refract user`.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::json;

use super::Outcome;
use super::client::{Server, segment};

#[derive(Debug, Args)]
pub(super) struct User {
    #[command(flatten)]
    server: Server,
    /// The account's 12 digits, or `root` for the root account
    #[arg(long, global = true, value_name = "DIGITS", default_value = "root")]
    account_id: String,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a user, or writes its policies and boundary anew; make keys by `refract key create --user`
    Create {
        /// Its name
        name: String,
        /// ARN of a managed policy; may be given more than once
        #[arg(long = "policy", value_name = "ARN")]
        policies: Vec<String>,
        /// Inline policies: a JSON object from names to documents, or @FILE
        #[arg(long, value_name = "JSON", value_parser = super::client::json)]
        inline: Option<serde_json::Value>,
        /// ARN of the managed policy that says what it may at most
        #[arg(long, value_name = "ARN")]
        boundary: Option<String>,
        /// Path, such as /team/
        #[arg(long, default_value = "/")]
        path: String,
    },
    /// Lists users
    List,
    /// Shows a user
    Show {
        /// Its name
        name: String,
    },
    /// Deletes a user with its keys and policies
    Delete {
        /// Its name
        name: String,
    },
}

pub(super) fn run(command: User) -> Outcome {
    let server = command.server;
    let all = format!("/accounts/{}/users", segment(&command.account_id));
    let path = |name: &str| format!("{all}/{}", segment(name));
    match command.action {
        Action::Create { name, policies, inline, boundary, path: under } => {
            let inline = inline.unwrap_or_else(|| json!({}));
            let spec = json!({ "policies": policies, "inline": inline, "boundary": boundary, "path": under });
            server.show(&Method::PUT, &path(&name), Some(&spec))
        }
        Action::List => server.show(&Method::GET, &all, None),
        Action::Show { name } => server.show(&Method::GET, &path(&name), None),
        Action::Delete { name } => server.show(&Method::DELETE, &path(&name), None),
    }
}
