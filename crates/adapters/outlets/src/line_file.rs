//! A file that lines are put at the end of, each durable before the next.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crate::error::OutletError;

/// An open file of lines.
#[derive(Debug)]
pub(crate) struct LineFile {
    path: PathBuf,
    file: File,
    identity: Identity,
}

/// What the machine knows a file by, whatever its name.
type Identity = Option<(u64, u64)>;

impl LineFile {
    /// Opens it, or makes it, readable for its owner alone.
    pub(crate) fn open(path: &Path) -> Result<Self, OutletError> {
        let refused = |source| OutletError::File { path: path.to_owned(), source };
        let file = open_or_make(path).map_err(refused)?;
        let found = file.metadata().map_err(refused)?;
        if !found.is_file() {
            return Err(OutletError::NotAFile { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), identity: identity_of(&found), file })
    }

    /// Opens it anew where its name is another file's by now, or nobody's: it was rotated. Gives back
    /// whether it was.
    pub(crate) fn follow(&mut self) -> Result<bool, OutletError> {
        let is_ours = match fs::metadata(&self.path) {
            Ok(found) => identity_of(&found) == self.identity,
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(source) => return Err(self.refused(source)),
        };
        if !is_ours {
            *self = Self::open(&self.path)?;
        }
        Ok(!is_ours)
    }

    /// Puts lines at the end, with one write, and returns once they are durable. Where the end is a line
    /// that breaks off they begin on a line of their own.
    pub(crate) fn append(&mut self, lines: &[u8]) -> Result<(), OutletError> {
        // What another process writes shows piece by piece: its line would seem to break off.
        // Where the file system has no locks, one line of many may have an empty one before it.
        let locked = lock(&self.file);
        let appended = (|| {
            let mut block = Vec::with_capacity(lines.len() + 1);
            if self.ends_within_a_line()? {
                block.push(b'\n');
            }
            block.extend_from_slice(lines);
            // One write, which the machine puts behind whatever another process wrote meanwhile. A
            // second one for the rest could end up behind somebody else's line.
            if write_once(&self.file, &block)? != block.len() {
                return Err(io::Error::new(ErrorKind::StorageFull, "only a part was written"));
            }
            self.file.sync_data()
        })();
        if locked {
            // What is durable is told as such, whatever becomes of the lock, which ends with the file.
            let _ = self.file.unlock();
        }
        appended.map_err(|source| self.refused(source))
    }

    fn ends_within_a_line(&self) -> io::Result<bool> {
        let mut file = &self.file;
        if file.metadata()?.len() == 0 {
            return Ok(false);
        }
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        Ok(last != *b"\n")
    }

    pub(crate) fn length(&self) -> Result<u64, OutletError> {
        self.file.metadata().map(|found| found.len()).map_err(|source| self.refused(source))
    }

    /// The file, to be read from this place on.
    pub(crate) fn from(&self, offset: u64) -> Result<File, OutletError> {
        let reader = self.file.try_clone().and_then(|mut file| {
            file.seek(SeekFrom::Start(offset))?;
            Ok(file)
        });
        reader.map_err(|source| self.refused(source))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn refused(&self, source: io::Error) -> OutletError {
        OutletError::File { path: self.path.clone(), source }
    }
}

fn open_or_make(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    match options.open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        opened => return opened,
    }
    private(&mut options);
    let file = options.create(true).open(path)?;
    // Without this a power cut takes the file away with all that is durable in it.
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(file)
}

/// Waits until no other writer is at it. False where the machine has no lock to give.
fn lock(file: &File) -> bool {
    loop {
        match file.lock() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            settled => return settled.is_ok(),
        }
    }
}

fn write_once(mut file: &File, block: &[u8]) -> io::Result<usize> {
    loop {
        match file.write(block) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            settled => return settled,
        }
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn private(_: &mut OpenOptions) {}

#[cfg(unix)]
fn identity_of(found: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn identity_of(_: &Metadata) -> Identity {
    None
}
