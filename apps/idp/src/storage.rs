//! What a process has to itself on the embedded default: the data folder, and the database wherever
//! it lies.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use kernel::EntropyUnavailable;

use crate::{
    config::InvalidSecretKey,
    data_folder::{DataFolder, Installation},
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

/// The data folder and the database, held for this process until it is dropped.
#[derive(Debug)]
pub struct Storage {
    folder: DataFolder,
    database: PathBuf,
    installation: Installation,
    _locks: [Lock; 2],
}

impl Storage {
    /// Takes both for this process; makes them, for their owner alone, where they are not there.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn take(folder: &Path, database: &Path) -> Result<Self, StorageError> {
        let failed = |source| StorageError::Folder { path: folder.to_owned(), source };
        let data = DataFolder::ensure(folder)?;
        let of_folder = Lock::take(&data.file(LOCK)).map_err(failed)?;
        let of_folder = of_folder.ok_or_else(|| StorageError::FolderInUse(folder.to_owned()))?;

        let failed = |source| StorageError::Database { path: database.to_owned(), source };
        let installation = match private_file::ensure(database).map_err(failed)? {
            0 => Installation::New,
            _ => Installation::Founded,
        };
        // By the one path that all others to the same file lead to: two processes that name it
        // differently must meet at one lock.
        let database = fs::canonicalize(database).map_err(failed)?;
        // Not the file itself: SQLite's own locks on it end when any handle of it is closed.
        let of_database = Lock::take(&lock_beside(&database)).map_err(failed)?;
        let of_database =
            of_database.ok_or_else(|| StorageError::DatabaseInUse(database.clone()))?;
        Ok(Self { folder: data, database, installation, _locks: [of_folder, of_database] })
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// The path of the database.
    #[must_use]
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// Whether anything was ever written to the database.
    #[must_use]
    pub const fn installation(&self) -> Installation {
        self.installation
    }
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
    fn a_database_that_was_written_to_belongs_to_an_installation() {
        let folder = tempfile::tempdir().unwrap();
        let storage = take(&folder, "data").unwrap();
        assert_eq!(storage.installation(), Installation::New);
        fs::write(storage.database(), "written to").unwrap();
        drop(storage);
        assert_eq!(take(&folder, "data").unwrap().installation(), Installation::Founded);
    }
}
