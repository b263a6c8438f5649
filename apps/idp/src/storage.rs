//! What a process has to itself on the embedded default: the data folder, and the database wherever
//! it lies. Keys are made in the folder once, and never again.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use data_encoding::BASE64;
use kernel::{Entropy, EntropyUnavailable};
use secrecy::zeroize::Zeroizing;

use crate::{
    config::{
        InvalidSecretKey, SECRET_KEY_LENGTH, SecretKey,
        keys::{self, Key},
    },
    private_file::{self, Lock},
};

const LOCK: &str = "idp.lock";

/// Why the storage cannot be used, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Another process has the folder.
    #[error(
        "the data folder `{}` is in use by another idp process; stop that one, or set \
         IDP_DATA_DIR to another folder", .0.display()
    )]
    FolderInUse(PathBuf),
    /// Another process has the database, from another data folder.
    #[error(
        "the database `{}` is in use by another idp process; stop that one, or set DATABASE_URL \
         to another file", .0.display()
    )]
    DatabaseInUse(PathBuf),
    /// The folder cannot be made or written to.
    #[error(
        "the data folder `{}` cannot be used; set IDP_DATA_DIR to a folder that this user can \
         write to", .path.display()
    )]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database's file cannot be made or written to.
    #[error(
        "the database `{}` cannot be used; set DATABASE_URL to a file that this user can write \
         to, in a folder that exists", .path.display()
    )]
    Database {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A key file cannot be read or written.
    #[error("the key file `{}` cannot be used", .path.display())]
    KeyFile {
        /// Which.
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
    /// There is a database, and the key that it was written with is gone.
    #[error(
        "`{}` is missing, and the database was written with that key; restore the file from a \
         backup, or set {variable}", .path.display()
    )]
    KeyIsGone {
        /// The file.
        path: PathBuf,
        /// The variable that may hold the key instead.
        variable: &'static str,
    },
    /// The configuration and the data folder do not agree on the pepper. Nothing in the database
    /// tells which is right, and with the wrong one no client could authenticate.
    #[error(
        "`{}` holds another key than IDP_PEPPER; unset IDP_PEPPER, or remove the file if all \
         secrets were made with IDP_PEPPER", .0.display()
    )]
    TwoPeppers(PathBuf),
    /// A key cannot be made.
    #[error(transparent)]
    Entropy(#[from] EntropyUnavailable),
}

/// A key, and the file in the data folder that holds it where the configuration does not.
#[derive(Debug, Clone, Copy)]
pub struct KeyFile {
    name: &'static str,
    key: &'static Key,
}

/// The key that encrypts signing keys at rest.
pub const SEALING_KEY: KeyFile = KeyFile { name: "sealing.key", key: keys::SEALING_KEY };
/// The key of the hashes of client secrets.
pub const PEPPER: KeyFile = KeyFile { name: "pepper.key", key: keys::PEPPER };

/// The data folder and the database, held for this process until it is dropped.
#[derive(Debug)]
pub struct Storage {
    folder: PathBuf,
    database: PathBuf,
    /// Whether nothing was ever written to the database.
    new: bool,
    _locks: [Lock; 2],
}

impl Storage {
    /// Takes both for this process; makes them, for their owner alone, where they are not there.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn take(folder: &Path, database: &Path) -> Result<Self, StorageError> {
        let failed = |source| StorageError::Folder { path: folder.to_owned(), source };
        private_file::make_folder(folder).map_err(failed)?;
        let of_folder = Lock::take(&folder.join(LOCK)).map_err(failed)?;
        let of_folder = of_folder.ok_or_else(|| StorageError::FolderInUse(folder.to_owned()))?;

