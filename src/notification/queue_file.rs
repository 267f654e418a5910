//! A queue in a file: messages are lines, appended and flushed; a file that is large enough makes way for a new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use super::consumer::{Consumer, Failure, Message};
use super::queue_reader::older;

/// Bytes of a file that makes way.
const FULL: u64 = 64 << 20;
/// Files that are kept beside the present one; the oldest goes.
const KEPT: usize = 10;

/// A queue.
#[derive(Debug, Clone)]
pub struct QueueFile {
    path: Arc<Path>,
    full: u64,
    /// The file, once it is open; whole lines only.
    file: Arc<Mutex<Option<File>>>,
}

impl QueueFile {
    /// In a file. It is made, with its directory, when the first message comes.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path: path.into(), full: FULL, file: Arc::default() }
    }

    fn append(&self, messages: &[Message]) -> io::Result<()> {
        let mut lines = String::new();
        for message in messages {
            lines.push_str(&message.body);
            lines.push('\n');
        }
        let mut held = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = match held.take() {
            Some(file) => file,
            None => self.open()?,
        };
        // Where this fails the file is opened anew the next time, and what was half written cut off.
        file.write_all(lines.as_bytes())?;
        file.sync_data()?;
        if file.metadata()?.len() < self.full {
            *held = Some(file);
            return Ok(());
        }
        drop(file);
        // The messages are taken; a file that stays too large for a while does no harm.
        if let Err(error) = self.rotate() {
            tracing::warn!(path = %self.path.display(), %error, "a queue's file cannot make way");
        }
        Ok(())
    }

    /// Opens the file, without a line that a crash cut short.
    fn open(&self) -> io::Result<File> {
        if let Some(dir) = self.path.parent() {
            fs::create_dir_all(dir)?;
        }
        let new = !self.path.exists();
        let mut file =
            OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(&*self.path)?;
        if new {
            self.sync_names()?;
        }
        let length = file.metadata()?.len();
        let whole = whole_lines(&mut file, length)?;
        if whole < length {
            file.set_len(whole)?;
        }
        Ok(file)
    }

    /// Makes the names of new files last, as what is in them does: their messages are forgotten elsewhere.
    fn sync_names(&self) -> io::Result<()> {
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty());
        for dir in dir.into_iter().chain(dir.and_then(Path::parent)) {
            File::open(if dir.as_os_str().is_empty() { Path::new(".") } else { dir })?.sync_all()?;
        }
        Ok(())
    }

    fn rotate(&self) -> io::Result<()> {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut older = older(&self.path)?;
        older.sort();
        // After all others, also where the clock was set back.
        let newest = older.last().map_or(0, |(number, _)| *number);
        let stamp = Timestamp::now().as_microsecond().max(newest.saturating_add(1));
        let path = self.path.with_file_name(format!("{stem}.{stamp}.jsonl"));
        fs::rename(&*self.path, &path)?;
        self.sync_names()?;
        older.push((stamp, path));
        let gone = older.len().saturating_sub(KEPT);
        older.iter().take(gone).try_for_each(|(_, path)| fs::remove_file(path))
    }
}

/// Where the last whole line of a file ends.
fn whole_lines(file: &mut File, length: u64) -> io::Result<u64> {
    const STEP: u64 = 64 << 10;
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(STEP);
        file.seek(SeekFrom::Start(start))?;
        let mut piece = Vec::new();
        Read::by_ref(file).take(end - start).read_to_end(&mut piece)?;
        if let Some(at) = piece.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[async_trait]
impl Consumer for QueueFile {
    fn batch(&self) -> usize {
        100
    }

    async fn deliver(&self, messages: &[Message]) -> Result<(), Failure> {
        let (this, messages) = (self.clone(), messages.to_vec());
        let appended = tokio::task::spawn_blocking(move || this.append(&messages)).await;
        let failed = |reason: String| Failure { reason, refused: false };
        appended
            .map_err(|error| failed(error.to_string()))?
            .map_err(|error| failed(format!("{}: {error}", self.path.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> Message {
        Message { number: 1, body: body.into() }
    }

    #[tokio::test]
    async fn lines_are_whole_after_a_crash_in_the_midst_of_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("q").join("a.jsonl");
        QueueFile::new(path.clone()).deliver(&[message("1"), message("2")]).await.unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"half").unwrap();
        QueueFile::new(path.clone()).deliver(&[message("3")]).await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n3\n");
    }

    #[tokio::test]
    async fn a_full_file_makes_way_and_the_oldest_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        fs::write(dir.path().join("a.b.jsonl"), "another queue's").unwrap();
        let queue = QueueFile { full: 4, ..QueueFile::new(path.clone()) };
        for n in 100..115 {
            queue.deliver(&[message(&n.to_string())]).await.unwrap();
        }
        let mut found: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        found.sort();
        let all: String = found.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        assert_eq!(found.len(), KEPT + 1);
        assert_eq!(all, (105..115).map(|n| format!("{n}\n")).collect::<String>() + "another queue's");
    }
}
