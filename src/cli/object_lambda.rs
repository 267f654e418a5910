//! `refract object-lambda`.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::Outcome;
use super::client::{self, Server, segment};

#[derive(Debug, Args)]
pub(super) struct ObjectLambda {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Creates an Object Lambda access point, or changes its configuration
    Put {
        /// 3 to 45 lower-case letters, digits and hyphens
        name: String,
        /// Name or ARN of the access point that it reads through
        #[arg(long)]
        access_point: String,
        /// Name or ARN of the function: a registered one, or a reserved one such as builtin-resize
        #[arg(long)]
        function: String,
        /// The function's payload: JSON, or @FILE
        #[arg(long, value_parser = client::json)]
        payload: Option<Value>,
        /// What goes through the function; may be repeated [default: GetObject and HeadObject]
        #[arg(long = "action", value_name = "ACTION")]
        actions: Vec<String>,
        /// What may be asked of it besides whole objects; may be repeated [default: all four]
        #[arg(long = "allowed-feature", value_name = "FEATURE")]
        allowed_features: Vec<String>,
    },
    /// Lists Object Lambda access points
    List,
    /// Shows an Object Lambda access point
    Get {
        /// Its name
        name: String,
    },
    /// Deletes an Object Lambda access point
    Delete {
        /// Its name
        name: String,
    },
}

pub(super) fn run(command: ObjectLambda) -> Outcome {
    let server = command.server;
    let path = |name: &str| format!("/object-lambdas/{}", segment(name));
    let given = |values: Vec<String>| Some(values).filter(|values| !values.is_empty());
    match command.action {
        Action::Put { name, access_point, function, payload, actions, allowed_features } => {
            let body = json!({
                "access_point": access_point, "function": function, "payload": payload,
                "actions": given(actions), "allowed_features": given(allowed_features),
            });
            let answer = server.ask(&Method::PUT, &path(&name), Some(&body))?;
            println!("{}", serde_json::to_string_pretty(&answer)?);
            if let Some(alias) = answer.get("alias").and_then(Value::as_str) {
                eprintln!(
                    "Read through it: aws --endpoint-url {} s3 cp s3://{alias}/KEY -",
                    server.endpoint_url
                );
            }
            Ok(())
        }
        Action::List => server.show(&Method::GET, "/object-lambdas", None),
        Action::Get { name } => server.show(&Method::GET, &path(&name), None),
        Action::Delete { name } => server.show(&Method::DELETE, &path(&name), None),
    }
}
