//! Deployment packages: what a zip may hold, and how it is unpacked.
//!
//! Nothing of a package is trusted: sizes that it claims are checked and then counted again as bytes come out; names
//! stay below the directory; links are refused; nothing is overwritten.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{Cursor, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

/// Bytes of a zip that is sent with a request (Lambda quotas, "Deployment package size").
pub const MAX_ZIP: usize = 50 << 20;
/// Bytes of all files, unpacked.
pub const MAX_UNPACKED: u64 = 250 << 20;
/// Files and directories.
pub const MAX_ENTRIES: usize = 20_000;
/// Bytes of a name in it.
const MAX_NAME: usize = 1_024;

/// Why a package cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// Larger than [`MAX_ZIP`].
    #[error("the package has {0} bytes; the limit is {MAX_ZIP}")]
    TooLarge(usize),
    /// Not a zip, or a damaged one.
    #[error("the package cannot be unzipped: {0}")]
    Malformed(String),
    /// Its files are larger than [`MAX_UNPACKED`].
    #[error("the unzipped size must be smaller than {MAX_UNPACKED} bytes")]
    Unpacked,
    /// More than [`MAX_ENTRIES`].
    #[error("the package has {0} entries; the limit is {MAX_ENTRIES}")]
    Entries(usize),
    /// A name that leads out of the package, or that no file can have.
    #[error("the package has an entry named {0:?}, which no file in it may have")]
    Name(String),
    /// A link or another thing that is neither file nor directory.
    #[error("the entry {0:?} is neither a file nor a directory; links are not taken")]
    Kind(String),
    /// An encrypted entry.
    #[error("the entry {0:?} is encrypted")]
    Encrypted(String),
    /// The directory cannot be written.
    #[error("the package cannot be unpacked here: {0}")]
    Io(String),
}

/// Checks a package without writing anything: all its bytes are unpacked and counted.
///
/// # Errors
/// [`PackageError`].
pub fn check(bytes: &[u8]) -> Result<(), PackageError> {
    walk(bytes, |_, _, source| {
        let Some(source) = source else { return Ok(0) };
        std::io::copy(source, &mut std::io::sink()).map_err(malformed)
    })
}

/// Unpacks a package into a directory that exists and is empty.
///
/// # Errors
/// [`PackageError`].
pub fn unpack(bytes: &[u8], directory: &Path) -> Result<(), PackageError> {
    let io = |error: std::io::Error| PackageError::Io(error.to_string());
    let make = |path: &Path| DirBuilder::new().recursive(true).mode(0o755).create(path).map_err(io);
    walk(bytes, |path, mode, source| {
        let target = directory.join(path);
        let Some(source) = source else { return make(&target).map(|()| 0) };
        if let Some(parent) = target.parent() {
            make(parent)?;
        }
        let mut options = OpenOptions::new();
        // Readable for whichever user the function runs as; written by nobody.
        options.write(true).create_new(true).mode(0o444 | (mode & 0o111));
        let mut file = options.open(&target).map_err(io)?;
        let written = std::io::copy(source, &mut file).map_err(malformed)?;
        file.flush().map_err(io)?;
        // The mode above went through the process's mask.
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o444 | (mode & 0o111));
        fs::set_permissions(&target, permissions).map_err(io)?;
        Ok(written)
    })
}

#[allow(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn malformed(error: std::io::Error) -> PackageError {
    PackageError::Malformed(error.to_string())
}

