//! `refract demo`.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;

use crate::config::Config;
use crate::demo;
use crate::instance::Instance;

use super::serve::{self, Settings};
use super::{Failure, Outcome, presign};

/// How long the printed links work.
const LINKS: Duration = Duration::from_secs(12 * 3600);

#[derive(Debug, Args)]
pub(super) struct Demo {
    #[command(flatten)]
    settings: Settings,
}

pub(super) fn run(demo: &Demo) -> Outcome {
    let mut raw = demo.settings.gather()?;
    // The demo's objects stay out of the store that a later `refract serve` opens.
    raw.set_default("data_dir", "data/demo");
    raw.set_default("log", "warn");
    let config = Config::parse(&raw)?;
    let region = config.region.clone();
    serve::start(&raw, &config, async |instance, address| {
        let aliases = demo::load(&instance.app)
            .await
            .map_err(|error| Failure::new(format!("the samples cannot be loaded: {}", error.message)))?;
        let text =
            instructions(instance, address, &region, |name| aliases.get(name).map_or("", String::as_str))?;
        println!("{text}");
        Ok(())
    })
}

fn instructions<'a>(
    instance: &Instance,
    address: &str,
    region: &str,
    alias: impl Fn(&str) -> &'a str,
) -> Result<String, Failure> {
    let root = &instance.root;
    let link = |name: &str, key: &str| {
        presign::get(&format!("{address}/{}/{key}", alias(name)), root, region, LINKS)
    };
    let mut text = String::new();
    writeln!(text, "The samples are in the bucket `{}`. Paste this into another shell:\n", demo::BUCKET)?;
    writeln!(text, "  export AWS_ACCESS_KEY_ID={}", root.access_key_id)?;
    writeln!(text, "  export AWS_SECRET_ACCESS_KEY={}", root.secret.expose())?;
    writeln!(text, "  export AWS_DEFAULT_REGION={region}\n")?;
    writeln!(text, "Then read objects through a lens:\n")?;
    for lens in demo::lenses() {
        let to = if lens.key.ends_with(".jpg") || lens.transform == "compress" {
            format!("{}-{}", lens.name, lens.key)
        } else {
            "-".to_owned()
        };
        writeln!(text, "  # {}: {}", lens.transform, lens.shows)?;
        writeln!(text, "  aws --endpoint-url {address} s3 cp s3://{}/{} {to}", alias(lens.name), lens.key)?;
    }
    writeln!(text, "\nOr with curl, by a presigned URL:\n")?;
    writeln!(text, "  curl '{}'", link("redacted", "people.csv")?)?;
    writeln!(text, "\nOr in a browser, the photograph before and after (the links work for 12 hours):\n")?;
    writeln!(
        text,
        "  before: {}",
        presign::get(&format!("{address}/{}/photo.jpg", demo::BUCKET), root, region, LINKS)?
    )?;
    writeln!(text, "  after:  {}\n", link("postcard", "photo.jpg")?)?;
    Ok(text)
}
