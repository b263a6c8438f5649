//! The writer of notes: one connection, one queue, one statement and one commit for all who wait.
//!
//! What is queued while one group is being written is the next group; nobody waits for a timer.

use std::{fmt, time::Duration};

use audit::EventRecord;
use kernel::StoreError;
use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};
use tokio::sync::{mpsc, oneshot};

use crate::{
    deadline::Deadline,
    error::{is_survived, store_error},
    events, session,
};

/// An event that waits, and whoever waits for it.
pub(crate) struct Note {
    pub(crate) event: EventRecord,
    pub(crate) reply: oneshot::Sender<Result<(), StoreError>>,
}

/// Writes the notes that the store's clones queue.
pub(crate) struct Writer {
    queue: mpsc::Receiver<Note>,
    settings: PgConnectOptions,
    /// None after an accident: the next group opens another one.
    connection: Option<PgConnection>,
    group: usize,
    patience: Duration,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Writer {
    pub(crate) const fn new(
        queue: mpsc::Receiver<Note>,
        settings: PgConnectOptions,
        group: usize,
        patience: Duration,
    ) -> Self {
        Self { queue, settings, connection: None, group, patience }
    }

    /// Writes until every clone of the store is dropped and everything queued is done.
    pub(crate) async fn run(mut self) {
        let mut waiting = Vec::new();
        while self.queue.recv_many(&mut waiting, self.group).await > 0 {
            // Whoever has stopped to listen was told that nothing was written.
            waiting.retain(|note| !note.reply.is_closed());
            if !waiting.is_empty() {
                self.write(std::mem::take(&mut waiting)).await;
            }
        }
    }

    /// Writes the group; where the database refuses it, each half of it by itself, so that a bad
    /// event fails alone and all others cost few statements more.
    async fn write(&mut self, group: Vec<Note>) {
        let mut parts = vec![group];
        while let Some(mut part) = parts.pop() {
            match self.attempt(&part).await {
                Ok(()) => answer(part, || Ok(())),
                Err(StoreError::Unavailable(error)) => {
                    // What is left as well: it would wait as long once more, and as much in vain.
                    part.extend(parts.drain(..).flatten());
                    // Once for all of them: they fail for the same reason.
                    let lost = part.len();
                    tracing::error!(error = &*error, lost, "a group of events was not written");
                    answer(part, || Err(StoreError::unavailable("it was not written")));
                }
                Err(_) if part.len() > 1 => {
                    let later = part.split_off(part.len() / 2);
                    parts.extend([later, part]);
                }
                Err(refused) => {
                    if let Some(note) = part.pop() {
                        let _ = note.reply.send(Err(refused));
                    }
                }
            }
        }
    }

    /// Writes these by one statement. Where the session was lost that lay idle since the last group,
    /// they are written on another one.
    async fn attempt(&mut self, notes: &[Note]) -> Result<(), StoreError> {
        let deadline = Deadline::after(self.patience);
        let lay_idle = self.connection.is_some();
        let written = self.send(notes, deadline).await;
        if !(lay_idle && self.connection.is_none() && written.is_err()) {
            return written;
        }
        match self.send(notes, deadline).await {
            // It may have been us: nobody knows how far the lost session came.
            Err(StoreError::Conflict) => Err(StoreError::unavailable("it may have been written")),
            known => known,
        }
    }

    async fn send(&mut self, notes: &[Note], deadline: Deadline) -> Result<(), StoreError> {
        let statement = events::append(notes.iter().map(|note| &note.event));
        // Taken out, so that a connection in the middle of something is never used again.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let connecting = Box::pin(self.settings.connect());
                deadline.within(connecting).await?.map_err(store_error)?
            }
        };
        let done = deadline.within(session::run(&mut connection, statement)).await?;
        if done.as_ref().err().is_none_or(is_survived) {
            self.connection = Some(connection);
        }
        done.map(|_| ()).map_err(store_error)
    }
}

/// Whoever has stopped to listen is no matter.
fn answer(notes: Vec<Note>, answer: impl Fn() -> Result<(), StoreError>) {
    for note in notes {
        let _ = note.reply.send(answer());
    }
}
