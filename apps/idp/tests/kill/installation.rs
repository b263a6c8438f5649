//! A server on a data folder and a port that stay, so that it can be stopped, changed and started again.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::process::{Process, Server, idp};
use crate::quiet_port;
use crate::session::Session;
use crate::support::http::Request;
use crate::support::server::Admin;

/// More than any test has requests.
const MANY: &str = "1000000";

/// What makes up the database, in the data folder.
const DATABASE: [&str; 3] = ["idp.sqlite", "idp.sqlite-wal", "idp.sqlite-shm"];

pub(crate) struct Installation {
    folder: tempfile::TempDir,
    port: u16,
    /// Variables of each command.
    pub(crate) settings: Vec<(&'static str, String)>,
}

impl Installation {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, port: quiet_port(), settings: Vec::new() }
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A file of the data folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("data").join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = idp(arguments, &self.folder.path().join("data"));
        command
            .env("PORT", self.port.to_string())
            .env("IDP_LOG", "error")
            .env("IDP_PLANS_FREE_REQUESTS_PER_MINUTE", MANY)
            .env("IDP_UNAUTHENTICATED_REQUESTS_PER_MINUTE", MANY)
            .envs(self.settings.iter().map(|(name, value)| (*name, value)));
        command
    }

    #[track_caller]
    pub(crate) fn serve(&self) -> Server {
        Process::serve(&mut self.command(&["serve"]))
    }

    /// A new session of the admin, whose beginning is an event.
    pub(crate) fn session(&self, server: &Server) -> Session {
        let admin = crate::process::admin(&self.folder.path().join("data"));
        let member = |name: &str| admin[name].as_str().unwrap().to_owned();
        let admin = Admin { client_id: member("clientId"), client_secret: member("clientSecret") };
        Session::open(&server.address, &admin).unwrap()
    }

    /// Keeps a copy of the database. Nobody may be in it.
    pub(crate) fn keep_state(&self) {
        fs::create_dir(self.folder.path().join("yesterday")).unwrap();
        self.copy("data", "yesterday");
    }

    /// Puts the copy in the place of the database.
    pub(crate) fn put_back(&self) {
        for name in DATABASE {
            let _unless_there_is_none = fs::remove_file(self.file(name));
        }
        self.copy("yesterday", "data");
    }

    fn copy(&self, from: &str, to: &str) {
        for name in DATABASE {
            let from = self.folder.path().join(from).join(name);
            if from.exists() {
                fs::copy(from, self.folder.path().join(to).join(name)).unwrap();
            }
        }
    }
}

/// A number that the server counts.
pub(crate) fn counted(server: &Server, metric: &str) -> u64 {
    let answer = server.send(&Request::new("GET", "/metrics"));
    let mut lines = answer.body.lines().filter_map(|line| line.rsplit_once(' '));
    let count = lines.find(|(name, _)| *name == metric);
    count.map_or(0, |(_, count)| count.parse().unwrap())
}
