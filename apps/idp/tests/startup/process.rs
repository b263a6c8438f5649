//! A process of the binary, with all that it prints.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::http::{self, Answer, Request};

/// What takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    out: Receiver<String>,
    log: Receiver<String>,
}

/// What a process left when it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code; none where a signal ended it.
    pub(crate) code: Option<i32>,
    /// What it printed that nobody had read.
    pub(crate) out: String,
    /// What it logged that nobody had read.
    pub(crate) log: String,
}

/// The command with these arguments, on this data folder and any free port.
pub(crate) fn idp(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
    command.args(arguments).env_clear().env("IDP_DATA_DIR", folder).env("PORT", "0");
    command
}

/// Runs a command that must end by itself.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Ended {
    Process::start(command).ended()
}

impl Process {
    /// Starts it.
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = lines(child.stdout.take().unwrap());
        let log = lines(child.stderr.take().unwrap());
        Self { child, out, log }
    }

    /// Starts a server, and waits until it is ready.
    #[track_caller]
    pub(crate) fn serve(command: &mut Command) -> Server {
        let process = Self::start(command);
        let mut greeting = String::new();
        while let Ok(line) = process.out.recv_timeout(PATIENCE) {
            if let Some(url) = line.strip_prefix("ready at http://") {
                return Server { address: url.to_owned(), greeting, process };
            }
            greeting = greeting + &line + "\n";
        }
        let ended = process.ended();
        panic!("it ended instead of being ready: {}", ended.log);
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it the signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Reads its log up to a line with this text.
    #[track_caller]
    pub(crate) fn logs(&self, text: &str) {
        let next = || self.log.recv_timeout(PATIENCE).expect("it never said so");
        while !next().contains(text) {}
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ended(self) -> Ended {
        self.ended_within(PATIENCE)
    }

    /// Waits for its end, for no longer than this.
    #[track_caller]
    pub(crate) fn ended_within(mut self, patience: Duration) -> Ended {
        let mut out = String::new();
        loop {
            match self.out.recv_timeout(patience) {
                Ok(line) => out = out + &line + "\n",
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end:\n{out}"),
            }
        }
        let code = self.child.wait().unwrap().code();
        Ended { code, out, log: rest(&self.log) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail harmlessly where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Asserts that it refused, and returns what it said.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert_eq!((self.code, self.out.as_str()), (Some(1), ""), "{}", self.log);
        assert!(self.log.starts_with("idp: "), "{}", self.log);
        self.log
    }
}

/// A server that is ready.
#[derive(Debug)]
pub(crate) struct Server {
    /// Its host and port.
    pub(crate) address: String,
    /// What it printed before it was ready.
    pub(crate) greeting: String,
    /// Its process.
    pub(crate) process: Process,
}

impl Server {
    /// Sends a request that must be answered.
    #[track_caller]
    pub(crate) fn send(&self, request: &Request) -> Answer {
        http::send(&self.address, request).unwrap()
    }

    /// A token for the client.
    #[track_caller]
    pub(crate) fn token(&self, admin: &Value) -> String {
        let answer = self.send(&token_request(admin)).expect(200);
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Asks it to end, and waits until it has done so well.
    #[track_caller]
    pub(crate) fn stop(self) -> Ended {
        self.process.signal(Signal::TERM);
        let ended = self.process.ended();
        assert_eq!(ended.code, Some(0), "{}", ended.log);
        ended
    }
}

/// Asks for a token.
pub(crate) fn token_request(admin: &Value) -> Request {
    let member = |name: &str| admin[name].as_str().unwrap();
    Request::new("POST", "/api/v1/token")
        .basic(member("clientId"), member("clientSecret"))
        .form(&[("grant_type", "client_credentials")])
}

/// The admin's credential, as `admin.json` in this data folder has it.
pub(crate) fn admin(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("admin.json")).unwrap()).unwrap()
}

/// The folder that a test keeps its data in: one that is not there yet.
pub(crate) fn data(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("data")
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            // Read on though nobody listens: a full pipe would hold the process up.
            let _ = sender.send(line);
        }
    });
    lines
}

/// All lines that are still to come of a process that has ended.
fn rest(lines: &Receiver<String>) -> String {
    let mut text = String::new();
    while let Ok(line) = lines.recv_timeout(PATIENCE) {
        text = text + &line + "\n";
    }
    text
}
