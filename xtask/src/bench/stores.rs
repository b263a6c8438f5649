//! PostgreSQL and Redis of a run, on the cores that are not the server's, with fsync on.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use servers::{Postgres, Redis};

use super::usage;
use super::workbench::Workbench;
use crate::process;

/// Whom the server logs in as: it may do no more than a server needs, so row-level security holds.
const LOGIN: &str = "idp_server";

/// Both, running. They end with this value.
#[derive(Debug)]
pub(crate) struct Stores {
    postgres: Postgres,
    redis: Redis,
}

impl Stores {
    /// Starts them in the folder of this run.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let postgres = Postgres::start(&folder.join("postgres"))?;
        let redis = Redis::start(&folder.join("redis"))?;
        Ok(Self { postgres, redis })
    }

    /// Makes a database as an operator does, and returns the variables by which a server finds it.
    pub(crate) fn database(
        &self,
        bench: &Workbench,
        name: &str,
    ) -> anyhow::Result<Vec<(String, String)>> {
        self.sql(&format!("CREATE DATABASE {name}"))?;
        let own = self.postgres.url_for(name);
        let mut migrate = bench.idp(&["migrate"]);
        migrate.env("DATABASE_URL", &own).env("IDP_DATA_DIR", bench.folder.join("migrate"));
        process::output(migrate.env("IDP_LOG", "warn")).context("migrating")?;
        // Roles are the cluster's: the second database finds it there.
        self.sql(&format!(
            "DO $$ BEGIN CREATE ROLE {LOGIN} LOGIN IN ROLE idp_app; \
             EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        ))?;
        let url = own.replacen("postgres@", &format!("{LOGIN}@"), 1);
        let named = |name: &str, value| (name.to_owned(), value);
        Ok(vec![named("DATABASE_URL", url), named("REDIS_URL", self.redis.url())])
    }

    fn sql(&self, statement: &str) -> anyhow::Result<()> {
        let url = self.postgres.url();
        let arguments = ["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", &url];
        process::answer("psql", &[&arguments[..], &["--command", statement]].concat())
            .map(|_| ())
            .with_context(|| format!("`psql` is not there, or refuses `{statement}`"))
    }

    /// The CPU time that both have used so far.
    pub(crate) fn cpu_time(&self) -> anyhow::Result<Duration> {
        let postgres = self.postgres.process_id().context("PostgreSQL does not run")?;
        let redis = self.redis.process_id().context("Redis does not run")?;
        Ok(usage::cpu_time_of_family(postgres)? + usage::cpu_time(redis)?)
    }
}
