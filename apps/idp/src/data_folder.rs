//! The data folder of the embedded default: one process at a time, and keys that are made once.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use data_encoding::BASE64;
use kernel::{Entropy, EntropyUnavailable};

use crate::config::{InvalidSecretKey, SECRET_KEY_LENGTH, SecretKey};

const LOCK: &str = "idp.lock";

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// Another process has it.
    #[error(
        "the data folder `{}` is in use by another idp process; stop that one, or set \
         IDP_DATA_DIR to another folder", .0.display()
    )]
    InUse(PathBuf),
    /// Something in it cannot be read or written.
    #[error("`{}` cannot be used", .path.display())]
    File {
        /// What.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A key file does not hold a key.
    #[error("`{}` does not hold a key in base64; restore it from a backup", .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: InvalidSecretKey,
    },
    /// A key cannot be made.
    #[error(transparent)]
    Entropy(#[from] EntropyUnavailable),
}

/// The data folder, held until this is dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Takes the folder for this process; makes it, for its owner alone, where there is none.
    ///
    /// # Errors
    /// [`DataFolderError`]
    pub fn take(path: &Path) -> Result<Self, DataFolderError> {
        make_private(path).map_err(|source| failed(path, source))?;
        let lock_path = path.join(LOCK);
        let mut options = private();
        let lock = options
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(|source| failed(&lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(failed(&lock_path, source)),
        }
    }

    /// The path of a file in the folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The key in that file; a new one where there is no such file.
    ///
    /// # Errors
    /// [`DataFolderError`]
    pub fn key(&self, name: &str, entropy: &dyn Entropy) -> Result<SecretKey, DataFolderError> {
        let path = self.file(name);
        if !path.exists() {
            let mut bytes = [0; SECRET_KEY_LENGTH];
            entropy.fill(&mut bytes)?;
            let text = format!("{}\n", BASE64.encode(&bytes));
            write_private(&path, text.as_bytes()).map_err(|source| failed(&path, source))?;
        }
        let text = fs::read_to_string(&path).map_err(|source| failed(&path, source))?;
        SecretKey::parse(&text).map_err(|source| DataFolderError::Key { path, source })
    }
}

fn failed(path: &Path, source: io::Error) -> DataFolderError {
    DataFolderError::File { path: path.to_owned(), source }
}

/// Writes a file that only its owner can read, whole or not at all: a power cut leaves either no
/// file of that name or all of it.
///
/// # Errors
/// When the file system refuses.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("draft");
    let mut file = private().create(true).truncate(true).open(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    sync_folder_of(path)
}

/// Makes a rename in the file's folder last.
///
/// # Errors
/// When the file system refuses.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        Some(_) | None => File::open(".")?.sync_all(),
    }
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;

    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    options
}

#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;

    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_private(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
            let mut next = 7_u8;
            for byte in buffer {
                next = next.wrapping_mul(31).wrapping_add(17);
                *byte = next;
            }
            Ok(())
        }
    }

    #[test]
    fn a_folder_is_one_process_s_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let held = DataFolder::take(&path).unwrap();
        let second = DataFolder::take(&path).err().unwrap();
        assert!(matches!(second, DataFolderError::InUse(_)), "{second}");
        drop(held);
        assert!(DataFolder::take(&path).is_ok());
    }

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::take(folder.path()).unwrap();
        let first = data.key("sealing.key", &Fixed).unwrap();
        let second = data.key("sealing.key", &Fixed).unwrap();
        assert_eq!(first.expose(), second.expose());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(data.file("sealing.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_key_file_is_named_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::take(folder.path()).unwrap();
        fs::write(data.file("pepper.key"), "canary").unwrap();
        let error = data.key("pepper.key", &Fixed).err().unwrap().to_string();
        assert!(error.contains("pepper.key") && !error.contains("canary"), "{error}");
        assert_eq!(fs::read_to_string(data.file("pepper.key")).unwrap(), "canary");
    }
}
