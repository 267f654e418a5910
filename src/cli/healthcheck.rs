//! `refract healthcheck`.

use std::time::Duration;

use clap::Args;

use super::{Failure, Outcome};

#[derive(Debug, Args)]
pub(super) struct Healthcheck {
    /// The server's address
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9000", env = "REFRACT_ENDPOINT_URL")]
    endpoint_url: String,
    /// Seconds to wait for an answer
    #[arg(long, value_name = "N", default_value_t = 5)]
    timeout: u64,
}

pub(super) fn run(command: &Healthcheck) -> Outcome {
    let url = format!("{}/_refract/health/ready", command.endpoint_url.trim_end_matches('/'));
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(command.timeout)))
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into();
    let answer = agent.get(&url).call().map_err(|error| Failure::new(format!("{url}: {error}")))?;
    if answer.status().is_success() {
        println!("ready");
        return Ok(());
    }
    Err(Failure::new(format!("{url} answered {}", answer.status())))
}
