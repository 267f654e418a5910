//! The interpreters of this machine, and which of them runs what names itself `python3.12` or `nodejs22.x`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A language of Lambda's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// `python3.N`.
    Python,
    /// `nodejsN.x`.
    Node,
    /// `provided.al2023`, whose packages bring their own `bootstrap`.
    Provided,
}

/// A version of an interpreter, as runtimes name it: 3.12, 22.
pub type Version = (u32, u32);

/// An interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// Its program, not a link to it.
    pub program: PathBuf,
    /// The directory that it and its library are in.
    pub prefix: PathBuf,
    /// Version.
    pub version: Version,
}

/// Reads the name of a runtime.
#[must_use]
pub fn parse(runtime: &str) -> Option<(Language, Version)> {
    if let Some(minor) = runtime.strip_prefix("python3.") {
        return Some((Language::Python, (3, minor.parse().ok()?)));
    }
    if let Some(major) = runtime.strip_prefix("nodejs").and_then(|rest| rest.strip_suffix(".x")) {
        return Some((Language::Node, (major.parse().ok()?, 0)));
    }
    matches!(runtime, "provided.al2023" | "provided.al2").then_some((Language::Provided, (0, 0)))
}

/// Finds what is installed: by the names that are usual, in the directories of `PATH`. Blocks.
#[must_use]
pub fn discover(path: &str) -> BTreeMap<Language, Vec<Interpreter>> {
    const PYTHON: &str = "import sys; print(sys.version_info[0], sys.version_info[1]); print(sys.executable); print(sys.base_prefix)";
    const NODE: &str = "const p = process; console.log(p.versions.node.split('.')[0], 0); \
                        console.log(p.execPath); console.log(require('path').dirname(require('path').dirname(p.execPath)))";
    let python: Vec<String> =
        (9..=15).map(|minor| format!("python3.{minor}")).chain(["python3".to_owned()]).collect();
    let node = ["node".to_owned(), "nodejs".to_owned()];
    let mut found = BTreeMap::new();
    for (language, names, arguments) in [
        (Language::Python, python.as_slice(), ["-I", "-S", "-c", PYTHON].as_slice()),
        (Language::Node, node.as_slice(), ["-e", NODE].as_slice()),
    ] {
        let mut all: Vec<Interpreter> = Vec::new();
        for directory in std::env::split_paths(path) {
            for name in names {
                let candidate = directory.join(name);
                if candidate.is_file()
                    && let Some(one) = ask(&candidate, arguments)
                    && !all.iter().any(|other| other.version == one.version)
                {
                    all.push(one);
                }
            }
        }
        found.insert(language, all);
    }
    found
}

fn ask(program: &Path, arguments: &[&str]) -> Option<Interpreter> {
    let output =
        Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8(output.stdout).ok()?;
    let mut lines = text.lines();
    let (major, minor) = lines.next()?.split_once(' ')?;
    let program = fs::canonicalize(lines.next()?).ok()?;
    let prefix = fs::canonicalize(lines.next()?).ok()?;
    Some(Interpreter { program, prefix, version: (major.parse().ok()?, minor.parse().ok()?) })
}

/// The interpreter for a version: the same, else the nearest one, of two the newer.
#[must_use]
pub fn choose(all: &[Interpreter], version: Version) -> Option<&Interpreter> {
    let distance = |one: Version| {
        let one = i64::from(one.0) * 1000 + i64::from(one.1);
        let wanted = i64::from(version.0) * 1000 + i64::from(version.1);
        ((one - wanted).abs(), one < wanted)
    };
    all.iter().min_by_key(|one| distance(one.version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_are_read() {
        assert_eq!(parse("python3.12"), Some((Language::Python, (3, 12))));
        assert_eq!(parse("nodejs22.x"), Some((Language::Node, (22, 0))));
        assert_eq!(parse("provided.al2023"), Some((Language::Provided, (0, 0))));
        for other in ["python2.7", "nodejs22", "java21", "", "python3."] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn the_nearest_one_is_chosen() {
        let all: Vec<Interpreter> = [9, 11, 13]
            .map(|minor| Interpreter {
                program: PathBuf::from(format!("/python3.{minor}")),
                prefix: PathBuf::new(),
                version: (3, minor),
            })
            .into();
        let minor = |wanted| choose(&all, (3, wanted)).map(|one| one.version.1);
        assert_eq!(minor(11), Some(11));
        assert_eq!(minor(12), Some(13));
        assert_eq!(minor(8), Some(9));
        assert_eq!(minor(20), Some(13));
        assert_eq!(choose(&[], (3, 1)), None);
    }

    #[test]
    fn an_interpreter_of_this_machine_is_found() {
        let path = std::env::var("PATH").unwrap();
        let found = discover(&path);
        for one in &found[&Language::Python] {
            assert!(one.program.is_absolute() && one.version.0 == 3, "{one:?}");
        }
        assert!(discover("").values().all(Vec::is_empty));
    }
}
