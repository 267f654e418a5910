//! The audit log: one JSON line for each change of configuration by a verified caller, and for each denial.
//!
//! Lines are appended and never changed. A file that is full is put aside under the time at which it was, and the
//! oldest beyond the limit goes. Nothing secret comes here: paths without their queries, ids of keys without secrets.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde::Serialize;

/// Where the audit log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditTo {
    /// `audit/audit.log` in the data directory.
    DataDir,
    /// A file.
    File(PathBuf),
    /// Standard output.
    Stdout,
    /// There is none.
    Nowhere,
}

/// How the audit log is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditOptions {
    /// Where it goes.
    pub to: AuditTo,
    /// Size at which a file is put aside.
    pub bytes: u64,
    /// Files to keep beside the current one.
    pub files: usize,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditEvent {
    /// Something was configured otherwise.
    Change,
    /// Something was refused.
    Denied,
}

/// One line.
#[derive(Debug, Serialize)]
pub struct AuditRecord<'a> {
    /// When (RFC 3339).
    pub time: String,
    /// What happened.
    pub event: AuditEvent,
    /// Request id.
    pub id: &'a str,
    /// Who: the ARN of the caller, or `anonymous`.
    pub principal: &'a str,
    /// Account of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<&'a str>,
    /// Id of the key that signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<&'a str>,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Plane.
    pub plane: &'a str,
    /// Operation, where it is known.
    pub operation: &'a str,
    /// Method.
    pub method: &'a str,
    /// Path as it came, without its query.
    pub path: &'a str,
    /// Status of the answer.
    pub status: u16,
    /// Code of the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'a str>,
    /// What decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<&'a str>,
}

/// The audit log.
#[derive(Debug, Clone)]
pub struct Audit(Arc<Mutex<Sink>>);

#[derive(Debug)]
enum Sink {
    File(Appender),
    Stdout,
    Nowhere,
}

#[derive(Debug)]
struct Appender {
    path: PathBuf,
    file: File,
    size: u64,
    bytes: u64,
    files: usize,
}

impl Audit {
    /// None.
    #[must_use]
    pub fn nowhere() -> Self {
        Self(Arc::new(Mutex::new(Sink::Nowhere)))
    }

    /// Opens the log. Blocks.
    ///
    /// # Errors
    /// The file cannot be made or opened.
    pub fn open(options: &AuditOptions, data_dir: &Path) -> io::Result<Self> {
        let path = match &options.to {
            AuditTo::Nowhere => return Ok(Self::nowhere()),
            AuditTo::Stdout => return Ok(Self(Arc::new(Mutex::new(Sink::Stdout)))),
            AuditTo::DataDir => data_dir.join("audit/audit.log"),
            AuditTo::File(path) => path.clone(),
        };
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        let file = append_to(&path)?;
        let size = file.metadata()?.len();
        let appender = Appender { path, file, size, bytes: options.bytes, files: options.files };
        Ok(Self(Arc::new(Mutex::new(Sink::File(appender)))))
    }

    /// Writes a line. One that cannot be written goes to the log, so that it is not lost.
    pub fn write(&self, record: &AuditRecord<'_>) {
        let Ok(mut line) = serde_json::to_string(record) else { return };
        let written = match self.0.lock() {
            Ok(mut sink) => match &mut *sink {
                Sink::Nowhere => return,
                Sink::Stdout => writeln!(io::stdout(), "{line}"),
                Sink::File(appender) => {
                    line.push('\n');
                    appender.append(line.as_bytes())
                }
            },
            Err(_) => Err(io::Error::other("an earlier write failed badly")),
        };
        if let Err(error) = written {
            tracing::error!(target: "refract::audit", %error, line = line.trim_end(), "the audit log cannot be written");
        }
    }
}

impl Appender {
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.size > 0 && self.size + line.len() as u64 > self.bytes {
            self.rotate()?;
        }
        self.file.write_all(line)?;
        self.size += line.len() as u64;
        Ok(())
    }

    /// Puts the file aside, under a name that sorts by time.
    fn rotate(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%S.%9fZ");
        let mut aside = self.path.clone().into_os_string();
        aside.push(format!(".{stamp}"));
        fs::rename(&self.path, aside)?;
        self.file = append_to(&self.path)?;
        self.size = 0;
        let Some(name) = self.path.file_name().and_then(|name| name.to_str()) else { return Ok(()) };
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let mut old: Vec<PathBuf> = fs::read_dir(parent.unwrap_or(Path::new(".")))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                let file = path.file_name().and_then(|file| file.to_str());
                let stamp = file.and_then(|file| file.strip_prefix(name)?.strip_prefix('.'));
                stamp.is_some_and(|stamp| {
                    stamp.starts_with(|c: char| c.is_ascii_digit()) && stamp.ends_with('Z')
                })
            })
            .collect();
        old.sort();
        let surplus = old.len().saturating_sub(self.files);
        old.iter().take(surplus).try_for_each(fs::remove_file)
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn record(id: &str) -> AuditRecord<'_> {
        AuditRecord {
            time: "2026-01-01T00:00:00Z".into(),
            event: AuditEvent::Denied,
            id,
            principal: "anonymous",
            account: None,
            access_key_id: None,
            client: Some("192.0.2.1".into()),
            plane: "s3",
            operation: "GetObject",
            method: "GET",
            path: "/b/k",
            status: 403,
            code: Some("AccessDenied"),
            decided_by: Some("denied: no statement"),
        }
    }

    #[test]
    fn files_are_private_appended_to_put_aside_and_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let options = AuditOptions { to: AuditTo::DataDir, bytes: 600, files: 2 };
        for round in 0..2 {
            let audit = Audit::open(&options, dir.path()).unwrap();
            for number in 0..10 {
                audit.write(&record(&format!("{round}-{number}")));
            }
        }
        let path = dir.path().join("audit/audit.log");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        let mut files: Vec<PathBuf> =
            fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert_eq!(files.len(), 3, "{files:?}");
        let mut ids = Vec::new();
        for file in files[1..].iter().chain([&files[0]]) {
            let text = fs::read_to_string(file).unwrap();
            assert!(text.len() <= 600 && mode(file) == 0o600);
            for line in text.lines() {
                let value: serde_json::Value = serde_json::from_str(line).unwrap();
                assert_eq!((&value["event"], &value["status"]), (&"denied".into(), &403.into()));
                ids.push(value["id"].as_str().unwrap().to_owned());
            }
        }
        assert_eq!(ids.last().unwrap(), "1-9");
        assert!(ids.is_sorted(), "the newest lines, in order: {ids:?}");
    }
}
