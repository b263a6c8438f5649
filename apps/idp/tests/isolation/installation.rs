//! PostgreSQL, Redis and two replicas of the server, all private to one run.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use data_encoding::BASE64;
use serde_json::Value;
use servers::{Postgres, Redis};

/// What the hashes of secrets are keyed with, here and in the replicas.
pub(crate) const PEPPER: [u8; 32] = *b"what the tests key their hashes.";

/// Of both replicas, and the address of neither.
const ISSUER: &str = "http://localhost";

/// More than any run has requests.
const MANY: &str = "4294967295";
const LISTENS: &str = "listens on";
const READY: &str = "ready at ";

/// A running installation. All of it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Installation {
    replicas: Vec<Replica>,
    postgres: Postgres,
    redis: Redis,
    folder: tempfile::TempDir,
}

#[derive(Debug)]
struct Replica {
    child: Child,
    address: String,
}

impl Drop for Replica {
    fn drop(&mut self) {
        // Both fail harmlessly where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Installation {
    /// Starts the servers, migrates, founds the platform under this name, and starts two replicas.
    pub(crate) fn start(platform: &str) -> (Self, Value) {
        let folder = tempfile::tempdir().unwrap();
        let postgres = Postgres::start(&folder.path().join("postgres")).unwrap();
        let redis = Redis::start(&folder.path().join("redis")).unwrap();
        let mut installation = Self { replicas: Vec::new(), postgres, redis, folder };
        // What survives a power cut is not asked here, and others share this disk.
        installation.sql("ALTER SYSTEM SET fsync = off");
        installation.sql("SELECT pg_reload_conf()");
        installation.finish(&["migrate"]);
        let bootstrap = ["bootstrap", "--organization", platform, "--json"];
        let founded = serde_json::from_str(&installation.finish(&bootstrap)).unwrap();
        for _ in 0..2 {
            let replica = installation.replica();
            installation.replicas.push(replica);
        }
        (installation, founded)
    }

    /// Host and port of each replica.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.replicas.iter().map(|replica| replica.address.clone()).collect()
    }

    /// The administrator's way into the database.
    pub(crate) fn database_url(&self) -> String {
        self.postgres.url()
    }

    /// What an administrator sees, whom row-level security does not bind: a line a row, with `|`
    /// between its columns.
    #[track_caller]
    pub(crate) fn sql(&self, statement: &str) -> String {
        let output = Command::new("psql")
            .args(["--no-psqlrc", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"])
            .args(["--dbname", &self.database_url(), "--command", statement])
            .stdin(Stdio::null())
            .output()
            .expect("psql comes with PostgreSQL");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_idp"));
        command
            .args(arguments)
            .env_clear()
            .envs([("IDP_LOG", "error"), ("PORT", "0"), ("IDP_ISSUER", ISSUER)])
            .env("DATABASE_URL", self.database_url())
            .env("REDIS_URL", self.redis.url())
            .env("IDP_DATA_DIR", self.data_folder())
            .env("IDP_PEPPER", BASE64.encode(&PEPPER))
            // Longer than any run.
            .env("IDP_TOKEN_LIFETIME_SECONDS", "86400")
            .env("IDP_UNAUTHENTICATED_REQUESTS_PER_MINUTE", MANY)
            .env("IDP_REFUSALS_TOLD_PER_MINUTE", MANY)
            .env("IDP_PLANS_PRO_REQUESTS_PER_MINUTE", MANY)
            .env("IDP_PLANS_PRO_TOKENS_PER_MONTH", "unlimited")
            .env("IDP_PLANS_PRO_AGENTS", "unlimited")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        command
    }

    fn data_folder(&self) -> PathBuf {
        Path::join(self.folder.path(), "data")
    }

    #[track_caller]
    fn finish(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "idp {arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn replica(&self) -> Replica {
        let mut child = self.command(&["serve"]).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut replica = Replica { child, address: String::new() };
        let listens = lines.find(|line| line.contains(LISTENS));
        let listens = listens.expect("a replica ended before it listened");
        replica.address = listens.split_once("://").unwrap().1.to_owned();
        assert!(lines.any(|line| line.starts_with(READY)), "a replica ended before it was ready");
        // Read on though nobody listens: a full pipe would hold it up.
        thread::spawn(move || lines.count());
        replica
    }
}
