//! Settings: what was typed ([`RawConfig`]) → what is meant ([`Config`]).

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use refract_transforms::Limits as TransformLimits;

use crate::access_log;
use crate::access_point::arn;
use crate::encryption::DataKey;
use crate::lifecycle;
use crate::notification::{self, Target, TargetKind};
use crate::policy::Network;
use crate::secret::Secret;
use crate::server::Limits;
use crate::store::fs::Durability;
use crate::telemetry::{AuditOptions, AuditTo, LogFormat};

mod functions;
mod raw;
mod settings;

pub use functions::FunctionConfig;
pub use raw::{Origin, RawConfig, RawValue};
pub use settings::{Kind, SETTINGS, Setting};

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read, or says what is not known.
    #[error("{0}: {1}")]
    File(String, String),
    /// A value is not one that its setting takes.
    #[error("{key} (from {origin}): {reason}")]
    Value {
        /// The setting.
        key: &'static str,
        /// Where it was typed.
        origin: Origin,
        /// What is wrong.
        reason: String,
    },
}

/// What is meant.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Names of this server.
    pub domains: Vec<String>,
    /// Names under which buckets show their websites.
    pub website_domains: Vec<String>,
    /// Hosts whose identity providers may be without TLS.
    pub oidc_http_hosts: Vec<String>,
    /// Whether identity providers may have private addresses.
    pub oidc_private: bool,
    /// 12 digits.
    pub account_id: String,
    /// The root account's name.
    pub root_account_name: String,
    /// The root account's e-mail.
    pub root_account_email: String,
    /// Region of ARNs.
    pub region: String,
    /// Whether signatures may name no other.
    pub region_strict: bool,
    /// Whether SigV2 is taken.
    pub sigv2: bool,
    /// The root pair, where it is given.
    pub root: Option<(String, Secret)>,
    /// Token of the admin API.
    pub admin_token: Option<Secret>,
    /// Proxies that may say for whom they speak.
    pub trusted_proxies: Vec<Network>,
    /// The audit log.
    pub audit: AuditOptions,
    /// The master key's file, where it is not in the data directory.
    pub master_key_file: Option<PathBuf>,
    /// The key of SSE-S3, where it is given.
    pub encryption_key: Option<DataKey>,
    /// The command that prints it, and the time that it has.
    pub encryption_key_command: Option<(String, Duration)>,
    /// Certificate and key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// When a write is answered.
    pub durability: Durability,
    /// Bytes of the database's cache.
    pub store_cache: usize,
    /// Bytes of free space below which writes are refused.
    pub disk_reserve: u64,
    /// Bytes on disk of results that are kept.
    pub result_cache: u64,
    /// Steps of transforms at once.
    pub transform_parallel: usize,
    /// Caps of one run of a transform.
    pub transform: TransformLimits,
    /// How functions run.
    pub functions: FunctionConfig,
    /// Instances of Wasm components at a time.
    pub wasm_instances: u32,
    /// Threads that run them.
    pub wasm_threads: usize,
    /// Threads that run those that have been computing for a while. Unless it was said how many, one processor is left
    /// to all others: one that runs what takes what is left is not idle to the kernel, which then moves nobody there.
    pub wasm_long_threads: usize,
    /// Longest time of the compiler of Wasm components.
    pub wasm_compile: Duration,
    /// How lifecycle rules are carried out.
    pub lifecycle: lifecycle::Options,
    /// Who can be told of what happens in buckets.
    pub notification: notification::Options,
    /// How access logs are delivered.
    pub access_log: access_log::Options,
    /// What the listener allows.
    pub limits: Limits,
    /// Memory of request bodies that are held whole.
    pub body_memory: u64,
    /// What to log.
    pub log: String,
    /// How.
    pub log_format: LogFormat,
}

