//! PostgreSQL in one folder.

mod cluster;
mod handshake;
#[cfg(test)]
mod tests;

use std::path::Path;

use crate::account::{Account, Home};
use crate::service::Service;
use crate::{Error, programs};

use cluster::Cluster;

const PROGRAM: &str = "postgres";

/// A private PostgreSQL: on a port of 127.0.0.1, where the superuser `postgres` and whoever it makes connect without a password.
///
/// What it acknowledged is on the disk (`fsync` is on). It takes 300 connections. Dropping it ends it, and leaves the files in
/// their folder; so drop it before that is deleted.
#[derive(Debug)]
pub struct Postgres {
    // Before the folder that it works in, since fields are dropped in this order.
    service: Service,
    cluster: Cluster,
}

impl Postgres {
    /// Whether `start` will find its programs on this machine.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], which says what to install.
    pub fn is_installed() -> Result<(), Error> {
        programs::postgres().map(|_| ())
    }

    /// Starts one in the folder, with the databases that are there already, or with a new cluster where there is none.
    /// On return it accepts connections.
    ///
    /// As root it runs as the system's user `postgres`, who then owns the folder. Where that user cannot reach the folder, all is
    /// kept in a new one among the machine's temporary files instead, which is deleted when the server is dropped.
    ///
    /// # Errors
    ///
    /// What is missing on this machine, or the end of the server's log where it does not come up within a minute.
    pub fn start(folder: &Path) -> Result<Self, Error> {
        let programs = programs::postgres()?;
        let account = Account::of_postgres()?;
        let cluster = Cluster::open(programs, account, Home::new(folder, account)?)?;
        let service = Service::start(PROGRAM, cluster.folder(), &cluster)?;
        Ok(Self { service, cluster })
    }

    /// The port, on 127.0.0.1. It stays the same for as long as this value lives.
    pub fn port(&self) -> u16 {
        self.service.port()
    }

    /// The id of the process that all sessions are children of; none while it is killed or stopped.
    pub fn process_id(&self) -> Option<u32> {
        self.service.id()
    }

    /// Where it keeps its data, its log (`postgres.log`) and its socket.
    pub fn folder(&self) -> &Path {
        self.cluster.folder()
    }

    /// The superuser's database, in which one may create databases and roles.
    pub fn url(&self) -> String {
        self.url_for("postgres")
    }

    /// Another database, as the superuser. The name must need no escaping in a URL.
    pub fn url_for(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port())
    }

    /// Ends it and all sessions at once, by SIGKILL, as a power cut would. On return, all of its processes are gone.
    ///
    /// # Errors
    ///
    /// A process that does not die within ten seconds.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.service.kill()
    }

    /// Stops it and all sessions where they are, by SIGSTOP. The kernel still accepts connections for it, and nobody answers.
    /// On return, none of its processes runs.
    ///
    /// # Errors
    ///
    /// [`Error::NotRunning`], or a process that does not stop within ten seconds.
    pub fn freeze(&self) -> Result<(), Error> {
        self.service.freeze()
    }

    /// Lets it and all sessions go on after [`Postgres::freeze`].
    ///
    /// # Errors
    ///
    /// [`Error::NotRunning`], or a signal that is not delivered.
    pub fn thaw(&self) -> Result<(), Error> {
        self.service.thaw()
    }

    /// Ends it in good order, without waiting for its clients: their transactions are rolled back. Thaws it first if need be.
    ///
    /// # Errors
    ///
    /// A signal that is not delivered. One that does not end within ten seconds is killed, without an error.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.service.end()
    }

    /// Starts it again, on the same port and the same data, stopping it first where it runs. On return it has recovered, and
    /// accepts connections.
    ///
    /// # Errors
    ///
    /// The end of its log, where it does not come up within a minute.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.service.restart(&self.cluster)
    }
}
