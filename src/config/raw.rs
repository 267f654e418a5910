//! What was typed: flags, environment, file, each value with where it came from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use super::ConfigError;
use super::settings::{Kind, SETTINGS, Setting};

/// Variables that are ours and no setting of the server.
const OTHER_VARIABLES: [&str; 3] = ["REFRACT_CONFIG", "REFRACT_ENDPOINT_URL", "REFRACT_UPDATE_GOLDEN"];
/// Bytes of a configuration file.
const MAX_FILE: u64 = 1 << 20;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    Flag(String),
    /// An environment variable.
    Variable(String),
    /// The file.
    File(PathBuf),
    /// Nowhere.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "--{flag}"),
            Self::Variable(name) => f.write_str(name),
            Self::File(path) => f.write_str(&path.display().to_string()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value as it was typed.
#[derive(Debug, Clone)]
pub struct RawValue {
    /// The text; the values of a list are separated by commas.
    pub text: String,
    /// Where it came from.
    pub origin: Origin,
}

/// All that was typed.
#[derive(Debug, Default)]
pub struct RawConfig {
    values: BTreeMap<&'static str, RawValue>,
    /// What means nothing and is passed over, for the log.
    pub warnings: Vec<String>,
}

impl RawConfig {
    /// Gathers: a flag before the environment, that before the file.
    ///
    /// # Errors
    /// The file cannot be read, or has a key that is not known.
    pub fn gather(
        flags: &[(&'static str, String)],
        environment: impl IntoIterator<Item = (String, String)>,
        file: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let mut raw = Self::default();
        let environment: BTreeMap<String, String> =
            environment.into_iter().filter(|(name, _)| name.starts_with("REFRACT_")).collect();
        let variable = environment.get("REFRACT_CONFIG").map(PathBuf::from);
        if let Some(path) = file.map(Path::to_owned).or(variable) {
            raw.file(&path)?;
        }
        let mut known: BTreeSet<String> = OTHER_VARIABLES.map(str::to_owned).into();
        for setting in SETTINGS {
            let name = setting.variable();
            if let Some(text) = environment.get(&name) {
                let origin = Origin::Variable(name.clone());
                raw.insert(setting, RawValue { text: text.clone(), origin });
            }
            known.insert(name);
        }
        for name in environment.keys().filter(|name| !known.contains(*name)) {
            let near = nearest(name, known.iter().map(String::as_str));
            raw.warnings.push(format!("the environment variable {name} is not known{near}"));
        }
        let mut lists = BTreeMap::<&str, Vec<String>>::new();
        for (key, text) in flags {
            lists.entry(*key).or_default().push(text.clone());
        }
        for setting in SETTINGS {
            if let Some(values) = lists.remove(setting.key) {
                let origin = Origin::Flag(setting.flag());
                raw.insert(setting, RawValue { text: values.join(","), origin });
            }
        }
        Ok(raw)
    }

    /// The value of a setting, its default where nothing was typed.
    #[must_use]
    pub fn get(&self, setting: &Setting) -> RawValue {
        self.values
            .get(setting.key)
            .cloned()
            .unwrap_or_else(|| RawValue { text: setting.default.to_owned(), origin: Origin::Default })
    }

    /// Another default, for a command of which the table does not know.
    pub fn set_default(&mut self, key: &'static str, text: &str) {
        let default = || RawValue { text: text.to_owned(), origin: Origin::Default };
        self.values.entry(key).or_insert_with(default);
    }

    /// A secret and its file stand for one another: the one that was typed at the stronger place wins, so that a
    /// variable is not undone by a line of the file.
    fn insert(&mut self, setting: &Setting, value: RawValue) {
        if setting.kind == Kind::Secret {
            let file = SETTINGS.iter().find(|other| other.key.strip_suffix("_file") == Some(setting.key));
            if let Some(file) = file
                && self.values.get(file.key).is_some_and(|typed| !same_place(&typed.origin, &value.origin))
            {
                self.values.remove(file.key);
            }
        } else if let Some(secret) = setting.key.strip_suffix("_file")
            && self.values.get(secret).is_some_and(|typed| !same_place(&typed.origin, &value.origin))
        {
            self.values.remove(secret);
        }
        self.values.insert(setting.key, value);
    }

    fn file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let shown = || path.display().to_string();
        let io = |error: std::io::Error| ConfigError::File(shown(), error.to_string());
        if std::fs::metadata(path).map_err(io)?.len() > MAX_FILE {
            return Err(ConfigError::File(shown(), format!("it has more than {MAX_FILE} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(io)?;
        let table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| ConfigError::File(shown(), error.to_string()))?;
        for (key, value) in table {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
                let near = nearest(&key, SETTINGS.iter().map(|setting| setting.key));
                return Err(ConfigError::File(shown(), format!("the key {key} is not known{near}")));
            };
            let text = text_of(&value).ok_or_else(|| {
                ConfigError::File(
                    shown(),
                    format!("{key} must be text, a number, true or false, or an array of text"),
                )
            })?;
            self.insert(setting, RawValue { text, origin: Origin::File(path.to_owned()) });
        }
        Ok(())
    }
}

fn same_place(one: &Origin, other: &Origin) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(switch) => Some(switch.to_string()),
        toml::Value::Array(values) => {
            let texts: Option<Vec<&str>> = values.iter().map(toml::Value::as_str).collect();
            Some(texts?.join(","))
        }
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

/// `; did you mean …?`, where something is near.
fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> String {
    let scored = known.map(|name| (strsim::jaro_winkler(typed, name), name));
    let best = scored.max_by(|one, other| one.0.total_cmp(&other.0));
    best.filter(|(score, _)| *score > 0.8)
        .map_or_else(String::new, |(_, name)| format!("; did you mean {name}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(raw: &RawConfig, key: &str) -> RawValue {
        raw.get(SETTINGS.iter().find(|setting| setting.key == key).unwrap())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_flag_wins_over_the_environment_that_over_the_file_that_over_the_default() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("refract.toml");
        std::fs::write(
            &path,
            "region = \"file\"\nlisten = \"file\"\naccount_id = \"file\"\ndomain = [\"a\", \"b\"]",
        )
        .unwrap();
        let environment = pairs(&[("REFRACT_REGION", "variable"), ("REFRACT_LISTEN", "variable")]);
        let flags = [("region", "flag".to_owned())];
        let raw = RawConfig::gather(&flags, environment, Some(&path)).unwrap();
        let seen = ["region", "listen", "account_id", "domain", "durability"].map(|key| get(&raw, key).text);
        assert_eq!(seen, ["flag", "variable", "file", "a,b", "sync"]);
        assert_eq!(get(&raw, "region").origin.to_string(), "--region");
    }

    #[test]
    fn what_is_not_known_is_named_with_its_nearest() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("refract.toml");
        std::fs::write(&path, "lissten = \"x\"").unwrap();
        let error = RawConfig::gather(&[], [], Some(&path)).unwrap_err().to_string();
        assert!(error.contains("refract.toml") && error.contains("did you mean listen?"), "{error}");
        let raw = RawConfig::gather(&[], pairs(&[("REFRACT_REGOIN", "x")]), None).unwrap();
        assert_eq!(
            raw.warnings,
            ["the environment variable REFRACT_REGOIN is not known; did you mean REFRACT_REGION?"]
        );
    }

    #[test]
    fn a_secret_at_a_stronger_place_undoes_its_file_at_a_weaker() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("refract.toml");
        std::fs::write(&path, "admin_token_file = \"/x\"").unwrap();
        let raw = RawConfig::gather(&[], pairs(&[("REFRACT_ADMIN_TOKEN", "t")]), Some(&path)).unwrap();
        assert_eq!(
            (get(&raw, "admin_token").text.as_str(), get(&raw, "admin_token_file").text.as_str()),
            ("t", "")
        );
    }
}