impl Config {
    /// Reads what was typed.
    ///
    /// # Errors
    /// [`ConfigError`]: it names the setting and where it was typed.
    pub fn parse(raw: &RawConfig) -> Result<Self, ConfigError> {
        let of = |key| Reader::of(raw, key);
        let root_id = of("root_access_key_id")?.optional();
        let root_secret = secret(raw, "root_secret_access_key", "root_secret_access_key_file")?;
        let root = match (root_id, root_secret) {
            (None, None) => None,
            (Some(id), Some(secret)) => {
                let well_formed = (3..=128).contains(&id.len())
                    && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                if !well_formed {
                    return of("root_access_key_id")?.refuse("must be 3 to 128 letters, digits and `_`");
                }
                if secret.expose().len() < 8 {
                    return of("root_secret_access_key")?.refuse("must have at least 8 characters");
                }
                Some((id, secret))
            }
            (Some(_), None) => {
                return of("root_access_key_id")?
                    .refuse("is given without root_secret_access_key (or its _file)");
            }
            (None, Some(_)) => {
                return of("root_secret_access_key")?.refuse("is given without root_access_key_id");
            }
        };
        let path = |key| Ok::<_, ConfigError>(of(key)?.optional().map(PathBuf::from));
        let tls = match (path("tls_cert")?, path("tls_key")?) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (Some(_), None) => return of("tls_cert")?.refuse("is given without tls_key"),
            (None, Some(_)) => return of("tls_key")?.refuse("is given without tls_cert"),
        };
        let parallel = of("transform_parallel")?.number(0..=1024)?;
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let wasm_threads: usize = of("wasm_threads")?.number(0..=1024)?;
        Ok(Self {
            listen: of("listen")?.parse("must be an address and a port, such as 127.0.0.1:9000")?,
            data_dir: path("data_dir")?.unwrap_or_default(),
            domains: of("domain")?.list(),
            website_domains: of("website_domains")?.list(),
            oidc_http_hosts: of("oidc_http_hosts")?.list(),
            oidc_private: of("oidc_private")?.parse("must be true or false")?,
            account_id: of("account_id")?.checked(arn::is_account, "must have 12 digits")?,
            root_account_name: of("root_account_name")?
                .checked(|name| (1..=64).contains(&name.chars().count()), "must have 1 to 64 characters")?,
            root_account_email: of("root_account_email")?
                .checked(|email| email.contains('@'), "must be an e-mail address")?,
            region: of("region")?
                .checked(is_region, "must be 1 to 32 lower-case letters, digits and hyphens")?,
            region_strict: of("region_strict")?.parse("must be true or false")?,
            sigv2: of("sigv2")?.parse("must be true or false")?,
            root,
            admin_token: {
                let token = secret(raw, "admin_token", "admin_token_file")?;
                if token.as_ref().is_some_and(|token| token.expose().len() < 8) {
                    return of("admin_token")?.refuse("must have at least 8 characters");
                }
                token
            },
            master_key_file: path("master_key_file")?,
            encryption_key: match secret(raw, "encryption_key", "encryption_key_file")? {
                None => None,
                Some(text) => {
                    let bytes =
                        data_encoding::HEXLOWER_PERMISSIVE.decode(text.expose().trim().as_bytes()).ok();
                    match bytes.and_then(|bytes| bytes.try_into().ok()) {
                        Some(bytes) => Some(DataKey::from_bytes(bytes)),
                        None => return of("encryption_key")?.refuse("must be 64 hexadecimal digits"),
                    }
                }
            },
            trusted_proxies: {
                let list = of("trusted_proxies")?.list();
                let read: Option<Vec<Network>> = list.iter().map(|text| Network::parse(text)).collect();
                match read {
                    Some(networks) => networks,
                    None => {
                        return of("trusted_proxies")?
                            .refuse("must be IP addresses or ranges in CIDR notation");
                    }
                }
            },
            audit: AuditOptions {
                to: match of("audit_log")?.text.as_str() {
                    "off" => AuditTo::Nowhere,
                    "stdout" => AuditTo::Stdout,
                    "" => AuditTo::DataDir,
                    path => AuditTo::File(PathBuf::from(path)),
                },
                bytes: of("audit_log_bytes")?.size(1 << 10..=1 << 40)?,
                files: of("audit_log_files")?.number(0..=100_000)?,
            },
            encryption_key_command: {
                let command = of("encryption_key_command")?;
                let others = ["encryption_key", "encryption_key_file"];
                for other in others {
                    if !command.text.is_empty() && !of(other)?.text.is_empty() {
                        return command.refuse(&format!("is given beside {other}; give one of them"));
                    }
                }
                let limit = Duration::from_secs(of("encryption_key_command_seconds")?.number(1..=3600)?);
                command.optional().map(|command| (command, limit))
            },
            tls,
            durability: of("durability")?
                .one_of(&[("sync", Durability::Sync), ("relaxed", Durability::Relaxed)])?,
            store_cache: of("store_cache_bytes")?.size(1 << 20..=1 << 40)?,
            disk_reserve: of("disk_reserve_bytes")?.size(0..=1 << 50)?,
            result_cache: of("result_cache_bytes")?.size(0..=1 << 50)?,
            transform_parallel: if parallel == 0 { processors } else { parallel },
            transform: TransformLimits {
                buffered_bytes: of("transform_buffer_bytes")?.size(1 << 20..=1 << 34)?,
                pixels: of("transform_pixels")?.number(1..=1 << 40)?,
                output_bytes: of("transform_output_bytes")?.size(1 << 20..=1 << 50)?,
                ratio: of("transform_ratio")?.number(1..=1 << 20)?,
                record_bytes: of("transform_record_bytes")?.size(1 << 10..=1 << 30)?,
            },
            functions: FunctionConfig::parse(raw)?,
            wasm_instances: of("wasm_instances")?.number(1..=20_000)?,
            wasm_threads: if wasm_threads == 0 { processors } else { wasm_threads },
            wasm_long_threads: if wasm_threads == 0 { (processors - 1).max(1) } else { wasm_threads },
            wasm_compile: Duration::from_secs(of("wasm_compile_seconds")?.number(1..=3600)?),
            lifecycle: lifecycle::Options {
                days: lifecycle::Days { seconds: of("lifecycle_day_seconds")?.number(1..=86_400)? },
                rate: NonZeroU32::new(of("lifecycle_rate")?.number(1..=1_000_000)?)
                    .unwrap_or(NonZeroU32::MIN),
            },
            notification: notification::Options {
                targets: targets(of("notify_webhook")?, of("notify_queue")?)?,
                private_addresses: of("notify_private")?.parse("must be true or false")?,
            },
            access_log: access_log::Options {
                interval: Duration::from_secs(of("log_delivery_seconds")?.number(1..=86_400)?),
            },
            limits: Limits {
                connections: of("max_connections")?.number(1..=1 << 20)?,
                head_timeout: Duration::from_secs(of("head_seconds")?.number(1..=3600)?),
                head_bytes: of("head_bytes")?.size(8 << 10..=1 << 20)?,
                idle: Duration::from_secs(of("body_idle_seconds")?.number(1..=86_400)?),
                drain: Duration::from_secs(of("drain_seconds")?.number(0..=86_400)?),
            },
            body_memory: of("body_memory_bytes")?.size(1 << 20..=1 << 40)?,
            log: of("log")?.text,
            log_format: of("log_format")?.one_of(&[("text", LogFormat::Text), ("json", LogFormat::Json)])?,
        })
    }
}

