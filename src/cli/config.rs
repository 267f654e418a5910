//! `refract config`.

use clap::{Args, Subcommand};

use crate::config::{Config as Parsed, Kind, SETTINGS};

use super::Outcome;
use super::serve::Settings;

#[derive(Debug, Args)]
pub(super) struct Config {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Checks the settings and shows each with where it came from; secrets are hidden
    Show(Settings),
    /// Prints a configuration file with all defaults
    Template,
}

pub(super) fn run(command: &Config) -> Outcome {
    match &command.action {
        Action::Template => {
            for setting in SETTINGS {
                println!("# {}.", setting.help);
                match setting.kind {
                    Kind::List => println!("# {} = []\n", setting.key),
                    Kind::Switch => println!("# {} = {}\n", setting.key, setting.default),
                    Kind::Value | Kind::Secret => println!("# {} = {:?}\n", setting.key, setting.default),
                }
            }
            Ok(())
        }
        Action::Show(settings) => {
            let raw = settings.gather()?;
            Parsed::parse(&raw)?;
            for setting in SETTINGS {
                let value = raw.get(setting);
                let hidden = setting.kind == Kind::Secret && !value.text.is_empty();
                let shown = if hidden { "(hidden)" } else { &value.text };
                println!("{} = {shown:?}  # {}", setting.key, value.origin);
            }
            for warning in &raw.warnings {
                eprintln!("refract: {warning}");
            }
            Ok(())
        }
    }
}
