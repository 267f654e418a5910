//! `refract role`.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::json;

use super::Outcome;
use super::client::{Server, segment};

#[derive(Debug, Args)]
pub(super) struct Role {
    #[command(flatten)]
    server: Server,
    /// The account's 12 digits, or `root` for the root account
    #[arg(long, global = true, value_name = "DIGITS", default_value = "root")]
    account_id: String,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one of it, for one command")]
enum Action {
    /// Makes a role, or writes everything of it anew
    Create {
        /// Its name
        name: String,
        /// Who may assume it: a trust policy in JSON, or @FILE
        #[arg(long, value_name = "JSON", value_parser = super::client::json)]
        trust: serde_json::Value,
        /// ARN of a managed policy; may be given more than once
        #[arg(long = "policy", value_name = "ARN")]
        policies: Vec<String>,
        /// Inline policies: a JSON object from names to documents, or @FILE
        #[arg(long, value_name = "JSON", value_parser = super::client::json)]
        inline: Option<serde_json::Value>,
        /// ARN of the managed policy that says what it may at most
        #[arg(long, value_name = "ARN")]
        boundary: Option<String>,
        /// Seconds of its sessions at most
        #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
        max_session: u32,
        /// For people
        #[arg(long, default_value = "")]
        description: String,
        /// Path, such as /team/
        #[arg(long, default_value = "/")]
        path: String,
    },
    /// Lists roles
    List,
    /// Shows a role
    Show {
        /// Its name
        name: String,
    },
    /// Deletes a role with its policies; its sessions end at once
    Delete {
        /// Its name
        name: String,
    },
}

pub(super) fn run(command: Role) -> Outcome {
    let server = command.server;
    let all = format!("/accounts/{}/roles", segment(&command.account_id));
    let path = |name: &str| format!("{all}/{}", segment(name));
    match command.action {
        Action::Create { name, trust, policies, inline, boundary, max_session, description, path: under } => {
            let spec = json!({
                "trust": trust, "policies": policies, "inline": inline.unwrap_or_else(|| json!({})),
                "boundary": boundary, "max_session": max_session, "description": description, "path": under,
            });
            server.show(&Method::PUT, &path(&name), Some(&spec))
        }
        Action::List => server.show(&Method::GET, &all, None),
        Action::Show { name } => server.show(&Method::GET, &path(&name), None),
        Action::Delete { name } => server.show(&Method::DELETE, &path(&name), None),
    }
}
