//! PostgreSQL, Redis and replicas of the server, all private to one test, each to be killed and started
//! again by itself.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::process::Signal;
use servers::{Postgres, Redis};

use crate::caller::{Caller, Client, text};
use crate::clock::MovedClock;
use crate::front::Front;
use crate::process::{Process, Server, idp, run};

/// Two keys that look random: base64 of 32 bytes each.
const SEALING_KEY: &str = "q83vEjRWeJCrze8SNFZ4kJeGdWRTQjEgL05tfIuaqbg=";
const PEPPER: &str = "L05tfIuaqbirze8SNFZ4kJeGdWRTQjEgq83vEjRWeJA=";

/// A plain user, as an operator is told to make one.
const LOGIN: &str = "idp_server";

/// More than any test has requests.
const MANY: &str = "4294967295";

/// One test has servers at a time: each test's are many, and what is promised in seconds is not
/// promised to a machine that runs all of them at once.
static TURN: Mutex<()> = Mutex::new(());

/// What a test wishes for.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) replicas: usize,
    pub(crate) redis: bool,
    /// Whether each replica writes checkpoints and events to files of its own.
    pub(crate) outlets: bool,
    /// How many seconds each replica's clock is ahead of the machine's, where it has one of its own.
    pub(crate) clocks: Vec<i64>,
    /// Variables on top of, or instead of, the usual ones.
    pub(crate) settings: Vec<(&'static str, String)>,
}

impl Default for Plan {
    fn default() -> Self {
        let (clocks, settings) = (Vec::new(), Vec::new());
        Self { replicas: 2, redis: true, outlets: false, clocks, settings }
    }
}

/// The servers that replicas stand on, and how a replica is started on them.
pub(crate) struct Ground {
    pub(crate) postgres: Postgres,
    pub(crate) redis: Option<Redis>,
    pub(crate) ports: Vec<u16>,
    clocks: Vec<MovedClock>,
    outlets: bool,
    settings: Vec<(&'static str, String)>,
    // After the servers that work in it.
    pub(crate) folder: tempfile::TempDir,
    // Last: the next test begins when all of it has ended.
    _turn: MutexGuard<'static, ()>,
}

impl Ground {
    /// A PostgreSQL with an empty database, and a Redis where one is wished for; once no other test
    /// has any.
    pub(crate) fn lay(plan: &Plan) -> Self {
        // Poisoned by a test that failed, which is no reason for the others to.
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let postgres = Postgres::start(&folder.path().join("postgres")).unwrap();
        let redis = plan.redis.then(|| Redis::start(&folder.path().join("redis")).unwrap());
        let ports = (0..plan.replicas).map(|_| servers::free_port()).collect();
        let clocks = plan.clocks.iter().enumerate();
        let clocks = clocks
            .map(|(at, ahead)| MovedClock::new(folder.path().join(format!("clock-{at}")), *ahead));
        let (clocks, outlets) = (clocks.collect(), plan.outlets);
        let settings = plan.settings.clone();
        let ground =
            Self { postgres, redis, ports, clocks, outlets, settings, folder, _turn: turn };
        ground.sql_in("postgres", "CREATE DATABASE idp");
        ground
    }

    /// A command of the binary, as an operator who may do everything runs it.
    pub(crate) fn command(&self, arguments: &[&str], replica: usize) -> Command {
        let mut command = idp(arguments, &self.folder.path().join(format!("replica-{replica}")));
        command
            .env("PORT", self.ports[replica].to_string())
            .env("IDP_ISSUER", format!("http://127.0.0.1:{}", self.ports[0]))
            .envs([("IDP_SEALING_KEY", SEALING_KEY), ("IDP_PEPPER", PEPPER), ("IDP_LOG", "error")])
            // Longer than any run.
            .env("IDP_TOKEN_LIFETIME_SECONDS", "86400")
            .env("IDP_UNAUTHENTICATED_REQUESTS_PER_MINUTE", MANY)
            .env("IDP_PLANS_ENTERPRISE_REQUESTS_PER_MINUTE", MANY)
            .env("IDP_REPLICAS", self.ports.len().to_string())
            .env("DATABASE_URL", self.postgres.url_for("idp"))
            .envs(self.redis.iter().map(|redis| ("REDIS_URL", redis.url())))
            .envs(self.settings.iter().map(|(name, value)| (*name, value)));
        if self.outlets {
            command.env("IDP_AUDIT_CHECKPOINT_FILE", self.checkpoints(replica));
            command.env("IDP_AUDIT_EVENTS_FILE", self.events(replica));
        }
        command
    }

    /// The replica's own file of checkpoints.
    pub(crate) fn checkpoints(&self, replica: usize) -> PathBuf {
        self.folder.path().join(format!("checkpoints-{replica}.ndjson"))
    }

    /// The replica's own file of events.
    pub(crate) fn events(&self, replica: usize) -> PathBuf {
        self.folder.path().join(format!("events-{replica}.ndjson"))
    }

