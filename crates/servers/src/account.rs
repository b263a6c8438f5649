//! The user that a server runs as, and the folder that it may write to.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;
use crate::programs::{answer, in_path};

/// How many names a private folder tries.
const NAMES: u32 = 1_000;

/// The user that a server runs as.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Account {
    /// Whoever runs this process.
    Own,
    /// Another one, for a program that refuses to run as root.
    Other { user: u32, group: u32 },
}

impl Account {
    /// Whom PostgreSQL runs as: root may not.
    pub(crate) fn of_postgres() -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        let id = |kind| answer("id", &[kind, "postgres"])?.trim().parse().ok();
        let account = id("-u").zip(id("-g"));
        account.map(|(user, group)| Self::Other { user, group }).ok_or(Error::NoAccount)
    }

    /// The program, to be run as this user.
    pub(crate) fn command(self, program: &Path) -> Result<Command, Error> {
        match self {
            Self::Own => Ok(Command::new(program)),
            Self::Other { .. } => self.through_setpriv(program, &[]),
        }
    }

    /// Likewise, and the kernel kills it when the thread that starts it ends, where the machine can do that.
    pub(crate) fn mortal_command(self, program: &Path) -> Result<Command, Error> {
        match self {
            Self::Own if in_path("setpriv").is_none() => Ok(Command::new(program)),
            Self::Own | Self::Other { .. } => {
                self.through_setpriv(program, &["--pdeathsig", "KILL"])
            }
        }
    }

    /// `setpriv` becomes the program: its id is the program's, and nothing stands between it and us.
    fn through_setpriv(self, program: &Path, arguments: &[&str]) -> Result<Command, Error> {
        let missing = Error::Missing { what: "setpriv", packages: "util-linux" };
        let mut command = Command::new(in_path("setpriv").ok_or(missing)?);
        command.args(arguments);
        if let Self::Other { user, group } = self {
            command.arg(format!("--reuid={user}")).arg(format!("--regid={group}"));
            command.arg("--clear-groups");
        }
        command.arg("--").arg(program);
        Ok(command)
    }

    /// Makes the folder this user's own, to be read by nobody else.
    fn take(self, folder: &Path) -> io::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { user, group } => chown(folder, Some(user), Some(group)),
        }
    }

    /// Whether the way to the folder is open to this user; who owns the folders above it is not ours to change.
    fn reaches(self, folder: &Path) -> Result<bool, Error> {
        let Self::Other { .. } = self else { return Ok(true) };
        let test = in_path("test").ok_or(Error::Missing { what: "test", packages: "coreutils" })?;
        let status = self.command(&test)?.arg("-w").arg(folder).current_dir("/").status();
        Ok(status.map_err(|source| Error::Start { program: "test", source })?.success())
    }
}

/// A folder that a server may write to.
#[derive(Debug)]
pub(crate) struct Home {
    path: PathBuf,
    /// Made here, so it goes with the server.
    is_ours: bool,
}

impl Home {
    /// The wanted folder, made where it is not there; where the user cannot reach it, one among the machine's temporary files.
    pub(crate) fn new(wanted: &Path, account: Account) -> Result<Self, Error> {
        let made = fs::create_dir_all(wanted).and_then(|()| fs::canonicalize(wanted));
        let path = made.map_err(Error::file(wanted))?;
        account.take(&path).map_err(Error::file(&path))?;
        if account.reaches(&path)? {
            return Ok(Self { path, is_ours: false });
        }
        let ours = Self { path: private()?, is_ours: true };
        account.take(&ours.path).map_err(Error::file(&ours.path))?;
        Ok(ours)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.is_ours {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// A new folder that nobody else may enter. One that is there already is never taken: it may be another's trap.
fn private() -> Result<PathBuf, Error> {
    let parent = std::env::temp_dir();
    let process = std::process::id();
    for number in 0..NAMES {
        let path = parent.join(format!("idp-servers-{process}-{number}"));
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::file(path)(error)),
        }
    }
    Err(Error::file(parent)(io::ErrorKind::AlreadyExists.into()))
}
