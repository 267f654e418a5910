//! The commands: one file each.
//!
//! - [`serve`], [`demo`]: the server.
//! - [`function`], [`access_point`], [`object_lambda`], [`account`], [`bucket`], [`user`], [`role`], [`key`]: thin over the
//!   admin API, by [`client`].
//! - [`config`], [`healthcheck`], [`completions`](clap_complete).

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

mod access_point;
mod account;
mod bucket;
mod client;
mod config;
mod demo;
mod function;
mod healthcheck;
mod key;
mod kms_key;
mod object_lambda;
mod policy;
mod presign;
mod role;
mod serve;
mod user;

/// An S3-compatible object store that shows an object through lenses: access points and Object Lambda access points.
#[derive(Debug, Parser)]
#[command(name = "refract", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts the server
    Serve(serve::Settings),
    /// Starts the server with the samples loaded and an Object Lambda access point for each transform
    Demo(demo::Demo),
    /// Registers, lists, shows, previews and deletes functions
    Function(function::Function),
    /// Creates, lists, shows and deletes access points
    AccessPoint(access_point::AccessPoint),
    /// Creates, lists, shows, changes and deletes Object Lambda access points
    ObjectLambda(object_lambda::ObjectLambda),
    /// Makes, lists and deletes accounts
    Account(account::Account),
    /// Shows what buckets hold, and limits it
    Bucket(bucket::Bucket),
    /// Makes, lists, shows and deletes users
    User(user::User),
    /// Makes, lists, shows and deletes roles
    Role(role::Role),
    /// Makes, lists, switches and deletes access keys
    Key(key::Key),
    /// Explains who may do what, and why
    Policy(policy::Policy),
    /// Makes and lists named keys for SSE-KMS
    KmsKey(kms_key::KmsKey),
    /// Shows the configuration in force, or a file with all defaults
    Config(config::Config),
    /// Says by its exit code whether a server is ready
    Healthcheck(healthcheck::Healthcheck),
    /// Compiles a Wasm component: the server starts this with limits
    #[cfg(feature = "wasm")]
    #[command(name = crate::function::wasm::compile::COMMAND, hide = true)]
    CompileWasm {
        /// Seconds that it may take
        seconds: u64,
    },
    /// Prints completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// Why a command failed: one message for the person who typed it.
#[derive(Debug)]
struct Failure(String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

type Outcome = Result<(), Failure>;

/// Runs the command that the arguments name. Exit code 0: done; 1: it failed; 2: the arguments are wrong.
#[must_use]
pub fn run() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(settings) => serve::run(&settings),
        Command::Demo(demo) => demo::run(&demo),
        Command::Function(command) => function::run(command),
        Command::AccessPoint(command) => access_point::run(command),
        Command::ObjectLambda(command) => object_lambda::run(command),
        Command::Account(command) => account::run(command),
        Command::Bucket(command) => bucket::run(command),
        Command::User(command) => user::run(command),
        Command::Role(command) => role::run(command),
        Command::Key(command) => key::run(command),
        Command::Policy(command) => policy::run(command),
        Command::KmsKey(command) => kms_key::run(command),
        Command::Config(command) => config::run(&command),
        Command::Healthcheck(command) => healthcheck::run(&command),
        #[cfg(feature = "wasm")]
        Command::CompileWasm { seconds } => return crate::function::wasm::compile::run(seconds),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "refract", &mut std::io::stdout());
            Ok(())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(message)) => {
            eprintln!("refract: {message}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_flag_that_is_not_known_is_named_with_its_nearest() {
        let error = Cli::try_parse_from(["refract", "serve", "--data-dri", "x"]).unwrap_err().to_string();
        assert!(error.contains("--data-dir"), "{error}");
    }
}