    /// A replica, as the plain user runs it.
    pub(crate) fn server(&self, replica: usize) -> Command {
        let mut command = self.command(&["serve"], replica);
        command.env("DATABASE_URL", self.url_of_login());
        if let Some(clock) = self.clocks.get(replica) {
            clock.give_to(&mut command);
        }
        command
    }

    /// Sets the replica's clock so many seconds ahead of the machine's, from now on.
    pub(crate) fn set_clock(&self, replica: usize, ahead: i64) {
        self.clocks[replica].set(ahead);
    }

    /// The plain user's way into the database.
    pub(crate) fn url_of_login(&self) -> String {
        self.postgres.url_for("idp").replacen("postgres@", &format!("{LOGIN}@"), 1)
    }

    /// Migrates, and makes the plain user.
    #[track_caller]
    pub(crate) fn migrate(&self) {
        let ended = run(&mut self.command(&["migrate"], 0));
        assert_eq!(ended.code, Some(0), "{}", ended.log);
        self.make_login();
    }

    pub(crate) fn make_login(&self) {
        self.sql(&format!("CREATE ROLE {LOGIN} LOGIN IN ROLE idp_app"));
    }

    /// Founds the platform, and returns its admin.
    #[track_caller]
    pub(crate) fn found(&self) -> Client {
        let ended = run(&mut self.command(&["bootstrap", "--organization", "faults", "--json"], 0));
        assert_eq!(ended.code, Some(0), "{}", ended.log);
        founded(&ended.out)
    }

    /// What an administrator sees, whom row-level security does not bind: a line a row.
    #[track_caller]
    pub(crate) fn sql(&self, statement: &str) -> String {
        self.sql_in("idp", statement)
    }

    #[track_caller]
    pub(crate) fn sql_in(&self, database: &str, statement: &str) -> String {
        let output = Command::new("psql")
            .args(["--no-psqlrc", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"])
            .args(["--dbname", &self.postgres.url_for(database), "--command", statement])
            .stdin(Stdio::null())
            .output()
            .expect("psql comes with PostgreSQL");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// The admin that `bootstrap --json` has printed.
pub(crate) fn founded(printed: &str) -> Client {
    let admin: serde_json::Value = serde_json::from_str(printed).unwrap();
    Client { id: text(&admin["clientId"]), secret: text(&admin["clientSecret"]) }
}

/// Replicas that serve. All of it ends when it is dropped.
pub(crate) struct Cluster {
    replicas: Vec<Option<Server>>,
    pub(crate) front: Arc<Front>,
    pub(crate) admin: Client,
    pub(crate) ground: Ground,
}

impl Cluster {
    /// Migrated, founded, and with every replica ready.
    pub(crate) fn start(plan: &Plan) -> Self {
        let ground = Ground::lay(plan);
        ground.migrate();
        let admin = ground.found();
        Self::on(ground, admin)
    }

    /// Starts every replica, all at once.
    pub(crate) fn on(ground: Ground, admin: Client) -> Self {
        let addresses = ground.ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let front = Arc::new(Front::new(addresses));
        let replicas = thread::scope(|scope| {
            let ground = &ground;
            let serve = |replica| scope.spawn(move || Process::serve(&mut ground.server(replica)));
            let starting: Vec<_> = (0..ground.ports.len()).map(serve).collect();
            starting.into_iter().map(|server| Some(server.join().unwrap())).collect()
        });
        (0..ground.ports.len()).for_each(|replica| front.opens(replica));
        Self { replicas, front, admin, ground }
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self, replica: usize) {
        self.front.closes(replica);
        self.end(replica);
    }

    fn end(&mut self, replica: usize) {
        let Some(server) = self.replicas[replica].take() else { return };
        let id = server.process.id();
        // Dropping it kills it.
        drop(server);
        MovedClock::clear_up_after(id);
    }

    /// Starts it again, and waits until it is ready.
    pub(crate) fn restart(&mut self, replica: usize) {
        self.replicas[replica] = Some(Process::serve(&mut self.ground.server(replica)));
        self.front.opens(replica);
    }

    /// Sends the replica's process a signal.
    pub(crate) fn signal(&self, replica: usize, signal: Signal) {
        self.replicas[replica].as_ref().unwrap().process.signal(signal);
    }

    /// Whether there is such a process.
    pub(crate) fn runs(&self, replica: usize) -> bool {
        self.replicas[replica].is_some()
    }

    /// The replica's process.
    pub(crate) fn process(&self, replica: usize) -> &Process {
        &self.replicas[replica].as_ref().unwrap().process
    }

    /// Takes the replica out, to wait for its end.
    pub(crate) fn take(&mut self, replica: usize) -> Server {
        self.replicas[replica].take().unwrap()
    }

    /// The admin with a token of its own, got from this replica.
    #[track_caller]
    pub(crate) fn admin_at(&self, replica: usize) -> Caller<'_> {
        Caller::open(&self.front, replica, &self.admin).unwrap()
    }

    #[track_caller]
    pub(crate) fn sql(&self, statement: &str) -> String {
        self.ground.sql(statement)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        (0..self.replicas.len()).for_each(|replica| self.end(replica));
    }
}