        let failed = |source| StorageError::Database { path: database.to_owned(), source };
        let new = private_file::ensure(database).map_err(failed)? == 0;
        // By the one path that all others to the same file lead to: two processes that name it
        // differently must meet at one lock.
        let database = fs::canonicalize(database).map_err(failed)?;
        // Not the file itself: SQLite's own locks on it end when any handle of it is closed.
        let of_database = Lock::take(&lock_beside(&database)).map_err(failed)?;
        let of_database =
            of_database.ok_or_else(|| StorageError::DatabaseInUse(database.clone()))?;
        Ok(Self { folder: folder.to_owned(), database, new, _locks: [of_folder, of_database] })
    }

    /// The path of a file in the data folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The path of the database.
    #[must_use]
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// The key in that file; a new one where there is no such file, and nothing yet that another
    /// was used for.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn key(&self, file: KeyFile, entropy: &dyn Entropy) -> Result<SecretKey, StorageError> {
        let path = self.file(file.name);
        let failed = |source| StorageError::KeyFile { path: path.clone(), source };
        if !path.try_exists().map_err(failed)? {
            if !self.new {
                return Err(StorageError::KeyIsGone { path, variable: file.key.variable });
            }
            private_file::write(&path, new_key(entropy)?.as_bytes()).map_err(failed)?;
        }
        read_key(path)
    }

    /// Holds the configured pepper against the one that was made here, if any was.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn check_pepper(&self, configured: &SecretKey) -> Result<(), StorageError> {
        let path = self.file(PEPPER.name);
        if path.exists() && read_key(path.clone())?.expose() != configured.expose() {
            return Err(StorageError::TwoPeppers(path));
        }
        Ok(())
    }
}

fn read_key(path: PathBuf) -> Result<SecretKey, StorageError> {
    match fs::read_to_string(&path).map(Zeroizing::new) {
        Ok(text) => SecretKey::parse(&text).map_err(|source| StorageError::Key { path, source }),
        Err(source) => Err(StorageError::KeyFile { path, source }),
    }
}

fn new_key(entropy: &dyn Entropy) -> Result<Zeroizing<String>, EntropyUnavailable> {
    let mut bytes = Zeroizing::new([0; SECRET_KEY_LENGTH]);
    entropy.fill(&mut *bytes)?;
    let mut text = Zeroizing::new(String::with_capacity(BASE64.encode_len(bytes.len()) + 1));
    BASE64.encode_append(&*bytes, &mut text);
    text.push('\n');
    Ok(text)
}

fn lock_beside(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(".lock");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

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

    /// The folder `name` in this one, with its own database.
    fn take(folder: &TempDir, name: &str) -> Result<Storage, StorageError> {
        let path = folder.path().join(name);
        Storage::take(&path, &path.join("idp.sqlite"))
    }

    #[test]
    fn a_folder_is_one_process_s_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let held = take(&folder, "data").unwrap();
        let second = take(&folder, "data").err().unwrap();
        assert!(matches!(second, StorageError::FolderInUse(_)), "{second}");
        drop(held);
        assert!(take(&folder, "data").is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_database_is_one_process_s_at_a_time_by_whatever_path() {
        let folder = tempfile::tempdir().unwrap();
        let held = take(&folder, "one").unwrap();
        let link = folder.path().join("link.sqlite");
        std::os::unix::fs::symlink(held.database(), &link).unwrap();
        for path in [folder.path().join("one/../one/idp.sqlite"), link] {
            let second = Storage::take(&folder.path().join("two"), &path).err().unwrap();
            assert!(matches!(second, StorageError::DatabaseInUse(_)), "{second}");
        }
        assert!(take(&folder, "two").is_ok());
    }

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let storage = take(&folder, "data").unwrap();
        let first = storage.key(SEALING_KEY, &Fixed).unwrap();
        let second = storage.key(SEALING_KEY, &Fixed).unwrap();
        assert_eq!(first.expose(), second.expose());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(storage.file("sealing.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_key_that_was_lost_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let storage = take(&folder, "data").unwrap();
        fs::write(storage.database(), "written to").unwrap();
        drop(storage);
        let storage = take(&folder, "data").unwrap();
        let error = storage.key(PEPPER, &Fixed).err().unwrap().to_string();
        assert!(error.contains("pepper.key") && error.contains("IDP_PEPPER"), "{error}");
        assert!(!storage.file("pepper.key").exists());
    }

    #[test]
    fn a_damaged_key_file_is_named_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let storage = take(&folder, "data").unwrap();
        fs::write(storage.file("pepper.key"), "canary").unwrap();
        let error = storage.key(PEPPER, &Fixed).err().unwrap().to_string();
        assert!(error.contains("pepper.key") && !error.contains("canary"), "{error}");
        assert_eq!(fs::read_to_string(storage.file("pepper.key")).unwrap(), "canary");
    }
}
