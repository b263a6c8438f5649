//! A PostgreSQL and servers on it, private to one test, and the administrator's way into the database.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration,
};

use data_encoding::BASE64;
use serde_json::Value;
use servers::Postgres;

use crate::client::Client;

/// What the hashes of secrets are keyed with, here and in the servers.
pub(crate) const PEPPER: [u8; 32] = *b"outages: fjwpq81mzx-ketvbn39ylr6";

/// Of every server, and the address of none.
const ISSUER: &str = "http://localhost";
const READY: &str = "ready at ";
const LISTENS: &str = "listens on";

/// What takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// The tables of record and what belongs to them.
const TABLES: [&str; 9] = [
    "organization",
    "agent",
    "agent_capability",
    "client",
    "credential",
    "idempotency_key",
    "signing_key",
    "revoked_token",
    "audit_event",
];

/// One test has servers at a time: what is promised in seconds is not promised to a machine that runs
/// all of the tests at once.
static TURN: Mutex<()> = Mutex::new(());

/// A database that is migrated and founded. All of it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Installation {
    pub(crate) postgres: Postgres,
    settings: Vec<(&'static str, String)>,
    founded: Value,
    folder: tempfile::TempDir,
    // Last: the next test begins when all of it has ended.
    _turn: MutexGuard<'static, ()>,
}

impl Installation {
    /// Starts PostgreSQL, migrates, and founds the platform; once no other test has one.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Likewise, with settings for every server.
    #[track_caller]
    pub(crate) fn start_with(settings: &[(&'static str, &str)]) -> Self {
        // Poisoned by a test that failed, which is no reason for the others to.
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let postgres = Postgres::start(&folder.path().join("postgres")).unwrap();
        let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let mut new = Self { postgres, settings, founded: Value::Null, folder, _turn: turn };
        new.idp(&["migrate"]);
        let founded = new.idp(&["bootstrap", "--organization", "platform", "--json"]);
        new.founded = serde_json::from_str(&founded).unwrap();
        new
    }

    /// The first admin.
    pub(crate) fn admin(&self) -> Client {
        let member = |name: &str| self.founded[name].as_str().unwrap().to_owned();
        Client { id: member("clientId"), secret: member("clientSecret") }
    }

    /// A statement by the administrator, whom neither row-level security nor a database that is set
    /// to be read only binds: a line a row, with `|` between its columns.
    #[track_caller]
    pub(crate) fn sql(&self, statement: &str) -> String {
        let output = self.psql().args(["--command", statement]).stdin(Stdio::null()).output();
        let output = output.expect("psql comes with PostgreSQL");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The number that a statement asks for.
    #[track_caller]
    pub(crate) fn number(&self, statement: &str) -> u64 {
        self.sql(statement).parse().unwrap()
    }

    /// Asks until the statement's answer is this; for a minute at the most.
    #[track_caller]
    pub(crate) fn wait_until(&self, statement: &str, answer: &str) {
        let mut last = String::new();
        for _ in 0..3_000 {
            last = self.sql(statement);
            if last == answer {
                return;
            }
        }
        panic!("`{statement}` stays {last}");
    }

    /// A transaction that stays open until it is dropped.
    #[track_caller]
    pub(crate) fn hold(&self, statement: &str) -> Held {
        let mut command = self.psql();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        writeln!(input, "BEGIN; {statement}; SELECT 'held';").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "held");
        Held { child, input: Some(input), _output: output }
    }

    fn psql(&self) -> Command {
        let mut command = Command::new("psql");
        command
            .args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet"])
            .args(["--set=ON_ERROR_STOP=1", "--dbname", &self.postgres.url()])
            .env("PGOPTIONS", "-c default_transaction_read_only=off");
        command
    }

    /// A digest of every row of record and of the log.
    pub(crate) fn record(&self) -> String {
        let digest = |table| {
            format!("(SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t)")
        };
        self.sql(&format!("SELECT concat_ws(' ', {})", TABLES.map(digest).join(", ")))
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
        command
            .args(arguments)
            .env_clear()
            .envs([("IDP_LOG", "error"), ("PORT", "0"), ("IDP_ISSUER", ISSUER)])
            .env("DATABASE_URL", self.postgres.url())
            .env("IDP_DATA_DIR", self.data_folder())
            .env("IDP_PEPPER", BASE64.encode(&PEPPER))
            .envs(self.settings.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn data_folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Runs a command that must succeed.
    #[track_caller]
    pub(crate) fn idp(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "idp {arguments:?}: {log}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts a server, and waits until it is ready.
    #[track_caller]
    pub(crate) fn server(&self) -> Server {
        let mut child = self.command(&["serve"]).spawn().unwrap();
        let log = text(child.stderr.take().unwrap());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut server = Server { child, address: String::new(), log };
        let listens = lines.find(|line| line.contains(LISTENS));
        let listens = listens.expect("a server ended before it listened");
        server.address = listens.split_once("://").unwrap().1.to_owned();
        assert!(lines.any(|line| line.starts_with(READY)), "a server ended before it was ready");
        // Read on though nobody listens: a full pipe would hold it up.
        thread::spawn(move || lines.count());
        server
    }
}

/// Reads all there is, so that a full pipe holds nobody up.
fn text(mut from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut all = Vec::new();
        let _ = from.read_to_end(&mut all);
        sender.send(String::from_utf8_lossy(&all).into_owned())
    });
    receiver
}

/// An open transaction.
#[derive(Debug)]
pub(crate) struct Held {
    child: Child,
    input: Option<ChildStdin>,
    _output: BufReader<ChildStdout>,
}

impl Drop for Held {
    fn drop(&mut self) {
        // Without more to read, psql ends, and its transaction with it.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// A running server; killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    log: Receiver<String>,
}

impl Server {
    /// The memory that it has in use, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// That it runs.
    #[track_caller]
    pub(crate) fn expect_running(&mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "the server ended");
    }

    /// Ends it, and returns all that it logged.
    pub(crate) fn end(mut self) -> String {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        let log = self.log.recv_timeout(PATIENCE).expect("told to end, the server hangs");
        assert!(self.child.wait().unwrap().success());
        log
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail harmlessly where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