/// The targets of notifications.
fn targets(webhooks: Reader, queues: Reader) -> Result<Vec<Target>, ConfigError> {
    let named = |name: &str| {
        (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let mut targets: Vec<Target> = Vec::new();
    for text in webhooks.parts() {
        let (name, url) = text.split_once('=').unwrap_or((text, ""));
        let uri = url.parse::<http::Uri>().ok();
        let fine = uri.is_some_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        });
        if !named(name) || !fine || targets.iter().any(|target| target.name == name) {
            return webhooks.refuse(
                "must be NAME=URL: a name of its own of 1 to 64 letters, digits, `-` and `_`, and an http or https URL \
                 without a password",
            );
        }
        targets.push(Target { name: name.to_owned(), kind: TargetKind::Webhook(url.to_owned()) });
    }
    for name in queues.parts() {
        if !named(name) || targets.iter().any(|target| target.name == name) {
            return queues.refuse("must be a name of its own of 1 to 64 letters, digits, `-` and `_`");
        }
        targets.push(Target { name: name.to_owned(), kind: TargetKind::QueueFile });
    }
    Ok(targets)
}

fn is_region(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A secret, itself or from its file.
fn secret(raw: &RawConfig, key: &'static str, file_key: &'static str) -> Result<Option<Secret>, ConfigError> {
    let (typed, file) = (Reader::of(raw, key)?, Reader::of(raw, file_key)?);
    if file.text.is_empty() {
        return Ok(typed.optional().map(Secret::new));
    }
    if !typed.text.is_empty() {
        return file.refuse("is given beside the secret itself; give one of the two");
    }
    match std::fs::read_to_string(&file.text) {
        Ok(text) if text.trim().is_empty() => file.refuse("the file is empty"),
        Ok(text) => Ok(Some(Secret::new(text.trim()))),
        Err(error) => {
            let reason = format!("{}: {error}", file.text);
            file.refuse(&reason)
        }
    }
}

/// One typed value on its way to what it means.
struct Reader {
    key: &'static str,
    text: String,
    origin: Origin,
}

impl Reader {
    fn of(raw: &RawConfig, key: &'static str) -> Result<Self, ConfigError> {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
            return Err(ConfigError::Value {
                key,
                origin: Origin::Default,
                reason: "is not in the table".into(),
            });
        };
        let RawValue { text, origin } = raw.get(setting);
        Ok(Self { key, text, origin })
    }

    fn refuse<T>(self, reason: &str) -> Result<T, ConfigError> {
        Err(ConfigError::Value { key: self.key, origin: self.origin, reason: reason.to_owned() })
    }

    fn optional(self) -> Option<String> {
        Some(self.text).filter(|text| !text.is_empty())
    }

    /// The parts of a list as they were typed.
    fn parts(&self) -> Vec<&str> {
        self.text.split(',').map(str::trim).filter(|text| !text.is_empty()).collect()
    }

    fn list(self) -> Vec<String> {
        self.text
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_ascii_lowercase)
            .collect()
    }

    fn checked(self, check: fn(&str) -> bool, reason: &str) -> Result<String, ConfigError> {
        if check(&self.text) { Ok(self.text) } else { self.refuse(reason) }
    }

    fn parse<T: FromStr>(self, reason: &str) -> Result<T, ConfigError> {
        match self.text.parse() {
            Ok(value) => Ok(value),
            Err(_) => self.refuse(reason),
        }
    }

    fn one_of<T: Copy>(self, known: &[(&str, T)]) -> Result<T, ConfigError> {
        if let Some((_, value)) = known.iter().find(|(name, _)| *name == self.text) {
            return Ok(*value);
        }
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        self.refuse(&format!("must be one of {}", names.join(", ")))
    }

    fn number<T: TryFrom<u64>>(self, range: std::ops::RangeInclusive<u64>) -> Result<T, ConfigError> {
        let number = self.text.parse::<u64>().ok().filter(|number| range.contains(number));
        match number.and_then(|number| T::try_from(number).ok()) {
            Some(number) => Ok(number),
            None => self.refuse(&format!("must be a whole number from {} to {}", range.start(), range.end())),
        }
    }

    fn size<T: TryFrom<u64>>(self, range: std::ops::RangeInclusive<u64>) -> Result<T, ConfigError> {
        let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40), ("B", 0), ("", 0)];
        let parsed = units.iter().find_map(|(unit, shift)| {
            let number: u64 = self.text.strip_suffix(unit)?.trim_end().parse().ok()?;
            number.checked_mul(1 << shift)
        });
        match parsed.filter(|bytes| range.contains(bytes)).and_then(|bytes| T::try_from(bytes).ok()) {
            Some(bytes) => Ok(bytes),
            None => self.refuse(&format!(
                "must be bytes, or a number with KiB, MiB, GiB or TiB, from {} to {} bytes",
                range.start(),
                range.end()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(variables: &[(&str, &str)]) -> Result<Config, String> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let raw = RawConfig::gather(&[], variables, None).map_err(|error| error.to_string())?;
        Config::parse(&raw).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_those_of_the_parts() {
        let config = parse(&[]).unwrap();
        assert_eq!(config.transform, TransformLimits::default());
        assert_eq!(config.limits.head_bytes, Limits::default().head_bytes);
        assert_eq!(config.limits.drain, Limits::default().drain);
        assert!(config.root.is_none() && config.tls.is_none() && config.transform_parallel > 0);
    }

    #[test]
    fn an_error_names_the_setting_its_place_and_the_limit() {
        for (variable, value, expected) in [
            ("REFRACT_LISTEN", "9000", "listen (from REFRACT_LISTEN): must be an address"),
            ("REFRACT_ACCOUNT_ID", "12", "must have 12 digits"),
            ("REFRACT_REGION", "Über", "lower-case letters"),
            ("REFRACT_DURABILITY", "none", "must be one of sync, relaxed"),
            ("REFRACT_STORE_CACHE_BYTES", "12MB", "KiB, MiB"),
            ("REFRACT_STORE_CACHE_BYTES", "1", "from 1048576"),
            ("REFRACT_DRAIN_SECONDS", "-1", "from 0 to 86400"),
            ("REFRACT_TLS_CERT", "x", "without tls_key"),
            ("REFRACT_ROOT_ACCESS_KEY_ID", "x", "without root_secret_access_key"),
            ("REFRACT_ADMIN_TOKEN", "short", "at least 8"),
            ("REFRACT_ENCRYPTION_KEY_COMMAND_SECONDS", "0", "from 1 to 3600"),
            ("REFRACT_NOTIFY_WEBHOOK", "a=ftp://x", "must be NAME=URL"),
            ("REFRACT_NOTIFY_WEBHOOK", "a=http://u:p@x/", "without a password"),
            ("REFRACT_NOTIFY_QUEUE", "a,a", "a name of its own"),
            ("REFRACT_NOTIFY_QUEUE", "../a", "a name of its own"),
            ("REFRACT_ADMIN_TOKEN_FILE", "/nowhere/x", "/nowhere/x: No such file"),
        ] {
            let error = parse(&[(variable, value)]).unwrap_err();
            assert!(error.contains(expected), "{variable}: {error}");
        }
    }

    #[test]
    fn a_secret_may_come_from_a_file_and_is_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, "wJalrXUtnFEMI\n").unwrap();
        let config = parse(&[
            ("REFRACT_ROOT_ACCESS_KEY_ID", "AKIA"),
            ("REFRACT_ROOT_SECRET_ACCESS_KEY_FILE", path.to_str().unwrap()),
        ])
        .unwrap();
        assert_eq!(config.root.as_ref().unwrap().1.expose(), "wJalrXUtnFEMI");
        assert!(!format!("{config:?}").contains("wJalr"));
    }

    #[test]
    fn every_setting_is_documented_as_it_is() {
        let documented = include_str!("../../docs/configuration.md");
        for setting in SETTINGS {
            let default =
                if setting.default.is_empty() { String::new() } else { format!("`{}`", setting.default) };
            let row = format!("| `{}` | {default} | {} |", setting.key, setting.help);
            assert!(documented.contains(&row), "docs/configuration.md lacks: {row}");
        }
    }
}
