//! What AWS's runtime images bring beside the language, from the languages' own registries: a directory that several
//! servers may share.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::languages::{Interpreter, Language, discover};

/// What Python's image brings, and what nearly every function uses beside it.
const PYTHON: [&str; 2] = ["boto3", "requests"];
/// The clients of the JavaScript SDK that functions of Object Lambda use, and what nearly all of them fetch with.
const NODE: [&str; 7] = [
    "@aws-sdk/client-s3",
    "@aws-sdk/client-lambda",
    "@aws-sdk/client-sts",
    "@aws-sdk/client-dynamodb",
    "@aws-sdk/lib-storage",
    "@aws-sdk/s3-request-presigner",
    "axios",
];

/// Why it could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// No interpreter of the language.
    #[error("no {0} is in PATH")]
    NoInterpreter(&'static str),
    /// The directory cannot be written.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    /// The package manager failed, and has said why.
    #[error("{0} failed; its output says why")]
    Failed(String),
}

/// Installs what functions of a language find, with further packages, and answers where. Blocks.
///
/// # Errors
/// [`InstallError`].
pub fn install(
    language: Language,
    runtimes: &Path,
    further: &[String],
) -> Result<Vec<PathBuf>, InstallError> {
    let path = std::env::var("PATH").unwrap_or_default();
    let found = discover(&path).remove(&language).unwrap_or_default();
    let mut installed = Vec::new();
    match language {
        Language::Python | Language::Provided => {
            for interpreter in &found {
                let (major, minor) = interpreter.version;
                let target = runtimes.join(format!("python{major}.{minor}"));
                replace(&target, |fresh| pip(interpreter, fresh, further))?;
                installed.push(target);
            }
        }
        Language::Node => {
            if !found.is_empty() {
                let target = runtimes.join("nodejs");
                replace(&target, |fresh| npm(fresh, further))?;
                installed.push(target);
            }
        }
    }
    if installed.is_empty() {
        return Err(InstallError::NoInterpreter(if language == Language::Node {
            "Node.js"
        } else {
            "Python"
        }));
    }
    Ok(installed)
}

/// Fills a new directory and puts it in the old one's place, so that no server sees half of one.
fn replace(target: &Path, fill: impl FnOnce(&Path) -> Result<(), InstallError>) -> Result<(), InstallError> {
    let io = |error| InstallError::Io(target.display().to_string(), error);
    let fresh = target.with_extension("new");
    let remove = |path: &Path| match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(error)),
        Ok(()) | Err(_) => Ok(()),
    };
    remove(&fresh)?;
    super::make(&fresh).map_err(io)?;
    fill(&fresh)?;
    remove(target)?;
    fs::rename(&fresh, target).map_err(io)
}

fn pip(interpreter: &Interpreter, target: &Path, further: &[String]) -> Result<(), InstallError> {
    let mut command = Command::new(&interpreter.program);
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]).arg(target);
    run(command.args(PYTHON).args(further))
}

fn npm(target: &Path, further: &[String]) -> Result<(), InstallError> {
    let mut command = Command::new("npm");
    command
        .args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
        .arg(target);
    run(command.args(NODE).args(further))
}

fn run(command: &mut Command) -> Result<(), InstallError> {
    let shown = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(InstallError::Failed(format!("{shown} ({status})"))),
        Err(error) => Err(InstallError::Io(shown, error)),
    }
}
