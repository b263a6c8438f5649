//! Why a server does not run, in words that say what to do.

use std::io;
use std::path::PathBuf;

/// Why a server could not be started, signalled or ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The machine lacks a program.
    #[error("{what} is not installed here; on Debian or Ubuntu: `sudo apt-get install {packages}`")]
    Missing {
        /// The program, and the oldest version that will do.
        what: &'static str,
        /// The Debian packages that bring it.
        packages: &'static str,
    },
    /// We are root, PostgreSQL refuses to be, and the user that its package makes is not there.
    #[error(
        "PostgreSQL does not run as root, and the user `postgres` is missing; make it, or run this as another user"
    )]
    NoAccount,
    /// A folder or a file of the server cannot be made or read.
    #[error("`{}` cannot be used for a server", path.display())]
    File {
        /// What could not be used.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program does not start.
    #[error("`{program}` does not start")]
    Start {
        /// The program.
        program: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A program that prepares a server failed.
    #[error("`{program}` failed:\n{said}")]
    Failed {
        /// The program.
        program: &'static str,
        /// What it said on standard error.
        said: String,
    },
    /// The server ended at once, or was not ready within the time that we give it.
    #[error("`{program}` {reason}; its log ends with:\n{log}")]
    NotReady {
        /// The program.
        program: &'static str,
        /// What it did instead.
        reason: &'static str,
        /// The last lines of its log.
        log: String,
    },
    /// The server was killed or stopped before, and not started again.
    #[error("`{program}` is not running; call `restart` first")]
    NotRunning {
        /// The program.
        program: &'static str,
    },
    /// A signal was not delivered, or had no effect within the time that we give it.
    #[error("`{program}` does not obey a signal")]
    Signal {
        /// The program.
        program: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A running server did not answer as it must.
    #[error("`{program}` does not answer as it must")]
    Answer {
        /// The program.
        program: &'static str,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
