//! `refract function`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use data_encoding::BASE64;
use http::Method;
use serde_json::{Value, json};

use crate::function::process::install::install;
use crate::function::process::languages::Language;

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
    /// Registers a function, or changes it: a built-in transform with a payload, or a Wasm component
    Put {
        /// 1 to 64 letters, digits, `-` and `_`
        name: String,
        /// The built-in transform: redact, resize, watermark, compress, decompress, convert, filter, augment,
        /// pipeline or identity
        #[arg(long, required_unless_present_any = ["wasm", "wasm_object", "webhook"], conflicts_with_all = ["wasm", "wasm_object", "webhook"])]
        transform: Option<String>,
        /// File of a Wasm component of the world refract:transform or wasi:http/proxy
        #[arg(long, value_name = "FILE", conflicts_with = "wasm_object")]
        wasm: Option<PathBuf>,
        /// An object that holds the Wasm component
        #[arg(long, value_name = "BUCKET/KEY")]
        wasm_object: Option<String>,
        /// URL of a webhook, to which the event is POSTed and whose answer becomes the object
        #[arg(long, value_name = "URL", conflicts_with_all = ["wasm", "wasm_object"])]
        webhook: Option<String>,
        /// File of the webhook's bearer token
        #[arg(long, value_name = "FILE", requires = "webhook")]
        token_file: Option<PathBuf>,
        /// File of the certificate chain and private key (PEM) that the webhook is shown
        #[arg(long, value_name = "FILE", requires = "webhook")]
        client_identity: Option<PathBuf>,
        /// File of certificates (PEM) that are trusted for the webhook instead of the public ones
        #[arg(long, value_name = "FILE", requires = "webhook")]
        ca: Option<PathBuf>,
        /// Where the webhook reaches this server, for the URL of the input
        #[arg(long, value_name = "URL", requires = "webhook")]
        input_endpoint: Option<String>,
        /// Linear memory of a Wasm instance, in MiB
        #[arg(long, value_name = "MIB", conflicts_with = "transform")]
        memory_mb: Option<u32>,
        /// Processor time of a Wasm run, and its time without output
        #[arg(long, value_name = "N", conflicts_with = "transform")]
        timeout_seconds: Option<u32>,
        /// Wasm instances at a time
        #[arg(long, value_name = "N", conflicts_with = "transform")]
        concurrency: Option<u32>,
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
    /// Shows what the last invocations of a function wrote
    Logs {
        /// Its name
        name: String,
        /// Of one invocation: its id, or that of the S3 request that it served
        #[arg(long)]
        request_id: Option<String>,
    },
    /// Shows or sets what a function may connect to beside this server
    Network {
        /// Its name
        name: String,
        /// A host and a port: api.example.com:443, *.example.com:443, *:443 (all public addresses), 10.0.0.0/8:5432,
        /// [fd00::/8]:5432. What is given is all that is granted from now on
        #[arg(long, value_name = "HOST:PORT", num_args = 1.., value_delimiter = ',', conflicts_with = "none")]
        allow: Vec<String>,
        /// Takes the grant away
        #[arg(long)]
        none: bool,
    },
    /// Shows what holds functions that run as processes, and how many run
    Platform,
    /// Shows what functions used: invocations, GB-seconds, bytes
    Usage(UsageFilter),
    /// Prepares what AWS's runtime images bring beside the language
    Runtime {
        #[command(subcommand)]
        action: RuntimeAction,
    },
}

#[derive(Debug, Args)]
struct UsageFilter {
    /// Of this function
    function: Option<String>,
    /// Through this Object Lambda access point
    #[arg(long, value_name = "NAME")]
    object_lambda: Option<String>,
    /// First day, UTC, as 2026-11-01
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Last day, UTC
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// What to sum up by: some of day, executor, function, version, object_lambda
    #[arg(long, value_name = "NAMES", default_value = "function,version,object_lambda")]
    group_by: String,
}

