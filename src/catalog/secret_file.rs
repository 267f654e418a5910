//! Files of secrets that the first start makes: whole or not at all, whenever a crash comes.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Makes a file with mode 0600, unless one of that name is there; says whether it did. It is flushed before it has its
/// name, so that no start finds half of it.
pub(crate) fn create(path: &Path, text: &[u8]) -> io::Result<bool> {
    if path.exists() {
        return Ok(false);
    }
    let temporary = temporary(path)?;
    let made = write(&temporary, text).and_then(|()| name(&temporary, path));
    if !matches!(made, Ok(true)) {
        // What is left of a failure is only in the way.
        drop(fs::remove_file(&temporary));
    }
    if made? {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
        return Ok(true);
    }
    Ok(false)
}

/// A name beside the file that nobody else uses.
fn temporary(path: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let mut name = OsString::from(path);
    name.push(format!(".{:016x}", u64::from_be_bytes(random)));
    Ok(name.into())
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// Gives a file its name, unless another has it; says whether it did.
fn name(from: &Path, to: &Path) -> io::Result<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        // Some file systems cannot; those have links.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => match fs::hard_link(from, to) {
            Ok(()) => fs::remove_file(from).map(|()| true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        },
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn names(dir: &Path) -> Vec<OsString> {
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_file_is_made_once_and_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        assert!(create(&path, b"one").unwrap());
        assert!(!create(&path, b"two").unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(dir.path()), ["key"]);
    }

    #[test]
    fn of_many_at_once_one_makes_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let made = std::thread::scope(|scope| {
            let path = &path;
            let all: Vec<_> =
                (0..8_u8).map(|n| scope.spawn(move || (n, create(path, &[n; 64]).unwrap()))).collect();
            let all = all.into_iter().map(|each| each.join().unwrap());
            all.filter(|(_, made)| *made).map(|(n, _)| n).collect::<Vec<_>>()
        });
        assert_eq!(made.len(), 1);
        assert_eq!(fs::read(&path).unwrap(), [made[0]; 64]);
        assert_eq!(names(dir.path()), ["key"]);
    }

    #[test]
    fn what_cannot_be_named_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let temporary = dir.path().join("key.new");
        write(&temporary, b"one").unwrap();
        assert!(name(&temporary, &dir.path().join("nowhere/key")).is_err());
        assert!(create(&dir.path().join("nowhere/key"), b"one").is_err());
    }
}
