//! `refract serve`.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Arg, ArgAction, ArgMatches, Command};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Config, Kind, RawConfig, SETTINGS};
use crate::instance::{Instance, root_credentials_file};
use crate::telemetry::{self, events};

use super::{Failure, Outcome};

/// The flags of every setting.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    flags: Vec<(&'static str, String)>,
    file: Option<PathBuf>,
}

impl Settings {
    /// What was typed, with a value for a setting that was typed nowhere.
    pub(super) fn gather(&self) -> Result<RawConfig, Failure> {
        Ok(RawConfig::gather(&self.flags, std::env::vars(), self.file.as_deref())?)
    }
}

/// clap wants names that live as long as the process, unless it is built with a feature that makes every name a copy.
fn leak(name: String) -> &'static str {
    Box::leak(name.into_boxed_str())
}

impl clap::Args for Settings {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help("Configuration file (TOML) [env: REFRACT_CONFIG]");
        SETTINGS.iter().filter(|setting| setting.kind != Kind::Secret).fold(
            command.arg(config),
            |command, setting| {
                let mut help = format!("{} [env: {}", setting.help, setting.variable());
                if setting.default.is_empty() {
                    help.push(']');
                } else {
                    help.push_str(&format!("] [default: {}]", setting.default));
                }
                let arg =
                    Arg::new(setting.key).long(leak(setting.flag())).value_name(setting.value).help(help);
                command.arg(match setting.kind {
                    Kind::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
                    Kind::List => arg.action(ArgAction::Append),
                    Kind::Value | Kind::Secret => arg,
                })
            },
        )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut settings = Self::default();
        settings.update_from_arg_matches(matches)?;
        Ok(settings)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.file = matches.get_one::<PathBuf>("config").cloned();
        for setting in SETTINGS.iter().filter(|setting| setting.kind != Kind::Secret) {
            for value in matches.get_many::<String>(setting.key).into_iter().flatten() {
                self.flags.push((setting.key, value.clone()));
            }
        }
        Ok(())
    }
}

pub(super) fn run(settings: &Settings) -> Outcome {
    let raw = settings.gather()?;
    start(&raw, &Config::parse(&raw)?, async |_, _| Ok(()))
}

/// Starts a server; `ready` is called once it is open and before it answers.
pub(super) fn start(
    raw: &RawConfig,
    config: &Config,
    ready: impl AsyncFnOnce(&Instance, &str) -> Outcome,
) -> Outcome {
    let started = Instant::now();
    telemetry::init(&config.log, config.log_format)
        .map_err(|error| Failure::new(format!("log: {:?} cannot be read: {error}", config.log)))?;
    for reason in &raw.warnings {
        events::SettingIgnored { reason }.emit();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let instance = Instance::open(config)?;
        let listener = TcpListener::bind(config.listen).await.map_err(|error| {
            Failure::new(format!("cannot listen on {}: {error}; choose another with --listen", config.listen))
        })?;
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let local = listener.local_addr()?;
        let address = format!("{scheme}://{local}");
        if config.tls.is_none() && !local.ip().is_loopback() {
            let reason = "plain HTTP on an address that others reach; set tls_cert and tls_key, or put it behind a proxy";
            events::SettingIgnored { reason }.emit();
        }
        if instance.root_is_new {
            let file = root_credentials_file(&config.data_dir);
            eprintln!(
                "Root credentials, made now and kept in {}:\n  AWS_ACCESS_KEY_ID={}\n  AWS_SECRET_ACCESS_KEY={}",
                file.display(),
                instance.root.access_key_id,
                instance.root.secret.expose(),
            );
        }
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        ready(&instance, &address).await?;
        events::Ready { address: &address, took: started.elapsed() }.emit();
        // Whoever started it may wait for this line; that nobody reads it is no reason to stop.
        drop(writeln!(std::io::stdout(), "Refract answers at {address}"));
        instance.serve(listener, shutdown).await;
        Ok(())
    })
}
