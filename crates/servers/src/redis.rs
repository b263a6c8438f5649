//! Redis, in memory only.

#[cfg(test)]
mod tests;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::account::{Account, Home};
use crate::service::{Launch, Service};
use crate::{Error, programs};

const PROGRAM: &str = "redis-server";

/// How long one read or write may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A private Redis: on a port of 127.0.0.1, without a password, that keeps nothing on the disk but its log.
///
/// Dropping it ends it.
#[derive(Debug)]
pub struct Redis {
    service: Service,
    memory: Memory,
}

/// A program, and the folder that it works in.
#[derive(Debug)]
struct Memory {
    program: PathBuf,
    home: Home,
}

impl Redis {
    /// Whether `start` will find its program on this machine.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`], which says what to install.
    pub fn is_installed() -> Result<(), Error> {
        programs::redis().map(|_| ())
    }

    /// Starts one that works in the folder. On return it accepts connections.
    ///
    /// # Errors
    ///
    /// What is missing on this machine, or the end of the server's log where it does not come up within a minute.
    pub fn start(folder: &Path) -> Result<Self, Error> {
        let home = Home::new(folder, Account::Own)?;
        let memory = Memory { program: programs::redis()?, home };
        let service = Service::start(PROGRAM, memory.home.path(), &memory)?;
        Ok(Self { service, memory })
    }

    /// The port, on 127.0.0.1. It stays the same for as long as this value lives.
    pub fn port(&self) -> u16 {
        self.service.port()
    }

    /// The id of its process; none while it is killed or stopped.
    pub fn process_id(&self) -> Option<u32> {
        self.service.id()
    }

    /// Where it keeps its log (`redis-server.log`).
    pub fn folder(&self) -> &Path {
        self.memory.home.path()
    }

    /// How to reach it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port())
    }

    /// Deletes every key of every database.
    ///
    /// # Errors
    ///
    /// [`Error::Answer`], where it does not say that it did.
    pub fn flush(&self) -> Result<(), Error> {
        let said = ask(self.port(), "FLUSHALL");
        let done = said.and_then(|said| match said.as_str() {
            "+OK" => Ok(()),
            _ => Err(io::Error::other(said)),
        });
        done.map_err(|source| Error::Answer { program: PROGRAM, source })
    }

    /// Ends it at once, by SIGKILL. On return, its process is gone.
    ///
    /// # Errors
    ///
    /// A process that does not die within ten seconds.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.service.kill()
    }

    /// Stops it where it is, by SIGSTOP. The kernel still accepts connections for it, and nobody answers.
    ///
    /// # Errors
    ///
    /// [`Error::NotRunning`], or a process that does not stop within ten seconds.
    pub fn freeze(&self) -> Result<(), Error> {
        self.service.freeze()
    }

    /// Lets it go on after [`Redis::freeze`].
    ///
    /// # Errors
    ///
    /// [`Error::NotRunning`], or a signal that is not delivered.
    pub fn thaw(&self) -> Result<(), Error> {
        self.service.thaw()
    }

    /// Ends it in good order. Thaws it first if need be.
    ///
    /// # Errors
    ///
    /// A signal that is not delivered. One that does not end within ten seconds is killed, without an error.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.service.end()
    }

    /// Starts it again, empty, on the same port, stopping it first where it runs. On return it accepts connections.
    ///
    /// # Errors
    ///
    /// The end of its log, where it does not come up within a minute.
    pub fn restart(&mut self) -> Result<(), Error> {
        self.service.restart(&self.memory)
    }
}

impl Launch for Memory {
    fn command(&self, port: u16) -> Result<Command, Error> {
        let mut command = Account::Own.mortal_command(&self.program)?;
        command.current_dir(self.home.path());
        command.arg("--port").arg(port.to_string()).args(["--bind", "127.0.0.1"]);
        command.args(["--save", "", "--appendonly", "no", "--daemonize", "no"]);
        Ok(command)
    }

    /// It answers on its port, and by its id it is ours and no other's.
    fn is_ready(&self, process: u32, port: u16) -> bool {
        let own = format!("process_id:{process}");
        ask(port, "INFO server").is_ok_and(|told| told.lines().any(|line| line.trim() == own))
    }
}

/// Sends a command without arguments that need quoting, and reads the answer: one line, or a text of a told length.
fn ask(port: u16, command: &str) -> io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    answer.read_line(&mut line)?;
    let Some(length) = line.strip_prefix('$') else {
        return Ok(line.trim_end().to_owned());
    };
    let mut text = String::new();
    // Of a key that is not there, the length is -1: no text.
    answer.take(length.trim_end().parse().unwrap_or(0)).read_to_string(&mut text)?;
    Ok(text)
}
