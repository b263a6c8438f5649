//! The writer: one connection, one queue, one commit for all who wait.

mod notes;
mod transaction;

use std::time::Duration;

use audit::EventRecord;
use kernel::StoreError;
use sqlx::{Connection, SqliteConnection, SqlitePool, sqlite::SqliteConnectOptions};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::{
    error::store_error,
    open::{self, Options},
    session::{self, Done, Statement, Told},
};

// `IMMEDIATE` takes the write lock at once: taken at the first write it could fail after a read.
const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";
const CHECKPOINT: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// Whoever waits to be told that his work is durable, or that it is not.
type Reply = oneshot::Sender<Result<(), StoreError>>;

/// Something to be written.
pub(crate) enum Job {
    /// An event.
    Note(Box<Note>),
    /// A transaction: the writer answers with the end that takes its statements.
    Transaction(oneshot::Sender<mpsc::Sender<Command>>),
}

/// An event that waits.
pub(crate) struct Note {
    pub(crate) event: EventRecord,
    pub(crate) reply: Reply,
}

/// What the holder of a transaction asks of the writer. Closing the channel rolls back.
pub(crate) enum Command {
    Run { statement: Statement, reply: oneshot::Sender<Result<Done, sqlx::Error>> },
    Commit { reply: Reply, told: Told },
}

/// Writes what the store's clones queue, until the last of them is gone.
#[must_use = "nothing is written until somebody runs the writer"]
pub struct Writer {
    queue: mpsc::Receiver<Job>,
    /// Taken out of the queue, but kept for a group of its own.
    next: Option<Job>,
    /// None after an accident: the next group opens another one.
    connection: Option<SqliteConnection>,
    settings: SqliteConnectOptions,
    /// Only to be closed at the end.
    readers: SqlitePool,
    group: usize,
    patience: Duration,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Writer {
    pub(crate) fn new(
        queue: mpsc::Receiver<Job>,
        connection: SqliteConnection,
        (settings, readers): (SqliteConnectOptions, SqlitePool),
        options: &Options,
    ) -> Self {
        let (group, patience) = (options.group, options.patience);
        let connection = Some(connection);
        Self { queue, next: None, connection, settings, readers, group, patience }
    }

    /// Writes until every clone of the store is dropped and everything queued is done.
    pub async fn run(mut self) {
        while let Some(job) = self.wait().await {
            let (mut waiting, mut told) = (Vec::new(), None);
            let done = self.group(job, &mut waiting, &mut told).await;
            // Before anybody hears that it is done.
            drop(told);
            match done {
                Ok(()) => answer_all(waiting, || Ok(())),
                Err(error) => {
                    // Once for the whole group: everybody in it fails for the same reason.
                    let lost = waiting.len();
                    tracing::error!(error = %error, lost, "a group of writes was not committed");
                    self.abandon().await;
                    answer_all(waiting, || Err(StoreError::unavailable("it was not committed")));
                }
            }
        }
        self.close().await;
    }

    async fn wait(&mut self) -> Option<Job> {
        match self.next.take() {
            Some(job) => Some(job),
            None => self.queue.recv().await,
        }
    }

    /// Writes one group: at most one transaction, which comes first, and the notes that came after
    /// it. Adds to `waiting` whoever must hear of the commit.
    ///
    /// A transaction never joins a group that has written already: it would read what is not
    /// durable, and its holder might answer somebody from it and then change nothing.
    async fn group(
        &mut self,
        first: Job,
        waiting: &mut Vec<Reply>,
        told: &mut Option<Told>,
    ) -> Result<(), sqlx::Error> {
        let mut notes = Vec::new();
        match first {
            Job::Note(note) => notes.push(*note),
            Job::Transaction(grant) if grant.is_closed() => return Ok(()),
            Job::Transaction(grant) => {
                let patience = self.patience;
                let connection = self.begun().await?;
                match transaction::serve(connection, grant, patience).await {
                    Some((reply, changes)) => {
                        waiting.push(reply);
                        *told = Some(changes);
                    }
                    None => return self.rolled_back().await,
                }
            }
        }
        self.take_notes(&mut notes);
        notes.retain(|note| !note.reply.is_closed());
        if notes.is_empty() && waiting.is_empty() {
            return Ok(());
        }
        self.write(notes, waiting).await
    }

    async fn write(
        &mut self,
        notes: Vec<Note>,
        waiting: &mut Vec<Reply>,
    ) -> Result<(), sqlx::Error> {
        let is_open = !waiting.is_empty();
        let (events, replies): (Vec<_>, Vec<_>) =
            notes.into_iter().map(|note| (note.event, note.reply)).unzip();
        // In `waiting` before anything can fail, so that nobody is forgotten.
        let transactions = waiting.len();
        waiting.extend(replies);
        let connection = self.open().await?;
        let refused = notes::commit(connection, &events, is_open).await?;
        for (at, error) in refused.into_iter().rev() {
            let reply = waiting.remove(transactions + at);
            let _ = reply.send(Err(store_error(error)));
        }
        Ok(())
    }

    /// Takes the notes that wait by now, up to the next transaction.
    fn take_notes(&mut self, notes: &mut Vec<Note>) {
        while self.next.is_none() && notes.len() < self.group {
            match self.queue.try_recv() {
                Ok(Job::Note(note)) => notes.push(*note),
                Ok(transaction @ Job::Transaction(_)) => self.next = Some(transaction),
                Err(_) => return,
            }
        }
    }

    async fn open(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => open::writing(&self.settings).await?,
        };
        Ok(self.connection.insert(connection))
    }

    async fn begun(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        let connection = self.open().await?;
        session::run(connection, sqlx::query(BEGIN)).await?;
        Ok(connection)
    }

    async fn rolled_back(&mut self) -> Result<(), sqlx::Error> {
        session::run(self.open().await?, sqlx::query(ROLLBACK)).await.map(drop)
    }

    /// Closes a connection of which nobody knows what state it is in, which rolls back. Keeping it
    /// would fail every later group if the rollback itself had failed.
    async fn abandon(&mut self) {
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(error = %error, "the connection was not closed in order");
        }
    }

    /// Closes every connection and folds the log into the file, so that a copy of the file alone is
    /// whole. A view that somebody still holds is not waited for any longer than a transaction.
    async fn close(mut self) {
        if timeout(self.patience, self.readers.close()).await.is_err() {
            tracing::warn!("a view is still open");
        }
        if let Some(connection) = &mut self.connection
            && let Err(error) = session::run(connection, sqlx::query(CHECKPOINT)).await
        {
            tracing::warn!(error = %error, "the last checkpoint was not made");
        }
        self.abandon().await;
    }
}

/// Whoever has stopped to listen is no matter.
fn answer_all(waiting: Vec<Reply>, answer: impl Fn() -> Result<(), StoreError>) {
    for reply in waiting {
        let _ = reply.send(answer());
    }
}
