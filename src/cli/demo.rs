//! `refract demo`.

use clap::Args;

use super::Outcome;
use super::serve::Settings;

#[derive(Debug, Args)]
pub(super) struct Demo {
    #[command(flatten)]
    settings: Settings,
}

pub(super) fn run(demo: &Demo) -> Outcome {
    let _ = demo;
    Ok(())
}