#[derive(Debug, Subcommand)]
enum RuntimeAction {
    /// Installs it from the language's own registry, by pip or npm: boto3 and requests, or the AWS SDK v3 and axios
    Install {
        /// Which language
        language: LanguageName,
        /// Where to; DATA_DIR/runtimes unless given
        #[arg(long, value_name = "DIR", env = "REFRACT_RUNTIME_DIR")]
        runtime_dir: Option<PathBuf>,
        /// Further packages, as pip or npm names them
        #[arg(long = "package", value_name = "NAME")]
        packages: Vec<String>,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum LanguageName {
    Python,
    Node,
}

pub(super) fn run(command: Function) -> Outcome {
    let server = command.server;
    match command.action {
        Action::Put {
            name,
            transform,
            wasm,
            wasm_object,
            memory_mb,
            timeout_seconds,
            concurrency,
            webhook,
            token_file,
            client_identity,
            ca,
            input_endpoint,
            payload,
            description,
        } => {
            let component = component(wasm.as_deref(), wasm_object.as_deref())?;
            let body = match (component, webhook) {
                (None, Some(url)) => json!({
                    "kind": "webhook", "description": description,
                    "webhook": {
                        "url": url,
                        "token": text(token_file.as_deref())?.map(|token| token.trim().to_owned()),
                        "client_identity": text(client_identity.as_deref())?,
                        "ca": text(ca.as_deref())?,
                        "input_endpoint": input_endpoint,
                    },
                }),
                (None, None) => json!({
                    "kind": "builtin", "transform": transform, "payload": payload, "description": description,
                }),
                (Some(component), _) => json!({
                    "kind": "wasm", "component": component, "memory_mb": memory_mb, "payload": payload,
                    "timeout_seconds": timeout_seconds, "concurrency": concurrency, "description": description,
                }),
            };
            server.show(&Method::PUT, &format!("/functions/{}", segment(&name)), Some(&body))
        }
        Action::List => server.show(&Method::GET, "/functions", None),
        Action::Get { name } => server.show(&Method::GET, &format!("/functions/{}", segment(&name)), None),
        Action::Delete { name } => {
            server.show(&Method::DELETE, &format!("/functions/{}", segment(&name)), None)
        }
        Action::Network { name, allow, none } => {
            let path = format!("/functions/{}/network", segment(&name));
            match (allow.is_empty(), none) {
                (_, true) => server.show(&Method::DELETE, &path, None),
                (true, false) => server.show(&Method::GET, &path, None),
                (false, false) => server.show(&Method::PUT, &path, Some(&json!({ "allow": allow }))),
            }
        }
        Action::Logs { name, request_id } => {
            let query = request_id.map(|id| format!("?request_id={}", segment(&id))).unwrap_or_default();
            let path = format!("/functions/{}/logs{query}", segment(&name));
            let answer = server.ask(&Method::GET, &path, None)?;
            for entry in answer.get("invocations").and_then(Value::as_array).into_iter().flatten() {
                print!("{}", entry.get("log").and_then(Value::as_str).unwrap_or_default());
            }
            Ok(())
        }
        Action::Usage(filter) => server.show(&Method::GET, &filter.path(), None),
        Action::Platform => server.show(&Method::GET, "/function-platform", None),
        Action::Runtime { action: RuntimeAction::Install { language, runtime_dir, packages } } => {
            let directory = runtime_dir.unwrap_or_else(|| server.data_dir.join("runtimes"));
            let language = match language {
                LanguageName::Python => Language::Python,
                LanguageName::Node => Language::Node,
            };
            for place in install(language, &directory, &packages)? {
                println!("installed {}", place.display());
            }
            Ok(())
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

impl UsageFilter {
    fn path(&self) -> String {
        let mut path = format!("/usage/functions?group_by={}", segment(&self.group_by));
        for (name, value) in [
            ("function", &self.function),
            ("object_lambda", &self.object_lambda),
            ("from", &self.from),
            ("to", &self.to),
        ] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", segment(value)));
            }
        }
        path
    }
}

/// Where the Wasm component is, as the admin API reads it.
fn component(file: Option<&Path>, object: Option<&str>) -> Result<Option<Value>, Failure> {
    match (file, object) {
        (Some(file), _) => {
            let bytes = std::fs::read(file)
                .map_err(|error| Failure::new(format!("--wasm {}: {error}", file.display())))?;
            Ok(Some(json!({ "base64": BASE64.encode(&bytes) })))
        }
        (None, Some(object)) => match object.split_once('/') {
            Some((bucket, key)) => Ok(Some(json!({ "bucket": bucket, "key": key }))),
            None => Err(Failure::new(format!("--wasm-object {object}: must be BUCKET/KEY"))),
        },
        (None, None) => Ok(None),
    }
}

/// The text of a file that may be named.
fn text(file: Option<&Path>) -> Result<Option<String>, Failure> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
    };
    file.map(read).transpose()
}
