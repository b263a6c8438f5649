//! Files that only their owner can read, and locks that only one process can hold.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::Path,
};

/// A lock of this process, held until it is dropped. A process that is killed lets go of it too.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock that this file stands for; `None` where another process has it.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn take(path: &Path) -> io::Result<Option<Self>> {
        let file = private().create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(source),
        }
    }
}

/// Makes an empty file where there is none, and tells its length.
///
/// # Errors
/// When the file system refuses.
pub fn ensure(path: &Path) -> io::Result<u64> {
    private().create(true).truncate(false).open(path)?.metadata().map(|file| file.len())
}

/// Writes a file whole or not at all: a power cut leaves either no file of that name or all of it.
///
/// # Errors
/// When the file system refuses.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
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

/// Makes a folder, and those above it, for its owner alone.
///
/// # Errors
/// When the file system refuses.
#[cfg(unix)]
pub fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;

    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes a folder, and those above it.
///
/// # Errors
/// When the file system refuses.
#[cfg(not(unix))]
pub fn make_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}
