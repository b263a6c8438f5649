//! The real binary, running on a data folder and a port of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::http::{self, Answer, Request};

/// A start or an end that takes longer has failed; both take a fraction of a second.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the server's last line of greeting starts with.
const READY: &str = "ready at ";

/// The first admin, as `admin.json` has it.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    /// Its OAuth client id.
    pub(crate) client_id: String,
    /// Its secret.
    pub(crate) client_secret: String,
}

/// A server that runs until it is stopped, killed or dropped.
#[derive(Debug)]
pub(crate) struct RunningServer {
    /// Its URL, which is also its issuer.
    pub(crate) base_url: String,
    /// Its data folder.
    pub(crate) data_dir: PathBuf,
    child: Child,
    /// What it prints; hung up once it has ended.
    lines: Receiver<String>,
}

impl RunningServer {
    /// Starts it on a free port, and waits until it is ready.
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::start_with(data_dir, &[("PORT", "0")])
    }

    /// Starts it with these settings, and waits until it is ready. Nothing else of the
    /// environment reaches it.
    #[track_caller]
    pub(crate) fn start_with(data_dir: &Path, environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_idp"))
            .env_clear()
            .env("IDP_DATA_DIR", data_dir)
            .env("IDP_LOG", "error")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Read on though nobody listens: a full pipe would hold the server up.
                let _ = sender.send(line);
            }
        });
        let data_dir = data_dir.to_owned();
        let mut server = Self { base_url: String::new(), data_dir, child, lines };
        server.base_url = server.wait_until_ready();
        server
    }

    fn wait_until_ready(&self) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.expect("the server ended or hung before it was ready");
            if let Some(url) = line.strip_prefix(READY) {
                return url.to_owned();
            }
        }
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        self.base_url.strip_prefix("http://").unwrap()
    }

    /// Sends a request that must be answered.
    #[track_caller]
    pub(crate) fn send(&self, request: &Request) -> Answer {
        http::send(self.address(), request).unwrap()
    }

    /// The first admin.
    pub(crate) fn admin(&self) -> Admin {
        let text = fs::read_to_string(self.data_dir.join("admin.json")).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        let member = |name: &str| file[name].as_str().unwrap().to_owned();
        Admin { client_id: member("clientId"), client_secret: member("clientSecret") }
    }

    /// Ends it as a power cut would: no handler of its own runs.
    pub(crate) fn kill_hard(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits until it has.
    #[track_caller]
    pub(crate) fn stop_gracefully(mut self) -> ExitStatus {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        loop {
            if let Err(reason) = self.lines.recv_timeout(PATIENCE) {
                assert_eq!(reason, RecvTimeoutError::Disconnected, "told to end, the server hangs");
                return self.child.wait().unwrap();
            }
        }
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        // Both fail harmlessly where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
