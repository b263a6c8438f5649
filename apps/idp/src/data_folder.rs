//! The data folder: what this installation keeps beside its database, for its owner alone. Keys are
//! made in it once, and never again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use data_encoding::BASE64;
use kernel::{Entropy, EntropyUnavailable};
use secrecy::zeroize::Zeroizing;

use crate::{
    config::{
        SECRET_KEY_LENGTH, SecretKey,
        keys::{self, Key},
    },
    private_file,
    storage::StorageError,
};

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

/// The data folder.
#[derive(Debug, Clone)]
pub struct DataFolder(PathBuf);

/// Whether there may be something already that a key was used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installation {
    /// Nothing was ever written: a missing key is made.
    New,
    /// There is something: a missing key is lost.
    Founded,
}

impl DataFolder {
    /// Makes the folder, for its owner alone, where it is not there.
    ///
    /// # Errors
    /// [`StorageError::Folder`]
    pub fn ensure(path: &Path) -> Result<Self, StorageError> {
        let failed = |source| StorageError::Folder { path: path.to_owned(), source };
        private_file::make_folder(path).map_err(failed)?;
        Ok(Self(path.to_owned()))
    }

    /// The path of the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The key in that file; a new one where there is no such file, and nothing yet that another
    /// was used for.
    ///
    /// # Errors
    /// [`StorageError`]
    pub fn key(
        &self,
        file: KeyFile,
        installation: Installation,
        entropy: &dyn Entropy,
    ) -> Result<SecretKey, StorageError> {
        let path = self.file(file.name);
        let failed = |source| StorageError::KeyFile { path: path.clone(), source };
        if !path.try_exists().map_err(failed)? {
            if installation == Installation::Founded {
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
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::ensure(&folder.path().join("data")).unwrap();
        let first = data.key(SEALING_KEY, Installation::New, &Fixed).unwrap();
        let second = data.key(SEALING_KEY, Installation::Founded, &Fixed).unwrap();
        assert_eq!(first.expose(), second.expose());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(data.file("sealing.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_key_that_was_lost_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::ensure(folder.path()).unwrap();
        let error = data.key(PEPPER, Installation::Founded, &Fixed).err().unwrap().to_string();
        assert!(error.contains("pepper.key") && error.contains("IDP_PEPPER"), "{error}");
        assert!(!data.file("pepper.key").exists());
    }

    #[test]
    fn a_damaged_key_file_is_named_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::ensure(folder.path()).unwrap();
        fs::write(data.file("pepper.key"), "canary").unwrap();
        let error = data.key(PEPPER, Installation::New, &Fixed).err().unwrap().to_string();
        assert!(error.contains("pepper.key") && !error.contains("canary"), "{error}");
        assert_eq!(fs::read_to_string(data.file("pepper.key")).unwrap(), "canary");
    }
}
