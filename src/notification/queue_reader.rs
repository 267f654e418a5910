//! Reads a queue in a file from a place on, over the files that have made way.
//!
//! A file is known by its first line, not by its name: it is renamed when it makes way, and copied with a backup.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A place in a queue: before a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// SHA-256 of the file's first line, in hex.
    pub file: String,
    /// Bytes before the message.
    pub offset: u64,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its text.
    pub body: String,
    /// Where it stands.
    pub at: Position,
    /// What is behind it.
    pub next: Position,
}

/// Reads one queue.
#[derive(Debug)]
pub struct QueueReader {
    path: PathBuf,
    /// First lines of files that have made way, which do not change.
    known: HashMap<PathBuf, String>,
}

impl QueueReader {
    /// Of the queue that is written to this file.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, known: HashMap::new() }
    }

    /// Messages from a place on, so many and so many bytes at most, but for the first. Where the place is not there
    /// any more, or `None`, from the oldest on. Blocks.
    ///
    /// # Errors
    /// The files'.
    pub fn read(&mut self, from: Option<&Position>, count: usize, bytes: usize) -> io::Result<Vec<Line>> {
        let files = self.files()?;
        let found = from.and_then(|from| files.iter().rposition(|(_, file)| *file == from.file));
        if let (Some(from), None, false) = (from, found, files.is_empty()) {
            let path = self.path.display();
            tracing::warn!(queue = %path, file = from.file, "the place in a queue is gone; it is read from its oldest file on");
        }
        let mut offset = from.filter(|_| found.is_some()).map_or(0, |from| from.offset);
        let mut lines = Vec::new();
        let mut size = 0;
        for (path, file) in files.iter().skip(found.unwrap_or(0)) {
            let mut reader = BufReader::new(match File::open(path) {
                Ok(open) => open,
                // It makes way just now; the next time it is found.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(lines),
                Err(error) => return Err(error),
            });
            reader.seek(SeekFrom::Start(offset))?;
            let mut at = offset;
            loop {
                let mut line = Vec::new();
                let read = reader.read_until(b'\n', &mut line)? as u64;
                // A line that is being written is none yet.
                if line.pop() != Some(b'\n') {
                    break;
                }
                if lines.len() >= count || (!lines.is_empty() && size + line.len() > bytes) {
                    return Ok(lines);
                }
                size += line.len();
                let place = |offset| Position { file: file.clone(), offset };
                lines.push(Line {
                    body: String::from_utf8_lossy(&line).into_owned(),
                    at: place(at),
                    next: place(at + read),
                });
                at += read;
            }
            offset = 0;
        }
        Ok(lines)
    }

    /// The files of the queue with their first lines, the oldest first. One without a whole line is none.
    fn files(&mut self) -> io::Result<Vec<(PathBuf, String)>> {
        let mut files = Vec::new();
        let mut older = older(&self.path)?;
        older.sort();
        self.known.retain(|path, _| older.iter().any(|(_, other)| other == path));
        for (_, path) in older {
            let first = match self.known.get(&path) {
                Some(known) => Some(known.clone()),
                None => first_line(&path)?,
            };
            if let Some(first) = first {
                self.known.insert(path.clone(), first.clone());
                files.push((path, first));
            }
        }
        if let Some(first) = first_line(&self.path)? {
            files.push((self.path.clone(), first));
        }
        Ok(files)
    }
}

/// Files that have made way, with their times.
pub(super) fn older(path: &Path) -> io::Result<Vec<(i64, PathBuf)>> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let Some(dir) = path.parent() else { return Ok(Vec::new()) };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut older = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let number = name.strip_prefix(&format!("{stem}.")).and_then(|rest| rest.strip_suffix(".jsonl"));
        if let Some(number) = number.and_then(|number| number.parse::<i64>().ok()) {
            older.push((number, dir.join(name)));
        }
    }
    Ok(older)
}

fn first_line(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut line = Vec::new();
    BufReader::new(file).read_until(b'\n', &mut line)?;
    Ok(line.ends_with(b"\n").then(|| HEXLOWER.encode(&Sha256::digest(&line))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(lines: &[Line]) -> Vec<&str> {
        lines.iter().map(|line| line.body.as_str()).collect()
    }

    #[test]
    fn a_queue_is_read_on_over_files_that_made_way() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("q.jsonl");
        let mut reader = QueueReader::new(path.clone());
        assert!(reader.read(None, 10, 1000).unwrap().is_empty());
        fs::write(&path, "one\ntwo\nthree\nfo").unwrap();
        let lines = reader.read(None, 2, 1000).unwrap();
        assert_eq!(bodies(&lines), ["one", "two"]);
        let place = lines[1].next.clone();
        assert_eq!(bodies(&reader.read(Some(&place), 10, 1000).unwrap()), ["three"]);
        // It makes way, and its last line is whole by then.
        fs::write(dir.path().join("q.100.jsonl"), "one\ntwo\nthree\nfour\n").unwrap();
        fs::write(dir.path().join("q.x.jsonl"), "of another queue\n").unwrap();
        fs::write(&path, "five\n").unwrap();
        let lines = QueueReader::new(path.clone()).read(Some(&place), 10, 1000).unwrap();
        assert_eq!(bodies(&lines), ["three", "four", "five"]);
        let place = lines[2].next.clone();
        assert!(reader.read(Some(&place), 10, 1000).unwrap().is_empty());
        // Bytes are bounded, though one message always comes.
        assert_eq!(bodies(&reader.read(None, 10, 4).unwrap()), ["one"]);
        // Where the place is gone, the oldest file is read.
        fs::remove_file(dir.path().join("q.100.jsonl")).unwrap();
        let gone = lines[0].at.clone();
        assert_eq!(bodies(&reader.read(Some(&gone), 10, 1000).unwrap()), ["five"]);
    }
}
