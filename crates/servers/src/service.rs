//! What PostgreSQL and Redis have in common: a program on a port, with a log, that is ready at some time.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::Error;
use crate::patience::{LONG, until};
use crate::port;
use crate::process::Process;

/// How often a start is tried: another process may take the port between our look and the server's.
const STARTS: u32 = 5;

/// Why a start may be tried again.
const ENDED: &str = "ended at once";

const LOG_LINES: usize = 20;

/// A program that may be running.
#[derive(Debug)]
pub(crate) struct Service {
    program: &'static str,
    log: PathBuf,
    port: u16,
    process: Option<Process>,
}

/// How a program is run on a port, and how one asks whether the one of this id is ready there.
pub(crate) trait Launch {
    fn command(&self, port: u16) -> Result<Command, Error>;
    fn is_ready(&self, process: u32, port: u16) -> bool;
}

impl Service {
    /// Starts it on a free port, and waits until it is ready.
    pub(crate) fn start(
        program: &'static str,
        folder: &Path,
        launch: &impl Launch,
    ) -> Result<Self, Error> {
        let log = folder.join(format!("{program}.log"));
        let mut service = Self { program, log, port: 0, process: None };
        service.attempt(launch, port::free_port)?;
        Ok(service)
    }

    /// Ends it where it runs, then starts it again on the same port, and waits until it is ready.
    pub(crate) fn restart(&mut self, launch: &impl Launch) -> Result<(), Error> {
        self.end()?;
        let port = self.port;
        self.attempt(launch, || port)
    }

    fn attempt(
        &mut self,
        launch: &impl Launch,
        mut port: impl FnMut() -> u16,
    ) -> Result<(), Error> {
        for _ in 1..STARTS {
            match self.launch(launch, port()) {
                Err(Error::NotReady { reason: ENDED, .. }) => {}
                settled => return settled,
            }
        }
        self.launch(launch, port())
    }

    fn launch(&mut self, launch: &impl Launch, port: u16) -> Result<(), Error> {
        let opened = File::options().create(true).append(true).open(&self.log);
        let log = opened.map_err(Error::file(&self.log))?;
        let out = log.try_clone().map_err(Error::file(&self.log))?;
        let mut command = launch.command(port)?;
        command.stdin(Stdio::null()).stdout(out).stderr(log);
        let started = Process::start(command);
        let mut process =
            started.map_err(|source| Error::Start { program: self.program, source })?;
        let id = process.id();
        let settled = until(LONG, || !process.is_running() || launch.is_ready(id, port));
        if settled && process.is_running() {
            (self.port, self.process) = (port, Some(process));
            return Ok(());
        }
        let reason = if settled { ENDED } else { "is not ready after a minute" };
        Err(Error::NotReady { program: self.program, reason, log: self.end_of_log() })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    pub(crate) fn freeze(&self) -> Result<(), Error> {
        self.running()?.freeze().map_err(self.disobeyed())
    }

    pub(crate) fn thaw(&self) -> Result<(), Error> {
        self.running()?.thaw().map_err(self.disobeyed())
    }

    pub(crate) fn kill(&mut self) -> Result<(), Error> {
        let disobeyed = self.disobeyed();
        self.process.take().map_or(Ok(()), |mut process| process.kill().map_err(disobeyed))
    }

    pub(crate) fn end(&mut self) -> Result<(), Error> {
        let disobeyed = self.disobeyed();
        // To both, SIGINT says: end what runs, leave all in order, do not wait for clients.
        self.process
            .take()
            .map_or(Ok(()), |mut process| process.end(Signal::INT).map_err(disobeyed))
    }

    fn running(&self) -> Result<&Process, Error> {
        self.process.as_ref().ok_or(Error::NotRunning { program: self.program })
    }

    fn disobeyed(&self) -> impl FnOnce(io::Error) -> Error + use<> {
        let program = self.program;
        move |source| Error::Signal { program, source }
    }

    fn end_of_log(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(LOG_LINES)..).unwrap_or_default().join("\n")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.end();
    }
}