/// Hands each entry to `take`: path, mode and, for a file, its bytes, which end where the limit does.
fn walk(
    bytes: &[u8],
    mut take: impl FnMut(&Path, u32, Option<&mut dyn Read>) -> Result<u64, PackageError>,
) -> Result<(), PackageError> {
    if bytes.len() > MAX_ZIP {
        return Err(PackageError::TooLarge(bytes.len()));
    }
    let wrong = |error: zip::result::ZipError| PackageError::Malformed(error.to_string());
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(wrong)?;
    if archive.len() > MAX_ENTRIES {
        return Err(PackageError::Entries(archive.len()));
    }
    let mut left = MAX_UNPACKED;
    for index in 0..archive.len() {
        let raw = archive.by_index_raw(index).map_err(wrong)?;
        let name = raw.name().map_err(wrong)?.into_owned();
        let (encrypted, claimed, mode) = (raw.encrypted(), raw.size(), raw.unix_mode().unwrap_or(0o100_644));
        drop(raw);
        let (path, is_dir) = safe(&name)?;
        if encrypted {
            return Err(PackageError::Encrypted(name));
        }
        // A zip that was made elsewhere than on Unix has no type here.
        let kind = mode & 0o170_000;
        if !matches!(kind, 0 | 0o100_000 | 0o040_000) || (kind == 0o040_000) != is_dir && kind != 0 {
            return Err(PackageError::Kind(name));
        }
        if is_dir {
            take(&path, mode, None)?;
            continue;
        }
        if claimed > left {
            return Err(PackageError::Unpacked);
        }
        let mut entry = archive.by_index(index).map_err(wrong)?;
        let mut limited = (&mut entry).take(left.saturating_add(1));
        let taken = take(&path, mode, Some(&mut limited))?;
        left = left.checked_sub(taken).ok_or(PackageError::Unpacked)?;
    }
    Ok(())
}

/// The path of an entry, and whether it is a directory.
fn safe(name: &str) -> Result<(PathBuf, bool), PackageError> {
    let refused = || PackageError::Name(name.chars().take(128).collect());
    let (inner, is_dir) = name.strip_suffix('/').map_or((name, false), |inner| (inner, true));
    // Some tools write `./` before each name.
    let inner = inner.strip_prefix("./").unwrap_or(inner);
    if inner == "." && is_dir {
        return Ok((PathBuf::new(), true));
    }
    if name.len() > MAX_NAME || inner.contains(['\\', '\0']) {
        return Err(refused());
    }
    let mut path = PathBuf::new();
    for part in inner.split('/') {
        if matches!(part, "" | "." | "..") || part.len() > 255 {
            return Err(refused());
        }
        path.push(part);
    }
    Ok((path, is_dir))
}

#[cfg(test)]
pub(crate) mod tests {
    use zip::write::SimpleFileOptions;

    use super::*;

    /// A zip of files.
    pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn a_package_is_unpacked_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = zip(&[("app.py", b"x = 1"), ("lib/a/b.py", b"y = 2")]);
        check(&bytes).unwrap();
        unpack(&bytes, dir.path()).unwrap();
        assert_eq!(fs::read(dir.path().join("lib/a/b.py")).unwrap(), b"y = 2");
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &fs::metadata(dir.path().join("app.py")).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o555);
    }

    #[test]
    fn names_that_lead_out_are_refused() {
        for name in ["../evil", "a/../../evil", "/etc/passwd", "a//b", "a\\..\\b", "a/./b", ""] {
            assert!(matches!(safe(name), Err(PackageError::Name(_))), "{name}");
        }
        assert_eq!(safe("./a/b").unwrap(), (PathBuf::from("a/b"), false));
        let dir = tempfile::tempdir().unwrap();
        let bytes = zip(&[("../evil.py", b"x")]);
        assert!(matches!(check(&bytes), Err(PackageError::Name(_))));
        assert!(unpack(&bytes, dir.path()).is_err());
        assert!(!dir.path().parent().unwrap().join("evil.py").exists());
    }

    #[test]
    fn links_are_refused() {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.add_symlink("link", "/etc/passwd", SimpleFileOptions::default()).unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        assert_eq!(check(&bytes), Err(PackageError::Kind("link".into())));
    }

    #[test]
    fn a_bomb_is_refused_however_small_it_says_it_is() {
        let large = vec![0_u8; (MAX_UNPACKED / 2) as usize + 1];
        let bytes = zip(&[("a", &large), ("b", &large)]);
        assert!(bytes.len() < 1 << 20);
        assert_eq!(check(&bytes), Err(PackageError::Unpacked));
        // The same, with the sizes in the directory made small.
        let mut lying = bytes;
        let size = u32::try_from(large.len()).unwrap().to_le_bytes();
        for at in 0..lying.len() - 4 {
            if lying[at..at + 4] == size {
                lying[at..at + 4].copy_from_slice(&16_u32.to_le_bytes());
            }
        }
        assert!(check(&lying).is_err());
        assert!(matches!(check(b"not a zip"), Err(PackageError::Malformed(_))));
        assert_eq!(check(&vec![0; MAX_ZIP + 1]), Err(PackageError::TooLarge(MAX_ZIP + 1)));
    }
}
