//! Opening the store: nothing is opened that would not work, or not keep organizations apart.

use std::sync::Arc;

use futures_util::future::join;
use kernel::{Clock, Entropy};
use sqlx::{PgConnection, Row};
use thiserror::Error;
use tokio::sync::mpsc;

use crate::{
    isolation::{self, Finding, Isolation},
    login::{Login, LoginError},
    migrate::MIGRATIONS,
    options::{self, Options},
    pool::{Janitor, Pool},
    store::PostgresStore,
    writer::Writer,
};

/// Nobody waits for the checks but who starts the server: they may take longer than a request.
const UNHURRIED: [(&str, &str); 1] = [("statement_timeout", "10000")];

const THERE: &str = "SELECT to_regclass('public._sqlx_migrations') IS NOT NULL";
const RUN: &str = "SELECT version, success, checksum FROM _sqlx_migrations ORDER BY version";

/// Why a store was not opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Nobody can log in.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The database has no schema, or an older one.
    #[error("migrations are pending at {place}; run `idp migrate` first")]
    Pending {
        /// Host, port and database.
        place: String,
    },
    /// A newer release has been here. Its schema may hold what this one would damage.
    #[error(
        "{place} was migrated to version {found}, and this build knows only {known}; start the \
         release that migrated it, or a later one"
    )]
    Newer {
        /// Host, port and database.
        place: String,
        /// The database's version.
        found: i64,
        /// The newest that this build knows.
        known: i64,
    },
    /// A migration was run that is not ours.
    #[error("migration {version} at {place} is not the one of this build; see who changed it")]
    Foreign {
        /// Host, port and database.
        place: String,
        /// Its number.
        version: i64,
    },
    /// The server could pass row-level security.
    #[error(
        "at {place} the server could see past row-level security, which production refuses: {}; \
         log in as a plain user that is a member of `idp_app` and of nothing else, and run \
         `idp migrate` where a right is too much",
        list(.findings)
    )]
    NotIsolated {
        /// Host, port and database.
        place: String,
        /// How.
        findings: Vec<Finding>,
    },
    /// The way there could be listened to.
    #[error(
        "the connection to {place} is not demanded to be encrypted, which production refuses; add \
         `sslmode=verify-full` to DATABASE_URL"
    )]
    NotPrivate {
        /// Host, port and database.
        place: String,
    },
    /// The schema cannot be looked at.
    #[error("the schema at {place} cannot be read")]
    Schema {
        /// Host, port and database.
        place: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// There can be no pool.
    #[error("a pool of connections cannot be made")]
    Pool(#[from] deadpool::managed::BuildError),
}

fn list(findings: &[Finding]) -> String {
    findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("; ")
}

/// The work behind the store. Nothing is noted and no view is ended until somebody runs it.
#[must_use = "nothing is noted until somebody runs it"]
#[derive(Debug)]
pub struct Background {
    writer: Writer,
    janitor: Janitor,
}

impl Background {
    /// Works until every clone of the store is dropped and everything queued is done.
    pub async fn run(self) {
        join(self.writer.run(), self.janitor.run()).await;
    }
}

impl PostgresStore {
    /// Connects, checks the schema and the role, and opens the store.
    ///
    /// # Errors
    /// [`OpenError`]
    pub async fn open(
        login: &Login,
        machine: (Arc<dyn Clock>, Arc<dyn Entropy>),
        isolation: Isolation,
        options: &Options,
    ) -> Result<(Self, Background), OpenError> {
        if isolation == Isolation::Demanded && !login.is_private() {
            return Err(OpenError::NotPrivate { place: login.place() });
        }
        let settings = options::of_server(login.options(), options);
        let mut connection = login.connect_by(&settings.clone().options(UNHURRIED)).await?;
        check_schema(&mut connection, login).await?;
        check_isolation(&mut connection, login, isolation).await?;
        let (pool, janitor) = Pool::new(settings.clone(), options.connections)?;
        let (notes, queue) = mpsc::channel(options.queue);
        let writer = Writer::new(queue, settings.clone(), options.group, options.patience);
        Ok((Self::new((pool, notes), settings, machine, options), Background { writer, janitor }))
    }
}

async fn check_schema(connection: &mut PgConnection, login: &Login) -> Result<(), OpenError> {
    let place = || login.place();
    let schema = |source| OpenError::Schema { place: place(), source };
    let there: bool =
        sqlx::query_scalar(THERE).fetch_one(&mut *connection).await.map_err(schema)?;
    if !there {
        return Err(OpenError::Pending { place: place() });
    }
    let rows = sqlx::query(RUN).fetch_all(connection).await.map_err(schema)?;
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    for row in &rows {
        let version: i64 = row.try_get("version").map_err(schema)?;
        let whole: bool = row.try_get("success").map_err(schema)?;
        let checksum: &[u8] = row.try_get("checksum").map_err(schema)?;
        let ours = MIGRATIONS.iter().find(|migration| migration.version == version);
        match ours {
            None if version > known => {
                return Err(OpenError::Newer { place: place(), found: version, known });
            }
            Some(ours) if *ours.checksum == *checksum && whole => {}
            Some(_) if !whole => return Err(OpenError::Pending { place: place() }),
            Some(_) | None => return Err(OpenError::Foreign { place: place(), version }),
        }
    }
    if rows.len() < MIGRATIONS.iter().count() {
        return Err(OpenError::Pending { place: place() });
    }
    Ok(())
}

async fn check_isolation(
    connection: &mut PgConnection,
    login: &Login,
    isolation: Isolation,
) -> Result<(), OpenError> {
    let place = login.place();
    let findings = match isolation::findings(connection).await {
        Ok(findings) => findings,
        Err(source) => return Err(OpenError::Schema { place, source }),
    };
    match isolation {
        _ if findings.is_empty() => Ok(()),
        Isolation::Demanded => Err(OpenError::NotIsolated { place, findings }),
        Isolation::Preferred => {
            let findings = list(&findings);
            tracing::warn!(findings, "the server could see past row-level security");
            Ok(())
        }
    }
}
