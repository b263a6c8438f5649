//! The files of one PostgreSQL, and how it is run on them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::handshake;
use crate::Error;
use crate::account::{Account, Home};
use crate::programs::answer;
use crate::service::Launch;

/// The longest path that a Unix socket can have on every system, without `/.s.PGSQL.12345`.
const LONGEST_SOCKET_FOLDER: usize = 85;

/// A cluster that is there, and the programs and the user for it.
#[derive(Debug)]
pub(super) struct Cluster {
    programs: PathBuf,
    account: Account,
    home: Home,
}

impl Cluster {
    /// Makes one where the folder has none.
    pub(super) fn open(programs: PathBuf, account: Account, home: Home) -> Result<Self, Error> {
        let cluster = Self { programs, account, home };
        if !cluster.data().is_dir() {
            cluster.create()?;
        }
        Ok(cluster)
    }

    pub(super) fn folder(&self) -> &Path {
        self.home.path()
    }

    fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// Under another name until it is whole: a run that was killed midway leaves nothing that passes for a cluster.
    fn create(&self) -> Result<(), Error> {
        let unfinished = self.folder().join("data.unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(Error::file(&unfinished))?;
        }
        let program = "initdb";
        let output = self
            .account
            .command(&self.programs.join(program))?
            .args(["--auth=trust", "--username=postgres", "--locale=C.UTF-8", "--encoding=UTF8"])
            .args(["--no-sync", "--no-instructions"])
            .arg("--pgdata")
            .arg(&unfinished)
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .output()
            .map_err(|source| Error::Start { program, source })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Error::Failed { program, said });
        }
        fs::rename(&unfinished, self.data()).map_err(Error::file(unfinished))
    }

    /// The socket lies in the folder; where its path would be too long for one, there is only the port.
    fn sockets(&self) -> String {
        let folder = self.folder().to_string_lossy();
        if folder.len() > LONGEST_SOCKET_FOLDER || folder.contains('"') {
            return String::new();
        }
        // In quotes, since the setting is a list.
        format!("\"{folder}\"")
    }
}

impl Drop for Cluster {
    /// A server that was killed, and not started again, leaves a few shared bytes to the machine, which has room for so many.
    fn drop(&mut self) {
        // The lock file tells of them, and of whose they are; one that ended in good order has deleted both.
        let lock = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let owner = lock.lines().next().map(|id| Path::new("/proc").join(id));
        let shared = lock.lines().nth(6).and_then(|line| line.split_whitespace().nth(1));
        if let Some((owner, shared)) = owner.zip(shared)
            && !owner.exists()
        {
            let _ = answer("ipcrm", &["--shmem-id", shared]);
        }
    }
}

impl Launch for Cluster {
    fn command(&self, port: u16) -> Result<Command, Error> {
        let mut command = self.account.mortal_command(&self.programs.join("postgres"))?;
        command.arg("-D").arg(self.data()).current_dir(self.folder());
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={port}"),
            format!("unix_socket_directories={}", self.sockets()),
            "max_connections=300".to_owned(),
            "fsync=on".to_owned(),
            "logging_collector=off".to_owned(),
            // In the folder: what a killed server shared would otherwise stay in the machine's memory.
            "dynamic_shared_memory_type=mmap".to_owned(),
        ];
        for setting in settings {
            command.arg("-c").arg(setting);
        }
        Ok(command)
    }

    /// It says so in its lock file, of which the first line is its id, and it greets us on its port.
    fn is_ready(&self, process: u32, port: u16) -> bool {
        let lock = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let is_its_own = lock.lines().next() == Some(process.to_string().as_str());
        let says_so = lock.lines().nth(7).is_some_and(|status| status.trim() == "ready");
        is_its_own && says_so && handshake::session(port).is_ok()
    }
}
