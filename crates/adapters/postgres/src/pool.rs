//! The connections, and the one way in which each comes back.
//!
//! A connection goes back to the pool only by somebody who knows that it is outside a transaction.
//! Whoever does not know gives it to the [`Janitor`], which ends what is open; and one in the middle
//! of a statement is closed, since nobody can tell what its next answer would belong to.

use std::{fmt, time::Duration};

use deadpool::{
    Runtime,
    managed::{
        BuildError, Manager, Metrics, Object, Pool as ManagedPool, RecycleError, RecycleResult,
    },
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use kernel::StoreError;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, postgres::PgConnectOptions};
use tokio::{
    select,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::timeout,
};

use crate::attempts::Attempts;

const ROLLBACK: &str = "ROLLBACK";

/// A connection that was not used for so long is tried before it is given out: the server may have
/// been restarted meanwhile.
const TRIED_AFTER: Duration = Duration::from_millis(500);

/// How long the end of a transaction or a trial may take.
const BRIEF: Duration = Duration::from_secs(1);

/// A connection that is lent out.
pub(crate) type Lease = Object<Connections>;

/// Makes connections, and tries those that lay idle.
pub(crate) struct Connections {
    settings: PgConnectOptions,
    attempts: Attempts,
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").finish_non_exhaustive()
    }
}

impl Manager for Connections {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        // On the heap: it is as large as all the rest of a request together.
        self.attempts.make(Box::pin(self.settings.connect())).await
    }

    async fn recycle(
        &self,
        connection: &mut PgConnection,
        metrics: &Metrics,
    ) -> RecycleResult<sqlx::Error> {
        if metrics.last_used() < TRIED_AFTER {
            return Ok(());
        }
        match timeout(BRIEF, connection.ping()).await {
            Ok(alive) => alive.map_err(RecycleError::Backend),
            Err(_) => Err(RecycleError::message("it does not answer")),
        }
    }
}

/// The pool.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    connections: ManagedPool<Connections>,
    abandoned: UnboundedSender<Lease>,
}

impl Pool {
    /// At most so many connections, each made when it is first needed. The janitor must be run.
    pub(crate) fn new(
        settings: PgConnectOptions,
        most: usize,
    ) -> Result<(Self, Janitor), BuildError> {
        let connections =
            ManagedPool::builder(Connections { settings, attempts: Attempts::default() })
                .max_size(most)
                .runtime(Runtime::Tokio1)
                .build()?;
        // No more than there are connections can ever wait in it.
        let (abandoned, leases) = mpsc::unbounded_channel();
        Ok((Self { connections, abandoned }, Janitor { leases }))
    }

    /// Waits for a connection; how long is the caller's to bound.
    pub(crate) async fn lease(&self) -> Result<Lease, StoreError> {
        self.connections.get().await.map_err(StoreError::unavailable)
    }

    /// Closes the connections that nobody uses, so that the next are new.
    pub(crate) fn renew(&self) {
        self.connections.retain(|_, _| false);
    }

    /// Takes back a connection that is between two statements, perhaps inside a transaction.
    pub(crate) fn abandon(&self, lease: Lease) {
        if let Err(nobody) = self.abandoned.send(lease) {
            close(nobody.0);
        }
    }
}

/// Closes a connection. The server rolls back what was open on it.
pub(crate) fn close(lease: Lease) {
    drop(Object::take(lease));
}

/// Ends the transactions that were left open.
#[derive(Debug)]
pub(crate) struct Janitor {
    leases: UnboundedReceiver<Lease>,
}

impl Janitor {
    /// Works until the last clone of the pool is gone.
    pub(crate) async fn run(mut self) {
        let mut ending = FuturesUnordered::new();
        loop {
            select! {
                lease = self.leases.recv() => match lease {
                    Some(lease) => ending.push(end(lease)),
                    None => break,
                },
                Some(()) = ending.next() => {}
            }
        }
        ending.collect::<()>().await;
    }
}

async fn end(mut lease: Lease) {
    match timeout(BRIEF, lease.execute(ROLLBACK)).await {
        Ok(Ok(_)) => drop(lease),
        Ok(Err(_)) | Err(_) => close(lease),
    }
}
