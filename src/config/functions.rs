//! The settings of functions that run code.

use std::path::PathBuf;
use std::time::Duration;

use super::{ConfigError, RawConfig, Reader};

/// How functions run.
#[derive(Debug, Clone)]
pub struct FunctionConfig {
    /// Where what AWS's runtime images bring is installed.
    pub runtime_dir: PathBuf,
    /// Whether only the very version of an interpreter will do.
    pub strict_runtimes: bool,
    /// Whether functions run as processes with less than full isolation.
    pub allow_weak_isolation: bool,
    /// Memory of all workers, in MB.
    pub memory_mb: u64,
    /// Invocations at a time.
    pub concurrency: u32,
    /// Invocations that wait for one version.
    pub queue: usize,
    /// How long they wait.
    pub wait: Duration,
    /// How long a worker is kept without an invocation.
    pub keep_alive: Duration,
    /// Invocations after which a worker is not used again.
    pub max_uses: u32,
    /// Time before an event is tried again.
    pub retry: Duration,
    /// Longest answer through an Object Lambda access point.
    pub object_lambda: Duration,
    /// Whether functions that are webhooks may have private addresses.
    pub webhook_private: bool,
    /// Exchanges with functions that run elsewhere, at a time.
    pub webhook_concurrency: usize,
}

impl FunctionConfig {
    pub(super) fn parse(raw: &RawConfig) -> Result<Self, ConfigError> {
        let of = |key| Reader::of(raw, key);
        let seconds = |key, range| Ok::<_, ConfigError>(Duration::from_secs(of(key)?.number(range)?));
        let data_dir = PathBuf::from(of("data_dir")?.text);
        let memory_mb: u64 = of("function_memory_mb")?.number(0..=1 << 24)?;
        Ok(Self {
            runtime_dir: of("runtime_dir")?
                .optional()
                .map_or_else(|| data_dir.join("runtimes"), PathBuf::from),
            strict_runtimes: of("strict_runtimes")?.parse("must be true or false")?,
            allow_weak_isolation: of("allow_weak_isolation")?.parse("must be true or false")?,
            memory_mb: if memory_mb == 0 { half_of_the_machine() } else { memory_mb },
            concurrency: of("function_concurrency")?.number(1..=1 << 20)?,
            queue: of("function_queue")?.number(0..=1 << 20)?,
            wait: seconds("function_queue_seconds", 1..=900)?,
            keep_alive: seconds("function_keep_alive_seconds", 1..=86_400)?,
            max_uses: of("function_max_invocations")?.number(1..=u64::from(u32::MAX))?,
            retry: seconds("function_retry_seconds", 1..=86_400)?,
            object_lambda: seconds("object_lambda_seconds", 1..=900)?,
            webhook_private: of("webhook_private")?.parse("must be true or false")?,
            webhook_concurrency: of("webhook_concurrency")?.number(1..=400)?,
        })
    }
}

/// Half of the machine's memory, in MB.
fn half_of_the_machine() -> u64 {
    let info = rustix::system::sysinfo();
    let unit = u64::from(info.mem_unit.max(1));
    // The type of the field is the platform's.
    #[allow(clippy::useless_conversion, reason = "not on every platform")]
    let total = u64::try_from(info.totalram).unwrap_or(0);
    ((total.saturating_mul(unit) / 2) >> 20).max(512)
}
