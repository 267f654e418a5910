//! `refract function`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use data_encoding::BASE64;
use http::Method;
use serde_json::{Value, json};

use super::client::{self, Server, segment};
use super::{Failure, Outcome};

#[derive(Debug, Args)]
pub(super) struct Function {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Registers a function, or changes it: a built-in transform with a payload, under a name of its own
    Put {
        /// 1 to 64 letters, digits, `-` and `_`
        name: String,
        /// The built-in transform: redact, resize, watermark, compress, decompress, convert, filter, augment,
        /// pipeline or identity
        #[arg(long)]
        transform: String,
        /// Its payload: JSON, or @FILE
        #[arg(long, value_parser = client::json, default_value = "{}")]
        payload: Value,
        /// For people
        #[arg(long, default_value = "")]
        description: String,
    },
    /// Lists functions
    List,
    /// Shows a function
    Get {
        /// Its name
        name: String,
    },
    /// Runs a function over one object and writes the result
    Preview {
        /// Its name: a registered one, or a reserved one such as builtin-resize
        name: String,
        /// Bucket of the object
        #[arg(long)]
        bucket: String,
        /// Key of the object
        #[arg(long)]
        key: String,
        /// Payload: JSON, or @FILE
        #[arg(long, value_parser = client::json)]
        payload: Option<Value>,
        /// Where to write the result; `-` for standard output
        #[arg(long, default_value = "-")]
        output: PathBuf,
    },
    /// Deletes a function
    Delete {
        /// Its name
        name: String,
    },
}

pub(super) fn run(command: Function) -> Outcome {
    let server = command.server;
    match command.action {
        Action::Put { name, transform, payload, description } => {
            let body = json!({
                "kind": "builtin", "transform": transform, "payload": payload, "description": description,
            });
            server.show(&Method::PUT, &format!("/functions/{}", segment(&name)), Some(&body))
        }
        Action::List => server.show(&Method::GET, "/functions", None),
        Action::Get { name } => server.show(&Method::GET, &format!("/functions/{}", segment(&name)), None),
        Action::Delete { name } => {
            server.show(&Method::DELETE, &format!("/functions/{}", segment(&name)), None)
        }
        Action::Preview { name, bucket, key, payload, output } => {
            let body = json!({ "bucket": bucket, "key": key, "payload": payload });
            let path = format!("/functions/{}/preview", segment(&name));
            let answer = server.ask(&Method::POST, &path, Some(&body))?;
            let text = answer.pointer("/after/base64").and_then(Value::as_str).unwrap_or_default();
            let bytes = BASE64.decode(text.as_bytes())?;
            if output.as_os_str() == "-" {
                return Ok(std::io::Write::write_all(&mut std::io::stdout(), &bytes)?);
            }
            std::fs::write(&output, bytes)
                .map_err(|error| Failure::new(format!("--output {}: {error}", output.display())))
        }
    }
}
