//! Components and what they were compiled to, on disk: `<data-dir>/wasm/<digest>.wasm`, and beside it
//! `<digest>.<compatibility>.cwasm`, which begins with a MAC of the rest.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::precompiled::Verified;

/// Bytes of the MAC.
const MAC: usize = 32;

/// The folder.
#[derive(Debug)]
pub(super) struct Artifacts {
    dir: PathBuf,
    key: MacKey,
}

struct MacKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for MacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MacKey")
    }
}

/// A component's name: SHA-256 of its bytes, in hex.
pub(super) fn digest(component: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(component))
}

impl Artifacts {
    /// Under the data directory; `key` keys the MAC.
    pub(super) fn new(data_dir: &Path, key: [u8; 32]) -> Self {
        Self { dir: data_dir.join("wasm"), key: MacKey(Zeroizing::new(key)) }
    }

    fn component_path(&self, digest: &str) -> PathBuf {
        self.dir.join(format!("{digest}.wasm"))
    }

    fn compiled_path(&self, digest: &str, compatibility: &str) -> PathBuf {
        self.dir.join(format!("{digest}.{compatibility}.cwasm"))
    }

    /// Keeps a component: on stable storage when this returns.
    pub(super) fn keep_component(&self, digest: &str, component: &[u8]) -> io::Result<()> {
        self.write(&self.component_path(digest), &[component])
    }

    /// A component that was kept, if its bytes are still those.
    pub(super) fn component(&self, name: &str) -> io::Result<Vec<u8>> {
        let bytes = std::fs::read(self.component_path(name))?;
        if digest(&bytes) == name {
            return Ok(bytes);
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "the component does not match its digest"))
    }

    /// Keeps what the compiler made of a component.
    pub(super) fn keep_compiled(&self, digest: &str, compatibility: &str, code: &Verified) -> io::Result<()> {
        let code = code.bytes();
        let mac = self.mac(digest, compatibility, code)?;
        self.write(&self.compiled_path(digest, compatibility), &[&mac, code])
    }

    /// What the compiler made, if it was kept and nobody changed it.
    pub(super) fn compiled(&self, digest: &str, compatibility: &str) -> io::Result<Option<Verified>> {
        let mut bytes = match std::fs::read(self.compiled_path(digest, compatibility)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if bytes.len() < MAC {
            return Ok(None);
        }
        let code = bytes.split_off(MAC);
        let mac = self.mac(digest, compatibility, &code)?;
        Ok(bool::from(mac.ct_eq(&bytes)).then(|| Verified::vouch(code)))
    }

    /// Removes a component and all that was made of it.
    pub(super) fn remove(&self, digest: &str) -> io::Result<()> {
        let entries = match std::fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_str().and_then(|name| name.split('.').next()) == Some(digest) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Digests of all components that are kept.
    pub(super) fn components(&self) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            found.extend(name.to_str().and_then(|name| name.strip_suffix(".wasm")).map(str::to_owned));
        }
        Ok(found)
    }

    fn mac(&self, digest: &str, compatibility: &str, code: &[u8]) -> io::Result<[u8; MAC]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.0.as_slice())
            .map_err(|_| io::Error::other("the key of the MAC has a wrong length"))?;
        for field in [digest.as_bytes(), compatibility.as_bytes(), code] {
            mac.update(&(field.len() as u64).to_le_bytes());
            mac.update(field);
        }
        Ok(mac.finalize().into_bytes().into())
    }

    /// A file that is there whole or not at all.
    fn write(&self, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
        std::fs::create_dir_all(&self.dir)?;
        let temporary = path.with_extension(format!("tmp{}", std::process::id()));
        let mut file = std::fs::File::create(&temporary)?;
        for part in parts {
            file.write_all(part)?;
        }
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        std::fs::File::open(&self.dir)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back_and_nothing_else_does() {
        let dir = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::new(dir.path(), [7; 32]);
        let name = digest(b"component");
        assert!(artifacts.compiled(&name, "c1").unwrap().is_none());
        artifacts.keep_component(&name, b"component").unwrap();
        artifacts.keep_compiled(&name, "c1", &Verified::vouch(b"machine code".to_vec())).unwrap();
        assert_eq!(artifacts.component(&name).unwrap(), b"component");
        assert_eq!(artifacts.compiled(&name, "c1").unwrap().unwrap().len(), 12);
        // Another engine, another key, another component, a changed byte.
        assert!(artifacts.compiled(&name, "c2").unwrap().is_none());
        assert!(Artifacts::new(dir.path(), [8; 32]).compiled(&name, "c1").unwrap().is_none());
        let (path, other) = (artifacts.compiled_path(&name, "c1"), artifacts.compiled_path(&name, "c2"));
        std::fs::copy(&path, &other).unwrap();
        assert!(artifacts.compiled(&name, "c2").unwrap().is_none(), "made for another engine");
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(artifacts.compiled(&name, "c1").unwrap().is_none());
        assert_eq!(artifacts.components().unwrap(), std::slice::from_ref(&name));
        artifacts.remove(&name).unwrap();
        assert!(artifacts.component(&name).is_err() && !path.exists());
    }

    #[test]
    fn a_component_that_changed_on_disk_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::new(dir.path(), [7; 32]);
        let name = digest(b"component");
        artifacts.keep_component(&name, b"component").unwrap();
        std::fs::write(artifacts.component_path(&name), b"other").unwrap();
        assert_eq!(artifacts.component(&name).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
