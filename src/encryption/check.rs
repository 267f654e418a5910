//! Whether the root key is the one that a data directory was begun with: objects that another one sealed cannot be
//! read, and new ones could not be read by it.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::catalog::seal::{MasterKey, SealError};
use crate::catalog::secret_file;
use crate::secret::Secret;

use super::DataKey;

/// The file in the data directory: a constant, sealed by the root key.
const FILE: &str = "encryption.check";
const LABEL: &str = "refract sse-s3 check";

/// Why a server does not start with a root key.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It is another one.
    #[error(
        "the encryption key is another than the one that this data directory was begun with ({0}): objects could not \
         be read. Start with that key (encryption_key, encryption_key_command, or the master key file); \
         where nothing was encrypted yet, remove that file"
    )]
    Another(PathBuf),
    /// The file cannot be read or made.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// The key cannot seal.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Checks the key, or notes it in a data directory that has none yet.
///
/// # Errors
/// [`CheckError`].
pub fn check(dir: &Path, key: &DataKey) -> Result<(), CheckError> {
    let path = dir.join(FILE);
    // Derived, so that no key has two uses.
    let sealing = MasterKey::from_bytes(&MasterKey::from_bytes(key.bytes()).derive(LABEL));
    match fs::read(&path) {
        Ok(sealed) => match sealing.open(LABEL, &sealed) {
            Ok(_) => Ok(()),
            Err(_) => Err(CheckError::Another(path)),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let sealed = sealing.seal(LABEL, &Secret::new("1"))?;
            secret_file::create(&path, &sealed).map(drop).map_err(|error| CheckError::Io(path, error))
        }
        Err(error) => Err(CheckError::Io(path, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_key_is_refused_and_the_first_one_stays() {
        let dir = tempfile::tempdir().unwrap();
        let key = |byte| DataKey::from_bytes([byte; 32]);
        check(dir.path(), &key(1)).unwrap();
        check(dir.path(), &key(1)).unwrap();
        let refused = check(dir.path(), &key(2)).unwrap_err();
        assert!(matches!(refused, CheckError::Another(_)), "{refused}");
        check(dir.path(), &key(1)).unwrap();
        fs::write(dir.path().join(FILE), b"").unwrap();
        assert!(matches!(check(dir.path(), &key(1)), Err(CheckError::Another(_))));
    }
}
